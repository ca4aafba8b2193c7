"""Runs to processes, on this machine: each training in a process of its own, one after another.

What a training does is told to an ``Audience`` (a progress display, the recorder); its results are on disk before.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from zoo import data, machine, processes, worker
from zoo.measure import Cost, latency
from zoo.plan import Plan, Training
from zoo.record import Beat

_STOP_SECONDS = 60  # a training that was asked to stop gets this long for its checkpoint


class Audience(Protocol):
    """Who is told how the sweep goes."""

    def started(self, training: Training) -> None: ...
    def waiting(self, training: Training) -> None: ...  # another process trains the same
    def beat(self, training: Training, beat: Beat) -> None: ...
    def stopping(self, training: Training) -> None: ...  # Ctrl-C has been heard
    def ended(self, training: Training, state: str, reason: str) -> None: ...  # state: done, stopped or failed
    def left_out(self, training: Training, reason: str) -> None: ...  # it failed earlier, and would again


@dataclass
class Outcome:
    """How the trainings of a sweep ended. ``failed`` is training -> reason; those left out were not begun."""

    done: list[Training] = field(default_factory=list)
    failed: list[tuple[Training, str]] = field(default_factory=list)
    stopped: bool = False


class Interrupt:
    """Ctrl-C and SIGTERM: once asks for a stop with checkpoints, twice for a stop at once."""

    count = 0

    @contextlib.contextmanager
    def caught(self) -> Iterator[Interrupt]:
        """Within this block the first signal is counted instead of ending the program; the second ends it."""
        before = {number: signal.signal(number, self._count) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _count(self, *_: Any) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt


def execute(
    plan: Plan,
    costs: dict[str, Cost],
    audience: Audience,
    *,
    data_dir: Path | None = None,
    retry_failed: bool = False,
    interrupt: Interrupt,
) -> Outcome:
    """Do the trainings that have no result yet, in order; a training that fails does not stop the others.

    A training that diverged would do so again, so it is repeated only with ``retry_failed``.
    """
    outcome = Outcome()
    code = machine.git_state(Path(__file__).parent)
    for training in plan.trainings:
        if training.is_done():
            outcome.done.append(training)
            continue
        if interrupt.count:
            outcome.stopped = True
            continue
        status = training.record.read("status")
        if would_fail_again(status) and not retry_failed:
            outcome.failed.append((training, status["reason"]))
            audience.left_out(training, status["reason"])
            continue
        first = training.runs[0].variant.name
        job = worker.Job(training, costs[first]._asdict(), plan.question.name, plan.question.imports, data_dir, code)
        audience.started(training)
        state, reason = _train(job, audience, interrupt)
        audience.ended(training, state, reason)
        if state == "done":
            outcome.done.append(training)
        elif state == "failed":
            outcome.failed.append((training, reason))
        else:
            outcome.stopped = True
    return outcome


def would_fail_again(status: Mapping[str, Any]) -> bool:
    """Whether a training with this ``status.json`` failed in a way that repeats itself."""
    return status.get("state") == "failed" and bool(status.get("repeats"))


def without_latency(trainings: Sequence[Training]) -> list[Training]:
    """Those that have no latency yet."""
    return [training for training in trainings if not training.record.read("latency")]


def measure_latency(plan: Plan, trainings: Sequence[Training]) -> None:
    """Measure one image's latency of every variant, all in one go, so that a figure compares with its neighbors.

    To be called when no training runs. The figures go into the records, ``latency.json``. Raises what a user's own network
    raises, and processes.Died.
    """
    distinct = {_network(training): training.config for training in trainings}
    configs = list(distinct.values())
    classes = [len(data.info(config.data).classes) for config in configs]
    samples = processes.call(latency.measure, configs, classes, tuple(plan.question.imports))
    measured = dict(zip(distinct, samples, strict=True))
    for training in trainings:
        figures = {
            "what": "compiled function, one image, one thread, float32, weights in memory",
            "percentiles_ms": latency.percentiles(measured[_network(training)]),
            "measured": time.time(),
            "device": machine.device(),
            "in_turn_with": sorted({config.model for config in configs}),
            "samples_ms": measured[_network(training)],
        }
        training.record.write("latency", figures)


def _network(training: Training) -> str:
    """What decides a model's latency."""
    config = training.config
    return repr((config.model, config.arguments, config.input_size, config.data))


def _train(job: worker.Job, audience: Audience, interrupt: Interrupt) -> tuple[str, str]:
    """Run one training's process to its end; returns how it ended (done, stopped or failed), and why."""
    problem = _settle(job.training, "running")
    if problem:
        return "failed", problem
    state, reason = _follow(job, audience, interrupt)
    if state == "done" and not job.training.is_done():
        state, reason = "failed", "its process reported success, but its results are not on disk"
    repeats = state == "diverged"  # any other failure is tried again by the same command
    state = "failed" if repeats else state
    problem = _settle(job.training, state, reason, repeats)
    return state, reason or (problem if state == "failed" else "")


def _follow(job: worker.Job, audience: Audience, interrupt: Interrupt) -> tuple[str, str]:
    """Start a training's process and listen to it until it is gone; returns its last word, or why there was none."""
    ours, theirs = processes.context().Pipe(duplex=False)
    process = processes.start(worker.run, theirs, job)
    theirs.close()
    try:
        last = _listen(ours, process, job.training, audience, interrupt)
        process.join()
    finally:
        process.kill()  # for a second Ctrl-C: it has ended otherwise
    if last[0]:
        return last
    return ("stopped", "") if interrupt.count else ("failed", processes.death(process.exitcode))


def _listen(ours, process, training: Training, audience: Audience, interrupt: Interrupt) -> tuple[str, str]:
    """Pass on what a training says until it falls silent for good; returns its last word, or two empty ones."""
    last = "", ""
    asked_at = None
    while True:
        if interrupt.count and asked_at is None:
            asked_at = time.monotonic()
            process.terminate()
            audience.stopping(training)
        if asked_at is not None and time.monotonic() - asked_at > _STOP_SECONDS:
            process.kill()
        try:
            if not ours.poll(0.2):
                continue
            kind, value = ours.recv()
        except (EOFError, ConnectionError):
            return last
        if kind == "beat":
            audience.beat(training, value)
        elif kind == "waiting":
            audience.waiting(training)
        else:
            last = kind, value


def _settle(training: Training, state: str, reason: str = "", repeats: bool = False) -> str:
    """Record how a training stands; returns why that cannot be written, if so: the others may still go on."""
    status = {"state": state, "reason": reason, "repeats": repeats, "time": time.time()}
    try:
        training.record.write("status", status)
    except OSError as error:
        return worker.reason(error)
    return ""


def set_aside(plan: Plan) -> list[Path]:
    """Move what earlier runs of this plan left out of the way; nothing is deleted. Returns where it is now."""
    moved = []
    for training in plan.trainings:
        directory = training.record.directory
        if directory.exists():
            aside = directory.with_name(f"{directory.name}.before-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
            directory.rename(aside)
            moved.append(aside)
    return moved
