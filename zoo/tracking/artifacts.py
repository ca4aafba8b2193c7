"""The files that MLflow keeps of a finished run, made from its record."""

from __future__ import annotations

import contextlib
import csv
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo.plan.runs import Plan, Run
from zoo.storage.errors import RecordError
from zoo.storage.records import Row
from zoo.tracking.errors import TrackingError
from zoo.tracking.names import Artifacts


@contextlib.contextmanager
def prepared(run: Run, plan: Plan, rows: list[Row]) -> Iterator[Path]:
    """A temporary directory with ``Artifacts.ALL``, as far as the record has what they are made of.

    ``predictions.npz`` holds the test ``labels`` [N] and the ``logits`` float32 [N, classes] that the run's accuracy is
    of: those of one evaluation. The record has those of all.
    """
    with disk_explained():
        place = tempfile.TemporaryDirectory()
    with place as name:
        directory = Path(name)
        with disk_explained():
            _prepare(directory, run, plan, rows)
        yield directory


@contextlib.contextmanager
def disk_explained() -> Iterator[None]:
    """Turns an error of this machine's disk into one that does not blame MLflow."""
    try:
        yield
    except OSError as error:
        file = f": {error.filename}" if error.filename else ""
        raise TrackingError(
            f"the results of a training cannot be sent to MLflow: {error.strerror or error}{file}"
        ) from error


def _prepare(directory: Path, run: Run, plan: Plan, rows: list[Row]) -> None:
    record = plan.training_of(run).record
    for copied in (Artifacts.ENVIRONMENT, Artifacts.SAMPLES):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(record.directory / copied, directory / copied)
    _write_history(directory / Artifacts.HISTORY, rows)
    name, results = run.evaluation.logits, record.results_file(run.steps)
    try:
        with np.load(results) as arrays:
            np.savez(directory / Artifacts.PREDICTIONS, labels=arrays["labels"], logits=arrays[name])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RecordError(results, f"it does not hold the labels and {name} ({error})") from error
    (directory / Artifacts.SPEC).write_text(_spec(plan), encoding="utf-8")


def _write_history(path: Path, rows: list[Row]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        table.writeheader()
        table.writerows(row | {"step": int(row["step"])} for row in rows)


def _spec(plan: Plan) -> str:
    """The question as asked: its file, headed by what the command line changed."""
    question = plan.question
    if not question.overrides:
        return question.text
    changes = "".join(f"# --set {change}\n" for change in question.overrides)
    return f"# As asked on the command line, beside what stands below:\n{changes}\n{question.text}"
