"""Which hypotheses a sweep is judged by: one family, so that what may be wrong anywhere in it is wrong with 5 % at most.

Where the variants are a factorial, the family is the main effects of the factors and their interactions: each variant is a
cell, to be seen and not judged. Otherwise it is the difference of every variant to the baseline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.comparisons import Comparison, compare, compare_pairs, rounding_variance
from zoo.stats.distributions import Floats
from zoo.stats.effects import Effect, count, effects, is_factorial
from zoo.stats.verdicts import SeedSchedule, Verdict, described, judge

_NAN = np.asarray(np.nan)


class Results(NamedTuple):
    """Of a sweep: accuracies [n] in points of each variant, in the order of the seeds, and what else its statistics take."""

    accuracies: Mapping[str, ArrayLike]
    baseline: str
    trainings: Mapping[str, Sequence[str]] = {}  # a key for each accuracy; readouts of the same trainings share them
    test_images: Mapping[str, int | None] = {}  # that the accuracies are counted on, where it is known
    levels: Mapping[str, Mapping[str, str]] = {}  # variant -> factor -> level, as the question has them


class Judged(NamedTuple):
    """What can be said of a sweep."""

    verdicts: dict[str, Verdict]  # on every variant but the baseline
    effects: list[Effect]  # of the factors, where the variants are a factorial

    @property
    def family(self) -> dict[str, Verdict]:
        """The verdicts that were passed together."""
        return {effect.name: effect.verdict for effect in self.effects} or self.verdicts

    def undecided(self, least: int = 1) -> list[tuple[str, ...]]:
        """Of each hypothesis that is not decided the variants beside the baseline that may decide it with more seeds, where
        there are ``least`` by now: where no seed had a result, another one is no help."""
        rests_on = {effect.name: effect.variants for effect in self.effects} or {
            name: (name,) for name in self.verdicts
        }
        return [
            rests_on[name] for name, verdict in self.family.items() if not verdict.is_decided and verdict.seeds >= least
        ]


def size(levels: Mapping[str, Mapping[str, str]], baseline: str, variants: Collection[str]) -> int:
    """How many hypotheses the family has: the effects of a factorial, or the variants beside the baseline."""
    return count(levels, baseline, variants) or len(variants) - 1


def judged(results: Results, margin: float | None, schedule: SeedSchedule | None = None) -> Judged:
    """All verdicts on a sweep, see the module.

    Raises:
        KeyError: no such baseline. ValueError: a margin that is not positive; two variants with the same levels.
    """
    pairs = _pairs(results)
    if not is_factorial(results.levels, results.baseline, results.accuracies):
        return Judged(judge(pairs, margin, schedule), [])
    found = effects(
        results.accuracies,
        results.levels,
        results.levels[results.baseline],
        results.trainings,
        margin,
        schedule,
        results.test_images,
    )
    return Judged({name: described(pair, len(found)) for name, pair in pairs.items()}, found)


def verdicts(
    accuracies: Mapping[str, ArrayLike],
    baseline: str,
    margin: float | None,
    schedule: SeedSchedule | None = None,
    paired: Collection[str] = (),
    test_images: int | None = None,
) -> dict[str, Verdict]:
    """The verdict on every variant but the baseline, all of them one family.

    ``paired`` variants are readouts of the baseline's trainings: their n values belong to its first n, one by one.

    Raises:
        KeyError: no such baseline. ValueError: a margin that is not positive.
    """
    values = {name: np.asarray(array, float).reshape(-1) for name, array in accuracies.items()}
    keys = {name: [str(number) for number in range(len(array))] for name, array in values.items()}
    trainings = {name: keys[name] for name in (*paired, baseline)} if len(paired) else {}
    images = dict.fromkeys(values, test_images)
    return judge(_pairs(Results(values, baseline, trainings, images)), margin, schedule)


class Pair(NamedTuple):
    """A variant's values and the baseline's: a hypothesis."""

    values: Floats
    reference: Floats
    is_paired: bool  # value by value
    least: tuple[float, float] = (0.0, 0.0)  # variances

    @property
    def seeds(self) -> int:
        return min(len(self.values), len(self.reference))

    def compared(self, seeds: int | None = None) -> Comparison:
        one, two = self.values[:seeds], self.reference[:seeds]
        if self.is_paired:
            one, two = one[: self.seeds], two[: self.seeds]
        if min(len(one), len(two)) < 2:
            difference = one.mean() - two.mean() if len(one) and len(two) else np.nan
            return Comparison(np.asarray(difference), _NAN, _NAN)
        return compare_pairs(one, two, max(self.least)) if self.is_paired else compare(one, two, self.least)


def _pairs(results: Results) -> dict[str, Pair]:
    values = {name: np.asarray(array, float).reshape(-1) for name, array in results.accuracies.items()}
    reference, theirs = values.pop(results.baseline), list(results.trainings.get(results.baseline, ()))
    least = {name: rounding_variance(results.test_images.get(name)) for name in results.accuracies}
    pairs = {}
    for name, own in values.items():
        keys = list(results.trainings.get(name, ()))
        is_paired = bool(keys) and keys == theirs[: len(keys)]
        pairs[name] = Pair(own, reference, is_paired, (least[name], least[results.baseline]))
    return pairs
