"""Whether a published figure and ours are compatible within the uncertainty of both.

A published figure is the mean of so many trainings (one, unless the question says more), whose spread nobody has published;
it is taken to be that of ours. Then the difference between the two means has the standard error sd sqrt(1/n + 1/m), and it
is expected within Student's interval (a prediction interval: G. Hahn and W. Meeker, "Statistical Intervals", 1991, section
4.7). The test images are the same ones, so their choice adds nothing. A figure of a few digits stands for all that are
rounded to it: 81.4 for 81.35 to 81.45.

Of several figures in one question those that disagree are found by Holm's method, at 5 % for all together. A figure that
does not disagree is compatible with ours, which says something only where the two could not differ by more than the margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.distributions import student_cdf, student_quantile
from zoo.stats.power import ALPHA


class Agreement(StrEnum):
    COMPATIBLE = "compatible with"
    DISAGREES = "disagrees"
    UNKNOWN = "cannot be told"  # without a spread, or with one that lets them differ by more than the margin
    NOT_COMPARABLE = "not comparable"  # of another configuration


class PublishedComparison(NamedTuple):
    """A published figure beside ours. All in points; ``distance`` is ours minus the nearest end of a range."""

    ours: float
    distance: float
    error: float  # standard error of the distance; nan where our spread is unknown
    degrees: float  # of freedom of the error

    def p(self) -> float:
        """Two-sided, that trainings like ours would be as far off; nan where our spread is unknown."""
        if np.isnan(self.distance) or not self.error >= 0:
            return float("nan")
        if self.error == 0:
            return float(self.distance == 0)
        return float(2 * student_cdf(self.degrees, -abs(self.distance) / self.error))

    def allowed(self, alpha: float = ALPHA) -> float:
        """How far they may be apart by chance, with confidence 1 - ``alpha``; nan where our spread is unknown."""
        if not self.error >= 0:
            return float("nan")
        return float(student_quantile(self.degrees, 1 - alpha / 2) * self.error)


class Judgement(NamedTuple):
    """On one figure of several."""

    agreement: Agreement
    allowed: float  # points, at the level of its step in Holm's method; nan where our spread is unknown


def compare_accuracy(
    values: ArrayLike, low: float, high: float, seeds: int = 1, rounding: float = 0.0, least_variance: float = 0.0
) -> PublishedComparison:
    """Our accuracies [n] in percent against a published one, or a range of them, the mean of ``seeds`` trainings.

    ``rounding`` is one unit of the last digit that was published; ``least_variance`` is the least that an accuracy has.
    """
    ours = np.asarray(values, np.float64).reshape(-1)
    n = len(ours)
    variance = max(float(ours.var(ddof=1)), least_variance) if n > 1 else float("nan")
    mean = float(ours.mean()) if n else float("nan")
    return _compared(mean, low, high, rounding, variance * (1 / max(n, 1) + 1 / seeds), n - 1.0)


def compare_difference(
    values: ArrayLike,
    reference: ArrayLike,
    low: float,
    high: float,
    seeds: int = 1,
    rounding: float = 0.0,
    least_variance: float = 0.0,
) -> PublishedComparison:
    """Our difference, of accuracies [n] and [m] in percent, against a published one of ``seeds`` trainings on each side.

    The degrees of freedom are Welch's and Satterthwaite's; those of the smaller side where the other has twice as many.
    """
    a, b = (np.asarray(given, np.float64).reshape(-1) for given in (values, reference))
    difference = float(a.mean() - b.mean()) if len(a) and len(b) else float("nan")
    if min(len(a), len(b)) < 2:
        return _compared(difference, low, high, rounding, float("nan"), 0.0)
    parts = [max(float(given.var(ddof=1)), least_variance) * (1 / len(given) + 1 / seeds) for given in (a, b)]
    total = sum(parts)
    spread = sum(part**2 / (len(given) - 1) for part, given in zip(parts, (a, b), strict=True))
    fewest, most = sorted((len(a), len(b)))
    degrees = total**2 / spread if total and most < 2 * fewest else fewest - 1.0
    return _compared(difference, low, high, rounding, total, degrees)


def _compared(
    ours: float, low: float, high: float, rounding: float, variance: float, degrees: float
) -> PublishedComparison:
    distance = float(ours - np.clip(ours, low - rounding / 2, high + rounding / 2))
    return PublishedComparison(ours, distance, float(np.sqrt(variance)), degrees)


def judge(comparisons: Sequence[PublishedComparison], margin: float | None, alpha: float = ALPHA) -> list[Judgement]:
    """On the published figures of one question together: the chance that any is wrongly said to disagree is ``alpha``.

    By Holm's method, over those of which our spread is known. A figure that is not found to disagree is ``compatible with``
    ours, and where the two may differ by more than the ``margin`` it cannot be told whether they agree.
    """
    p = [comparison.p() for comparison in comparisons]
    known = sorted((i for i in range(len(p)) if not np.isnan(p[i])), key=lambda i: p[i])
    judged = [Judgement(Agreement.UNKNOWN, float("nan"))] * len(p)
    rejected = 0
    for i in known:
        level = alpha / (len(known) - rejected)
        allowed = comparisons[i].allowed(level)
        if p[i] < level:
            judged[i] = Judgement(Agreement.DISAGREES, allowed)
            rejected += 1
            continue
        is_wide = bool(margin) and allowed > (margin or 0.0)
        judged[i] = Judgement(Agreement.UNKNOWN if is_wide else Agreement.COMPATIBLE, allowed)
    return judged
