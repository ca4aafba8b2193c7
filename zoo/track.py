"""The only door to MLflow for writing. What is sent is read from the records on disk, so sending again repairs all.

One MLflow experiment a sweep; one flat MLflow run for each variant and seed, found again by its run key. A row of the
history is sent once: only steps above those that MLflow has.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.measure import Cost
from zoo.plan import Plan, Run, Training
from zoo.record import Row

DEFAULT_URI = "sqlite:///mlflow.db"
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a server that is away is tried again with the next results
}
_VIEW = "by-variant"


class TrackingError(Exception):
    """MLflow cannot be written to; the message says which store and what to do. The results are on disk all the same."""


class Store:
    """A sweep's experiment in MLflow. Raises TrackingError when the store cannot be opened."""

    def __init__(self, plan: Plan, costs: dict[str, Cost], uri: str, directory: Path):
        os.environ.update({k: v for k, v in _QUIET.items() if k not in os.environ})
        self.plan, self.costs, self.uri = plan, costs, uri
        self._run_ids: dict[str, str] = {}
        self._sent: dict[str, float] = {}  # run name -> the last step that MLflow has
        with _explained(uri):
            import mlflow

            self.client = mlflow.MlflowClient(tracking_uri=uri)
            self.experiment_id = self._experiment(directory)
            self._find_runs()

    def send(self, training: Training, state: str, reason: str = "") -> None:
        """Bring the MLflow runs of a training up to its record. ``state``: running, done, stopped or failed."""
        history, facts = training.record.history(), training.record.read("training")
        for run in training.runs:
            with _explained(self.uri):
                run_id = self._run_ids.get(run.name) or self._create(run, facts)
                self._send_history(run, run_id, [row for row in history if row["step"] <= run.steps])
                finished = training.record.has_result(run.steps)
                if finished:
                    self._send_result(run, run_id, training)
                self._set_state(run_id, "done" if finished else state, reason, history)

    def describe_sweep(self) -> None:
        """Say on the experiment what was asked, and prepare the view that compares the variants at first sight."""
        question = self.plan.question
        names = [variant.name for variant in question.variants]
        tags = {
            "question": question.question,
            "baseline": question.baseline,
            "margin": str(question.margin),
            "variants": json.dumps(names, ensure_ascii=False),
            "seeds": json.dumps(question.seeds),
            "mlflow.note.content": f"{question.question}\n\nVariants: {', '.join(names)}. Baseline: {question.baseline}.",
            f"mlflow.sharedViewState.{_VIEW}": json.dumps(_view(question)),
        }
        with _explained(self.uri):
            for key, value in tags.items():
                self.client.set_experiment_tag(self.experiment_id, key, value)

    def link(self) -> str:
        """The prepared view's address below that of ``mlflow ui``."""
        return f"/#/experiments/{self.experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={_VIEW}"

    def _experiment(self, directory: Path) -> str:
        name = self.plan.question.name
        found = self.client.get_experiment_by_name(name)
        if found is None:
            # Given, because MLflow's default depends on the working directory of whoever comes first.
            local = self.uri.startswith(("sqlite:", "file:"))
            place = (directory / "mlruns" / re.sub(r"[^\w.-]", "_", name)).absolute().as_uri() if local else None
            return self.client.create_experiment(name, artifact_location=place)
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _find_runs(self) -> None:
        """Find the runs of this plan that MLflow has, and mark those of an earlier form of the question as not current."""
        wanted = {(run.key, run.variant.name, str(run.seed)): run for run in self.plan.runs}
        for found in _all_runs(self.client, self.experiment_id):
            tags = found.data.tags
            run = wanted.get((tags.get("run_key"), tags.get("variant"), tags.get("seed")))
            if run is not None and run.name not in self._run_ids:
                self._run_ids[run.name] = found.info.run_id
            current = str(self._run_ids.get(run.name) == found.info.run_id if run else False).lower()
            if tags.get("current") != current:
                self.client.set_tag(found.info.run_id, "current", current)

    def _create(self, run: Run, facts: dict[str, Any]) -> str:
        from mlflow.entities import Param, RunTag

        question, config = self.plan.question, run.variant.config
        tags = {
            "sweep": question.name,
            "variant": run.variant.name,
            "seed": str(run.seed),
            "run_key": run.key,
            "training_key": run.training,
            "current": "true",
            "data_sha256": facts.get("data_sha256", ""),
            "device": facts.get("device", ""),
            "git_commit": facts.get("git_commit", ""),
            "git_dirty": facts.get("git_dirty", ""),
            "mlflow.note.content": _note(run, question.name),
            "mlflow.source.name": "run_sweep.py",
        }
        created = self.client.create_run(
            self.experiment_id,
            start_time=int(facts.get("started", time.time()) * 1000),
            tags=tags,
            run_name=run.name,
        )
        run_id = created.info.run_id
        params = {"variant": run.variant.name, "seed": run.seed, **config.flat()}
        self.client.log_batch(
            run_id,
            params=[Param(k, json.dumps(v) if isinstance(v, bool | list) else str(v)) for k, v in params.items()],
            tags=[RunTag("status_detail", "running")],
        )
        self._run_ids[run.name] = run_id
        self._sent[run.name] = 0
        return run_id

    def _send_history(self, run: Run, run_id: str, rows: list[Row]) -> None:
        from mlflow.entities import Metric

        if run.name not in self._sent:
            points = self.client.get_metric_history(run_id, "train/loss")
            self._sent[run.name] = max((point.step for point in points), default=0)
        for row in rows:
            step = int(row["step"])
            if step > self._sent[run.name]:
                values = _metrics(row, ema=run.variant.config.ema)
                time_ms = int(row["time"] * 1000)
                self.client.log_batch(run_id, metrics=[Metric(k, v, time_ms, step) for k, v in values.items()])
                self._sent[run.name] = step

    def _send_result(self, run: Run, run_id: str, training: Training) -> None:
        """The figures that a run has once, and its files; those that MLflow has already are left alone."""
        have = self.client.get_run(run_id).data.metrics
        for key, value in {**_price(self.costs[run.variant.name]), **_once(run, training)}.items():
            if have.get(key) != value:
                self.client.log_metric(run_id, key, value)
        present = {item.path for item in self.client.list_artifacts(run_id)}
        for name, path in _files(run, training).items():
            if name not in present and path.exists():
                self._send_file(run_id, name, path)
        if "spec.yaml" not in present:
            self.client.log_text(run_id, _spec_text(self.plan.question), "spec.yaml")

    def _send_file(self, run_id: str, name: str, path: Path) -> None:
        if path.name == name:
            self.client.log_artifact(run_id, str(path))
            return
        import tempfile

        with tempfile.TemporaryDirectory() as directory:
            renamed = Path(directory) / name
            renamed.symlink_to(path.absolute())
            self.client.log_artifact(run_id, str(renamed))

    def _set_state(self, run_id: str, state: str, reason: str, history: list[Row]) -> None:
        step = int(history[-1]["step"]) if history else 0
        detail = {
            "running": "running",
            "done": "complete",
            "stopped": f"stopped; evaluated up to step {step}; the same command goes on",
            "failed": reason,
        }[state]
        status = {"running": "RUNNING", "done": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}[state]
        found = self.client.get_run(run_id)
        if found.data.tags.get("status_detail") != detail:
            self.client.set_tag(run_id, "status_detail", detail)
        if found.info.status != status:
            if state == "running":
                self.client.update_run(run_id, status=status)
            else:
                ended = int(history[-1]["time"] * 1000) if history and state == "done" else None
                self.client.set_terminated(run_id, status, end_time=ended)


def _metrics(row: Row, ema: bool) -> dict[str, float]:
    """MLflow's metrics of one row of a history, seen with the averaged or the raw weights."""
    which = "ema" if ema else "raw"
    named = {k: v for k, v in row.items() if k.startswith(("train/", "test/accuracy_"))}
    return {**named, "test/accuracy": row[f"test/accuracy_{which}"], "test/top5": row[f"test/top5_{which}"]}


def _price(cost: Cost) -> dict[str, float]:
    return {f"cost/{name}": float(value) for name, value in cost._asdict().items()}


def _once(run: Run, training: Training) -> dict[str, float]:
    row = training.record.row_at(run.steps) or {}
    figures = {"cost/train_s": row["train_s"]} if "train_s" in row else {}
    measured = training.record.read("latency").get("percentiles_ms", {})
    return figures | {f"latency_ms/tf_{name}": value for name, value in measured.items()}


def _files(run: Run, training: Training) -> dict[str, Path]:
    record = training.record
    return {
        "environment.json": record.directory / "environment.json",
        "samples.png": record.directory / "samples.png",
        "history.csv": record.history_file,
        "predictions.npz": record.results_file(run.steps),
    }


def _spec_text(question) -> str:
    changes = "".join(f"# --set {text}\n" for text in question.overrides)
    return (
        f"# As asked on the command line, beside what stands below:\n{changes}\n{question.text}"
        if changes
        else question.text
    )


def _note(run: Run, sweep: str) -> str:
    config = run.variant.config
    return (
        f"`{config.model}` trained on `{config.data}` for {config.steps:,} steps of {config.batch} images with the recipe "
        f"`{config.recipe}`, seed {run.seed}: variant `{run.variant.name}` of the sweep `{sweep}`."
    )


def _view(question) -> dict[str, Any]:
    """A table grouped by variant with the columns that compare them (MLflow keeps views as undocumented experiment tags)."""
    columns = [
        *(f"params.`{name}`" for name in ("variant", "seed")),
        *(f"metrics.`{name}`" for name in ("test/accuracy", "test/accuracy_raw", "test/accuracy_ema")),
        *(f"metrics.`{name}`" for name in ("cost/params", "cost/macs", "cost/train_s", "latency_ms/tf_p50")),
    ]
    state = {
        "selectedColumns": columns,
        "groupBy": {"aggregateFunction": "average", "groupByKeys": [{"mode": "param", "groupByData": "variant"}]},
        "orderByKey": "metrics.`test/accuracy`",
        "orderByAsc": False,
    }
    now = int(time.time() * 1000)
    return {"name": "Variants compared", "createdAt": now, "updatedAt": now, "state": json.dumps(state)}


def _all_runs(client, experiment_id: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment_id], max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


class _explained:
    """Turns what MLflow raises into a TrackingError for a person."""

    def __init__(self, uri: str):
        self.uri = uri

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> None:
        if error is None or not isinstance(error, Exception):
            return
        text = str(error).strip().splitlines()
        first = text[0] if text else type(error).__name__
        raise TrackingError(f"MLflow at {self.uri} cannot be written to: {first}") from error


class Recorder:
    """Sends to MLflow from a thread of its own, so that a slow or absent store never holds up the training.

    Only the newest state of each training waits. What could not be sent stays on disk; ``close`` tries it once more and
    returns the last reason if that fails too.
    """

    def __init__(self, plan: Plan, costs: dict[str, Cost], uri: str, directory: Path):
        self._arguments = (plan, costs, uri, directory)
        self._waiting: dict[str, tuple[Training, str, str]] = {}
        self._changed = threading.Condition()
        self._closing = False
        self.store: Store | None = None
        self.problem: TrackingError | None = None
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def update(self, training: Training, state: str, reason: str = "") -> None:
        """Have the record of a training sent, soon."""
        with self._changed:
            self._waiting[training.key] = (training, state, reason)
            self._changed.notify()

    def close(self) -> TrackingError | None:
        """Wait until all is sent; returns what is in the way if something could not be."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        return self.problem

    def _work(self) -> None:
        unsent: dict[str, tuple[Training, str, str]] = {}
        self._attempt(unsent)  # open the store before the first result, so that `mlflow ui` shows the sweep at once
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                closing = self._closing and not self._waiting
                unsent |= self._waiting
                self._waiting.clear()
            self._attempt(unsent)
            if closing:
                return

    def _attempt(self, unsent: dict[str, tuple[Training, str, str]]) -> None:
        """Send what can be sent, removing it from ``unsent``."""
        self.problem = None
        try:
            if self.store is None:
                self.store = Store(*self._arguments)
                self.store.describe_sweep()
            for key, update in list(unsent.items()):
                self.store.send(*update)
                del unsent[key]
        except TrackingError as error:
            self.problem = error
