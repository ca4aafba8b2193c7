"""A sweep whose variants are not all tested alike: its parts, each answered by itself, together."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reports.analysis.details import Alert, Caution, Details, PartOfAnswer


def together(answers: Sequence[PartOfAnswer], claims: pd.DataFrame | None) -> Details:
    """The details of all parts, each in its words; of images that change sides those of the first, the baseline's."""
    details = [answer.details for answer in answers]
    labels = [answer.label for answer in answers]
    return Details(
        alerts=list[Alert](dict.fromkeys(alert for each in details for alert in each.alerts)),
        headlines=[headline for each in details for headline in each.headlines],
        cautions=[
            Caution(caution.kind, f"With {label}: {caution.sentence}")
            for label, each in zip(labels, details, strict=True)
            for caution in each.cautions
        ],
        per_class=_concatenated([each.per_class for each in details]),
        churn=_concatenated([each.churn for each in details]),
        calibration=_concatenated([each.calibration for each in details]),
        flips=details[0].flips,
        flip_counts=details[0].flip_counts,
        uncertainty=_concatenated([each.uncertainty for each in details]),
        interactions=_concatenated([_labelled(answer) for answer in answers]),
        claims=claims,
        images=details[0].images,
        notes=list(dict.fromkeys(note for each in details for note in each.notes)),
        run_links={run: link for each in details for run, link in each.run_links.items()},
        provenance=details[0].provenance,
        parts=answers,
    )


def _labelled(answer: PartOfAnswer) -> pd.DataFrame | None:
    effects = answer.details.interactions
    if effects is None:
        return None
    return effects.assign(sentence=[f"With {answer.label}: {sentence}" for sentence in effects["sentence"]])


def _concatenated(frames: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
    known = [frame for frame in frames if frame is not None]
    return pd.concat(known, ignore_index=True) if known else None
