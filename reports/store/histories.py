"""How accuracy and loss went during the trainings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from reports.store.client import read_only
from zoo.measure import readouts
from zoo.tracking.address import sqlite_path
from zoo.tracking.names import StepMetrics

if TYPE_CHECKING:
    from mlflow import MlflowClient


def recorded() -> tuple[str, ...]:
    """The metrics whose course is read: accuracies, of each evaluation too, and the loss."""
    accuracies = (each.accuracy for each in readouts.evaluations())
    return (StepMetrics.TEST_ACCURACY, *accuracies, StepMetrics.TRAIN_LOSS)


def histories(client: MlflowClient, uri: str, experiment_id: str, run_ids: list[str]) -> pd.DataFrame:
    """Points of the ``recorded()`` metrics, one value per step (the last one written), in order of step."""
    path = sqlite_path(uri)
    try:
        points = [] if not run_ids else _sqlite_points(path, experiment_id) if path is not None else None
    except sqlite3.Error:  # another schema, or a folder that allows no read-only connection: ask MLflow instead
        points = None
    if points is None:
        points = _client_points(client, run_ids)
    frame = pd.DataFrame(points, columns=["run_id", "metric", "step", "value", "time_ms"])
    frame = frame[frame["run_id"].isin(run_ids)].astype({"step": "int64", "value": "float64", "time_ms": "int64"})
    frame = frame.sort_values(["run_id", "metric", "step", "time_ms"], kind="stable")
    frame = frame.drop_duplicates(["run_id", "metric", "step"], keep="last").drop(columns="time_ms")
    return frame.reset_index(drop=True)


def _sqlite_points(path: Path, experiment_id: str) -> list[tuple[Any, ...]]:
    """All points of the experiment in one query: the client's one-by-one way is thirty times slower."""
    metrics = recorded()
    query = f"""
        SELECT m.run_uuid, m.key, m.step, CASE WHEN m.is_nan THEN NULL ELSE m.value END, m.timestamp
        FROM runs r JOIN metrics m ON m.run_uuid = r.run_uuid
        WHERE r.experiment_id = ? AND m.key IN ({", ".join("?" * len(metrics))})
    """
    with closing(read_only(path)) as database:
        return database.execute(query, (int(experiment_id), *metrics)).fetchall()


def _client_points(client: MlflowClient, run_ids: Iterable[str]) -> list[tuple[Any, ...]]:
    return [
        (run_id, name, point.step, point.value, point.timestamp)
        for run_id in run_ids
        for name in recorded()
        for point in client.get_metric_history(run_id, name)
    ]
