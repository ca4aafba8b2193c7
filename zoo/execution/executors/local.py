"""The executor for this machine: each training in a process of its own (several, for one over several workers)."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections.abc import Sequence
from multiprocessing import connection as connections
from pathlib import Path
from typing import Any

from zoo.execution import worker
from zoo.host import ports, processes
from zoo.host.resources import Allocation

_LAST_WORDS = ("done", "stopped", "diverged", "failed")
_FAREWELL_S = 10  # between a process's last word and its end; TensorFlow's own clearing away can hang

Event = tuple["Attempt", str, Any]


class Attempt:
    """One job's processes on this machine, from their start to the end of the last of them.

    A job that knows its peers is one of several that train together, elsewhere too, and is one process here.
    """

    def __init__(self, job: worker.Job, share: Allocation):
        self.job, self.share = job, share
        self._memory_kills = _memory_kills()
        self._last_words: dict[int, str] = {}  # rank -> what it said at its end
        self._ended_here: set[int] = set()  # ranks whose processes were killed from here
        self._deaths: list[str] = []  # of the processes that ended on their own without a last word, in the order heard
        workers = job.training.config.workers
        addresses = job.peers or (ports.free(workers) if workers > 1 else ())
        self._processes: dict[int, Any] = {}  # by rank
        self.open: dict[Any, int] = {}  # connection -> rank, of the processes that are there
        for rank in (job.rank,) if job.peers else range(workers):
            own = dataclasses.replace(job, cores=share.cores, gpus=share.gpus, rank=rank, peers=addresses)
            self._processes[rank], ours = processes.start_connected(worker.run, own)
            self.open[ours] = rank

    def stop(self) -> None:
        """Ask for a checkpoint and an end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        for rank in self.open.values():
            process = self._processes[rank]
            if process.exitcode is None and not processes.is_dead(
                process.pid
            ):  # else it died on its own: maybe the cause
                self._ended_here.add(rank)
                _send(process, signal.SIGKILL)

    def dump(self) -> None:
        """Have it write into its log where in the code it is."""
        self._signal(worker.DUMP_SIGNAL)

    def receive(self, connection: Any) -> list[Event]:
        """What has come over one of its connections; the last event of an attempt is ("gone", how it died or "")."""
        rank = self.open[connection]
        events: list[Event] = []
        try:
            while connection.poll():
                kind, value = connection.recv()
                if kind in _LAST_WORDS:
                    self._last_words[rank] = kind
                if rank == 0 or kind in ("diverged", "failed"):
                    events.append((self, kind, value))
        except (EOFError, OSError):
            self._lost(connection, rank)
            if not self.open:
                events.append((self, "gone", processes.cause(self._deaths)))
        return events

    def close(self) -> None:
        """End what is left of it."""
        self.kill()
        for process in self._processes.values():
            process.join()
        for connection in self.open:
            connection.close()

    def _lost(self, connection: Any, rank: int) -> None:
        """A process has closed its end: note how it ended, and end the others, which would wait for it for ever."""
        process = self._processes[rank]
        process.join(_FAREWELL_S)
        if process.exitcode is None:
            _send(process, signal.SIGKILL)
            process.join()
        connection.close()
        del self.open[connection]
        if rank not in self._last_words and rank not in self._ended_here:
            out_of_memory = process.exitcode == -signal.SIGKILL and _memory_kills() > self._memory_kills
            self._deaths.append(processes.death(process.exitcode, out_of_memory))
        if self._last_words.get(rank) not in ("done", "stopped"):
            self.kill()

    def _signal(self, number: int) -> None:
        for rank in self.open.values():
            _send(self._processes[rank], number)


class Local:
    """Runs as many trainings at once as there are ``shares`` of the machine."""

    def __init__(self, shares: Sequence[Allocation]):
        self._free = list(shares)
        self._running: list[Attempt] = []
        self._surplus = 0  # shares to be given up as soon as they are free

    @property
    def slots(self) -> int:
        """How many trainings run at once."""
        return len(self._free) + len(self._running) - self._surplus

    def start(self, job: worker.Job) -> Attempt:
        """Start a job in a free share."""
        attempt = Attempt(job, self._free.pop(0))
        self._running.append(attempt)
        return attempt

    def narrow(self) -> bool:
        """Run one training fewer at once from now on; False when there is only one."""
        if self.slots <= 1:
            return False
        if self._free:
            self._free.pop()
        else:
            self._surplus += 1
        return True

    def events(self, timeout_s: float) -> list[Event]:
        """What the attempts have said since; waits for the first word at most ``timeout_s`` seconds."""
        places = {connection: attempt for attempt in self._running for connection in attempt.open}
        found: list[Event] = []
        for connection in connections.wait(list(places), timeout_s):
            if connection in places[connection].open:
                found += places[connection].receive(connection)
        for attempt in [attempt for attempt, kind, _ in found if kind == "gone"]:
            self._running.remove(attempt)
            if self._surplus:
                self._surplus -= 1
            else:
                self._free.append(attempt.share)
        return found

    def close(self) -> None:
        """End what still runs, at once."""
        for attempt in self._running:
            attempt.close()
        self._running.clear()


def _send(process: Any, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)


def _memory_kills() -> int:
    """How many processes the kernel has ended on this machine because memory was short; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
