"""How busy everything else keeps this machine while a process measures its own times."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Collection
from pathlib import Path

_STAT = Path("/proc/stat")
_BUSY_FIELDS = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal; not idle and iowait; guests are in user


class OthersLoad:
    """A clock of what others compute, on ``cores`` (numbers of processor cores; what this process does there is its own).

    Its readings are seconds, nan where the system does not say: the processor time of all processes but this one, divided by
    the number of cores. So the difference of two readings, divided by the seconds between them, is the share of the machine
    that others took, from 0 to 1. Linux counts in steps of 10 ms a core: over less than a second a share is rough.
    """

    def __init__(self, cores: Collection[int], stat: Path = _STAT):
        self._names = {f"cpu{number}".encode() for number in cores}
        self._stat = stat

    def __call__(self) -> float:
        own_s = time.process_time()
        try:
            lines = [line.split() for line in self._stat.read_bytes().splitlines() if line.startswith(b"cpu")]
            ticks = [sum(int(line[1 + field]) for field in _BUSY_FIELDS) for line in lines if line[0] in self._names]
        except (OSError, ValueError, IndexError):
            return math.nan
        if not ticks or len(ticks) < len(self._names) or not any(ticks):  # some containers show nothing but zeros
            return math.nan
        return (sum(ticks) / os.sysconf("SC_CLK_TCK") - own_s) / len(ticks)


def share(others_s: float, seconds: float) -> float | None:
    """The share of the machine that others took, 0 to 1, from the difference of two readings; None where it is not known."""
    if not seconds > 0 or math.isnan(others_s):
        return None
    return min(1.0, max(0.0, others_s / seconds))
