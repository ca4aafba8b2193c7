"""``run_sweep.py`` as a person runs it: a process in a directory, its terminal, its signals."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for the scripts among the tests

from helpers.launcher import ForkedProcess, Launcher

from zoo.storage.record import Record

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 900  # for a busy machine; nothing here takes more than some seconds on a quiet one

QUESTION = """\
question: Does the flip matter on digits?
base:
  model: alex2
  data: digits
  convs: [[3, 8], [3, 8]]
  hidden: [16]
  batch: 16
  steps: 240
  evaluate_every: 10
factors:
  augment.flip: [true, false]
seeds: 1
"""

OWN = """
import numpy as np
from zoo.data import register as data_set
from zoo.models import register as model

@model("mine")
def mine(input_size: int = 24, classes: int = 10, width: int = 4):
    import tf_keras as keras
    image = keras.Input((input_size, input_size, 3))
    x = keras.layers.Conv2D(width, 3, activation="relu")(image)
    return keras.Model(image, keras.layers.Dense(classes)(keras.layers.GlobalAveragePooling2D()(x)))

@data_set("halves", classes=("dark", "light"), image_size=12)
def halves(data_dir):
    labels = np.arange(64) % 2
    images = np.full((64, 12, 12, 3), 40, np.uint8) + (labels * 150).astype(np.uint8)[:, None, None, None]
    return {"train": (images, labels), "test": (images[:20], labels[:20])}
"""
OWN_QUESTION = """
question: Do averages and time matter for my own net on my own data?
imports: [own.py]
base: {model: mine, data: halves, input_size: 8, batch: 8, evaluate_every: 10}
factors: {ema: [true, false], steps: [10, 20]}
seeds: 1
"""


def environment(cache: Path, temporary: Path | None = None) -> dict[str, str]:
    """A clean environment: nothing of the person who runs the tests changes what they see.

    It has a directory of its own for temporary files and for the lock between trainings and measurements: sweeps elsewhere
    are not waited for.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "PYTHON", "ZOO", "TF_"))}
    temporary = temporary or cache / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return kept | {
        "ZOO_CACHE": str(cache),
        "CUDA_VISIBLE_DEVICES": "",
        "COLUMNS": "100",
        "TMPDIR": str(temporary),
        "XDG_RUNTIME_DIR": str(temporary),
    }


def without_doubt(errors: str) -> str:
    """Standard error without the line that asks for more seeds: these sweeps have one or two, to be quick."""
    return re.sub(r"(?m)^\S+:\d+:\d+: with [12] seeds? .*: take 3 or more\n", "", errors)


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "run_sweep.py"), *map(str, arguments)]


_shared: tuple[Path, dict[str, str]] | None = None


def fork_sweeps(directory: Path, env: dict[str, str]) -> None:
    """From now on sweeps are forks of one process (see ``launcher.py``), which is found in ``directory`` or started."""
    global _shared
    if sys.platform == "linux":
        _shared = directory, env


@functools.cache
def _launcher(directory: Path) -> Launcher:
    return Launcher(directory, _shared[1])


def start(
    directory: Path, env: dict[str, str], line: Sequence[str], stdout: int, stderr: int, **confinement: object
) -> subprocess.Popen | ForkedProcess:
    """Start a sweep in a session of its own; as a fork where ``fork_sweeps`` has been called.

    A fork can be given a ``network`` (the file of a network namespace) and a ``control_group`` (the directory of one).
    """
    if _shared is not None:
        chosen = {name: str(value) for name, value in confinement.items() if value}
        return _launcher(_shared[0]).start(line, directory, env, stdout, stderr, **chosen)
    assert not any(confinement.values())
    return subprocess.Popen(line, cwd=directory, env=env, stdout=stdout, stderr=stderr, start_new_session=True)


def sweep(
    directory: Path, env: dict[str, str], *arguments: object, **confinement: object
) -> subprocess.CompletedProcess:
    """Run it to its end."""
    line = command(*arguments)
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        code = start(directory, env, line, output.fileno(), errors.fileno(), **confinement).wait(PATIENCE_S)
        output.seek(0), errors.seek(0)
        return subprocess.CompletedProcess(line, code, output.read(), without_doubt(errors.read()))


def sweep_in_new_interpreter(directory: Path, env: dict[str, str], *arguments: object) -> subprocess.CompletedProcess:
    """Run it to its end as a person does, with all that it imports: for what is about the start of the program."""
    done = subprocess.run(
        command(*arguments), cwd=directory, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    done.stderr = without_doubt(done.stderr)
    return done


class Running:
    """A sweep that can be watched and stopped while it runs."""

    def __init__(self, directory: Path, env: dict[str, str], *arguments: object, **confinement: object):
        self._errors = directory / f"stderr-{time.monotonic_ns()}.txt"  # of this one alone
        read_from, write_to = os.pipe()
        with open(self._errors, "w", encoding="utf-8") as errors, open(write_to, "wb") as output:
            line = command(*arguments)
            self.process = start(directory, env, line, output.fileno(), errors.fileno(), **confinement)
        self._lines = os.fdopen(read_from, encoding="utf-8", errors="replace")
        self.output = ""

    @property
    def errors(self) -> str:
        return without_doubt(self._errors.read_text(encoding="utf-8"))

    def until(self, text: str) -> None:
        """Wait for a line with ``text``."""
        for line in self._lines:
            self.output += line
            if text in line:
                return
        raise AssertionError(f"{text!r} did not come:\n{self.output}\n{self.errors}")

    def interrupt(self) -> None:
        """Ctrl-C: the whole foreground group gets it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """Read the rest; returns the exit code."""
        self.output += self._lines.read()
        self._lines.close()
        return self.process.wait(PATIENCE_S)

    def worker(self) -> int:
        """The process that trains: the child of the server of workers, which is the child with a child."""
        for server in children(self.process.pid):
            for worker in children(server):
                return worker
        raise AssertionError("no training is running")


def has_ended(pid: int) -> bool:
    """Wait for the end of a process that is not ours; whether it came."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not _is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def children(pid: int) -> list[int]:
    pids = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(after_name[1]) == pid and after_name[0] != "Z":
            pids.append(int(path.parent.name))
    return pids


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def keys(directory: Path) -> set[str]:
    return {path.parent.name for path in directory.glob("runs/*/training.json")}


def predictions(directory: Path) -> dict[str, dict[str, np.ndarray]]:
    by_file = {}
    for path in directory.glob("runs/*/results/*.npz"):
        with np.load(path) as arrays:
            by_file[str(path.relative_to(directory))] = dict(arrays)
    return by_file


def statuses(directory: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(directory.glob("runs/*/status.json"))]


def records(directory: Path) -> list[Record]:
    return [Record(path.parent) for path in sorted(directory.glob("runs/*/training.json"))]


def record_of(directory: Path, variant: str) -> Record:
    (record,) = [one for one in records(directory) if one.description().runs == (f"{variant} · seed 0",)]
    return record


def errors_of(done) -> str:
    """What went wrong, in words: never a traceback."""
    for text in (done.stdout, done.stderr):
        assert "Traceback" not in text and "Exception" not in text, text
    return done.stderr
