"""Statistics of a few repetitions: pure functions of arrays, numpy and scipy only.

Accuracies come in points (percent), one value per training. Nothing is rounded here, and nothing is random.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_SEEDS = 100_000  # beyond this many trainings per variant no design is worth naming


class Summary(NamedTuple):
    """Mean, sample standard deviation (nan when n < 2) and number of the values."""

    mean: float
    sd: float
    n: int


class Interval(NamedTuple):
    """A difference of two means and its confidence interval (low and high are nan when there is none)."""

    difference: float
    low: float
    high: float


def summary(values: ArrayLike) -> Summary:
    """Mean and sample standard deviation (n - 1 in the denominator) of ``values`` [n]; nan where n is too small."""
    values = _vector(values)
    mean = float(values.mean()) if values.size else float("nan")
    sd = float(values.std(ddof=1)) if values.size > 1 else float("nan")
    return Summary(mean, sd, int(values.size))


def welch_interval(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Interval:
    """mean(a) - mean(b) for ``a`` [n] and ``b`` [m], with Welch's two-sided confidence interval.

    Welch and not the pooled test, because the variance between seeds differs between variants. With fewer than two
    values on a side there is no estimate of its spread, and low and high are nan.

    Source: Welch, "The generalization of Student's problem when several different population variances are
    involved", Biometrika 34 (1947); degrees of freedom by Welch and Satterthwaite.

    Raises:
        ValueError: confidence outside (0, 1).
    """
    from scipy import special

    if not 0 < confidence < 1:
        raise ValueError(f"confidence is a number between 0 and 1, not {confidence}")
    mean_a, sd_a, n = summary(a)
    mean_b, sd_b, m = summary(b)
    difference = mean_a - mean_b
    if n < 2 or m < 2:
        return Interval(difference, float("nan"), float("nan"))
    error_a, error_b = sd_a**2 / n, sd_b**2 / m  # squared standard errors
    total = error_a + error_b
    if total == 0:
        return Interval(difference, difference, difference)
    degrees = total**2 / (error_a**2 / (n - 1) + error_b**2 / (m - 1))
    half = float(special.stdtrit(degrees, (1 + confidence) / 2) * np.sqrt(total))
    return Interval(difference, difference - half, difference + half)


def power_of_test(
    sd: float, difference: float, seeds: int, alpha: float = 0.05, equal_variances: bool = False
) -> float:
    """Chance that a two-sided two-sample t-test, ``seeds`` values a side, finds a true ``difference`` (units of sd).

    From the noncentral t distribution (Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, ch. 2).
    Welch's degrees of freedom lie between seeds - 1 and 2 (seeds - 1), according to how unequal the two variances turn
    out; the smaller number is taken, so that a design is never promised more than it can keep.
    ``equal_variances=True`` gives Student's pooled test instead, with 2 (seeds - 1).
    """
    from scipy import special  # a quarter of the time that scipy.stats takes to import, in every report

    degrees = 2 * (seeds - 1) if equal_variances else seeds - 1
    critical = special.stdtrit(degrees, 1 - alpha / 2)
    shift = difference / sd * np.sqrt(seeds / 2)
    not_right = special.nctdtr(degrees, shift, critical)
    left = special.nctdtr(degrees, shift, -critical)
    # Far out in the tails scipy's noncentral t gives nan: there the right tail is certain and the left one empty.
    return float(1 - np.nan_to_num(not_right, nan=0.0) + np.nan_to_num(left, nan=0.0))


def detectable_difference(
    sd: float, seeds: int, power: float = 0.8, alpha: float = 0.05, equal_variances: bool = False
) -> float:
    """The smallest true difference (in the units of ``sd``) that ``seeds`` trainings a side find with that power.

    See :func:`power_of_test` for the test. nan when there is no spread to go by (seeds < 2, or sd is nan).

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
        return power_of_test(1.0, effect, seeds, alpha, equal_variances) - power

    high = 1.0
    while lacking(high) < 0:
        high *= 2
    return float(sd * brentq(lacking, 0.0, high))


def seeds_needed(
    sd: float, difference: float, power: float = 0.8, alpha: float = 0.05, equal_variances: bool = False
) -> int:
    """The fewest trainings per variant (at least 2) that find a true ``difference`` (units of ``sd``) with that power.

    Raises:
        ValueError: a difference that is not positive, an impossible sd, power or alpha, or more than
            ``MOST_SEEDS`` trainings.
    """
    _check_design(sd, power, alpha)
    if not difference > 0:
        raise ValueError(f"the difference to detect must be positive, not {difference}")
    if np.isnan(sd):
        raise ValueError("the standard deviation between seeds is not known (nan)")
    if sd == 0:
        return 2

    def enough(seeds: int) -> bool:
        return power_of_test(sd, difference, seeds, alpha, equal_variances) >= power

    high = 2
    while not enough(high):
        if high > MOST_SEEDS:
            raise ValueError(f"detecting {difference} with sd {sd} needs more than {MOST_SEEDS} trainings per variant")
        high *= 2
    low = high // 2  # enough(high) holds, enough(low) does not (or low is 1): halve the gap
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def pareto_front(size: ArrayLike, accuracy: ArrayLike) -> NDArray[np.bool_]:
    """Which points [n] no other point beats: smaller ``size`` [n] and higher ``accuracy`` [n] are better.

    A point is beaten by one that is at least as good in both and better in one; equal points are both kept. A point
    with a nan is never on the front and beats nobody.

    Raises:
        ValueError: arrays of different lengths.
    """
    size, accuracy = _vector(size), _vector(accuracy)
    if size.shape != accuracy.shape:
        raise ValueError(f"size has {size.size} values and accuracy {accuracy.size}")
    known = ~(np.isnan(size) | np.isnan(accuracy))
    no_worse = (size[:, None] <= size) & (accuracy[:, None] >= accuracy)  # [i, j]: i is at least as good as j
    better = (size[:, None] < size) | (accuracy[:, None] > accuracy)
    beaten = (no_worse & better).any(axis=0)
    return known & ~beaten


def pooled_sd(sds: ArrayLike, counts: ArrayLike) -> float:
    """One standard deviation for the whole design: the root of the mean variance [k], weighted by counts [k] - 1.

    Groups of fewer than two values carry none and are left out; nan when no group is left. For planning only: the
    intervals use each variant's own.
    """
    sds, freedom = _vector(sds), _vector(counts) - 1
    kept = freedom > 0
    if not kept.any():
        return float("nan")
    return float(np.sqrt((sds[kept] ** 2 * freedom[kept]).sum() / freedom[kept].sum()))


def _vector(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64).reshape(-1)


def _check_design(sd: float, power: float, alpha: float) -> None:
    if sd < 0:
        raise ValueError(f"a standard deviation cannot be negative: {sd}")
    if not 0 < alpha < power < 1:
        raise ValueError(f"needs 0 < alpha < power < 1, not alpha {alpha} and power {power}")
