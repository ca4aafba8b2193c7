"""The MLflow experiment of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.errors import ReportError
from zoo.text.suggestions import did_you_mean
from zoo.tracking.names import ExperimentTags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


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


def sweeps(client: MlflowClient, uri: str) -> list[Experiment]:
    """The experiments that ``run_sweep.py`` made, the one that changed last first."""
    from mlflow.exceptions import MlflowException

    try:
        found = [each for each in client.search_experiments() if ExperimentTags.QUESTION in each.tags]
    except MlflowException as error:
        raise ReportError(f"MLflow cannot read {uri}: {error.message}") from error
    return sorted(found, key=lambda each: (-(each.last_update_time or 0), each.name))
