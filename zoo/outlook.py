"""What ``--plan`` shows: the runs, what is done already, the price, and the hours."""

from __future__ import annotations

import statistics
from collections.abc import Sized
from pathlib import Path

from zoo import prices
from zoo.measure import Cost
from zoo.plan import Plan
from zoo.wording import duration, table


def text(plan: Plan, costs: dict[str, Cost], runs_dir: Path) -> str:
    """The plan in words and a table."""
    question = plan.question
    lines = [
        f"{question.name}: {question.question}",
        f"{_count(question.variants, 'variant')} x {_count(question.seeds, 'seed')} = {_count(plan.runs, 'run')}, "
        f"from {_count(plan.trainings, 'training')}; baseline {question.baseline}",
        "",
        _variants(plan, costs),
        "",
        _hours(plan, costs, runs_dir),
    ]
    return "\n".join(lines)


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _variants(plan: Plan, costs: dict[str, Cost]) -> str:
    rows = []
    for variant in plan.question.variants:
        runs = [run for run in plan.runs if run.variant.name == variant.name]
        done = sum(plan.training_of(run).record.has_result(run.steps) for run in runs)
        cost = costs[variant.name]
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


def _hours(plan: Plan, costs: dict[str, Cost], runs_dir: Path) -> str:
    left = [training for training in plan.trainings if not training.is_done()]
    if not left:
        return "nothing is left to train"
    seconds = [prices.training_seconds(t.config, costs[t.runs[0].variant.name], t.steps_left(), runs_dir) for t in left]
    steps = sum(training.steps_left() for training in left)
    if any(second is None for second in seconds):
        return f"{steps:,} steps to train; how long that takes is known once something has been trained here"
    return f"{steps:,} steps to train, about {duration(sum(seconds))} at the speed of earlier trainings here"


def measured_sd(plan: Plan) -> float | None:
    """Standard deviation between the seeds of the baseline in points, from three results on."""
    config = next(v.config for v in plan.question.variants if v.name == plan.question.baseline)
    rows = [
        plan.training_of(run).record.row_at(run.steps)
        for run in plan.runs
        if run.variant.name == plan.question.baseline
    ]
    which = "ema" if config.ema else "raw"
    values = [100 * row[f"test/accuracy_{which}"] for row in rows if row]
    return statistics.stdev(values) if len(values) >= 3 else None
