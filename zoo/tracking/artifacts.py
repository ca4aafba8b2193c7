"""The files that MLflow keeps of a finished run, made from its record."""

from __future__ import annotations

import contextlib
import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo.measure.readouts import evaluation_of
from zoo.plan.runs import Plan, Run
from zoo.storage.records import Row
from zoo.tracking.names import Artifacts


@contextlib.contextmanager
def prepared(run: Run, plan: Plan, rows: list[Row]) -> Iterator[Path]:
    """A temporary directory with ``Artifacts.ALL``, as far as the record has what they are made of.

    ``predictions.npz`` holds the test ``labels`` [N] and the ``logits`` float32 [N, classes] that the run's accuracy is
    of: those of one evaluation. The record has those of all.
    """
    record = plan.training_of(run).record
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for copied in (Artifacts.ENVIRONMENT, Artifacts.SAMPLES):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(record.directory / copied, directory / copied)
        _write_history(directory / Artifacts.HISTORY, rows)
        with np.load(record.results_file(run.steps)) as results:
            logits = results[evaluation_of(run.variant.config).logits]
            np.savez(directory / Artifacts.PREDICTIONS, labels=results["labels"], logits=logits)
        (directory / Artifacts.SPEC).write_text(_spec(plan), encoding="utf-8")
        yield directory


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
