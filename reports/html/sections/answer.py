"""The section that answers the question: every comparison with the baseline, in a sentence and drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from reports.analysis.details import Headline
from reports.analysis.wording import sentences
from reports.html import forest
from reports.html.cells import difference_of, estimate, is_number, signed
from reports.html.page_data import PageData
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed

MOST_CARDS = 3  # comparisons that are shown in full; of more, each is a line with the rest folded in
VERDICTS = {  # in the order in which they are shown -> how the summary counts them: one, several
    VerdictWord.FAILED: ("failed", "failed"),
    VerdictWord.DID_NOT_LEARN: ("did not learn", "did not learn"),
    VerdictWord.HELPS: ("helps", "help"),
    VerdictWord.HURTS: ("hurts", "hurt"),
    VerdictWord.EQUIVALENT: ("is equivalent", "are equivalent"),
    VerdictWord.UNDECIDED: ("is undecided", "are undecided"),
    VerdictWord.DESCRIPTIVE: ("is a cell of the grid", "are cells of the grid"),
    VerdictWord.NONE: ("has no verdict yet", "have no verdict yet"),
}
RANKS: dict[str, int] = {verdict: rank for rank, verdict in enumerate(VERDICTS)}
ADVICE: dict[str, str] = {  # where there is no headline
    VerdictWord.HELPS: "For accuracy, take it; see below what it costs.",
    VerdictWord.HURTS: "For accuracy, leave it.",
    VerdictWord.EQUIVALENT: "Choose by price: accuracy does not decide between the two.",
    VerdictWord.UNDECIDED: "Do not decide by these runs; train more seeds.",
    VerdictWord.NONE: "Train at least two seeds of each.",
    VerdictWord.FAILED: "See below why its trainings failed.",
}


class Comparison(NamedTuple):
    """One variant against the baseline."""

    variant: str
    verdict: str
    sentence: str
    advice: str
    certainty: str
    difference: str
    interval: str
    plot: Markup


def answer(data: PageData) -> dict[str, Any]:
    sweep, frame = data.sweep, data.frame
    comparisons, scale = _comparisons(data)
    counts = [(verdict, sum(each.verdict == verdict for each in comparisons)) for verdict in VERDICTS]
    counted = [f"{number} {VERDICTS[verdict][number > 1]}" for verdict, number in counts if number]
    has_results = len(frame) > 0 and bool((frame["n"] > 0).any())
    design = [sentences.detectable(sweep, frame), *sentences.shared_trainings(sweep)] if has_results else []
    return {
        "alerts": data.details.alerts,
        "comparisons": comparisons,
        "is_short": len(comparisons) > MOST_CARDS,
        "summary": f"Of {len(comparisons)} variants compared, {listed(counted)}." if len(comparisons) > 1 else "",
        "baseline": sweep.baseline,
        "margin": sweep.margin,
        "axis": forest.axis(scale),
        "nothing": "" if any(each.difference for each in comparisons) else _why_nothing(data, has_results),
        "what_ran": sentences.what_ran(sweep),
        "notes": [*data.details.notes, *design],
        "missing": _missing(data),
    }


def _comparisons(data: PageData) -> tuple[list[Comparison], forest.Scale]:
    """By verdict, then the largest difference first, and the scale that they are drawn on."""
    frame, margin = data.frame, data.sweep.margin
    if frame.empty:
        return [], forest.common_scale(())
    compared = frame[~frame["baseline"].astype(bool) & frame["difference_points"].notna()]
    rows = compared.to_dict("records")
    scale = forest.common_scale([difference_of(row) for row in rows], margin)
    plain = dict(zip(compared["variant"], sentences.comparisons(frame, margin), strict=True)) if rows else {}
    headlines = {headline.variant: headline for headline in data.details.headlines}
    comparisons = [
        _comparison(row, headlines.get(row["variant"]), plain[row["variant"]], scale, len(rows)) for row in rows
    ]
    comparisons += [_without_difference(each) for each in headlines.values() if each.variant not in plain]
    difference = dict(zip(compared["variant"], compared["difference_points"], strict=True))
    comparisons.sort(key=lambda each: (RANKS.get(each.verdict, len(RANKS)), -difference.get(each.variant, 0.0)))
    return comparisons, scale


def _comparison(
    row: Mapping[str, Any], headline: Headline | None, sentence: str, scale: forest.Scale, comparisons: int
) -> Comparison:
    verdict = headline.word if headline else row["verdict"] or VerdictWord.NONE
    interval = difference_of(row)
    return Comparison(
        variant=row["variant"],
        verdict=verdict,
        sentence=headline.sentence if headline else sentence,
        advice=headline.advice if headline else ADVICE.get(verdict, ""),
        certainty=_certainty(row, verdict, scale.margin, comparisons),
        difference=signed(interval.middle),
        interval=f"{signed(interval.low)} to {signed(interval.high)}" if is_number(interval.low) else "",
        plot=forest.row(interval, scale, f"Difference {estimate(interval)} points"),
    )


def _without_difference(headline: Headline) -> Comparison:
    """Of a variant without a result."""
    return Comparison(headline.variant, headline.word, headline.sentence, headline.advice, "", "", "", Markup())


def _certainty(row: Mapping[str, Any], verdict: str, margin: float | None, comparisons: int) -> str:
    seeds = f"{row['n']} trainings" if row["n"] != 1 else "one training"
    corrected = f" (corrected for {comparisons} comparisons)" if comparisons > 1 else ""
    if verdict in (VerdictWord.HELPS, VerdictWord.HURTS):
        return (
            f"Shown at the 5 % level with {seeds} of it. If it made no difference, runs this far apart would be "
            f"seen with a probability of {_probability(row['p_difference'])}{corrected}."
        )
    if verdict == VerdictWord.EQUIVALENT:
        return (
            f"Shown at the 5 % level with {seeds} of it. If it made a difference of {margin or math.nan:g} points or more, "
            f"runs this close together would be seen with a probability of {_probability(row['p_equivalence'])}{corrected}."
        )
    if verdict == VerdictWord.UNDECIDED:
        interval = difference_of(row)
        not_shown = (
            f"Not shown either way with {seeds} of it: anything from {signed(interval.low)} to {signed(interval.high)} "
            "points fits these runs."
        )
        if interval.is_away_from_zero and comparisons > 1:
            return (
                f"{not_shown} Alone it would count as a difference; one of {comparisons} may look like this by chance."
            )
        return f"{not_shown} That is not the same as no difference."
    if verdict == VerdictWord.NONE and row["n"] > 1:
        return f"Not sure at all: with {seeds} of it there has been no interim analysis yet."
    return f"Not sure at all: with {seeds} there is no spread to go by." if verdict == VerdictWord.NONE else ""


def _probability(p: float) -> str:
    if math.isnan(p):
        return "5 % at most"
    return "less than 0.001" if p < 0.001 else f"{p:.2g}"


def _why_nothing(data: PageData, has_results: bool) -> str:
    sweep = data.sweep
    if not has_results:
        return "No run has a result yet, so there is no answer yet."
    if sweep.baseline is None:
        return "The store names no baseline, so nothing is compared."
    if not len(sweep.results(sweep.baseline)):
        return f"The baseline {sweep.baseline} has no result yet, so nothing is compared."
    return f"Only the baseline {sweep.baseline} has results, so there is nothing to compare it with yet."


def _missing(data: PageData) -> str:
    """A sentence about the runs without a result; empty where there are none."""
    sweep = data.sweep
    missing = sweep.missing()
    if not missing:
        return ""
    known = len(sweep.results())
    verb = "have" if len(missing) > 1 else "has"
    text = f"{len(missing)} of {known + len(missing)} runs {verb} no result"
    without = [name for name in sweep.variants if not len(sweep.results(name))]
    if without and known:
        verb = "have" if len(without) > 1 else "has"
        names = f": {listed(without)}" if sum(map(len, without)) < 60 else ""
        text += f"; {len(without)} of the {len(sweep.variants)} variants {verb} none at all{names}"
    return f"{text}."
