"""Which MLflow run stands for which run of a plan: found again by its key, created once, duplicates removed.

MLflow's client sends a request again when no answer comes, so a run may be created twice, also minutes later. Of such
duplicates the empty ones are deleted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from zoo.measure.readouts import READOUTS
from zoo.plan.runs import Plan, Run, Training
from zoo.storage.records import TrainingDescription
from zoo.tracking.names import Params, RunTags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

_PAGE = 1000  # runs in one request
_SAME_RUN = (RunTags.RUN_KEY, RunTags.VARIANT, RunTags.SEED, RunTags.TRAINING_BEGAN)


class MlflowRuns:
    """The MLflow runs of a plan. Creating it asks MLflow for those that are there, like ``refresh``."""

    def __init__(self, client: MlflowClient, experiment_id: str, plan: Plan):
        self._client, self._experiment_id, self._plan = client, experiment_id, plan
        self._ids: dict[str, str] = {}  # run name -> MLflow's id
        self.refresh()

    def refresh(self) -> None:
        """Ask MLflow anew what it has; runs of an earlier form of the question are marked as not current."""
        wanted: dict[tuple[str | None, ...], Run] = {
            (run.key, run.variant.name, str(run.seed)): run for run in self._plan.runs
        }
        same: dict[str, list[MlflowRun]] = {}
        for mlflow_run in self._search():
            tags = mlflow_run.data.tags
            run = wanted.get((tags.get(RunTags.RUN_KEY), tags.get(RunTags.VARIANT), tags.get(RunTags.SEED)))
            is_same = run is not None and _reports_as(mlflow_run, run)
            if run is not None and is_same and _is_of(tags, self._plan.training_of(run)):
                same.setdefault(run.name, []).append(mlflow_run)
            else:
                self._mark(mlflow_run, current=False)
        self._ids = {name: self._only_one(duplicates).info.run_id for name, duplicates in same.items()}

    def get_or_create(self, run: Run, description: TrainingDescription | None) -> MlflowRun:
        """The MLflow run as it stands; created when there is none, or when it is of another training or was deleted."""
        began = began_tag(description)
        if run.name in self._ids:
            mlflow_run = self._client.get_run(self._ids[run.name])
            if mlflow_run.info.lifecycle_stage == "active":
                is_same = mlflow_run.data.tags.get(RunTags.TRAINING_BEGAN, began) == began
                if is_same and _reports_as(mlflow_run, run):
                    return mlflow_run
                self._mark(mlflow_run, current=False)
        tags = {
            RunTags.SWEEP: self._plan.question.name,
            RunTags.VARIANT: run.variant.name,
            RunTags.SEED: str(run.seed),
            RunTags.RUN_KEY: run.key,
            RunTags.TRAINING_KEY: run.training,
            RunTags.CURRENT: "true",
            RunTags.SOURCE_NAME: "run_sweep.py",
        }
        tags |= {RunTags.TRAINING_BEGAN: began} if began else {}
        began_ms = int((description.started if description else time.time()) * 1000)
        created = self._client.create_run(self._experiment_id, start_time=began_ms, tags=tags, run_name=run.name)
        duplicates = [other for other in self._duplicates(created, tags) if _reports_as(other, run)]
        mlflow_run = self._only_one(duplicates)
        self._ids[run.name] = mlflow_run.info.run_id
        return mlflow_run

    def recreate(self, mlflow_run: MlflowRun, run: Run, description: TrainingDescription | None) -> MlflowRun:
        """An empty one in place of one that cannot be repaired; the record has all that it held."""
        self._client.delete_run(mlflow_run.info.run_id)
        return self.get_or_create(run, description)

    def _duplicates(self, created: MlflowRun, tags: Mapping[str, str]) -> list[MlflowRun]:
        """A run just created, with all that are like it."""
        same_key = self._search(f"tags.{RunTags.RUN_KEY} = '{tags[RunTags.RUN_KEY]}'")
        alike = [other for other in same_key if all(other.data.tags.get(name) == tags.get(name) for name in _SAME_RUN)]
        return alike or [created]

    def _only_one(self, duplicates: list[MlflowRun]) -> MlflowRun:
        """The newest that has something; the empty ones among the others are deleted."""
        kept = max(duplicates, key=lambda one: (not is_empty(one), one.info.start_time, one.info.run_id))
        for one in duplicates:
            if one is not kept and is_empty(one):
                self._client.delete_run(one.info.run_id)
            else:
                self._mark(one, current=one is kept)
        return kept

    def _mark(self, mlflow_run: MlflowRun, current: bool) -> None:
        """Whether a run is of the question as last asked: what the prepared view and the reports go by."""
        value = str(current).lower()
        if mlflow_run.data.tags.get(RunTags.CURRENT) != value:
            self._client.set_tag(mlflow_run.info.run_id, RunTags.CURRENT, value)

    def _search(self, filter_string: str = "") -> Iterator[MlflowRun]:
        token = None
        while True:
            page = self._client.search_runs([self._experiment_id], filter_string, max_results=_PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def field_text(value: Any) -> str:
    """A value of a field as a question spells it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def is_empty(mlflow_run: MlflowRun) -> bool:
    """Whether an MLflow run has been created and no more."""
    return not mlflow_run.data.metrics and not mlflow_run.data.params


def began_tag(description: TrainingDescription | None) -> str:
    """When a training began, as a text that tells it from any other; empty while that is not known."""
    return str(description.started) if description else ""


def _reports_as(mlflow_run: MlflowRun, run: Run) -> bool:
    """Whether an MLflow run has the evaluation that a run reports, or none yet: its key does not say which that is."""
    params = mlflow_run.data.params
    if not params:
        return True
    return all(
        params.get(Params.of_field(field), field_text(readout.default))
        == field_text(getattr(run.variant.config, field))
        for field, readout in READOUTS.items()
    )


def _is_of(tags: Mapping[str, str], training: Training) -> bool:
    """Whether an MLflow run is of this very training: one of the same key may have been moved aside, or be elsewhere."""
    began = began_tag(training.record.description())
    return not began or tags.get(RunTags.TRAINING_BEGAN, began) == began
