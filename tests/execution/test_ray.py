"""The Ray executor without Ray: how nodes are allocated, and how an attempt of several processes ends."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.tracked import ask

from zoo.execution.executor import ExecutorOptions, Job
from zoo.execution.executors import local
from zoo.execution.executors.ray import attempts, cluster
from zoo.execution.executors.ray.attempts import ActorLoss, RayAttempt
from zoo.execution.executors.ray.connection import ClusterError
from zoo.execution.executors.ray.node import Order
from zoo.execution.messages import Exited, Failed, Finished, Heartbeat, Waiting
from zoo.host import ports
from zoo.host.exits import ProcessExit
from zoo.storage.states import FailureKind


@pytest.mark.parametrize(
    ("nodes", "jobs", "gpus_per_run", "expected"),
    [
        ([(8, 0), (8, 0), (8, 0)], None, None, (3, 8, 0)),  # a node each
        ([(4, 0), (16, 0)], None, None, (2, 4, 0)),
        ([(4, 0), (16, 0)], 1, None, (1, 16, 0)),
        ([(8, 0), (8, 0)], 4, None, (4, 4, 0)),
        ([(4, 0), (16, 0)], 3, None, (3, 5, 0)),  # three times five on the second
        ([(1, 0), (1, 0)], 5, None, (5, 0, 0)),  # more trainings than CPUs
        ([(4, 0), (32, 8), (32, 8)], None, 2, (8, 8, 2)),  # the node without GPUs is not asked
        ([(4, 0), (32, 8), (32, 4)], None, None, (2, 16, 4)),  # the second can hold both
        ([(32, 8)], 4, None, (4, 8, 2)),
        ([(32, 8)], 2, 1, (2, 4, 1)),
    ],
)
def test_nodes_are_allocated(nodes, jobs, gpus_per_run, expected):
    assert cluster.allocate(nodes, jobs, gpus_per_run) == expected


@pytest.mark.parametrize(
    ("nodes", "jobs", "workers", "expected"),
    [
        ([(8, 0), (8, 0)], None, 2, (1, 8, 0)),
        ([(8, 0)], None, 2, (1, 4, 0)),  # both on the one node
        ([(8, 0), (8, 0), (8, 0), (8, 0)], None, 2, (2, 8, 0)),
        ([(8, 0), (8, 0)], 2, 2, (2, 4, 0)),
        ([(32, 8), (32, 8)], None, 2, (1, 32, 8)),
    ],
)
def test_nodes_are_allocated_to_trainings_of_several_processes(nodes, jobs, workers, expected):
    assert cluster.allocate(nodes, jobs, None, workers) == expected


@pytest.mark.parametrize(
    ("nodes", "jobs", "gpus_per_run", "message"),
    [
        ([(8, 0)], None, 1, "1 run of 1 GPU each at once: the nodes of the Ray cluster have 0 GPUs"),
        ([(8, 4), (8, 4)], 3, 4, "3 runs of 4 GPUs each at once: the nodes of the Ray cluster have 4, 4 GPUs"),
        ([(8, 4), (8, 4)], 9, None, "9 runs of 1 GPU each at once: the nodes of the Ray cluster have 4, 4 GPUs"),
    ],
)
def test_too_few_gpus_are_refused(nodes, jobs, gpus_per_run, message):
    with pytest.raises(ClusterError, match=f"^{message}$"):
        cluster.allocate(nodes, jobs, gpus_per_run)


class RayError(Exception):
    pass


class Unavailable(RayError):
    pass


class FakeRay:
    """As much of Ray as an attempt uses: the answers to calls are themselves, an exception is raised."""

    class exceptions:
        RayError, ActorUnavailableError, OutOfMemoryError = RayError, Unavailable, type("OutOfMemory", (RayError,), {})

    def __init__(self):
        self.killed = []

    def get(self, answer):
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self, actor):
        self.killed.append(actor)

    def nodes(self):
        return [{"NodeManagerAddress": "node", "Alive": True}]


class Call:
    def __init__(self, answer):
        self._answer = answer

    def options(self, concurrency_group):
        return self

    def remote(self, *arguments):
        return self._answer(*arguments)


class Actor:
    """A node's agent that sends what its script has, a batch at each call."""

    def __init__(self, script=(), refusal=""):
        self.script, self.orders, self.jobs = list(script), [], []
        self.addresses = Call(lambda: ("node", "node:1"))
        self.begin = Call(lambda job: self.jobs.append(job) or refusal)
        self.messages = Call(lambda timeout_s: self.script.pop(0) if self.script else [])
        self.order = Call(self.orders.append)


@pytest.fixture
def job(tmp_path):
    return Job(ask(tmp_path).trainings[0], "q", (), None, {})


def begun(job, *actors: Actor) -> tuple[RayAttempt, list]:
    """An attempt whose actors have all begun, and its members."""
    attempt = RayAttempt(FakeRay(), lambda: (actors, None), job)
    for _ in range(2):  # the addresses, then the answer to the order to begin
        assert [message for member in attempt.members for message in attempt.receive(member)] == [Heartbeat()] * len(
            actors
        )
        attempt.poll()
    assert [member.has_begun for member in attempt.members] == [True] * len(actors)
    return attempt, list(attempt.members)


FAILURE = Failed(FailureKind.ERROR, "why")
NODE_LOST = ActorLoss("its node was lost")


@pytest.mark.parametrize(
    ("script", "killed"),
    [
        ([[FAILURE], [Exited()]], True),  # the result and the end may come one after the other
        ([[FAILURE, Exited()]], True),
        ([[Exited(NODE_LOST)]], True),
        ([[Finished(), Exited()]], False),
    ],
)
def test_when_one_process_of_several_fails_the_others_are_ended(job, script, killed):
    one, other = Actor(script), Actor()
    attempt, members = begun(job, one, other)
    assert [each.jobs[0].rank for each in (one, other)] == [0, 1]
    assert one.jobs[0].peers == ("node:1", "node:1")
    for _ in script:
        attempt.receive(members[0])
    assert (Order.KILL in other.orders) == killed and not attempt.has_ended


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_loss_that_explains_the_others_is_reported(job, order):
    """TensorFlow aborts the companion of a lost process, and its end may be reported first."""
    killed, aborted = ProcessExit(-9), ProcessExit(-6)
    attempt, members = begun(job, Actor([[Exited(killed)]]), Actor([[Exited(aborted)]]))
    messages = [message for number in order for message in attempt.receive(members[number])]
    assert messages == [Exited(killed)] and attempt.has_ended


def test_a_node_that_refuses_fails_the_training(job):
    actor = Actor(refusal="node does not see runs")
    attempt = RayAttempt(FakeRay(), lambda: ([actor], None), job)
    (member,) = attempt.members
    attempt.receive(member)
    attempt.poll()
    assert attempt.receive(member) == [Failed(FailureKind.ERROR, "node does not see runs"), Exited(None)]
    assert attempt.has_ended and member.is_spent


def test_what_is_stopped_before_it_has_its_actors_just_ends(job):
    attempt = RayAttempt(FakeRay(), lambda: ([Actor()], None), job)
    assert attempt.poll() == [Heartbeat()]
    attempt.stop()
    assert attempt.poll() == [Exited(None)] and attempt.has_ended


def test_one_that_waits_for_its_actors_says_so_once(job, monkeypatch):
    monkeypatch.setattr(attempts, "PLACEMENT_S", -1)
    attempt = RayAttempt(FakeRay(), lambda: ([Actor()], None), job)
    assert attempt.poll() == [Waiting("waiting for resources on the Ray cluster")]
    assert attempt.poll() == [Heartbeat()]


@pytest.mark.parametrize(
    ("error", "out_of_memory", "text"),
    [
        (FakeRay.exceptions.OutOfMemoryError("too much"), True, "Ray ended it because memory was short on node node"),
        (RayError("killed by the memory monitor"), True, "Ray ended it because memory was short on node node"),
        (RayError("died"), False, "the Ray actor that ran it on node node was lost"),
    ],
)
def test_a_lost_actor_is_an_exit_with_its_reason(job, error, out_of_memory, text):
    attempt, (member,) = begun(job, Actor([error]))
    (message,) = attempt.receive(member)
    assert message == Exited(ActorLoss(text, out_of_memory))


def test_what_others_can_connect_to_is_said(monkeypatch, tmp_path):
    options = ExecutorOptions(at_once=1, jobs=None, gpus_per_run=None, address=None, runs_dir=tmp_path)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    said = cluster.EXECUTOR.open_ports(options)
    assert "whoever can connect can run programs there" in said and "RAY_AUTH_MODE=token" in said
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert cluster.EXECUTOR.open_ports(options) == (
        "Ray listens on all network interfaces of its nodes, and asks for its token"
    )
    several = dataclasses.replace(options, workers=2)
    assert "the 2 processes of a training on several nodes accept any connection" in cluster.EXECUTOR.open_ports(
        several
    )


def test_on_this_machine_only_what_cannot_be_closed_is_said(monkeypatch, tmp_path):
    alone = ExecutorOptions(at_once=1, jobs=None, gpus_per_run=None, address=None, runs_dir=tmp_path)
    together = dataclasses.replace(alone, workers=2)
    assert local.EXECUTOR.open_ports(alone) == ""
    monkeypatch.setattr(ports, "CAN_REFUSE_OTHERS", True)
    assert local.EXECUTOR.open_ports(together) == ""
    monkeypatch.setattr(ports, "CAN_REFUSE_OTHERS", False)
    assert "the 2 processes of a training listen on all network interfaces" in local.EXECUTOR.open_ports(together)
