"""The section that answers the question: in words, then drawn, by variant or, in a factorial design, by factor."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from reports.analysis.details import Headline
from reports.analysis.wording import answer_text, factorial, sentences
from reports.analysis.wording.answer_text import Part
from reports.html import forest
from reports.html.cells import difference_of, estimate, is_number, number, signed, verdict_interval
from reports.html.forest import Interval
from reports.html.page_data import PageData
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import level_text
from zoo.text.wording import points_text

MOST_CARDS = 3  # comparisons that are shown in full; of more, each is a line with the rest folded in
MOST_LINES = 12  # of comparisons; the others fold away
VERDICTS = tuple(VerdictWord)  # in the order in which they are shown
RANKS: dict[str, int] = {verdict: rank for rank, verdict in enumerate(VERDICTS)}


class Comparison(NamedTuple):
    """One variant against the baseline, or one level of a factor against the baseline's."""

    name: str  # what sets it apart
    variant: str  # its whole name; "" for a level
    verdict: str
    accuracy: str
    difference: str
    interval: str  # "-0.50 to +0.47"
    level: str  # of that interval: "90 %"
    advice: str
    certainty: str
    plot: Markup


class Factor(NamedTuple):
    """A factor, with a comparison for each of its levels but the baseline's."""

    name: str
    instead_of: str
    accuracy: str  # at the baseline's level, on average over the other factors
    levels: list[Comparison]


class Interaction(NamedTuple):
    """Of two factors that were shown to depend on each other."""

    sentence: str
    plot: Markup


def answer(data: PageData) -> dict[str, Any]:
    sweep, frame = data.sweep, data.frame
    paragraphs = answer_text.paragraphs(sweep, frame, data.details)
    said = {part.value: [each.text for each in paragraphs if each.part is part] for part in Part}
    comparisons, scale = _comparisons(data)
    factors, interactions, effects_scale = _factors(data)
    design = sentences.design(sweep, frame, data.details.parts)
    return {
        **said,
        "missing": bool(sweep.missing()),
        "factors": factors,
        "interactions": interactions,
        "factor_axis": forest.axis(effects_scale),
        "comparisons": comparisons,
        "most": 0 if factors else MOST_LINES,
        "is_short": bool(factors) or len(comparisons) > MOST_CARDS,
        "baseline": _the_baseline(data),
        "margin": sweep.margin,
        "has_schedule": sweep.schedule is not None,
        "axis": forest.axis(scale),
        "what_ran": sentences.what_ran(sweep),
        "notes": [*answer_text.cautions(paragraphs, data.details), *data.details.notes, *design],
    }


def _the_baseline(data: PageData) -> str:
    if data.details.parts:
        return "the baseline of its part"
    return "the baseline" if data.sweep.baseline in (None, "baseline") else f"the baseline {data.sweep.baseline}"


# --- by variant --------------------------------------------------------------------------------------------------


def _comparisons(data: PageData) -> tuple[list[Comparison], forest.Scale]:
    """By verdict, then the largest difference first, and the scale that they are drawn on."""
    frame, margin = data.frame, data.sweep.margin
    if frame.empty:
        return [], forest.common_scale(())
    rows = frame[~frame["baseline"].astype(bool) & frame["difference_points"].notna()].to_dict("records")
    intervals = [each for row in rows for each in (difference_of(row), verdict_interval(row))]
    scale = forest.common_scale(intervals, margin)
    advice = {headline.variant: headline.advice for headline in data.details.headlines}
    rows.sort(key=lambda row: (RANKS.get(row["verdict"], len(RANKS)), -row["difference_points"]))
    together = Counter(row.get("part", "") for row in rows)  # comparisons that are corrected for each other
    known = [_comparison(row, advice.get(row["variant"], ""), scale, together[row.get("part", "")]) for row in rows]
    named = {each.variant for each in known}
    alerted = {name for alert in data.details.alerts for name in alert.variants}
    without = [
        _without_difference(each, each.variant in alerted)
        for each in data.details.headlines
        if each.variant not in named
    ]
    return sorted([*without, *known], key=lambda each: RANKS.get(each.verdict, len(RANKS))), scale


def _comparison(row: Mapping[str, Any], advice: str, scale: forest.Scale, comparisons: int) -> Comparison:
    verdict = row["verdict"] or VerdictWord.NONE
    return Comparison(
        name=row["label"],
        variant=row["variant"],
        verdict=verdict,
        accuracy=f"{row['accuracy_percent_mean']:.2f} %" if is_number(row["accuracy_percent_mean"]) else "",
        **_drawn(verdict_interval(row), difference_of(row), scale, number(row.get("verdict_level"))),
        advice=advice,
        certainty=certainty(row, verdict, scale.margin, comparisons),
    )


def _without_difference(headline: Headline, is_said: bool) -> Comparison:
    """Of a variant without a result; what an alert above says of it is not said again."""
    text = " ".join(filter(None, ("" if is_said else headline.sentence, headline.advice)))
    return Comparison(headline.variant, headline.variant, headline.word, "", "", "", "", text, "", Markup())


def _drawn(interval: Interval, other: Interval, scale: forest.Scale, level: float = math.nan) -> dict[str, Any]:
    """Difference, interval and plot of a comparison."""
    return {
        "difference": signed(interval.middle),
        "interval": f"{signed(interval.low)} to {signed(interval.high)}" if is_number(interval.low) else "",
        "level": f"{100 * (0.95 if math.isnan(level) else level):.3g} %",
        "plot": forest.row(interval, scale, f"Difference {estimate(interval)} points", other),
    }


def certainty(row: Mapping[str, Any], verdict: str, margin: float | None, comparisons: int) -> str:
    """How sure a verdict is, in a sentence or two that its numbers show."""
    at_verdict = row.get("seeds_at_verdict")  # a decision is final, and there may be more by now
    used = at_verdict if VerdictWord(verdict).is_decided and at_verdict and not pd.isna(at_verdict) else row["n"]
    seeds = f"{used} trainings" if used != 1 else "one training"
    corrected = f" (corrected for {comparisons} comparisons)" if comparisons > 1 else ""
    if verdict in (VerdictWord.HELPS, VerdictWord.HURTS):
        return f"Shown at the 5 % level with {seeds} of it." + _probability(
            "If it made no difference, runs this far apart", number(row["p_difference"]), corrected
        )
    if verdict == VerdictWord.EQUIVALENT:
        return f"Shown at the 5 % level with {seeds} of it." + _probability(
            f"If it made a difference of {points_text(margin or math.nan)} or more, runs this close together",
            number(row["p_equivalence"]),
            corrected,
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
    if verdict == VerdictWord.IDENTICAL:
        return f"Certain for {seeds} of it: each answers as the baseline's of the same seed, to the bit."
    if verdict == VerdictWord.WITHHELD:
        return f"No verdict is passed on {seeds} of it: the design was changed after results could be seen."
    if verdict == VerdictWord.NONE and row["n"] > 1:
        return f"Not sure at all: the seeds that a verdict takes have not all been trained, {seeds} of it by now."
    return f"Not sure at all: with {seeds} there is no spread to go by." if verdict == VerdictWord.NONE else ""


def _probability(what: str, p: float, corrected: str) -> str:
    """A p-value in words; none that contradicts the level, as the adjusted one of a single step may."""
    if math.isnan(p) or p >= 0.05:
        return ""
    text = "less than 0.001" if p < 0.001 else f"{p:.2g}"
    return f" {what} would be seen with a probability of {text}{corrected}."


# --- by factor ---------------------------------------------------------------------------------------------------


def _factors(data: PageData) -> tuple[list[Factor], list[Interaction], forest.Scale]:
    """None where the design is no factorial; and the scale that effects are drawn on."""
    sweep = data.sweep
    mains = factorial.main_effects(sweep, data.details)
    if mains is None:
        return [], [], forest.common_scale(())
    shown = factorial.shown_interactions(data.details).to_dict("records")[: factorial.MOST_SHOWN]
    rows = mains.to_dict("records")
    used = [each for row in rows for each in (_effect_interval(row), _used_interval(row))]
    scale = forest.common_scale([*used, *map(_effect_interval, shown)], sweep.margin)
    means = factorial.marginal_means(sweep, data.frame)
    factors = []
    for factor in dict.fromkeys(row["factor"] for row in rows):
        old = level_text(sweep.levels[sweep.baseline or ""][factor])
        of_factor = [row for row in rows if row["factor"] == factor]
        levels = [_level(row, means.get((factor, row["level"]), math.nan), scale) for row in of_factor]
        mean = means.get((factor, old), math.nan)
        factors.append(Factor(factor, old, f"{mean:.2f} %" if is_number(mean) else "", levels))
    drawn = [
        Interaction(row["sentence"], forest.row(each, scale, f"Interaction {estimate(each)} points"))
        for row in shown
        for each in [_effect_interval(row)]
    ]
    return factors, drawn, scale


def _effect_interval(row: Mapping[str, Any]) -> Interval:
    return Interval(*(number(row[name]) for name in ("difference_points", "low_points", "high_points")))


def _used_interval(row: Mapping[str, Any]) -> Interval:
    """The one that the verdict rests on, where it is known."""
    ends = ("difference_points", "verdict_low_points", "verdict_high_points")
    used = Interval(*(number(row.get(name)) for name in ends))
    return used if is_number(used.low) else _effect_interval(row)


def _level(row: Mapping[str, Any], mean: float, scale: forest.Scale) -> Comparison:
    return Comparison(
        name=str(row["level"]),
        variant="",
        verdict=row["verdict"] or VerdictWord.NONE,
        accuracy=f"{mean:.2f} %" if is_number(mean) else "",
        **_drawn(_used_interval(row), _effect_interval(row), scale, number(row.get("verdict_level"))),
        advice="",
        certainty="",
    )
