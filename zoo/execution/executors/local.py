"""The executor for this machine: each training in a process of its own (several, for one over several workers)."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from zoo.execution import worker
from zoo.execution.executor import Event, ExecutorEntry, ExecutorOptions, Job
from zoo.execution.messages import Exited, Failed, Finished, Message, Result, Stopped
from zoo.host import hardware, ports, processes, watchdog
from zoo.host.exits import ProcessExit, root_cause
from zoo.host.resources import Allocation, allocate

_EXIT_S = 10  # between a process's result and its end; TensorFlow's own cleanup can hang


class LocalAttempt:
    """One job's processes on this machine, from their start to the end of the last of them.

    A job that knows its peers is one of several that train together, elsewhere too, and is one process here.
    """

    def __init__(self, job: Job, allocation: Allocation):
        self.job, self.allocation = job, allocation
        self._memory_kills = _memory_kills()
        self._results: dict[int, Result] = {}  # rank -> its last message
        self._killed: set[int] = set()  # ranks whose processes were killed from here
        self._exits: list[
            ProcessExit
        ] = []  # of the processes that ended on their own without a result, as they came in
        workers = job.training.config.workers
        addresses = job.peers or (ports.free(workers) if workers > 1 else ())
        self._processes: dict[int, BaseProcess] = {}  # by rank
        self._open: dict[Connection, int] = {}  # connection -> rank, of the processes that are there
        for rank in (job.rank,) if job.peers else range(workers):
            own = dataclasses.replace(job, allocation=allocation, rank=rank, peers=addresses)
            self._processes[rank], connection = processes.start_connected(worker.run, own)
            self._open[connection] = rank

    @property
    def connections(self) -> Sequence[Connection]:
        """Those of the processes that are there."""
        return tuple(self._open)

    def stop(self) -> None:
        """Request a checkpoint and an end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        for rank in self._open.values():
            process = self._processes[rank]
            if process.exitcode is None and process.pid is not None and not watchdog.is_dead(process.pid):
                self._killed.add(rank)  # any other died on its own: it may be the cause
                _send(process, signal.SIGKILL)

    def dump(self) -> None:
        """Have it write into its log where in the code it is."""
        self._signal(worker.DUMP_SIGNAL)

    def receive(self, connection: Connection) -> list[Message]:
        """What has come over one of its connections; the last message of an attempt is ``Exited``."""
        rank = self._open[connection]
        messages: list[Message] = []
        try:
            while connection.poll():
                message = connection.recv()
                if isinstance(message, Finished | Stopped | Failed):
                    self._results[rank] = message
                if rank == 0 or isinstance(message, Failed):
                    messages.append(message)
        except (EOFError, OSError):
            self._closed(connection, rank)
            if not self._open:
                messages.append(Exited(root_cause(self._exits)))
        return messages

    def close(self) -> None:
        """End what is left of it."""
        self.kill()
        for process in self._processes.values():
            processes.end(process)
        for connection in self._open:
            connection.close()

    def _closed(self, connection: Connection, rank: int) -> None:
        """A process has closed its end: note how it ended, and end the others, which would wait for it for ever."""
        process = self._processes[rank]
        process.join(_EXIT_S)
        if process.exitcode is None:
            _send(process, signal.SIGKILL)
            process.join()
        processes.ended(process)
        connection.close()
        del self._open[connection]
        if rank not in self._results and rank not in self._killed:
            out_of_memory = process.exitcode == -signal.SIGKILL and _memory_kills() > self._memory_kills
            self._exits.append(ProcessExit(process.exitcode, out_of_memory))
        if not isinstance(self._results.get(rank), Finished | Stopped):
            self.kill()

    def _signal(self, number: int) -> None:
        for rank in self._open.values():
            _send(self._processes[rank], number)


class LocalExecutor:
    """Runs as many trainings at once as there are ``allocations`` of the machine."""

    def __init__(self, allocations: Sequence[Allocation]):
        self._free = list(allocations)
        self._running: list[LocalAttempt] = []
        self._surplus = 0  # allocations to be given up as soon as they are free

    @property
    def slots(self) -> int:
        """How many trainings run at once."""
        return len(self._free) + len(self._running) - self._surplus

    def start(self, job: Job) -> LocalAttempt:
        """Start a job with a free allocation."""
        attempt = LocalAttempt(job, self._free.pop(0))
        self._running.append(attempt)
        return attempt

    def reduce_slots(self) -> bool:
        """Run one training fewer at once from now on; False when there is only one."""
        if self.slots <= 1:
            return False
        if self._free:
            self._free.pop()
        else:
            self._surplus += 1
        return True

    def events(self, timeout_s: float) -> list[Event]:
        """What the attempts have sent since; waits at most ``timeout_s`` seconds for the first message."""
        attempts = {connection: attempt for attempt in self._running for connection in attempt.connections}
        events: list[Event] = []
        for connection in wait(list(attempts), timeout_s):
            assert isinstance(connection, Connection)
            attempt = attempts[connection]
            if connection in attempt.connections:
                events += [Event(attempt, message) for message in attempt.receive(connection)]
        for attempt in [attempt for attempt in self._running if not attempt.connections]:
            self._running.remove(attempt)
            if self._surplus:
                self._surplus -= 1
            else:
                self._free.append(attempt.allocation)
        return events

    def close(self) -> None:
        """End what still runs, at once."""
        for attempt in self._running:
            attempt.close()
        self._running.clear()


def _allocations(options: ExecutorOptions) -> list[Allocation]:
    gpus = [gpu.address for gpu in hardware.gpus()]
    return allocate(options.at_once, hardware.core_numbers(), gpus, options.gpus_per_run)


def _send(process: BaseProcess, number: int) -> None:
    assert process.pid is not None, "it has been started"
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)


def _memory_kills() -> int:
    """How many processes the kernel has ended on this machine for want of memory; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _open_ports(options: ExecutorOptions) -> str:
    if options.workers == 1 or ports.CAN_REFUSE_OTHERS:
        return ""
    return (
        f"the {options.workers} processes of a training listen on all network interfaces of this machine and accept any "
        "connection, which TensorFlow cannot be told not to do: keep it in a network that you trust"
    )


EXECUTOR = ExecutorEntry(
    create=lambda options: LocalExecutor(_allocations(options)), check=_allocations, open_ports=_open_ports
)
