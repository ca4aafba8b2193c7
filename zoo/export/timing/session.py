"""A session: calls of several files in turn, round by round, so that whatever slows the machine down slows all of them.

A round goes through all files in an order that is drawn anew each time; of each it makes a number of calls that was found
beforehand, so that slow and fast files take about as long. The clock is monotonic, and the first calls are not counted. What
other processes compute meanwhile is measured too: a session beside them is marked, and its times are compared with nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.host import hardware
from zoo.measure.load import OthersLoad, share
from zoo.stats.costs.ratios import BUSY, Ratio, of_rounds

ROUNDS = 64
LEAST_CALLS = 1024  # of one image: MLPerf inference's single stream
BLOCK_MS = 20.0  # of the calls of one file in a round, at least
WARM_UP_S = 0.2  # for each file, and three calls at least
SAMPLE_S = 1.0  # for which the machine is watched beforehand
PATIENCE_S = 60.0  # for a machine that is busy
DRAWS = 1_000

Call = Callable[[], object]


@dataclass(frozen=True)
class Percentile:
    """Of the times of one call, in milliseconds, with the 95 % interval of a bootstrap over the rounds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Session:
    """What was measured: name -> milliseconds of each call, [rounds, calls]."""

    times_ms: Mapping[str, np.ndarray]
    others_before: float | None  # share of the machine that others took, 0 to 1; None where it is not known
    others_during: float | None

    @property
    def is_busy(self) -> bool:
        """Whether others computed beside it, before or during."""
        return any(known is not None and known > BUSY for known in (self.others_before, self.others_during))

    def percentiles(self, name: str, seed: int = 0) -> dict[str, Percentile]:
        """p50, p90 and p99 of a file."""
        times = self.times_ms[name]
        picked = np.random.default_rng(seed).integers(len(times), size=(DRAWS, len(times)))
        ranks = [50, 90, 99]
        drawn = np.percentile(times[picked].reshape(DRAWS, -1), ranks, axis=1)
        lows, highs = np.percentile(drawn, [2.5, 97.5], axis=1)
        values = np.percentile(times, ranks)
        return {
            f"p{rank}": Percentile(*map(float, each)) for rank, *each in zip(ranks, values, lows, highs, strict=True)
        }

    def ratios(self, baseline: str) -> dict[str, Ratio]:
        """How many times as long as the baseline each other file takes, by the medians within the rounds.

        Raises ValueError for a session that was disturbed.
        """
        if self.is_busy:
            raise ValueError("something else ran beside this session, so its times are not compared")
        return of_rounds({name: np.median(times, axis=1) for name, times in self.times_ms.items()}, baseline)


def measured(
    calls: Mapping[str, Call],
    rounds: int = ROUNDS,
    least_calls: int = LEAST_CALLS,
    patience_s: float = PATIENCE_S,
    seed: int = 0,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
    others: Callable[[], float] | None = None,
) -> Session:
    """Time calls side by side; waits up to ``patience_s`` for others to stop computing, then goes on."""
    others = others or OthersLoad(hardware.core_numbers())
    names = list(calls)
    numbers = {name: _calls_of_a_round(calls[name], rounds, least_calls, clock_ns) for name in names}
    before = _wait_for_quiet(others, patience_s)
    random = np.random.default_rng(seed)
    times: dict[str, list[list[float]]] = {name: [] for name in names}
    began_s, load_s = clock_ns() / 1e9, others()
    for _ in range(rounds):
        for place in random.permutation(len(names)):
            name = names[place]
            times[name].append(_timed(calls[name], numbers[name], clock_ns))
    during = share(others() - load_s, clock_ns() / 1e9 - began_s)
    return Session({name: np.array(of_name) for name, of_name in times.items()}, before, during)


def _calls_of_a_round(call: Call, rounds: int, least_calls: int, clock_ns: Callable[[], int]) -> int:
    """Warm up, and find how many calls of a round are enough."""
    began = clock_ns()
    taken: list[float] = []
    while len(taken) < 3 or clock_ns() - began < WARM_UP_S * 1e9:
        taken += _timed(call, 1, clock_ns)
    typical_ms = float(np.median(taken[len(taken) // 2 :]))
    in_a_block = math.ceil(BLOCK_MS / max(typical_ms, 1e-3))
    return max(1, min(in_a_block, 10 * math.ceil(least_calls / rounds)))


def _timed(call: Call, count: int, clock_ns: Callable[[], int]) -> list[float]:
    times: list[float] = []
    for _ in range(count):
        started = clock_ns()
        call()
        times.append((clock_ns() - started) / 1e6)
    return times


def _wait_for_quiet(others: Callable[[], float], patience_s: float) -> float | None:
    """The share that others took within the last second, the first that is small enough, or the last of all."""
    until = time.monotonic() + patience_s
    while True:
        began, load_s = time.monotonic(), others()
        time.sleep(SAMPLE_S)
        found = share(others() - load_s, time.monotonic() - began)
        if found is None or found <= BUSY or time.monotonic() >= until:
            return found


def as_rows(session: Session, names: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Name, p50 with its interval, p90, p99, in milliseconds, for a table."""
    rows = []
    for name in names:
        found = session.percentiles(name)
        middle = found["p50"]
        cells = (f"{middle.value:.3g} [{middle.low:.3g}, {middle.high:.3g}]", f"{found['p90'].value:.3g}")
        rows.append((name, *cells, f"{found['p99'].value:.3g}"))
    return rows
