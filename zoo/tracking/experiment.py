"""The MLflow experiment of a sweep, with the question as it was last asked."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.config import Question
from zoo.plan.runs import Plan
from zoo.plan.seeds import stages
from zoo.storage.designs import DesignHistory
from zoo.text import markdown
from zoo.tracking.experiments import files, view
from zoo.tracking.names import MODEL_TRAINING, ExperimentTags

if TYPE_CHECKING:
    from mlflow import MlflowClient

_TAG_LENGTH = 20_000  # characters that MLflow takes
_LISTED = 50  # variants in the description


def find_or_create_experiment(client: MlflowClient, name: str, uri: str, directory: Path) -> str:
    """The experiment's id, created or restored if need be; its files go below ``directory`` unless a server has them."""
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        # Given, because MLflow's default depends on the working directory of whoever comes first.
        try:
            return str(client.create_experiment(name, files.default_address(name, uri, directory)))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            experiment = client.get_experiment_by_name(name)  # by another sweep, or by us and the answer was lost
            if experiment is None:
                raise
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
        client.set_experiment_tag(experiment.experiment_id, ExperimentTags.OWNER, "")  # whoever comes first
    return str(experiment.experiment_id)


def describe_sweep(client: MlflowClient, experiment_id: str, plan: Plan, command: str) -> None:
    """Write on the experiment what was asked and when it was declared, and prepare the view that compares the variants."""
    experiment, question = client.get_experiment(experiment_id), plan.question
    if plan.design:
        tags = {ExperimentTags.DESIGN: _designs(experiment.tags.get(ExperimentTags.DESIGN, ""), plan.design)}
    else:
        tags = {}
    tags |= _tags(question, command) | {ExperimentTags.NOTE: _note(plan)}
    tags |= {view.TAG: view.tag(list(question.factors), experiment.creation_time or 0)}
    for key, value in tags.items():
        if len(value) > _TAG_LENGTH:  # left out, not cut: the reports then go by what has been run
            value = "null" if key in experiment.tags else ""
        if value and experiment.tags.get(key) != value:
            client.set_experiment_tag(experiment_id, key, value)


def describe_results(client: MlflowClient, experiment_id: str, plan: Plan) -> None:
    """Write on the experiment what its variants have come to."""
    client.set_experiment_tag(experiment_id, ExperimentTags.NOTE, _note(plan))


def _designs(stored: str, ours: DesignHistory) -> str:
    """What is stored and what is on disk here, as one history: neither is lost where the other is."""
    try:
        return DesignHistory.from_text(stored or "[]").merged(ours).text
    except ValueError:  # somebody else's
        return ours.text


def _tags(question: Question, command: str) -> dict[str, str]:
    names = [variant.name for variant in question.variants]
    return {
        ExperimentTags.QUESTION: question.question,
        ExperimentTags.BASELINE: question.baseline,
        ExperimentTags.MARGIN: str(question.margin),
        ExperimentTags.VARIANTS: _json(names),
        ExperimentTags.SEEDS: _json(question.seeds),
        ExperimentTags.FIRST_ANALYSIS: _json(question.first_analysis),
        ExperimentTags.FACTORS: _json(question.factors),
        ExperimentTags.LEVELS: _json({variant.name: variant.levels for variant in question.variants}),
        ExperimentTags.PUBLISHED: _json([asdict(claim) for claim in question.published]),
        ExperimentTags.COMMAND: command,
        ExperimentTags.KIND: MODEL_TRAINING,
    }


def _note(plan: Plan) -> str:
    """The question, and what its variants have come to: means over seeds with their spread, in percent."""
    question = plan.question
    accuracies: dict[str, list[float]] = {}
    for run in plan.runs:
        found = stages.accuracy(plan, run)
        accuracies.setdefault(run.variant.name, []).extend([] if found is None else [found])
    lines = [
        f"- {markdown.code(name)}{' (baseline)' if name == question.baseline else ''}: {_mean(found)}"
        for name, found in list(accuracies.items())[:_LISTED]
    ]
    more = len(accuracies) - len(lines)
    return "\n".join(
        [
            f"{markdown.escape_line(question.question)}\n",
            "Test accuracy, mean ± standard deviation over seeds:\n",
            *lines,
        ]
        + ([f"- and {more} more"] if more else [])
    )


def _mean(percent: Sequence[float]) -> str:
    if not percent:
        return "no result yet"
    spread = f" ± {statistics.stdev(percent):.2f}" if len(percent) > 1 else ""
    return f"{statistics.mean(percent):.2f}{spread} % ({len(percent)} seed{'s' if len(percent) > 1 else ''})"


def _json(value: Iterable[Any] | Mapping[str, Any] | int | None) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
