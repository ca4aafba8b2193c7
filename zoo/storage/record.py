"""What one training leaves on disk, first and before anything is sent elsewhere. Every write is whole or not at all.

runs/<key>/training.json               what was trained: configuration, seed, data
           status.json                 how it stands: running, stopped, done or failed, and why, with its last output
           attempts.json               when, where and with what result it was worked on, one entry an attempt
           history.csv                 one row an evaluation
           checkpoints/step_00001000/  where it can be taken up again
           results/step_00010000.npz   test labels and logits at a milestone or the end
           samples.png  environment.json  latency.json  worker.log
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

Row = dict[str, float]

_DUMP_HEADER = "(most recent call first):"  # how faulthandler heads each thread
_DUMPED_CALLS = 5  # of each thread that are told
_IDLE = re.compile(r'processes\.py", line \d+ in watch$')  # the thread that waits for the end of the parent
_OUTPUT_LINES, _OUTPUT_BYTES = 20, 20_000  # how much of a log's end is told, and looked at


class Beat(NamedTuple):
    """What a running training says of itself, about twice a second."""

    step: int
    loss: float  # mean since the last evaluation
    images_per_s: float  # of the last call into the compiled loop
    evaluated: Row | None = None  # the evaluation that has just been made


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

    def results_file(self, step: int) -> Path:
        return self.directory / "results" / f"step_{step:08d}.npz"

    def read(self, name: str) -> dict[str, Any]:
        """The contents of ``<name>.json``; empty when there is none."""
        path = self.directory / f"{name}.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Put ``value`` into ``<name>.json``."""
        text = json.dumps(value, indent=1, default=str)
        write_whole(self.directory / f"{name}.json", lambda file: file.write(text.encode()))

    def attempts(self) -> list[dict[str, Any]]:
        """The attempts so far, in order."""
        return self.read("attempts").get("attempts", [])

    def add_attempt(self, attempt: Mapping[str, Any]) -> None:
        self.write("attempts", {"attempts": [*self.attempts(), attempt]})

    def log_size(self) -> int:
        """Bytes in the log so far."""
        try:
            return self.log.stat().st_size
        except FileNotFoundError:
            return 0

    def last_output(self, since: int = 0) -> str:
        """The last lines that the log has got after its first ``since`` bytes; of a dumped stack those of its last calls."""
        try:
            with open(self.log, "rb") as file:
                file.seek(max(since, self.log_size() - _OUTPUT_BYTES))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        lines = _most_recent_call_last([line.rstrip() for line in text.splitlines() if line.strip()])
        return "\n".join(lines[-_OUTPUT_LINES:])

    def history(self) -> list[Row]:
        """The evaluations so far, by step."""
        try:
            with open(self.history_file, newline="", encoding="utf-8") as file:
                return [{k: float(v) for k, v in row.items() if v != ""} for row in csv.DictReader(file)]
        except FileNotFoundError:
            return []

    def write_history(self, rows: Iterable[Row]) -> None:
        """Add ``rows`` to the history; a row of a step that is there already takes its place."""
        merged = {row["step"]: row for row in (*self.history(), *rows)}
        ordered = [merged[step] for step in sorted(merged)]
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, list(dict.fromkeys(name for row in ordered for name in row)))
        table.writeheader()
        table.writerows(ordered)
        write_whole(self.history_file, lambda file: file.write(text.getvalue().encode()))

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

    def clear_away(self) -> None:
        """Remove the files that processes of this machine were writing when they were killed."""
        for path in (*self.directory.glob(".*"), *self.results_file(0).parent.glob(".*")):
            writer = re.fullmatch(rf"\..+\.{re.escape(socket.gethostname())}-(\d+)-\d+", path.name)
            if writer and not _is_there(int(writer[1])):
                path.unlink(missing_ok=True)

    def is_worked_on(self) -> bool:
        """Whether a process trains this right now: each holds ``.lock`` from its first step to its last."""
        import filelock

        path = self.directory / ".lock"
        if not path.exists():
            return False
        lock = filelock.FileLock(path)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            return True
        lock.release()
        return False

    def set_aside(self) -> Path | None:
        """Move the directory out of the way; nothing is deleted. Returns where it is now, None when there was none."""
        if not self.directory.exists():
            return None
        name = f"{self.directory.name}.before-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        return self.directory.rename(self.directory.with_name(name))


def _most_recent_call_last(lines: list[str]) -> list[str]:
    """The lines, with Python's own dump of its threads (after a fatal signal, or of a process that hangs) as tracebacks are:
    of each thread the last calls, the most recent one at the end. The thread that is to blame, if known, comes last.
    """
    headers = [i for i, line in enumerate(lines) if line.endswith(_DUMP_HEADER)]
    if not headers:
        return lines
    before = [line for line in lines[: headers[0]] if line.startswith("Fatal Python error")]
    ends = [*headers[1:], len(lines)]
    others = [
        line for line in lines[headers[-1] + 1 :] if not line.startswith(("  File ", "  ...", "Extension modules:"))
    ]
    threads = []
    for start, end in zip(headers, ends, strict=True):
        calls = [line for line in lines[start + 1 : end] if line.startswith("  File ")]
        if not any(_IDLE.search(line) for line in calls):
            header = lines[start].replace("most recent call first", "most recent call last")
            threads.append((header, calls[:_DUMPED_CALLS][::-1]))
    # In a hang the current thread is the one that was asked; it waits for the others as a rule.
    threads.sort(key=lambda thread: thread[0].startswith("Current") == bool(before))
    return [*before, *(line for header, calls in threads for line in (header, *calls)), *others]


def write_whole(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file so that at any moment, and after any crash, either the old or the new contents are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}")
    try:
        with open(unfinished, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        sync_directory(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _is_there(pid: int) -> bool:
    """Whether there is such a process, as far as can be told without disturbing it."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def sync_directory(path: Path) -> None:
    """Have the names in a directory on the disk itself: without that a rename may be lost with the power."""
    with contextlib.suppress(OSError):  # some systems and network file systems cannot; they keep names on their own
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
