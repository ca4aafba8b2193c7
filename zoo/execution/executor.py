"""A job, what an executor does with it, and how an executor is made. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from zoo.execution.messages import Message
from zoo.host.resources import Allocation
from zoo.plan.runs import Training

WHOLE_MACHINE = Allocation()


@dataclass(frozen=True)
class Job:
    """What a worker is given to do: a training with what its process needs to know beside it."""

    training: Training
    question: str
    imports: Sequence[Path]
    data_dir: Path | None
    code: dict[str, str]  # git commit, state and checksum of the code
    threads: int = 0  # of TensorFlow's pool when this training begins; 0: as many as there are cores
    allocation: Allocation = WHOLE_MACHINE  # cores and GPUs that its process may use; without any: all
    rank: int = 0  # of this process among those that train this together
    peers: tuple[str, ...] = ()  # their addresses, host:port, by rank; empty when it trains alone


class ExecutorError(Exception):
    """Trainings cannot run as asked; the message says why and what to do."""


class Attempt(Protocol):
    """One job that an executor has started."""

    @property
    def job(self) -> Job: ...
    def stop(self) -> None: ...  # requests a checkpoint and an end
    def kill(self) -> None: ...  # ends it at once; may be called again
    def dump(self) -> None: ...  # has it write into its log where in the code it is


class Event(NamedTuple):
    """A message from an attempt; the last one of each is ``Exited``."""

    attempt: Attempt
    message: Message


class Executor(Protocol):
    """Where trainings run."""

    @property
    def slots(self) -> int: ...  # how many trainings at once
    def start(self, job: Job) -> Attempt: ...
    def reduce_slots(self) -> bool: ...  # one fewer at once from now on; False when there is only one
    def events(self, timeout_s: float) -> list[Event]: ...  # the new ones; waits at most so long for the first
    def close(self) -> None: ...  # ends what still runs, at once


@dataclass(frozen=True)
class ExecutorOptions:
    """What the command line says about where trainings run."""

    at_once: int  # trainings
    jobs: int | None  # likewise, where the person gave a number
    gpus_per_run: int | None
    address: str | None  # of a cluster
    runs_dir: Path
    workers: int = 1  # the most processes that one training takes


@dataclass(frozen=True)
class ExecutorEntry:
    """How an executor is made. ``create`` and ``check`` raise ExecutorError, or AllocationError where the machine is too
    small.
    """

    create: Callable[[ExecutorOptions], Executor]
    check: Callable[[ExecutorOptions], object] = lambda options: (
        None
    )  # called before anything is timed for the forecast
    open_ports: Callable[[ExecutorOptions], str] = lambda options: (
        ""
    )  # what other machines can connect to once it is made, in a sentence; "" where they cannot
