"""A job on the cluster as the driver sees it: its actors, and the one call of each that is outstanding."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from zoo.execution import worker
from zoo.execution.executors.ray.connection import in_short
from zoo.host import processes
from zoo.storage.record import Record

_PATIENCE_S = 10  # an actor that takes longer to start is waiting for room
_LISTEN_S = 5  # an actor's answer comes at least so often
_DOUBT_S = 60  # an actor that is out of reach for longer is lost
_PAUSE_S = 0.2  # between two attempts to reach it
_PLACEMENTS = 5  # of one attempt, when its actors cannot be started
_END_S = 5  # for an actor to end its training at once

Event = tuple["Attempt", str, Any]


class Member:
    """The actor for one process of an attempt, and the one call of it that is outstanding."""

    def __init__(self, ray: Any, actor: Any):
        self._ray, self.actor = ray, actor
        self.node = self.place = ""  # addresses of its node, and of its process for the others; known once it is there
        self.begun = False
        self._killed_at: float | None = None  # time.monotonic()
        self._doubt_since: float | None = None  # likewise: when its actor was last found out of reach
        self.answer = actor.where.remote()

    def begin(self, job: worker.Job) -> None:
        """Have it start its process."""
        self.answer = self.actor.begin.remote(job)

    def order(self, what: str) -> None:
        """``stop``, ``kill`` or ``dump`` its process; see ``local.Attempt``."""
        self.actor.order.options(concurrency_group="orders").remote(what)

    def kill(self) -> None:
        """End its process; when called again and that was of no avail, the actor too."""
        now = time.monotonic()
        if self._killed_at is None:
            self._killed_at = now
            self.order("kill")
        elif now - self._killed_at > _END_S:
            self._ray.kill(self.actor)

    @property
    def is_spent(self) -> bool:
        """Whether its actor cannot serve another job: it has refused, or is on its way out."""
        return not self.begun or self._killed_at is not None

    def receive(self) -> list[tuple[str, Any]]:
        """What the answer to the outstanding call says; asks the next question."""
        try:
            value = self._ray.get(self.answer)
            self._doubt_since = None
        except self._ray.exceptions.ActorUnavailableError as error:  # a moment later it is known to be lost, or answers
            now = time.monotonic()
            self._doubt_since = self._doubt_since or now
            if not self.begun or now - self._doubt_since > _DOUBT_S:
                return [("gone", self._loss(error))]
            time.sleep(_PAUSE_S)
            self.answer = self.actor.listen.remote(_LISTEN_S)
            return []
        except self._ray.exceptions.RayError as error:
            return [("gone", self._loss(error))]
        if not self.node:
            self.node, self.place = value
            self.answer = None  # it waits for the word to begin
            return [("alive", "")]
        if not self.begun and value:
            return [("failed", value), ("gone", "")]
        events = value if self.begun else [("alive", "")]
        self.begun = True
        if not events or events[-1][0] != "gone":
            self.answer = self.actor.listen.remote(_LISTEN_S)
        return events

    def _loss(self, error: Exception) -> str:
        """How the actor was lost, in words."""
        if isinstance(error, self._ray.exceptions.OutOfMemoryError) or "memory monitor" in str(error):
            return f"Ray ended it because memory was short on node {self.node}"
        if not self.node:
            return f"Ray could not start it: {in_short(error)}"
        alive = {node["NodeManagerAddress"] for node in self._ray.nodes() if node["Alive"]}
        if self.node not in alive:
            return f"its node {self.node} was lost"
        return f"the Ray actor that looked after it on node {self.node} was lost"


class Attempt:
    """One job on the cluster, from the wait for room to the end of its processes, or of their nodes.

    Those that train together begin when there is room for all, and when one is lost the others, which would wait for it for
    ever, are ended.
    """

    def __init__(self, ray: Any, place: Callable[[], tuple[Sequence[Any], Any]], job: worker.Job):
        """``place()`` asks for the actors, and says which placement group they are in, or None."""
        self.job = job
        self._ray, self._place = ray, place
        self._placements = 0
        self._find_room()
        self.all_gone = False
        self._since = time.monotonic()
        self._told = False  # that it waits for room
        self._given_up = False
        self._begun = False
        self._deaths: list[str] = []  # of the processes that were lost, in the order heard
        self._failed = False  # one has said so, or was lost

    def stop(self) -> None:
        """Ask for a checkpoint and an end."""
        self._given_up = not self._begun
        if self._begun:
            for member in self.members:
                member.order("stop")

    def kill(self) -> None:
        """End it at once; to be called again if that is of no avail, and then whatever looks after it is ended, too."""
        self._given_up = not self._begun
        if self._begun:
            for member in self.members:
                member.kill()

    def dump(self) -> None:
        """Have it write into its log where in the code it is."""
        if self._begun:
            for member in self.members:
                member.order("dump")

    def pending(self) -> list[Event]:
        """The beginning of one that has got all its room, signs of life for one that waits for it, and the end of one that
        need not wait any longer."""
        if self._begun:
            return []
        if self._given_up:
            return self._end()
        if all(member.node for member in self.members):
            self._begin()
        elif not self._told and time.monotonic() - self._since > _PATIENCE_S:
            self._told = True
            return [(self, "waiting", "waiting for room on the Ray cluster")]
        return [(self, "alive", "")]

    def receive(self, member: Member) -> list[Event]:
        """What one of its members has to say."""
        events: list[Event] = []
        for kind, value in member.receive():
            if kind != "gone":
                self._failed |= kind in ("failed", "diverged")
                events.append((self, kind, value))
                continue
            if not self._begun and not self._given_up and self._placements < _PLACEMENTS:
                self.give_up_room()  # a node that has just been lost is offered for some seconds more
                self._find_room()
                return [(self, "alive", "")]
            self._deaths += [value] if value else []
            self._failed |= bool(value)
            self.members.remove(member)
            if self._failed:
                for other in self.members:
                    other.kill()
            if not self.members or not self._begun:
                events += self._end()
        return events

    def give_up_room(self) -> None:
        """End the actors that are left, and give back what was kept for them."""
        for member in self.members:
            self._ray.kill(member.actor)
        if self.group is not None:
            self._ray.util.remove_placement_group(self.group)

    def _find_room(self) -> None:
        self._placements += 1
        actors, self.group = self._place()
        self.members = [Member(self._ray, actor) for actor in actors]

    def _begin(self) -> None:
        self._begun = True
        addresses = tuple(member.place for member in self.members)
        for rank, member in enumerate(self.members):
            apart = {"rank": rank, "peers": addresses} if len(addresses) > 1 else {}
            member.begin(dataclasses.replace(_as_seen_by_all(self.job), **apart))

    def _end(self) -> list[Event]:
        self.all_gone = True
        return [(self, "gone", processes.cause(self._deaths))]


def _as_seen_by_all(job: worker.Job) -> worker.Job:
    """The job with absolute paths: a node starts somewhere else."""
    record = Record(job.training.record.directory.absolute())
    return dataclasses.replace(
        job,
        training=dataclasses.replace(job.training, record=record),
        imports=tuple(Path(path).absolute() for path in job.imports),
        data_dir=job.data_dir and job.data_dir.absolute(),
    )
