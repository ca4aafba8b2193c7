"""What to do about a component, in one sentence: its effect on the accuracy beside what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.analysis.prices.words import price
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed


def advice(row: Mapping[str, Any], baseline: Mapping[str, Any], margin: float | None, what: str = "") -> str:
    """One sentence, from two rows of ``variants.frame``; ``what`` is the ``change``, where the question has factors."""
    do = what or f"use {row['variant']} instead of {baseline['variant']}"
    price_change = price(row, baseline)
    saves, costs = listed(price_change.saves), listed(price_change.costs)
    untold = f"; {listed(price_change.untold)}" if price_change.untold else ""
    word = row["verdict"]
    if word == VerdictWord.DESCRIPTIVE:
        return ""  # what to do about a cell follows from the effects of the factors
    points = f"{abs(row['difference_points']):.2f} points"
    if word == VerdictWord.EQUIVALENT:
        equivalent = f"accuracy equivalent within {margin or float('nan'):g} points"
        if price_change.saves and not price_change.costs:
            return f"{_capital(do)}: {equivalent}, {saves}."
        if price_change.costs and not price_change.saves:
            return f"Do not {do}: {equivalent}, and it costs more: {costs}."
        if price_change.saves:
            return f"{_capital(do)} if that trade suits you: {equivalent}; {saves}, but {costs}."
        return f"Take either: {equivalent}{', at the same price' if price_change.is_the_same else untold}."
    if word == VerdictWord.HELPS:
        if not price_change.costs:
            saved = f", and {saves}" if saves else ", at no extra price" if price_change.is_the_same else untold
            return f"{_capital(do)}: {points} more accurate{saved}."
        return f"{_capital(do)} if {points} of accuracy are worth it: {costs}" + (f"; but {saves}." if saves else ".")
    if word == VerdictWord.HURTS:
        if not price_change.saves:
            return f"Do not {do}: {points} less accurate" + (f", and it costs more: {costs}." if costs else ".")
        return f"Do not {do}, unless the price matters more than {points} of accuracy: {saves}" + (
            f"; but {costs}." if costs else "."
        )
    if word == VerdictWord.IDENTICAL:
        return f"It does nothing here whether you {do}: the results are the same to the bit."
    known = (
        f"; known already: {listed([*price_change.saves, *price_change.costs])}"
        if price_change.saves or price_change.costs
        else ""
    )
    if word == VerdictWord.UNDECIDED:
        return f"Do not decide yet whether to {do}{_more(row)}{known}."
    if word == VerdictWord.WITHHELD:
        return f"Ask again with fresh seeds before deciding whether to {do}{known}."
    if min(row["n"], baseline["n"]) > 1:
        return f"Train the seeds that the first verdict takes before deciding whether to {do}{known}."
    return f"Train two seeds or more of each before deciding whether to {do}{known}."


def _more(row: Mapping[str, Any]) -> str:
    needed = row.get("seeds_needed")
    if needed is None or pd.isna(needed):
        return ": no affordable number of seeds would settle a difference like this one"
    more = max(1, int(needed) - int(row["n"]))
    return f": about {more} more seed{'s' if more > 1 else ''} of each would be needed"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
