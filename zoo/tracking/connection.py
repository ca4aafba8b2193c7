"""Opening MLflow's store: quietly, and one process at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.storage.locks import file_lock
from zoo.tracking.address import sqlite_path
from zoo.tracking.errors import TrackingError, explained

if TYPE_CHECKING:
    from mlflow import MlflowClient

OPENING_SECONDS = 180  # how long to wait for another process that opens the same database: a slow disk takes a minute

_SETTINGS = {  # a user's own setting wins
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",  # its warnings are about retries, and would tear the progress bars
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # A server that is away is tried again with the next results, so each try can be short.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def open_client(uri: str) -> MlflowClient:
    """A client of a store that is there and answers; a local database is created when it is not there.

    Raises TrackingError.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    path = sqlite_path(uri)
    with explained(uri):
        if path is None:
            return _answering_client(uri)
        with _opened_alone(path):
            _check_database(path)
            if not path.stat().st_size:
                _make_database(path)
            return _client_beside_others(uri)


@contextlib.contextmanager
def _opened_alone(path: Path) -> Iterator[None]:
    """No other process of ours opens this database meanwhile: two that create its tables at once would break them."""
    import filelock

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(path.with_name(f".{path.name}.lock"), OPENING_SECONDS):
            yield
    except filelock.Timeout:
        raise TrackingError(
            f"MLflow at {path} cannot be opened: another process has been opening it for {OPENING_SECONDS} seconds"
        ) from None


def _check_database(path: Path) -> None:
    """Raise at once what MLflow would try again for two minutes: a file that cannot be opened, or is no database."""
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as database:
        try:
            database.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        except sqlite3.OperationalError as error:
            # A lock passes, and MLflow waits for that.
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise


def _make_database(path: Path) -> None:
    """Make MLflow's tables in another file, renamed when it is whole: MLflow cannot complete a half made database."""
    prefix = f".{path.name}.making-"
    for left_by_a_crash in path.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_by_a_crash, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as directory:
        created, whole = Path(directory) / "created.db", Path(directory) / "whole.db"
        _answering_client(f"sqlite:///{created.absolute()}")
        shutil.copyfile(created, whole)  # the other stays open in this process
        with open(whole, "rb") as file:
            os.fsync(file.fileno())
        if not path.stat().st_size:  # an ``mlflow ui`` that was just started may have been quicker
            os.replace(whole, path)


def _client_beside_others(uri: str) -> MlflowClient:
    """A client of a local database, even while an ``mlflow ui`` just started makes its tables."""
    for pause_s in (1, 3, 6):
        try:
            return _answering_client(uri)
        except Exception as error:
            if "already exists" not in str(error):  # no other form, as above
                raise
            time.sleep(pause_s)
    return _answering_client(uri)


def _answering_client(uri: str) -> MlflowClient:
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=uri)
    client.search_experiments(max_results=1)  # the first call is what connects
    return client
