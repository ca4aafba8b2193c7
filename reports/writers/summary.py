"""The answer as a short text for the terminal: in words, then as tables of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from reports.analysis.answer import Answer
from reports.analysis.wording import answer_text, sentences
from reports.store.sweep import Sweep
from reports.tables import tables
from zoo.text.wording import fitted_table, wrapped

WIDTH = 80  # columns
MOST_ROWS = 20  # of a table
MOST_ADVISED = 5
MOST_MISSING = 10
_OUTCOME = 4  # columns of ``tables.header()`` before those of the costs


def summary(answer: Answer) -> str:
    """Question, answer, tables of variants and their costs, what to do about each, published claims, what is missing."""
    sweep, frame = answer.sweep, answer.variants
    claims = answer.details.claims
    parts = [
        wrapped(f"{sweep.name}: {sweep.question}" if sweep.question else sweep.name, WIDTH),
        *_paragraphs(each.text for each in answer_text.paragraphs(sweep, frame, answer.details)),
        *_variant_tables(frame),
        "\n".join(_paragraphs(_advice(answer))),
        *_paragraphs([sentences.what_ran(sweep), *design_words(answer)]),
        *_paragraphs([] if claims is None else claims["sentence"]),
        _missing(sweep),
    ]
    return "\n\n".join(part for part in parts if part)


def design_words(answer: Answer) -> list[str]:
    """What the design could detect, and which variants share trainings."""
    return sentences.design(answer.sweep, answer.variants, answer.details.parts)


def _paragraphs(texts: Iterable[str]) -> list[str]:
    return [wrapped(text, WIDTH) for text in texts]


def _variant_tables(frame: pd.DataFrame) -> list[str]:
    """What came out, and what it costs; the first rows of many."""
    rows = tables.formatted(frame)
    if not rows:
        return []
    heads, shown = tables.header(), rows[:MOST_ROWS]
    outcome = fitted_table(heads[:_OUTCOME], [row[:_OUTCOME] for row in shown], WIDTH)
    costs = fitted_table(
        (heads[0], *heads[_OUTCOME:]), [[row[0].removesuffix(" (baseline)"), *row[_OUTCOME:]] for row in shown], WIDTH
    )
    more = len(rows) - len(shown)
    return [outcome, costs, *([f"{more} more variants are in the report."] if more else [])]


def _advice(answer: Answer) -> list[str]:
    """What to do about each of a few variants; of one the answer says it, and of many the report does."""
    advised = [each.advice for each in answer.details.headlines if each.advice]
    return advised if 1 < len(answer.details.headlines) <= MOST_ADVISED else []


def _missing(sweep: Sweep) -> str:
    missing = sweep.missing()
    lines = [f"missing: {each.variant}, seed {each.seed}: {each.reason}" for each in missing[:MOST_MISSING]]
    more = len(missing) - MOST_MISSING
    return "\n".join([*lines, *([f"missing: {more} more"] if more > 0 else [])])
