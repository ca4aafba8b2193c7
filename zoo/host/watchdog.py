"""Processes that stand still: stopped by a signal or a debugger, or waiting for what does not come."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path

STOPPED_S = 60.0  # a process that has been stopped for so long is ended
IDLE_S = 600.0  # and so is one that has computed next to nothing for so long, instead of giving its answer
_BUSY_FRACTION = 0.001  # of one core


def is_dead(pid: int) -> bool:
    """Whether a process has ended, even if nobody has waited for it yet; False where the system does not say."""
    try:
        return _stat(pid)[0] in "ZX"
    except FileNotFoundError:
        return Path("/proc/self/stat").exists()
    except OSError:
        return False


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal or a debugger; False where the system does not say."""
    try:
        return _stat(pid)[0] in "Tt"
    except OSError:
        return False


class Watchdog:
    """Watches processes that are waited for. Their times count only while this one runs, too."""

    def __init__(self) -> None:
        self._seen_at = time.monotonic()
        self._stopped_s: dict[int, float] = {}
        self._idle_s = self._computed_s = 0.0

    def problem(self, pids: Collection[int]) -> str:
        """Why some of them are not to be waited for any longer, or ""; to be asked every second or so."""
        passed_s = self._passed_s()
        if self._have_stopped(pids, passed_s):
            return f"its process was stopped (by SIGSTOP, or a debugger) for {STOPPED_S:.0f} seconds, so it was ended"
        computed_s = sum(_computed_s(pid) for pid in pids)
        self._idle_s += passed_s
        if computed_s - self._computed_s >= _BUSY_FRACTION * self._idle_s:
            self._idle_s, self._computed_s = 0.0, computed_s
        if self._idle_s > IDLE_S and Path("/proc/self/stat").exists():
            return f"its process did nothing for {IDLE_S / 60:.0f} minutes, so it was ended"
        return ""

    def have_stopped(self, pids: Collection[int]) -> bool:
        """Likewise, but they may be idle."""
        return self._have_stopped(pids, self._passed_s())

    def _passed_s(self) -> float:
        before, self._seen_at = self._seen_at, time.monotonic()
        return min(self._seen_at - before, 2.0)  # more: this process was suspended itself

    def _have_stopped(self, pids: Collection[int], passed_s: float) -> bool:
        self._stopped_s = {pid: self._stopped_s.get(pid, 0.0) + passed_s for pid in pids if is_stopped(pid)}
        return any(stopped_s > STOPPED_S for stopped_s in self._stopped_s.values())


def _computed_s(pid: int) -> float:
    try:
        user, system = _stat(pid)[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields after the name of the program, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
