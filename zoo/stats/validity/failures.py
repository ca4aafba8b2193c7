"""Trainings that ended without a result: whether one variant has more of them, and what they come to if counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def p_of_failures(failed: int, trainings: int, others_failed: int, others: int) -> float:
    """Two-sided p of Fisher's exact test: that trainings of both sides fail alike (R. A. Fisher, J. Royal Statistical
    Society 98, 1935), ``failed`` of ``trainings`` on one side and ``others_failed`` of ``others`` on the other.

    Raises:
        ValueError: more failures than trainings, or fewer than none.
    """
    if not 0 <= failed <= trainings or not 0 <= others_failed <= others:
        raise ValueError(f"{failed} of {trainings} and {others_failed} of {others} trainings cannot have failed")
    if not failed + others_failed:
        return 1.0
    from scipy.stats import fisher_exact

    table = [[failed, trainings - failed], [others_failed, others - others_failed]]
    return float(fisher_exact(table).pvalue)


def mean_with_failures(accuracies: ArrayLike, failed: int, chance: float) -> float:
    """The mean of ``accuracies`` [n] and of so many failures, each counted as ``chance``; the same unit throughout.

    nan where there is nothing to count.
    """
    values = np.asarray(accuracies, np.float64).reshape(-1)
    trainings = len(values) + failed
    return float((values.sum() + failed * chance) / trainings) if trainings else float("nan")
