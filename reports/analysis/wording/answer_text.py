"""The answer to the question of a sweep, as the paragraphs that every format begins with; formats only render them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import pandas as pd

from reports.analysis.details import CautionKind, Details, PartOfAnswer
from reports.analysis.wording import choice, comparisons, factorial, margins, names, single
from reports.analysis.wording.single import capital
from reports.store.sweep import Sweep
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed
from zoo.tracking.names import RunStatus

NOTHING_LEFT = (VerdictWord.FAILED, VerdictWord.DID_NOT_LEARN)
MOST_NAMED = 5  # variants in a warning


class Part(StrEnum):
    """What a paragraph is for, in the order in which they are read."""

    ALERT = "alert"  # what failed or learned nothing
    WARNING = "warning"  # what is incomplete
    ANSWER = "answer"
    EFFECTS = "effects"  # what each factor does, and which depend on each other
    PRICE = "price"  # what it saves and costs
    CHOICE = "choice"  # the best configuration, and the cheapest that is nearly as good
    NEXT = "next"  # what to do about what cannot be told yet


class Paragraph(NamedTuple):
    part: Part
    text: str


def paragraphs(sweep: Sweep, variants: pd.DataFrame, details: Details) -> tuple[Paragraph, ...]:
    """In order, never without an answer. ``variants`` is ``variants.frame(sweep)``, ``details`` as of ``answer.of``."""
    found = [Paragraph(Part.ALERT, f"{capital(each.word)}: {each.sentence}") for each in details.alerts]
    found += [Paragraph(Part.WARNING, text) for text in warnings(sweep)]
    return tuple(sorted([*found, *_answer(sweep, variants, details)], key=lambda each: list(Part).index(each.part)))


def cautions(said: Sequence[Paragraph], details: Details) -> list[str]:
    """What a careful reader should be told beside the paragraphs: not that the best was picked, where they say so."""
    has_choice = any(each.part is Part.CHOICE for each in said)
    return [each.sentence for each in details.cautions if not (has_choice and each.kind is CautionKind.SELECTION)]


def _of_parts(parts: Sequence[PartOfAnswer]) -> Iterator[Paragraph]:
    """What is tested otherwise is no alternative, and is answered by itself."""
    fields = listed(dict.fromkeys(text.split(" ")[0] for part in parts for text in part.label.split(", ")))
    yield Paragraph(Part.ANSWER, f"Accuracies with different {fields} are not compared; each is answered by itself.")
    for part in parts:
        if part.sweep.baseline is None:
            text = "Nothing is compared: none of these is like the baseline in everything else."
            known = _accuracies(part.variants.to_dict("records"))
            yield Paragraph(Part.ANSWER, f"With {part.label}: {text} {known}")
            continue
        if len(part.variants) == 1:
            known = _accuracies(part.variants.to_dict("records"))
            yield Paragraph(
                Part.ANSWER, f"With {part.label} there is one variant, and nothing to compare it with. {known}"
            )
            continue
        for each in _answer(part.sweep, part.variants, part.details):
            yield Paragraph(each.part, f"With {part.label}: {each.text}")


def _answer(sweep: Sweep, variants: pd.DataFrame, details: Details) -> Iterator[Paragraph]:
    if details.parts:
        yield from _of_parts(details.parts)
        return
    if reason := _why_none(sweep, variants):
        yield Paragraph(Part.ANSWER, reason)
        return
    rows = variants.to_dict("records")
    baseline = next((row for row in rows if row["baseline"]), None)
    compared = [row for row in rows if not row["baseline"] and (_has_difference(row) or row["verdict"] in NOTHING_LEFT)]
    if baseline is None or not compared:
        yield Paragraph(Part.ANSWER, _accuracies(rows))
        return
    if any(baseline["variant"] in each.variants and each.word == VerdictWord.DID_NOT_LEARN for each in details.alerts):
        name = names.cut(baseline["variant"])
        text = f"There is no answer: the baseline {name} did not learn, so nothing is compared with it."
        yield Paragraph(Part.ANSWER, f"{text} {_accuracies(rows)}")
        return
    if (effects := factorial.main_effects(sweep, details)) is not None:
        lead, each = factorial.answer(effects, sweep, variants)
        yield Paragraph(Part.ANSWER, lead)
        yield Paragraph(Part.EFFECTS, each)
        if depend := factorial.interactions(details):
            yield Paragraph(Part.EFFECTS, depend)
    elif len(compared) == 1:
        change = names.change(compared[0]["variant"], baseline["variant"], sweep.levels)
        lost = compared[0].get("n_failed") or baseline.get("n_failed")
        reply = "" if lost else _reply(sweep.question, compared[0]["verdict"])
        yield Paragraph(Part.ANSWER, reply + single.answer(compared[0], baseline, change, margins.of(sweep)))
        yield Paragraph(Part.PRICE, single.price(compared[0], baseline, change))
        if more := single.more(compared[0], baseline, sweep):
            yield Paragraph(Part.NEXT, more)
    else:
        yield from (Paragraph(Part.ANSWER, text) for text in comparisons.answer(compared, baseline, sweep))
    if len(compared) > 1:
        if choosing := choice.choice(variants, sweep.margin):
            yield Paragraph(Part.CHOICE, choosing)
        if effects is None and (more := comparisons.more(compared, sweep)):
            yield Paragraph(Part.NEXT, more)


def _has_difference(row: Mapping[str, Any]) -> bool:
    return not pd.isna(row["difference_points"])


def _why_none(sweep: Sweep, variants: pd.DataFrame) -> str:
    """Why nothing is answered; "" where something is."""
    if not len(sweep.results()):
        return "There is no answer yet: no run has a result."
    if sweep.baseline is None:
        return f"The store names no baseline, so nothing is compared. {_accuracies(variants.to_dict('records'))}"
    if not len(sweep.results(sweep.baseline)):
        known = _accuracies(variants.to_dict("records"))
        of_baseline = sweep.runs[sweep.runs["variant"] == sweep.baseline]
        if (of_baseline["status"] == RunStatus.FAILED).sum() >= len(sweep.wanted()[sweep.baseline]):
            return f"There is no answer: all trainings of the baseline {sweep.baseline} failed. {known}"
        return f"There is no answer yet: the baseline {sweep.baseline} has no result to compare with. {known}"
    others = variants[~variants["baseline"].astype(bool)]
    if not (others["difference_points"].notna() | others["verdict"].isin(NOTHING_LEFT)).any():
        return f"There is no answer yet: only the baseline {sweep.baseline} has results."
    return ""


def _accuracies(rows: list[dict[str, object]]) -> str:
    known = [row for row in rows if row["n"]]
    known.sort(key=lambda row: -float(str(row["accuracy_percent_mean"])))
    named = listed(f"{row['variant']} {row['accuracy_percent_mean']:.2f} %" for row in known[:MOST_NAMED])
    more = f", and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return f"Mean accuracies: {named}{more}."


def _reply(question: str, verdict: str) -> str:
    """Yes or no, to a question that asks whether something matters; "" to any other."""
    if not re.match(r"(does|do)\b[^?]*\b(matter|make (a|any) difference)\b", question, re.IGNORECASE):
        return ""
    word = VerdictWord(verdict or VerdictWord.NONE)
    if word in (VerdictWord.EQUIVALENT, VerdictWord.IDENTICAL):
        return "No. "
    return "Yes. " if word in (VerdictWord.HELPS, VerdictWord.HURTS) else ""


def warnings(sweep: Sweep) -> list[str]:
    """What is still to come, in a sentence; what failed is an alert."""
    failed = {(run.variant, run.seed) for run in sweep.runs.itertuples() if run.status == RunStatus.FAILED}
    missing = [each for each in sweep.missing() if (each.variant, each.seed) not in failed]
    if not missing:
        return []
    total = len(sweep.results()) + len(sweep.missing())
    text = f"{len(missing)} of {total} runs {'have' if len(missing) > 1 else 'has'} no result yet"
    without = [name for name in dict.fromkeys(each.variant for each in missing) if not len(sweep.results(name))]
    if without and len(sweep.results()):
        named = f": {listed(map(names.cut, without))}" if len(without) <= MOST_NAMED else ""
        verb = "have" if len(without) > 1 else "has"
        text += f"; {len(without)} of the {len(sweep.variants)} variants {verb} none at all{named}"
    return [f"Incomplete: {text}."]
