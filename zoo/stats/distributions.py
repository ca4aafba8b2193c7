"""The distributions that the tests rest on, with types; scipy is imported when one is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def student_cdf(degrees: ArrayLike, t: ArrayLike) -> Floats:
    """P(T <= t), with so many degrees of freedom."""
    from scipy import special

    return np.asarray(special.stdtr(degrees, t), np.float64)


def student_quantile(degrees: ArrayLike, probability: ArrayLike) -> Floats:
    from scipy import special

    return np.asarray(special.stdtrit(degrees, probability), np.float64)


def normal_cdf(z: ArrayLike) -> Floats:
    from scipy import special

    return np.asarray(special.ndtr(z), np.float64)


def normal_quantile(probability: ArrayLike) -> Floats:
    from scipy import special

    return np.asarray(special.ndtri(probability), np.float64)


def beta_quantile(a: float, b: float, probability: ArrayLike) -> Floats:
    from scipy import special

    return np.asarray(special.betaincinv(a, b, probability), np.float64)


def gamma_quantile(shape: float, probability: ArrayLike) -> Floats:
    """Of the gamma distribution with scale 1: half of chi-squared with twice as many degrees of freedom."""
    from scipy import special

    return np.asarray(special.gammaincinv(shape, probability), np.float64)


def binomial(n: ArrayLike, k: ArrayLike) -> Floats:
    """Ways to choose k of n."""
    from scipy import special

    return np.asarray(special.comb(n, k), np.float64)
