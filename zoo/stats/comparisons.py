"""Two samples compared: Welch's test, Student's for pairs, equivalence, and Holm's correction for several comparisons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.distributions import Floats, student_cdf, student_quantile


class Comparison(NamedTuple):
    """Welch's comparison of two samples; arrays over the leading axes."""

    difference: Floats  # mean(a) - mean(b)
    error: Floats  # its standard error
    degrees: Floats  # of freedom, by Welch and Satterthwaite

    def p_difference(self) -> Floats:
        """Two-sided, of no difference."""
        return 2 * student_cdf(self.degrees, -np.abs(self._in_errors(self.difference)))

    def p_equivalence(self, margin: float) -> Floats:
        """Of a difference of ``margin`` or more on either side: the larger of two one-sided p-values."""
        above = student_cdf(self.degrees, -self._in_errors(self.difference + margin))
        below = student_cdf(self.degrees, self._in_errors(self.difference - margin))
        return np.maximum(above, below)

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Low and high of the two-sided interval with confidence 1 - level."""
        half = student_quantile(self.degrees, 1 - level / 2) * self.error
        return self.difference - half, self.difference + half

    def _in_errors(self, distance: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):  # without any spread, a distance is infinitely many errors
            return np.where(distance == 0, 0.0, distance / self.error)


def compare(a: ArrayLike, b: ArrayLike) -> Comparison:
    """``a`` [..., n] against ``b`` [..., m], n and m at least 2: accuracies in points, one a training.

    Raises:
        ValueError: fewer than two values on a side.
    """
    one, two = np.asarray(a, np.float64), np.asarray(b, np.float64)
    n, m = one.shape[-1], two.shape[-1]
    if n < 2 or m < 2:
        raise ValueError(f"a spread takes two values on each side, not {n} and {m}")
    return _comparison(one.mean(-1) - two.mean(-1), one.var(-1, ddof=1), two.var(-1, ddof=1), n, m)


def compare_pairs(a: ArrayLike, b: ArrayLike) -> Comparison:
    """``a`` [..., n] against ``b`` [..., n], the same training at the same place: Student's paired comparison.

    Raises:
        ValueError: fewer than two pairs.
    """
    apart = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    n = apart.shape[-1]
    if n < 2:
        raise ValueError(f"a spread takes two pairs, not {n}")
    error = apart.std(-1, ddof=1) / np.sqrt(n)
    return Comparison(np.asarray(apart.mean(-1)), np.asarray(error), np.full_like(error, n - 1.0))


def _comparison(difference: Floats, var_a: Floats, var_b: Floats, n: int, m: int) -> Comparison:
    part_a, part_b = np.asarray(var_a) / n, np.asarray(var_b) / m
    total = part_a + part_b
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = total**2 / (part_a**2 / (n - 1) + part_b**2 / (m - 1))
    fallback = min(n, m) - 1.0  # without any spread
    return Comparison(np.asarray(difference), np.sqrt(total), np.where(total > 0, degrees, fallback))


def holm(p: ArrayLike) -> Floats:
    """Adjusted p-values [..., k] of the k hypotheses of a family: those below alpha are rejected (Holm 1979)."""
    values = np.asarray(p, np.float64)
    k = values.shape[-1]
    order = np.argsort(values, axis=-1, kind="stable")
    stepped = np.take_along_axis(values, order, -1) * np.arange(k, 0, -1)
    stepped = np.minimum(np.maximum.accumulate(stepped, axis=-1), 1.0)
    adjusted = np.empty_like(values)
    np.put_along_axis(adjusted, order, stepped, -1)
    return adjusted
