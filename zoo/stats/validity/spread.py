"""How well a spread between trainings is known, and whether two spreads are so unequal that a test of means may be wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.distributions import gamma_quantile
from zoo.stats.power import ALPHA, seeds_to_decide

RANGE_CONFIDENCE = 0.8  # of the range of seeds: the 95 % one says next to nothing after a few trainings


class Range(NamedTuple):
    low: float
    high: float


def variance_factors(degrees: float, confidence: float = 1 - ALPHA) -> Range:
    """By which a variance with so many degrees of freedom is multiplied for the ends of its interval: of normal values, by
    the chi-squared distribution."""
    tail = (1 - confidence) / 2
    upper, lower = (2 * float(gamma_quantile(degrees / 2, p)) for p in (1 - tail, tail))
    return Range(degrees / upper, degrees / lower)


class SeedsNeeded(NamedTuple):
    """Per variant, at the ends of the interval of the spread; None beyond ``power.MOST_SEEDS``."""

    low: int | None
    high: int | None


def seeds_to_decide_range(
    difference: float, sd_a: float, sd_b: float, degrees: float, margin: float | None, alpha: float = ALPHA
) -> SeedsNeeded:
    """As ``power.seeds_to_decide`` if the difference is what was seen, at the ends of the ``RANGE_CONFIDENCE`` interval.

    ``degrees`` of freedom are those with which both standard deviations together are known.
    """
    factors = np.sqrt(variance_factors(degrees, RANGE_CONFIDENCE))
    low, high = (seeds_to_decide(difference, sd_a * each, sd_b * each, margin, alpha) for each in factors)
    return SeedsNeeded(low, high)


def p_of_equal_spreads(a: ArrayLike, b: ArrayLike) -> float:
    """Two-sided p of the F test of two variances, of ``a`` [n] and ``b`` [m]; nan where either has none.

    It is as sensitive to skewed values as to unequal spreads, and either makes Welch's test less sure than it says.
    """
    one, two = (np.asarray(values, np.float64).reshape(-1) for values in (a, b))
    if min(len(one), len(two)) < 2 or not (one.var() and two.var()):
        return float("nan")
    from scipy import special

    ratio = float(one.var(ddof=1) / two.var(ddof=1))
    below = float(special.fdtr(len(one) - 1, len(two) - 1, ratio))
    return 2 * min(below, 1 - below)
