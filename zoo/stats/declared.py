"""Verdicts by a design as it was declared, whatever has been added to it or is still missing.

A verdict is wrong with 5 % at most where the number of looks at the results, and the seeds at each, were decided before
there were any. So only the seeds that were declared are judged:

- Of a fixed number of seeds, once all of them have been tried. Before that there is no verdict.
- What the declared seeds decided is decided, whatever is trained afterwards (as with interim analyses, each decision is
  final). What they left open stays open: more seeds are shown, with an interval, and not judged. The 5 % have been spent.
- Differences to another baseline than the declared one are shown and not judged.

Where results are the same to the bit, from two seeds on, that is what is said, of a variant as of a factor's effect.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from zoo.stats import family
from zoo.stats.effects import Effect
from zoo.stats.family import Judged, Results
from zoo.stats.verdicts import SeedSchedule, Verdict, VerdictWord

_TWICE = 2  # seeds that it takes to say that results are the same: one may have met nothing that tells two apart


class Declared(NamedTuple):
    """What of a design verdicts go by."""

    seeds: tuple[int, ...]  # at most these, with a first analysis
    first_analysis: int | None = None  # seeds before the first interim analysis; None: their number is fixed
    margin: float | None = None
    is_baseline: bool = True  # whether the baseline is the declared one

    @property
    def schedule(self) -> SeedSchedule | None:
        return None if self.first_analysis is None else SeedSchedule(self.first_analysis, len(self.seeds))


def judged(
    results: Results,
    seeds: Mapping[str, Sequence[int]],
    declared: Declared,
    untried: Collection[str] = (),
    firsts: Mapping[str, str] | None = None,
) -> Judged:
    """All verdicts on a sweep. ``seeds`` are those of each variant's accuracies, in their order.

    ``untried`` are the variants of which declared seeds have not been tried yet; it is ignored with a first analysis.
    ``firsts``: which variants are the same to the bit, as :func:`alike` gives them.

    Raises:
        KeyError, ValueError: as :func:`zoo.stats.family.judged`.
    """
    found = _judged(results, seeds, declared, untried)
    return _with_identical(found, results, firsts or {})


def _judged(
    results: Results, seeds: Mapping[str, Sequence[int]], declared: Declared, untried: Collection[str]
) -> Judged:
    planned = set(declared.seeds)
    found = family.judged(_among(results, seeds, planned), declared.margin, declared.schedule)
    if declared.schedule is None and untried:
        found = _changed(found, _not_yet, lambda verdict, variants: bool({results.baseline, *variants} & set(untried)))
    if all(seed in planned for own in seeds.values() for seed in own) and declared.is_baseline:
        return found
    everything = family.judged(results, declared.margin)
    shown = {effect.name: effect.verdict for effect in everything.effects} or everything.verdicts

    def withheld(name: str, verdict: Verdict) -> Verdict:
        return _without_claim(shown.get(name, verdict), VerdictWord.WITHHELD)

    def is_withheld(verdict: Verdict, variants: Collection[str]) -> bool:
        if not declared.is_baseline:
            return verdict.word is not VerdictWord.DESCRIPTIVE
        more = any(seed not in planned for name in variants for seed in seeds.get(name, ()))
        return more and verdict.word in (VerdictWord.UNDECIDED, VerdictWord.NONE)

    return _changed(found, withheld, is_withheld)


def alike(answers: Mapping[str, Mapping[int, str]]) -> dict[str, str]:
    """The first variant that each one is the same as, to the bit: itself, where there is no other.

    ``answers``: of each variant, seed -> checksum of what it answers to the test images, "" where that is not known.
    """
    firsts: dict[str, str] = {}
    for name, own in answers.items():
        same = (first for first in dict.fromkeys(firsts.values()) if _are_alike(own, answers[first]))
        firsts[name] = next(same, name)
    return firsts


def _are_alike(one: Mapping[int, str], other: Mapping[int, str]) -> bool:
    common = one.keys() & other.keys()
    return len(common) >= _TWICE and all(one[seed] == other[seed] != "" for seed in common)


def _with_identical(found: Judged, results: Results, firsts: Mapping[str, str]) -> Judged:
    """Variants that are the same as the baseline, and effects of changes that change nothing, named as that."""

    def identical(verdict: Verdict) -> Verdict:
        return replace(verdict, word=VerdictWord.IDENTICAL, needs=None)

    def is_idle(effect: Effect) -> bool:
        """Whether one of its changes makes no difference in any of its cells."""
        cells = {tuple(sorted(results.levels[name].items())): name for name in (*effect.variants, results.baseline)}
        for change in effect.changes:
            pairs = [
                (name, cells.get(tuple(sorted({**results.levels[name], change.factor: change.instead_of}.items()))))
                for name in effect.variants
                if results.levels[name][change.factor] == change.level
            ]
            if pairs and all(other and firsts.get(name, name) == firsts.get(other, other) for name, other in pairs):
                return True
        return False

    reference = firsts.get(results.baseline, results.baseline)
    verdicts = {
        name: identical(verdict) if firsts.get(name) == reference else verdict
        for name, verdict in found.verdicts.items()
    }
    effects = [each._replace(verdict=identical(each.verdict)) if is_idle(each) else each for each in found.effects]
    return Judged(verdicts, effects)


def _among(results: Results, seeds: Mapping[str, Sequence[int]], planned: Collection[int]) -> Results:
    """The results with these seeds."""
    kept = {name: [seed in planned for seed in own] for name, own in seeds.items()}
    if all(all(own) for own in kept.values()):
        return results
    return results._replace(
        accuracies={name: np.asarray(own, float)[kept[name]] for name, own in results.accuracies.items()},
        trainings={
            name: [key for key, keep in zip(keys, kept[name], strict=True) if keep]
            for name, keys in results.trainings.items()
            if name in kept
        },
    )


def _changed(
    found: Judged,
    change: Callable[[str, Verdict], Verdict],
    condition: Callable[[Verdict, Collection[str]], bool],
) -> Judged:
    """With the verdicts of the family changed that fulfil a condition, given with the variants that they rest on."""
    if found.effects:
        effects = [
            effect._replace(verdict=change(effect.name, effect.verdict))
            if condition(effect.verdict, effect.variants)
            else effect
            for effect in found.effects
        ]
        return found._replace(effects=effects)
    verdicts = {
        name: change(name, verdict) if condition(verdict, (name,)) else verdict
        for name, verdict in found.verdicts.items()
    }
    return found._replace(verdicts=verdicts)


def _not_yet(name: str, verdict: Verdict) -> Verdict:
    """Before the declared seeds have been tried there is a difference to be seen, and nothing to be said of it."""
    nan = float("nan")
    return replace(_without_claim(verdict, VerdictWord.NONE), low=nan, high=nan)


def _without_claim(verdict: Verdict, word: VerdictWord) -> Verdict:
    nan = float("nan")
    return replace(
        verdict,
        word=word,
        p_difference=nan,
        p_equivalence=nan,
        needs=None,
        verdict_difference=nan,
        verdict_low=nan,
        verdict_high=nan,
        level=nan,
        more_than_margin=None,
        is_different=False,
    )
