"""The executor for a Ray cluster: each training in a process of its own on some node, run by a Ray actor there.

One that several workers do together (``strategy: multi_worker``) has its processes on several nodes.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.execution.executor import Event, ExecutorEntry, ExecutorOptions, Job
from zoo.execution.executors.ray.attempts import Member, RayAttempt
from zoo.execution.executors.ray.connection import ClusterError, connect_driver, summary_of
from zoo.execution.executors.ray.node import NodeAgent, NodeRequirements, versions
from zoo.storage.atomic import write_atomically

_CHECK_S = 60  # for every node to start a process and check what it has
_CLOSE_S = 5  # for the nodes to end what still runs
_MINIMAL_CPUS = 0.001  # for a process that is to have no CPU of its own: Ray refuses a bundle without anything


def connect(options: ExecutorOptions) -> RayExecutor:
    """The cluster at an address, ready to train. Raises ClusterError.

    Without a number of jobs each node trains one at a time, or as many as ``gpus_per_run`` allows.
    """
    ray = connect_driver(options.address)
    marker = options.runs_dir.absolute() / f".cluster-{secrets.token_hex(8)}"
    requirements = NodeRequirements(Path.cwd(), marker, secrets.token_hex(16), versions())
    try:
        write_atomically(marker, lambda file: file.write(requirements.text.encode()))
        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        if not nodes:
            raise ClusterError("no node of the Ray cluster has a CPU to train on")
        sizes = [(int(node["Resources"]["CPU"]), int(node["Resources"].get("GPU", 0))) for node in nodes]
        slots, cpus, gpus = allocate(sizes, options.jobs, options.gpus_per_run, options.workers)
        _check_nodes(ray, requirements, nodes)
    except BaseException:
        ray.shutdown()
        marker.unlink(missing_ok=True)
        raise
    return RayExecutor(ray, requirements, slots, cpus, gpus)


class RayExecutor:
    """Runs ``slots`` trainings at once on a Ray cluster, each process of one with ``cpus`` and ``gpus`` of a node."""

    def __init__(self, ray: Any, requirements: NodeRequirements, slots: int, cpus: int, gpus: int):
        self._ray, self._requirements, self._slots = ray, requirements, slots
        self._actor_class = ray.remote(
            num_cpus=cpus,
            num_gpus=gpus,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"orders": 1},
            scheduling_strategy="SPREAD",
        )(NodeAgent)
        self._bundle = {"CPU": cpus or _MINIMAL_CPUS} | ({"GPU": gpus} if gpus else {})  # of one process
        self._running: list[RayAttempt] = []
        self._spare: list[Any] = []  # actors whose training has just ended; the next one starts sooner with them

    @property
    def slots(self) -> int:
        """How many trainings run at once."""
        return self._slots

    def start(self, job: Job) -> RayAttempt:
        """Start a job on a node with resources for it, several processes of one on several, or wait for resources."""
        workers = job.training.config.workers
        attempt = RayAttempt(self._ray, lambda: self._place(workers), job)
        self._running.append(attempt)
        return attempt

    def reduce_slots(self) -> bool:
        """Run one training fewer at once from now on; False when there is only one."""
        if self._slots <= 1:
            return False
        self._slots -= 1
        return True

    def events(self, timeout_s: float) -> list[Event]:
        """What the attempts have sent since; waits at most ``timeout_s`` seconds for the first message."""
        for actor in self._spare:  # nothing was started with it meanwhile, and others may wait for its resources
            self._ray.kill(actor)
        self._spare.clear()
        calls = {m.answer: (attempt, m) for attempt in self._running for m in attempt.members if m.answer is not None}
        if not calls:
            time.sleep(timeout_s)
        else:
            self._ray.wait(list(calls), timeout=timeout_s)
        ready = self._ray.wait(list(calls), num_returns=len(calls), timeout=0)[0] if calls else []
        events: list[Event] = []
        for answer in ready:
            attempt, member = calls[answer]
            if member in attempt.members:  # it may have been replaced a moment ago
                events += [Event(attempt, message) for message in attempt.receive(member)]
                if member not in attempt.members:
                    self._reuse_or_end(attempt, member)
        for attempt in self._running:
            if not attempt.has_ended:
                events += [Event(attempt, message) for message in attempt.poll()]
        for attempt in [attempt for attempt in self._running if attempt.has_ended]:
            self._running.remove(attempt)
            attempt.release()
        return events

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
        self._requirements.marker.unlink(missing_ok=True)

    def _place(self, workers: int) -> tuple[Sequence[Any], Any]:
        """Actors for so many processes, on different nodes if possible, and the placement group of several."""
        if workers == 1:
            return [self._spare.pop() if self._spare else self._actor_class.remote(self._requirements)], None
        group = self._ray.util.placement_group([self._bundle] * workers, strategy="SPREAD")
        in_group = self._ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
        actors = []
        for rank in range(workers):
            strategy = in_group(placement_group=group, placement_group_bundle_index=rank)
            actors.append(self._actor_class.options(scheduling_strategy=strategy).remote(self._requirements))
        return actors, group

    def _reuse_or_end(self, attempt: RayAttempt, member: Member) -> None:
        """Keep the actor of a process that has ended for the next job, if it can serve one, or end it."""
        others = sum(not other.has_ended for other in self._running) + len(self._spare)
        if attempt.group is not None or member.is_spent or others >= self._slots:
            self._ray.kill(member.actor)
        else:
            self._spare.append(member.actor)


def allocate(
    nodes: Sequence[tuple[int, int]], jobs: int | None, gpus_per_run: int | None, workers: int = 1
) -> tuple[int, int, int]:
    """How many trainings at once, and the CPUs and GPUs of each process, on ``nodes`` with so many CPUs and GPUs.

    As many CPUs as all of them can have at once; none where there are more processes than CPUs. Where there are
    GPUs, only nodes with GPUs train. A training takes ``workers`` processes, each with ``gpus_per_run``. Raises
    ClusterError when there are too few.
    """
    usable = [node for node in nodes if node[1]] or list(nodes)
    cpus, gpus = zip(*usable, strict=True)
    processes = sum(count // gpus_per_run for count in gpus) if gpus_per_run else len(usable)
    slots = jobs or max(1, processes // workers)
    wanted = slots * workers
    gpus_each = gpus_per_run or (max(1, _most_each(gpus, wanted)) if any(gpus) else 0)
    if not gpus_each:
        return slots, _most_each(cpus, wanted), 0
    capacities = [count // gpus_each for count in gpus]
    if sum(capacities) < wanted:
        what = "run" if workers == 1 else "process"
        needed = f"{wanted} {what if wanted == 1 else {'run': 'runs', 'process': 'processes'}[what]}"
        needed += f" of {gpus_each} GPU{'s' if gpus_each > 1 else ''} each"
        raise ClusterError(f"{needed} at once: the nodes of the Ray cluster have {', '.join(map(str, gpus))} GPUs")
    return slots, min(cpu // count for cpu, count in zip(cpus, capacities, strict=True) if count), gpus_each


def _most_each(counts: Sequence[int], slots: int) -> int:
    """The most that each of ``slots`` trainings can have, on nodes with so many: a node of its own if there are enough."""
    if slots <= len(counts):
        return sorted(counts, reverse=True)[slots - 1]
    amounts = range(1, max(counts) + 1)
    return max((n for n in amounts if sum(count // n for count in counts) >= slots), default=0)


def _check_nodes(ray: Any, requirements: NodeRequirements, nodes: Sequence[dict[str, Any]]) -> None:
    """Have every node check whether it has what a training needs. Raises ClusterError."""
    problem = ray.remote(num_cpus=0, max_retries=0)(NodeRequirements.problem)
    on = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    addresses = {
        problem.options(scheduling_strategy=on(node["NodeID"], soft=False)).remote(requirements): node[
            "NodeManagerAddress"
        ]
        for node in nodes
    }
    ready, not_ready = ray.wait(list(addresses), num_returns=len(addresses), timeout=_CHECK_S)
    problems = [f"node {addresses[one]} has not answered within {_CHECK_S} s" for one in not_ready]
    for one in ready:
        try:
            problems.append(ray.get(one))
        except ray.exceptions.RayError as error:
            problems.append(f"node {addresses[one]} cannot train: {summary_of(error)}")
    problems = [problem for problem in problems if problem]
    if problems:
        raise ClusterError("the Ray cluster cannot be used:\n  " + "\n  ".join(problems))


def _open_ports(options: ExecutorOptions) -> str:
    if os.environ.get("RAY_AUTH_MODE") == "token":  # Ray sets it, too, where it finds a token
        text = "Ray listens on all network interfaces of its nodes, and asks for its token"
    else:
        text = (
            "Ray listens on all network interfaces of its nodes, and whoever can connect can run programs there: keep them "
            "in a network that you trust, or set RAY_AUTH_MODE=token before `ray start`"
        )
    if options.workers > 1:
        text += f"; the {options.workers} processes of a training on several nodes accept any connection"
    return text


EXECUTOR = ExecutorEntry(create=connect, open_ports=_open_ports)
