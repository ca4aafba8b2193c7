"""What each factor does, and whether it does the same whatever the other factors are: effects in a factorial design.

Accuracies in points (percent), one a training. An effect is a contrast: a sum of weights times the means of cells, that is
variants. The weights of all cells with a level add up to 1, those of all cells with the baseline's level to -1, and every
combination of the other factors' levels counts the same. An interaction is the difference of two such differences. The
error comes from each cell's own spread, never a pooled one, with degrees of freedom by Welch and Satterthwaite for a
contrast (B. L. Welch, "On the comparison of several mean values", Biometrika 38, 1951; F. E. Satterthwaite, Biometrics
Bulletin 2, 1946): the variance is the sum of w^2 s^2 / n over the cells. Cells that are read from the same trainings are not
independent: their part of the contrast is worked out training by training, and its spread is taken.

All effects together are one family of hypotheses, judged as differences between variants are (``zoo.stats.verdicts``).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.comparisons import Comparison, combined, rounding_variance
from zoo.stats.distributions import Floats
from zoo.stats.verdicts import SeedSchedule, Verdict, described, judge

Setting = tuple[str, ...]  # a level of each factor


class EffectKind(StrEnum):
    MAIN = "main"
    INTERACTION = "interaction"


class Change(NamedTuple):
    """Of a factor, from the baseline's level."""

    factor: str
    level: str
    instead_of: str


class Effect(NamedTuple):
    """Of one change, or the interaction of two; nothing is known (nan) where a cell has one seed.

    ``helps`` and ``hurts`` of an interaction mean that the one change is worth more, or less, together with the other.
    """

    kind: EffectKind
    changes: tuple[Change, ...]
    averaged_over: tuple[str, ...]  # the other factors, where it is a mean over several of their levels
    variants: tuple[str, ...]  # the cells that it rests on
    p: float  # of all results, not adjusted
    verdict: Verdict

    @property
    def name(self) -> str:
        """``lrn=false``, or ``lrn=false x ema=true``."""
        return " x ".join(f"{change.factor}={change.level}" for change in self.changes)


def is_factorial(levels: Mapping[str, Mapping[str, str]], baseline: str, variants: Collection[str]) -> bool:
    """Whether every one of the ``variants`` has a part in the effects of two factors or more that are crossed.

    Each must have a level of each of the ``baseline``'s factors, as the question has them.
    """
    return count(levels, baseline, variants) > 0


def count(levels: Mapping[str, Mapping[str, str]], baseline: str, variants: Collection[str]) -> int:
    """How many effects there are; 0 where the ``variants`` are no factorial, see ``is_factorial``."""
    factors = levels.get(baseline, {})
    if len(factors) < 2 or any(levels.get(name, {}).keys() != factors.keys() for name in variants):
        return 0
    cells = dict.fromkeys(tuple(levels[name][factor] for factor in factors) for name in variants)
    if len(cells) < len(variants):
        return 0
    contrasts = _contrasts(cells, tuple(factors.values()))
    have_a_part = {setting for weights in contrasts.values() for setting in weights}
    return len(contrasts) if have_a_part == set(cells) else 0


def effects(
    accuracies: Mapping[str, ArrayLike],
    levels: Mapping[str, Mapping[str, str]],
    baseline: Mapping[str, str],
    trainings: Mapping[str, Sequence[str]] | None = None,
    margin: float | None = None,
    schedule: SeedSchedule | None = None,
    test_images: Mapping[str, int | None] | None = None,
    are_judged: bool = True,
) -> list[Effect]:
    """Main effects and two-way interactions of every factor's levels, each against the ``baseline``'s level.

    ``accuracies`` [n] of each variant, in the order of the seeds, and its ``levels``. ``trainings`` has a key for each
    accuracy; cells with keys in common are readouts of the same trainings, and count with those that all of them share.

    Where two factors are crossed at all, each factor has main effects. An interaction takes all four cells of two levels of
    two factors, under at least one setting of the others. Both are means over all settings of the other factors under
    which every cell is there, in a grid all of them. Variants without an accuracy have no part in a mean, and those with
    other factors than the baseline are no cells. Where another family is judged, the effects are only described.

    Returns:
        The effects, interactions last. Those of which nothing is known count in the family. Where readouts have no
        training that all of them share, there is no difference either. Empty where the design allows no interaction.

    Raises:
        ValueError: two variants with the same levels, keys that do not fit the accuracies, or a margin that is not positive.
    """
    cells = _cells(accuracies, levels, baseline, trainings or {}, test_images or {})
    factors, middle = tuple(baseline), tuple(baseline.values())
    trained = dict.fromkeys(setting for setting, cell in cells.items() if len(cell.values))
    contrasts = {
        changes: _Contrast({setting: (cells[setting], weight) for setting, weight in weights.items()})
        for changes, weights in _contrasts(cells, middle, trained).items()
    }
    hypotheses = {str(number): contrast for number, contrast in enumerate(contrasts.values())}
    if are_judged:
        verdicts = judge(hypotheses, margin, schedule)
    else:
        verdicts = {name: described(each) for name, each in hypotheses.items()}
    return [
        _effect(factors, middle, changes, contrast, verdict)
        for (changes, contrast), verdict in zip(contrasts.items(), verdicts.values(), strict=True)
    ]


def _effect(
    factors: Setting, middle: Setting, changes: Sequence[_Change], contrast: _Contrast, verdict: Verdict
) -> Effect:
    changed = {f for f, _ in changes}
    return Effect(
        kind=EffectKind.MAIN if len(changes) == 1 else EffectKind.INTERACTION,
        changes=tuple(Change(factors[f], level, middle[f]) for f, level in changes),
        averaged_over=tuple(factors[f] for f in range(len(factors)) if f not in changed and _varies(contrast.cells, f)),
        variants=tuple(cell.variant for cell, _ in contrast.cells.values()),
        p=float(contrast.compared().p_difference()),
        verdict=verdict,
    )


class _Cell(NamedTuple):
    variant: str
    values: Floats  # [n]
    keys: tuple[Hashable, ...]  # of the trainings
    least: float  # variance

    def first(self, n: int | None) -> _Cell:
        return self._replace(values=self.values[:n], keys=self.keys[:n])


def _cells(
    accuracies: Mapping[str, ArrayLike],
    levels: Mapping[str, Mapping[str, str]],
    baseline: Mapping[str, str],
    trainings: Mapping[str, Sequence[str]],
    test_images: Mapping[str, int | None],
) -> dict[Setting, _Cell]:
    cells: dict[Setting, _Cell] = {}
    for name, given in accuracies.items():
        values = np.asarray(given, float).reshape(-1)
        if name not in levels or levels[name].keys() != baseline.keys():
            continue
        keys: tuple[Hashable, ...] = tuple(trainings.get(name) or ((name, number) for number in range(len(values))))
        if len(keys) != len(values):
            raise ValueError(f"{name} has {len(values)} accuracies and {len(keys)} training keys")
        setting = tuple(levels[name][factor] for factor in baseline)
        if setting in cells:
            raise ValueError(f"{name} and {cells[setting].variant} have the same levels")
        cells[setting] = _Cell(name, values, keys, rounding_variance(test_images.get(name)))
    return cells


_Change = tuple[int, str]  # of a factor to a level


def _contrasts(
    cells: Collection[Setting], middle: Setting, trained: Collection[Setting] | None = None
) -> dict[tuple[_Change, ...], dict[Setting, float]]:
    """The weights of each effect that the cells allow, main effects first; of those that are ``trained`` (default: all)."""
    changes = [
        (f, level)
        for f in range(len(middle))
        for level in dict.fromkeys(setting[f] for setting in cells)
        if level != middle[f]
    ]
    crossed = [(a, b) for a, b in itertools.combinations(changes, 2) if a[0] != b[0]]
    pairs = [pair for pair in crossed if _weights(cells, middle, pair)]
    if not pairs:
        return {}
    alone = [(change,) for change in changes if _weights(cells, middle, (change,))]
    counted = cells if trained is None else trained
    return {each: _weights(counted, middle, each) for each in (*alone, *pairs)}


def _weights(cells: Collection[Setting], middle: Setting, changes: Sequence[_Change]) -> dict[Setting, float]:
    """The weight of each cell in the effect of one change, or in the interaction of two; empty where cells are missing."""
    blocks = []
    for context in dict.fromkeys(_changed(setting, [(f, middle[f]) for f, _ in changes]) for setting in cells):
        signed = {}
        for mask in itertools.product((False, True), repeat=len(changes)):
            chosen = [change for change, is_made in zip(changes, mask, strict=True) if is_made]
            signed[_changed(context, chosen)] = (-1.0) ** (len(changes) - len(chosen))
        if all(setting in cells for setting in signed):
            blocks.append(signed)
    return {setting: sign / len(blocks) for signed in blocks for setting, sign in signed.items()}


def _changed(setting: Setting, changes: Sequence[_Change]) -> Setting:
    new = list(setting)
    for factor, level in changes:
        new[factor] = level
    return tuple(new)


class _Contrast(NamedTuple):
    """A weighted sum of the cells' means: a hypothesis. Error and degrees are nan where a spread is not known."""

    cells: Mapping[Setting, tuple[_Cell, float]]

    @property
    def seeds(self) -> int:
        return min((len(cell.values) for cell, _ in self.cells.values()), default=0)

    def compared(self, seeds: int | None = None) -> Comparison:
        nan = np.asarray(np.nan)
        groups = [_together(each) for each in _groups([(cell.first(seeds), w) for cell, w in self.cells.values()])]
        difference = np.asarray(sum(group.values.mean() for group in groups)) if groups else nan
        if min((len(group.values) for group in groups), default=0) < 2:
            return Comparison(difference, nan, nan)
        variances = [max(group.values.var(ddof=1), group.least) for group in groups]
        return combined(difference, variances, [len(group.values) for group in groups])


def _groups(weighted: Sequence[tuple[_Cell, float]]) -> list[list[tuple[_Cell, float]]]:
    """Cells that have trainings in common, together."""
    group_of: dict[Hashable, int] = {}
    groups: dict[int, list[tuple[_Cell, float]]] = {}
    for number, (cell, weight) in enumerate(weighted):
        joined = {group_of[key] for key in cell.keys if key in group_of}
        groups[number] = [*(each for other in sorted(joined) for each in groups.pop(other)), (cell, weight)]
        group_of |= {key: number for each, _ in groups[number] for key in each.keys}
    return list(groups.values())


class _Group(NamedTuple):
    """Its part of a contrast, training by training [n]; one nan where no training is shared by all."""

    values: Floats
    least: float  # variance


def _together(group: Sequence[tuple[_Cell, float]]) -> _Group:
    by_key = [dict(zip(cell.keys, weight * cell.values, strict=True)) for cell, weight in group]
    common = [key for key in by_key[0] if all(key in values for values in by_key)]
    values = np.array([sum(values[key] for values in by_key) for key in common] or [np.nan])
    return _Group(values, sum(weight**2 * cell.least for cell, weight in group))


def _varies(settings: Iterable[Setting], factor: int) -> bool:
    return len({setting[factor] for setting in settings}) > 1
