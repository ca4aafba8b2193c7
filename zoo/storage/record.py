"""What one training leaves on disk, before anything is sent elsewhere. Every write is atomic.

runs/<key>/training.json               what was trained: configuration, seed, data
           status.json                 how it stands: running, stopped, done or failed, and why, with its last output
           attempts.json               when, where and with what result it was worked on, one entry an attempt
           history.csv                 one row an evaluation
           checkpoints/step_00001000/  where it can be resumed
           results/step_00010000.npz   test labels and logits at a milestone or the end
           checksums.json              of training.json, history.csv and the results; a checkpoint has its own
           samples.png  environment.json  latency.json  worker.log

Damaged files: reading how a training stands passes over them and says so once; ``check`` raises an error; ``repair``, and
writing in their place, sets them aside. Earlier versions wrote no checksums: of their results the checksums inside the
archives are compared, and their histories must be tables of numbers.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from zoo.storage import checksums, damage, history, log
from zoo.storage.atomic import remove_unfinished, write_atomically
from zoo.storage.errors import RecordError
from zoo.storage.locks import file_lock
from zoo.storage.records import AttemptRecord, Attempts, Checksums, LatencyRecord, Row, Status, TrainingDescription

_M = TypeVar("_M", bound=BaseModel)

_KINDS: dict[str, type[BaseModel]] = {
    "status": Status,
    "training": TrainingDescription,
    "attempts": Attempts,
    "latency": LatencyRecord,
    "checksums": Checksums,
}


@dataclass(frozen=True)
class Record:
    """The directory of one training."""

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
        return self._read_if_whole("status", Status)

    def description(self) -> TrainingDescription | None:
        """What is trained here, None before its first attempt has got to its first step."""
        return self._read_if_whole("training", TrainingDescription)

    def attempts(self) -> tuple[AttemptRecord, ...]:
        """The attempts so far, in order."""
        kept = self._read_if_whole("attempts", Attempts)
        return kept.attempts if kept else ()

    def latency(self) -> LatencyRecord | None:
        """The latency of one image, None when it has not been measured."""
        return self._read_if_whole("latency", LatencyRecord)

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
        """Read everything that a result rests on. Raises RecordError for the first damaged or foreign file, and OSError."""
        for error in self._problems():
            raise error

    def repair(self) -> None:
        """Set aside what is damaged. Nothing is done while a process trains this: that one repairs what it needs.

        Raises RecordError where a damaged file cannot be renamed, and OSError.
        """
        if any(True for _ in self._problems()):
            with self._locked_if_free() as is_free:
                for error in self._problems() if is_free else ():
                    damage.set_aside(error.path, error.problem)

    def _problems(self) -> Iterator[RecordError]:
        for name, kind in _KINDS.items():
            try:
                self._read(name, kind)
            except RecordError as error:
                yield error
        try:
            self.history()
        except RecordError as error:
            yield error
        for path in sorted(self.results_file(0).parent.glob("step_*.npz")):
            if problem := self._problem_of(path):
                yield RecordError(path, problem)

    def is_empty(self) -> bool:
        """Whether nothing was ever recorded here."""
        files = (*(self.directory / f"{name}.json" for name in ("status", "training")), self.history_file)
        return not any(path.exists() for path in files)

    def log_size(self) -> int:
        """Bytes in the log so far."""
        return log.size(self.log)

    def last_output(self, since: int = 0) -> str:
        """The last lines that the log has got after its first ``since`` bytes."""
        return log.last_output(self.log, since)

    def history(self) -> list[Row]:
        """The evaluations so far, by step. Raises RecordError for a damaged file."""
        try:
            contents = self._contents(self.history_file)
        except (FileNotFoundError, NotADirectoryError):
            return []
        try:
            return history.parsed(contents)
        except (ValueError, csv.Error) as error:  # UnicodeDecodeError is a ValueError
            raise RecordError(
                self.history_file, f"it is no table of numbers with a step in each row ({error})"
            ) from None

    def write_history(self, rows: Iterable[Row]) -> None:
        """Add ``rows`` to the history; a row replaces that of the same step."""
        try:
            earlier = self.history()
        except RecordError as error:
            damage.set_aside(error.path, error.problem)
            earlier = []
        merged = {row["step"]: row for row in (*earlier, *rows)}
        ordered = [merged[step] for step in sorted(merged)]
        self._write_with_checksum(self.history_file, history.as_table(ordered))

    def write_result(self, step: int, contents: bytes) -> None:
        """Keep the predictions of a step, an .npz file."""
        self._write_with_checksum(self.results_file(step), contents)

    def row_at(self, step: int) -> Row | None:
        """The evaluation at ``step``, None when there is none (yet)."""
        try:
            return next((row for row in self.history() if row["step"] == step), None)
        except RecordError as error:
            damage.warn_once(error)
            return None

    def has_result(self, step: int, columns: Collection[str] = ()) -> bool:
        """Whether the training has been evaluated at ``step``, its predictions are there, undamaged, and its row has these
        ``columns``: that of a readout which was added later is missing.
        """
        path, row = self.results_file(step), self.row_at(step)
        if row is None or not path.exists() or not all(column in row for column in columns):
            return False
        problem = self._problem_of(path)
        if problem:
            damage.warn_once(RecordError(path, problem))
        return not problem

    def missing(self, steps: Iterable[int], columns: Collection[str] = ()) -> list[int]:
        """Those of ``steps`` without a result of these ``columns``, in order."""
        return sorted(step for step in steps if not self.has_result(step, columns))

    def latest_checkpoint(self, at_most: int) -> Path | None:
        """The newest checkpoint at or before a step."""
        return next((path for path in self.checkpoints_by_age() if int(path.name[5:]) <= at_most), None)

    def checkpoints_by_age(self) -> list[Path]:
        """All checkpoints, that of the last step first."""
        named = (path for path in self.checkpoints.glob("step_*") if re.fullmatch(r"step_[0-9]{8,}", path.name))
        return sorted(named, key=lambda path: int(path.name[5:]), reverse=True)

    def checkpoint_towards(self, step: int) -> Path | None:
        """The newest checkpoint from which the result at ``step`` can be had: before it, or made when it was evaluated."""
        return next((path for path in self.checkpoints_by_age() if self.leads_to(path, step)), None)

    @staticmethod
    def leads_to(checkpoint: Path, step: int) -> bool:
        """Whether the result at ``step`` can be had from a checkpoint: made before it, or at it after the evaluation."""
        at = int(checkpoint.name[5:])
        return at < step or (at == step and _was_evaluated(checkpoint, step))

    def remove_unfinished(self) -> None:
        """Remove the files that processes of this machine were writing when they were killed."""
        for directory in (self.directory, self.results_file(0).parent):
            remove_unfinished(directory)

    def is_in_use(self) -> bool:
        """Whether a process trains this right now."""
        if not self.lock_file.exists():
            return False
        with self._locked_if_free() as is_free:
            return not is_free

    @contextlib.contextmanager
    def _locked_if_free(self) -> Iterator[bool]:
        """Lock it within this block; False when another process has it."""
        import filelock

        lock = file_lock(self.lock_file)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def set_aside(self) -> Path | None:
        """Rename the directory, deleting nothing. Returns its new path, None when there was none."""
        if not self.directory.exists():
            return None
        name = f"{self.directory.name}.before-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        return self.directory.rename(self.directory.with_name(name))

    def _contents(self, path: Path) -> bytes:
        """A file that has its checksum in the record, if any. Raises RecordError for another one, and OSError."""
        for is_last_try in (False, False, True):
            try:
                contents = path.read_bytes()
            except IsADirectoryError:
                raise RecordError(path, "it is a directory") from None
            expected = self._checksums().get(path.name) if path.name != "checksums.json" else None
            if not expected or hashlib.sha256(contents).hexdigest() in expected:
                break
            if is_last_try:
                raise RecordError(path, _CHANGED)
            time.sleep(_REPLACED_S)  # a process that trains this may have written both between the two reads
        return contents

    def _read(self, name: str, kind: type[_M]) -> _M | None:
        path = self.directory / f"{name}.json"
        try:
            return kind.model_validate_json(self._contents(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValidationError as error:
            raise RecordError(path, _problem(error)) from None

    def _read_if_whole(self, name: str, kind: type[_M]) -> _M | None:
        try:
            return self._read(name, kind)
        except RecordError as error:
            damage.warn_once(error)
            return None

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        path = self.directory / f"{name}.json"
        if name in _KINDS:
            try:
                self._read(name, _KINDS[name])
            except RecordError as error:
                damage.set_aside(path, error.problem)
        contents = json.dumps(value, indent=1, default=str).encode()
        if name == "training":
            self._write_with_checksum(path, contents)
        else:
            write_atomically(path, lambda file: file.write(contents))

    def _checksums(self) -> dict[str, tuple[str, ...]]:
        kept = self._read_if_whole("checksums", Checksums)
        return kept.sha256 if kept else {}

    def _problem_of(self, path: Path) -> str:
        """What is wrong with a file of predictions, "" for nothing."""
        expected = self._checksums().get(path.relative_to(self.directory).as_posix())
        try:
            if expected:
                return "" if checksums.sha256(path) in expected else _CHANGED
            return checksums.archive_problem(path)
        except IsADirectoryError:
            return "it is a directory"

    def _write_with_checksum(self, path: Path, contents: bytes) -> None:
        """Write a file so that at any moment, and after any crash, its checksum is among those in the record."""
        name, new = path.relative_to(self.directory).as_posix(), hashlib.sha256(contents).hexdigest()
        if path.suffix == ".npz" and path.exists() and (problem := self._problem_of(path)):
            damage.set_aside(path, problem)
        old = checksums.sha256(path) if path.exists() else new
        known = self._checksums()
        accepted = tuple(dict.fromkeys((new, old)))
        if known.get(name) != accepted:
            self._write("checksums", {"sha256": known | {name: accepted}})
        if old != new or not path.exists():
            write_atomically(path, lambda file: file.write(contents))
        if old != new:
            self._write("checksums", {"sha256": known | {name: (new,)}})


_REPLACED_S = 0.01
_CHANGED = "its contents have changed since they were written"


def _was_evaluated(checkpoint: Path, step: int) -> bool:
    """Whether the history in a checkpoint has a row of this step."""
    try:
        rows = json.loads((checkpoint / "progress.json").read_bytes())["history"]
        return any(row["step"] == step for row in rows)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, TypeError, LookupError):
        return False


def _problem(error: ValidationError) -> str:
    """The first problem, in words."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return f"it is damaged ({first['msg']})"
    field = ".".join(map(str, first["loc"]))
    return f"it is not what this program writes ({field + ': ' if field else ''}{first['msg']})"
