"""The design of a plan, written down before its first result, and what was there when it was changed later."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from zoo.plan.runs import Plan, make_plan
from zoo.storage import damage, designs
from zoo.storage.designs import Design, DesignHistory

_LOST = "what was declared before is lost: the report says so"


def with_history(plan: Plan, runs_dir: Path, data_dir: Path | None = None) -> Plan:
    """The plan with the designs of its sweep, its own at the end. Nothing is written."""
    try:
        history = designs.read(runs_dir, plan.question.name)
    except ValueError:
        history = DesignHistory()
    return replace(plan, design=_extended(history, plan, runs_dir, data_dir))


def declare(plan: Plan, runs_dir: Path, data_dir: Path | None = None) -> Plan:
    """The same, and what is new is written. Raises RecordError where a damaged file cannot be set aside, OSError."""
    try:
        history = designs.read(runs_dir, plan.question.name)
    except ValueError:
        damage.set_aside(designs.path_of(runs_dir, plan.question.name), "it is no list of designs", _LOST)
        history = DesignHistory()
    extended = _extended(history, plan, runs_dir, data_dir)
    if extended != history:
        designs.write(runs_dir, plan.question.name, extended)
    return replace(plan, design=extended)


def _extended(history: DesignHistory, plan: Plan, runs_dir: Path, data_dir: Path | None) -> DesignHistory:
    question = plan.question
    design = Design(
        time=designs.now(),
        seeds=question.seeds,
        first_analysis=question.first_analysis,
        margin=question.margin,
        margin_given=question.margin_given,
        baseline=question.baseline,
        results=sum(_results(plan).values()),
        compared=bool(history) and _is_compared(plan, history.current, runs_dir, data_dir),
    )
    return history.with_design(design)


def _is_compared(plan: Plan, before: Design, runs_dir: Path, data_dir: Path | None) -> bool:
    """Whether two variants have two results each by now, among the seeds of the design before and of this one."""
    seeds = tuple(dict.fromkeys((*before.seeds, *plan.question.seeds)))
    both = plan if seeds == plan.question.seeds else make_plan(replace(plan.question, seeds=seeds), runs_dir, data_dir)
    return sum(count >= 2 for count in _results(both).values()) >= 2


def _results(plan: Plan) -> Counter[str]:
    """How many results each variant has."""
    trainings = {training.key: training for training in plan.trainings}
    return Counter(run.variant.name for run in plan.runs if trainings[run.training].record.has_result(run.steps))
