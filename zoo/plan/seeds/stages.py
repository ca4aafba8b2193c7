"""Which trainings are wanted: all of a plan, or, with seeds until decided, one more seed at a time of what is undecided."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from zoo.plan.runs import Plan, Run, Training
from zoo.stats import verdicts
from zoo.stats.verdicts import SeedSchedule, Verdict

InterimAnalysis = Callable[[int, Mapping[str, Verdict]], object]  # the number of seeds, and the verdict on each variant


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
    for n, seed in enumerate((*question.seeds[question.first_analysis :], None), start=question.first_analysis):
        by_variant = _verdicts(plan, n, known)
        on_analysis(n, by_variant)
        undecided = [name for name, verdict in by_variant.items() if _needs_more_seeds(verdict)]
        if seed is None or not undecided:
            return
        yield _trainings_of(plan, [*undecided, question.baseline], [seed])


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


def _needs_more_seeds(verdict: Verdict) -> bool:
    """Whether more seeds may decide it; where no seed had a result, another one is no help."""
    return not verdict.is_decided and verdict.seeds > 0


def _verdicts(plan: Plan, seeds: int, known: dict[str, float]) -> dict[str, Verdict]:
    """Those of the report, from the results of the first ``seeds`` seeds."""
    question = plan.question
    assert question.first_analysis is not None
    schedule = SeedSchedule(question.first_analysis, len(question.seeds))
    accuracies, paired = _results(plan, frozenset(question.seeds[:seeds]), known)
    return verdicts.verdicts(accuracies, question.baseline, question.margin, schedule, paired)


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


def _results(plan: Plan, seeds: Collection[int], known: dict[str, float]) -> tuple[dict[str, list[float]], set[str]]:
    """The accuracies of each variant with these seeds, and which variants are readouts of the baseline's own trainings.

    ``known`` has those of earlier calls, by the name of the run.
    """
    accuracies: dict[str, list[float]] = {variant.name: [] for variant in plan.question.variants}
    keys: dict[str, list[str]] = {name: [] for name in accuracies}
    for run in plan.runs:
        if run.seed not in seeds:
            continue
        value = known[run.name] if run.name in known else accuracy(plan, run)
        if value is not None:
            known[run.name] = value
            accuracies[run.variant.name].append(value)
            keys[run.variant.name].append(run.key)
    baseline = plan.question.baseline
    paired = {name for name in accuracies if name != baseline and keys[name] and keys[name] == keys[baseline]}
    return accuracies, paired
