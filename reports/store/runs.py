"""The current runs of a sweep, as a frame."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from reports.store.client import PAGE
from reports.store.typed import began_of, rounds_of, seed_of, share_of, test_images_of, value_of
from zoo.measure import metrics
from zoo.measure.metrics import METRICS, Kind, Metric
from zoo.tracking.names import CURRENT_RUNS, PROVENANCE, Params, RunStatus, RunTags, SingleMetrics

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

_SHARES = {  # of the machine, that others took while something was measured
    "train_others_busy": SingleMetrics.TRAIN_OTHERS_BUSY,
    "latency_others_busy": SingleMetrics.LATENCY_OTHERS_BUSY,
}
_FACTS = ("sweep", "variant", "seed", "status", "status_detail", "failure")


def current_runs(client: MlflowClient, experiment: Experiment) -> list[dict[str, Any]]:
    """The current runs as plain rows, of duplicates (same variant and seed) the one that counts."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    metric_of = functools.cache(metrics.of_key)  # asked for every value of every run
    token = None
    while True:
        page = client.search_runs(
            [experiment.experiment_id], filter_string=CURRENT_RUNS, max_results=PAGE, page_token=token
        )
        for run in page:
            row = _row(experiment.name, run, metric_of)
            key = (row["variant"], row["seed"])
            if key not in rows or _precedence(row) > _precedence(rows[key]):
                rows[key] = row
        token = page.token
        if not token:
            return list(rows.values())


def _precedence(row: dict[str, Any]) -> tuple[bool, int]:
    return row["status"] == RunStatus.FINISHED, row["start_ms"]


def _row(sweep: str, run: Run, metric_of: Callable[[str], Metric | None]) -> dict[str, Any]:
    tags, params, logged = run.data.tags, run.data.params, run.data.metrics
    row: dict[str, Any] = {
        "sweep": sweep,
        "variant": tags.get(RunTags.VARIANT, params.get(Params.VARIANT, "?")),
        "seed": seed_of(run),
        "status": run.info.status,
        "status_detail": tags.get(RunTags.STATUS_DETAIL, ""),
        "failure": tags.get(RunTags.FAILURE, ""),
        "run_key": tags.get(RunTags.RUN_KEY, ""),
        "logits_sha256": tags.get(RunTags.LOGITS_SHA256, ""),
        "run_id": run.info.run_id,
        "artifact_uri": run.info.artifact_uri or "",
        "start_ms": run.info.start_time or 0,
    }
    row |= {metric.name: value_of(run, metric, logged.get(metric.key)) for metric in METRICS.values()}
    measured = [(metric, value) for key, value in sorted(logged.items()) if (metric := metric_of(key)) is not None]
    row |= {metric.name: value_of(run, metric, value) for metric, value in measured}
    row |= {name: share_of(run, key) for name, key in _SHARES.items()}
    timed = {metric.name: rounds_of(run, metric.rounds) for metric, _ in measured if metric.rounds}
    row["began_s"] = began_of(run)
    row["rounds"] = {name: rounds for name, rounds in timed.items() if rounds is not None}
    row |= {name: tags.get(name, "") for name in PROVENANCE}
    row["test_images"] = test_images_of(run)
    return row | {
        f"config.{name}": params[name] for name in sorted(params) if name not in (Params.VARIANT, Params.SEED)
    }


def frame(rows: list[dict[str, Any]], variants: tuple[str, ...]) -> pd.DataFrame:
    """Rows ordered by variant and seed; integers that may be absent as Int64, every metric column always there."""
    order = {name: number for number, name in enumerate(variants)}
    rows = sorted(rows, key=lambda row: (order.get(row["variant"], len(order)), row["variant"], row["seed"]))
    always = [*_FACTS, *METRICS, *_SHARES, "run_key", "run_id", "start_ms", *PROVENANCE, "test_images"]
    columns = [*always, *dict.fromkeys(name for row in rows for name in row if name not in always)]
    runs = pd.DataFrame(rows, columns=columns).drop(columns="start_ms")
    kinds = {metric.name: "Int64" if metric.kind is Kind.COUNT else "float64" for metric in metrics.among(runs.columns)}
    kinds |= dict.fromkeys(_SHARES, "float64")
    return runs.astype(kinds | {"seed": "int64", "test_images": "Int64"})
