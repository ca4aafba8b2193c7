"""A sweep's experiment in MLflow: one flat MLflow run for each variant and seed, found again by its run key.

What a run must hold is worked out from its record, and what MLflow lacks of it is sent. A row of the history is sent only
when MLflow does not have its step.

A request that a server carried out may look like one that failed: its answer came too late, or was lost. So after any
failure MLflow is asked again what it has, and what it is sent a second time is the same to the letter: of two points that
are equal in name, step, time and value MLflow keeps one. Of a run that was created twice the empty twin is deleted.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zoo.plan.runs import Plan, Run, Training
from zoo.storage.records import Row, TrainingDescription
from zoo.storage.states import TrainingState
from zoo.tracking import artifacts, view
from zoo.tracking.connection import explained, open_client
from zoo.tracking.names import (
    ARTIFACTS_COMPLETE,
    Artifacts,
    ExperimentTags,
    Params,
    RunStatus,
    RunTags,
    SingleMetrics,
    StepMetrics,
)

_STATUS = {
    TrainingState.RUNNING: RunStatus.RUNNING,
    TrainingState.DONE: RunStatus.FINISHED,
    TrainingState.STOPPED: RunStatus.KILLED,
    TrainingState.FAILED: RunStatus.FAILED,
}
_BATCH = 90  # rows of a history in one request: MLflow takes 1,000 values
_TAG_LENGTH, _EXPERIMENT_TAG_LENGTH, _DIGEST_LENGTH = 5000, 20_000, 36  # characters that MLflow takes


class Store:
    """The experiment, opened or created, with the question written on it. Raises TrackingError when that fails."""

    def __init__(self, plan: Plan, uri: str, directory: Path, command: str = ""):
        self._plan, self._uri = plan, uri
        self._directory, self._command = directory, command
        self._stored: dict[str, set[int]] = {}  # run id -> the steps of its history that MLflow has
        self._in_doubt = False  # whether MLflow may have more than has been heard from it
        self._client = open_client(uri)
        with explained(uri):
            self.experiment_id = self._experiment()
            self._describe_sweep()
            self._run_ids = self._adopt()

    def send(self, training: Training, state: TrainingState, reason: str = "") -> None:
        """Bring the MLflow runs of a training up to its record.

        Raises TrackingError; what has been sent until then stays, and sending again goes on from there.
        """
        with explained(self._uri):
            if self._in_doubt:
                self.look_again()
            self._in_doubt = True
            history, described = training.record.history(), training.record.description()
            for run in training.runs:
                rows = [row for row in history if row["step"] <= run.steps]
                self._send_run(run, training, rows, described, state, _with_output(training, state, reason))
            self._in_doubt = False

    def look_again(self) -> None:
        """Learn anew what MLflow has, and tidy up after requests that were carried out late. Raises TrackingError."""
        with explained(self._uri):
            self._stored.clear()
            self._run_ids = self._adopt()

    def directions(self) -> str:
        """How to see the variants compared in a browser."""
        return view.directions(self._uri, self.experiment_id, self._directory)

    def _experiment(self) -> str:
        name = self._plan.question.name
        found = self._client.get_experiment_by_name(name)
        if found is None:
            # Given, because MLflow's default depends on the working directory of whoever comes first.
            served = self._uri.startswith(("http://", "https://", "databricks"))
            place = self._directory / "mlruns" / re.sub(r"[^\w.-]", "_", name)
            try:
                return self._client.create_experiment(name, None if served else place.absolute().as_uri())
            except Exception as error:
                if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = self._client.get_experiment_by_name(name)  # by another sweep, or by us and the answer was lost
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _describe_sweep(self) -> None:
        """Say on the experiment what was asked, and prepare the view that compares the variants."""
        question = self._plan.question
        names = [variant.name for variant in question.variants]
        listed = ", ".join(f"`{name}`" for name in names[:50])
        found = self._client.get_experiment(self.experiment_id)
        tags = {
            ExperimentTags.QUESTION: question.question,
            ExperimentTags.BASELINE: question.baseline,
            ExperimentTags.MARGIN: str(question.margin),
            ExperimentTags.VARIANTS: _listed_json(names),
            ExperimentTags.SEEDS: json.dumps(question.seeds),
            ExperimentTags.FIRST_LOOK: json.dumps(question.first_analysis),
            ExperimentTags.FACTORS: _listed_json(question.factors),
            ExperimentTags.LEVELS: _listed_json({variant.name: variant.levels for variant in question.variants}),
            ExperimentTags.PUBLISHED: _listed_json([asdict(claim) for claim in question.published]),
            ExperimentTags.COMMAND: self._command,
            ExperimentTags.NOTE: f"{question.question}\n\nVariants: {listed}. Baseline: `{question.baseline}`.",
            view.TAG: view.tag(list(question.factors), found.creation_time),
        }
        for key, value in tags.items():
            if len(value) > _EXPERIMENT_TAG_LENGTH:  # left out, not cut: the reports then go by what has been run
                value = "null" if key in found.tags else ""
            if value and found.tags.get(key) != value:
                self._client.set_experiment_tag(self.experiment_id, key, value)

    def _adopt(self) -> dict[str, str]:
        """Run name -> MLflow run, of those there are; runs of an earlier form of the question are marked as not current."""
        wanted = {(run.key, run.variant.name, str(run.seed)): run for run in self._plan.runs}
        same: dict[str, list[Any]] = {}
        for found in _all_runs(self._client, self.experiment_id):
            tags = found.data.tags
            run = wanted.get((tags.get(RunTags.RUN_KEY), tags.get(RunTags.VARIANT), tags.get(RunTags.SEED)))
            if run is not None and self._is_of(tags, self._plan.training_of(run)):
                same.setdefault(run.name, []).append(found)
            else:
                self._mark(found, current=False)
        return {name: self._only(twins).info.run_id for name, twins in same.items()}

    def _only(self, twins: list[Any]) -> Any:
        """Of MLflow runs of one training the newest that has something; the empty ones among the others are deleted."""
        kept = max(twins, key=lambda found: (not _is_empty(found), found.info.start_time, found.info.run_id))
        for found in twins:
            if found is not kept and _is_empty(found):
                self._client.delete_run(found.info.run_id)
            else:
                self._mark(found, current=found is kept)
        return kept

    def _mark(self, found: Any, current: bool) -> None:
        """Whether a run is of the question as last asked: what the prepared view and the reports go by."""
        if found.data.tags.get(RunTags.CURRENT) != str(current).lower():
            self._client.set_tag(found.info.run_id, RunTags.CURRENT, str(current).lower())

    def _is_of(self, tags: Mapping[str, str], training: Training) -> bool:
        """Whether an MLflow run is of this very training: one of the same key may have been moved aside, or be elsewhere."""
        began = _began(training.record.description())
        return not began or tags.get(RunTags.TRAINING_BEGAN, began) == began

    def _send_run(
        self,
        run: Run,
        training: Training,
        rows: list[Row],
        described: TrainingDescription | None,
        state: TrainingState,
        reason: str,
    ) -> None:
        found = self._run(run, described)
        if self._has_doubled_points(found):
            self._client.delete_run(found.info.run_id)  # MLflow cannot delete a point, and the record has them all
            found = self._run(run, described)
        run_id = found.info.run_id
        finished = training.record.has_result(run.steps)
        self._send_identity(found, run, training, described)
        self._send_history(run, run_id, rows)
        self._send_figures(found, run, training)
        if finished:
            self._send_files(found, run, rows)
        self._set_state(found, TrainingState.DONE if finished else state, reason, rows)

    def _run(self, run: Run, described: TrainingDescription | None) -> Any:
        """The MLflow run as it stands; created when there is none, or when it is of another training or was deleted."""
        began = _began(described)
        if run.name in self._run_ids:
            found = self._client.get_run(self._run_ids[run.name])
            if found.info.lifecycle_stage == "active":
                if found.data.tags.get(RunTags.TRAINING_BEGAN, began) == began:
                    return found
                self._mark(found, current=False)
        tags = _identity(run, self._plan.question.name) | {RunTags.CURRENT: "true", RunTags.SOURCE_NAME: "run_sweep.py"}
        tags |= {RunTags.TRAINING_BEGAN: began} if began else {}
        began_ms = int((described.started if described else time.time()) * 1000)
        created = self._client.create_run(self.experiment_id, start_time=began_ms, tags=tags, run_name=run.name)
        found = self._only(self._twins(created, tags))
        self._run_ids[run.name] = found.info.run_id
        if _is_empty(found):
            self._stored[found.info.run_id] = set()
        return found

    def _twins(self, created: Any, tags: Mapping[str, str]) -> list[Any]:
        """A run just created with all that are its like: MLflow's client sends a request again when no answer comes."""
        like = (RunTags.RUN_KEY, RunTags.VARIANT, RunTags.SEED, RunTags.TRAINING_BEGAN)
        same_key = _all_runs(self._client, self.experiment_id, f"tags.{RunTags.RUN_KEY} = '{tags[RunTags.RUN_KEY]}'")
        found = [other for other in same_key if all(other.data.tags.get(name) == tags.get(name) for name in like)]
        return found or [created]

    def _has_doubled_points(self, found: Any) -> bool:
        """Learns which steps MLflow has of a run, if it is not known, and whether it has one twice.

        That takes a request that was carried out minutes late, after its step had been evaluated anew.
        """
        run_id = found.info.run_id
        if run_id in self._stored:
            return False
        points = self._client.get_metric_history(run_id, StepMetrics.TRAIN_LOSS)
        self._stored[run_id] = {point.step for point in points}
        return len(points) > len(self._stored[run_id])

    def _send_identity(self, found: Any, run: Run, training: Training, described: TrainingDescription | None) -> None:
        """What the run is: tags, parameters and data set."""
        from mlflow.entities import Dataset, DatasetInput, InputTag, Param, RunTag

        tags = {
            RunTags.DATA_SHA256: training.data_sha256,
            RunTags.DEVICE: described.device if described else "",
            RunTags.GIT_COMMIT: described.git_commit if described else "",
            RunTags.GIT_DIRTY: described.git_dirty if described else "",
            RunTags.TRAINING_BEGAN: _began(described),
            RunTags.NOTE: _note(run, self._plan.question.name),
        }
        config = run.variant.config
        params = config.flat() | {Params.VARIANT: run.variant.name, Params.SEED: run.seed}
        self._client.log_batch(
            found.info.run_id,
            tags=[RunTag(k, v) for k, v in tags.items() if v and found.data.tags.get(k) != v],
            params=[Param(k, _text(v)) for k, v in params.items() if k not in found.data.params],
        )
        if not found.inputs or not found.inputs.dataset_inputs:
            source = json.dumps({"name": config.data, "sha256": training.data_sha256})
            dataset = Dataset(config.data, training.data_sha256[:_DIGEST_LENGTH], "local", source)
            used = DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
            self._client.log_inputs(found.info.run_id, [used])

    def _send_history(self, run: Run, run_id: str, rows: list[Row]) -> None:
        from mlflow.entities import Metric

        stored = self._stored[run_id]
        new = [row for row in rows if row["step"] not in stored]
        for first in range(0, len(new), _BATCH):
            batch = new[first : first + _BATCH]
            metrics = [
                Metric(name, value, int(row["time"] * 1000), int(row["step"]))
                for row in batch
                for name, value in _metrics(row, run.variant.config.ema).items()
            ]
            self._client.log_batch(run_id, metrics=metrics)
            stored |= {int(row["step"]) for row in batch}

    def _send_figures(self, found: Any, run: Run, training: Training) -> None:
        """The figures that a run has once, with times that are the same when they are sent again."""
        from mlflow.entities import Metric

        began_ms, now_ms = found.info.start_time, int(time.time() * 1000)
        figures = {SingleMetrics.cost_of(name): float(value) for name, value in training.cost._asdict().items()}
        row = training.record.row_at(run.steps)
        if row is not None and training.record.has_result(run.steps):
            figures[SingleMetrics.TRAIN_S] = row["train_s"]
        latency = training.record.latency()
        if latency is not None:
            figures |= {
                SingleMetrics.latency_ms_of("tf", rank): value for rank, value in latency.percentiles_ms.items()
            }
        had = found.data.metrics
        # Of two values MLflow shows the later one.
        changed = [Metric(k, v, now_ms if k in had else began_ms, 0) for k, v in figures.items() if had.get(k) != v]
        self._client.log_batch(found.info.run_id, metrics=changed)

    def _send_files(self, found: Any, run: Run, rows: list[Row]) -> None:
        """The run's files, unless MLflow has them all."""
        run_id, tags = found.info.run_id, found.data.tags
        present = {item.path for item in self._client.list_artifacts(run_id)}
        if tags.get(RunTags.ARTIFACTS) == ARTIFACTS_COMPLETE and present.issuperset(Artifacts.ALL):
            return
        with artifacts.prepared(run, self._plan, rows) as directory:
            self._client.log_artifacts(run_id, str(directory))
        self._client.set_tag(run_id, RunTags.ARTIFACTS, ARTIFACTS_COMPLETE)

    def _set_state(self, found: Any, state: TrainingState, reason: str, rows: list[Row]) -> None:
        run_id, status = found.info.run_id, _STATUS[state]
        last = int(rows[-1]["step"]) if rows else 0
        detail = {
            TrainingState.RUNNING: "running",
            TrainingState.DONE: "complete",
            TrainingState.STOPPED: f"stopped; evaluated up to step {last}; the same command goes on",
            TrainingState.FAILED: reason[:_TAG_LENGTH] or "failed without a reason",
        }[state]
        if found.data.tags.get(RunTags.STATUS_DETAIL) != detail:
            self._client.set_tag(run_id, RunTags.STATUS_DETAIL, detail)
        if found.info.status == status:
            return
        if state is TrainingState.RUNNING:
            self._client.update_run(run_id, status=status)
        else:
            ended_ms = int(rows[-1]["time"] * 1000) if rows and state is TrainingState.DONE else None
            self._client.set_terminated(run_id, status, end_time=ended_ms)


def _with_output(training: Training, state: TrainingState, reason: str) -> str:
    """The reason of a failure, with the last that its process wrote."""
    status = training.record.status() if state is TrainingState.FAILED else None
    return f"{reason}\n\nIts last output:\n{status.output}" if status and status.output else reason


def _identity(run: Run, sweep: str) -> dict[str, str]:
    """What an MLflow run is found again by, and what it belongs to."""
    return {
        RunTags.SWEEP: sweep,
        RunTags.VARIANT: run.variant.name,
        RunTags.SEED: str(run.seed),
        RunTags.RUN_KEY: run.key,
        RunTags.TRAINING_KEY: run.training,
    }


def _is_empty(found: Any) -> bool:
    """Whether an MLflow run has been created and no more."""
    return not found.data.metrics and not found.data.params


def _began(described: TrainingDescription | None) -> str:
    """When a training began, as a text that tells it from any other."""
    return str(described.started) if described else ""


def _metrics(row: Row, ema: bool) -> dict[str, float]:
    """MLflow's metrics of one row of a history, seen with the averaged or the raw weights."""
    which = "ema" if ema else "raw"
    named = {k: v for k, v in row.items() if k.startswith((StepMetrics.TRAIN_PREFIX, StepMetrics.ACCURACY_PREFIX))}
    return {
        **named,
        StepMetrics.TEST_ACCURACY: row[StepMetrics.accuracy_of(which)],
        StepMetrics.TEST_TOP5: row[StepMetrics.top5_of(which)],
    }


def _text(value: Any) -> str:
    """A setting as a question spells it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _listed_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _note(run: Run, sweep: str) -> str:
    config = run.variant.config
    return (
        f"`{config.model}` trained on `{config.data}` for {config.steps:,} steps of {config.batch} images with the recipe "
        f"`{config.recipe}`, seed {run.seed}: variant `{run.variant.name}` of the sweep `{sweep}`."
    )


def _all_runs(client: Any, experiment_id: str, only: str = "") -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment_id], only, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
