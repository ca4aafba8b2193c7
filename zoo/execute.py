"""Runs to processes, on this machine: each training in a process of its own, one after another.

What a training does is told to an ``Audience`` (a progress display, the recorder); its results are on disk before.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from zoo import data, machine, processes, worker
from zoo.measure import Cost, latency
from zoo.plan import Plan, Training

_STOP_SECONDS = 60  # a training that was asked to stop gets this long for its checkpoint


class Audience(Protocol):
    """Who is told how the sweep goes."""

    def started(self, training: Training) -> None: ...
    def beat(self, training: Training, beat: Any) -> None: ...
    def ended(self, training: Training, state: str, reason: str) -> None: ...


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
        """Within this block the signals are counted instead of ending the program."""
        before = {number: signal.signal(number, self._count) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _count(self, *_: Any) -> None:
        self.count += 1


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
        status = training.record.read("status")
        if status.get("state") == "failed" and status.get("repeats") and not retry_failed:
            outcome.failed.append((training, status["reason"]))
            audience.ended(training, "failed", status["reason"])
            continue
        first = training.runs[0].variant.name
        job = worker.Job(training, costs[first]._asdict(), plan.question.name, plan.question.imports, data_dir, code)
        audience.started(training)
        state, reason = _train(job, audience, interrupt)
        _settle(training, state, reason)
        audience.ended(training, state, reason)
        if state == "done":
            outcome.done.append(training)
        elif state == "failed":
            outcome.failed.append((training, reason))
        if interrupt.count:
            outcome.stopped = True
            break
    return outcome


def measure_latency(plan: Plan, trainings: list[Training]) -> None:
    """Measure one image's latency of every variant, all in one go, unless each training has its figure already.

    To be called when no training runs. The figures go into the records, ``latency.json``.
    """
    if all(training.record.read("latency") for training in trainings):
        return
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
    """Run one training's process to its end; returns how it ended, and why."""
    ours, theirs = processes.context().Pipe()
    process = processes.context().Process(target=worker.run, args=(theirs, job), daemon=True)
    process.start()
    theirs.close()
    state, reason = "", ""
    asked_at = None
    while True:
        if interrupt.count and asked_at is None:
            asked_at = time.monotonic()
            process.terminate()
        if asked_at is not None and (interrupt.count > 1 or time.monotonic() - asked_at > _STOP_SECONDS):
            process.kill()
        try:
            if not ours.poll(0.2):
                continue
            kind, value = ours.recv()
        except (EOFError, ConnectionError):
            break
        if kind == "beat":
            audience.beat(job.training, value)
        else:
            state, reason = kind, value
    process.join()
    if not state and interrupt.count:
        return "stopped", ""
    return (state, reason) if state else ("failed", _death(process.exitcode))


def _death(exitcode: int | None) -> str:
    """Why a process that said nothing is gone."""
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = " (the system may have been out of memory)" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {exitcode} and no word"


def _settle(training: Training, state: str, reason: str) -> None:
    """Record how a training ended. A failure that would only repeat itself is marked so."""
    repeats = state == "failed" and "not a number" in reason
    training.record.write("status", {"state": state, "reason": reason, "repeats": repeats, "time": time.time()})


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
