"""One variant against the baseline: the answer, its price, and what it takes to know more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.analysis.prices import words
from reports.analysis.validity import design
from reports.analysis.wording.names import Change
from reports.store.sweep import Sweep
from zoo.stats.power import ALPHA, MOST_SEEDS
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed

FIRST_SEEDS = "Train at least 3 seeds of each, best with seeds: {min: 3, max: 10, until: decided}."
RISK = f"risk of being wrong at most {100 * ALPHA:g} %"


def answer(row: Mapping[str, Any], baseline: Mapping[str, Any], change: Change, margin: str) -> str:
    """In the words of the question, with both accuracies. ``row`` and ``baseline`` are rows of ``variants.frame``;
    ``margin`` is a phrase (``margins.of``)."""
    sides = f"{row['accuracy_percent_mean']:.2f} % {change.new}, {baseline['accuracy_percent_mean']:.2f} % {change.old}"
    what = f"whether {change.factor} matters" if change.factor else f"whether to {change.take}"
    word = VerdictWord(row["verdict"] or VerdictWord.NONE)
    trainings = trainings_words(row, baseline, change)
    if word in (VerdictWord.FAILED, VerdictWord.DID_NOT_LEARN):
        ended = "failed" if word is VerdictWord.FAILED else "did not learn"
        return f"It cannot be told {what}: the trainings {change.new} {ended}."
    if row.get("n_failed") or baseline.get("n_failed"):
        return (
            f"Find out first why trainings failed. Of the others: {sides} ({trainings}). {_of_the_others(row, margin)}"
        )
    if word is VerdictWord.EQUIVALENT:
        return f"{capital(change.may)}: {sides}. {_within(row, margin)} ({trainings}, {RISK})."
    if word in (VerdictWord.HELPS, VerdictWord.HURTS):
        do = change.take if word is VerdictWord.HELPS else change.leave
        more = "more" if word is VerdictWord.HELPS else "less"
        points = f"{abs(row['difference_points']):.2f} points"
        return (
            f"{capital(do)}: {sides}. That is {points} {more} ({interval_words(row)}; {trainings}, {RISK})"
            f"{_beyond(row, margin)}."
        )
    if word is VerdictWord.IDENTICAL:
        return (
            f"{capital(change.may)}: {sides}. It does nothing here: each training answers as the baseline's of that seed, "
            f"to the bit ({trainings})."
        )
    if word is VerdictWord.WITHHELD:
        low, high = interval(row)
        return (
            f"It is not said {what}, because the design was changed after results could be seen: {sides} ({trainings}; "
            f"anything from {low:+.2f} to {high:+.2f} points fits them)."
        )
    why = _not_shown(row, margin) if word is VerdictWord.UNDECIDED else _no_spread(row, baseline)
    return f"It cannot be told yet {what}: {sides} ({trainings}). {why}"


def _of_the_others(row: Mapping[str, Any], margin: str) -> str:
    """What is shown of those that did not fail, without advice."""
    if row["verdict"] == VerdictWord.EQUIVALENT:
        return f"{_within(row, margin)}; that says nothing of why some failed."
    if row["verdict"] in (VerdictWord.HELPS, VerdictWord.HURTS):
        return f"The difference is {row['difference_points']:+.2f} points ({interval_words(row)})."
    return "It cannot be told yet whether they differ."


def _within(row: Mapping[str, Any], margin: str) -> str:
    if row.get("difference_shown"):
        return f"The difference is real, but smaller than {margin}"
    return f"The difference is smaller than {margin}"


def _beyond(row: Mapping[str, Any], margin: str) -> str:
    """What is shown of the margin, where a difference is."""
    beyond = row.get("beyond_margin")
    if not margin or beyond is None or pd.isna(beyond):
        return ""
    return f", more than {margin}" if beyond else f". Whether it is more than {margin} cannot be told"


def _not_shown(row: Mapping[str, Any], margin: str) -> str:
    low, high = interval(row)
    fits = f"Anything from {low:+.2f} to {high:+.2f} points fits these trainings"
    if margin:
        return f"{fits}, so neither is a difference shown nor that it is smaller than {margin}."
    return f"{fits}; no margin was declared, so it could not be shown that there is no difference."


def _no_spread(row: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    if min(row["n"], baseline["n"]) > 1:
        return "Not all seeds that the first verdict takes have been trained."
    return "One training of a side says nothing of how far another one would be off."


def price(row: Mapping[str, Any], baseline: Mapping[str, Any], change: Change) -> str:
    """What it saves and costs, and what of that cannot be told."""
    found = words.price(row, baseline)
    parts = [
        f"What it saves {change.new}: {listed(found.saves)}." if found.saves else "",
        f"What it costs {change.new}: {listed(found.costs)}." if found.costs else "",
        f"The same: {listed(found.same)}." if found.same and (found.saves or found.costs or found.untold) else "",
        f"The price {change.new} is the same: {listed(found.same)}." if found.is_the_same else "",
        *(f"{capital(each)}." for each in found.untold),
    ]
    return " ".join(filter(None, parts)) or "What it costs was not measured."


def more(row: Mapping[str, Any], baseline: Mapping[str, Any], sweep: Sweep) -> str:
    """What to train to decide it; "" where it is decided."""
    word, n = VerdictWord(row["verdict"] or VerdictWord.NONE), int(min(row["n"], baseline["n"]))
    if word is VerdictWord.NONE:
        return "" if n > 1 else FIRST_SEEDS
    if word is VerdictWord.WITHHELD:
        return f"To decide it, ask for fresh seeds in a new sweep (--name): {design.recommended_seeds(sweep, 10)}."
    return seeds_words(row, n, sweep) if word is VerdictWord.UNDECIDED else ""


def seeds_words(row: Mapping[str, Any], n: int, sweep: Sweep) -> str:
    """How many seeds it takes, as a range, since the spread is an estimate itself; and how to ask for them."""
    needed = row.get("seeds_needed")
    if needed is None or pd.isna(needed):
        return "No affordable number of seeds would decide a difference like this one."
    most = max(int(needed), n + 1)
    text = f"If the truth is what was seen, about {most} seeds of each decide it{_range(row)}"
    if sweep.schedule is None or n >= sweep.schedule.last:
        return f"{text}. Ask for fresh ones in a new sweep (--name): {design.recommended_seeds(sweep, most)}."
    last = sweep.schedule.last
    return f"{text}; the sweep goes on to at most {last}." if most <= last else f"{text}, but the sweep ends at {last}."


def _range(row: Mapping[str, Any]) -> str:
    """`` (9 to 54, as the spread is known from few trainings)``, where that is known."""
    low, high = row.get("seeds_needed_low"), row.get("seeds_needed_high")
    if low is None or pd.isna(low):
        return ""
    most = f"more than {MOST_SEEDS:,}" if high is None or pd.isna(high) else f"{int(high)}"
    return f" ({int(low)} to {most}, as the spread itself is an estimate from few trainings)"


# --- parts of sentences ------------------------------------------------------------------------------------------


def interval(row: Mapping[str, Any]) -> tuple[float, float]:
    """The one that the verdict used, in points."""
    ends = [number(row.get(f"verdict_{end}_points")) for end in ("low", "high")]
    if any(map(math.isnan, ends)):
        ends = [number(row.get(f"difference_{end}_points")) for end in ("low", "high")]
    return ends[0], ends[1]


def interval_words(row: Mapping[str, Any]) -> str:
    low, high = interval(row)
    level = number(row.get("verdict_level"))
    percent = 95 if math.isnan(level) else 100 * level
    return f"{percent:.4g} % interval {low:+.2f} to {high:+.2f}"


def trainings_words(row: Mapping[str, Any], baseline: Mapping[str, Any], change: Change) -> str:
    """``7 trainings each``"""
    if row["n"] == baseline["n"]:
        return f"{row['n']} training{'s' if row['n'] != 1 else ''} each"
    return f"{row['n']} training{'s' if row['n'] != 1 else ''} {change.new}, {baseline['n']} {change.old}"


def number(value: Any) -> float:
    """nan for what is missing."""
    return math.nan if value is None or pd.isna(value) else float(value)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
