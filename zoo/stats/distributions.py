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


def noncentral_student_cdf(degrees: ArrayLike, shift: ArrayLike, t: ArrayLike) -> Floats:
    """Far out, where scipy gives nan, it is 0 or 1."""
    from scipy import special

    probability = np.asarray(special.nctdtr(degrees, shift, t), np.float64)
    return np.where(np.isnan(probability), np.asarray(t) > np.asarray(shift), probability)


def normal_cdf(z: ArrayLike) -> Floats:
    from scipy import special

    return np.asarray(special.ndtr(z), np.float64)


def normal_quantile(probability: ArrayLike) -> Floats:
    from scipy import special

    return np.asarray(special.ndtri(probability), np.float64)


def binomial(n: ArrayLike, k: ArrayLike) -> Floats:
    """Ways to choose k of n."""
    from scipy import special

    return np.asarray(special.comb(n, k), np.float64)
