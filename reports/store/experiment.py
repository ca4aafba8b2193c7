"""The MLflow experiment of a sweep and its tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from reports.errors import ReportError
from zoo.text.suggestions import did_you_mean

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

Value = TypeVar("Value")  # a list, a dict or an int


def find_experiment(client: MlflowClient, sweep: str, uri: str) -> Experiment:
    from mlflow.exceptions import MlflowException

    try:
        experiment = client.get_experiment_by_name(sweep)
        if experiment is not None and experiment.lifecycle_stage == "active":
            return experiment
        known = sorted(each.name for each in client.search_experiments() if each.name != "Default")
    except MlflowException as error:
        raise ReportError(f"MLflow cannot read {uri}: {error.message}") from error
    if experiment is not None:
        raise ReportError(
            f"sweep {sweep!r} was deleted in {uri}; mlflow experiments restore -x {experiment.experiment_id}"
        )
    listed = f"known sweeps: {', '.join(known)}" if known else "it holds no sweep"
    raise ReportError(f"no sweep {sweep!r} in {uri}{did_you_mean(sweep, known)}; {listed}")


def json_tag(tags: Mapping[str, str], name: str, default: Value) -> Value:
    """The value of an experiment's tag, ``default`` where it is absent or null."""
    kind = type(default)
    value: Any
    try:
        value = json.loads(tags.get(name, "null"))
    except ValueError:
        value = ...
    if value is None:
        return default
    if not isinstance(value, kind):
        words = "JSON list" if kind is list else "JSON object" if kind is dict else "number"
        raise ReportError(f"the experiment's tag {name!r} is not a {words}: {tags[name]!r}; run the sweep again")
    return value
