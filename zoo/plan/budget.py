"""What fits into a limited time: which trainings to begin, and which to leave for another day."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence

from zoo.plan.runs import Training


def split(
    trainings: Sequence[Training], seconds: Mapping[str, float], at_once: int, budget_s: float
) -> tuple[list[Training], list[Training]]:
    """Those that will be done in time when they are begun in order, ``at_once`` at a time, and those that will not.

    ``seconds`` is what each will take, by key. One that is too long does not keep a shorter one behind it from being done.
    """
    free_at = [0.0] * at_once
    fit, left = [], []
    for training in trainings:
        end = free_at[0] + seconds[training.key]
        if end <= budget_s:
            heapq.heapreplace(free_at, end)
            fit.append(training)
        else:
            left.append(training)
    return fit, left


def gate(
    seconds: Mapping[str, float], budget_s: float, clock: Callable[[], float] = time.monotonic
) -> Callable[[Training], bool]:
    """A function that says whether a training, begun now, will be done within ``budget_s`` of this moment."""
    began = clock()
    return lambda training: clock() - began + seconds[training.key] <= budget_s
