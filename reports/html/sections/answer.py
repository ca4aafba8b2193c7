"""The section that answers the question: every comparison with the baseline, in a sentence and drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from reports.analysis import sentences
from reports.html import forest
from reports.html.cells import difference_of, estimate, is_number, points
from reports.html.sections.given import Given
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed

MOST_CARDS = 3  # comparisons that are told in full; of more, each is a line with the rest folded in
WORDS = (
    VerdictWord.HELPS,
    VerdictWord.HURTS,
    VerdictWord.EQUIVALENT,
    VerdictWord.UNDECIDED,
    VerdictWord.NONE,
)  # in order of telling
COUNTED = {  # how many of the comparisons -> what the summary says of them: one, several
    VerdictWord.HELPS: ("helps", "help"),
    VerdictWord.HURTS: ("hurts", "hurt"),
    VerdictWord.EQUIVALENT: ("is equivalent", "are equivalent"),
    VerdictWord.UNDECIDED: ("is undecided", "are undecided"),
    VerdictWord.NONE: ("has no verdict yet", "have no verdict yet"),
}
ADVICE = {  # where nobody has given better
    VerdictWord.HELPS: "For accuracy, take it; see below what it costs.",
    VerdictWord.HURTS: "For accuracy, leave it.",
    VerdictWord.EQUIVALENT: "Choose by price: accuracy does not decide between the two.",
    VerdictWord.UNDECIDED: "Do not decide by these runs; train more seeds.",
    VerdictWord.NONE: "Train at least two seeds of each.",
}


class Line(NamedTuple):
    """One comparison with the baseline."""

    variant: str
    word: str
    sentence: str
    advice: str
    sureness: str
    difference: str
    interval: str
    plot: Markup


def answer(given: Given) -> dict[str, Any]:
    sweep, frame = given.sweep, given.frame
    lines, scale = _lines(given)
    counts = [(word, sum(line.word == word for line in lines)) for word in WORDS]
    said = [f"{number} {COUNTED[word][number > 1]}" for word, number in counts if number]
    has_results = len(frame) > 0 and bool((frame["n"] > 0).any())
    design = [sentences.detectable(frame), *sentences.shared_trainings(sweep)] if has_results else []
    return {
        "lines": lines,
        "is_short": len(lines) > MOST_CARDS,
        "summary": f"Of {len(lines)} variants compared, {listed(said)}." if len(lines) > 1 else "",
        "baseline": sweep.baseline,
        "margin": sweep.margin,
        "axis": forest.axis(scale),
        "nothing": _why_nothing(given, has_results) if not lines else "",
        "what_ran": sentences.what_ran(sweep),
        "notes": [*given.details.notes, *design],
        "missing": _missing_words(given),
    }


def _lines(given: Given) -> tuple[list[Line], forest.Scale]:
    """The comparisons, those that say most first, and the scale that they are drawn on."""
    frame, margin = given.frame, given.sweep.margin
    if frame.empty:
        return [], forest.scale(())
    compared = frame[~frame["baseline"].astype(bool) & frame["difference_points"].notna()]
    rows = compared.to_dict("records")
    scale = forest.scale([difference_of(row) for row in rows], margin)
    plain = dict(zip(compared["variant"], sentences.comparisons(frame, margin), strict=True)) if rows else {}
    told = {headline.variant: headline for headline in given.details.headlines}
    lines = [_line(row, told.get(row["variant"]), plain[row["variant"]], scale, len(rows)) for row in rows]
    order = {word: place for place, word in enumerate(WORDS)}
    difference = dict(zip(compared["variant"], compared["difference_points"], strict=True))
    lines.sort(key=lambda line: (order.get(line.word, len(order)), -difference[line.variant]))
    return lines, scale


def _line(row: Mapping[str, Any], headline: Any, plain: str, scale: forest.Scale, comparisons: int) -> Line:
    word = headline.word if headline else row["verdict"] or VerdictWord.NONE
    interval = difference_of(row)
    return Line(
        variant=row["variant"],
        word=word,
        sentence=headline.sentence if headline else plain,
        advice=(headline.advice if headline else "") or ADVICE.get(word, ""),
        sureness=_sureness(row, word, scale.margin, comparisons),
        difference=points(interval.middle),
        interval=f"{points(interval.low)} to {points(interval.high)}" if is_number(interval.low) else "",
        plot=forest.row(interval, scale, f"Difference {estimate(interval)} points"),
    )


def _sureness(row: Mapping[str, Any], word: str, margin: float | None, comparisons: int) -> str:
    seeds = f"{row['n']} trainings" if row["n"] != 1 else "one training"
    corrected = f" (corrected for {comparisons} comparisons)" if comparisons > 1 else ""
    if word in (VerdictWord.HELPS, VerdictWord.HURTS):
        return (
            f"Shown at the 5 % level with {seeds} of it. If it made no difference, runs this far apart would be "
            f"seen with a probability of {_chance(row['p_difference'])}{corrected}."
        )
    if word == VerdictWord.EQUIVALENT:
        return (
            f"Shown at the 5 % level with {seeds} of it. If it made a difference of {margin or math.nan:g} points or more, "
            f"runs this close together would be seen with a probability of {_chance(row['p_equivalence'])}{corrected}."
        )
    if word == VerdictWord.UNDECIDED:
        low, high = (points(row[f"difference_{end}_points"]) for end in ("low", "high"))
        said = f"Not shown either way with {seeds} of it: anything from {low} to {high} points fits these runs. "
        if difference_of(row).is_away_from_zero and comparisons > 1:
            return f"{said}Alone it would count as a difference; one of {comparisons} may look like this by chance."
        return f"{said}That is not the same as no difference."
    if word == VerdictWord.NONE and row["n"] > 1:
        return f"Not sure at all: with {seeds} of it nothing has been looked at yet."
    return f"Not sure at all: with {seeds} there is no spread to go by." if word == VerdictWord.NONE else ""


def _chance(p: float) -> str:
    if math.isnan(p):
        return "5 % at most"
    return "less than 0.001" if p < 0.001 else f"{p:.2g}"


def _why_nothing(given: Given, has_results: bool) -> str:
    sweep = given.sweep
    if not has_results:
        return "No run has a result yet, so there is no answer yet."
    if sweep.baseline is None:
        return "The store names no baseline, so nothing is compared."
    if not len(sweep.results(sweep.baseline)):
        return f"The baseline {sweep.baseline} has no result yet, so nothing is compared."
    return f"Only the baseline {sweep.baseline} has results, so there is nothing to compare it with yet."


def _missing_words(given: Given) -> str:
    missing = given.sweep.missing()
    if not missing:
        return ""
    known = len(given.sweep.results())
    verb = "have" if len(missing) > 1 else "has"
    without = [name for name in given.sweep.variants if not len(given.sweep.results(name))]
    words = f"{len(missing)} of {known + len(missing)} runs {verb} no result"
    if without and known:
        named = f": {listed(without)}" if sum(map(len, without)) < 60 else ""
        words += (
            f"; {len(without)} of the {len(given.sweep.variants)} variants {'have' if len(without) > 1 else 'has'} "
        )
        words += f"none at all{named}"
    return f"{words}."
