"""What to do about a component, in one sentence: its effect on the accuracy beside what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from zoo.measure import metrics
from zoo.measure.metrics import Kind, Metric
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import level_text, listed

NOISE = 1.05  # ratio of two measured values below which nothing is said; counts and sizes are exact


class Price(NamedTuple):
    """What a variant costs less, and more, than the baseline, in words."""

    saves: tuple[str, ...]
    costs: tuple[str, ...]


def price(row: Mapping[str, Any], baseline: Mapping[str, Any]) -> Price:
    """From two rows of ``variants.frame``. What is the same, not measured, or within the noise is left out."""
    saves: list[str] = []
    costs: list[str] = []
    changes: dict[str, list[str]] = {}
    for metric in sorted(metrics.among(row), key=lambda metric: metric.kind is not Kind.TIME):  # times first
        ratio = _ratio(row, baseline, metric.name) if metric.is_cost else None
        if ratio is None or _is_noise(metric, ratio):
            continue
        if metric.kind is Kind.TIME:
            (costs if ratio > 1 else saves).append(_time_words(metric, ratio))
        else:
            changes.setdefault(f"{100 * (ratio - 1):+.1f} %", []).append(metric.label)
    for change, names in changes.items():
        (costs if change.startswith("+") else saves).append(f"{listed(names)} {change}")
    return Price(tuple(saves), tuple(costs))


def _is_noise(metric: Metric, ratio: float) -> bool:
    if metric.kind in (Kind.COUNT, Kind.SIZE):
        return ratio == 1
    return 1 / NOISE <= ratio <= NOISE


def _time_words(metric: Metric, ratio: float) -> str:
    what = metric.activity or metric.label
    return f"{what} takes {ratio:.2g} times as long" if ratio > 1 else f"{what} {1 / ratio:.2g} times as fast"


def _ratio(row: Mapping[str, Any], baseline: Mapping[str, Any], column: str) -> float | None:
    ours, theirs = row.get(column), baseline.get(column)
    if ours is None or theirs is None or pd.isna(ours) or pd.isna(theirs) or not theirs or not ours > 0:
        return None
    return float(ours) / float(theirs)


def change(levels: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    """What turns the baseline into the variant: ``drop lrn``, ``add lrn``, ``use hidden 192 instead of 384``; "" if nothing.

    ``levels`` and ``baseline`` map factors to levels; a factor that one of the two does not have is not spoken of.
    """
    parts = []
    for factor in levels:
        if factor not in baseline:
            continue
        ours, theirs = levels[factor], baseline[factor]
        if ours == theirs and type(ours) is type(theirs):
            continue
        if ours is False and theirs is True:
            parts.append(f"drop {factor}")
        elif ours is True and theirs is False:
            parts.append(f"add {factor}")
        else:
            parts.append(f"use {factor} {level_text(ours)} instead of {level_text(theirs)}")
    return listed(parts)


def advice(row: Mapping[str, Any], baseline: Mapping[str, Any], margin: float | None, what: str = "") -> str:
    """One sentence, from two rows of ``variants.frame``; ``what`` is the ``change``, where the question has factors."""
    do = what or f"use {row['variant']} instead of {baseline['variant']}"
    price_change = price(row, baseline)
    saves, costs = listed(price_change.saves), listed(price_change.costs)
    word = row["verdict"]
    points = f"{abs(row['difference_points']):.2f} points"
    if word == VerdictWord.EQUIVALENT:
        equivalent = f"accuracy equivalent within {margin or float('nan'):g} points"
        if price_change.saves and not price_change.costs:
            return f"{_capital(do)}: {equivalent}, {saves}."
        if price_change.costs and not price_change.saves:
            return f"Do not {do}: {equivalent}, and it costs more: {costs}."
        if price_change.saves:
            return f"{_capital(do)} if that trade suits you: {equivalent}; {saves}, but {costs}."
        return f"Take either: {equivalent}, at the same price."
    if word == VerdictWord.HELPS:
        if not price_change.costs:
            return f"{_capital(do)}: {points} more accurate" + (f", and {saves}." if saves else ", at no extra price.")
        return f"{_capital(do)} if {points} of accuracy are worth it: {costs}" + (f"; but {saves}." if saves else ".")
    if word == VerdictWord.HURTS:
        if not price_change.saves:
            return f"Do not {do}: {points} less accurate" + (f", and it costs more: {costs}." if costs else ".")
        return f"Do not {do}, unless the price matters more than {points} of accuracy: {saves}" + (
            f"; but {costs}." if costs else "."
        )
    known = (
        f"; known already: {listed([*price_change.saves, *price_change.costs])}"
        if price_change.saves or price_change.costs
        else ""
    )
    if word == VerdictWord.UNDECIDED:
        return f"Do not decide yet whether to {do}{_more(row)}{known}."
    if min(row["n"], baseline["n"]) > 1:
        return f"Train the seeds up to the first interim analysis before deciding whether to {do}{known}."
    return f"Train two seeds or more of each before deciding whether to {do}{known}."


def _more(row: Mapping[str, Any]) -> str:
    needed = row.get("seeds_needed")
    if needed is None or pd.isna(needed):
        return ": no affordable number of seeds would settle a difference like this one"
    more = max(1, int(needed) - int(row["n"]))
    return f": about {more} more seed{'s' if more > 1 else ''} of each would be needed"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
