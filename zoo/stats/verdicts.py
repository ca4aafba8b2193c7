"""What a comparison of repeated trainings allows to be said: helps, hurts, equivalent, or undecided and how many seeds more.

Accuracies come in points (percent), one value a training. The tests are Welch's, never pooled: the spread between seeds
differs between variants. Seeds are not paired, because one changed bit reproduces the whole variation between seeds
(arXiv:2304.01910): the same seed on both sides is worth nothing. Variants that are read from the baseline's own trainings
are paired truly, and compared training by training.

- A difference is found when Welch's two-sided test rejects at 5 % (the interval is away from zero).
- Equivalence is found when two one-sided tests at 5 % put the difference within the margin (Schuirmann, J. Pharmacokinetics
  and Biopharmaceutics 15, 1987), that is when the 90 % interval lies within it.
- Both are corrected for the number of comparisons in the sweep by Holm's method (Scand. J. Statistics 6, 1979).
- Where both hold, the difference is real and smaller than what the person cares about: ``equivalent``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats import sequential
from zoo.stats.comparisons import Comparison, compare, compare_pairs, holm
from zoo.stats.distributions import Floats
from zoo.stats.power import ALPHA, seeds_to_decide


class VerdictWord(StrEnum):
    """What is said of a variant, in the order in which reports list it."""

    FAILED = "failed"  # its trainings ended without a result
    DID_NOT_LEARN = "did not learn"  # its accuracy cannot be told from guessing
    HELPS = "helps"
    HURTS = "hurts"
    EQUIVALENT = "equivalent"
    IDENTICAL = "identical"  # the same results to the bit: what differs does nothing
    UNDECIDED = "undecided"
    DESCRIPTIVE = "descriptive"  # a cell of a grid: shown beside the effects that are judged, not judged itself
    WITHHELD = "withheld"  # the design was changed after its results could be seen
    NONE = "none"  # it takes two seeds on each side

    @property
    def is_decided(self) -> bool:
        return self in (VerdictWord.HELPS, VerdictWord.HURTS, VerdictWord.EQUIVALENT, VerdictWord.IDENTICAL)


@dataclass(frozen=True)
class Verdict:
    """What can be said of one variant against the baseline. Differences in points, p-values adjusted for the family."""

    word: VerdictWord
    difference: float
    low: float  # of the 95 % interval; nan where there is none
    high: float
    p_difference: float
    p_equivalence: float  # nan without a margin
    seeds: int  # of the variant that it rests on
    seeds_needed: int | None = None  # per variant, for 80 % power; None where it is decided, or more than MOST_SEEDS
    comparisons: int = 1  # in the family
    verdict_low: float = float("nan")  # of the interval that the verdict rests on
    verdict_high: float = float("nan")
    level: float = float("nan")  # the confidence of that interval: 0.95 for one difference, 0.90 for one equivalence
    more_than_margin: bool | None = None  # whether a difference that is shown is shown to be more than the margin
    is_different: bool = (
        False  # whether a difference is shown; with ``equivalent``, one that is real and too small to matter
    )

    @property
    def is_decided(self) -> bool:
        return self.word.is_decided


def in_short(verdict: Verdict) -> str:
    """``undecided (+0.12 points)``."""
    word = "without a verdict" if verdict.word is VerdictWord.NONE else verdict.word
    return word if np.isnan(verdict.difference) else f"{word} ({verdict.difference:+.2f} points)"


class SeedSchedule(NamedTuple):
    """Seeds are added one by one from ``first`` to ``last``, with an interim analysis each time."""

    first: int
    last: int


def verdicts(
    accuracies: Mapping[str, ArrayLike],
    baseline: str,
    margin: float | None,
    schedule: SeedSchedule | None = None,
    paired: Collection[str] = (),
) -> dict[str, Verdict]:
    """The verdict on every variant but the baseline, from accuracies [n] in points, in the order of the seeds.

    ``paired`` variants are readouts of the baseline's trainings: their n values belong to its first n, one by one.
    With a ``schedule`` each verdict is that of the first interim analysis that crossed the boundary, from the seeds of that
    analysis alone; the baseline may have more by now.

    Raises:
        KeyError: no such baseline. ValueError: a margin that is not positive.
    """
    if margin is not None and not margin > 0:
        raise ValueError(f"a margin is a positive number of points, not {margin}")
    values = {name: np.asarray(array, float).reshape(-1) for name, array in accuracies.items()}
    reference = values.pop(baseline)
    pairs = {name: _Pair(array, reference, False) for name, array in values.items()}
    pairs |= {name: pairs[name].first(pairs[name].seeds)._replace(paired=True) for name in paired}
    if schedule is None:
        return _single_analysis(pairs, margin)
    return _interim_analyses(pairs, margin, schedule)


class _Pair(NamedTuple):
    """A variant's values and the baseline's."""

    values: Floats
    reference: Floats
    paired: bool  # value by value

    def first(self, n: int) -> _Pair:
        """What there was when both had ``n`` values."""
        return _Pair(self.values[:n], self.reference[:n], self.paired)

    @property
    def seeds(self) -> int:
        """On the side that has fewer."""
        return min(len(self.values), len(self.reference))

    @property
    def difference(self) -> float:
        if not self.seeds:
            return float("nan")
        return float(self.values.mean() - self.reference.mean())

    def comparison(self) -> Comparison:
        return (compare_pairs if self.paired else compare)(self.values, self.reference)

    def seeds_needed(self, margin: float | None, family: int) -> int | None:
        if self.paired:
            sds = float(np.std(self.values - self.reference, ddof=1)), 0.0
        else:
            sds = float(np.std(self.values, ddof=1)), float(np.std(self.reference, ddof=1))
        return seeds_to_decide(self.difference, *sds, margin, ALPHA / family)


def _single_analysis(pairs: Mapping[str, _Pair], margin: float | None) -> dict[str, Verdict]:
    k = len(pairs)
    known = {name: pair.comparison() for name, pair in pairs.items() if pair.seeds > 1}
    p_difference = _adjusted({name: float(c.p_difference()) for name, c in known.items()}, k)
    p_equivalence = _adjusted({n: float(c.p_equivalence(margin)) for n, c in known.items()} if margin else {}, k)
    outcomes: dict[str, Verdict] = {}
    for name, pair in pairs.items():
        if name not in known:
            outcomes[name] = _none(pair, k)
            continue
        p, within = p_difference[name], p_equivalence.get(name, float("nan"))
        word = _word(known[name], p < ALPHA, within < ALPHA)
        needed = pair.seeds_needed(margin, k) if word is VerdictWord.UNDECIDED else None
        outcomes[name] = Verdict(
            word,
            *_ends(known[name], ALPHA),
            p,
            within,
            pair.seeds,
            needed,
            k,
            **_basis(known[name], word, p < ALPHA, margin, ALPHA)._asdict(),
        )
    return outcomes


def _interim_analyses(pairs: Mapping[str, _Pair], margin: float | None, schedule: SeedSchedule) -> dict[str, Verdict]:
    """Replay the analyses. At each, Holm's steps go down with its own levels in place of alpha (Maurer and Bretz, "Multiple
    testing in group sequential trials using graphical approaches", Stat. Biopharm. Res. 5, 2013)."""
    k, fractions = len(pairs), sequential.information_fractions(schedule.first, schedule.last)
    latest: dict[str, Verdict] = {}
    different: set[str] = set()
    within: set[str] = set()
    for analysis, n in enumerate(range(schedule.first, schedule.last + 1)):
        open_ = [name for name in pairs if not (name in latest and latest[name].is_decided)]
        at = {name: pairs[name].first(n) for name in open_ if pairs[name].seeds >= n > 1}
        compared = {name: pair.comparison() for name, pair in at.items()}

        def level(left: int, sides: int, analysis: int = analysis) -> float:
            """Of one hypothesis among ``left``; a pair of one-sided tests has alpha on each side."""
            return sequential.levels(sides * ALPHA / left, fractions)[analysis] / sides

        p_difference = {name: float(c.p_difference()) for name, c in compared.items()}
        p_equivalence = {name: float(c.p_equivalence(margin)) for name, c in compared.items()} if margin else {}
        different |= _step_down(p_difference, k - len(different), lambda left: level(left, 1))
        within |= _step_down(p_equivalence, k - len(within), lambda left: level(left, 2))
        for name, comparison in compared.items():
            word = _word(comparison, name in different, name in within)
            needed = at[name].seeds_needed(margin, k) if word is VerdictWord.UNDECIDED else None
            adjusted = (
                min(1.0, p_difference[name] * ALPHA / level(k, 1)),
                min(1.0, p_equivalence[name] * ALPHA / level(k, 2)) if margin else float("nan"),
            )
            latest[name] = Verdict(
                word,
                *_ends(comparison, level(1, 1)),
                *adjusted,
                n,
                needed,
                k,
                **_basis(comparison, word, name in different, margin, level(1, 1))._asdict(),
            )
    return {name: latest.get(name) or _none(pair, k) for name, pair in pairs.items()}


def _ends(comparison: Comparison, level: float) -> tuple[float, float, float]:
    """The difference, and low and high of its interval."""
    low, high = comparison.interval(level)
    return float(comparison.difference), float(low), float(high)


class _Basis(NamedTuple):
    """What a verdict rests on, see ``Verdict``."""

    verdict_low: float
    verdict_high: float
    level: float
    more_than_margin: bool | None
    is_different: bool


def _basis(comparison: Comparison, word: VerdictWord, different: bool, margin: float | None, alpha: float) -> _Basis:
    alpha = 2 * alpha if word is VerdictWord.EQUIVALENT else alpha
    _, low, high = _ends(comparison, alpha)
    is_found = word in (VerdictWord.HELPS, VerdictWord.HURTS)
    more = max(low, -high) > margin if margin and is_found else None
    return _Basis(low, high, 1 - alpha, more, different)


def _step_down(p: Mapping[str, float], left: int, level: Callable[[int], float]) -> set[str]:
    """The hypotheses that Holm's method rejects: the smallest p at the level for all that are ``left``, and so on."""
    rejected: set[str] = set()
    for name in sorted(p, key=lambda name: p[name]):
        if p[name] >= level(left - len(rejected)):
            break
        rejected.add(name)
    return rejected


def _adjusted(p: Mapping[str, float], family: int) -> dict[str, float]:
    """Holm's adjusted p-values; comparisons that cannot be made yet count as not rejected."""
    names = list(p)
    padded = [*p.values(), *[1.0] * (family - len(names))]
    return dict(zip(names, holm(padded).tolist(), strict=False)) if padded else {}


def _word(comparison: Comparison, different: bool, within: bool) -> VerdictWord:
    if within:
        return VerdictWord.EQUIVALENT
    if different:
        return VerdictWord.HELPS if comparison.difference > 0 else VerdictWord.HURTS
    return VerdictWord.UNDECIDED


def _none(pair: _Pair, family: int) -> Verdict:
    nan = float("nan")
    return Verdict(VerdictWord.NONE, pair.difference, nan, nan, nan, nan, pair.seeds, None, family)
