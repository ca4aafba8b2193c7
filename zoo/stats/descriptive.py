"""Statistics of a few repetitions: pure functions of arrays, numpy and scipy only.

Accuracies come in points (percent), one value per training. Nothing is rounded here, and nothing is random.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Summary(NamedTuple):
    """Mean, sample standard deviation (nan when n < 2) and number of the values."""

    mean: float
    sd: float
    n: int


def summary(values: ArrayLike) -> Summary:
    """Mean and sample standard deviation (n - 1 in the denominator) of ``values`` [n]; nan where n is too small."""
    values = _vector(values)
    mean = float(values.mean()) if values.size else float("nan")
    sd = float(values.std(ddof=1)) if values.size > 1 else float("nan")
    return Summary(mean, sd, int(values.size))


def pareto_front(size: ArrayLike, accuracy: ArrayLike) -> NDArray[np.bool_]:
    """Which points [n] no other point beats: smaller ``size`` [n] and higher ``accuracy`` [n] are better.

    A point is beaten by one that is at least as good in both and better in one; equal points are both kept. A point
    with a nan is never on the front and beats nobody.

    Raises:
        ValueError: arrays of different lengths.
    """
    size, accuracy = _vector(size), _vector(accuracy)
    if size.shape != accuracy.shape:
        raise ValueError(f"size has {size.size} values and accuracy {accuracy.size}")
    known = ~(np.isnan(size) | np.isnan(accuracy))
    no_worse = (size[:, None] <= size) & (accuracy[:, None] >= accuracy)  # [i, j]: i is at least as good as j
    better = (size[:, None] < size) | (accuracy[:, None] > accuracy)
    beaten = (no_worse & better).any(axis=0)
    return known & ~beaten


def pooled_sd(sds: ArrayLike, counts: ArrayLike) -> float:
    """One standard deviation for the whole design: the root of the mean variance [k], weighted by counts [k] - 1.

    Groups of fewer than two values carry none and are left out; nan when no group is left. For planning only: the
    intervals use each variant's own.
    """
    sds, freedom = _vector(sds), _vector(counts) - 1
    kept = freedom > 0
    if not kept.any():
        return float("nan")
    return float(np.sqrt((sds[kept] ** 2 * freedom[kept]).sum() / freedom[kept].sum()))


def _vector(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64).reshape(-1)
