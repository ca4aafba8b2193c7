"""A sweep whose variants are not all tested alike, taken apart: each part is answered by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from reports.analysis.details import Alert, Caution, Details, PartOfAnswer
from reports.store.sweep import Sweep
from zoo.measure import task
from zoo.stats.verdicts import Verdict
from zoo.text.listing import level_text


class Piece(NamedTuple):
    label: str  # "data digits"
    sweep: Sweep  # with these variants alone, and a baseline of their own


def of(sweep: Sweep) -> tuple[Piece, ...]:
    """The part of the baseline first; none where all variants are tested alike, or it is not known how they are."""
    if sweep.baseline is None or any(name not in sweep.levels for name in sweep.variants):
        return ()
    settings = {name: {f: level_text(level) for f, level in sweep.levels[name].items()} for name in sweep.variants}
    found = task.split(settings, sweep.baseline)
    return tuple(Piece(_label(part), _restricted(sweep, part)) for part in found) if len(found) > 1 else ()


def verdicts(sweep: Sweep) -> dict[str, Verdict]:
    """Of each variant against the baseline of its part."""
    pieces = of(sweep)
    if not pieces:
        return sweep.verdicts()
    return {name: verdict for piece in pieces for name, verdict in piece.sweep.verdicts().items()}


def _label(part: task.Part) -> str:
    return ", ".join(f"{field} {value}" for field, value in part.task.items())


def _restricted(sweep: Sweep, part: task.Part) -> Sweep:
    return replace(
        sweep,
        variants=part.variants,
        baseline=part.baseline,
        runs=sweep.runs[sweep.runs["variant"].isin(part.variants)],
        levels={name: _without(sweep.levels[name], part.task) for name in part.variants},
        declared=sweep.declared and {name: _without(own, part.task) for name, own in sweep.declared.items()},
    )


def _without(levels: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return {factor: level for factor, level in levels.items() if factor not in fields}


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
