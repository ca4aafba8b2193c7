"""Whether a published figure and ours agree within the uncertainty of both.

A published figure is the mean of so many trainings (one, unless the question says more), whose spread nobody has published;
it is taken to be that of ours. Then the difference between the two means has the standard error sd sqrt(1/n + 1/m), and they
agree when it is within the 95 % interval of Student's t (a prediction interval: G. Hahn and W. Meeker, "Statistical
Intervals", 1991, section 4.7). The test images are the same ones, so their choice adds nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.distributions import student_quantile
from zoo.stats.power import ALPHA


class Agreement(StrEnum):
    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNKNOWN = "cannot be told"  # without a spread


class PublishedComparison(NamedTuple):
    """A published figure beside ours. All in points; ``distance`` is ours minus the nearest end of a range."""

    ours: float
    distance: float
    allowed: float  # nan where our spread is unknown
    agreement: Agreement


def compare_accuracy(
    values: ArrayLike, low: float, high: float, seeds: int = 1, alpha: float = ALPHA
) -> PublishedComparison:
    """Our accuracies [n] in percent against a published one, or a range of them, the mean of ``seeds`` trainings."""
    ours = np.asarray(values, np.float64).reshape(-1)
    n = len(ours)
    spread = float(ours.std(ddof=1)) if n > 1 else float("nan")
    mean = float(ours.mean()) if n else float("nan")
    return _compared(mean, low, high, spread * float(np.sqrt(1 / max(n, 1) + 1 / seeds)), n - 1, alpha)


def compare_difference(
    values: ArrayLike, reference: ArrayLike, low: float, high: float, seeds: int = 1, alpha: float = ALPHA
) -> PublishedComparison:
    """Our difference, of accuracies [n] and [m] in percent, against a published one of ``seeds`` trainings on each side.

    The degrees of freedom are Welch's and Satterthwaite's.
    """
    a, b = (np.asarray(given, np.float64).reshape(-1) for given in (values, reference))
    difference = float(a.mean() - b.mean()) if len(a) and len(b) else float("nan")
    if min(len(a), len(b)) < 2:
        return _compared(difference, low, high, float("nan"), 0, alpha)
    parts = [float(given.var(ddof=1)) * (1 / len(given) + 1 / seeds) for given in (a, b)]
    total = sum(parts)
    spread = sum(part**2 / (len(given) - 1) for part, given in zip(parts, (a, b), strict=True))
    degrees = total**2 / spread if total else min(len(a), len(b)) - 1
    return _compared(difference, low, high, float(np.sqrt(total)), degrees, alpha)


def _compared(ours: float, low: float, high: float, error: float, degrees: float, alpha: float) -> PublishedComparison:
    distance = float(ours - np.clip(ours, low, high))
    allowed = float(student_quantile(degrees, 1 - alpha / 2) * error) if degrees > 0 else float("nan")
    if np.isnan(distance) or np.isnan(allowed):
        return PublishedComparison(ours, distance, allowed, Agreement.UNKNOWN)
    return PublishedComparison(
        ours, distance, allowed, Agreement.AGREES if abs(distance) <= allowed else Agreement.DISAGREES
    )
