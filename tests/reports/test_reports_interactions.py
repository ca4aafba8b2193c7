"""Effects in factorial designs: against numbers worked out by hand, statsmodels' least squares, and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols

from reports.analysis import interactions

BASE = {"lrn": True, "ema": False}


def grid(**values):
    """A 2 x 2 grid by the on and off of lrn and ema: ``ty`` is lrn=true, ema=true; ``fy``, ``tn`` and ``fn`` likewise."""
    levels = {name: {"lrn": name[0] == "t", "ema": name[1] == "y"} for name in values}
    return values, levels


def rows(frame: pd.DataFrame) -> dict[tuple, dict]:
    return {
        (row["factor"], row["level"], row["with_factor"], row["with_level"]): row for row in frame.to_dict("records")
    }


SPREAD = np.array([-0.3, 0.1, 0.2])  # the same in every cell: then Welch's degrees are those of the pooled error


def test_two_by_two_against_least_squares():
    means = {"tn": 80.0, "fn": 79.0, "ty": 80.5, "fy": 80.3}
    values, levels = grid(**{name: mean + SPREAD for name, mean in means.items()})
    found = rows(interactions.frame(values, levels, BASE))
    table = pd.DataFrame([
        {"y": y, "lrn": int(name[0] == "f"), "ema": int(name[1] == "y")} for name in values for y in values[name]
    ])  # fmt: skip
    fit = ols("y ~ lrn * ema", table).fit()
    contrasts = {
        ("lrn", "false", "", ""): [0, 1, 0, 0.5],
        ("ema", "true", "", ""): [0, 0, 1, 0.5],
        ("lrn", "false", "ema", "true"): [0, 0, 0, 1],
    }
    assert set(found) == set(contrasts)
    for key, contrast in contrasts.items():
        theirs = fit.t_test(contrast)
        row = found[key]
        assert row["difference_points"] == pytest.approx(theirs.effect[0])
        assert (row["low_points"], row["high_points"]) == pytest.approx(tuple(theirs.conf_int()[0]))
        assert row["p"] == pytest.approx(float(theirs.pvalue))
    assert found["lrn", "false", "ema", "true"]["difference_points"] == pytest.approx((80.3 - 80.5) - (79.0 - 80.0))


def test_unequal_variances_and_numbers_by_hand():
    """Variances over n: 0.25/3, 0, 4/3, 0.02/2; their squares over n - 1 give the degrees."""
    values, levels = grid(tn=[79, 80, 79.5], fn=[78.0, 78.0], ty=[80.0, 82.0, 84.0], fy=[81.0, 81.2])
    shares, freedom = np.array([0.25 / 3, 0, 4 / 3, 0.02 / 2]), np.array([2, 1, 2, 1])
    total = shares.sum()
    degrees = total**2 / (shares**2 / freedom).sum()
    row = interactions.frame(values, levels, BASE).iloc[-1]
    difference = (81.1 - 82) - (78 - 79.5)
    assert row["kind"] == "interaction" and row["difference_points"] == pytest.approx(difference)
    half = stats.t.ppf(0.975, degrees) * total**0.5
    assert (row["low_points"], row["high_points"]) == pytest.approx((difference - half, difference + half))
    assert row["p"] == pytest.approx(2 * stats.t.sf(difference / total**0.5, degrees))


def test_main_effect_is_the_mean_over_the_other_factors_levels_whatever_their_seeds():
    values, levels = grid(tn=[80.0, 80.2] * 10, fn=[79.0, 79.2], ty=[81.0, 81.2], fy=[82.0, 82.2])
    found = rows(interactions.frame(values, levels, BASE))
    assert found["lrn", "false", "", ""]["difference_points"] == pytest.approx((-1 + 1) / 2)
    assert found["ema", "true", "", ""]["difference_points"] == pytest.approx((1 + 3) / 2)


def test_three_factors_of_two_two_and_three_levels():
    """An additive truth with one interaction of 2 points, between a=1 and c=z."""
    rng = np.random.default_rng(0)
    values, levels = {}, {}
    for a, b, c in itertools.product((0, 1), ("p", "q"), ("x", "y", "z")):
        mean = 80 + a + 0.5 * (b == "q") + 3 * (c == "y") + 2 * (a == 1 and c == "z")
        values[f"{a}{b}{c}"], levels[f"{a}{b}{c}"] = mean + rng.permutation(SPREAD) / 10, {"a": a, "b": b, "c": c}
    frame = interactions.frame(values, levels, {"a": 0, "b": "p", "c": "x"})
    found = rows(frame)
    assert frame["kind"].tolist() == ["main"] * 4 + ["interaction"] * 5
    expected = {
        ("a", "1", "", ""): 1 + 2 / 3, ("b", "q", "", ""): 0.5, ("c", "y", "", ""): 3, ("c", "z", "", ""): 1,
        ("a", "1", "b", "q"): 0, ("a", "1", "c", "y"): 0, ("a", "1", "c", "z"): 2,
        ("b", "q", "c", "y"): 0, ("b", "q", "c", "z"): 0,
    }  # fmt: skip
    assert {key: round(row["difference_points"], 9) for key, row in found.items()} == pytest.approx(expected)
    assert found["a", "1", "", ""]["cells"] == 12 and found["a", "1", "c", "z"]["cells"] == 8
    p = frame[frame["kind"] == "interaction"]["p"].to_numpy()
    assert found["a", "1", "c", "z"]["p_adjusted"] == pytest.approx(5 * p.min())
    assert found["a", "1", "c", "z"]["sentence"].startswith(
        "a 1 instead of 0 is worth more with c z than with x, on average "
    )
    assert "not shown" in found["a", "1", "b", "q"]["sentence"]


def test_readouts_are_contrasted_training_by_training():
    """Raw and averaged weights of the same trainings: their difference hardly varies, though the trainings do.

    The interaction is the difference of two independent samples of differences: Welch's test of those.
    """
    t, f = np.array([79.0, 80.0, 81.5]), np.array([77.0, 78.5, 80.5, 79.0])
    gain_t, gain_f = np.array([0.4, 0.5, 0.6]), np.array([0.1, 0.15, 0.2, 0.1])
    values, levels = grid(tn=t, ty=t + gain_t, fn=f, fy=f + gain_f)
    keys = {"tn": "abc", "ty": "abc", "fn": "defg", "fy": "defg"}
    found = rows(interactions.frame(values, levels, BASE, keys))
    row = found["lrn", "false", "ema", "true"]
    theirs = stats.ttest_ind(gain_f, gain_t, equal_var=False)
    assert row["p"] == pytest.approx(theirs.pvalue)
    assert (row["low_points"], row["high_points"]) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    between = found["lrn", "false", "", ""]  # a training's mean of both readouts is one value
    theirs = stats.ttest_ind(f + gain_f / 2, t + gain_t / 2, equal_var=False)
    assert between["p"] == pytest.approx(theirs.pvalue)
    strangers = rows(interactions.frame(values, levels, BASE))["lrn", "false", "ema", "true"]
    assert strangers["p"] > 0.5 > 0.05 > row["p"]


def test_readouts_in_another_order_and_with_one_missing():
    values, levels = grid(tn=[79, 80, 81], ty=[81.5, 79.5], fn=[77, 78, 80], fy=[77, 78, 80])
    keys = {"tn": "abc", "ty": "ca", "fn": "def", "fy": "def"}
    row = interactions.frame(values, levels, BASE, keys).iloc[-1]
    assert row["difference_points"] == pytest.approx(-0.5) and row["p"] == pytest.approx(0.0)  # no spread at all


def test_readouts_without_a_common_training_tell_nothing():
    values, levels = grid(tn=[79, 80], ty=[81.5, 79.5], fn=[77, 78], fy=[77, 78])
    keys = {"tn": "ab", "ty": "bc", "fn": "cd", "fy": "ef"}
    row = interactions.frame(values, levels, BASE, keys).iloc[-1]
    assert np.isnan([row["difference_points"], row["low_points"], row["p"]]).all()


def test_one_seed_has_a_difference_and_no_interval():
    values, levels = grid(tn=[80.0, 80.2], fn=[79.0], ty=[80.5, 80.7], fy=[80.3, 80.5])
    frame = interactions.frame(values, levels, BASE)
    assert frame["difference_points"].tolist() == pytest.approx([-0.65, 0.95, 0.9])
    assert frame[["low_points", "high_points", "p", "p_adjusted"]].isna().all(axis=None)
    assert "[n/a]; it takes two seeds of each." in frame["sentence"].iloc[-1]


def test_no_spread_at_all_has_a_difference_and_no_verdict():
    values, levels = grid(tn=[80.0, 80.0], fn=[79.0, 79.0], ty=[80.0, 80.0], fy=[79.0, 79.0])
    main, _, both = interactions.frame(values, levels, BASE).to_dict("records")
    assert (main["difference_points"], both["difference_points"]) == (-1.0, 0.0)
    assert (main["verdict"], both["verdict"]) == ("none", "none") and np.isnan(main["low_points"])


def test_what_is_said():
    values, levels = grid(tn=80 + SPREAD / 9, fn=79 + SPREAD / 9, ty=80.5 + SPREAD / 9, fy=80.3 + SPREAD / 9)
    main, _, both = interactions.frame(values, levels, BASE)["sentence"]
    assert main == "lrn false instead of true hurts, on average over ema: -0.60 points [-0.64, -0.56]."
    assert both == "lrn false instead of true is worth more with ema true than with false: +0.80 points [+0.72, +0.88]."


@pytest.mark.parametrize(
    "settings",
    [
        [(0, 0), (1, 0), (0, 1)],  # one at a time
        [(0, 0), (1, 0), (2, 0)],  # one factor
        [(1, 1), (1, 2), (2, 1)],  # without the baseline's levels
        [(0, 0)],
        [],
    ],
)
def test_no_grid_no_effects(settings):
    values = {f"{a}{b}": [80.0, 80.1] for a, b in settings}
    levels = {f"{a}{b}": {"a": a, "b": b} for a, b in settings}
    found = interactions.frame(values, levels, {"a": 0, "b": 0})
    assert found.empty and list(found) == list(interactions.COLUMNS)


def test_a_block_in_another_design_is_enough():
    """Pairs of changes beside the single ones; a third factor that is changed alone is a main effect of two cells."""
    settings = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)]
    values = {str(each): np.array([80.0, 80.1]) + sum(each) for each in settings}
    levels = {str(each): dict(zip("abc", each, strict=True)) for each in settings}
    frame = interactions.frame(values, levels, dict.fromkeys("abc", 0))
    found = frame[["factor", "with_factor", "cells"]].to_numpy().tolist()
    assert found == [["a", "", 4], ["b", "", 4], ["c", "", 2], ["a", "b", 4]]
    assert frame["difference_points"].tolist() == pytest.approx([1, 1, 1, 0])


def test_a_variant_that_has_not_run_or_has_other_factors_is_no_cell():
    """Without the fourth cell each main effect is that of two, nothing is known of the interaction, and all three count."""
    values, levels = grid(tn=[80.0, 80.1], fn=[79.0, 79.1], ty=[80.0, 80.1], fy=[])
    frame = interactions.frame(values, levels, BASE)
    assert frame["cells"].tolist() == [2, 2, 0] and frame["difference_points"].tolist()[:2] == pytest.approx([-1, 0])
    assert frame["verdict"].tolist()[-1] == "none" and frame["sentence"].iloc[-1].endswith("with false: not known yet.")
    assert frame["p_adjusted"].iloc[0] == pytest.approx(3 * frame["p"].iloc[0])
    values["fy"] = [79.0, 79.1]
    assert len(interactions.frame(values, levels, BASE)) == 3
    assert interactions.frame(values, levels | {"fy": {"lrn": False}}, BASE).empty
    assert interactions.frame(values, levels | {"fy": levels["fy"] | {"dropout": 0.5}}, BASE).empty


def test_levels_of_any_kind():
    kinds = ([0.1, 0.9], {"b": 1, "a": None})
    values = {f"{i}{j}": [80.0, 80.1 + i] for i in range(2) for j in range(2)}
    levels = {
        f"{i}{j}": {"range": kinds[0] if i else False, "how": kinds[1] if j else False} for i in (0, 1) for j in (0, 1)
    }
    frame = interactions.frame(values, levels, {"range": False, "how": False})
    assert frame["level"].tolist() == ["[0.1, 0.9]", '{"a": null, "b": 1}', "[0.1, 0.9]"]


def test_what_does_not_fit_is_refused():
    values, levels = grid(tn=[80.0, 80.1], fn=[79.0, 79.1])
    with pytest.raises(ValueError, match="fn and tn have the same levels"):
        interactions.frame(values, levels | {"fn": levels["tn"]}, BASE)
    with pytest.raises(ValueError, match="2 accuracies and 3 training keys"):
        interactions.frame(values, levels, BASE, {"tn": "abc"})


def test_coverage_with_unequal_spreads():
    """The interval has the true interaction, 0.3 points, in 95 % of 1,000 sweeps, within three errors."""
    rng, covered = np.random.default_rng(6), 0
    means, sds = {"tn": 80, "fn": 79, "ty": 80.5, "fy": 79.8}, {"tn": 0.2, "fn": 0.5, "ty": 0.2, "fy": 0.3}
    for _ in range(1000):
        values, levels = grid(**{name: rng.normal(means[name], sds[name], 4) for name in means})
        row = interactions.frame(values, levels, BASE).iloc[-1]
        covered += row["low_points"] <= 0.3 <= row["high_points"]
    assert abs(covered / 1000 - 0.95) < 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_each_level_of_a_factor_has_a_verdict():
    """Effects of a: +2 with a spread of 0.1; of b: 0.05 with the same spread, equivalent within 0.5."""
    cells = {
        "00": [80.0, 80.1, 80.2],
        "10": [82.0, 82.1, 82.2],
        "01": [80.05, 80.15, 80.25],
        "11": [82.05, 82.15, 82.25],
    }
    levels = {name: {"a": name[0] == "1", "b": name[1] == "1"} for name in cells}
    found = interactions.frame(cells, levels, {"a": False, "b": False}, margin=0.5).set_index(["kind", "factor"])
    assert found.loc[("main", "a"), "verdict"] == "helps"
    row = found.loc[("main", "b")]
    assert row["verdict"] == "equivalent"
    assert "is equivalent within 0.5 points, on average over a: +0.05 points" in row["sentence"]
    # The contrast has four cells of variance 0.01 / 3 and weight 1 / 2: error sqrt(0.01 / 3), 8 degrees of freedom.
    error = np.sqrt(0.01 / 3)
    worst = stats.t.cdf((0.05 - 0.5) / error, 8)
    assert row["p_equivalence"] == pytest.approx(3 * worst)  # the smallest one of three, by Holm's method
    both = found.loc[("interaction", "a")]  # of weight 1 each: error sqrt(0.04 / 3)
    assert both["verdict"] == "equivalent"
    assert both["p_equivalence"] == pytest.approx(2 * stats.t.cdf(-0.5 / np.sqrt(0.04 / 3), 8))
    assert "is worth the same, within 0.5 points, with b true as with false: +0.00 points" in both["sentence"]
    without = interactions.frame(cells, levels, {"a": False, "b": False}).set_index(["kind", "factor"])
    assert without.loc[("main", "b"), "verdict"] == "undecided"
