"""The executor for a Ray cluster: each training in a process of its own on some node, looked after by a Ray actor there.

One that several workers do together (``strategy: multi_worker``) has its processes on several nodes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.execution import worker
from zoo.execution.executors.ray.attempts import Attempt, Event, Member
from zoo.execution.executors.ray.connection import ClusterError, in_short, joined
from zoo.execution.executors.ray.node import Ground, Keeper, versions
from zoo.storage.atomic import write_atomically

__all__ = ["Cluster", "ClusterError", "connect", "shares"]

_EXAMINE_S = 60  # for every node to start a process and look around
_CLOSE_S = 5  # for the nodes to end what still runs
_SCRAP = 0.001  # of a CPU, for what is to have no CPU of its own: a place without anything is none


def connect(
    address: str | None, jobs: int | None, gpus_per_run: int | None, runs_dir: Path, workers: int = 1
) -> Cluster:
    """The cluster at ``address``, ready to train, its results in ``runs_dir``. Raises ClusterError.

    Without ``jobs`` each node trains one at a time, or as many as ``gpus_per_run`` allows. Each training is done by
    ``workers`` processes.
    """
    ray = joined(address)
    marker = runs_dir.absolute() / f".cluster-{secrets.token_hex(8)}"
    ground = Ground(Path.cwd(), marker, secrets.token_hex(16), versions())
    try:
        write_atomically(marker, lambda file: file.write(ground.text.encode()))
        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        if not nodes:
            raise ClusterError("no node of the Ray cluster has a CPU to train on")
        places = [(int(node["Resources"]["CPU"]), int(node["Resources"].get("GPU", 0))) for node in nodes]
        slots, cpus, gpus = shares(places, jobs, gpus_per_run, workers)
        _examine(ray, ground, nodes)
    except BaseException:
        ray.shutdown()
        marker.unlink(missing_ok=True)
        raise
    return Cluster(ray, ground, slots, cpus, gpus)


class Cluster:
    """Runs ``slots`` trainings at once on a Ray cluster, each process of one with ``cpus`` and ``gpus`` of a node."""

    def __init__(self, ray: Any, ground: Ground, slots: int, cpus: int, gpus: int):
        self._ray, self._ground, self._slots = ray, ground, slots
        self._actor_class = ray.remote(
            num_cpus=cpus,
            num_gpus=gpus,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"orders": 1},
            scheduling_strategy="SPREAD",
        )(Keeper)
        self._room = {"CPU": cpus or _SCRAP} | ({"GPU": gpus} if gpus else {})  # of one process
        self._running: list[Attempt] = []
        self._spare: list[Any] = []  # actors whose training has just ended; the next one starts sooner with them

    @property
    def slots(self) -> int:
        """How many trainings run at once."""
        return self._slots

    def start(self, job: worker.Job) -> Attempt:
        """Start a job on a node with room for it, several processes of one on several, or wait for room."""
        workers = job.training.config.workers
        attempt = Attempt(self._ray, lambda: self._place(workers), job)
        self._running.append(attempt)
        return attempt

    def narrow(self) -> bool:
        """Run one training fewer at once from now on; False when there is only one."""
        if self._slots <= 1:
            return False
        self._slots -= 1
        return True

    def events(self, timeout_s: float) -> list[Event]:
        """What the attempts have said since; waits for the first word at most ``timeout_s`` seconds."""
        for actor in self._spare:  # nothing was started with it meanwhile, and others may wait for its room
            self._ray.kill(actor)
        self._spare.clear()
        places = {member.answer: (attempt, member) for attempt in self._running for member in attempt.members}
        places.pop(None, None)
        if not places:
            time.sleep(timeout_s)
        else:
            self._ray.wait(list(places), timeout=timeout_s)
        ready = self._ray.wait(list(places), num_returns=len(places), timeout=0)[0] if places else []
        found: list[Event] = []
        for answer in ready:
            attempt, member = places[answer]
            if member in attempt.members:  # it may have been replaced a moment ago
                found += attempt.receive(member)
                if member not in attempt.members:
                    self._let_go(attempt, member)
        for attempt in self._running:
            if not attempt.all_gone:
                found += attempt.pending()
        for attempt in [attempt for attempt in self._running if attempt.all_gone]:
            self._running.remove(attempt)
            attempt.give_up_room()
        return found

    def close(self) -> None:
        """End what still runs, at once, and leave the cluster."""
        for attempt in self._running:
            attempt.kill()
        deadline = time.monotonic() + _CLOSE_S
        while self._running and time.monotonic() < deadline:
            self.events(0.2)
        for attempt in self._running:
            for member in attempt.members:
                self._ray.kill(member.actor)
        self._running.clear()
        self._ray.shutdown()
        self._ground.marker.unlink(missing_ok=True)

    def _place(self, workers: int) -> tuple[Sequence[Any], Any]:
        """Actors for so many processes, on different nodes if possible, and the placement group of several."""
        if workers == 1:
            return [self._spare.pop() if self._spare else self._actor_class.remote(self._ground)], None
        group = self._ray.util.placement_group([self._room] * workers, strategy="SPREAD")
        inside = self._ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
        actors = []
        for rank in range(workers):
            strategy = inside(placement_group=group, placement_group_bundle_index=rank)
            actors.append(self._actor_class.options(scheduling_strategy=strategy).remote(self._ground))
        return actors, group

    def _let_go(self, attempt: Attempt, member: Member) -> None:
        """Keep the actor of a process that has ended for the next job, if it can serve one, or end it."""
        others = sum(not other.all_gone for other in self._running) + len(self._spare)
        if attempt.group is not None or member.is_spent or others >= self._slots:
            self._ray.kill(member.actor)
        else:
            self._spare.append(member.actor)


def shares(
    nodes: Sequence[tuple[int, int]], jobs: int | None, gpus_per_run: int | None, workers: int = 1
) -> tuple[int, int, int]:
    """How many trainings at once, and the CPUs and GPUs of each process, on ``nodes`` with so many CPUs and GPUs.

    As many CPUs as leave room for all of them at once; none where there are more processes than CPUs. Where there are
    GPUs, only nodes with GPUs train. A training takes ``workers`` processes, each with ``gpus_per_run``. Raises
    ClusterError when there are too few.
    """
    usable = [node for node in nodes if node[1]] or list(nodes)
    cpus, gpus = zip(*usable, strict=True)
    room = sum(count // gpus_per_run for count in gpus) if gpus_per_run else len(usable)
    slots = jobs or max(1, room // workers)
    wanted = slots * workers
    each = gpus_per_run or (max(1, _each(gpus, wanted)) if any(gpus) else 0)
    if not each:
        return slots, _each(cpus, wanted), 0
    places = [count // each for count in gpus]
    if sum(places) < wanted:
        what = "run" if workers == 1 else "process"
        asked = f"{wanted} {what if wanted == 1 else {'run': 'runs', 'process': 'processes'}[what]}"
        asked += f" of {each} GPU{'s' if each > 1 else ''} each"
        raise ClusterError(f"{asked} at once: the nodes of the Ray cluster have {', '.join(map(str, gpus))} GPUs")
    return slots, min(cpu // count for cpu, count in zip(cpus, places, strict=True) if count), each


def _each(counts: Sequence[int], slots: int) -> int:
    """The most that each of ``slots`` trainings can have, on nodes with so many: a node of its own if there are enough."""
    if slots <= len(counts):
        return sorted(counts, reverse=True)[slots - 1]
    amounts = range(1, max(counts) + 1)
    return max((n for n in amounts if sum(count // n for count in counts) >= slots), default=0)


def _examine(ray: Any, ground: Ground, nodes: Sequence[dict[str, Any]]) -> None:
    """Have every node look whether it has what a training needs. Raises ClusterError."""
    look = ray.remote(num_cpus=0, max_retries=0)(Ground.problem)
    on = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    asked = {
        look.options(scheduling_strategy=on(node["NodeID"], soft=False)).remote(ground): node["NodeManagerAddress"]
        for node in nodes
    }
    answered, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_EXAMINE_S)
    problems = [f"node {asked[one]} has not answered within {_EXAMINE_S} s" for one in silent]
    for one in answered:
        try:
            problems.append(ray.get(one))
        except ray.exceptions.RayError as error:
            problems.append(f"node {asked[one]} cannot train: {in_short(error)}")
    problems = [problem for problem in problems if problem]
    if problems:
        raise ClusterError("the Ray cluster cannot be used:\n  " + "\n  ".join(problems))
