"""What one training leaves on disk, before anything is sent elsewhere. Every write is atomic.

runs/<key>/training.json               what was trained: configuration, seed, data
           status.json                 how it stands: running, stopped, done or failed, and why, with its last output
           attempts.json               when, where and with what result it was worked on, one entry an attempt
           history.csv                 one row an evaluation
           checkpoints/step_00001000/  where it can be resumed
           results/step_00010000.npz   test labels and logits at a milestone or the end
           samples.png  environment.json  latency.json  worker.log
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from zoo.storage import log
from zoo.storage.atomic import remove_unfinished, write_atomically
from zoo.storage.errors import RecordError
from zoo.storage.records import AttemptRecord, Attempts, LatencyRecord, Row, Status, TrainingDescription

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True)
class Record:
    """The directory of one training. Reading a damaged or foreign file raises RecordError."""

    directory: Path

    @property
    def checkpoints(self) -> Path:
        return self.directory / "checkpoints"

    @property
    def log(self) -> Path:
        return self.directory / "worker.log"

    @property
    def history_file(self) -> Path:
        return self.directory / "history.csv"

    @property
    def lock_file(self) -> Path:
        """Locked by each process that trains this, from its first step to its last."""
        return self.directory / ".lock"

    def results_file(self, step: int) -> Path:
        return self.directory / "results" / f"step_{step:08d}.npz"

    def status(self) -> Status | None:
        """How the training stands, None when that was never recorded."""
        return self._read("status", Status)

    def description(self) -> TrainingDescription | None:
        """What is trained here, None before its first attempt has got to its first step."""
        return self._read("training", TrainingDescription)

    def attempts(self) -> tuple[AttemptRecord, ...]:
        """The attempts so far, in order."""
        kept = self._read("attempts", Attempts)
        return kept.attempts if kept else ()

    def latency(self) -> LatencyRecord | None:
        """The latency of one image, None when it has not been measured."""
        return self._read("latency", LatencyRecord)

    def write_status(self, status: Status) -> None:
        self._write("status", status.model_dump(mode="json"))

    def write_description(self, description: TrainingDescription) -> None:
        self._write("training", description.model_dump(mode="json"))

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """Machine, system and library versions, for a person."""
        self._write("environment", environment)

    def write_latency(self, latency: LatencyRecord) -> None:
        self._write("latency", latency.model_dump(mode="json"))

    def add_attempt(self, attempt: AttemptRecord) -> None:
        self._write("attempts", Attempts(attempts=(*self.attempts(), attempt)).model_dump(mode="json"))

    def check(self) -> None:
        """Read everything. Raises RecordError."""
        for read in (self.status, self.description, self.attempts, self.latency, self.history):
            read()

    def is_empty(self) -> bool:
        """Whether nothing was ever recorded here."""
        return not any((self.directory / f"{name}.json").exists() for name in ("status", "training"))

    def log_size(self) -> int:
        """Bytes in the log so far."""
        return log.size(self.log)

    def last_output(self, since: int = 0) -> str:
        """The last lines that the log has got after its first ``since`` bytes."""
        return log.last_output(self.log, since)

    def history(self) -> list[Row]:
        """The evaluations so far, by step."""
        try:
            with open(self.history_file, newline="", encoding="utf-8") as file:
                table = csv.DictReader(file, strict=True)
                if table.fieldnames and "step" not in table.fieldnames:
                    raise ValueError("it has no column step")
                return [_row(cells) for cells in table]
        except FileNotFoundError:
            return []
        except (ValueError, csv.Error) as error:  # UnicodeDecodeError is a ValueError
            raise RecordError(
                self.history_file, f"it is no table of numbers with a step in each row ({error})"
            ) from None

    def write_history(self, rows: Iterable[Row]) -> None:
        """Add ``rows`` to the history; a row replaces that of the same step."""
        merged = {row["step"]: row for row in (*self.history(), *rows)}
        ordered = [merged[step] for step in sorted(merged)]
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, list(dict.fromkeys(name for row in ordered for name in row)))
        table.writeheader()
        table.writerows(ordered)
        write_atomically(self.history_file, lambda file: file.write(text.getvalue().encode()))

    def row_at(self, step: int) -> Row | None:
        """The evaluation at ``step``, None when there is none (yet)."""
        return next((row for row in self.history() if row["step"] == step), None)

    def has_result(self, step: int) -> bool:
        """Whether the training has been evaluated at ``step`` and its predictions kept."""
        return self.results_file(step).exists() and self.row_at(step) is not None

    def missing(self, steps: Iterable[int]) -> list[int]:
        """Those of ``steps`` without a result, in order."""
        return sorted(step for step in steps if not self.has_result(step))

    def latest_checkpoint(self, at_most: int) -> Path | None:
        """The newest checkpoint at or before a step."""
        steps = sorted(self.checkpoints.glob("step_????????"), reverse=True)
        return next((path for path in steps if int(path.name[5:]) <= at_most), None)

    def remove_unfinished(self) -> None:
        """Remove the files that processes of this machine were writing when they were killed."""
        for directory in (self.directory, self.results_file(0).parent):
            remove_unfinished(directory)

    def is_in_use(self) -> bool:
        """Whether a process trains this right now."""
        import filelock

        if not self.lock_file.exists():
            return False
        lock = filelock.FileLock(self.lock_file)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            return True
        lock.release()
        return False

    def set_aside(self) -> Path | None:
        """Rename the directory, deleting nothing. Returns its new path, None when there was none."""
        if not self.directory.exists():
            return None
        name = f"{self.directory.name}.before-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        return self.directory.rename(self.directory.with_name(name))

    def _read(self, name: str, kind: type[_M]) -> _M | None:
        path = self.directory / f"{name}.json"
        try:
            return kind.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise RecordError(path, _problem(error)) from None

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        text = json.dumps(value, indent=1, default=str)
        write_atomically(self.directory / f"{name}.json", lambda file: file.write(text.encode()))


def _row(cells: Mapping[str, str]) -> Row:
    """Raises ValueError for a row of too many or too few cells, or without a step."""
    if None in cells or None in cells.values():
        raise ValueError("a row with too many or too few values")
    row = {name: float(value) for name, value in cells.items() if value != ""}
    if "step" not in row:
        raise ValueError("a row without a step")
    return row


def _problem(error: ValidationError) -> str:
    """The first problem, in words."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return f"it is damaged ({first['msg']})"
    field = ".".join(map(str, first["loc"]))
    return f"it is not what this program writes ({field + ': ' if field else ''}{first['msg']})"
