"""The files that runs have in the store: predictions, environment."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from numpy.typing import NDArray

from reports.errors import ReportError
from reports.store.client import open_client
from reports.store.sweep import Sweep
from zoo.tracking.names import Artifacts


class Predictions(NamedTuple):
    """Of one run on the test images: ``labels`` integers [N], ``logits`` float32 [N, classes]."""

    labels: NDArray[np.integer]
    logits: NDArray[np.floating]


def read_predictions(sweep: Sweep) -> dict[str, Predictions]:
    """Run id -> predictions, of the runs with a result that have any, in the order of ``sweep.runs``.

    Raises:
        ReportError: a store of files that cannot be read, or a file of predictions that is damaged.
    """
    predictions = {}
    for run_id in sweep.results()["run_id"]:
        content = read_file(sweep, run_id, Artifacts.PREDICTIONS)
        if content is None:
            continue
        try:
            predictions[run_id] = parse_predictions(content)
        except DamagedFile as error:
            raise ReportError(
                f"predictions.npz of run {run_id} is damaged: {error}; the sweep's own command sends it again when "
                f"it is deleted there ({sweep.artifacts[run_id]})"
            ) from error
    return predictions


class DamagedFile(Exception):
    """Its content cannot be read."""


def parse_predictions(content: bytes) -> Predictions:
    """Raises DamagedFile."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Predictions(arrays["labels"], arrays["logits"])
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DamagedFile(str(error)) from error


def read_file(sweep: Sweep, run_id: str, name: str) -> bytes | None:
    """A file that a run has in the store, None where there is none.

    Raises:
        ReportError: the store of files cannot be read.
    """
    address = sweep.artifacts.get(run_id, "")
    if not address:
        return None
    if address.startswith("file:"):
        path = Path(url2pathname(urlsplit(address).path)) / name
        return path.read_bytes() if path.is_file() else None
    return download(sweep.uri, run_id, name)


def download(uri: str, run_id: str, name: str) -> bytes | None:
    """As ``read_file``, asking MLflow wherever the file may be."""
    from mlflow.exceptions import MlflowException

    client = open_client(uri)
    try:
        if name not in {item.path for item in client.list_artifacts(run_id)}:
            return None
        with tempfile.TemporaryDirectory() as folder:
            return Path(client.download_artifacts(run_id, name, folder)).read_bytes()
    except (MlflowException, OSError) as error:
        raise ReportError(f"the files of run {run_id} cannot be read from {uri}: {error}") from error
