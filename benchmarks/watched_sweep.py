"""A real ``run_sweep.py``, watched from outside: its processes, by what they are, as ``/proc`` shows them (Linux only)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DRIVER, SERVER, WORKER = "driver", "server of workers", "training worker"
TRACKER = "Python's resource tracker"
OTHER = "other worker"  # counts networks, measures latencies
PROGRAM = "other program"  # git; or a process that has not yet become what it is to be


class Seen(NamedTuple):
    """One process. ``started_s``: seconds from the start of the driver to its own, to 10 ms."""

    role: str
    started_s: float


class Ended(NamedTuple):
    """A sweep that has ended: ``began`` is time.time() at its start, ``wall_s`` how long it took."""

    began: float
    wall_s: float
    seen: dict[int, Seen]  # by process number


def run(
    directory: Path,
    question: str,
    look: Callable[[Mapping[int, Seen]], None],
    *,
    every_s: float,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Do the sweep of a question (YAML) in ``directory``; ``look`` is shown the processes there are, every ``every_s``.

    Raises SystemExit with the sweep's output when it fails.
    """
    if not Path("/proc/self/stat").exists():
        raise SystemExit("this benchmark reads /proc, which only Linux has")
    path, output = directory / "watched.yaml", directory / "output.txt"
    path.write_text(question, encoding="utf-8")
    with open(output, "w", encoding="utf-8") as file:
        began = time.time()
        driver = subprocess.Popen(
            [sys.executable, str(ROOT / "run_sweep.py"), path.name],
            cwd=directory,
            env={**os.environ, **(env or {})},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            first = _started_s(driver.pid)
            seen: dict[int, Seen] = {}
            while driver.poll() is None:
                _update(seen, driver.pid, first)
                look({pid: process for pid, process in seen.items() if Path(f"/proc/{pid}").exists()})
                time.sleep(every_s)
        except BaseException:
            driver.send_signal(signal.SIGTERM)
            driver.wait()
            raise
    if driver.returncode:
        raise SystemExit(f"the sweep failed:\n{output.read_text(encoding='utf-8')}")
    return Ended(began, time.time() - began, seen)


def _update(seen: dict[int, Seen], driver: int, first_s: float) -> None:
    """Enter the processes that have come, and a worker as such as soon as it shows that it is one."""
    for pid in [driver, *_descendants(driver)]:
        known = seen.get(pid)
        if known is not None and known.role not in (OTHER, PROGRAM):
            continue
        try:
            role = DRIVER if pid == driver else _role(pid, driver)
            seen[pid] = Seen(role, known.started_s if known else _started_s(pid) - first_s)
        except OSError:  # it has ended meanwhile
            continue


def _role(pid: int, driver: int) -> str:
    if os.path.basename(os.readlink(f"/proc/{pid}/fd/1")) == "worker.log":
        return WORKER
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    if b"multiprocessing.resource_tracker" in command:
        return TRACKER
    if b"multiprocessing.forkserver" not in command:
        return PROGRAM
    return SERVER if _parent(pid) == driver else OTHER  # a worker has the command line of the server it is forked from


def _descendants(pid: int) -> list[int]:
    pids = []
    for task in _numbers(f"/proc/{pid}/task"):
        try:
            children = Path(f"/proc/{pid}/task/{task}/children").read_text(encoding="utf-8").split()
        except OSError:
            continue
        for child in map(int, children):
            pids += [child, *_descendants(child)]
    return pids


def _numbers(directory: str) -> list[int]:
    try:
        return [int(name) for name in os.listdir(directory)]
    except OSError:
        return []


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _started_s(pid: int) -> float:
    """When a process was started, in seconds since the machine was."""
    return int(_stat(pid)[19]) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name: state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
