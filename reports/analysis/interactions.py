"""Effects of the factors and their interactions, as a table with a sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from zoo.stats.effects import Effect, EffectKind, effects
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import level_text, listed
from zoo.text.wording import points_text

COLUMNS = (
    *("kind", "factor", "level", "with_factor", "with_level", "cells"),
    *("difference_points", "low_points", "high_points"),
    *("verdict", "verdict_difference_points", "verdict_low_points", "verdict_high_points", "verdict_level"),
    *("difference_shown", "beyond_margin", "p", "p_adjusted", "p_equivalence", "seeds_at_verdict", "seeds_needed"),
    "sentence",
)


def frame(
    accuracies: Mapping[str, ArrayLike],
    levels: Mapping[str, Mapping[str, Any]],
    baseline: Mapping[str, Any],
    trainings: Mapping[str, Sequence[str]] | None = None,
    margin: float | None = None,
) -> pd.DataFrame:
    """The ``table`` of the effects in these accuracies; levels are values as JSON has them.

    Raises:
        ValueError: as ``effects``.
    """
    texts = {name: {factor: level_text(level) for factor, level in own.items()} for name, own in levels.items()}
    middle = {factor: level_text(level) for factor, level in baseline.items()}
    return table(effects(accuracies, texts, middle, trainings, margin), margin)


def table(found: Sequence[Effect], margin: float | None) -> pd.DataFrame:
    """One row an effect (``zoo.stats.effects``), interactions last.

    Columns: kind (``main``, ``interaction``), factor, level, with_factor and with_level (empty for main effects), cells;
    difference_points of all results with low_points and high_points; the verdict, with what it rests on as in
    ``reports.analysis.variants.frame`` (of an interaction ``helps`` means: worth more together), p of one test alone and
    the adjusted ones, and a sentence. Empty where the design allows no interaction.
    """
    rows = pd.DataFrame([_row(effect, margin) for effect in found], columns=list(COLUMNS))
    return rows.astype({"seeds_at_verdict": "Int64", "seeds_needed": "Int64", "beyond_margin": "boolean"})


def _row(effect: Effect, margin: float | None) -> dict[str, object]:
    names = [text for change in effect.changes for text in (change.factor, change.level)]
    verdict = effect.verdict
    sentence = _main_words(effect, margin) if effect.kind is EffectKind.MAIN else _interaction_words(effect, margin)
    values = (
        *(effect.kind.value, *names, *[""] * (4 - len(names)), len(effect.variants)),
        *(verdict.difference, verdict.low, verdict.high),
        *(verdict.word.value, verdict.verdict_difference, verdict.verdict_low, verdict.verdict_high, verdict.level),
        *(verdict.is_different, pd.NA if verdict.more_than_margin is None else verdict.more_than_margin),
        *(effect.p, verdict.p_difference, verdict.p_equivalence),
        *(verdict.seeds, verdict.seeds_needed or pd.NA, sentence),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _figures(effect: Effect) -> str:
    """How large it is, and over what it is averaged."""
    tail = f", on average over {listed(effect.averaged_over)}" if effect.averaged_over else ""
    verdict = effect.verdict
    if np.isnan(verdict.difference):
        return ": not known yet"
    interval = f"[{verdict.low:+.2f}, {verdict.high:+.2f}]" if np.isfinite(verdict.low) else "[n/a]"
    return f"{tail}: {verdict.difference:+.2f} points {interval}"


def _main_words(effect: Effect, margin: float | None) -> str:
    (change,) = effect.changes
    what, word = f"{change.factor} {change.level} instead of {change.instead_of}", effect.verdict.word
    if word is VerdictWord.IDENTICAL:
        return f"{what}: the same results to the bit, so it does nothing here."
    if word is VerdictWord.WITHHELD:
        return f"{what}: no verdict, as the design was changed{_figures(effect)}."
    if word is VerdictWord.EQUIVALENT:
        return f"{what} is equivalent within {points_text(margin)}{_figures(effect)}."
    if word in (VerdictWord.HELPS, VerdictWord.HURTS):
        return f"{what} {word}{_figures(effect)}."
    if word is VerdictWord.DESCRIPTIVE:
        return f"{what}{_figures(effect)}."
    if not effect.variants:
        return f"{what}{_figures(effect)}."
    return f"{what}: no effect shown{_figures(effect)}{_lacking(effect)}."


def _interaction_words(effect: Effect, margin: float | None) -> str:
    change, other = effect.changes
    what, word = f"{change.factor} {change.level} instead of {change.instead_of}", effect.verdict.word
    context = f"{other.factor} {other.level} than with {other.instead_of}"
    if word is VerdictWord.IDENTICAL:
        return f"{what} and {other.factor} {other.level}: one of them does nothing here, to the bit."
    if word is VerdictWord.WITHHELD:
        return f"{what} with {context}: no verdict, as the design was changed{_figures(effect)}."
    if word in (VerdictWord.HELPS, VerdictWord.HURTS):
        return f"{what} is worth {'more' if word is VerdictWord.HELPS else 'less'} with {context}{_figures(effect)}."
    if word is VerdictWord.EQUIVALENT:
        context = f"{other.factor} {other.level} as with {other.instead_of}"
        return f"{what} is worth the same, within {points_text(margin)}, with {context}{_figures(effect)}."
    if word is VerdictWord.DESCRIPTIVE:
        return f"{what} with {context}{_figures(effect)}."
    if not effect.variants:
        return f"{what} with {context}{_figures(effect)}."
    return f"{what}: not shown to be worth more or less with {context}{_figures(effect)}{_lacking(effect)}."


def _lacking(effect: Effect) -> str:
    return "; it takes two seeds of each" if effect.verdict.seeds < 2 else ""
