"""How many seeds it takes: the power of the tests that verdicts rest on.

Spreads and differences come in points. The power of Welch's test is computed exactly, with the degrees of freedom that the
two variances turn out to give: for normal accuracies the sum S of the two sums of squares, each in units of its variance,
and the share B of the first are independent (chi-squared with 2 (seeds - 1) degrees of freedom, and beta), and given both
the test rejects where a normal variable lies beyond a known bound. What remains is an integral over S and B. Where seeds
are added until it is decided, the analyses are simulated.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from zoo.stats import sequential
from zoo.stats.distributions import Floats, beta_quantile, gamma_quantile, normal_cdf, normal_quantile, student_quantile

ALPHA = 0.05
POWER = 0.8
MOST_SEEDS = 1_000  # per variant, more than anybody trains; beyond it "how many" is not worth a number
FEWEST_SEEDS = 3  # before the first interim analysis
MORE_WITH_ANALYSES = 1.1  # times the seeds of a fixed number, for the same power with interim analyses
_NODES_B, _NODES_S = 12, 32  # of the quadrature: powers are good to 0.001
_SIMULATED = 4_000  # sequences of analyses: a difference is good to 1 %


def power_to_find(
    difference: float, sd_a: float, sd_b: float, seeds: int, alpha: float = ALPHA, equal_variances: bool = False
) -> float:
    """Chance that Welch's two-sided test at ``alpha`` finds a true ``difference`` with so many ``seeds`` a side.

    ``equal_variances=True`` gives Student's pooled test instead, with 2 (seeds - 1) degrees of freedom.
    """
    errors, degrees, weights = standard_errors(sd_a, sd_b, seeds)
    if equal_variances:
        degrees = np.full_like(degrees, 2 * (seeds - 1))
    bound, error = student_quantile(degrees, 1 - alpha / 2) * errors, math.hypot(sd_a, sd_b) / math.sqrt(seeds)
    return float(
        (weights * (normal_cdf((difference - bound) / error) + normal_cdf((-difference - bound) / error))).sum()
    )


def power_to_equate(
    difference: float, sd_a: float, sd_b: float, seeds: int, margin: float, alpha: float = ALPHA
) -> float:
    """Chance that two one-sided tests at ``alpha`` put a true ``difference`` within the margin, ``seeds`` a side."""
    errors, degrees, weights = standard_errors(sd_a, sd_b, seeds)
    room, error = margin - student_quantile(degrees, 1 - alpha) * errors, math.hypot(sd_a, sd_b) / math.sqrt(seeds)
    inside = normal_cdf((room - difference) / error) - normal_cdf((-room - difference) / error)
    return float((weights * np.maximum(0.0, inside)).sum())


def standard_errors(sd_a: float, sd_b: float, seeds: int) -> tuple[Floats, Floats, Floats]:
    """What the error of the difference may turn out to be, with its degrees of freedom and its probability: [B, S] each."""
    share, total, weights = _quadrature(seeds - 1)
    a, b = sd_a**2 * 2 * share, sd_b**2 * 2 * (1 - share)
    degrees = (seeds - 1) * (a + b) ** 2 / (a**2 + b**2)
    return np.sqrt((a + b) / seeds * total), degrees, weights


@functools.cache
def _rule(nodes: int) -> tuple[Floats, Floats]:
    """Gauss and Legendre's nodes and weights on (-1, 1)."""
    at, weights = np.polynomial.legendre.leggauss(nodes)
    return at, weights


@functools.lru_cache(maxsize=1_000)
def _quadrature(degrees: int) -> tuple[Floats, Floats, Floats]:
    """Nodes [B, 1] of the share, [1, S] of the total divided by its degrees of freedom, and weights [B, S]: Gauss and
    Legendre's, in the probabilities."""
    (at_share, weight_share), (at_total, weight_total) = _rule(_NODES_B), _rule(_NODES_S)
    share = beta_quantile(degrees / 2, degrees / 2, (at_share + 1) / 2)
    total = gamma_quantile(degrees, (at_total + 1) / 2) / degrees
    return share[:, None], total[None, :], np.outer(weight_share, weight_total) / 4


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

    high, step = _by_normal_theory(difference, math.hypot(sd_a, sd_b), margin, alpha, power), 1
    while high > 2 and enough(high):
        high, step = max(2, high - step), 2 * step
    low, step = 1 if high == 2 else high, 1
    while not enough(high):
        if high >= MOST_SEEDS:
            return None
        low, high, step = high, min(high + step, MOST_SEEDS), 2 * step
    while high - low > 1:  # low is too few, high is enough
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _by_normal_theory(difference: float, sd: float, margin: float | None, alpha: float, power: float) -> int:
    """About as many seeds as it takes where the spreads are known, 2 to MOST_SEEDS: where to begin to search."""
    beyond = normal_quantile(power)
    to_find = difference / float(normal_quantile(1 - alpha / 2) + beyond)
    to_equate = ((margin or 0.0) - abs(difference)) / float(normal_quantile(1 - alpha) + beyond)
    largest = max(abs(to_find), to_equate)
    return 2 if largest * math.sqrt(2) > sd else math.ceil(min(MOST_SEEDS, (sd / max(largest, 1e-9 * sd)) ** 2))


def seeds_until_decided(fixed: int, first: int) -> int:
    """The ``max`` of ``seeds: {min, max, until: decided}`` that decides as often as a ``fixed`` number of seeds does.

    The levels of the interim analyses, from ``first`` seeds on, are lower than that of a single one.
    """
    return max(first + 1, math.ceil(MORE_WITH_ANALYSES * fixed))


def detectable_difference(
    sd: float,
    seeds: int,
    power: float = POWER,
    alpha: float = ALPHA,
    comparisons: int = 1,
    first_analysis: int | None = None,
) -> float:
    """The smallest true difference (in the units of ``sd``) that ``seeds`` trainings a side find with that power.

    Of one of several ``comparisons``, at the level that Holm's method begins with. With ``first_analysis`` there is an
    interim analysis after so many seeds, and after each one more, to ``seeds`` at most. nan when there is no spread to go
    by (seeds < 2, or sd is nan).

    Raises:
        ValueError: a negative sd, or power or alpha outside (0, 1), or power not above alpha.
    """
    _check_design(sd, power, alpha)
    if seeds < 2 or np.isnan(sd):
        return float("nan")
    if sd == 0:
        return 0.0
    level = alpha / max(1, comparisons)
    if first_analysis is not None and first_analysis < seeds:
        return sd * float(np.quantile(_with_analyses(first_analysis, seeds, level).found, power))
    return sd * _detectable(seeds, level, power)


@functools.cache
def _detectable(seeds: int, alpha: float, power: float) -> float:
    from scipy.optimize import brentq

    def lacking(effect: float) -> float:
        return power_to_find(effect, 1.0, 1.0, seeds, alpha) - power

    high = 1.0
    while lacking(high) < 0:
        high *= 2
    return float(brentq(lacking, 0.0, high))


class Chances(NamedTuple):
    """Of a difference of the margin's size to be found, and of variants that are the same to be shown equivalent."""

    find: float
    equate: float


def chances(
    margin: float, sd: float, seeds: int, alpha: float = ALPHA, comparisons: int = 1, first_analysis: int | None = None
) -> Chances:
    """What a design, as that of :func:`detectable_difference`, can be expected to decide. ``sd`` is above 0."""
    level = alpha / max(1, comparisons)
    if first_analysis is not None and first_analysis < seeds:
        simulated = _with_analyses(first_analysis, seeds, level)
        return Chances(float(np.mean(simulated.found <= margin / sd)), float(np.mean(simulated.within <= margin / sd)))
    return Chances(power_to_find(margin, sd, sd, seeds, level), power_to_equate(0.0, sd, sd, seeds, margin, level))


class _Simulated(NamedTuple):
    """Of each simulated sweep with a spread of 1, [simulated]: the smallest true difference that an analysis would have
    found, and where there is none the smallest margin that one would have shown it to be within."""

    found: Floats
    within: Floats


@functools.cache
def _with_analyses(first: int, last: int, alpha: float) -> _Simulated:
    values = np.random.default_rng(0).normal(size=(_SIMULATED, 2, last))
    sums, squares = values.cumsum(axis=2), (values**2).cumsum(axis=2)
    fractions = sequential.information_fractions(first, last)
    to_find, to_equate = sequential.levels(alpha, fractions), sequential.levels(2 * alpha, fractions)
    found, within = np.full(_SIMULATED, np.inf), np.full(_SIMULATED, np.inf)
    for n, *levels in zip(range(first, last + 1), to_find, to_equate, strict=True):
        mean = sums[..., n - 1] / n
        variance = (squares[..., n - 1] - n * mean**2) / (n - 1)
        degrees = (n - 1) * variance.sum(axis=1) ** 2 / (variance**2).sum(axis=1)
        grid = np.linspace(n - 1, 2 * (n - 1), 33)
        bounds = [
            np.interp(degrees, grid, student_quantile(grid, 1 - level / 2)) * np.sqrt(variance.sum(axis=1) / n)
            for level in levels
        ]
        difference = mean[:, 0] - mean[:, 1]
        found = np.minimum(found, bounds[0] - difference)
        within = np.minimum(within, np.abs(difference) + bounds[1])
    return _Simulated(found, within)


def _check_design(sd: float, power: float, alpha: float) -> None:
    if sd < 0:
        raise ValueError(f"a standard deviation cannot be negative: {sd}")
    if not 0 < alpha < power < 1:
        raise ValueError(f"needs 0 < alpha < power < 1, not alpha {alpha} and power {power}")
