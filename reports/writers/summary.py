"""The answer as a short text for the terminal."""

from __future__ import annotations

from reports.analysis.answer import Answer
from reports.analysis.wording import answer_text, sentences
from reports.tables import tables
from zoo.text.wording import table


def summary(answer: Answer) -> str:
    """Question, answer, table of variants, what to do about each, published claims, and what is missing."""
    sweep, frame = answer.sweep, answer.variants
    claims, headlines = answer.details.claims, answer.details.headlines
    parts = [
        f"{sweep.name}: {sweep.question}" if sweep.question else sweep.name,
        *(each.text for each in answer_text.paragraphs(sweep, frame, answer.details)),
        table(tables.header(), tables.formatted(frame), gap=2) if len(frame) else "",
        "\n".join(each.advice for each in headlines if each.advice) if len(headlines) > 1 else "",
        "\n".join([sentences.what_ran(sweep), *design_words(answer)]),
        "\n".join([] if claims is None else claims["sentence"]),
        "\n".join(f"missing: {each.variant}, seed {each.seed}: {each.reason}" for each in sweep.missing()),
    ]
    return "\n\n".join(part for part in parts if part)


def design_words(answer: Answer) -> list[str]:
    """What the design could detect, and which variants share trainings."""
    return sentences.design(answer.sweep, answer.variants, answer.details.parts)
