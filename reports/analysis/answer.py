"""All that a report says, worked out once for all its formats: from a sweep in the store to frames and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.analysis import claims, examples, images, interactions, parts, provenance, trade_off
from reports.analysis import variants as variant_table
from reports.analysis.details import Details, Headline, PartOfAnswer
from reports.analysis.prices import of_sweep
from reports.analysis.validity import cautions, design, failures, validity
from reports.analysis.validity.validity import NOTHING_WRONG, Validity
from reports.analysis.wording import advice, names, sentences
from reports.store import files
from reports.store.sweep import Sweep
from zoo import data
from zoo.measure.cost_axes import cost_axes
from zoo.stats import comparisons
from zoo.stats.costs import pareto
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed


@dataclass(frozen=True, eq=False)
class Answer:
    """A sweep, its variants (``variants.frame`` with se_test_points and front_probability_<axis>), and the details.

    Where the variants are not all tested alike they have a part, and each part a baseline.
    """

    sweep: Sweep
    variants: pd.DataFrame
    details: Details


def of(sweep: Sweep, with_images: bool = True) -> Answer:
    """Everything; the images of the gallery only if asked for, and if this machine has the data set.

    Raises:
        ReportError: files in the store that cannot be read.
    """
    predictions = files.read_predictions(sweep)
    if not sweep.parts:
        return _of(sweep, predictions, with_images)
    answers = {label: _of(part, predictions, with_images) for label, part in sweep.parts.items()}
    told = [PartOfAnswer(label, each.sweep, each.variants, each.details) for label, each in answers.items()]
    frames = [each.variants.assign(part=each.label, label=each.variants["variant"]) for each in told]
    variants = pd.concat(frames).set_index("variant", drop=False).loc[list(sweep.variants)].reset_index(drop=True)
    return Answer(sweep, variants, parts.together(told, _claims(sweep)))


def _of(sweep: Sweep, predictions: Mapping[str, files.Predictions], with_images: bool) -> Answer:
    """Of variants that are all tested alike."""
    evidence, notes = _examples(sweep, predictions)
    valid = validity.of(sweep, predictions)
    variants = _judged(_with_uncertainty(variant_table.frame(sweep), sweep, evidence), valid)
    variants = cautions.with_ranges(variants, sweep)
    fronts, front_notes = _fronts(variants, sweep)
    for axis, probabilities in fronts.items():
        variants[f"front_probability_{axis}"] = [probabilities.get(name, float("nan")) for name in variants["variant"]]
    effects, effects_note = _effects(sweep)
    png_files, images_note = images.of(sweep, evidence.flips) if with_images and evidence is not None else ({}, "")
    details = Details(
        alerts=[*valid.alerts(sweep.baseline), *design.alerts(sweep)],
        headlines=headlines(variants, sweep, valid),
        cautions=cautions.of(sweep, variants),
        per_class=evidence and evidence.per_class,
        churn=evidence and evidence.churn,
        calibration=evidence and evidence.calibration,
        flips=evidence and evidence.flips,
        flip_counts=evidence and evidence.flip_counts,
        uncertainty=evidence and evidence.uncertainty,
        interactions=effects,
        claims=_claims(sweep),
        images=png_files,
        notes=tuple(
            note
            for note in (_schedule_note(sweep), _images_note(sweep), *notes, *front_notes, effects_note, images_note)
            if note
        ),
        run_links=provenance.links(sweep),
        provenance=provenance.provenance(sweep),
    )
    return Answer(sweep, variants, details)


def _claims(sweep: Sweep) -> pd.DataFrame | None:
    if not sweep.published:
        return None
    accuracies = {name: sweep.results(name)["accuracy_percent"].to_numpy() for name in sweep.variants}
    images = {name: sweep.test_images(name) for name in sweep.variants}
    return claims.frame(sweep.published, accuracies, sweep.margin or None, images)


def _images_note(sweep: Sweep) -> str:
    unknown = [name for name in sweep.variants if len(sweep.results(name)) and sweep.test_images(name) is None]
    if not unknown:
        return ""
    whose = "the accuracies" if len(unknown) == len(sweep.variants) else f"those of {listed(unknown)}"
    return (
        f"On how many test images {whose} are counted is not known, so seeds that agree count as they are, and where "
        "none differ there is no verdict."
    )


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
    return _with_uncertainty(variant_table.frame(sweep), sweep, _examples(sweep, files.read_predictions(sweep))[0])


def _judged(variants: pd.DataFrame, valid: Validity) -> pd.DataFrame:
    """With ``failed`` and ``did not learn`` in place of verdicts, and n_failed, the number of trainings that failed."""
    if variants.empty:
        return variants
    rows = list(zip(variants["variant"], variants["verdict"], variants["baseline"], strict=True))
    return variants.assign(
        verdict=[verdict if baseline else valid.word(name) or verdict for name, verdict, baseline in rows],
        n_failed=[valid.failures[name].failed if name in valid.failures else 0 for name, _, _ in rows],
    )


def headlines(variants: pd.DataFrame, sweep: Sweep, valid: Validity = NOTHING_WRONG) -> list[Headline]:
    """For each variant but the baseline: the verdict, a sentence, and what to do. Where the baseline has no result only for
    those that failed."""
    if variants.empty or not variants["baseline"].any():
        return []
    baseline = variants[variants["baseline"]].iloc[0].to_dict()
    others = variants[~variants["baseline"]]
    compared = others[others["difference_points"].notna()]["variant"]
    said = dict(zip(compared, sentences.comparisons(variants, sweep.margin, with_price=False), strict=True))
    found = []
    for row in others.to_dict("records"):
        name, word = row["variant"], VerdictWord(row["verdict"] or VerdictWord.NONE)
        if name not in said and word is not VerdictWord.FAILED and not baseline["n"]:
            continue
        found.append(Headline(name, word, *_said(row, baseline, sweep, valid, said.get(name, ""))))
    return found


def _said(
    row: Mapping[str, Any], baseline: Mapping[str, Any], sweep: Sweep, valid: Validity, sentence: str
) -> tuple[str, str]:
    """The sentence and the advice on one variant."""
    name, levels = row["variant"], sweep.levels
    failed, not_learned = valid.failures.get(name), valid.not_learned.get(name)
    before = [failed.headline] if failed is not None else []
    before += [not_learned.sentence] if not_learned is not None else []
    after = failed.sentences[bool(failed.headline) :] if failed is not None else ()
    if valid.word(name) is VerdictWord.FAILED:
        sentence = ""
    elif not sentence:
        sentence = f"{name} has no result yet."
    sentence = " ".join(filter(None, (*before, sentence, *after)))
    if not_learned is not None and not_learned.is_all:
        return sentence, ""
    if baseline["variant"] in valid.not_learned and valid.not_learned[baseline["variant"]].is_all:
        return sentence, "Compare with another baseline: this one did not learn."
    what = names.steps(levels.get(name, {}), levels.get(baseline["variant"], {}))
    do = what or f"use {name} instead of {baseline['variant']}"
    if first := failures.advice(row, valid.failures, baseline["variant"], do):
        return sentence, first
    if not row["n"]:
        return sentence, f"Train it before deciding whether to {do}."
    return sentence, advice.advice(row, baseline, what)


def _examples(sweep: Sweep, predictions: Mapping[str, files.Predictions]) -> tuple[examples.Examples | None, list[str]]:
    """What the predictions say, and what is in the way; None where no run has any."""
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
    name, digests = sentences.setting(sweep.runs, "data"), set(sweep.results()["data_sha256"])
    number = max(runs[0].logits.shape[1] for runs in by_variant.values())
    known = data.known_classes(name or "", digests.pop() if len(digests) == 1 else "")
    return known if len(known) == number else tuple(str(label) for label in range(number))


def _with_uncertainty(variants: pd.DataFrame, sweep: Sweep, evidence: examples.Examples | None) -> pd.DataFrame:
    errors = (
        dict(zip(evidence.uncertainty["variant"], evidence.uncertainty["se_test_points"], strict=True))
        if evidence
        else {}
    )
    return variants.assign(se_test_points=[errors.get(name, float("nan")) for name in sweep.variants])


def _fronts(variants: pd.DataFrame, sweep: Sweep) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
    """For each cost in which the variants differ: how probable it is that each is on the front. And notes, once."""
    if len(variants) < 2:
        return {}, ()
    names = list(variants["variant"])
    accuracies = {name: sweep.results(name)["accuracy_percent"].to_numpy() for name in names}
    trainings = {name: sweep.trainings(name) for name in names}
    trainings = {name: keys for name, keys in trainings.items() if keys}
    least = {name: comparisons.rounding_variance(sweep.test_images(name)) for name in names}
    fronts: dict[str, dict[str, float]] = {}
    notes: tuple[str, ...] = ()
    for axis in cost_axes():
        values = trade_off.cost_values(variants, axis)
        if len(set(values[values == values])) < 2:  # all the same, or not known
            continue
        metric = trade_off.axis_metric(variants, axis)
        measured = of_sweep.samples(sweep, metric) if metric and metric.is_measured else {}
        if metric and metric.is_measured and not measured:  # the price says why
            continue
        drawn = pareto.membership(
            accuracies, dict(zip(names, map(float, values), strict=True)), trainings, least=least, **measured
        )
        fronts[axis], notes = drawn.probabilities, tuple(dict.fromkeys([*notes, *drawn.notes]))
    return fronts, notes


def _effects(sweep: Sweep) -> tuple[pd.DataFrame | None, str]:
    """Main effects and interactions, as the page has them; None where the design has no two factors that cross. And why
    there are none, where the levels in the store are of no design."""
    try:
        found = sweep.effects()
    except ValueError as error:
        return None, f"Effects of single factors are not shown: by the tag 'levels' in the store {error}."
    if not found:
        return None, ""
    effects = interactions.table(found, sweep.margin)
    both = effects["with_factor"].astype(bool)
    factors = effects["factor"].where(~both, effects["factor"] + " x " + effects["with_factor"])
    levels = effects["level"].where(~both, effects["level"] + " x " + effects["with_level"])
    return effects.assign(factors=factors, levels=levels), ""
