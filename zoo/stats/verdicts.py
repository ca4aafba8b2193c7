"""What comparisons of repeated trainings allow to be said: helps, hurts, equivalent, or undecided and how many seeds more.

Accuracies come in points (percent), one value a training. The tests are Welch's, never pooled: the spread between seeds
differs between variants. Seeds are not paired, because one changed bit reproduces the whole variation between seeds
(arXiv:2304.01910): the same seed on both sides is worth nothing. Readouts of the same trainings are pairs.

- A difference is found when the two-sided test rejects at 5 % (the interval is away from zero).
- Equivalence is found when two one-sided tests at 5 % put the difference within the margin (Schuirmann, J. Pharmacokinetics
  and Biopharmaceutics 15, 1987), that is when the 90 % interval lies within it.
- A difference that is found is more than the margin when the interval lies beyond the margin.
- Each of the three is corrected for the number of hypotheses in the family by Holm's method (Scand. J. Statistics 6, 1979).
- Where a difference and equivalence hold, the difference is real and smaller than what the person cares about:
  ``equivalent``, with ``is_different``.
- Without any width of an interval there is no verdict.

With a schedule there is an interim analysis after each seed, and Holm's steps go down with its own levels in place of
alpha (Maurer and Bretz, "Multiple testing in group sequential trials using graphical approaches", Stat. Biopharm. Res. 5,
2013). An adjusted p-value is Holm's of the alphas at which an analysis would just reject (sequential p-values: Liu and
Anderson, "On adaptive extensions of group sequential trials for clinical investigations", JASA 103, 2008), so it is below
5 % where that analysis rejects, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from zoo.stats import sequential
from zoo.stats.comparisons import Comparison
from zoo.stats.power import ALPHA, seeds_to_decide
from zoo.stats.sequential import Boundaries

_BELOW_ALPHA = float(np.nextafter(ALPHA, 0))


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


class Assumed(NamedTuple):
    """What a number of seeds is worked out from, if the truth is what was seen; see ``power.seeds_to_decide``."""

    difference: float
    sd_a: float
    sd_b: float
    margin: float | None
    alpha: float


@dataclass(frozen=True)
class Verdict:
    """What can be said of one difference, in points. P-values are adjusted for the family, and for interim analyses."""

    word: VerdictWord
    difference: float  # of all results
    low: float  # of its 95 % interval, for all interim analyses together; nan where there is none
    high: float
    p_difference: float  # at the analysis that the verdict is that of
    p_equivalence: float  # nan without a margin
    seeds: int  # of each variant that the verdict rests on
    needs: Assumed | None = None  # what takes more seeds to decide; None where it is decided
    comparisons: int = 1  # in the family
    verdict_difference: float = float("nan")  # at the analysis that the verdict is that of
    verdict_low: float = float("nan")  # of the interval that the verdict rests on
    verdict_high: float = float("nan")
    level: float = float("nan")  # the confidence of that interval: 0.95 for one difference, 0.90 for one equivalence
    more_than_margin: bool | None = None  # whether a difference that is shown is shown to be more than the margin
    is_different: bool = (
        False  # whether a difference is shown; if ``equivalent``, one that is real and too small to matter
    )

    @property
    def is_decided(self) -> bool:
        return self.word.is_decided

    @cached_property
    def seeds_needed(self) -> int | None:
        """Per variant, for 80 % power; None where it is decided, or takes more than MOST_SEEDS."""
        return seeds_to_decide(*self.needs) if self.needs else None


def in_short(verdict: Verdict) -> str:
    """``undecided (+0.12 points)``."""
    word = "no verdict" if verdict.word is VerdictWord.NONE else verdict.word
    return word if np.isnan(verdict.difference) else f"{word} ({verdict.difference:+.2f} points)"


class SeedSchedule(NamedTuple):
    """Seeds are added one by one from ``first`` to ``last``, with an interim analysis each time."""

    first: int
    last: int

    @property
    def boundaries(self) -> Boundaries:
        return Boundaries(sequential.information_fractions(self.first, self.last))


class Hypothesis(Protocol):
    """A difference that may be zero."""

    @property
    def seeds(self) -> int:
        """That there are by now, on the side that has fewest."""

    def compared(self, seeds: int | None = None) -> Comparison:
        """From the first so many seeds of each side, or all; nan where nothing is known."""


def judge(
    hypotheses: Mapping[str, Hypothesis], margin: float | None, schedule: SeedSchedule | None = None
) -> dict[str, Verdict]:
    """The verdict on every hypothesis of a family. Those of which nothing is known yet count in it.

    With a ``schedule`` each verdict is that of the first interim analysis that crossed the boundary, from the seeds of that
    analysis alone; there may be more by now.

    Raises:
        ValueError: a margin that is not positive.
    """
    if margin is not None and not margin > 0:
        raise ValueError(f"a margin is a positive number of points, not {margin}")
    family = _Family(len(hypotheses), margin, schedule.boundaries if schedule else Boundaries())
    latest: dict[str, _Judgement] = {}
    for analysis, seeds in enumerate(range(schedule.first, schedule.last + 1) if schedule else [None]):
        left = [name for name in hypotheses if not (name in latest and latest[name].word.is_decided)]
        compared = {
            name: hypotheses[name].compared(seeds) for name in left if hypotheses[name].seeds >= max(2, seeds or 2)
        }
        latest |= family.analysis(analysis, {name: each for name, each in compared.items() if each.error > 0}, seeds)
    return {name: _verdict(each, latest.get(name), family, schedule) for name, each in hypotheses.items()}


def described(hypothesis: Hypothesis, comparisons: int = 0) -> Verdict:
    """A difference with its 95 % interval, on which no verdict is passed."""
    whole, nan = hypothesis.compared(), float("nan")
    return Verdict(VerdictWord.DESCRIPTIVE, *_ends(whole, ALPHA), nan, nan, hypothesis.seeds, comparisons=comparisons)


class _Step(NamedTuple):
    """How a hypothesis came out of Holm's method: the level that it was tested at, its adjusted p-value."""

    is_rejected: bool
    level: float
    p: float


class _Judgement(NamedTuple):
    """Of one analysis."""

    word: VerdictWord
    comparison: Comparison
    seeds: int | None  # None: all
    difference: _Step
    equivalence: _Step | None
    beyond: _Step | None


class _Family:
    """What has been rejected at the analyses so far."""

    def __init__(self, size: int, margin: float | None, boundaries: Boundaries):
        self.size, self.margin, self._boundaries = size, margin, boundaries
        self._rejected: dict[str, set[str]] = {"difference": set(), "equivalence": set(), "beyond": set()}

    def analysis(self, number: int, compared: Mapping[str, Comparison], seeds: int | None) -> dict[str, _Judgement]:
        """The next one, of what is not decided yet."""
        margin = self.margin
        differences = self._steps("difference", number, {n: float(c.p_difference()) for n, c in compared.items()})
        equivalences, beyond = {}, {}
        if margin is not None:
            within = {name: float(each.p_equivalence(margin)) for name, each in compared.items()}
            equivalences = self._steps("equivalence", number, within, sides=2)
            beyond = self._steps("beyond", number, {n: float(c.p_beyond(margin)) for n, c in compared.items()})
        return {
            name: _Judgement(
                _word(each, differences[name], equivalences.get(name)),
                each,
                seeds,
                differences[name],
                equivalences.get(name),
                beyond.get(name),
            )
            for name, each in compared.items()
        }

    def level(self, number: int) -> float:
        """Of one hypothesis alone."""
        return self._boundaries.level(ALPHA, number)

    def _steps(self, what: str, number: int, p: Mapping[str, float], sides: int = 1) -> dict[str, _Step]:
        """Holm's method: the smallest p at the level for all that are left, and so on. A pair of one-sided tests
        (``sides=2``) has alpha on each side."""
        rejected, bounds = self._rejected[what], self._boundaries
        left, adjusted, goes_on = self.size - len(rejected), 0.0, True
        steps: dict[str, _Step] = {}
        for place, name in enumerate(sorted(p, key=lambda name: p[name])):
            level = bounds.level(sides * ALPHA / (self.size - len(rejected)), number) / sides
            p_value = bounds.p_value(min(1.0, sides * p[name]), number) / sides
            adjusted = min(1.0, max(adjusted, (left - place) * p_value))
            goes_on = goes_on and p[name] < level
            on_its_side = min(adjusted, _BELOW_ALPHA) if goes_on else max(adjusted, ALPHA)  # it is interpolated
            steps[name] = _Step(goes_on, level, on_its_side)
            if goes_on:
                rejected.add(name)
        return steps


def _word(comparison: Comparison, difference: _Step, equivalence: _Step | None) -> VerdictWord:
    if equivalence is not None and equivalence.is_rejected:
        return VerdictWord.EQUIVALENT
    if difference.is_rejected:
        return VerdictWord.HELPS if comparison.difference > 0 else VerdictWord.HURTS
    return VerdictWord.UNDECIDED


def _verdict(
    hypothesis: Hypothesis, judged: _Judgement | None, family: _Family, schedule: SeedSchedule | None
) -> Verdict:
    whole, nan = hypothesis.compared(), float("nan")
    if judged is None:
        return Verdict(
            VerdictWord.NONE, float(whole.difference), nan, nan, nan, nan, hypothesis.seeds, comparisons=family.size
        )
    number = min(hypothesis.seeds, schedule.last) - schedule.first if schedule else 0
    alpha = _level_used(judged)
    found = judged.word in (VerdictWord.HELPS, VerdictWord.HURTS)
    needed = None
    if judged.word is VerdictWord.UNDECIDED:
        one, two = map(float, judged.comparison.spreads)
        needed = Assumed(float(judged.comparison.difference), one, two, family.margin, ALPHA / family.size)
    return Verdict(
        judged.word,
        *_ends(whole, family.level(number)),
        judged.difference.p,
        judged.equivalence.p if judged.equivalence else nan,
        judged.seeds or hypothesis.seeds,
        needed,
        family.size,
        *_ends(judged.comparison, alpha),
        1 - alpha,
        judged.beyond.is_rejected if judged.beyond and found else None,
        judged.difference.is_rejected,
    )


def _level_used(judged: _Judgement) -> float:
    """Alpha of the two-sided interval that the verdict rests on: away from zero, beyond the margin, or within it; of what is
    undecided the wider one, which reaches zero and leaves the margin."""
    if judged.word is VerdictWord.EQUIVALENT and judged.equivalence:
        return 2 * judged.equivalence.level
    if judged.word is VerdictWord.UNDECIDED and judged.equivalence:
        return min(judged.difference.level, 2 * judged.equivalence.level)
    if judged.difference.is_rejected and judged.beyond and judged.beyond.is_rejected:
        return judged.beyond.level
    return judged.difference.level


def _ends(comparison: Comparison, alpha: float) -> tuple[float, float, float]:
    """The difference, and low and high of its interval."""
    low, high = comparison.interval(alpha)
    return float(comparison.difference), float(low), float(high)
