"""Statistics of a few repetitions: pure functions of arrays, numpy and scipy only.

Accuracies come in points (percent), one value per training. Nothing is rounded here, and nothing is random.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Summary(NamedTuple):
    """Mean, sample standard deviation (nan when n < 2) and number of the values."""

    mean: float
    sd: float
    n: int


def summary(values: ArrayLike) -> Summary:
    """Mean and sample standard deviation (n - 1 in the denominator) of ``values`` [n]; nan where n is too small."""
    given = np.asarray(values, np.float64).reshape(-1)
    mean = float(given.mean()) if given.size else float("nan")
    sd = float(given.std(ddof=1)) if given.size > 1 else float("nan")
    return Summary(mean, sd, int(given.size))


def pooled_sd(sds: ArrayLike, counts: ArrayLike) -> float:
    """One standard deviation for the whole design: the root of the mean variance [k], weighted by counts [k] - 1.

    Groups of fewer than two values carry none and are left out; nan when no group is left. For planning only: the
    intervals use each variant's own.
    """
    spreads = np.asarray(sds, np.float64).reshape(-1)
    freedom = np.asarray(counts, np.float64).reshape(-1) - 1
    kept = freedom > 0
    if not kept.any():
        return float("nan")
    return float(np.sqrt((spreads[kept] ** 2 * freedom[kept]).sum() / freedom[kept].sum()))
