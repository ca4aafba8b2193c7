"""Which trainings are wanted: all of a plan, or, with seeds until decided, one more seed at a time of what is undecided."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from zoo import data
from zoo.measure import task
from zoo.plan.runs import Plan, Run, Training
from zoo.stats import declared
from zoo.stats.declared import Declared
from zoo.stats.family import Judged, Results
from zoo.stats.verdicts import Verdict
from zoo.storage import checksums
from zoo.text.listing import level_text

_FIRST = 2  # accuracies that are compared before answers are read

# the number of seeds, and the verdict on each hypothesis: on each variant, or on each effect of a factorial
InterimAnalysis = Callable[[int, Mapping[str, Verdict]], object]


def stages(plan: Plan, on_analysis: InterimAnalysis = lambda seeds, verdicts: None) -> Iterator[list[Training]]:
    """Lists of trainings, each to be asked for when those of the one before have ended.

    With seeds until decided: the first seeds of all variants, then one seed more of the baseline and of what is undecided.
    ``on_analysis`` gets the verdicts of each interim analysis.
    """
    question = plan.question
    if question.first_analysis is None:
        yield list(plan.trainings)
        return
    first = frozenset(question.seeds[: question.first_analysis])
    known: dict[str, float] = {}  # a result that an analysis has used is not read again for the next
    yield [training for training in plan.trainings if training.seed in first]
    parts = _parts(plan)
    for n, seed in enumerate((*question.seeds[question.first_analysis :], None), start=question.first_analysis):
        of_parts = _judged(plan, n, known, parts)
        on_analysis(n, {_name(part, name): v for part, judged in of_parts for name, v in judged.family.items()})
        undecided: set[str] = set()
        for part, judged in of_parts:
            names = {name for each in judged.undecided() for name in each}
            undecided |= {*names, part.baseline or ""} if names else set()
        if seed is None or not undecided:
            return
        yield _trainings_of(plan, undecided, [seed])


class WantedTrainings(NamedTuple):
    """The trainings of a plan that are wanted for certain, those with a result included, and those that may be at most."""

    certain: tuple[Training, ...]
    at_most: tuple[Training, ...]


def wanted_trainings(plan: Plan) -> WantedTrainings:
    """What is wanted as far as can be known now, from the results that there are."""
    wanted: list[Training] = []
    for stage in stages(plan):
        wanted += stage
        if not all(training.is_done() for training in stage):
            break
    else:
        return WantedTrainings(tuple(wanted), tuple(wanted))
    question = plan.question
    if question.first_analysis is None:
        return WantedTrainings(tuple(wanted), tuple(wanted))
    reached = {training.seed for training in wanted}
    undecided = {run.variant.name for training in stage for run in training.runs}
    further = _trainings_of(plan, undecided, {*question.seeds} - reached)
    return WantedTrainings(tuple(wanted), (*wanted, *further))


def _parts(plan: Plan) -> tuple[task.Part, ...]:
    """What is compared with what: all with the baseline, unless variants are tested on other data (``zoo.measure.task``)."""
    configs = {variant.name: variant.config for variant in plan.question.variants}
    if len({(config.data, config.input_size) for config in configs.values()}) == 1:
        return (task.Part({}, tuple(configs), plan.question.baseline),)
    flat = {name: {f: level_text(v) for f, v in config.flat().items()} for name, config in configs.items()}
    return task.split(flat, plan.question.baseline)


def _name(part: task.Part, hypothesis: str) -> str:
    """Of a variant, or of an effect, which other parts may have, too."""
    return hypothesis if hypothesis in part.variants or not part.task else f"{part.label}: {hypothesis}"


def _judged(
    plan: Plan, seeds: int, known: dict[str, float], parts: Sequence[task.Part]
) -> list[tuple[task.Part, Judged]]:
    """The verdicts of the report on each part, from the results of the first ``seeds`` seeds, by the declared design."""
    question, history = plan.question, plan.design
    design = Declared(question.seeds, question.first_analysis, question.margin)
    if history:
        is_baseline = history.declared.baseline == question.baseline
        design = Declared(history.judged.seeds, history.judged.first_analysis, history.declared.margin, is_baseline)
    trained = question.seeds[:seeds]
    untried = [] if set(design.seeds) <= set(trained) else [variant.name for variant in question.variants]
    results, runs = _results(plan, frozenset(trained), known)
    found = []
    for part in parts:
        if part.baseline is not None:
            of_part = _of_part(results, part, part.baseline)
            numbers = {name: [run.seed for run in runs[name]] for name in part.variants}
            same = _alike(plan, of_part, runs)
            found.append((part, declared.judged(of_part, numbers, design, untried, same)))
    return found


def _of_part(results: Results, part: task.Part, baseline: str) -> Results:
    accuracies = {name: results.accuracies[name] for name in part.variants}
    levels = {
        name: {f: level for f, level in results.levels[name].items() if f not in part.task} for name in part.variants
    }
    return results._replace(accuracies=accuracies, baseline=baseline, levels=levels)


def _alike(plan: Plan, results: Results, runs: Mapping[str, list[Run]]) -> dict[str, str]:
    """Which variants are the same to the bit (``declared.alike``); only answers of equal accuracies are looked at."""
    by_values: dict[tuple[float, ...], list[str]] = {}
    for name, own in results.accuracies.items():
        by_values.setdefault(tuple(np.asarray(own).tolist()[:_FIRST]), []).append(name)
    return {
        name: first
        for values, names in by_values.items()
        if values and len(names) > 1
        for name, first in declared.alike(
            {name: {run.seed: _answers(plan, run) for run in runs[name]} for name in names}
        ).items()
    }


def _answers(plan: Plan, run: Run) -> str:
    return checksums.array_sha256(plan.training_of(run).record.results_file(run.steps), run.evaluation.logits)


def _trainings_of(plan: Plan, variants: Collection[str], seeds: Collection[int]) -> list[Training]:
    """The trainings with these seeds that answer for any of these variants."""
    return [
        training
        for training in plan.trainings
        if training.seed in seeds and any(run.variant.name in variants for run in training.runs)
    ]


def accuracy(plan: Plan, run: Run) -> float | None:
    """Final test accuracy of a run in percent, as its recipe reports it; None where it has no result."""
    record, column = plan.training_of(run).record, run.evaluation.accuracy
    row = record.row_at(run.steps) if record.has_result(run.steps, [column]) else None
    return 100 * row[column] if row is not None and column in row else None


def _results(plan: Plan, seeds: Collection[int], known: dict[str, float]) -> tuple[Results, dict[str, list[Run]]]:
    """What the statistics take, of the results with these seeds, and their runs. ``known`` has those of earlier calls, by
    the run's name."""
    variants = {variant.name: variant for variant in plan.question.variants}
    accuracies: dict[str, list[float]] = {name: [] for name in variants}
    runs: dict[str, list[Run]] = {name: [] for name in variants}
    test_images: dict[str, int | None] = dict.fromkeys(variants)
    for run in plan.runs:
        if run.seed not in seeds:
            continue
        value = known[run.name] if run.name in known else accuracy(plan, run)
        if value is not None:
            known[run.name], name = value, run.variant.name
            accuracies[name].append(value)
            runs[name].append(run)
            test_images[name] = test_images[name] or _test_images(plan.training_of(run))
    levels = {name: {f: level_text(level) for f, level in each.levels.items()} for name, each in variants.items()}
    keys = {name: [run.key for run in own] for name, own in runs.items()}
    return Results(accuracies, plan.question.baseline, keys, test_images, levels), runs


def _test_images(training: Training) -> int | None:
    """As its description has them, or else as is known of the data set."""
    description = training.record.description()
    known = description.test_images if description else None
    return known or data.info(training.config.data).test_images
