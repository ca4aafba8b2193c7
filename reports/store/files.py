"""The files that runs have in the store: predictions, environment."""

from __future__ import annotations

import io
import logging
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.errors import ReportError
from reports.store.client import open_client
from reports.store.sweep import Sweep
from zoo.tracking.address import without_passwords
from zoo.tracking.experiments.files import run_directory
from zoo.tracking.names import Artifacts

_log = logging.getLogger(__name__)


class Predictions(NamedTuple):
    """Of one run on the test images: ``labels`` integers [N], ``logits`` float32 [N, classes]."""

    labels: NDArray[np.integer]
    logits: NDArray[np.floating]


def read_predictions(sweep: Sweep) -> dict[str, Predictions]:
    """Run id -> predictions, of the runs with a result that have any, in the order of ``sweep.runs``.

    Raises:
        ReportError: a store of files that cannot be read, or a file of predictions that is damaged.
    """
    _warn_of_absent_files(sweep)
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
                f"it is deleted there ({without_passwords(sweep.artifacts[run_id])})"
            ) from error
    return predictions


def _warn_of_absent_files(sweep: Sweep) -> None:
    """One line where the files of the runs are not at the place that MLflow has for them: it was moved, or removed."""
    addresses = [sweep.artifacts.get(run_id, "") for run_id in sweep.results()["run_id"]]
    absent = [folder for address in addresses if (folder := _absent_folder(address, sweep.uri)) is not None]
    if absent:
        command = f"{sweep.command} --sync" if sweep.command else "the sweep's own command with --sync"
        _log.warning(
            "warning: %d of the runs of %s lack their files in MLflow (predictions, environment): there is no %s. The "
            "report is without what needs them. This makes them again from the results in runs/:\n  %s",
            len(absent),
            sweep.name,
            absent[0],
            command,
        )


def _absent_folder(address: str, uri: str) -> Path | None:
    """The folder of the sweep's files, if that is where a run's files are to be and it is not there."""
    try:
        directory = run_directory(address, uri)
        folder = directory.parents[1] if directory is not None else None
        return folder if folder is not None and not folder.is_dir() else None
    except (OSError, ValueError, IndexError):  # no address: said when a file is read from it
        return None


class DamagedFile(Exception):
    """Its content cannot be read."""


def parse_predictions(content: bytes) -> Predictions:
    """Raises DamagedFile."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            predictions = Predictions(arrays["labels"], arrays["logits"])
    except Exception as error:  # numpy and zipfile raise a dozen kinds for what is not theirs
        raise DamagedFile(str(error) or type(error).__name__) from error
    if (problem := _problem(predictions)) is not None:
        raise DamagedFile(problem)
    return predictions


def _problem(predictions: Predictions) -> str | None:
    """What is wrong with the form of labels and logits."""
    labels, logits = predictions
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        return f"its labels are {_form(labels)}, not integers [N]"
    if logits.ndim != 2 or not np.issubdtype(logits.dtype, np.floating) or len(logits) != len(labels):
        return f"its logits are {_form(logits)}, not floats [{len(labels)}, classes]"
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < logits.shape[1]:
        return f"its labels go from {labels.min()} to {labels.max()}, and there are {logits.shape[1]} classes"
    return None


def _form(array: NDArray[np.generic]) -> str:
    return f"{array.dtype} {list(array.shape)}"


def read_file(sweep: Sweep, run_id: str, name: str) -> bytes | None:
    """A file that a run has in the store, None where there is none.

    Raises:
        ReportError: the store of files cannot be read.
    """
    address = sweep.artifacts.get(run_id, "")
    if not address:
        return None
    try:
        directory = run_directory(address, sweep.uri)
        if directory is not None:
            path = directory / name
            return path.read_bytes() if path.is_file() else None
    except (OSError, ValueError) as error:
        raise ReportError(
            f"the files of run {run_id} cannot be read from {without_passwords(address)!r}: {error}"
        ) from error
    return download(sweep.uri, run_id, name)


def download(uri: str, run_id: str, name: str) -> bytes | None:
    """As ``read_file``, asking MLflow wherever the file may be."""
    client = open_client(uri)
    try:
        directory = run_directory(client.get_run(run_id).info.artifact_uri or "", uri)
        if directory is not None:
            path = directory / name
            return path.read_bytes() if path.is_file() else None
        if name not in {item.path for item in client.list_artifacts(run_id)}:
            return None
        with tempfile.TemporaryDirectory() as folder:
            return Path(client.download_artifacts(run_id, name, folder)).read_bytes()
    except ImportError:
        raise
    except Exception as error:  # each kind of store of files has its own
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ReportError(f"the files of run {run_id} cannot be read from {uri}: {reason}") from error
