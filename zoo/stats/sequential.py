"""Looking again and again: the level at each look at which a test of growing data stays honest as a whole.

Method: alpha spending (Lan and DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70, 1983). The
share of alpha that may be spent by a look depends on how much of the data is there, alpha * t**2 (the power family of Kim
and DeMets, "Design and analysis of group sequential tests based on the type I error spending rate function", Biometrika
74, 1987, with exponent 2: between Pocock's even split and O'Brien and Fleming's, which leaves almost nothing for early
looks). The boundaries follow from the joint normal distribution of the looks by numerical integration (Armitage,
McPherson and Rowe, JRSS A 132, 1969), and are applied to the p-values of t-tests (the significance level approach:
Jennison and Turnbull, "Group sequential methods with applications to clinical trials", 2000, section 3.8 and 4.4).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

EXPONENT = 2.0
NODES = 240  # of the quadrature: the levels are good to 1e-9

Spending = Callable[[float], float]  # share of the data, 0 to 1 -> share of alpha that may be spent by then, 0 to 1


def power_family(share: float) -> float:
    """What may be spent by the time that ``share`` of the data is there."""
    return share**EXPONENT


@functools.cache
def levels(alpha: float, shares: tuple[float, ...], spending: Spending = power_family) -> tuple[float, ...]:
    """The two-sided level of each look, so that all together reject a true hypothesis with probability ``alpha``.

    ``shares`` are the parts of the data that are there at each look, increasing, the last one 1. A two-sided test whose p
    is below its look's level rejects; for two one-sided tests at ``alpha`` each, ask for 2 alpha and halve the levels.

    Raises:
        ValueError: alpha outside (0, 1), or shares that do not increase to 1.
    """
    from scipy import optimize, special

    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a number between 0 and 1, not {alpha}")
    if not shares or shares[-1] != 1 or any(b <= a for a, b in zip((0.0, *shares), shares, strict=False)):
        raise ValueError(f"shares of the data increase to 1, unlike {shares}")
    found = []
    inside, weights, earlier = np.zeros(1), np.ones(1), 0.0  # where the sum may be without a rejection, and how likely
    for share in shares:
        spent = alpha * (spending(share) - (spending(earlier) if earlier else 0.0))
        spread = np.sqrt(share - earlier)

        def outside(bound: float, at=inside, mass=weights, spread=spread) -> float:
            above = special.ndtr((at - bound) / spread)
            below = special.ndtr((-bound - at) / spread)
            return float(mass @ (above + below))

        bound = optimize.brentq(lambda bound, spent=spent: outside(bound) - spent, 0.0, 12 * np.sqrt(share))
        found.append(float(2 * special.ndtr(-bound / np.sqrt(share))))
        nodes, its = _quadrature(bound)
        density = np.exp(-(((nodes[:, None] - inside) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
        inside, weights, earlier = nodes, its * (density @ weights), share
    return tuple(found)


def _quadrature(bound: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss and Legendre's nodes and weights on (-bound, bound)."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes * bound, weights * bound


def shares(first: int, last: int) -> tuple[float, ...]:
    """The shares of the data at looks after ``first``, ``first`` + 1, ... ``last`` seeds."""
    return tuple(n / last for n in range(first, last + 1))
