"""Verdicts: against figures worked out by hand, published ones, and other people's implementations."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from scipy import special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_ind

from zoo.stats import comparisons, power, sequential, verdicts
from zoo.stats.verdicts import SeedSchedule, VerdictWord

RNG = np.random.default_rng(7)
SAMPLES = [(RNG.normal(80, sd, n), RNG.normal(80.2, 0.3, m)) for sd, n, m in [(0.2, 3, 3), (1.0, 5, 12), (0.05, 20, 4)]]


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
    (found,) = verdicts.verdicts({"base": BASE, "other": values}, "base", margin).values()
    assert found.word == word
    assert (found.seeds_needed is not None) == (word == "undecided")
    assert np.isnan(found.low) == (word == "none")


def test_words_that_decide():
    decided = {VerdictWord.HELPS, VerdictWord.HURTS, VerdictWord.EQUIVALENT}
    assert {word for word in VerdictWord if word.is_decided} == decided
    found = ["failed", "did not learn", "helps", "hurts", "equivalent", "undecided", "descriptive", "none"]
    assert [str(word) for word in VerdictWord] == found


def test_a_family_asks_more_of_each():
    """p = 0.03 alone rejects; as the best of three it does not."""
    a, b = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])
    shift = stats.t.isf(0.015, 4) * np.sqrt(2 / 3)
    alone = verdicts.verdicts({"b": b, "x": a + shift}, "b", None)["x"]
    assert alone.p_difference == pytest.approx(0.03) and alone.word == "helps"
    third = verdicts.verdicts({"b": b, "x": a + shift, "y": a, "z": a}, "b", None)["x"]
    assert third.p_difference == pytest.approx(0.09) and third.word == "undecided" and third.comparisons == 3


def test_one_that_has_not_run_yet_counts_in_the_family():
    a, b = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])
    shift = stats.t.isf(0.015, 4) * np.sqrt(2 / 3)
    assert verdicts.verdicts({"b": b, "x": a + shift, "y": []}, "b", None)["x"].p_difference == pytest.approx(0.06)


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
    late = verdicts.verdicts({"base": base, "better": better, "same": base}, "base", 0.5, plan)
    early = verdicts.verdicts({"base": base[:3], "better": better, "same": base[:3]}, "base", 0.5, plan)
    assert early["better"] == late["better"] and late["better"].word == "helps" and late["better"].seeds == 3
    worse = [*better, 60.0, 60.0, 60.0]  # what comes after the decision changes nothing
    assert (
        verdicts.verdicts({"base": base, "better": worse, "same": base}, "base", 0.5, plan)["better"] == late["better"]
    )


def test_an_early_analysis_asks_more_than_the_only_one():
    base, other = [80.0, 80.2, 79.8], [80.9, 80.6, 80.5]
    assert verdicts.verdicts({"b": base, "x": other}, "b", None)["x"].word == "helps"
    early = verdicts.verdicts({"b": base, "x": other}, "b", None, SeedSchedule(3, 20))["x"]
    assert early.word == "undecided" and early.seeds_needed > 3 and early.p_difference > 0.05


def test_readouts_of_the_same_trainings_are_compared_training_by_training():
    """Differences 0.4, 0.5, 0.6: error 0.1 / sqrt(3), t of two degrees; unpaired, the spread between seeds hides it."""
    raw = np.array([79.0, 80.0, 81.0])
    values = {"raw": raw, "averaged": raw + np.array([0.4, 0.5, 0.6])}
    assert verdicts.verdicts(values, "raw", None)["averaged"].word == "undecided"
    paired = verdicts.verdicts(values, "raw", None, paired=["averaged"])["averaged"]
    half = 4.3027 * 0.1 / np.sqrt(3)
    assert paired.word == "helps" and (paired.low, paired.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-4)
    assert paired.p_difference == pytest.approx(stats.ttest_rel(values["averaged"], raw).pvalue)


def test_before_the_first_analysis_there_is_no_verdict():
    found = verdicts.verdicts({"b": [80.0, 80.1], "x": [85.0, 85.1]}, "b", 0.5, SeedSchedule(3, 10))["x"]
    assert found.word == "none" and found.difference == pytest.approx(5.0)


def test_no_spread_at_all():
    found = verdicts.verdicts({"b": [80.0, 80.0], "same": [80.0, 80.0], "more": [81.0, 81.0]}, "b", 0.5)
    assert (found["same"].word, found["more"].word) == ("equivalent", "helps")


@pytest.mark.parametrize("margin", [0.0, -1.0])
def test_a_margin_is_positive(margin):
    with pytest.raises(ValueError, match="positive"):
        verdicts.verdicts({"b": [1.0, 2.0]}, "b", margin)
