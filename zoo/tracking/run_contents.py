"""What an MLflow run holds, worked out from the record of its training; what MLflow lacks of it is sent.

A row of the history is sent only when MLflow does not have its step. What is sent a second time is the same to the letter:
of two points that are equal in name, step, time and value MLflow keeps one.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.measure.readouts import Evaluation, evaluations
from zoo.plan.runs import Plan, Run, Training
from zoo.storage import checksums
from zoo.storage.records import OTHERS_BUSY, Row, TrainingDescription
from zoo.storage.states import FailureKind, TrainingState
from zoo.text.markdown import code
from zoo.tracking import artifacts
from zoo.tracking.mlflow_runs import began_tag, field_text, is_empty
from zoo.tracking.names import (
    ARTIFACTS_COMPLETE,
    Artifacts,
    Params,
    RunStatus,
    RunTags,
    SingleMetrics,
    StepMetrics,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

_STATUS = {
    TrainingState.RUNNING: RunStatus.RUNNING,
    TrainingState.DONE: RunStatus.FINISHED,
    TrainingState.STOPPED: RunStatus.KILLED,
    TrainingState.FAILED: RunStatus.FAILED,
}
_BATCH = 90  # rows of a history in one request: MLflow takes 1,000 values
_TAG_LENGTH, _DIGEST_LENGTH = 5000, 36  # characters that MLflow takes


@dataclass(frozen=True)
class TrainingSnapshot:
    """A training as its record has it at one moment, and how it stands."""

    training: Training
    state: TrainingState
    reason: str  # of a failure, with the last output of its process
    description: TrainingDescription | None
    history: list[Row]
    failure: FailureKind | None = None

    @classmethod
    def read(cls, training: Training, state: TrainingState, reason: str) -> TrainingSnapshot:
        """Read the record. Raises RecordError, and TrackingError where the disk cannot be read."""
        record = training.record
        with artifacts.disk_explained():
            record.check()
        status = record.status() if state is TrainingState.FAILED else None
        if status is not None and status.output:
            reason = f"{reason}\n\nIts last output:\n{status.output}"
        failure = status.failure if status is not None else None
        return cls(training, state, reason, record.description(), record.history(), failure)

    def rows_of(self, run: Run) -> list[Row]:
        """The evaluations that a run of this training has."""
        return [row for row in self.history if row["step"] <= run.steps]


class RunContents:
    """Sends the contents of MLflow runs, and remembers which steps of their histories MLflow has."""

    def __init__(self, client: MlflowClient, plan: Plan):
        self._client, self._plan = client, plan
        self._stored: dict[str, set[int]] = {}  # MLflow's run id -> steps

    def forget(self) -> None:
        """What MLflow has is to be asked again."""
        self._stored.clear()

    def has_doubled_points(self, mlflow_run: MlflowRun) -> bool:
        """Whether MLflow has a step of a run twice; asked only while it is not known which it has.

        That takes a request that was carried out minutes late, after its step had been evaluated anew.
        """
        if mlflow_run.info.run_id in self._stored:
            return False
        return self._ask_steps(mlflow_run) > len(self._stored[mlflow_run.info.run_id])

    def send(self, mlflow_run: MlflowRun, run: Run, snapshot: TrainingSnapshot) -> None:
        """Bring an MLflow run up to the record of its training."""
        if mlflow_run.info.run_id not in self._stored:
            self._ask_steps(mlflow_run)
        training, rows = snapshot.training, snapshot.rows_of(run)
        is_finished = training.record.has_result(run.steps, [run.evaluation.accuracy])
        self._send_identity(mlflow_run, run, training, snapshot.description)
        self._send_history(run, mlflow_run.info.run_id, rows)
        self._send_figures(mlflow_run, run, snapshot)
        if is_finished:
            self._send_files(mlflow_run, run, rows)
        self._set_state(mlflow_run, TrainingState.DONE if is_finished else snapshot.state, snapshot, rows)

    def _ask_steps(self, mlflow_run: MlflowRun) -> int:
        """Ask which steps of a run MLflow has; returns how many points those are."""
        run_id = mlflow_run.info.run_id
        points = [] if is_empty(mlflow_run) else self._client.get_metric_history(run_id, StepMetrics.TRAIN_LOSS)
        self._stored[run_id] = {point.step for point in points}
        return len(points)

    def _send_identity(
        self, mlflow_run: MlflowRun, run: Run, training: Training, description: TrainingDescription | None
    ) -> None:
        """What the run is: tags, parameters and data set."""
        from mlflow.entities import Dataset, DatasetInput, InputTag, Param, RunTag

        run_id, data = mlflow_run.info.run_id, mlflow_run.data
        tags = {
            RunTags.DATA_SHA256: training.data_sha256,
            RunTags.TEST_IMAGES: str(description.test_images or "") if description else "",
            RunTags.DEVICE: description.device if description else "",
            RunTags.GIT_COMMIT: description.git_commit if description else "",
            RunTags.GIT_DIRTY: description.git_dirty if description else "",
            RunTags.TRAINING_BEGAN: began_tag(description),
            RunTags.NOTE: _note(run, training, self._plan.question.name),
        }
        config = run.variant.config
        params = {Params.of_field(name): value for name, value in config.flat().items()}
        params |= {Params.VARIANT: run.variant.name, Params.SEED: run.seed}
        self._client.log_batch(
            run_id,
            tags=[RunTag(k, v) for k, v in tags.items() if v and data.tags.get(k) != v],
            params=[Param(k, field_text(v)) for k, v in params.items() if k not in data.params],
        )
        if not mlflow_run.inputs or not mlflow_run.inputs.dataset_inputs:
            source = json.dumps({"name": config.data, "sha256": training.data_sha256})
            dataset = Dataset(config.data, training.data_sha256[:_DIGEST_LENGTH], "local", source)
            self._client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])

    def _send_history(self, run: Run, run_id: str, rows: list[Row]) -> None:
        from mlflow.entities import Metric

        stored = self._stored[run_id]
        new = [row for row in rows if row["step"] not in stored]
        for first in range(0, len(new), _BATCH):
            batch = new[first : first + _BATCH]
            metrics = [
                Metric(name, value, int(row["time"] * 1000), int(row["step"]))
                for row in batch
                for name, value in _metrics(row, run.evaluation).items()
            ]
            self._client.log_batch(run_id, metrics=metrics)
            stored |= {int(row["step"]) for row in batch}

    def _send_figures(self, mlflow_run: MlflowRun, run: Run, snapshot: TrainingSnapshot) -> None:
        """The figures that a run has once, with times that are the same when they are sent again."""
        from mlflow.entities import Metric, RunTag

        training = snapshot.training
        # As counted by the code that trained it: accuracy and cost belong to the same network.
        cost = snapshot.description.cost if snapshot.description else training.cost
        figures = {SingleMetrics.cost_of(name): float(value) for name, value in cost._asdict().items()}
        row = training.record.row_at(run.steps)
        if row is not None and training.record.has_result(run.steps, [run.evaluation.accuracy]):
            figures[SingleMetrics.TRAIN_S] = row["train_s"]
            if OTHERS_BUSY in row:
                figures[SingleMetrics.TRAIN_OTHERS_BUSY] = row[OTHERS_BUSY]
        latency = training.record.latency()
        tags: dict[str, str] = {}
        if latency is not None:
            figures |= {SingleMetrics.latency_ms_of("tf", p): value for p, value in latency.percentiles_ms.items()}
            if latency.others_busy is not None:
                figures[SingleMetrics.LATENCY_OTHERS_BUSY] = latency.others_busy
            if latency.rounds_ms:
                rounds_ms = json.dumps([float(f"{value:.5g}") for value in latency.rounds_ms])
                tags = {RunTags.latency_rounds_ms("tf"): rounds_ms, RunTags.LATENCY_SESSION: latency.session}
        known, began_ms, now_ms = mlflow_run.data.metrics, mlflow_run.info.start_time, int(time.time() * 1000)
        # Of two values MLflow shows the later one.
        changed = [
            Metric(name, value, now_ms if name in known else began_ms, 0)
            for name, value in figures.items()
            if known.get(name) != value
        ]
        changed_tags = [RunTag(k, v) for k, v in tags.items() if v and mlflow_run.data.tags.get(k) != v]
        self._client.log_batch(mlflow_run.info.run_id, metrics=changed, tags=changed_tags)

    def _send_files(self, mlflow_run: MlflowRun, run: Run, rows: list[Row]) -> None:
        """The run's files, unless MLflow has them all."""
        run_id, tags = mlflow_run.info.run_id, mlflow_run.data.tags
        present = {item.path for item in self._client.list_artifacts(run_id)}
        if tags.get(RunTags.ARTIFACTS) == ARTIFACTS_COMPLETE and present.issuperset(Artifacts.ALL):
            return
        with artifacts.prepared(run, self._plan, rows) as directory:
            self._client.log_artifacts(run_id, str(directory))
            logits = checksums.array_sha256(directory / Artifacts.PREDICTIONS, "logits")
        self._client.set_tag(run_id, RunTags.LOGITS_SHA256, logits)
        self._client.set_tag(run_id, RunTags.ARTIFACTS, ARTIFACTS_COMPLETE)

    def _set_state(
        self, mlflow_run: MlflowRun, state: TrainingState, snapshot: TrainingSnapshot, rows: list[Row]
    ) -> None:
        run_id, status = mlflow_run.info.run_id, _STATUS[state]
        last = int(rows[-1]["step"]) if rows else 0
        detail = {
            TrainingState.RUNNING: "running",
            TrainingState.DONE: "complete",
            TrainingState.STOPPED: f"stopped; evaluated up to step {last}; the same command goes on",
            TrainingState.FAILED: snapshot.reason[:_TAG_LENGTH] or "failed without a reason",
        }[state]
        failure = (snapshot.failure or "") if state is TrainingState.FAILED else ""
        for tag, value in ((RunTags.STATUS_DETAIL, detail), (RunTags.FAILURE, failure)):
            if mlflow_run.data.tags.get(tag, "") != value:
                self._client.set_tag(run_id, tag, value)
        if mlflow_run.info.status == status:
            return
        if state is TrainingState.RUNNING:
            self._client.update_run(run_id, status=status)
        else:
            ended_ms = int(rows[-1]["time"] * 1000) if rows and state is TrainingState.DONE else None
            self._client.set_terminated(run_id, status, end_time=ended_ms)


def _metrics(row: Row, reported: Evaluation) -> dict[str, float]:
    """MLflow's metrics of one row of a history, of which one evaluation is the one that the run reports.

    Rows that are older than a readout do not have its evaluations.
    """
    same = (StepMetrics.TRAIN_PREFIX, StepMetrics.ACCURACY_PREFIX)
    metrics = {name: value for name, value in row.items() if name.startswith(same)}
    columns = {StepMetrics.TEST_ACCURACY: reported.accuracy, StepMetrics.TEST_TOP5: reported.top5}
    return metrics | {name: row[column] for name, column in columns.items() if column in row}


def _note(run: Run, training: Training, sweep: str) -> str:
    config = run.variant.config
    model, data, recipe = map(code, (config.model, config.data, config.recipe))
    return (
        f"{model} trained on {data} for {config.steps:,} steps of {config.batch} images with the recipe {recipe}, "
        f"seed {run.seed}: variant {code(run.variant.name)} of the sweep {code(sweep)}.{_result(run, training)}"
    )


def _result(run: Run, training: Training) -> str:
    """Its accuracies in percent, "" before it has a result: MLflow shows metrics as the fractions that they are."""
    row = training.record.row_at(run.steps)
    if row is None or not training.record.has_result(run.steps, [run.evaluation.accuracy]):
        return ""
    others = [each for each in evaluations() if each != run.evaluation and each.accuracy in row]
    named = "".join(f", {100 * row[each.accuracy]:.2f} % with {each.label}" for each in others)
    return f" Test accuracy {100 * row[run.evaluation.accuracy]:.2f} % with {run.evaluation.label}{named}."
