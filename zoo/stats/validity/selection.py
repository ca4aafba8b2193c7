"""How much better than it is something looks that was chosen for how it looked: the best of several, and what was found."""

from __future__ import annotations

import numpy as np

from zoo.stats.distributions import normal_cdf, student_quantile
from zoo.stats.power import ALPHA, standard_errors

_GRID = np.linspace(-10.0, 10.0, 20_001)  # standard deviations; the sum is good to 1e-9


def expected_maximum(k: int) -> float:
    """Of ``k`` independent standard normal variables: 0.56, 0.85, 1.03, 1.16 for 2 to 5 (H. L. Harter, "Expected values of
    normal order statistics", Biometrika 48, 1961). The integral of x times the density k phi(x) Phi(x)^(k - 1).
    """
    if k < 1:
        raise ValueError(f"there is no maximum of {k} values")
    density = np.exp(-(_GRID**2) / 2) / np.sqrt(2 * np.pi)
    return float((_GRID * k * density * normal_cdf(_GRID) ** (k - 1)).sum() * (_GRID[1] - _GRID[0]))


def luck_of_the_best(k: int, sd: float, seeds: float) -> float:
    """By how much the best of ``k`` equal variants looks better than it is: the expected largest of k means of ``seeds``
    trainings with standard deviation ``sd``, in its unit."""
    return float(expected_maximum(k) * sd / np.sqrt(seeds))


def exaggeration(difference: float, sd_a: float, sd_b: float, seeds: int, alpha: float = ALPHA) -> float:
    """How many times as large as the true ``difference`` one is seen, on average, where Welch's test at ``alpha`` finds it.

    The type M error of A. Gelman and J. Carlin, "Beyond power calculations" (Perspectives on Psychological Science 9,
    2014), exactly for normal accuracies: given what the error turns out to be, a difference that is found is a normal
    variable beyond the bound.

    Raises:
        ValueError: a difference that is not above zero.
    """
    if not difference > 0:
        raise ValueError(f"a true difference is above zero, not {difference}")
    errors, degrees, weights = standard_errors(sd_a, sd_b, seeds)
    bound, sd = student_quantile(degrees, 1 - alpha / 2) * errors, float(np.hypot(sd_a, sd_b) / np.sqrt(seeds))
    above, below = (bound - difference) / sd, (bound + difference) / sd
    found = (weights * (normal_cdf(-above) + normal_cdf(-below))).sum()
    size = difference * (normal_cdf(-above) - normal_cdf(-below)) + sd * (_density(above) + _density(below))
    return float((weights * size).sum() / found / difference)


def _density(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
