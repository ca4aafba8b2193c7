"""What a design can detect, against simulations of the tests themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from zoo.stats import family, power
from zoo.stats.verdicts import SeedSchedule


@pytest.mark.parametrize(
    ("seeds", "comparisons", "sds"),  # spreads that are found in 80 % of 200,000 simulated pairs, by scipy's ttest_ind
    [(3, 1, 3.51), (3, 3, 5.23), (3, 10, 8.14), (5, 1, 2.08), (10, 1, 1.33)],
)
def test_what_a_fixed_number_of_seeds_can_detect(seeds, comparisons, sds):
    found = power.detectable_difference(0.25, seeds, comparisons=comparisons)
    assert found / 0.25 == pytest.approx(sds, abs=0.02)


@pytest.mark.parametrize(("sd_b", "seeds", "margin"), [(1.0, 3, 3.5), (3.5, 5, 4.0), (1.0, 10, 1.2)])
def test_power_is_that_of_scipys_welch_test(sd_b, seeds, margin):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(20_000, seeds)), rng.normal(size=(20_000, seeds)) * sd_b
    different = stats.ttest_ind(a + margin, b, axis=1, equal_var=False).pvalue < 0.05
    above = stats.ttest_ind(a + margin, b, axis=1, equal_var=False, alternative="greater").pvalue < 0.05
    below = stats.ttest_ind(a - margin, b, axis=1, equal_var=False, alternative="less").pvalue < 0.05
    assert power.power_to_find(margin, 1.0, sd_b, seeds) == pytest.approx(different.mean(), abs=0.012)
    assert power.power_to_equate(0.0, 1.0, sd_b, seeds, margin) == pytest.approx((above & below).mean(), abs=0.012)


def test_one_variance_alone_is_the_test_of_pairs():
    """With no spread on one side Welch's test is that of one sample: its power is scipy's noncentral t with n - 1."""
    critical, shift = stats.t.ppf(0.975, 4), 1.5 * np.sqrt(5)
    by_hand = stats.nct.sf(critical, 4, shift) + stats.nct.cdf(-critical, 4, shift)
    assert power.power_to_find(1.5, 1.0, 0.0, 5) == pytest.approx(by_hand, abs=0.002)


def test_interim_analyses_find_what_they_are_said_to_find():
    sd, schedule = 0.25, SeedSchedule(3, 10)
    difference = power.detectable_difference(sd, 10, first_analysis=3)
    assert difference > power.detectable_difference(sd, 10)  # the price of the interim analyses
    rng = np.random.default_rng(11)
    found = 0
    for _ in range(300):
        a, b = rng.normal(difference, sd, 10), rng.normal(0.0, sd, 10)
        found += family.verdicts({"b": b, "a": a}, "b", None, schedule)["a"].word == "helps"
    assert found / 300 == pytest.approx(0.8, abs=0.07)  # three standard errors


def test_chances_of_a_design_that_can_decide_nothing():
    hopeless = power.chances(0.5, 0.25, 3, comparisons=10)
    assert max(hopeless) < 0.1
    growing = power.chances(0.5, 0.25, 20, comparisons=10, first_analysis=3)
    assert min(growing) > 0.9


def test_the_most_seeds_with_interim_analyses():
    assert [power.seeds_until_decided(fixed, 3) for fixed in (2, 3, 10, 13)] == [4, 4, 11, 15]
    with_analyses = power.detectable_difference(1.0, power.seeds_until_decided(20, 3), first_analysis=3)
    assert with_analyses <= power.detectable_difference(1.0, 20) * 1.01
