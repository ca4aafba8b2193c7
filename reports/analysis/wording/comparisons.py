"""Several variants against the baseline: how many help, hurt or make no difference, and which."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.analysis.wording import margins
from reports.analysis.wording.names import BASELINE, cut
from reports.analysis.wording.single import FIRST_SEEDS, number, seeds_words
from reports.store.sweep import Sweep
from zoo.stats.power import ALPHA
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed
from zoo.text.wording import points_text

MOST_NAMED = 3
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def answer(rows: Sequence[Mapping[str, Any]], baseline: Mapping[str, Any], sweep: Sweep) -> list[str]:
    """How many, then which. ``rows`` of ``variants.frame`` that have a difference to the ``baseline``'s, or a verdict."""
    groups = {word: [row for row in rows if _word(row) is word] for word in VerdictWord}
    groups[VerdictWord.HELPS].sort(key=lambda row: -row["difference_points"])
    groups[VerdictWord.HURTS].sort(key=lambda row: row["difference_points"])
    open_ = [*groups[VerdictWord.UNDECIDED], *groups[VerdictWord.NONE]]
    found = [
        (groups[VerdictWord.FAILED], "{} failed", "Failed"),
        (groups[VerdictWord.DID_NOT_LEARN], "{} did not learn", "Did not learn"),
        (groups[VerdictWord.HELPS], "{} more accurate than the baseline", "More accurate"),
        (groups[VerdictWord.HURTS], "{} less accurate", "Less accurate"),
        (
            groups[VerdictWord.EQUIVALENT],
            f"{{}} within {points_text(sweep.margin or 0)} of it",
            f"Nearer than {margins.of(sweep)}",
        ),
        (groups[VerdictWord.IDENTICAL], "{} the same as it to the bit", "The same to the bit"),
        (groups[VerdictWord.WITHHELD], "of {} nothing is said", "Not said, as the design was changed"),
        (open_, "{} cannot be told apart from it yet", "Not told yet"),
    ]
    said = [(each, count, title) for each, count, title in found if each]
    if len(said) == 1 and open_:
        return [
            f"It cannot be told yet whether any of the {len(rows)} variants differs from {_the(baseline)}.",
            _fits(rows),
        ]
    without_verb = ("Not told yet", "Failed", "Did not learn", "Not said, as the design was changed")
    counts = listed(count.format(_is(len(each), title in without_verb)) for each, count, title in said)
    named = ". ".join(f"{title}: {_named(each)}" for each, _, title in said)
    reference = f"The baseline{_name(baseline)} has {baseline['accuracy_percent_mean']:.2f} %"
    return [f"Of {len(rows)} variants {counts}.", f"{named}. {reference} {_trainings(rows, baseline)}."]


def _is(count: int, open_: bool) -> str:
    verb = "" if open_ else " is" if count == 1 else " are"
    return f"{_numbered(count)}{verb}"


def _the(baseline: Mapping[str, Any]) -> str:
    return f"the baseline{_name(baseline)} ({baseline['accuracy_percent_mean']:.2f} %)"


def _name(baseline: Mapping[str, Any]) -> str:
    return "" if baseline["label"] == BASELINE else f" {cut(baseline['variant'])}"


def _word(row: Mapping[str, Any]) -> VerdictWord:
    return VerdictWord(row["verdict"] or VerdictWord.NONE)


def _numbered(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def _named(rows: Sequence[Mapping[str, Any]]) -> str:
    """The first few, with their accuracies."""
    named = [f"{cut(row['label'])}{_accuracy(row)}" for row in rows[:MOST_NAMED]]
    more = len(rows) - MOST_NAMED
    return listed([*named, f"{_numbered(more)} more"] if more > 0 else named)


def _accuracy(row: Mapping[str, Any]) -> str:
    mean = number(row["accuracy_percent_mean"])
    return "" if math.isnan(mean) else f" ({mean:.2f} %)"


def _fits(rows: Sequence[Mapping[str, Any]]) -> str:
    widest = max(
        (number(row["difference_high_points"]) - number(row["difference_low_points"]) for row in rows), default=0
    )
    known = widest == widest and widest > 0
    return f"Their 95 % intervals are up to {widest:.2f} points wide." if known else "There is no spread to go by."


def _trainings(rows: Sequence[Mapping[str, Any]], baseline: Mapping[str, Any]) -> str:
    counts = sorted({int(row["n"]) for row in [*rows, baseline] if row["n"]})
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    told = {_word(row) for row in rows}
    risks = []
    if told & {VerdictWord.HELPS, VerdictWord.HURTS}:
        risks.append(f"that any of these differences is none is at most {100 * ALPHA:g} %")
    if VerdictWord.EQUIVALENT in told:
        risks.append(f"that any of the near ones is not is at most {100 * ALPHA:g} %")
    return f"({each} trainings each{f'; the risk {listed(risks)}' if risks else ''})"


def more(rows: Sequence[Mapping[str, Any]], sweep: Sweep) -> str:
    """What it takes to decide those that are open; "" where all are decided."""
    open_ = [row for row in rows if _word(row) is VerdictWord.UNDECIDED]
    if not open_:
        lacking = any(_word(row) is VerdictWord.NONE and row["n"] < 2 for row in rows)
        return FIRST_SEEDS if lacking else ""
    nearest = min(open_, key=lambda row: math.inf if pd.isna(row["seeds_needed"]) else float(row["seeds_needed"]))
    text = seeds_words(nearest, int(nearest["n"]), sweep)
    return text if len(open_) == 1 else f"Of what is open, {cut(nearest['label'])} is the nearest to a verdict. {text}"
