"""The answer as a short text for the terminal."""

from __future__ import annotations

import pandas as pd

from reports.analysis.answer import Answer
from reports.analysis.wording import sentences
from reports.store.sweep import Sweep
from reports.tables import tables
from zoo.text.wording import table


def summary(answer: Answer) -> str:
    """Question, table of variants, verdicts, what to do, published claims, and what is missing."""
    sweep, frame = answer.sweep, answer.variants
    claims = answer.details.claims
    parts = [
        f"{sweep.name}: {sweep.question}" if sweep.question else sweep.name,
        "\n".join(f"{each.word}: {each.sentence}" for each in answer.details.alerts),
        sentences.what_ran(sweep),
        table(tables.header(), tables.formatted(frame), gap=2) if len(frame) else "",
        "\n".join(findings(sweep, frame)),
        "\n".join(headline.advice for headline in answer.details.headlines if headline.advice),
        "\n".join([] if claims is None else claims["sentence"]),
        "\n".join(f"missing: {each.variant}, seed {each.seed}: {each.reason}" for each in sweep.missing()),
    ]
    return "\n\n".join(part for part in parts if part)


def findings(sweep: Sweep, frame: pd.DataFrame) -> list[str]:
    """A sentence for each comparison, then what the design could detect and which variants share trainings."""
    if not len(sweep.results()):
        return ["No run has a result yet."]
    statements = sentences.comparisons(frame, sweep.margin)
    if sweep.baseline is None:
        statements.append("The store names no baseline, so nothing is compared.")
    elif not len(sweep.results(sweep.baseline)):
        statements.append(f"The baseline {sweep.baseline} has no result, so nothing is compared.")
    return [*statements, sentences.detectable(sweep, frame), *sentences.shared_trainings(sweep)]
