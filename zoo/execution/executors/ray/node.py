"""What runs on a node of the cluster: the check of what it has, and the agent that starts the processes of a training."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection, wait
from pathlib import Path

from zoo.execution.executor import Job
from zoo.execution.executors.local import LocalAttempt
from zoo.execution.messages import Exited, Message
from zoo.host import hardware, ports
from zoo.host.resources import Allocation

SAME_EVERYWHERE = ("tensorflow", "tf-keras", "numpy")  # packages whose versions decide the last bits


class Order(StrEnum):
    """What an attempt can be ordered to do; see ``LocalAttempt``."""

    STOP = "stop"
    KILL = "kill"
    DUMP = "dump"


@dataclass(frozen=True)
class NodeRequirements:
    """What every node must have in common with the machine that runs the sweep."""

    directory: Path  # where the command was given; paths in a question and in a user's own files may be relative to it
    marker: Path  # a file in the directory of results
    text: str  # its contents
    versions: tuple[tuple[str, str], ...]  # of the packages that decide the last bits

    def problem(self, needed: Sequence[Path] = ()) -> str:
        """Why the machine where this is called cannot train, "" when it can. ``needed`` are further paths."""
        node = f"node {_own_address()}"
        try:
            text = self.marker.read_text(encoding="utf-8")
        except OSError:
            text = ""
        if text != self.text:
            return _not_shared(node, self.marker.parent)
        missing = next((path for path in needed if not path.exists()), None)
        if missing:
            return _not_shared(node, missing)
        for (name, ours), (_, theirs) in zip(self.versions, versions(), strict=True):
            if ours != theirs:
                has = f"{name} {theirs}" if theirs else f"no {name}"
                return (
                    f"{node} has {has}, and the machine that leads the sweep has {ours}: results compare only when "
                    "all nodes have the same versions; install the same there, or take the node out of the cluster"
                )
        return ""


class NodeAgent:
    """The actor on a node: runs the processes of one training at a time. Orders come on a thread of their own."""

    def __init__(self, requirements: NodeRequirements):
        # A process begins with the import of its parent's program, and Ray, which that is here, takes a second or two.
        sys.modules["__main__"].__dict__.pop("__file__", None)
        os.environ.pop("OMP_NUM_THREADS", None)  # Ray's choice; a training computes with the threads of its record
        self._requirements = requirements
        self._lock = threading.Lock()  # between messages and orders
        self._attempt: LocalAttempt | None = None
        self._is_stop_requested = False

    def addresses(self) -> tuple[str, str]:
        """The address of its node, and one there, host:port, at which nothing listens."""
        node = _own_address()
        return node, ports.free(1, node)[0]

    def begin(self, job: Job) -> str:
        """Start a training, or this node's part of it; returns why it cannot be started, if so."""
        problem = self._requirements.problem([*job.imports, *([job.data_dir] if job.data_dir else [])])
        if problem:
            return problem
        os.chdir(self._requirements.directory)
        with self._lock:
            if not self._is_stop_requested:
                self._attempt = LocalAttempt(dataclasses.replace(job, threads=hardware.cores()), Allocation())
        return ""

    def messages(self, timeout_s: float) -> list[Message]:
        """What the training has sent since; waits at most ``timeout_s`` seconds for the first message."""
        if self._attempt is None:  # it was stopped before it had begun
            return [Exited()]
        messages: list[Message] = []
        for connection in wait(list(self._attempt.connections), timeout_s):
            assert isinstance(connection, Connection)
            with self._lock:
                if connection in self._attempt.connections:
                    messages += self._attempt.receive(connection)
        if messages and isinstance(messages[-1], Exited):
            self._attempt, self._is_stop_requested = None, False
        return messages

    def order(self, order: Order) -> None:
        """Have the training do it, or not begin."""
        with self._lock:
            match self._attempt, order:
                case None, Order.STOP | Order.KILL:
                    self._is_stop_requested = True
                case LocalAttempt() as attempt, Order.STOP:
                    attempt.stop()
                case LocalAttempt() as attempt, Order.KILL:
                    attempt.kill()
                case LocalAttempt() as attempt, Order.DUMP:
                    attempt.dump()


def _own_address() -> str:
    """The address of the node that this process runs on."""
    import ray

    address: str = ray.util.get_node_ip_address()
    return address


def _not_shared(node: str, path: Path) -> str:
    return f"{node} does not see {path}: a sweep on a cluster needs a directory that all nodes share at the same path"


def versions() -> tuple[tuple[str, str], ...]:
    """Package -> version, "" for one that is not installed."""
    return tuple((name, _version(name)) for name in SAME_EVERYWHERE)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
