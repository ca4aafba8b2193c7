"""What a line of the audit is: something that may be said wrongly, or is to be found, and how often it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Finding(NamedTuple):
    """A rate with its standard error, over so many simulated sweeps, and the seeds that a variant took on average."""

    rate: float
    error: float
    trials: int
    seeds: float  # nan where it is not counted


class Bound(NamedTuple):
    """What is promised of a rate."""

    rate: float  # 0 to 1
    is_least: bool = False  # whether the rate is at least so much, and not at most

    def __str__(self) -> str:
        return f"{'>=' if self.is_least else '<='} {100 * self.rate:g} %"

    def is_kept(self, finding: Finding) -> bool:
        """Whether the finding lies beyond the bound by less than three standard errors of a rate at the bound."""
        allowed = 3 * math.sqrt(self.rate * (1 - self.rate) / finding.trials)
        return finding.rate >= self.rate - allowed if self.is_least else finding.rate <= self.rate + allowed


FIVE_PERCENT = Bound(0.05)  # of wrong statements, at most
EIGHTY_PERCENT = Bound(0.8, is_least=True)  # of true ones, at least


class Row(NamedTuple):
    """A line of the audit; ``simulate`` is given the number of simulated sweeps and where its random numbers come from."""

    what: str
    bound: Bound
    simulate: Callable[[int, np.random.Generator], Finding]


def found(happened: int, trials: int, seeds: float = math.nan) -> Finding:
    """Of so many trials; ``seeds`` is the mean over them."""
    rate = happened / trials
    return Finding(rate, math.sqrt(rate * (1 - rate) / trials), trials, seeds)
