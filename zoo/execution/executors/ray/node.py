"""What runs on a node of the cluster: it looks around, and looks after the processes of one training at a time."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import connection as connections
from pathlib import Path
from typing import Any

from zoo.execution import worker
from zoo.execution.executors import local
from zoo.host import hardware, ports
from zoo.host.resources import Allocation

SAME_EVERYWHERE = ("tensorflow", "tf-keras", "numpy")  # packages whose versions decide the last bits


@dataclass(frozen=True)
class Ground:
    """What every node must have in common with the machine that leads the sweep."""

    directory: Path  # where the command was given; paths in a question and in a user's own files may be relative to it
    marker: Path  # a file in the directory of results
    text: str  # what it holds
    versions: tuple[tuple[str, str], ...]  # of the packages that decide the last bits

    def problem(self, needed: Sequence[Path] = ()) -> str:
        """What is in the way on the machine where this is called, "" when nothing is. ``needed`` are further paths."""
        node = f"node {_own_address()}"
        try:
            found = self.marker.read_text(encoding="utf-8")
        except OSError:
            found = ""
        if found != self.text:
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


class Keeper:
    """The actor on a node: looks after the processes of one training at a time. Its orders come on a thread of their own."""

    def __init__(self, ground: Ground):
        # A process begins with the import of its parent's program, and Ray, which that is here, takes a second or two.
        sys.modules["__main__"].__dict__.pop("__file__", None)
        os.environ.pop("OMP_NUM_THREADS", None)  # Ray's choice; a training computes with the threads of its record
        self._ground = ground
        self._lock = threading.Lock()  # between what is heard and what is ordered
        self._attempt: local.Attempt | None = None
        self._stop_asked = False

    def where(self) -> tuple[str, str]:
        """The address of its node, and one there, host:port, at which nobody listens."""
        node = _own_address()
        return node, ports.free(1, node)[0]

    def begin(self, job: worker.Job) -> str:
        """Start a training, or this node's part of it; returns why it cannot be started, if so."""
        problem = self._ground.problem([*job.imports, *([job.data_dir] if job.data_dir else [])])
        if problem:
            return problem
        os.chdir(self._ground.directory)
        with self._lock:
            if not self._stop_asked:
                self._attempt = local.Attempt(dataclasses.replace(job, threads=hardware.cores()), Allocation())
        return ""

    def listen(self, timeout_s: float) -> list[tuple[str, Any]]:
        """What the training has said since; waits for the first word at most ``timeout_s`` seconds."""
        if self._attempt is None:  # it was stopped before it had begun
            return [("gone", "")]
        found: list[tuple[str, Any]] = []
        for connection in connections.wait(list(self._attempt.open), timeout_s):
            with self._lock:
                if connection in self._attempt.open:
                    found += [(kind, value) for _, kind, value in self._attempt.receive(connection)]
        if found and found[-1][0] == "gone":
            self._attempt, self._stop_asked = None, False
        return found

    def order(self, what: str) -> None:
        """``stop``, ``kill`` or ``dump`` the training; see ``local.Attempt``."""
        with self._lock:
            if self._attempt is not None:
                getattr(self._attempt, what)()
            elif what != "dump":
                self._stop_asked = True


def _own_address() -> str:
    """The address of the node that this process runs on."""
    import ray

    return ray.util.get_node_ip_address()


def _not_shared(node: str, path: Path) -> str:
    return f"{node} does not see {path}: a sweep on a cluster needs a directory that all nodes share at the same path"


def versions() -> tuple[tuple[str, str], ...]:
    """Package -> version, "" for one that is not there."""
    return tuple((name, _version(name)) for name in SAME_EVERYWHERE)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
