"""The level of each interim analysis, such that all of them together keep the level of the test.

Method: alpha spending (Lan and DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70, 1983). What may
be spent by an analysis depends on the information fraction, the part t of the data that is there: alpha * t**2 (the power
family of Kim and DeMets, "Design and analysis of group sequential tests based on the type I error spending rate function",
Biometrika 74, 1987, with exponent 2: between Pocock's even split and O'Brien and Fleming's, which leaves almost nothing for
early analyses). The boundaries follow from the joint normal distribution of the analyses by numerical integration
(Armitage, McPherson and Rowe, JRSS A 132, 1969), and are applied to the p-values of t-tests (the significance level
approach: Jennison and Turnbull, "Group sequential methods with applications to clinical trials", 2000, section 3.8 and 4.4).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from zoo.stats.distributions import Floats, normal_cdf

EXPONENT = 2.0
_ALPHAS = (1e-9, 1e-7, 1e-5, 1e-4, 1e-3, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.95, 0.999)
NODES = 240  # of the quadrature: the levels are good to 1e-9

Spending = Callable[[float], float]  # information fraction, 0 to 1 -> fraction of alpha that may be spent by then


def power_family(fraction: float) -> float:
    """What may be spent by the time that this fraction of the data is there."""
    return float(fraction**EXPONENT)


@functools.cache
def levels(alpha: float, fractions: tuple[float, ...], spending: Spending = power_family) -> tuple[float, ...]:
    """The two-sided level of each analysis, so that all together reject a true hypothesis with probability ``alpha``.

    ``fractions`` are the information fractions of the analyses, increasing, the last one 1. A two-sided test whose p is
    below the level of its analysis rejects; for two one-sided tests at ``alpha`` each, ask for 2 alpha and halve the levels.

    Raises:
        ValueError: alpha outside (0, 1), or fractions that do not increase to 1.
    """
    from scipy import optimize

    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a number between 0 and 1, not {alpha}")
    if not fractions or fractions[-1] != 1 or any(b <= a for a, b in zip((0.0, *fractions), fractions, strict=False)):
        raise ValueError(f"fractions of the data increase to 1, unlike {fractions}")
    level_of_each = []
    inside, weights, earlier = np.zeros(1), np.ones(1), 0.0  # where the sum may be without a rejection, and how likely
    for fraction in fractions:
        spent = alpha * (spending(fraction) - (spending(earlier) if earlier else 0.0))
        spread = float(np.sqrt(fraction - earlier))

        def outside(bound: float, at: Floats = inside, mass: Floats = weights, spread: float = spread) -> float:
            above = normal_cdf((at - bound) / spread)
            below = normal_cdf((-bound - at) / spread)
            return float(mass @ (above + below))

        def unspent(bound: float, spent: float = spent, outside: Callable[[float], float] = outside) -> float:
            return outside(bound) - spent

        bound = float(optimize.brentq(unspent, 0.0, 12 * np.sqrt(fraction)))
        level_of_each.append(float(2 * normal_cdf(-bound / np.sqrt(fraction))))
        nodes, node_weights = _quadrature(bound)
        density = np.exp(-(((nodes[:, None] - inside) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
        inside, weights, earlier = nodes, node_weights * (density @ weights), fraction
    return tuple(level_of_each)


def _quadrature(bound: float) -> tuple[Floats, Floats]:
    """Gauss and Legendre's nodes and weights on (-bound, bound)."""
    nodes, weights = _gauss_legendre()
    return nodes * bound, weights * bound


@functools.cache
def _gauss_legendre() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights


class Boundaries(NamedTuple):
    """The levels of the analyses at these information fractions; a single one (the default) has the whole of alpha."""

    fractions: tuple[float, ...] = (1.0,)

    def level(self, alpha: float, analysis: int) -> float:
        """The two-sided level of an analysis, counted from 0, where all together have ``alpha``."""
        return alpha if len(self.fractions) == 1 else levels(alpha, self.fractions)[analysis]

    def p_value(self, p: float, analysis: int) -> float:
        """The alpha at which an analysis with the two-sided p-value ``p`` would just reject: its p-value among all analyses.

        Interpolated between alphas for which the levels were worked out, by monotone cubics in logarithms; good to 1 %.
        """
        if len(self.fractions) == 1 or np.isnan(p):
            return p
        first, last, alpha_of = _alpha_of_level(self.fractions, analysis)
        at = math.log(max(p, np.finfo(float).tiny))
        if at <= first:  # far out, levels are proportional to alpha
            return math.exp(at - first) * _ALPHAS[0]
        return 1.0 if at >= last else math.exp(float(alpha_of(at)))


@functools.cache
def _alpha_of_level(fractions: tuple[float, ...], analysis: int) -> tuple[float, float, Callable[[float], Floats]]:
    """The logarithms of the lowest and the highest level that are tabulated, and the curve between them."""
    from scipy.interpolate import PchipInterpolator

    level = np.log([levels(alpha, fractions)[analysis] for alpha in _ALPHAS])
    return float(level[0]), float(level[-1]), PchipInterpolator(level, np.log(_ALPHAS))


def information_fractions(first: int, last: int) -> tuple[float, ...]:
    """Of the analyses after ``first``, ``first`` + 1, ... ``last`` seeds."""
    return tuple(n / last for n in range(first, last + 1))
