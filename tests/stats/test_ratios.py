"""Ratios of times, against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from zoo.stats.costs import ratios
from zoo.stats.costs.ratios import NotCompared, RatioWord

BASE = {0: 100.0, 1: 110.0, 2: 90.0, 3: 105.0}


def scaled(*factors: float) -> dict[int, float]:
    """The baseline's times, seed by seed, times a factor."""
    return {seed: time * factor for (seed, time), factor in zip(BASE.items(), factors, strict=False)}


def test_pairs_by_seed_are_compared_on_logarithms():
    factors = (1.30, 1.26, 1.34, 1.29)
    ratio = ratios.of_trainings({"a": BASE, "b": scaled(*factors)}, "a")["b"]
    expected = stats.ttest_1samp(np.log(factors), 0).confidence_interval(0.95)
    assert (ratio.low, ratio.high) == pytest.approx((math.exp(expected.low), math.exp(expected.high)))
    assert ratio.ratio == pytest.approx(stats.gmean(factors))
    assert (ratio.word, ratio.n) == (RatioWord.SLOWER, 4)


def test_a_drift_from_seed_to_seed_falls_out_of_pairs():
    slower_and_slower = {seed: 100.0 * 2**seed for seed in range(4)}
    other = {
        seed: time * factor
        for (seed, time), factor in zip(slower_and_slower.items(), (1.2, 1.21, 1.2, 1.19), strict=True)
    }
    assert ratios.of_trainings({"a": slower_and_slower, "b": other}, "a")["b"].word is RatioWord.SLOWER


def test_without_seeds_in_common_it_is_welchs_comparison():
    ours, theirs = [120.0, 130.0, 126.0], [100.0, 104.0, 97.0, 101.0]
    ratio = ratios.of_trainings({"a": dict(enumerate(theirs)), "b": dict(enumerate(ours, 10))}, "a")["b"]
    expected = stats.ttest_ind(np.log(ours), np.log(theirs), equal_var=False).confidence_interval(0.95)
    assert (ratio.low, ratio.high) == pytest.approx((math.exp(expected.low), math.exp(expected.high)))
    assert ratio.n == 3


def test_holm_over_variants_and_the_intervals_agree():
    close = scaled(1.08, 1.10, 1.13, 1.09)
    alone = ratios.of_trainings({"a": BASE, "b": close}, "a")["b"]
    family = ratios.of_trainings(
        {"a": BASE, "far": scaled(2.0, 2.02, 1.99, 2.01), "b": close, "c": scaled(0.7, 1.4, 1.0, 1.2)}, "a"
    )
    logs = np.log([1.08, 1.10, 1.13, 1.09])
    assert alone.low == pytest.approx(math.exp(stats.ttest_1samp(logs, 0).confidence_interval(0.95).low))
    second = stats.ttest_1samp(logs, 0).confidence_interval(1 - 0.05 / 2)  # "far" is rejected first, at 0.05 / 3
    assert family["b"].low == pytest.approx(math.exp(second.low))
    assert family["b"].word is RatioWord.SLOWER
    assert family["c"].word is RatioWord.CANNOT_BE_TOLD
    assert list(family) == ["far", "b", "c"]


@pytest.mark.parametrize(
    ("factors", "word"),
    [
        ((1.040, 1.041, 1.039, 1.040), RatioWord.SAME),  # a real difference, and all of its interval within 5 percent
        ((1.001, 0.999, 1.002, 0.998), RatioWord.SAME),
        ((1.03, 1.05, 1.06, 1.05), RatioWord.CANNOT_BE_TOLD),  # away from 1, and not by 5 percent: 1.048
        ((0.94, 0.95, 0.93, 0.94), RatioWord.FASTER),
        ((1.06, 1.07, 1.05, 1.06), RatioWord.SLOWER),
        ((0.9, 1.3, 1.1, 1.2), RatioWord.CANNOT_BE_TOLD),
    ],
)
def test_what_is_said(factors, word):
    assert ratios.of_trainings({"a": BASE, "b": scaled(*factors)}, "a")["b"].word is word


def test_what_is_not_compared():
    once = ratios.of_trainings({"a": BASE, "b": {0: 120.0}, "c": {}}, "a")
    assert (once["b"].word, once["b"].reason) == (RatioWord.NOT_COMPARED, NotCompared.ONCE)
    assert once["c"].reason is NotCompared.UNMEASURED
    assert math.isnan(once["b"].ratio)
    constant = ratios.of_trainings({"a": BASE, "b": scaled(1.5, 1.5, 1.5, 1.5)}, "a")["b"]
    assert constant.reason is NotCompared.SPREADLESS
    with pytest.raises(ValueError, match="above 0"):
        ratios.of_trainings({"a": BASE, "b": {0: 0.0}}, "a")


def test_the_same_trainings_read_twice_are_the_same():
    ratio = ratios.of_trainings({"a": BASE, "b": dict(BASE)}, "a")["b"]
    assert (ratio.word, ratio.ratio, ratio.low, ratio.high) == (RatioWord.SAME, 1, 1, 1)


def test_rounds_are_compared_within_rounds():
    numbers = np.random.default_rng(1)
    noise = numbers.lognormal(0, 0.3, 64)  # of the machine: the same for both in a round
    own = numbers.lognormal(0, 0.02, (2, 64))
    ratio = ratios.of_rounds({"a": noise * own[0], "b": 1.2 * noise * own[1]}, "a")["b"]
    assert ratio.word is RatioWord.SLOWER
    assert ratio.low < 1.2 < ratio.high
    # The error of a median of 64 normal values: 1.2533 sd / sqrt(64), as the interval has it, within the bootstrap's error.
    sd = 0.02 * math.sqrt(2)
    half = stats.t.ppf(0.975, 63) * 1.2533 * sd / 8
    assert math.log(ratio.high / ratio.low) / 2 == pytest.approx(half, rel=0.35)
    assert ratio == ratios.of_rounds({"a": noise * own[0], "b": 1.2 * noise * own[1]}, "a")["b"]


def test_one_network_measured_once_is_the_same_and_other_rounds_are_not_compared():
    times = np.arange(1.0, 9.0)
    found = ratios.of_rounds({"a": times, "b": times, "c": times[:4], "d": []}, "a")
    assert found["b"].word is RatioWord.SAME
    assert (found["c"].reason, found["d"].reason) == (NotCompared.APART, NotCompared.APART)
