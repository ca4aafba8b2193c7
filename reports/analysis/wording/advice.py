"""What to do about a component, in one sentence beside the verdict: what it saves and costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.analysis.prices.words import price
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed


def advice(row: Mapping[str, Any], baseline: Mapping[str, Any], what: str = "") -> str:
    """One sentence, from two rows of ``variants.frame``, beside the verdict; ``what`` are the ``names.steps``, if known."""
    do = what or f"use {row['variant']} instead of {baseline['variant']}"
    price_change = price(row, baseline)
    saves, costs = listed(price_change.saves), listed(price_change.costs)
    untold = f"; {listed(price_change.untold)}" if price_change.untold else ""
    word = row["verdict"]
    if word == VerdictWord.DESCRIPTIVE:
        return ""  # what to do about a cell follows from the effects of the factors
    if word == VerdictWord.EQUIVALENT:
        if saves and not costs:
            return f"{_capital(do)}: {saves}."
        if costs and not saves:
            return f"Do not {do}: it costs more: {costs}."
        if saves:
            return f"{_capital(do)} if that trade suits you: {saves}, but {costs}."
        return f"Take either{', at the same price' if price_change.is_the_same else untold}."
    if word == VerdictWord.HELPS:
        if not costs:
            saved = (
                f": it saves, too: {saves}" if saves else ", at no extra price" if price_change.is_the_same else untold
            )
            return f"{_capital(do)}{saved}."
        return f"{_capital(do)} if the accuracy is worth it: {costs}" + (f"; but {saves}." if saves else ".")
    if word == VerdictWord.HURTS:
        if not saves:
            return f"Do not {do}" + (f": it costs more, too: {costs}." if costs else ".")
        return f"Do not {do}, unless the price matters more than the accuracy: {saves}" + (
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
    return f": it would take about {max(int(needed), int(row['n']) + 1)} seeds of each"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
