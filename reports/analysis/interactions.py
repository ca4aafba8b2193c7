"""Effects of the factors and their interactions, as a table with a sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from zoo.stats.effects import Effect, EffectKind, effects
from zoo.stats.power import ALPHA
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import level_text, listed

COLUMNS = (
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
)


def frame(
    accuracies: Mapping[str, ArrayLike],
    levels: Mapping[str, Mapping[str, Any]],
    baseline: Mapping[str, Any],
    trainings: Mapping[str, Sequence[str]] | None = None,
    margin: float | None = None,
) -> pd.DataFrame:
    """One row an effect (``zoo.stats.effects``), interactions last; levels are values as JSON has them.

    Columns: kind (``main``, ``interaction``), factor, level, with_factor and with_level (empty for main effects), cells,
    difference_points, low_points, high_points, p, p_adjusted, p_equivalence, verdict (of a main effect; empty for an
    interaction), and a sentence. Empty where the design allows no interaction.

    Raises:
        ValueError: as ``effects``.
    """
    texts = {name: {factor: level_text(level) for factor, level in own.items()} for name, own in levels.items()}
    middle = {factor: level_text(level) for factor, level in baseline.items()}
    rows = [_row(effect, margin) for effect in effects(accuracies, texts, middle, trainings, margin)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(effect: Effect, margin: float | None) -> dict[str, object]:
    names = [text for change in effect.changes for text in (change.factor, change.level)]
    sentence = _main_words(effect, margin) if effect.kind is EffectKind.MAIN else _interaction_words(effect)
    values = (
        *(effect.kind.value, *names, *[""] * (4 - len(names)), effect.cells, effect.points, effect.low, effect.high),
        *(effect.p, effect.p_adjusted, effect.p_equivalence, effect.verdict.value if effect.verdict else "", sentence),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _figures(effect: Effect) -> str:
    """How large it is, and over what it is averaged."""
    tail = f", on average over {listed(effect.averaged_over)}" if effect.averaged_over else ""
    if np.isfinite(effect.low):
        return f"{tail}: {effect.points:+.2f} points [{effect.low:+.2f}, {effect.high:+.2f}]"
    return f"{tail}: {effect.points:+.2f} points [n/a]"


def _main_words(effect: Effect, margin: float | None) -> str:
    (change,) = effect.changes
    what = f"{change.factor} {change.level} instead of {change.instead_of}"
    if effect.verdict is VerdictWord.EQUIVALENT:
        return f"{what} is equivalent within {margin:g} points{_figures(effect)}."
    if effect.verdict in (VerdictWord.HELPS, VerdictWord.HURTS):
        return f"{what} {effect.verdict}{_figures(effect)}."
    lacking = "; it takes two seeds of each" if effect.verdict is VerdictWord.NONE else ""
    return f"{what}: no effect shown{_figures(effect)}{lacking}."


def _interaction_words(effect: Effect) -> str:
    change, other = effect.changes
    what = f"{change.factor} {change.level} instead of {change.instead_of}"
    context = f"{other.factor} {other.level} than with {other.instead_of}"
    if effect.p_adjusted < ALPHA:
        return f"{what} is worth {'more' if effect.points > 0 else 'less'} with {context}{_figures(effect)}."
    lacking = "; it takes two seeds of each" if np.isnan(effect.p_adjusted) else ""
    return f"{what}: not shown to be worth more or less with {context}{_figures(effect)}{lacking}."
