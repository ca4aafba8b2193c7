"""A job on the cluster as the driver sees it: its actors, and the one call of each that is outstanding."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.execution.executor import Job
from zoo.execution.executors.ray.connection import summary_of
from zoo.execution.executors.ray.node import Order
from zoo.execution.messages import Exited, Failed, Heartbeat, Message, Waiting
from zoo.host.exits import ExitReason, root_cause
from zoo.storage.record import Record
from zoo.storage.states import FailureKind

PLACEMENT_S = 10  # an actor that takes longer to start is waiting for resources
_MESSAGES_S = 5  # an actor's answer comes at least so often
_UNAVAILABLE_S = 60  # an actor that is out of reach for longer is lost
_PAUSE_S = 0.2  # between two attempts to reach it
_PLACEMENTS = 5  # of one attempt, when its actors cannot be started
_KILL_S = 5  # for an actor to end its training at once


@dataclass(frozen=True)
class ActorLoss:
    """Why a process is gone whose actor was lost."""

    text: str
    out_of_memory: bool = False
    is_abort: bool = False


class Member:
    """The actor for one process of an attempt, and the one call of it that is outstanding."""

    def __init__(self, ray: Any, actor: Any):
        self._ray, self.actor = ray, actor
        self.node = self.address = ""  # of its node, and of its process for the others; known once it is there
        self.has_begun = False
        self._killed_at: float | None = None  # time.monotonic()
        self._unavailable_since: float | None = None  # likewise
        self.answer = actor.addresses.remote()

    def begin(self, job: Job) -> None:
        """Have it start its process."""
        self.answer = self.actor.begin.remote(job)

    def order(self, order: Order) -> None:
        self.actor.order.options(concurrency_group="orders").remote(order)

    def kill(self) -> None:
        """End its process; when called again and that has not helped, the actor too."""
        now = time.monotonic()
        if self._killed_at is None:
            self._killed_at = now
            self.order(Order.KILL)
        elif now - self._killed_at > _KILL_S:
            self._ray.kill(self.actor)

    @property
    def is_spent(self) -> bool:
        """Whether its actor cannot serve another job: it has refused, or is on its way out."""
        return not self.has_begun or self._killed_at is not None

    def receive(self) -> list[Message]:
        """What the answer to the outstanding call says; makes the next call."""
        try:
            value = self._ray.get(self.answer)
            self._unavailable_since = None
        except self._ray.exceptions.ActorUnavailableError as error:  # a moment later it is known to be lost, or answers
            now = time.monotonic()
            self._unavailable_since = self._unavailable_since or now
            if not self.has_begun or now - self._unavailable_since > _UNAVAILABLE_S:
                return [Exited(self._loss(error))]
            time.sleep(_PAUSE_S)
            self._request_messages()
            return []
        except self._ray.exceptions.RayError as error:
            return [Exited(self._loss(error))]
        if not self.node:
            self.node, self.address = value
            self.answer = None  # until it is told to begin
            return [Heartbeat()]
        if not self.has_begun:
            if value:
                return [Failed(FailureKind.ERROR, value), Exited()]
            self.has_begun = True
            self._request_messages()
            return [Heartbeat()]
        messages: list[Message] = value
        if not messages or not isinstance(messages[-1], Exited):
            self._request_messages()
        return messages

    def _request_messages(self) -> None:
        self.answer = self.actor.messages.remote(_MESSAGES_S)

    def _loss(self, error: Exception) -> ActorLoss:
        # Of an actor that its memory monitor has ended Ray says so only in the message of a general error.
        if isinstance(error, self._ray.exceptions.OutOfMemoryError) or "memory monitor" in str(error):
            return ActorLoss(f"Ray ended it because memory was short on node {self.node}", out_of_memory=True)
        if not self.node:
            return ActorLoss(f"Ray could not start it: {summary_of(error)}")
        alive = {node["NodeManagerAddress"] for node in self._ray.nodes() if node["Alive"]}
        if self.node not in alive:
            return ActorLoss(f"its node {self.node} was lost")
        return ActorLoss(f"the Ray actor that ran it on node {self.node} was lost")


class RayAttempt:
    """One job on the cluster, from the wait for resources to the end of its processes, or of their nodes.

    Those that train together begin when there are resources for all, and when one is lost the others, which would wait for
    it for ever, are ended.
    """

    def __init__(self, ray: Any, place: Callable[[], tuple[Sequence[Any], Any]], job: Job):
        """``place()`` requests the actors, and returns them with their placement group, or None."""
        self.job = job
        self._ray, self._place = ray, place
        self._placements = 0
        self._request_actors()
        self.has_ended = False
        self._since = time.monotonic()
        self._reported_waiting = False
        self._cancelled = False
        self._has_begun = False
        self._losses: list[ExitReason] = []  # of the processes that were lost, as they came in
        self._failed = False  # one has reported it, or was lost

    def stop(self) -> None:
        """Request a checkpoint and an end."""
        self._cancelled = not self._has_begun
        if self._has_begun:
            for member in self.members:
                member.order(Order.STOP)

    def kill(self) -> None:
        """End it at once; when called again and that has not helped, its actors are ended, too."""
        self._cancelled = not self._has_begun
        if self._has_begun:
            for member in self.members:
                member.kill()

    def dump(self) -> None:
        """Have it write into its log where in the code it is."""
        if self._has_begun:
            for member in self.members:
                member.order(Order.DUMP)

    def poll(self) -> list[Message]:
        """Of one that has not begun: begin it when all its actors are there; a heartbeat while it waits; its end when it
        was cancelled."""
        if self._has_begun:
            return []
        if self._cancelled:
            return self._end()
        if all(member.node for member in self.members):
            self._begin()
        elif not self._reported_waiting and time.monotonic() - self._since > PLACEMENT_S:
            self._reported_waiting = True
            return [Waiting("waiting for resources on the Ray cluster")]
        return [Heartbeat()]

    def receive(self, member: Member) -> list[Message]:
        """The answer of one of its members."""
        messages: list[Message] = []
        for message in member.receive():
            if not isinstance(message, Exited):
                self._failed |= isinstance(message, Failed)
                messages.append(message)
                continue
            if not self._has_begun and not self._cancelled and self._placements < _PLACEMENTS:
                self.release()  # a node that has just been lost is offered for some seconds more
                self._request_actors()
                return [Heartbeat()]
            if message.reason is not None:
                self._losses.append(message.reason)
                self._failed = True
            self.members.remove(member)
            if self._failed:
                for other in self.members:
                    other.kill()
            if not self.members or not self._has_begun:
                messages += self._end()
        return messages

    def release(self) -> None:
        """End the actors that are left, and give back what was kept for them."""
        for member in self.members:
            self._ray.kill(member.actor)
        if self.group is not None:
            self._ray.util.remove_placement_group(self.group)

    def _request_actors(self) -> None:
        self._placements += 1
        actors, self.group = self._place()
        self.members = [Member(self._ray, actor) for actor in actors]

    def _begin(self) -> None:
        self._has_begun = True
        addresses = tuple(member.address for member in self.members)
        job = _with_absolute_paths(self.job)
        for rank, member in enumerate(self.members):
            member.begin(dataclasses.replace(job, rank=rank, peers=addresses) if len(addresses) > 1 else job)

    def _end(self) -> list[Message]:
        self.has_ended = True
        return [Exited(root_cause(self._losses))]


def _with_absolute_paths(job: Job) -> Job:
    """A node starts in another directory."""
    record = Record(job.training.record.directory.absolute())
    return dataclasses.replace(
        job,
        training=dataclasses.replace(job.training, record=record),
        imports=tuple(Path(path).absolute() for path in job.imports),
        data_dir=job.data_dir and job.data_dir.absolute(),
    )
