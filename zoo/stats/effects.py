"""What each factor does, and whether it does the same whatever the other factors are: effects in a factorial design.

Accuracies in points (percent), one a training. An effect is a contrast: a sum of weights times the means of cells, that is
variants. The weights of all cells with a level add up to 1, those of all cells with the baseline's level to -1, and every
combination of the other factors' levels counts the same. An interaction is the difference of two such differences. The
error comes from each cell's own spread, never a pooled one, with degrees of freedom by Welch and Satterthwaite for a
contrast (B. L. Welch, "On the comparison of several mean values", Biometrika 38, 1951; F. E. Satterthwaite, Biometrics
Bulletin 2, 1946): the variance is the sum of w^2 s^2 / n over the cells. Cells that are read from the same trainings are not
independent: their part of the contrast is worked out training by training, and its spread is taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from zoo.stats.comparisons import Comparison, holm
from zoo.stats.distributions import Floats
from zoo.stats.power import ALPHA
from zoo.stats.verdicts import VerdictWord

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
    """Of one change, or the interaction of two; in points. Nothing is known (nan) where a cell has one seed."""

    kind: EffectKind
    changes: tuple[Change, ...]
    averaged_over: tuple[str, ...]  # the other factors, where it is a mean over several of their levels
    cells: int  # that it rests on
    points: float
    low: float  # of the 95 % interval
    high: float
    p: float
    p_adjusted: float  # by Holm's method, over the effects of the same kind
    p_equivalence: float  # of two one-sided tests within the margin, adjusted likewise; nan without one
    verdict: VerdictWord | None  # of a main effect


def effects(
    accuracies: Mapping[str, ArrayLike],
    levels: Mapping[str, Mapping[str, str]],
    baseline: Mapping[str, str],
    trainings: Mapping[str, Sequence[str]] | None = None,
    margin: float | None = None,
) -> list[Effect]:
    """Main effects and two-way interactions of every factor's levels, each against the ``baseline``'s level.

    ``accuracies`` [n] of each variant, in the order of the seeds, and its ``levels``. ``trainings`` has a key for each
    accuracy; cells with keys in common are readouts of the same trainings, and count with those that all of them share.

    An interaction of two factors takes all four cells of their levels, under at least one setting of the other factors; a
    factor has main effects where it has an interaction. Both are means over all settings of the other factors under which
    every cell is there, in a grid all of them. Variants without an accuracy, or with other factors than the baseline, are
    no cells.

    Returns:
        The effects, interactions last. Those of which no p is known count in the family. Where readouts have no training
        that all of them share, there is no difference either. Empty where the design allows no interaction.

    Raises:
        ValueError: two variants with the same levels, or keys that do not fit the accuracies.
    """
    cells = _cells(accuracies, levels, baseline, trainings or {})
    factors, middle = tuple(baseline), tuple(baseline.values())
    changes = [(f, level) for f in range(len(factors)) for level in _levels(cells, f) if level != middle[f]]
    blocks = {
        (one, two): weights
        for one, two in itertools.combinations(changes, 2)
        if one[0] != two[0] and (weights := _weights(cells, middle, [one, two]))
    }
    crossed = {f for pair in blocks for f, _ in pair}
    mains: dict[tuple[_Change, ...], dict[Setting, float]] = {
        (one,): _weights(cells, middle, [one]) for one in changes if one[0] in crossed
    }
    all_effects: list[Effect] = []
    for kind, contrasts in ((EffectKind.MAIN, mains), (EffectKind.INTERACTION, blocks)):
        compared = [_contrast(cells, weights) for weights in contrasts.values()]
        p = np.array([float(comparison.p_difference()) for comparison in compared])
        within = np.array([float(comparison.p_equivalence(margin)) if margin else np.nan for comparison in compared])
        columns = zip(p, _adjusted(p), _adjusted(within), strict=True)
        for (change, weights), comparison, ps in zip(contrasts.items(), compared, columns, strict=True):
            all_effects.append(_effect(kind, factors, middle, change, weights, comparison, ps))
    return all_effects


def _effect(
    kind: EffectKind,
    factors: Setting,
    middle: Setting,
    changes: Sequence[_Change],
    weights: Mapping[Setting, float],
    compared: Comparison,
    ps: tuple[float, float, float],
) -> Effect:
    low, high = (float(end) for end in compared.interval(ALPHA))
    points = float(compared.difference)
    changed = {f for f, _ in changes}
    p, p_adjusted, p_equivalence = (float(value) for value in ps)
    return Effect(
        kind=kind,
        changes=tuple(Change(factors[f], level, middle[f]) for f, level in changes),
        averaged_over=tuple(factors[f] for f in range(len(factors)) if f not in changed and _varies(weights, f)),
        cells=len(weights),
        points=points,
        low=low,
        high=high,
        p=p,
        p_adjusted=p_adjusted,
        p_equivalence=p_equivalence,
        verdict=_verdict(points, p_adjusted, p_equivalence) if kind is EffectKind.MAIN else None,
    )


def _adjusted(p: Floats) -> Floats:
    """By Holm's method; what is nan stays so, and counts in the family."""
    return np.where(np.isnan(p), np.nan, holm(np.nan_to_num(p, nan=1.0))) if len(p) else p


class _Cell(NamedTuple):
    values: Floats  # [n]
    keys: tuple[Hashable, ...]  # of the trainings


def _cells(
    accuracies: Mapping[str, ArrayLike],
    levels: Mapping[str, Mapping[str, str]],
    baseline: Mapping[str, str],
    trainings: Mapping[str, Sequence[str]],
) -> dict[Setting, _Cell]:
    cells: dict[Setting, _Cell] = {}
    names: dict[Setting, str] = {}
    for name, given in accuracies.items():
        values = np.asarray(given, float).reshape(-1)
        if name not in levels or levels[name].keys() != baseline.keys() or not len(values):
            continue
        keys: tuple[Hashable, ...] = tuple(trainings.get(name) or ((name, number) for number in range(len(values))))
        if len(keys) != len(values):
            raise ValueError(f"{name} has {len(values)} accuracies and {len(keys)} training keys")
        setting = tuple(levels[name][factor] for factor in baseline)
        if setting in cells:
            raise ValueError(f"{name} and {names[setting]} have the same levels")
        cells[setting], names[setting] = _Cell(values, keys), name
    return cells


def _levels(cells: Mapping[Setting, _Cell], factor: int) -> list[str]:
    return list(dict.fromkeys(setting[factor] for setting in cells))


_Change = tuple[int, str]  # of a factor to a level


def _weights(cells: Mapping[Setting, _Cell], middle: Setting, changes: Sequence[_Change]) -> dict[Setting, float]:
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


def _contrast(cells: Mapping[Setting, _Cell], weights: Mapping[Setting, float]) -> Comparison:
    """The weighted sum of the cells' means; error and degrees are nan where a spread is not known."""
    groups = [_together(group) for group in _groups([(cells[setting], weight) for setting, weight in weights.items()])]
    difference = float(sum(values.mean() for values in groups))
    if min(len(values) for values in groups) < 2:
        return Comparison(np.asarray(difference), np.asarray(np.nan), np.asarray(np.nan))
    parts = np.array([values.var(ddof=1) / len(values) for values in groups])
    freedom = np.array([len(values) - 1.0 for values in groups])
    total, spread = parts.sum(), (parts**2 / freedom).sum()
    degrees = total**2 / spread if spread > 0 else freedom.min()
    return Comparison(np.asarray(difference), np.asarray(np.sqrt(total)), np.asarray(degrees))


def _groups(weighted: Sequence[tuple[_Cell, float]]) -> list[list[tuple[_Cell, float]]]:
    """Cells that have trainings in common, together."""
    group_of: dict[Hashable, int] = {}
    groups: dict[int, list[tuple[_Cell, float]]] = {}
    for number, (cell, weight) in enumerate(weighted):
        joined = {group_of[key] for key in cell.keys if key in group_of}
        groups[number] = [*(each for other in sorted(joined) for each in groups.pop(other)), (cell, weight)]
        group_of |= {key: number for each, _ in groups[number] for key in each.keys}
    return list(groups.values())


def _together(group: Sequence[tuple[_Cell, float]]) -> Floats:
    """The group's part of a contrast, training by training [n]; one nan where no training is shared by all."""
    by_key = [dict(zip(cell.keys, weight * cell.values, strict=True)) for cell, weight in group]
    common = [key for key in by_key[0] if all(key in values for values in by_key)]
    return np.array([sum(values[key] for values in by_key) for key in common] or [np.nan])


def _verdict(points: float, p_difference: float, p_equivalence: float) -> VerdictWord:
    if np.isnan(p_difference):
        return VerdictWord.NONE
    if p_equivalence < ALPHA:
        return VerdictWord.EQUIVALENT
    if p_difference < ALPHA:
        return VerdictWord.HELPS if points > 0 else VerdictWord.HURTS
    return VerdictWord.UNDECIDED


def _varies(weights: Mapping[Setting, float], factor: int) -> bool:
    return len({setting[factor] for setting in weights}) > 1
