"""What fits into a limited time: which trainings to begin, and which to leave for another day."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from zoo.plan.runs import Training


class BudgetSplit(NamedTuple):
    """The trainings that will be done in time, and those that will not."""

    fitting: list[Training]
    left_out: list[Training]


def split_by_budget(
    trainings: Sequence[Training], seconds: Mapping[str, float], at_once: int, budget_s: float
) -> BudgetSplit:
    """What will be done in time when the trainings are begun in order, ``at_once`` at a time.

    ``seconds`` is what each will take, by key. One that is too long does not keep a shorter one behind it from being done.
    """
    free_at = [0.0] * at_once
    split = BudgetSplit([], [])
    for training in trainings:
        end = free_at[0] + seconds[training.key]
        if end <= budget_s:
            heapq.heapreplace(free_at, end)
            split.fitting.append(training)
        else:
            split.left_out.append(training)
    return split


def fits_from_now(
    seconds: Mapping[str, float], budget_s: float, clock: Callable[[], float] = time.monotonic
) -> Callable[[Training], bool]:
    """A function that says whether a training, begun when it is called, will be done within ``budget_s`` of now."""
    began = clock()
    return lambda training: clock() - began + seconds[training.key] <= budget_s
