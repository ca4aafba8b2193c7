"""Two samples compared: Welch's test, Student's for pairs, equivalence, and Holm's correction for several comparisons.

An accuracy on N test images is a multiple of 100 / N points. Seeds that agree have no spread between them and are not
certain for that: what lies behind an accuracy is known to half such a step on either side. So no variance counts as less
than that of the rounding, (step)^2 / 12 (W. F. Sheppard, Proc. London Math. Soc. 29, 1898); a difference of two accuracies
of one training is rounded twice, and its variance is at least 2 (step)^2 / 12, as that of two trainings.

Where one side has twice the values of the other or more, Welch's degrees of freedom promise too much of the few: their
variance, which decides, may come out near zero by chance. Then the degrees are those of the smaller side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.distributions import Floats, student_cdf, student_quantile


class Comparison(NamedTuple):
    """Welch's comparison of two samples; arrays over the leading axes."""

    difference: Floats  # mean(a) - mean(b)
    error: Floats  # its standard error
    degrees: Floats  # of freedom, by Welch and Satterthwaite
    spreads: tuple[Floats, Floats] = (np.asarray(np.nan), np.asarray(np.nan))  # between single values, of either side

    def p_difference(self) -> Floats:
        """Two-sided, of no difference."""
        return 2 * student_cdf(self.degrees, -np.abs(self._in_errors(self.difference)))

    def p_equivalence(self, margin: float) -> Floats:
        """Of a difference of ``margin`` or more on either side: the larger of two one-sided p-values."""
        above = student_cdf(self.degrees, -self._in_errors(self.difference + margin))
        below = student_cdf(self.degrees, self._in_errors(self.difference - margin))
        return np.maximum(above, below)

    def p_beyond(self, margin: float) -> Floats:
        """Two-sided, of a difference of ``margin`` or less: it takes an interval that lies beyond the margin."""
        return np.minimum(1.0, 2 * student_cdf(self.degrees, -self._in_errors(np.abs(self.difference) - margin)))

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Low and high of the two-sided interval with confidence 1 - level."""
        half = student_quantile(self.degrees, 1 - level / 2) * self.error
        return self.difference - half, self.difference + half

    def _in_errors(self, distance: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):  # without any spread, a distance is infinitely many errors
            return np.where(distance == 0, 0.0, distance / self.error)


def rounding_variance(images: int | None) -> float:
    """The least variance of accuracies in points on so many test images; 0 where their number is not known."""
    return (100 / images) ** 2 / 12 if images else 0.0


def compare(a: ArrayLike, b: ArrayLike, least: tuple[float, float] = (0.0, 0.0)) -> Comparison:
    """``a`` [..., n] against ``b`` [..., m], n and m at least 2: accuracies in points, one a training.

    ``least`` are the variances that they have at least, see ``rounding_variance``.

    Raises:
        ValueError: fewer than two values on a side.
    """
    one, two = np.asarray(a, np.float64), np.asarray(b, np.float64)
    n, m = one.shape[-1], two.shape[-1]
    if n < 2 or m < 2:
        raise ValueError(f"a spread takes two values on each side, not {n} and {m}")
    variances = np.maximum(one.var(-1, ddof=1), least[0]), np.maximum(two.var(-1, ddof=1), least[1])
    return combined(one.mean(-1) - two.mean(-1), variances, (n, m))


def compare_pairs(a: ArrayLike, b: ArrayLike, least: float = 0.0) -> Comparison:
    """``a`` [..., n] against ``b`` [..., n], the same training at the same place: Student's paired comparison.

    ``least`` is the variance that an accuracy has at least.

    Raises:
        ValueError: fewer than two pairs.
    """
    apart = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    n = apart.shape[-1]
    if n < 2:
        raise ValueError(f"a spread takes two pairs, not {n}")
    return combined(apart.mean(-1), (np.maximum(apart.var(-1, ddof=1), 2 * least),), (n,))


def combined(difference: ArrayLike, variances: Sequence[ArrayLike], counts: Sequence[int]) -> Comparison:
    """A difference, or another contrast, of the means of independent groups: ``variances`` [..., groups first] of a single
    value of each, weights squared included, and how many values each has."""
    parts = [np.asarray(variance, np.float64) / n for variance, n in zip(variances, counts, strict=True)]
    total = np.sum(parts, axis=0)
    fewest = min(counts) - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = total**2 / np.sum([part**2 / (n - 1) for part, n in zip(parts, counts, strict=True)], axis=0)
    if max(counts) >= 2 * min(counts) > 0 and len(counts) > 1:
        degrees = np.full_like(total, fewest)
    error, known = np.sqrt(total), np.where(total > 0, degrees, fewest)
    return Comparison(np.asarray(difference), error, known, _spreads([np.asarray(each) for each in variances]))


def _spreads(variances: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Of two sides; a single group is one of them, and more than two come to the same as two equal ones."""
    if len(variances) == 1:
        return np.sqrt(variances[0]), np.zeros_like(variances[0])
    one, two = variances if len(variances) == 2 else [np.sum(variances, axis=0) / 2] * 2
    return np.sqrt(one), np.sqrt(two)


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
