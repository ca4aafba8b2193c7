"""Published figures beside our own, in a table and in sentences."""

from __future__ import annotations

import pytest

from reports.analysis import claims

OURS = [80.0, 81.0, 82.0]  # mean 81, sd 1


def figure(variant="a", low=81.0, high=None, **more):
    high = low if high is None else high
    return {
        "variant": variant,
        "against": "",
        "low": low,
        "high": high,
        "seeds": 1,
        "source": "paper",
        "claim": "",
    } | more


def test_the_table():
    given = [
        figure(low=81.0, high=81.4, digits=1),
        figure(low=0.5, against="b", claim="a is better", digits=None),
        figure("c", 90.0, digits=0),
    ]
    found = claims.frame(given, {"a": OURS, "b": [80.0, 80.5, 81.0], "c": []}, margin=8.0)
    assert list(found["published"]) == ["81.0 to 81.4 %", "+0.5 points", "90 %"]
    assert list(found["ours"]) == ["81.00 %", "+0.50 points", "not known yet"]
    assert list(found["verdict"]) == ["compatible with", "compatible with", "cannot be told"]
    assert list(found["claim"]) == ["accuracy of a", "a is better", "accuracy of c"]
    allowed = 6.205347 * (4 / 3) ** 0.5  # two figures with a spread: t of 2 degrees at 2.5 %
    assert found["allowed_points"][0] == pytest.approx(allowed, rel=1e-5)
    assert found["sentence"][0] == (
        "The accuracy of a: published 81.0 to 81.4 %, here 81.00 % (mean of 3); ours is within the published figure, and "
        "trainings like ours may differ by 7.17 points: compatible with each other."
    )


@pytest.mark.parametrize(
    ("margin", "low", "said"),
    [
        (5.0, 81.0, "ours is within the published figure, and trainings like ours may differ by 4.97 points: compatible"),
        (0.5, 79.0, "ours is 2.00 points higher, but trainings like ours may differ by 4.97 points, more than the margin of "
                    "0.5: whether they agree cannot be told."),
        (0.5, 90.0, "ours is 9.00 points lower, and trainings like ours may differ by 4.97 points: they disagree."),
    ],
)  # fmt: skip
def test_what_is_said(margin, low, said):
    assert said in claims.frame([figure(low=low)], {"a": OURS}, margin)["sentence"][0]


def test_figures_of_another_configuration_are_not_compared():
    given = figure(low=81.0, high=81.4, digits=1, differs={"steps": [10000, 600], "lrn": [True, False]})
    (row,) = claims.frame([given], {"a": [57.0, 58.0]}, 0.5).to_dict("records")
    assert row["verdict"] == "not comparable"
    assert row["published"] == "81.0 to 81.4 % at steps 10000 and lrn true"
    assert row["ours"] == "57.50 % at steps 600 and lrn false"
    assert row["sentence"].endswith("these are different configurations, so the two are not comparable.")


def test_a_fraction_beside_percent_is_asked_about():
    found = claims.frame([figure(low=0.24), figure(low=24.0)], {"a": [24.0, 24.06]}, 0.5)["sentence"]
    assert found[0].endswith("Is it meant as a fraction? If 24 % is meant, write 24.")
    assert "fraction" not in found[1]


def test_accuracies_are_counted_on_the_test_images():
    """Of 100 images two equal results have the spread of their rounding: t of one degree times sqrt(1.5 / 12)."""
    (row,) = claims.frame([figure(low=80.0)], {"a": [81.0, 81.0]}, 20.0, {"a": 100}).to_dict("records")
    assert row["allowed_points"] == pytest.approx(12.706205 * (1.5 / 12) ** 0.5, rel=1e-6)
    assert row["verdict"] == "compatible with"
