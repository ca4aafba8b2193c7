"""Ratios of times: identical trainings in a machine whose speed drifts, and networks that are timed in rounds.

Trainings go seed by seed. Their times are what every variant takes in a block, which drifts from block to block (a random
walk of 10 percent a step), times what only one training takes: 3 percent, with the heavy tails of Student's t with three
degrees of freedom. Or they are dealt out from the times of real trainings of one variant.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from reports.audit.rows import EIGHTY_PERCENT, FIVE_PERCENT, Finding, Row, found
from zoo.stats.costs import ratios
from zoo.stats.costs.ratios import NOTABLE, Ratio, RatioWord

DRIFT, NOISE = 0.1, 0.03  # of logarithms, from block to block and of a single training
ROUNDS = 64  # of a latency session
_RACE = "faster or slower, where nothing is"

Event = Callable[[Sequence[Ratio]], bool]
Times = Callable[[np.random.Generator], Mapping[str, Ratio]]  # of one simulated sweep


def any_spoken_of(outcomes: Sequence[Ratio]) -> bool:
    return any(ratio.is_spoken_of for ratio in outcomes)


def any_same(outcomes: Sequence[Ratio]) -> bool:
    return any(ratio.word is RatioWord.SAME for ratio in outcomes)


def first_without(truth: float, outcomes: Sequence[Ratio]) -> bool:
    """Whether the interval of the first leaves the true ratio out: each is one of its own, at 95 percent or more."""
    return not outcomes[0].low <= truth <= outcomes[0].high


def rows() -> list[Row]:
    """In the order of the table."""
    outside = functools.partial(first_without, 1.2)
    return [
        *(
            _row(f"{_RACE}: {_compared(k)}, {n} seeds, times that drift", any_spoken_of, in_blocks(k, n))
            for k in (1, 3, 5)
            for n in (3, 5)
        ),
        _row(f"{_RACE}: 1 comparison, 5 other seeds", any_spoken_of, in_blocks(1, 5, drift=0.0, shared=False)),
        _row(f"{_RACE}: 3 comparisons, latencies in {ROUNDS} rounds", any_spoken_of, in_rounds(3)),
        _row(
            f"same within 5 percent, where it is {NOTABLE:g} times: 1 comparison, 5 seeds",
            any_same,
            in_blocks(1, 5, NOTABLE, noise=0.01),
        ),
        _row(
            f"same within 5 percent, where it is {NOTABLE:g} times: 3 comparisons, 5 seeds",
            any_same,
            in_blocks(3, 5, NOTABLE, noise=0.01),
        ),
        _row("an interval without the true ratio 1.2: one of 3, 5 seeds", outside, in_blocks(3, 5, 1.2)),
        _row("an interval without the true ratio 1.2: one of 3, latencies", outside, in_rounds(3, 1.2)),
        Row("1.2 times found: 1 comparison, 5 seeds", EIGHTY_PERCENT, _simulation(any_spoken_of, in_blocks(1, 5, 1.2))),
    ]


def rows_of(seconds: Sequence[float]) -> list[Row]:
    """What the times of trainings of one variant, in the order in which they ran, are enough for."""
    designs = [(k, n) for k in (1, 3) for n in (3, 5) if 2 * n * (k + 1) <= len(seconds)]
    pool = np.array(seconds)
    return [
        *(
            _row(f"{_RACE}: {_compared(k)}, {n} seeds, real times dealt out", any_spoken_of, dealt(pool, k, n))
            for k, n in designs
        ),
        *(
            _row(f"{_RACE}: {_compared(k)}, {n} seeds, real times in their order", any_spoken_of, in_order(pool, k, n))
            for k, n in designs
        ),
    ]


def in_blocks(
    k: int, n: int, ratio: float = 1.0, *, drift: float = DRIFT, noise: float = NOISE, shared: bool = True
) -> Times:
    """``k`` variants that take ``ratio`` times as long as the baseline, with ``n`` seeds: the same, or none ``shared``."""

    def times(rng: np.random.Generator) -> Mapping[str, Ratio]:
        logs = rng.normal(0, drift, n).cumsum()[:, None] + noise / np.sqrt(3) * rng.standard_t(3, (n, k + 1))
        logs[:, 1:] += np.log(ratio)
        return _compare(np.exp(logs), shared)

    return times


def in_rounds(k: int, ratio: float = 1.0) -> Times:
    """``k`` networks beside the baseline: what disturbs a whole round, and what disturbs a network in it."""

    def times(rng: np.random.Generator) -> Mapping[str, Ratio]:
        logs = 0.3 * rng.standard_t(3, ROUNDS)[:, None] + 0.05 * rng.standard_t(3, (ROUNDS, k + 1))
        logs[:, 1:] += np.log(ratio)
        measured = {str(number): column for number, column in enumerate(np.exp(logs).T)}
        return ratios.of_rounds(measured, "0", seed=int(rng.integers(2**31)), draws=200)

    return times


def dealt(pool: NDArray[np.float64], k: int, n: int) -> Times:
    """Real times, without replacement, in no order."""
    return lambda rng: _compare(rng.choice(pool, (n, k + 1), replace=False))


def in_order(pool: NDArray[np.float64], k: int, n: int) -> Times:
    """Real times one after the other, from one of them on, block by block; the variants in each in the same order."""
    size = n * (k + 1)

    def times(rng: np.random.Generator) -> Mapping[str, Ratio]:
        first = int(rng.integers(len(pool) - size + 1))
        return _compare(pool[first : first + size].reshape(n, k + 1))

    return times


def _compare(times: NDArray[np.float64], shared: bool = True) -> Mapping[str, Ratio]:
    """Of times [seeds, variants], the baseline's first."""
    first = [0 if shared else number * len(times) for number in range(times.shape[1])]
    by_seed = {str(number): dict(enumerate(column.tolist(), first[number])) for number, column in enumerate(times.T)}
    return ratios.of_trainings(by_seed, "0")


def _row(what: str, event: Event, times: Times) -> Row:
    return Row(what, FIVE_PERCENT, _simulation(event, times))


def _simulation(event: Event, times: Times) -> Callable[[int, np.random.Generator], Finding]:
    def simulate(trials: int, rng: np.random.Generator) -> Finding:
        return found(sum(event([*times(rng).values()]) for _ in range(trials)), trials)

    return simulate


def _compared(k: int) -> str:
    return f"{k} comparison{'s' if k > 1 else ''}"
