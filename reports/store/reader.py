"""Reading a sweep out of MLflow: the only door to the store for the reports, and it only reads."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.errors import ReportError
from reports.store.sweep import Sweep
from zoo.measure import metrics
from zoo.measure.metrics import METRICS, Kind
from zoo.stats import verdicts
from zoo.text.suggestions import did_you_mean
from zoo.tracking.address import resolve_uri, sqlite_path
from zoo.tracking.names import (
    CURRENT_RUNS,
    PROVENANCE,
    Artifacts,
    ExperimentTags,
    Params,
    RunStatus,
    RunTags,
    StepMetrics,
)

HISTORIES = (
    StepMetrics.TEST_ACCURACY,
    StepMetrics.accuracy_of("raw"),
    StepMetrics.accuracy_of("ema"),
    StepMetrics.TRAIN_LOSS,
)
PAGE = 5000  # runs per request

_FACTS = ("sweep", "variant", "seed", "status", "status_detail")


def read(sweep: str, tracking_uri: str | None = None) -> Sweep:
    """The sweep with its runs and histories.

    Raises:
        ReportError: no such store, or no such sweep in it.
    """
    uri = resolve_uri(tracking_uri)
    client = _client(uri)
    experiment = _experiment(client, sweep, uri)
    tags = experiment.tags
    found = _runs(client, experiment)
    variants = tuple(_json_tag(tags, ExperimentTags.VARIANTS, [])) or tuple(
        dict.fromkeys(row["variant"] for row in found)
    )
    seeds = tuple(int(seed) for seed in _json_tag(tags, ExperimentTags.SEEDS, [])) or tuple(
        sorted({row["seed"] for row in found})
    )
    artifacts = {row["run_id"]: row.pop("artifact_uri") for row in found}
    runs = runs_frame(found, variants)
    variants += tuple(name for name in dict.fromkeys(runs["variant"]) if name not in variants)
    baseline, first_look = tags.get(ExperimentTags.BASELINE), _json_tag(tags, ExperimentTags.FIRST_ANALYSIS, 0)
    return Sweep(
        name=sweep,
        question=" ".join(tags.get(ExperimentTags.QUESTION, "").split()),
        baseline=baseline if baseline in variants else None,
        margin=float(tags[ExperimentTags.MARGIN]) if tags.get(ExperimentTags.MARGIN) else None,
        variants=variants,
        seeds=seeds,
        command=tags.get(ExperimentTags.COMMAND),
        runs=runs,
        histories=_histories(client, uri, experiment.experiment_id, runs["run_id"].tolist()),
        uri=uri,
        experiment_id=experiment.experiment_id,
        schedule=verdicts.SeedSchedule(first_look, len(seeds)) if first_look else None,
        levels=_json_tag(tags, ExperimentTags.LEVELS, {}),
        published=tuple(_json_tag(tags, ExperimentTags.PUBLISHED, [])),
        artifacts=artifacts,
    )


class Predictions(NamedTuple):
    """Of one run on the test images: ``labels`` integers [N], ``logits`` float32 [N, classes]."""

    labels: NDArray
    logits: NDArray


def read_predictions(sweep: Sweep) -> dict[str, Predictions]:
    """Run id -> predictions, of the runs with a result that have any, in the order of ``sweep.runs``.

    Raises:
        ReportError: a store of files that cannot be read, or a file of predictions that is damaged.
    """
    found = {}
    for run_id in sweep.results()["run_id"]:
        content = read_file(sweep, run_id, Artifacts.PREDICTIONS)
        if content is None:
            continue
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                found[run_id] = Predictions(arrays["labels"], arrays["logits"])
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise ReportError(
                f"predictions.npz of run {run_id} is damaged: {error}; the sweep's own command sends it again when "
                f"it is deleted there ({sweep.artifacts[run_id]})"
            ) from error
    return found


def read_file(sweep: Sweep, run_id: str, name: str) -> bytes | None:
    """A file that a run has in the store, None where there is none.

    Raises:
        ReportError: the store of files cannot be read.
    """
    address = sweep.artifacts.get(run_id, "")
    if not address:
        return None
    if address.startswith("file:"):
        place = Path(url2pathname(urlsplit(address).path)) / name
        return place.read_bytes() if place.is_file() else None
    return _download(sweep.uri, run_id, name)


def _download(uri: str, run_id: str, name: str) -> bytes | None:
    from mlflow.exceptions import MlflowException

    client = _client(uri)
    try:
        if name not in {item.path for item in client.list_artifacts(run_id)}:
            return None
        with tempfile.TemporaryDirectory() as folder:
            return Path(client.download_artifacts(run_id, name, folder)).read_bytes()
    except (MlflowException, OSError) as error:
        raise ReportError(f"the files of run {run_id} cannot be read from {uri}: {error}") from error


def read_runs(sweep: str, tracking_uri: str | None = None) -> pd.DataFrame:
    """As :func:`reports.load`: without the histories, which are slow to read from a server."""
    uri = resolve_uri(tracking_uri)
    client = _client(uri)
    experiment = _experiment(client, sweep, uri)
    found = _runs(client, experiment)
    for row in found:
        del row["artifact_uri"]
    return runs_frame(found, tuple(_json_tag(experiment.tags, ExperimentTags.VARIANTS, [])))


def _client(uri: str) -> Any:
    """An MLflow client of ``uri``; never creates a database, and says so when there is none."""
    path = sqlite_path(uri)
    if path is not None:
        _check_database(path)
    elif "://" not in uri and uri != "databricks":
        hint = f"; for a database file write sqlite:///{uri}" if Path(uri).is_file() else ""
        raise ReportError(f"not a tracking address: {uri!r}. MLflow keeps no runs in plain folders any more{hint}")
    # Quiet, no telemetry, and a server that is away is reported in seconds and not in minutes.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        return MlflowClient(tracking_uri=uri)
    except MlflowException as error:
        raise ReportError(f"MLflow cannot open {uri}: {error.message}") from error


def _check_database(path: Path) -> None:
    if not path.is_file():
        raise ReportError(
            f"no database {path.absolute()}: no sweep has been run in this directory yet. "
            "Run one (python run_sweep.py experiments/NAME.yaml), change to its directory, "
            "or name its store with --tracking-uri sqlite:////path/to/mlflow.db"
        )
    try:
        with closing(_read_only(path)) as database:
            database.execute("SELECT 1 FROM experiments LIMIT 1")
    except sqlite3.Error as error:
        raise ReportError(f"{path.absolute()} is not a database that MLflow wrote: {error}") from error


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _experiment(client: Any, sweep: str, uri: str) -> Any:
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


def _json_tag(tags: dict[str, str], name: str, default: Any) -> Any:
    """The value of an experiment's tag, ``default`` where it is absent or null."""
    kind = type(default)
    try:
        value = json.loads(tags.get(name, "null"))
    except ValueError:
        value = ...
    if value is None:
        return default
    if not isinstance(value, kind):
        words = {list: "JSON list", dict: "JSON object", int: "number"}[kind]
        raise ReportError(f"the experiment's tag {name!r} is not a {words}: {tags[name]!r}; run the sweep again")
    return value


def _runs(client: Any, experiment: Any) -> list[dict[str, Any]]:
    """The current runs as plain rows, of duplicates (same variant and seed) the one that counts."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    token = None
    while True:
        page = client.search_runs(
            [experiment.experiment_id], filter_string=CURRENT_RUNS, max_results=PAGE, page_token=token
        )
        for run in page:
            row = _row(experiment.name, run)
            place = (row["variant"], row["seed"])
            if place not in rows or _standing(row) > _standing(rows[place]):
                rows[place] = row
        token = page.token
        if not token:
            return list(rows.values())


def _standing(row: dict[str, Any]) -> tuple[bool, int]:
    return row["status"] == RunStatus.FINISHED, row["start_ms"]


def _row(sweep: str, run: Any) -> dict[str, Any]:
    tags, params, logged = run.data.tags, run.data.params, run.data.metrics
    row: dict[str, Any] = {
        "sweep": sweep,
        "variant": tags.get(RunTags.VARIANT, params.get(Params.VARIANT, "?")),
        "seed": int(tags.get(RunTags.SEED, params.get(Params.SEED, -1))),
        "status": run.info.status,
        "status_detail": tags.get(RunTags.STATUS_DETAIL, ""),
        "run_key": tags.get(RunTags.RUN_KEY, ""),
        "run_id": run.info.run_id,
        "artifact_uri": run.info.artifact_uri or "",
        "start_ms": run.info.start_time or 0,
    }
    row |= {metric.name: metric.from_store(logged.get(metric.key)) for metric in METRICS.values()}
    found = [(metric, value) for key, value in sorted(logged.items()) if (metric := metrics.of_key(key)) is not None]
    row |= {metric.name: metric.from_store(value) for metric, value in found}
    row |= {name: tags.get(name, "") for name in PROVENANCE}
    return row | {
        f"config.{name}": params[name] for name in sorted(params) if name not in (Params.VARIANT, Params.SEED)
    }


def runs_frame(rows: list[dict[str, Any]], variants: tuple[str, ...]) -> pd.DataFrame:
    """Rows ordered by variant and seed; integers that may be absent as Int64, every metric column always there."""
    order = {name: place for place, name in enumerate(variants)}
    rows = sorted(rows, key=lambda row: (order.get(row["variant"], len(order)), row["variant"], row["seed"]))
    always = [*_FACTS, *METRICS, "run_key", "run_id", "start_ms", *PROVENANCE]
    columns = [*always, *dict.fromkeys(name for row in rows for name in row if name not in always)]
    frame = pd.DataFrame(rows, columns=columns).drop(columns="start_ms")
    kinds = {
        metric.name: "Int64" if metric.kind is Kind.COUNT else "float64" for metric in metrics.among(frame.columns)
    }
    return frame.astype(kinds | {"seed": "int64"})


def _histories(client: Any, uri: str, experiment_id: str, run_ids: list[str]) -> pd.DataFrame:
    """Points of ``HISTORIES``, one value per step (the last one written), in order of step."""
    path = sqlite_path(uri)
    try:
        points = _sqlite_points(path, experiment_id) if path is not None else None
    except sqlite3.Error:  # another schema, or a folder that allows no read-only connection: ask MLflow instead
        points = None
    if points is None:
        points = _client_points(client, run_ids)
    frame = pd.DataFrame(points, columns=["run_id", "metric", "step", "value", "time_ms"])
    frame = frame[frame["run_id"].isin(run_ids)].astype({"step": "int64", "value": "float64", "time_ms": "int64"})
    frame = frame.sort_values(["run_id", "metric", "step", "time_ms"], kind="stable")
    frame = frame.drop_duplicates(["run_id", "metric", "step"], keep="last").drop(columns="time_ms")
    return frame.reset_index(drop=True)


def _sqlite_points(path: Path, experiment_id: str) -> list[tuple]:
    """All points of the experiment in one query: the client's one-by-one way is thirty times slower."""
    query = f"""
        SELECT m.run_uuid, m.key, m.step, CASE WHEN m.is_nan THEN NULL ELSE m.value END, m.timestamp
        FROM runs r JOIN metrics m ON m.run_uuid = r.run_uuid
        WHERE r.experiment_id = ? AND m.key IN ({", ".join("?" * len(HISTORIES))})
    """
    with closing(_read_only(path)) as database:
        return database.execute(query, (int(experiment_id), *HISTORIES)).fetchall()


def _client_points(client: Any, run_ids: Iterable[str]) -> list[tuple]:
    return [
        (run_id, name, point.step, point.value, point.timestamp)
        for run_id in run_ids
        for name in HISTORIES
        for point in client.get_metric_history(run_id, name)
    ]
