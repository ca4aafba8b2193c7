"""Peak memory of a sweep's processes: tuto with its averages on CIFAR-10 at batch 128, as ``run_sweep.py`` does it.

Resident memory counts pages that several processes share once for each of them: a worker is forked from a server that has
imported TensorFlow, and the data set is a file that is mapped. The proportional set size divides such pages by the
number of processes that have them, so the sum over processes is what the machine must have.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import watched_sweep
from benchmarks.watched_sweep import DRIVER, WORKER, Seen
from zoo.data import cache
from zoo.text.wording import table

TARGETS_BYTES = {WORKER: 1_200_000_000, DRIVER: 250_000_000}
TRAINING_DRIVER = "driver until the last training ended"  # the report, which comes then, has libraries of its own
_QUESTION = """\
question: How much memory does a training take?
base: {{model: tuto, data: cifar10, batch: 128, steps: {steps}, evaluate_every: {half}}}
seeds: 1
"""
_PEAKS_EVERY_S, _SHARES_EVERY_S = 0.1, 1.0  # the kernel keeps the peak itself; walking all pages takes it a moment


def measure(steps: int = 600) -> dict[str, Any]:
    """Run it in an empty directory, with two evaluations; bytes by role, the largest over the processes of that role."""
    if not cache.present("cifar10"):
        raise SystemExit("CIFAR-10 is not in the cache: `python -m zoo.data fetch cifar10` gets it")
    peaks: dict[str, dict[str, int]] = {}
    shares_due = 0.0

    def look(processes: Mapping[int, Seen]) -> None:
        nonlocal shares_due
        with_shares = time.monotonic() >= shares_due
        if with_shares:
            shares_due = time.monotonic() + _SHARES_EVERY_S
        together, trains = 0, any(seen.role == WORKER for seen in processes.values())
        for pid, seen in processes.items():
            sizes = status_bytes(pid, "status", {"VmHWM": "resident"})
            if with_shares:
                sizes |= status_bytes(pid, "smaps_rollup", {"Pss": "proportional", "Pss_Anon": "own"})
                together += sizes.get("proportional", 0)
            for role in (seen.role, TRAINING_DRIVER) if seen.role == DRIVER and trains else (seen.role,):
                of_role = peaks.setdefault(role, {})
                for name, value in sizes.items():
                    of_role[name] = max(value, of_role.get(name, 0))
        if with_shares:
            all_of_it = peaks.setdefault("all together", {})
            all_of_it["proportional"] = max(together, all_of_it.get("proportional", 0))

    with tempfile.TemporaryDirectory() as directory:
        question = _QUESTION.format(steps=steps, half=steps // 2)
        ended = watched_sweep.run(Path(directory), question, look, every_s=_PEAKS_EVERY_S)
    return {"steps": steps, "wall_s": ended.wall_s, "peaks_bytes": peaks}


def status_bytes(pid: int, name: str, wanted: Mapping[str, str]) -> dict[str, int]:
    """Fields of ``/proc/PID/<name>`` under other names, in bytes; none of a process that has ended."""
    try:
        text = Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8")
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {ours: 1024 * int(fields[theirs].split()[0]) for theirs, ours in wanted.items() if theirs in fields}


def text(results: dict[str, Any]) -> str:
    """The result for a person."""

    def cell(value: int | None) -> str:
        return "" if value is None else f"{value / 1e6:,.0f}"

    names = ("resident", "proportional", "own")
    rows = [
        (role, *(cell(peaks.get(name)) for name in names), cell(TARGETS_BYTES.get(role)), _verdict(role, peaks))
        for role, peaks in results["peaks_bytes"].items()
        if peaks  # else it ended before it could be looked at
    ]
    heads = ("peak memory, MB", *names, "target", "")
    return f"{table(heads, rows, left=1)}\nresident: VmHWM; proportional: shared pages divided; own: of that not from files"


def _verdict(role: str, peaks: Mapping[str, int]) -> str:
    if role not in TARGETS_BYTES:
        return ""
    return "within" if peaks["resident"] <= TARGETS_BYTES[role] else "ABOVE"
