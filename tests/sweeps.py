"""``run_sweep.py`` as a person runs it: a process in a directory, its terminal, its signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
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


def environment(cache: Path) -> dict[str, str]:
    """A clean environment: nothing of the person who runs the tests changes what they see."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "PYTHON", "ZOO", "TF_"))}
    # Temporary files of its own: sweeps elsewhere on this machine are not waited for when latency is measured.
    temporary = cache / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return kept | {
        "ZOO_CACHE": str(cache),
        "CUDA_VISIBLE_DEVICES": "",
        "COLUMNS": "100",
        "TMPDIR": str(temporary),
    }


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "run_sweep.py"), *map(str, arguments)]


def sweep(directory: Path, env: dict[str, str], *arguments: object) -> subprocess.CompletedProcess:
    """Run it to its end."""
    return subprocess.run(
        command(*arguments), cwd=directory, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


class Running:
    """A sweep in a process group of its own, as a shell starts it."""

    def __init__(self, directory: Path, env: dict[str, str], *arguments: object, within: Sequence[str] = ()):
        self._errors = directory / f"stderr-{time.monotonic_ns()}.txt"  # of this one alone
        with open(self._errors, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [*within, *command(*arguments)],
                cwd=directory,
                env=env,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self.output = ""

    @property
    def errors(self) -> str:
        return self._errors.read_text(encoding="utf-8")

    def until(self, text: str) -> None:
        """Wait for a line with ``text``."""
        for line in self.process.stdout:
            self.output += line
            if text in line:
                return
        raise AssertionError(f"{text!r} did not come:\n{self.output}\n{self.errors}")

    def interrupt(self) -> None:
        """Ctrl-C: the whole foreground group gets it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """Read the rest; returns the exit code."""
        self.output += self.process.communicate(timeout=PATIENCE_S)[0]
        return self.process.returncode

    def worker(self) -> int:
        """The process that trains: the child of the server of workers, which is the child with a child."""
        for server in children(self.process.pid):
            for worker in children(server):
                return worker
        raise AssertionError("no training is running")


def gone(pid: int) -> bool:
    """Wait for the end of a process that is not ours; whether it came."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not _is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(after_name[1]) == pid and after_name[0] != "Z":
            found.append(int(path.parent.name))
    return found


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
