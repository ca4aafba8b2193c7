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
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from zoo.stats import verdicts
from zoo.stats.power import ALPHA
from zoo.stats.verdicts import Comparison, holm
from zoo.text.listing import listed, shown

MAIN, INTERACTION = "main", "interaction"
COLUMNS = [
    *(
        "kind",
        "factor",
        "level",
        "with_factor",
        "with_level",
        "cells",
        "difference_points",
        "low_points",
        "high_points",
    ),
    *("p", "p_adjusted", "p_equivalence", "verdict", "sentence"),
]

Setting = tuple[str, ...]  # a level of each factor, as text


def effects(
    accuracies: Mapping[str, ArrayLike],
    levels: Mapping[str, Mapping[str, Any]],
    baseline: Mapping[str, Any],
    trainings: Mapping[str, Sequence[str]] | None = None,
    margin: float | None = None,
) -> pd.DataFrame:
    """Main effects and two-way interactions of every factor's levels, each against the ``baseline``'s level.

    ``accuracies`` [n] of each variant, in the order of the seeds, and its ``levels``, values as JSON has them (a factor
    that is missing is at the baseline's). ``trainings`` has a key for each accuracy; cells with keys in common are readouts
    of the same trainings, and count with those that all of them share.

    An interaction of two factors takes all four cells of their levels, under at least one setting of the other factors; a
    factor has main effects where it has an interaction. Both are means over all settings of the other factors under which
    every cell is there, in a grid all of them. Variants without an accuracy are no cells.

    Returns:
        One row an effect, interactions last. Columns: kind (``main``, ``interaction``), factor, level, with_factor and
        with_level (empty for main effects), cells (how many it rests on), difference_points, low_points and high_points (of
        the 95 % interval), p, p_adjusted (by Holm's method, over the rows of the same kind), p_equivalence (of two one-sided
        tests within the ``margin`` in points, adjusted likewise; nan without one), verdict (of a main effect, as in
        ``verdicts``; empty for an interaction), and a sentence. No interval and no p (nan) where an independent cell
        has one seed; such an effect counts in the family. Where readouts have no training that all of them share, there is
        no difference either. Empty where the design allows no interaction.

    Raises:
        ValueError: two variants with the same levels, a level of a factor that the baseline does not have, or keys that do
            not fit the accuracies.
    """
    cells = _cells(accuracies, levels, baseline, trainings or {})
    factors = list(baseline)
    middle = tuple(shown(level) for level in baseline.values())
    changes = [(f, level) for f in range(len(factors)) for level in _levels(cells, f) if level != middle[f]]
    blocks = {
        (one, two): found
        for one, two in itertools.combinations(changes, 2)
        if one[0] != two[0] and (found := _weights(cells, middle, [one, two]))
    }
    crossed = {f for pair in blocks for f, _ in pair}
    mains = {(one,): _weights(cells, middle, [one]) for one in changes if one[0] in crossed}
    rows = []
    for kind, contrasts in ((MAIN, mains), (INTERACTION, blocks)):
        found = [_contrast(cells, weights) for weights in contrasts.values()]
        p = np.array([float(each.p_difference()) for each in found])
        within = np.array([float(each.p_equivalence(margin)) if margin else np.nan for each in found])
        columns = zip(p, _adjusted(p), _adjusted(within), strict=True)
        for change, weights, each, ps in zip(contrasts, contrasts.values(), found, columns, strict=True):
            rows.append(_row(kind, factors, middle, change, cells, weights, each, ps, margin))
    return pd.DataFrame(rows, columns=COLUMNS)


def _adjusted(p: NDArray) -> NDArray:
    """By Holm's method; what is nan stays so, and counts in the family."""
    return np.where(np.isnan(p), np.nan, holm(np.nan_to_num(p, nan=1.0))) if len(p) else p


class _Cell(NamedTuple):
    values: NDArray  # [n]
    keys: tuple[Hashable, ...]  # of the trainings


def _cells(
    accuracies: Mapping[str, ArrayLike],
    levels: Mapping[str, Mapping[str, Any]],
    baseline: Mapping[str, Any],
    trainings: Mapping[str, Sequence[str]],
) -> dict[Setting, _Cell]:
    cells: dict[Setting, _Cell] = {}
    names: dict[Setting, str] = {}
    for name, given in accuracies.items():
        values = np.asarray(given, float).reshape(-1)
        if name not in levels or not len(values):
            continue
        if unknown := set(levels[name]) - set(baseline):
            raise ValueError(f"{name} has a level of {sorted(unknown)[0]}, of which the baseline has none")
        keys = tuple(trainings.get(name) or ((name, place) for place in range(len(values))))
        if len(keys) != len(values):
            raise ValueError(f"{name} has {len(values)} accuracies and {len(keys)} training keys")
        place = tuple(shown(levels[name].get(factor, level)) for factor, level in baseline.items())
        if place in cells:
            raise ValueError(f"{name} and {names[place]} have the same levels")
        cells[place], names[place] = _Cell(values, keys), name
    return cells


def _levels(cells: Mapping[Setting, Any], factor: int) -> list[str]:
    return list(dict.fromkeys(setting[factor] for setting in cells))


Change = tuple[int, str]  # of a factor to a level


def _weights(cells: Mapping[Setting, Any], middle: Setting, changes: Sequence[Change]) -> dict[Setting, float]:
    """The weight of each cell in the effect of one change, or in the interaction of two; empty where cells are missing."""
    found = []
    for context in dict.fromkeys(_changed(setting, [(f, middle[f]) for f, _ in changes]) for setting in cells):
        signed = {}
        for made in itertools.product((False, True), repeat=len(changes)):
            chosen = [change for change, is_made in zip(changes, made, strict=True) if is_made]
            signed[_changed(context, chosen)] = (-1.0) ** (len(changes) - len(chosen))
        if all(setting in cells for setting in signed):
            found.append(signed)
    return {setting: sign / len(found) for signed in found for setting, sign in signed.items()}


def _changed(setting: Setting, changes: Sequence[Change]) -> Setting:
    new = list(setting)
    for factor, level in changes:
        new[factor] = level
    return tuple(new)


def _contrast(cells: Mapping[Setting, _Cell], weights: Mapping[Setting, float]) -> Comparison:
    """The weighted sum of the cells' means; error and degrees are nan where a spread is not known."""
    groups = [_together(group) for group in _groups([(cells[setting], weight) for setting, weight in weights.items()])]
    difference = sum(values.mean() for values in groups)
    if min(len(values) for values in groups) < 2:
        return Comparison(*(np.asarray(value) for value in (difference, np.nan, np.nan)))
    shares = np.array([values.var(ddof=1) / len(values) for values in groups])
    freedom = np.array([len(values) - 1.0 for values in groups])
    total, spread = shares.sum(), (shares**2 / freedom).sum()
    degrees = total**2 / spread if spread > 0 else freedom.min()
    return Comparison(np.asarray(difference), np.sqrt(total), np.asarray(degrees))


def _groups(weighted: Sequence[tuple[_Cell, float]]) -> list[list[tuple[_Cell, float]]]:
    """Cells that have trainings in common, together."""
    group_of: dict[Hashable, int] = {}
    groups: dict[int, list[tuple[_Cell, float]]] = {}
    for number, (cell, weight) in enumerate(weighted):
        met = {group_of[key] for key in cell.keys if key in group_of}
        groups[number] = [*(each for other in sorted(met) for each in groups.pop(other)), (cell, weight)]
        group_of |= {key: number for each, _ in groups[number] for key in each.keys}
    return list(groups.values())


def _together(group: Sequence[tuple[_Cell, float]]) -> NDArray:
    """The group's part of a contrast, training by training [n]; one nan where no training is shared by all."""
    by_key = [dict(zip(cell.keys, weight * cell.values, strict=True)) for cell, weight in group]
    common = [key for key in by_key[0] if all(key in values for values in by_key)]
    return np.array([sum(values[key] for values in by_key) for key in common] or [np.nan])


def _row(
    kind: str,
    factors: Sequence[str],
    middle: Setting,
    changes: Sequence[Change],
    cells: Mapping[Setting, Any],
    weights: Mapping[Setting, float],
    found: Comparison,
    ps: tuple[float, float, float],
    margin: float | None,
) -> dict[str, object]:
    names = [text for f, level in changes for text in (factors[f], level)]
    low, high = (float(end) for end in found.interval(ALPHA))
    points = float(found.difference)
    rest = [factors[f] for f in range(len(factors)) if f not in dict(changes) and _varies(weights, f)]
    verdict = _verdict(points, *ps[1:]) if kind == MAIN else ""
    instead = [(factors[f], level, middle[f]) for f, level in changes]
    tail = f", on average over {listed(rest)}" if rest else ""
    figures = f"{points:+.2f} points [{low:+.2f}, {high:+.2f}]" if np.isfinite(low) else f"{points:+.2f} points [n/a]"
    if kind == MAIN:
        sentence = _main_words(instead, verdict, margin, figures, tail)
    else:
        sentence = _interaction_words(instead, points, ps[1], figures, tail)
    values = (kind, *names, *[""] * (4 - len(names)), len(weights), points, low, high, *ps, verdict, sentence)
    return dict(zip(COLUMNS, values, strict=True))


def _verdict(points: float, p_difference: float, p_equivalence: float) -> str:
    if np.isnan(p_difference):
        return verdicts.NONE
    if p_equivalence < ALPHA:
        return verdicts.EQUIVALENT
    if p_difference < ALPHA:
        return verdicts.HELPS if points > 0 else verdicts.HURTS
    return verdicts.UNDECIDED


def _varies(weights: Mapping[Setting, float], factor: int) -> bool:
    return len({setting[factor] for setting in weights}) > 1


def _main_words(
    instead: Sequence[tuple[str, str, str]], verdict: str, margin: float | None, figures: str, tail: str
) -> str:
    ((factor, level, base),) = instead
    what = f"{factor} {level} instead of {base}"
    if verdict == verdicts.EQUIVALENT:
        return f"{what} is equivalent within {margin:g} points{tail}: {figures}."
    if verdict in (verdicts.HELPS, verdicts.HURTS):
        return f"{what} {verdict}{tail}: {figures}."
    lacking = "; it takes two seeds of each" if verdict == verdicts.NONE else ""
    return f"{what}: no effect shown{tail}: {figures}{lacking}."


def _interaction_words(
    instead: Sequence[tuple[str, str, str]], points: float, p: float, figures: str, tail: str
) -> str:
    (factor, level, base), (other, its, its_base) = instead
    what, where = f"{factor} {level} instead of {base}", f"{other} {its} than with {its_base}"
    if p < ALPHA:
        return f"{what} is worth {'more' if points > 0 else 'less'} with {where}{tail}: {figures}."
    return f"{what}: not shown to be worth more or less with {where}{tail}: {figures}{_why(p)}."


def _why(p: float) -> str:
    return "; it takes two seeds of each" if np.isnan(p) else ""
