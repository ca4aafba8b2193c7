"""How many times as long one variant takes as another: ratios of measured times, with intervals.

Times multiply: a busy minute or a warm processor makes everything a fraction slower, so logarithms are compared, and a
ratio is a geometric mean. Trainings go seed by seed, so that a seed is a block in time, and what drifts from block to block
falls out of the ratios within them: pairs by seed are compared by Student's test, and samples that have no seeds in common
by Welch's. Latencies are measured in rounds, each variant in turn, and are compared round by round; the error of the
median ratio is that of a bootstrap over the rounds (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993,
chapter 6).

The intervals are those of Holm's method (Scand. J. Statistics 6, 1979): the one that is furthest from 1 has the level for
all comparisons, the next that for one less, as long as they exclude 1. So an interval excludes 1 if and only if Holm's
method finds a difference. Each holds by itself, with 95 percent or more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.comparisons import Comparison, compare, compare_pairs, holm
from zoo.stats.power import ALPHA

NOTABLE = 1.05  # a smaller ratio is not spoken of, and an interval within it is "the same"
BUSY = 0.05  # share of the machine that others may take while something is timed; with more it is not compared
_NO_SPREAD = 1e-9  # of a logarithm: less is the rounding of floats
DRAWS = 1_000  # of the bootstrap: its standard error is known to 2 in 100


class RatioWord(StrEnum):
    """What a ratio to the baseline allows to be said."""

    FASTER = "faster"  # the interval excludes 1, and the ratio is 1 / NOTABLE at most
    SLOWER = "slower"
    SAME = "same within 5 percent"  # the whole interval is
    CANNOT_BE_TOLD = "cannot be told"
    NOT_COMPARED = "not compared"


class NotCompared(StrEnum):
    """Why two variants' times are not compared."""

    UNMEASURED = "not measured"
    BUSY = "measured while something else ran"
    DEVICES = "measured on different devices"
    ONCE = "measured once, so there is no spread"
    SPREADLESS = "measured without any spread"
    APART = "not measured in the same rounds"
    LATER = "measured at different times"


@dataclass(frozen=True)
class Ratio:
    """A variant's time divided by the baseline's."""

    word: RatioWord
    ratio: float = math.nan
    low: float = math.nan  # of the interval, at the level of its step in Holm's method
    high: float = math.nan
    n: int = 0  # pairs, trainings on the side that has fewer, or rounds
    reason: NotCompared | None = None  # why it is NOT_COMPARED

    @property
    def is_spoken_of(self) -> bool:
        return self.word in (RatioWord.FASTER, RatioWord.SLOWER)


def not_compared(reason: NotCompared, n: int = 0) -> Ratio:
    return Ratio(RatioWord.NOT_COMPARED, n=n, reason=reason)


def identical(n: int) -> Ratio:
    """Of values that are the same to the bit: one measurement, read twice."""
    return Ratio(RatioWord.SAME, 1.0, 1.0, 1.0, n)


def of_trainings(times: Mapping[str, Mapping[int, float]], baseline: str) -> dict[str, Ratio]:
    """The ratios of every variant but the baseline, from times of trainings by seed, in one unit, all above 0.

    Variants are compared by the seeds that both have; without two of these, all trainings against all. Times that are the
    same to the bit are those of the same trainings, read twice: their ratio is 1, without a comparison.

    Raises:
        KeyError: no such baseline. ValueError: a time that is not above 0.
    """
    if any(not time > 0 for of_variant in times.values() for time in of_variant.values()):
        raise ValueError("a time is above 0")
    reference = times[baseline]
    ratios: dict[str, Ratio] = {}
    known: dict[str, tuple[Comparison, int]] = {}
    for name, own in times.items():
        if name == baseline:
            continue
        common = [seed for seed in own if seed in reference]
        ours, theirs = [own[seed] for seed in common], [reference[seed] for seed in common]
        if common and ours == theirs:
            ratios[name] = identical(len(common))
        elif not own or not reference:
            ratios[name] = not_compared(NotCompared.UNMEASURED)
        elif len(common) > 1:
            known[name] = compare_pairs(np.log(ours), np.log(theirs)), len(common)
        elif (n := min(len(own), len(reference))) > 1:
            known[name] = compare(np.log([*own.values()]), np.log([*reference.values()])), n
        else:
            ratios[name] = not_compared(NotCompared.ONCE, n)
    return _in_order(times, ratios | _judged(known))


def of_rounds(times: Mapping[str, ArrayLike], baseline: str, seed: int = 0, draws: int = DRAWS) -> dict[str, Ratio]:
    """The ratios of every variant but the baseline, from its times [rounds], one a round, in the same rounds for all.

    A ratio is the median over the rounds of the ratios within them. A variant whose times are the baseline's to the bit is
    the same network, measured once: its ratio is 1. The same arguments give the same intervals.

    Raises:
        KeyError: no such baseline. ValueError: a time that is not above 0.
    """
    values = {name: np.asarray(given, np.float64).reshape(-1) for name, given in times.items()}
    if any(not (array > 0).all() for array in values.values()):
        raise ValueError("a time is above 0")
    reference = values[baseline]
    picked = np.random.default_rng(seed).integers(max(1, len(reference)), size=(draws, len(reference)))
    ratios: dict[str, Ratio] = {}
    known: dict[str, tuple[Comparison, int]] = {}
    for name, own in values.items():
        if name == baseline:
            continue
        if len(own) != len(reference):
            ratios[name] = not_compared(NotCompared.APART)
        elif not len(own):
            ratios[name] = not_compared(NotCompared.UNMEASURED)
        elif (own == reference).all():
            ratios[name] = identical(len(own))
        elif len(own) == 1:
            ratios[name] = not_compared(NotCompared.ONCE, 1)
        else:
            apart = np.log(own / reference)
            error = np.std(np.median(apart[picked], axis=1), ddof=1)
            known[name] = Comparison(np.median(apart), np.asarray(error), np.asarray(len(own) - 1.0)), len(own)
    return _in_order(values, ratios | _judged(known))


def _judged(known: Mapping[str, tuple[Comparison, int]]) -> dict[str, Ratio]:
    """What the comparisons of logarithms say, as one family."""
    spread = {name: comparison for name, (comparison, _) in known.items() if comparison.error > _NO_SPREAD}
    level = _levels({name: float(comparison.p_difference()) for name, comparison in spread.items()})
    margin = math.log(NOTABLE)
    within = holm([comparison.p_equivalence(margin) for comparison in spread.values()]) if spread else ()
    same = dict(zip(spread, (p < ALPHA for p in within), strict=True))
    return {
        name: _judge(spread[name], level[name], same[name], n)
        if name in spread
        else not_compared(NotCompared.SPREADLESS, n)
        for name, (_, n) in known.items()
    }


def _levels(p: Mapping[str, float]) -> dict[str, float]:
    """The level of each hypothesis by Holm's steps; those that are not rejected have that of the last step."""
    levels: dict[str, float] = {}
    left = len(p)
    for name in sorted(p, key=lambda name: p[name]):
        levels[name] = ALPHA / left
        if p[name] < levels[name]:
            left -= 1
    return levels


def _judge(comparison: Comparison, level: float, is_same: bool, n: int) -> Ratio:
    ratio = math.exp(comparison.difference)
    low, high = (math.exp(end) for end in comparison.interval(level))
    if low >= 1 / NOTABLE and high <= NOTABLE and is_same:
        word = RatioWord.SAME
    elif low > 1 and ratio >= NOTABLE:
        word = RatioWord.SLOWER
    elif high < 1 and ratio <= 1 / NOTABLE:
        word = RatioWord.FASTER
    else:
        word = RatioWord.CANNOT_BE_TOLD
    return Ratio(word, ratio, low, high, n)


def _in_order(names: Mapping[str, object], ratios: Mapping[str, Ratio]) -> dict[str, Ratio]:
    return {name: ratios[name] for name in names if name in ratios}
