"""All that a report says, worked out once for all its formats: from a sweep in the store to frames and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.analysis import claims, examples, images, interactions, provenance, trade_off
from reports.analysis import variants as variant_table
from reports.analysis.details import Details, Headline
from reports.analysis.wording import advice, sentences
from reports.store import files
from reports.store.sweep import Sweep
from zoo import data
from zoo.measure.cost_axes import cost_axes
from zoo.stats import pareto
from zoo.stats.verdicts import VerdictWord


@dataclass(frozen=True, eq=False)
class Answer:
    """A sweep, its variants (``variants.frame`` with se_test_points and front_probability_<axis>), and the details."""

    sweep: Sweep
    variants: pd.DataFrame
    details: Details


def of(sweep: Sweep, with_images: bool = True) -> Answer:
    """Everything; the images of the gallery only if asked for, and if this machine has the data set.

    Raises:
        ReportError: files in the store that cannot be read.
    """
    evidence, notes = _examples(sweep)
    variants = _with_uncertainty(variant_table.frame(sweep), sweep, evidence)
    fronts, front_notes = _fronts(variants, sweep)
    for axis, probabilities in fronts.items():
        variants[f"front_probability_{axis}"] = [probabilities.get(name, float("nan")) for name in variants["variant"]]
    accuracies = {name: sweep.results(name)["accuracy_percent"].to_numpy() for name in sweep.variants}
    effects, effects_note = _effects(sweep, accuracies)
    png_files, images_note = images.of(sweep, evidence.flips) if with_images and evidence is not None else ({}, "")
    details = Details(
        headlines=headlines(variants, sweep),
        per_class=evidence and evidence.per_class,
        churn=evidence and evidence.churn,
        calibration=evidence and evidence.calibration,
        flips=evidence and evidence.flips,
        flip_counts=evidence and evidence.flip_counts,
        uncertainty=evidence and evidence.uncertainty,
        interactions=effects,
        claims=claims.frame(sweep.published, accuracies) if sweep.published else None,
        images=png_files,
        notes=tuple(note for note in (_schedule_note(sweep), *notes, *front_notes, effects_note, images_note) if note),
        run_links=provenance.links(sweep),
        provenance=provenance.provenance(sweep),
    )
    return Answer(sweep, variants, details)


def _schedule_note(sweep: Sweep) -> str:
    if sweep.schedule is None:
        return ""
    return (
        f"Seeds were added one at a time, from {sweep.schedule.first} to at most {sweep.schedule.last}, until decided. "
        "The intervals hold for all interim analyses together, so they are wider than those of a single one, most "
        "of all early on."
    )


def variants_of(sweep: Sweep) -> pd.DataFrame:
    """``variants.frame`` with se_test_points: what a picture of several sweeps takes.

    Raises:
        ReportError: files in the store that cannot be read.
    """
    return _with_uncertainty(variant_table.frame(sweep), sweep, _examples(sweep)[0])


def headlines(variants: pd.DataFrame, sweep: Sweep) -> list[Headline]:
    """For each variant that can be set against the baseline: the verdict, a sentence, and what to do."""
    if variants.empty or not variants["baseline"].any():
        return []
    baseline = variants[variants["baseline"]].iloc[0].to_dict()
    others = variants[~variants["baseline"] & variants["difference_points"].notna()]
    lines = sentences.comparisons(variants, sweep.margin, with_price=False)
    levels = sweep.levels
    return [
        Headline(
            row["variant"],
            VerdictWord(row["verdict"]),
            sentence,
            advice.advice(
                row,
                baseline,
                sweep.margin,
                advice.change(levels.get(row["variant"], {}), levels.get(baseline["variant"], {})),
            ),
        )
        for row, sentence in zip(others.to_dict("records"), lines, strict=True)
    ]


def _examples(sweep: Sweep) -> tuple[examples.Examples | None, list[str]]:
    """What the predictions say, and what is in the way; None where no run has any."""
    predictions = files.read_predictions(sweep)
    results = sweep.results()
    by_variant = {
        name: [
            predictions[run_id] for run_id in results.loc[results["variant"] == name, "run_id"] if run_id in predictions
        ]
        for name in sweep.variants
    }
    by_variant = {name: runs for name, runs in by_variant.items() if runs}
    if not by_variant:
        return None, []
    if sweep.baseline not in by_variant:
        return None, ["The baseline has no predictions in the store, so nothing is compared image by image."]
    keys = {name: sweep.trainings(name) for name in by_variant}
    keys = {name: its for name, its in keys.items() if len(its) == len(by_variant[name])}
    try:
        evidence = examples.of(by_variant, sweep.baseline, _classes(sweep, by_variant), keys)
    except ValueError as error:
        return None, [f"Nothing is compared image by image: {error}."]
    return evidence, list(evidence.notes)


def _classes(sweep: Sweep, by_variant: Mapping[str, Sequence[files.Predictions]]) -> tuple[str, ...]:
    """The names of the classes; their numbers for a data set that is not known here."""
    name = sentences.setting(sweep.runs, "data")
    number = max(runs[0].logits.shape[1] for runs in by_variant.values())
    try:
        known = data.info(name or "").classes
    except data.DataError:
        known = ()
    return known if len(known) == number else tuple(str(label) for label in range(number))


def _with_uncertainty(variants: pd.DataFrame, sweep: Sweep, evidence: examples.Examples | None) -> pd.DataFrame:
    errors = (
        dict(zip(evidence.uncertainty["variant"], evidence.uncertainty["se_test_points"], strict=True))
        if evidence
        else {}
    )
    return variants.assign(se_test_points=[errors.get(name, float("nan")) for name in sweep.variants])


def _fronts(variants: pd.DataFrame, sweep: Sweep) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
    """For each cost in which the variants differ: how surely each is on the Pareto front. And notes, once."""
    if len(variants) < 2:
        return {}, ()
    names = list(variants["variant"])
    accuracies = {name: sweep.results(name)["accuracy_percent"].to_numpy() for name in names}
    trainings = {name: sweep.trainings(name) for name in names}
    trainings = {name: keys for name, keys in trainings.items() if keys}
    fronts: dict[str, dict[str, float]] = {}
    notes: tuple[str, ...] = ()
    for axis in cost_axes():
        values = trade_off.cost_values(variants, axis)
        if len(set(values[values == values])) < 2:  # all the same, or not known
            continue
        drawn = pareto.membership(accuracies, dict(zip(names, map(float, values), strict=True)), trainings)
        fronts[axis], notes = drawn.probabilities, drawn.notes
    return fronts, notes


def _effects(sweep: Sweep, accuracies: Mapping[str, Any]) -> tuple[pd.DataFrame | None, str]:
    """Main effects and interactions, as the page has them; None where the design has no two factors that cross. And why
    there are none, where the levels in the store are of no design."""
    if sweep.baseline is None or len(sweep.levels.get(sweep.baseline, {})) < 2:
        return None, ""
    known = {name: values for name, values in accuracies.items() if name in sweep.levels}
    trainings = {name: sweep.trainings(name) for name in known}
    trainings = {name: keys for name, keys in trainings.items() if keys}
    try:
        effects = interactions.frame(known, sweep.levels, sweep.levels[sweep.baseline], trainings, sweep.margin or None)
    except ValueError as error:
        return None, f"Effects of single factors are not shown: by the tag 'levels' in the store {error}."
    if effects.empty:
        return None, ""
    both = effects["with_factor"].astype(bool)
    factors = effects["factor"].where(~both, effects["factor"] + " x " + effects["with_factor"])
    levels = effects["level"].where(~both, effects["level"] + " x " + effects["with_level"])
    return effects.assign(factors=factors, levels=levels), ""
