"""How many seeds it takes: the power of the tests that verdicts rest on, from the noncentral t distribution.

Spreads and differences come in points. Welch's degrees of freedom lie between seeds - 1 and 2 (seeds - 1), according to
how unequal the two variances turn out; the smaller number is taken, so that no design is promised more than it can keep.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.distributions import Floats, noncentral_student_cdf, student_quantile

ALPHA = 0.05
POWER = 0.8
MOST_SEEDS = 1_000  # per variant, more than anybody trains; beyond it "how many" is not worth a number


def power_to_find(
    difference: ArrayLike,
    sd_a: ArrayLike,
    sd_b: ArrayLike,
    seeds: ArrayLike,
    alpha: float = ALPHA,
    equal_variances: bool = False,
) -> Floats:
    """Chance that Welch's two-sided test at ``alpha`` finds a true ``difference`` with so many ``seeds`` a side.

    From the noncentral t distribution (Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, ch. 2).
    ``equal_variances=True`` gives Student's pooled test instead, with 2 (seeds - 1) degrees of freedom.
    """
    degrees, error = (1 + equal_variances) * (np.asarray(seeds) - 1), np.hypot(sd_a, sd_b) / np.sqrt(seeds)
    critical, shift = student_quantile(degrees, 1 - alpha / 2), np.asarray(difference, np.float64) / error
    above = 1 - noncentral_student_cdf(degrees, shift, critical)
    return np.asarray(above + noncentral_student_cdf(degrees, shift, -critical))


def power_to_equate(
    difference: ArrayLike, sd_a: ArrayLike, sd_b: ArrayLike, seeds: ArrayLike, margin: float, alpha: float = ALPHA
) -> Floats:
    """Chance that two one-sided tests at ``alpha`` put a true ``difference`` within the margin, ``seeds`` a side.

    From below: the chance that one of two tests misses is at most the sum of both (Bonferroni), near to it where either
    is small.
    """
    degrees, error = np.asarray(seeds) - 1, np.hypot(sd_a, sd_b) / np.sqrt(seeds)
    critical, true = student_quantile(degrees, 1 - alpha), np.asarray(difference, np.float64)
    above = 1 - noncentral_student_cdf(degrees, (true + margin) / error, critical)
    below = noncentral_student_cdf(degrees, (true - margin) / error, -critical)
    return np.asarray(np.maximum(0.0, above + below - 1))


def seeds_to_decide(
    difference: float, sd_a: float, sd_b: float, margin: float | None, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """The fewest seeds per variant that decide with that power, if the truth is what was seen; None beyond MOST_SEEDS.

    By a difference that is found, or by equivalence that is shown, whichever takes fewer.

    Raises:
        ValueError: a spread that is negative or not known (nan), or power or alpha that cannot be.
    """
    for sd in (sd_a, sd_b):
        _check_design(sd, power, alpha)
        if np.isnan(sd):
            raise ValueError("the standard deviation between seeds is not known (nan)")
    if sd_a == 0 and sd_b == 0:
        return 2

    def enough(seeds: int) -> bool:
        is_found = power_to_find(difference, sd_a, sd_b, seeds, alpha) >= power
        return bool(is_found or (margin and power_to_equate(difference, sd_a, sd_b, seeds, margin, alpha) >= power))

    low, high = 1, 2
    while not enough(high):
        if high >= MOST_SEEDS:
            return None
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:  # low is too few, high is enough
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def detectable_difference(sd: float, seeds: int, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest true difference (in the units of ``sd``) that ``seeds`` trainings a side find with that power.

    nan when there is no spread to go by (seeds < 2, or sd is nan).

    Raises:
        ValueError: a negative sd, or power or alpha outside (0, 1), or power not above alpha.
    """
    from scipy.optimize import brentq

    _check_design(sd, power, alpha)
    if seeds < 2 or np.isnan(sd):
        return float("nan")
    if sd == 0:
        return 0.0

    def lacking(effect: float) -> float:
        return float(power_to_find(effect, 1.0, 1.0, seeds, alpha)) - power

    high = 1.0
    while lacking(high) < 0:
        high *= 2
    return float(sd * brentq(lacking, 0.0, high))


def _check_design(sd: float, power: float, alpha: float) -> None:
    if sd < 0:
        raise ValueError(f"a standard deviation cannot be negative: {sd}")
    if not 0 < alpha < power < 1:
        raise ValueError(f"needs 0 < alpha < power < 1, not alpha {alpha} and power {power}")
