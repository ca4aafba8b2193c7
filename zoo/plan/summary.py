"""What ``--plan`` shows: the runs, what is done already, the price, the hours and the disk."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence, Sized
from pathlib import Path

from zoo.config import Question
from zoo.plan.budget import split_by_budget
from zoo.plan.disk import disk_needs
from zoo.plan.forecast import forecast_errors, sweep_seconds
from zoo.plan.runs import Plan, Training
from zoo.plan.seeds import stages
from zoo.stats import descriptive, family
from zoo.stats.power import (
    ALPHA,
    FEWEST_SEEDS,
    MOST_SEEDS,
    chances,
    detectable_difference,
    seeds_to_decide,
    seeds_until_decided,
)
from zoo.text.listing import level_text
from zoo.text.wording import duration, points_text, table

ASSUMED_SD = 0.25  # points between seeds; arXiv:2304.01910 finds 0.19 for 16 epochs of CIFAR-10 and 0.56 for 4


def text(
    plan: Plan,
    seconds: Mapping[str, float],
    runs_dir: Path,
    at_once: int = 1,
    budget_s: float | None = None,
    left: Sequence[Training] | None = None,
) -> str:
    """The plan in words and a table; ``seconds`` is what each training that is left will take, by key.

    ``left`` is what is to be trained in the worst case (default: all that has no result).
    """
    question = plan.question
    if left is None:
        left = [training for training in plan.trainings if not training.is_done()]
    lines = [
        f"{question.name}: {question.question}",
        f"{_count(question.variants, 'variant')} x {_seeds(question)} = {runs_text(plan, len(plan.runs))}, "
        f"from {_at_most(plan)}{_count(plan.trainings, 'training')}; baseline {question.baseline}",
        *_until_decided(plan),
        *_shared(plan),
        "",
        _variants(plan),
        "",
        f"{'in the worst case: ' if left and _at_most(plan) else ''}{_hours(left, seconds, at_once, runs_dir)}",
        disk_needs(left, runs_dir).text if left else None,
    ]
    if budget_s is not None and left:
        lines += ["", within(left, seconds, at_once, budget_s)]
    return "\n".join(line for line in lines if line is not None)


def within(left: Sequence[Training], seconds: Mapping[str, float], at_once: int, budget_s: float) -> str:
    """What fits into a budget, and what is left out."""
    fitting, left_out = split_by_budget(left, seconds, at_once, budget_s)
    if not left_out:
        return f"All of it fits into {duration(budget_s)}."
    in_all = duration(_together(fitting, seconds, at_once))
    lines = [
        f"{_fits(fitting)} into {duration(budget_s)}, about {in_all} in all; left out:",
        *(f"  {training.name} (about {duration(seconds[training.key])})" for training in left_out),
    ]
    return "\n".join(lines)


def _fits(fitting: Sequence[Training]) -> str:
    return f"{_count(fitting, 'training')} {'fits' if len(fitting) == 1 else 'fit'}" if fitting else "No training fits"


def _together(trainings: Sequence[Training], seconds: Mapping[str, float], at_once: int) -> float:
    return sweep_seconds([seconds[training.key] for training in trainings], at_once)


def runs_text(plan: Plan, count: int) -> str:
    """``6 runs``, or ``6 to 20 runs`` where it is open how many seeds it takes; ``count`` is the most."""
    first = plan.question.first_analysis
    least = count if first is None else min(count, first * len(plan.question.variants))
    return f"{least} to {count} runs" if least < count else f"{count} run{'' if count == 1 else 's'}"


def _seeds(question: Question) -> str:
    if question.first_analysis is None:
        return _count(question.seeds, "seed")
    return f"{question.first_analysis} to {_count(question.seeds, 'seed')}"


def _at_most(plan: Plan) -> str:
    return "at most " if plan.question.first_analysis is not None else ""


def _until_decided(plan: Plan) -> list[str]:
    first = plan.question.first_analysis
    if first is None:
        return []
    return [
        f"after {first} seeds of all, one seed at a time of the baseline and of what is undecided, until all is decided"
    ]


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _shared(plan: Plan) -> list[str]:
    """Which variants come out of the same trainings, once for each such group."""
    groups = dict.fromkeys(tuple(dict.fromkeys(run.variant.name for run in t.runs)) for t in plan.trainings)
    return [f"one training answers for {' and '.join(names)}" for names in groups if len(names) > 1]


def _variants(plan: Plan) -> str:
    rows = []
    for variant in plan.question.variants:
        runs = [run for run in plan.runs if run.variant.name == variant.name]
        done = sum(plan.training_of(run).record.has_result(run.steps, [run.evaluation.accuracy]) for run in runs)
        cost = plan.training_of(runs[0]).cost
        rows.append(
            (
                variant.name,
                f"{variant.config.steps:,}",
                f"{done} of {len(runs)}",
                f"{cost.params:,}",
                f"{cost.macs:,}",
                f"{cost.ops:,}",
            )
        )
    return table(("variant", "steps", "done", "params", "MACs", "ops"), rows, left=1)


def _hours(left: Sequence[Training], seconds: Mapping[str, float], at_once: int, runs_dir: Path) -> str:
    if not left:
        return "nothing is left to train"
    steps = sum(training.steps_to_train().count for training in left)
    how = f", {at_once} trainings at once" if at_once > 1 else ""
    return f"{steps:,} steps to train, about {duration(_together(left, seconds, at_once))} here{how}{_trust(runs_dir)}"


def _trust(runs_dir: Path) -> str:
    """How far earlier forecasts were off."""
    off = [abs(error) for error in forecast_errors(runs_dir)]
    if not off:
        return " (no forecast has been put to the test here yet)"
    median, worst = f"{100 * statistics.median(off):.0f} %", f"{100 * max(off):.0f} %"
    if len(off) == 1:
        return f" (the one forecast so far was off by {median})"
    return f" ({len(off)} forecasts here were off by {median} in the median, {worst} at worst)"


def sensitivity(plan: Plan) -> str:
    """The smallest difference that this design can detect, and the seeds that it takes for the margin."""
    question = plan.question
    seeds, margin = len(question.seeds), question.margin
    if len(question.variants) < 2:
        return "There is one variant, and nothing to compare it with."
    if seeds < 2:
        return "With one seed no difference can be told from chance: give at least two (--seeds N)."
    measured = measured_sd(plan)
    sd = measured or ASSUMED_SD
    source = "measured" if measured else "assumed until three results of a variant are there"
    comparisons = _comparisons(question)
    detectable = detectable_difference(sd, seeds, comparisons=comparisons, first_analysis=question.first_analysis)
    together = f" for all {comparisons} comparisons together" if comparisons > 1 else ""
    upto = "up to " if question.first_analysis is not None else ""
    return (
        f"Smallest difference that {upto}{seeds} seeds can detect: {detectable:.2f} points of accuracy.\n"
        f"(Two-sided tests at 5 %{together}, power 80 %; spread between seeds {sd:.2f} points, {source}.)"
        f"{_doubt(question, sd, comparisons) if detectable > margin else ''}"
    )


def _comparisons(question: Question) -> int:
    """That are judged together."""
    levels = {each.name: {f: level_text(level) for f, level in each.levels.items()} for each in question.variants}
    return family.size(levels, question.baseline, [each.name for each in question.variants])


def _doubt(question: Question, sd: float, comparisons: int) -> str:
    """What a design can be expected to decide that misses most differences of the margin's size, and one that does not."""
    margin, first = question.margin, question.first_analysis
    found, equated = chances(margin, sd, len(question.seeds), comparisons=comparisons, first_analysis=first)
    fixed = seeds_to_decide(margin, sd, sd, None, ALPHA / comparisons)
    at_least = max(FEWEST_SEEDS, first or 0)
    most = None if fixed is None else seeds_until_decided(fixed, at_least)
    warning = "warning: this design is not likely to decide anything of interest. " if max(found, equated) < 0.5 else ""
    advice = (
        f"No number of seeds up to {MOST_SEEDS:,} finds 80 % of such differences."
        if most is None
        else f"To find 80 % of them: seeds: {{min: {at_least}, max: {most}, until: decided}}"
    )
    return (
        f"\n{warning}It finds {100 * found:.0f} % of differences as large as the margin of {points_text(margin)}, and shows "
        f"{100 * equated:.0f} % of variants that are the same to lie within it.\n{advice}"
    )


def measured_sd(plan: Plan) -> float | None:
    """Standard deviation between seeds in points, of all variants together, once one of them has three results."""
    accuracies: dict[str, list[float]] = {}
    for run in plan.runs:
        value = stages.accuracy(plan, run)
        if value is not None:
            accuracies.setdefault(run.variant.name, []).append(value)
    if max(map(len, accuracies.values()), default=0) < 3:
        return None
    summaries = [descriptive.summary(values) for values in accuracies.values()]
    return descriptive.pooled_sd([each.sd for each in summaries], [each.n for each in summaries])
