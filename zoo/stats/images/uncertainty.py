"""How sure an accuracy is: of another training, of other test images, and of both. Pure functions of arrays.

``right`` [n, N] says which of N test images each of n trainings classifies rightly, in the order of the seeds. It is a
table of two crossed random samples: the trainings that might have been run, and the images that might have been tested. An
entry is the mean, plus an effect of the training (variance T, what Jordan calls the variance over the distribution), of the
image (I) and of both together (R). Then

- the test accuracy of another training, on the same images, varies by T + R / N (nearly);
- the mean accuracy of the same trainings, on other images, varies by I / N + R / (n N);
- the mean accuracy of other trainings on other images varies by T / n + I / N + R / (n N).

So the last is the second plus T / n. To add the spread between seeds instead, T / n + R / (n N), would count R twice.
Sources: S. R. Searle, G. Casella and C. E. McCulloch, "Variance Components" (1992), ch. 4; R. L. Brennan, "Generalizability
Theory" (2001), section 2.2; K. Jordan, "On the variance of neural network training" (arXiv:2304.01910) for T.

Everything has a closed form: nothing here is random. Points are percent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.stats.comparisons import combined, rounding_variance
from zoo.stats.distributions import Floats, normal_quantile, student_quantile
from zoo.stats.power import ALPHA
from zoo.stats.validity.spread import variance_factors


class Seeds(NamedTuple):
    """The spread between trainings; nan where there are fewer than two."""

    sd_points: float  # of the accuracy on this test set
    variance_distribution: float  # T, of the accuracy on the distribution, points squared; an estimate, may be negative
    sd_distribution_points: float  # its root; 0 where it is negative
    low_distribution_points: float  # of the 95 % interval of that root; 0 where it cannot be told from 0
    high_distribution_points: float


class Images(NamedTuple):
    """The mean accuracy of these trainings, and what other test images of the same distribution might make of it."""

    accuracy_percent: float
    error_points: float  # standard error; nan with one image
    low_percent: float
    high_percent: float


class AccuracyDifference(NamedTuple):
    """A variant's mean accuracy less another's, in points, with its two intervals."""

    points: float
    error_test: float  # standard error, of other test images
    low_test: float
    high_test: float
    error_both: float  # of other test images and other trainings; nan with fewer than two trainings on a side
    degrees: float  # of freedom of error_both
    low_both: float
    high_both: float


def between_seeds(right: ArrayLike) -> Seeds:
    """The spread of the accuracy over n trainings, from ``right`` [n, N].

    The variance over the distribution is what is left of the variance on the test set when the luck of single images is
    taken off: N / (N - 1) [V - (1 / N^2) sum_i v_i], with V and v_i the sample variances (n - 1 in the denominator) over the
    trainings of the accuracy and of image i. With e_i the mean error of image i, v_i = n / (n - 1) e_i (1 - e_i): it is
    the estimator of arXiv:2304.01910, unbiased for finite n and N both, and the classical one from mean squares.

    Its interval is that of V, of normal accuracies by the chi-squared distribution, less the luck of single images, which a
    mean over so many of them gives nearly without an error.
    """
    table = _table(right)
    n, images = table.shape
    if n < 2:
        return Seeds(*[float("nan")] * 5)
    variance = 1e4 * float(table.mean(1).var(ddof=1))
    distribution = 1e4 * _trainings(table).distribution if images > 1 else float("nan")
    known = images / (images - 1) * variance if images > 1 else float("nan")
    luck = known - distribution  # of single images
    ends = [known * factor - luck for factor in variance_factors(n - 1.0)]
    low, middle, high = (float(np.sqrt(np.maximum(value, 0.0))) for value in (ends[0], distribution, ends[1]))
    return Seeds(float(np.sqrt(variance)), distribution, middle, low, high)


def between_test_sets(right: ArrayLike, alpha: float = ALPHA) -> Images:
    """The mean accuracy of ``right`` [n, N], and its interval with confidence 1 - ``alpha`` over test sets of N images."""
    fractions = _table(right).mean(0)
    low, high = interval_of_mean(fractions, 0.0, 1.0, alpha)
    return Images(100 * float(fractions.mean()), 100 * _error(fractions), 100 * low, 100 * high)


def difference(
    right: ArrayLike, reference: ArrayLike, paired: bool = False, alpha: float = ALPHA
) -> AccuracyDifference:
    """The mean accuracy of ``right`` [n, N] less that of ``reference`` [m, N], on the same N images, image by image.

    ``paired``: the two are read from the same trainings, row by row (n = m). Both intervals have confidence 1 - ``alpha``;
    that of both sources is a t interval, with degrees of freedom by Satterthwaite ("An approximate distribution of estimates
    of variance components", Biometrics Bulletin 2, 1946), and at least as wide as that of other trainings alone. Images that
    are alike on both sides, so that none speaks for one of the two directions, are widened by the rule of three (see
    ``interval_of_mean``).

    Raises:
        ValueError: other numbers of images, or pairs of which one half is missing.
    """
    a, b = _table(right), _table(reference)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"{a.shape[1]} images on one side and {b.shape[1]} on the other")
    if paired and len(a) != len(b):
        raise ValueError(f"{len(a)} trainings on one side of pairs and {len(b)} on the other")
    apart = a.mean(0) - b.mean(0)
    mean = float(apart.mean())
    low, high = interval_of_mean(apart, -1.0, 1.0, alpha)
    error = _error(apart)
    both = _both_sources(mean, error, [a - b] if paired else [a, b], _unseen(apart, -1.0, 1.0, alpha), alpha)
    return AccuracyDifference(
        points=100 * mean,
        error_test=100 * error,
        low_test=100 * low,
        high_test=100 * high,
        error_both=100 * both.error,
        degrees=both.degrees,
        low_both=100 * both.low,
        high_both=100 * both.high,
    )


def interval_of_mean(values: ArrayLike, floor: float, ceiling: float, alpha: float = ALPHA) -> tuple[float, float]:
    """Low and high of the interval, with confidence 1 - ``alpha``, of the mean of a distribution from ``floor`` to
    ``ceiling``, of which ``values`` [N] are a sample.

    The ABC interval (T. DiCiccio and B. Efron, "More accurate confidence intervals in exponential families", Biometrika 79,
    1992): the closed form of the BCa bootstrap, which for a mean agrees with it to second order, and which one need not
    draw. With z the normal quantile and a = sum (x - mean)^3 / 6 (sum (x - mean)^2)^(3/2), the ends are mean + error w /
    (1 - a w)^2 with w = a + z. It follows the skewness: of 1 error in N images it says up to 6.1 / N (exactly: 5.6 / N).

    No resampling knows of values that were not seen. Where none lies below the median, or none above, up to
    1 - alpha^(1/N), about 3 / N, of the distribution may still lie at the floor, or the ceiling (the rule of three:
    J. A. Hanley and A. Lippman-Hand, JAMA 249, 1983), and the interval reaches that much further. So of N right answers it
    says that 3 in N may be wrong, and of two networks that answer alike that they may differ in 3 of N.
    """
    sample = np.asarray(values, np.float64)
    mean, apart = sample.mean(), sample - sample.mean()
    below, above = _unseen(sample, floor, ceiling, alpha)
    if sample.min() == sample.max():
        return max(floor, float(mean) - below), min(ceiling, float(mean) + above)
    acceleration = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)  # at most 1/6: nothing is divided by zero
    steps = acceleration + normal_quantile(1 - alpha / 2) * np.array([-1.0, 1.0])
    low, high = mean + _error(sample) * steps / (1 - acceleration * steps) ** 2
    return max(floor, float(low) - below), min(ceiling, float(high) + above)


class _Trainings(NamedTuple):
    """What the trainings of a table add to the variance of its mean."""

    n: int
    on_test_set: float  # variance of the accuracy between trainings
    distribution: float  # T


def _trainings(table: NDArray[np.int8]) -> _Trainings:
    n, images = table.shape
    total, squares = table.sum(0, dtype=np.int64), (table * table).sum(0, dtype=np.int64)
    of_an_image = float((squares - total**2 / n).mean() / (n - 1))
    on_test_set = float(table.mean(1).var(ddof=1))
    return _Trainings(n, on_test_set, images / (images - 1) * (on_test_set - of_an_image / images))


class _BothSources(NamedTuple):
    error: float
    degrees: float
    low: float
    high: float


def _both_sources(
    mean: float, error: float, tables: list[NDArray[np.int8]], unseen: tuple[float, float], alpha: float
) -> _BothSources:
    """Fractions. ``tables`` [n, N] are independent of one another; ``error`` is that of other images alone."""
    nan = float("nan")
    images = tables[0].shape[1]
    if images < 2 or min(len(table) for table in tables) < 2:
        return _BothSources(nan, nan, nan, nan)
    parts = [_trainings(table) for table in tables]
    variance = error**2 + max(0.0, sum(part.distribution / part.n for part in parts))
    spread = sum((part.on_test_set / part.n) ** 2 / (part.n - 1) for part in parts) + error**4 / (images - 1)
    fewest = min(part.n for part in parts) - 1.0
    degrees = max(fewest, variance**2 / spread) if spread > 0 else fewest
    half = float(student_quantile(degrees, 1 - alpha / 2)) * variance**0.5
    alone = _of_trainings(mean, tables, alpha)
    low, high = min(mean - half - unseen[0], mean - alone), max(mean + half + unseen[1], mean + alone)
    return _BothSources(variance**0.5, degrees, max(-1.0, low), min(1.0, high))


def _of_trainings(mean: float, tables: list[NDArray[np.int8]], alpha: float) -> float:
    """Half of the interval of other trainings alone, as verdicts have it. T is an estimate, which may come out too small,
    and its degrees of freedom are more: the interval of both sources is never narrower than this one."""
    least = rounding_variance(tables[0].shape[1]) / 1e4 * (2 if len(tables) == 1 else 1)  # a pair is rounded twice
    variances = [max(float(table.mean(1).var(ddof=1)), least) for table in tables]
    _, high = combined(mean, variances, [len(table) for table in tables]).interval(alpha)
    return float(high) - mean


def _unseen(values: Floats, floor: float, ceiling: float, alpha: float) -> tuple[float, float]:
    """How far values that were not seen may pull the mean down and up: 0 on a side where some were."""
    middle, unseen = float(np.median(values)), 1 - alpha ** (1 / len(values))
    below = unseen * (middle - floor) if values.min() == middle else 0.0
    above = unseen * (ceiling - middle) if values.max() == middle else 0.0
    return below, above


def _error(values: Floats) -> float:
    """Standard error of the mean; nan of one value, and exactly 0 where all are the same."""
    if len(values) < 2:
        return float("nan")
    return 0.0 if values.min() == values.max() else float(values.std(ddof=1) / np.sqrt(len(values)))


def _table(right: ArrayLike) -> NDArray[np.int8]:
    table = np.asarray(right).astype(np.int8)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"right or wrong takes [trainings, images], at least one of each, not {list(table.shape)}")
    return table
