"""Where a component matters, against numbers worked out by hand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from reports.analysis import examples
from zoo.stats import comparisons

NAN = float("nan")


class Run(NamedTuple):
    labels: np.ndarray
    logits: np.ndarray


def run(labels, says, classes=3, sure=2.0) -> Run:
    """A run that predicts ``says`` [N]."""
    return Run(np.asarray(labels), np.float32(sure) * np.eye(classes, dtype=np.float32)[np.asarray(says)])


# --- calibration -------------------------------------------------------------------------------------------------


def test_calibration_over_seeds():
    """The likelihood of the true class is e^2 / (e^2 + 2) or 1 / (e^2 + 2): nll apart by 2 per wrong image."""
    labels = [0, 1, 2, 0]
    found = examples.of({"b": [run(labels, labels), run(labels, [0, 1, 0, 1])]}, "b", "xyz").calibration.iloc[0]
    nll = np.log(np.exp(2) + 2) - 2
    assert found["nll_mean"] == pytest.approx(nll + 0.5, rel=1e-6) and found["nll_sd"] == pytest.approx(
        0.5**0.5, rel=1e-6
    )
    confidence = np.exp(2) / (np.exp(2) + 2)
    ece = np.array([1 - confidence, confidence - 0.5])
    assert found["ece_percent_mean"] == pytest.approx(100 * ece.mean(), rel=1e-5)
    assert found["ece_percent_sd"] == pytest.approx(100 * ece.std(ddof=1), rel=1e-5)
    assert np.isnan(found["top5_percent_mean"])


# --- churn -------------------------------------------------------------------------------------------------------


def test_churn_by_hand():
    """Of four images: a1 and a2 differ on 1; b1 and b2 on 2; across, 0, 2, 1 and 3."""
    labels, a1, a2, b1, b2 = [0, 1, 2, 0], [0, 1, 2, 0], [0, 1, 2, 1], [0, 1, 2, 0], [0, 1, 0, 2]
    found = examples.of(
        {"b": [run(labels, b1), run(labels, b2)], "a": [run(labels, a1), run(labels, a2)]}, "b", "xyz"
    ).churn.iloc[0]
    across = [0, 2, 1, 2]  # a1-b1, a1-b2, a2-b1, a2-b2
    assert found["churn_percent"] == pytest.approx(100 * sum(across) / 16)
    assert found["floor_percent"] == pytest.approx(100 * (1 / 4 + 2 / 4) / 2)
    assert found["excess_points"] == pytest.approx(100 * (5 / 16 - 6 / 16))


# --- flips -------------------------------------------------------------------------------------------------------


def test_flips_are_told_in_words():
    """Image 1 is right in all of the variant's seeds and none of the baseline's, image 3 the other way round."""
    labels = [0, 1, 2, 0]
    base = [run(labels, [0, 2, 2, 0]), run(labels, [0, 2, 2, 0]), run(labels, [0, 0, 2, 0])]
    variant = [run(labels, [0, 1, 2, 1]), run(labels, [0, 1, 2, 1]), run(labels, [0, 1, 2, 2])]
    found = examples.of({"base": base, "v": variant}, "base", ["cat", "dog", "emu"])
    expected = [
        ["v", "gained", 1, "dog", 0.0, 1.0, "emu", "dog", pytest.approx(1 / 20)],
        ["v", "lost", 3, "cat", 1.0, 0.0, "cat", "dog", pytest.approx(1 / 20)],
    ]
    assert found.flips.to_numpy().tolist() == expected
    # by chance: image 1 and 3 have 3 of 6 right, and 1 of 20 exchanges is as sure; the others none
    assert found.flip_counts.to_numpy().tolist() == [
        ["v", "gained", pytest.approx(0.05), 1, pytest.approx(0.1)],
        ["v", "lost", pytest.approx(0.05), 1, pytest.approx(0.1)],
    ]


def test_at_most_so_many_flips_are_told_of_and_all_are_counted():
    labels = np.zeros(30, int)
    found = examples.of({"b": [run(labels, labels + 1)] * 3, "v": [run(labels, labels)] * 3}, "b", "xyz")
    assert len(found.flips) == 12 and set(found.flips["direction"]) == {"gained"}
    gained, lost = found.flip_counts.to_dict("records")
    assert (gained["images"], gained["images_by_chance"]) == (30, pytest.approx(1.5))
    assert lost["images"] == 0 and np.isnan(lost["p"])


# --- classes -----------------------------------------------------------------------------------------------------


def noisy(rng: np.random.Generator, labels: np.ndarray, chance: np.ndarray, seeds: int, classes: int) -> list[Run]:
    """Runs that are right with the ``chance`` [N] of each image, and else say the next class."""
    right = rng.random((seeds, len(labels))) < chance
    return [run(labels, np.where(row, labels, (labels + 1) % classes), classes) for row in right]


def test_per_class_by_hand():
    """Class x: 2 images, baseline right on (1, 1) and (1, 0), the variant on (0, 1) and (1, 1), so 3/4 and 3/4."""
    labels = [0, 1, 0]
    base = [run(labels, [0, 1, 0]), run(labels, [0, 1, 1])]
    variant = [run(labels, [1, 0, 0]), run(labels, [0, 1, 0])]
    frame = examples.of({"b": base, "v": variant}, "b", "xyz").per_class.set_index(["variant", "label"])
    assert frame["images"].tolist() == [2, 1, 0, 2, 1, 0]
    np.testing.assert_array_equal(frame["accuracy_percent"], [75, 100, NAN, 75, 50, NAN])
    np.testing.assert_array_equal(frame["difference_points"], [NAN, NAN, NAN, 0, -50, NAN])
    assert np.isnan(frame.loc[("v", "y"), "low_points"])  # one image has no error


def test_intervals_of_classes_are_simultaneous():
    """Seeds that are all alike, so that only images vary: t, N - 1 degrees, at 5 % / (2 classes x 2 variants)."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    says = [np.where(rng.random(120) < 0.8, labels, 1 - labels) for _ in range(3)]
    sides = {name: [run(labels, each, 2)] * 2 for name, each in zip("bvw", says, strict=True)}
    frame = examples.of(sides, "b", "xy").per_class
    d = 100 * ((says[2] == labels).astype(int) - (says[0] == labels))[60:]
    low, high = stats.t.interval(1 - 0.05 / 4, 59, d.mean(), stats.sem(d))
    (row,) = frame[(frame["variant"] == "w") & (frame["label"] == "y")].to_dict("records")
    assert (row["low_points"], row["high_points"]) == pytest.approx((low, high))


def test_no_class_is_said_to_suffer_where_none_does():
    """Ten classes that do not differ, 200 times: any interval away from zero at most 5 % of the times, within 3 errors."""
    rng = np.random.default_rng(8)
    labels, wrong, alone = np.repeat(np.arange(10), 50), 0, 0
    for _ in range(200):
        chance = np.clip(rng.beta(3, 1, 500), 0.02, 0.98)
        sides = {name: noisy(rng, labels, chance, 3, 10) for name in "bv"}
        frame = examples.of(sides, "b", "abcdefghij").per_class.dropna()
        assert len(frame) == 10
        wrong += ((frame["low_points"] > 0) | (frame["high_points"] < 0)).any()
        ours, theirs = (
            np.transpose([(each.logits.argmax(1) == labels).reshape(10, 50).mean(1) for each in side])
            for side in sides.values()
        )
        alone += (comparisons.compare(ours, theirs).p_difference() < 0.05).any()  # each class by itself
    assert wrong / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200) < alone / 200


# --- together ----------------------------------------------------------------------------------------------------


def test_uncertainty_by_hand():
    """Accuracies 3/4 and 2/4 against 4/4 and 2/4; d = (0, -1/2, 0, 0)."""
    labels = [0, 1, 2, 0]
    base = [run(labels, [0, 1, 2, 0]), run(labels, [0, 1, 0, 1])]
    variant = [run(labels, [0, 1, 2, 1]), run(labels, [0, 0, 0, 0])]
    b, v = examples.of({"base": base, "v": variant}, "base", "xyz").uncertainty.to_dict("records")
    assert (b["accuracy_percent"], v["accuracy_percent"]) == (75.0, 62.5)
    assert b["sd_seeds_points"] == pytest.approx(100 * (1 / 8) ** 0.5)
    assert b["variance_distribution"] == pytest.approx(1e4 * 4 / 3 * (1 / 8 - 2 * 0.5 / 16))
    assert b["sd_distribution_points"] == pytest.approx(100 * (1 / 12) ** 0.5)
    assert b["se_test_points"] == pytest.approx(100 * (1 / 12 / 4) ** 0.5)  # of (1, 1, 1/2, 1/2)
    assert v["difference_points"] == -12.5 and np.isnan(b["difference_points"])
    assert v["low_both_points"] <= v["low_test_points"] < -12.5 < v["high_test_points"] <= v["high_both_points"]


def test_readouts_are_compared_training_by_training():
    """The variant is each training with 15 images more right: d has no spread between trainings. As strangers it has."""
    rng = np.random.default_rng(3)
    labels = rng.integers(3, size=300)
    base = [run(labels, np.where(rng.random(300) < q, labels, (labels + 1) % 3)) for q in (0.5, 0.7, 0.9)]
    better = []
    for each in base:
        says = each.logits.argmax(1)
        fixed = np.flatnonzero(says != labels)[:15]
        says[fixed] = labels[fixed]
        better.append(run(labels, says))
    keys = ["s", "t", "u"]
    strangers = examples.of({"b": base, "v": better}, "b", "xyz").uncertainty.iloc[1]
    paired = examples.of({"b": base, "v": better}, "b", "xyz", {"b": keys, "v": keys})
    turned = examples.of({"b": base, "v": better[::-1]}, "b", "xyz", {"b": keys, "v": keys[::-1]})
    found = paired.uncertainty.iloc[1]
    assert found["difference_points"] == pytest.approx(5.0) == strangers["difference_points"]
    assert found["low_both_points"] > 0 > strangers["low_both_points"]
    assert turned.uncertainty.iloc[1]["low_both_points"] == found["low_both_points"]
    assert turned.flips.equals(paired.flips) and turned.churn.equals(paired.churn)


def test_of_readouts_that_share_some_trainings_only_these_are_compared():
    labels = [0, 1, 2, 0]
    a, b, c = (run(labels, says) for says in ([0, 1, 2, 0], [0, 1, 2, 1], [0, 0, 0, 1]))
    found = examples.of({"b": [a, b, c], "v": [a, b]}, "b", "xyz", {"b": ["s", "t", "u"], "v": ["s", "t"]})
    assert found.uncertainty["difference_points"].iloc[1] == 0.0  # though the mean of three is lower
    assert found.notes == ("v and b share 2 trainings, and only these are compared.",)


def test_other_numbers_of_seeds():
    rng = np.random.default_rng(1)
    labels = rng.integers(3, size=200)
    sides = {"b": noisy(rng, labels, np.full(200, 0.8), 5, 3), "v": noisy(rng, labels, np.full(200, 0.7), 2, 3)}
    found = examples.of(sides, "b", "xyz")
    row = found.uncertainty.iloc[1]
    ours, theirs = ([(each.logits.argmax(1) == labels).mean() for each in sides[name]] for name in "vb")
    assert row["difference_points"] == pytest.approx(100 * (np.mean(ours) - np.mean(theirs)))
    assert found.churn.notna().all(axis=None) and np.isfinite(row["low_both_points"])


def test_one_seed_tells_what_it_can():
    rng = np.random.default_rng(1)
    labels = rng.integers(3, size=100)
    sides = {name: noisy(rng, labels, np.full(100, q), 1, 3) for name, q in (("b", 0.5), ("v", 0.8))}
    found = examples.of(sides, "b", "xyz")
    row = found.uncertainty.iloc[1]
    assert row[["sd_seeds_points", "sd_distribution_points", "low_both_points", "high_both_points"]].isna().all()
    assert row[["accuracy_percent", "se_test_points", "difference_points", "low_test_points"]].notna().all()
    assert (
        found.churn[["floor_percent", "excess_points"]].isna().all(axis=None)
        and found.churn["churn_percent"].iloc[0] > 0
    )
    assert found.per_class.iloc[3:]["difference_points"].notna().all() and found.per_class["low_points"].isna().all()
    assert found.calibration["nll_mean"].notna().all() and found.calibration["nll_sd"].isna().all()
    gained = found.flip_counts.iloc[0]  # any image that differs has p = 1/2, and chance alone does half of them
    ours, theirs = (sides[name][0].logits.argmax(1) == labels for name in "vb")
    assert gained["p"] == 0.5 and gained["images"] == (ours & ~theirs).sum()
    assert gained["images_by_chance"] == pytest.approx((ours != theirs).sum() / 2)


@pytest.mark.parametrize("seeds", [1, 3])
def test_all_right_and_all_the_same(seeds):
    labels = np.arange(30) % 3
    found = examples.of({"b": [run(labels, labels)] * seeds, "v": [run(labels, labels)] * seeds}, "b", "xyz")
    row = found.uncertainty.iloc[1]
    assert (row["accuracy_percent"], row["difference_points"], row["se_test_points"]) == (100.0, 0.0, 0.0)
    assert row["low_test_points"] < 0 < row["high_test_points"] and row["low_test_percent"] < 100
    assert found.flips.empty and found.churn["churn_percent"].iloc[0] == 0.0


def test_runs_that_cannot_be_compared_are_left_out_and_named():
    labels = [0, 1, 2, 0]
    good, bad, other = run(labels, labels), run(labels, labels, sure=NAN), run([1, 1, 1, 1], labels)
    found = examples.of(
        {"nans": [bad], "some": [good, bad, good], "b": [good, good], "other": [other, other], "few": [run([0], [0])]},
        "b", "xyz",
    )  # fmt: skip
    assert found.uncertainty["variant"].tolist() == ["some", "b"]  # as given
    assert found.churn["variant"].tolist() == ["some"]
    assert found.notes == (
        "nans is left out of what is said of single images: logits that are not finite numbers.",
        "1 of 3 runs of some are left out of what is said of single images: logits that are not finite numbers.",
        "other is left out of what is said of single images: another test set.",
        "few is left out of what is said of single images: another test set.",
    )


def test_a_run_left_out_leaves_its_readout_out_of_the_comparison():
    labels = [0, 1, 2, 0]
    good, worse, bad = run(labels, labels), run(labels, [1, 2, 0, 1]), run(labels, labels, sure=NAN)
    found = examples.of({"b": [good, worse], "v": [good, bad]}, "b", "xyz", {"b": ["s", "t"], "v": ["s", "t"]})
    assert found.uncertainty["difference_points"].iloc[1] == 0.0 and len(found.notes) == 2


def test_a_baseline_without_runs_leaves_what_each_is_by_itself():
    labels = [0, 1, 2, 0]
    for runs in ([], [run(labels, labels, sure=NAN)]):
        found = examples.of({"b": runs, "v": [run(labels, labels)] * 2}, "b", "xyz")
        assert found.uncertainty["variant"].tolist() == ["v"] and found.uncertainty["difference_points"].isna().all()
        assert found.churn.empty and found.flips.empty and found.flip_counts.empty
        assert list(found.churn) == ["variant", "churn_percent", "floor_percent", "excess_points"]
    nothing = examples.of({"b": []}, "b", "xyz")
    assert nothing.per_class.empty and "accuracy_percent" in nothing.per_class


def test_what_does_not_fit_is_refused():
    good = run([0, 1, 2], [0, 1, 2])
    with pytest.raises(KeyError, match="c"):
        examples.of({"b": [good]}, "c", "xyz")
    with pytest.raises(ValueError, match="1 runs and 2 training keys"):
        examples.of({"b": [good]}, "b", "xyz", {"b": ["s", "t"]})
    with pytest.raises(ValueError, match="4 classes do not fit"):
        examples.of({"b": [good]}, "b", "wxyz")
    with pytest.raises(ValueError, match="labels from 0 to 3"):
        examples.of({"b": [run([0, 3], [0, 1])]}, "b", "xyz")
