"""A client of the store that reads, and what is in the way of opening one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from reports.errors import ReportError
from zoo.tracking.address import sqlite_path
from zoo.tracking.errors import of_another_version

if TYPE_CHECKING:
    from mlflow import MlflowClient

PAGE = 5000  # runs per request


def open_client(uri: str) -> MlflowClient:
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
        reason = of_another_version(error.message, uri) or error.message
        raise ReportError(f"MLflow cannot open {uri}: {reason}") from error


def _check_database(path: Path) -> None:
    if not path.is_file():
        raise ReportError(
            f"no database {path.absolute()}: no sweep has been run in this directory yet. "
            "Run one (python run_sweep.py experiments/NAME.yaml), change to its directory, "
            "or name its store with --tracking-uri sqlite:////path/to/mlflow.db"
        )
    try:
        with closing(read_only(path)) as database:
            database.execute("SELECT 1 FROM experiments LIMIT 1")
    except sqlite3.Error as error:
        raise ReportError(f"{path.absolute()} is not a database that MLflow wrote: {error}") from error


def read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
