"""The page of ``mlflow ui`` that compares the variants at first sight: prepared, and where to find it.

MLflow keeps a shared view of its table as an experiment tag, in a form that it does not document: written for 3.17.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.measure.readouts import evaluations
from zoo.tracking.address import DEFAULT_URI, as_argument, without_user
from zoo.tracking.names import CURRENT_RUNS, Params, SingleMetrics, StepMetrics

KEY = "by-variant"
TAG = f"mlflow.sharedViewState.{KEY}"

_COLUMNS = (
    StepMetrics.TEST_ACCURACY,
    SingleMetrics.cost_of("params"),
    SingleMetrics.latency_ms_of("tf", "p50"),
    SingleMetrics.TRAIN_S,
    SingleMetrics.cost_of("macs"),
)
_SECTIONS = ("test", "cost", "latency_ms", "train", "Model metrics", "System metrics")  # of charts, accuracy first
_RUN_NAME = "attributes.`Run Name`"
_NAME_WIDTH, _METRIC_WIDTH = 260, 150  # screen pixels; a group's mean is written with "(average)" behind it


def tag(factors: Sequence[str], created_ms: int) -> str:
    """The value of ``TAG``: the runs of the question as last asked, grouped by variant, best first, with the factors."""
    each_evaluation = [evaluation.accuracy for evaluation in evaluations()]
    metrics = [f"metrics.`{name}`" for name in (*_COLUMNS, *each_evaluation)]
    columns = [*metrics, *(f"params.`{Params.of_field(name)}`" for name in factors)]
    state: dict[str, Any] = {
        "searchFilter": CURRENT_RUNS,
        "selectedColumns": columns,
        "columnOrder": [_RUN_NAME, *columns],
        "columnWidths": {_RUN_NAME: _NAME_WIDTH} | dict.fromkeys(metrics, _METRIC_WIDTH),
        "groupBy": {"aggregateFunction": "average", "groupByKeys": [{"mode": "param", "groupByData": Params.VARIANT}]},
        "orderByKey": metrics[0],
        "orderByAsc": False,
        "compareRunSections": [_section(name) for name in _SECTIONS],
        "compareRunCharts": [],  # MLflow adds one for each metric to its section
        "isAccordionReordered": True,  # or the sections would be sorted by name
    }
    view = {"name": "Variants compared", "createdAt": created_ms, "updatedAt": created_ms, "state": json.dumps(state)}
    return json.dumps(view)


def _section(name: str) -> dict[str, Any]:
    """A section of the charts; its name is what the names of its metrics begin with, the last two are MLflow's own."""
    generated = {"display": True, "isReordered": False, "deleted": False, "isGenerated": True}
    return {"uuid": f"section-{name.lower().replace(' ', '-')}", "name": name} | generated


def directions(uri: str, experiment_id: str, directory: Path) -> str:
    """What to do to see the page: the command that serves the store, unless a server does, and the address."""
    page = f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={KEY}"
    if uri.startswith(("http://", "https://")):
        return f"{without_user(uri).rstrip('/')}/{page}"
    # An old ./mlruns with runs in it is what a bare `mlflow ui` would show instead.
    plain = uri == DEFAULT_URI and not any(directory.glob("mlruns/[0-9]*/meta.yaml"))
    command = f"{_program()} ui" if plain else f"{_program()} ui --backend-store-uri {as_argument(uri)}"
    return f"{command}, then http://localhost:5000/{page}"


def _program() -> str:
    """MLflow's program as it is to be typed: that of this Python, by its path where another or none would be found."""
    ours = Path(sys.executable).with_name("mlflow")
    found = shutil.which("mlflow")
    if not ours.exists() or (found is not None and os.path.samefile(found, ours)):
        return "mlflow"
    return shlex.quote(os.path.relpath(ours) if ours.is_relative_to(Path.cwd()) else str(ours))
