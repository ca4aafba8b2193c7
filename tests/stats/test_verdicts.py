"""Verdicts: against figures worked out by hand, published ones, and other people's implementations."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from scipy import special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_ind

from zoo.stats import comparisons, family, power, sequential
from zoo.stats.verdicts import SeedSchedule, VerdictWord

RNG = np.random.default_rng(7)
SAMPLES = [
    (RNG.normal(80, sd, n), RNG.normal(80.2, 0.3, m)) for sd, n, m in [(0.2, 3, 3), (1.0, 7, 12), (0.05, 20, 11)]
]


@pytest.mark.parametrize(("a", "b"), SAMPLES)
def test_tests_agree_with_scipy_and_statsmodels(a, b):
    comparison = comparisons.compare(a, b)
    theirs = stats.ttest_ind(a, b, equal_var=False)
    np.testing.assert_allclose(comparison.p_difference(), theirs.pvalue, rtol=1e-10)
    np.testing.assert_allclose(comparison.interval(0.05), theirs.confidence_interval(0.95), rtol=1e-10)
    p = ttost_ind(a, b, -0.5, 0.5, usevar="unequal")[0]
    np.testing.assert_allclose(comparison.p_equivalence(0.5), p, rtol=1e-10)


def test_by_hand():
    """Means 4 and 2, variances 4 and 1, three values each: error sqrt(5/3), (5/3)^2 / ((4/3)^2/2 + (1/3)^2/2) = 50/17."""
    comparison = comparisons.compare([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert comparison.difference == 2
    assert comparison.error == pytest.approx((5 / 3) ** 0.5) and comparison.degrees == pytest.approx(50 / 17)


def test_where_one_side_has_twice_the_values_the_smaller_one_decides():
    """Means 4 and 2, variances 4 and 1, three values and seven: error sqrt(4/3 + 1/7), two degrees of freedom; with five
    values beside three they are Welch's, which scipy gives."""
    few, many = [2.0, 4.0, 6.0], [0.75, 1.25, 1.5, 2.0, 2.5, 2.75, 3.25]
    comparison = comparisons.compare(few, many)
    error = (4 / 3 + np.var(many, ddof=1) / 7) ** 0.5
    assert comparison.error == pytest.approx(error) and comparison.degrees == 2
    assert comparison.p_difference() == pytest.approx(2 * stats.t.sf(2 / error, 2))
    assert comparisons.compare(many, few).degrees == 2 == comparisons.compare(many[:6], few).degrees
    welch = stats.ttest_ind(few, many[:5], equal_var=False)
    assert comparisons.compare(few, many[:5]).p_difference() == pytest.approx(welch.pvalue)


def test_seeds_that_agree_are_known_to_half_an_image():
    """On 400 images a step is 0.25 points, and the variance of rounding 0.25^2 / 12 on either side, and in a pair."""
    least = comparisons.rounding_variance(400)
    assert least == pytest.approx(0.0625 / 12) and comparisons.rounding_variance(None) == 0.0
    apart = comparisons.compare([90.0, 90.0], [90.5, 90.5], (least, least))
    assert apart.error == pytest.approx((0.0625 / 12) ** 0.5) and apart.degrees == 2
    paired = comparisons.compare_pairs([90.0, 91.0], [90.5, 91.5], least)
    assert paired.error == pytest.approx((0.0625 / 12) ** 0.5) and paired.degrees == 1
    wide = comparisons.compare([90.0, 92.0], [90.5, 90.5], (least, least))  # its own variance is larger
    assert wide.error == pytest.approx((2 / 2 + least / 2) ** 0.5)


def test_holm_by_hand_and_by_statsmodels(monkeypatch):
    """0.01 x 4, 0.02 x 3, 0.03 x 2 = 0.06 (not below the one before), 0.5 x 1."""
    np.testing.assert_allclose(comparisons.holm([0.03, 0.01, 0.5, 0.02]), [0.06, 0.04, 0.5, 0.06])
    monkeypatch.setattr(
        gc, "collect", lambda: 0
    )  # statsmodels collects at every call, half a second among so many objects
    p = RNG.uniform(size=(50, 6)) ** 3
    expected = [multipletests(row, method="holm")[1] for row in p]
    np.testing.assert_allclose(comparisons.holm(p), expected)


BASE = [79.9, 80.0, 80.1, 80.0]  # sd 0.082


@pytest.mark.parametrize(
    ("values", "margin", "word"),
    [
        ([81.0, 81.1, 80.9, 81.0], 0.5, "helps"),
        ([79.0, 79.1, 78.9, 79.0], 0.5, "hurts"),
        ([80.0, 80.1, 79.9, 80.05], 0.5, "equivalent"),
        ([80.2, 80.25, 80.3, 80.25], 0.5, "equivalent"),  # a difference that is real, and too small to care about
        ([80.2, 80.25, 80.3, 80.25], None, "helps"),
        ([80.0, 82.0, 79.0, 80.0], 0.5, "undecided"),
        ([80.2], 0.5, "none"),
    ],
)
def test_words(values, margin, word):
    (found,) = family.verdicts({"base": BASE, "other": values}, "base", margin).values()
    assert found.word == word
    assert (found.seeds_needed is not None) == (word == "undecided")
    assert np.isnan(found.low) == (word == "none")


def test_words_that_decide():
    decided = {VerdictWord.HELPS, VerdictWord.HURTS, VerdictWord.EQUIVALENT, VerdictWord.IDENTICAL}
    assert {word for word in VerdictWord if word.is_decided} == decided
    first = ["failed", "did not learn", "helps", "hurts", "equivalent"]
    assert [str(word) for word in VerdictWord] == [*first, "identical", "undecided", "descriptive", "withheld", "none"]


def test_a_family_asks_more_of_each():
    """p = 0.03 alone rejects; as the best of three it does not."""
    a, b = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])
    shift = stats.t.isf(0.015, 4) * np.sqrt(2 / 3)
    alone = family.verdicts({"b": b, "x": a + shift}, "b", None)["x"]
    assert alone.p_difference == pytest.approx(0.03) and alone.word == "helps"
    third = family.verdicts({"b": b, "x": a + shift, "y": a, "z": a}, "b", None)["x"]
    assert third.p_difference == pytest.approx(0.09) and third.word == "undecided" and third.comparisons == 3


def test_one_that_has_not_run_yet_counts_in_the_family():
    a, b = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])
    shift = stats.t.isf(0.015, 4) * np.sqrt(2 / 3)
    assert family.verdicts({"b": b, "x": a + shift, "y": []}, "b", None)["x"].p_difference == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("sd", "find", "equate"),  # for 0.2, 0.3 and 0.5 points; two-sided 5 %, 80 % power, a true difference of zero
    [(0.25, (26, 13, 6), (28, 13, 6)), (0.15, (10, 6, 4), (11, 6, 3)), (0.56, (125, 56, 21), (135, 61, 23))],
)
def test_seeds_for_a_given_power(sd, find, equate):
    for points, to_find, to_equate in zip((0.2, 0.3, 0.5), find, equate, strict=True):
        assert power.seeds_to_decide(points, sd, sd, None) == to_find
        assert power.seeds_to_decide(0.0, sd, sd, points) == to_equate
    assert power.seeds_to_decide(0.0, sd, sd, None) is None


POCOCK = (2.4380, 2.4268, 2.4101, 2.3966, 2.3859)  # Lan and DeMets' spending functions, five looks, two-sided 5 %:
OBRIEN_FLEMING = (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)  # bounds of the authors' program ld98 (Reboussin et al. 2000)


@pytest.mark.parametrize(
    ("spending", "bounds"),
    [
        (lambda t: np.log(1 + (np.e - 1) * t), POCOCK),
        (lambda t: 4 * special.ndtr(special.ndtri(0.05 / 4) / np.sqrt(t)) / 0.05, OBRIEN_FLEMING),
    ],
)
def test_levels_against_published_bounds(spending, bounds):
    found = sequential.levels(0.05, (0.2, 0.4, 0.6, 0.8, 1.0), spending)
    np.testing.assert_allclose(-special.ndtri(np.array(found) / 2), bounds, atol=2e-4)


def test_one_analysis_spends_all_at_once_and_the_first_of_many_its_part():
    assert sequential.levels(0.05, (1.0,)) == pytest.approx((0.05,))
    assert sequential.levels(0.05, sequential.information_fractions(3, 10))[0] == pytest.approx(0.05 * 0.3**2)
    for shares in ((), (0.5,), (0.5, 0.5, 1.0), (0.0, 1.0)):
        with pytest.raises(ValueError, match="increase to 1"):
            sequential.levels(0.05, shares)


def test_a_decision_is_that_of_its_analysis_whatever_comes_later():
    plan = SeedSchedule(3, 6)
    base = [80.0, 80.1, 79.9, 80.0, 80.05, 79.95]
    better = [85.0, 85.1, 84.9]  # found at the first analysis; more seeds were not trained
    late = family.verdicts({"base": base, "better": better, "same": base}, "base", 0.5, plan)["better"]
    early = family.verdicts({"base": base[:3], "better": better, "same": base[:3]}, "base", 0.5, plan)["better"]
    worse = family.verdicts({"base": base, "better": [*better, 60, 60, 60], "same": base}, "base", 0.5, plan)["better"]
    rests_on = ("word", "seeds", "p_difference", "verdict_difference", "verdict_low", "verdict_high", "level")
    for found in (late, worse):  # what comes after the decision changes nothing of it
        assert [getattr(found, name) for name in rests_on] == [getattr(early, name) for name in rests_on]
    assert (late.word, late.seeds, late.verdict_difference) == ("helps", 3, pytest.approx(5))
    assert late.difference == pytest.approx(85 - np.mean(base))  # as far as the means of all results are apart
    assert worse.difference == pytest.approx(72.5 - np.mean(base))


def test_an_early_analysis_asks_more_than_the_only_one():
    base, other = [80.0, 80.2, 79.8], [80.9, 80.6, 80.5]
    assert family.verdicts({"b": base, "x": other}, "b", None)["x"].word == "helps"
    early = family.verdicts({"b": base, "x": other}, "b", None, SeedSchedule(3, 20))["x"]
    assert early.word == "undecided" and early.seeds_needed > 3 and early.p_difference > 0.05


SCHEDULES = [None, SeedSchedule(3, 8)]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_verdict_its_interval_and_its_p_value_say_the_same(schedule):
    """In 300 random sweeps: what helps lies away from zero at a p below 5 %, and beyond the margin where that is said; what
    is equivalent lies within the margin; what is undecided does neither."""
    rng, margin, words = np.random.default_rng(5), 0.5, set()
    for _ in range(300):
        centers = rng.choice([0.0, 0.2, 0.5, 1.0, -2.0], size=5)
        values = {str(i): center + rng.normal(0, 0.25, 8) for i, center in enumerate(centers)}
        for found in family.verdicts(values | {"b": rng.normal(0, 0.25, 8)}, "b", margin, schedule).values():
            low, high = found.verdict_low, found.verdict_high
            words.add((str(found.word), found.is_different, found.more_than_margin))
            assert low < found.verdict_difference < high
            assert (found.p_difference < 0.05) == found.is_different
            assert (found.p_equivalence < 0.05) == (found.word == "equivalent")
            if found.word in ("helps", "hurts"):
                assert (low > 0) == (found.word == "helps") and (high < 0) == (found.word == "hurts")
                assert not found.more_than_margin or max(low, -high) > margin
            elif found.word == "equivalent":
                assert -margin < low and high < margin
            else:
                assert low <= 0 <= high and (low < -margin or high > margin)
    assert words >= {("equivalent", True, None), ("equivalent", False, None), ("undecided", False, None)}
    assert words >= {("helps", True, True), ("helps", True, False), ("hurts", True, True)}


def test_the_level_of_the_interval_is_that_of_the_step():
    """Three compared. The clearest difference is tested at 5 % / 3, the next at 5 % / 2, and what is left at 5 %."""
    noise = np.array([-0.1, 0.0, 0.1])
    values = {"b": 80 + noise, "far": 90 + noise, "near": 82 + noise, "same": 80.05 + 20 * noise}
    found = family.verdicts(values, "b", None)
    assert [found[name].level for name in ("far", "near", "same")] == pytest.approx([1 - 0.05 / 3, 1 - 0.05 / 2, 0.95])
    half = stats.t.ppf(1 - 0.025 / 3, 4) * 0.1 * (2 / 3) ** 0.5
    assert (found["far"].verdict_low, found["far"].verdict_high) == pytest.approx((10 - half, 10 + half))
    half = stats.t.ppf(0.975, 4) * 0.1 * (2 / 3) ** 0.5
    assert (found["far"].low, found["far"].high) == pytest.approx((10 - half, 10 + half))
    alike = {"b": 80 + noise, "x": 80.1 + noise}
    assert family.verdicts(alike, "b", 1.0)["x"].level == pytest.approx(0.90)


def test_what_is_real_and_too_small_to_matter():
    noise = np.linspace(-0.05, 0.05, 10)
    found = family.verdicts({"b": 80 + noise, "x": 80.2 + noise}, "b", 0.5)["x"]
    assert (found.word, found.is_different, found.more_than_margin) == ("equivalent", True, None)


def test_more_than_the_margin_by_hand():
    """Error 0.1 sqrt(2/3), four degrees: at 5 % the interval reaches 0.227 to either side of 0.7, and not to 0.5 of 0.75."""
    noise = np.array([-0.1, 0.0, 0.1])
    values = {"b": 80 + noise, "x": 80.7 + noise}
    assert family.verdicts(values, "b", 0.5)["x"].more_than_margin is False
    assert family.verdicts(values, "b", 0.45)["x"].more_than_margin is True
    assert family.verdicts(values, "b", None)["x"].more_than_margin is None


def test_the_p_value_of_an_interim_analysis_is_the_alpha_at_which_it_would_just_reject():
    bounds = SeedSchedule(3, 10).boundaries
    for alpha in (1e-6, 0.004, 0.03, 0.05, 0.3, 0.6):
        for analysis in (0, 3, 7):
            level = sequential.levels(alpha, bounds.fractions)[analysis]
            assert bounds.p_value(level, analysis) == pytest.approx(alpha, rel=0.01)
    assert bounds.p_value(1.0, 2) == 1.0 and sequential.Boundaries().p_value(0.03, 0) == 0.03


def test_readouts_of_the_same_trainings_are_compared_training_by_training():
    """Differences 0.4, 0.5, 0.6: error 0.1 / sqrt(3), t of two degrees; unpaired, the spread between seeds hides it."""
    raw = np.array([79.0, 80.0, 81.0])
    values = {"raw": raw, "averaged": raw + np.array([0.4, 0.5, 0.6])}
    assert family.verdicts(values, "raw", None)["averaged"].word == "undecided"
    paired = family.verdicts(values, "raw", None, paired=["averaged"])["averaged"]
    half = 4.3027 * 0.1 / np.sqrt(3)
    assert paired.word == "helps" and (paired.low, paired.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-4)
    assert paired.p_difference == pytest.approx(stats.ttest_rel(values["averaged"], raw).pvalue)


def test_before_the_first_analysis_there_is_no_verdict():
    found = family.verdicts({"b": [80.0, 80.1], "x": [85.0, 85.1]}, "b", 0.5, SeedSchedule(3, 10))["x"]
    assert found.word == "none" and found.difference == pytest.approx(5.0)


ALIKE = {"b": [80.0, 80.0], "same": [80.0, 80.0], "more": [81.0, 81.0]}


def test_no_verdict_without_any_width_of_an_interval():
    found = family.verdicts(ALIKE, "b", 0.5)
    assert (found["same"].word, found["more"].word) == ("none", "none")
    assert np.isnan([found["more"].low, found["more"].p_difference, found["more"].p_equivalence]).all()


def test_no_spread_on_so_many_images():
    """Steps of 100 / 360 points: error sqrt(2 (100/360)^2 / 12 / 2) = 0.0802, two degrees: 1 point is 12.5 errors, and
    twice its p of 0.0064 is below 5 %. On 100 images it is 0.289, 3.5 errors, p 0.074."""
    found = family.verdicts(ALIKE, "b", 0.5, test_images=360)
    assert found["more"].word == "helps"
    assert found["more"].p_difference == pytest.approx(2 * 2 * stats.t.sf(1 / (100 / 360 / 12**0.5), 2))
    found = family.verdicts(ALIKE, "b", 0.5, test_images=100)
    assert (found["same"].word, found["more"].word) == ("undecided", "undecided")


def test_equal_accuracies_that_rounding_sets_apart_differ_by_nothing():
    """Sums of 0.9997 over seven and over ten trainings give means that differ in the sixteenth digit."""
    sevens, tens = [99.97] * 7, [99.97 + 1.4e-14] * 10
    assert sevens[0] != tens[0]
    assert family.verdicts({"b": tens, "x": sevens}, "b", 0.5, test_images=10_000)["x"].word == "equivalent"


@pytest.mark.parametrize("margin", [0.0, -1.0])
def test_a_margin_is_positive(margin):
    with pytest.raises(ValueError, match="positive"):
        family.verdicts({"b": [1.0, 2.0]}, "b", margin)
