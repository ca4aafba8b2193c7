"""A sweep from its plan to its results: data, executor, display and MLflow put together, alone in its directory."""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import data
from zoo.execution import latency, messages, progress, scheduler
from zoo.execution.executors import local
from zoo.host import hardware, resources
from zoo.plan import budget, forecast, speeds, stages, summary
from zoo.plan.disk import disk_needs
from zoo.plan.runs import Plan, Training
from zoo.stats import verdicts
from zoo.stats.verdicts import Verdict
from zoo.storage.states import TrainingState
from zoo.text import wording
from zoo.tracking.connection import TrackingError
from zoo.tracking.recorder import Recorder
from zoo.tracking.store import Store

_log = logging.getLogger(__name__)


class SweepError(Exception):
    """The sweep cannot begin; the message says why and what to do."""


@dataclass(frozen=True)
class Settings:
    """How a sweep is done: everything about it that is not the question."""

    runs_dir: Path
    tracking_uri: str
    command: str  # that does this sweep, for MLflow
    data_dir: Path | None = None
    jobs: int | str | None = None  # trainings at once; "auto": as many as are fastest
    gpus_per_run: int | None = None
    executor: str = "local"
    ray_address: str | None = None
    budget_s: float | None = None
    retries: int = 2
    stall_s: float = 900
    rerun_failed: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Ending:
    """How a sweep ended, and what is in the way of the rest."""

    outcome: scheduler.Outcome
    unmeasured: str  # why latencies could not be measured
    unsent: TrackingError | None
    store: Store | None


def run(
    plan: Plan,
    settings: Settings,
    meanwhile: Callable[[], Any] = lambda: None,
) -> Ending:
    """Do what is missing of a plan.

    ``meanwhile`` is called once, on a thread of its own, when the first training is under way and this process idle.

    Raises SweepError, DataError, AllocationError, ProcessDied, OSError, and KeyboardInterrupt at a second Ctrl-C.
    """
    runs_dir, name = settings.runs_dir, plan.question.name
    if runs_dir.exists() and not runs_dir.is_dir():
        raise SweepError(f"cannot go on: {runs_dir} is a file, and results belong in a directory of that name")
    runs_dir.mkdir(parents=True, exist_ok=True)
    with _alone(runs_dir, name):
        if settings.fresh:
            _start_over(plan)
        for training in plan.trainings:
            training.record.check()
            training.record.remove_unfinished()
        wanted = stages.wanted_trainings(plan)
        left = not_done(wanted.at_most)
        _fetch_data(left, settings.data_dir)
        at_once = trainings_at_once(plan, left, settings)
        known = forecast.Forecast(runs_dir, at_once)
        in_budget = settings.budget_s is not None
        expected = known.measured_seconds(plan, left) if in_budget else known.known_seconds(left)
        return _do(plan, settings, at_once, expected, wanted, meanwhile)


def not_done(trainings: Iterable[Training]) -> list[Training]:
    """Those that have no result yet."""
    return [training for training in trainings if not training.is_done()]


def trainings_at_once(plan: Plan, left: Sequence[Training], settings: Settings) -> int:
    """How many trainings run at the same time on this machine. Raises AllocationError, ProcessDied."""
    gpus = len(hardware.gpus())
    jobs = settings.jobs
    if settings.executor == "local":  # refuse what cannot be, before anything is timed
        asked = min(jobs, len(left)) if isinstance(jobs, int) else 1
        resources.allocate(max(1, asked), hardware.core_numbers(), [""] * gpus, settings.gpus_per_run)
    if jobs is None and settings.gpus_per_run:
        jobs = "auto"
    if jobs == "auto" and gpus:
        jobs = resources.jobs_on_gpus(gpus, settings.gpus_per_run)
    elif jobs == "auto":
        jobs = speeds.best_at_once(plan, left) if len(left) > 1 else 1
    return max(1, min(int(jobs or 1), len(left)))


def _do(
    plan: Plan,
    settings: Settings,
    at_once: int,
    expected: Mapping[str, float],
    wanted: stages.WantedTrainings,
    meanwhile: Callable[[], Any],
) -> Ending:
    executor = _executor(plan, settings, at_once)
    left = not_done(wanted.at_most)
    display = progress.Display(left, expected, executor.slots, may_be_fewer=len(wanted.at_most) > len(wanted.certain))
    with messages.shown_by(display.print):
        _log.info(_opening(plan, wanted.at_most, executor.slots))
        _warn(left, settings, expected, executor.slots)

        def report_analysis(seeds: int, found: Mapping[str, Verdict]) -> None:
            shown = (f"{name} {verdicts.in_short(verdict)}" for name, verdict in found.items())
            _log.info("after %d seeds: %s", seeds, "; ".join(shown))
            display.expect(not_done(stages.wanted_trainings(plan).at_most))

        recorder = Recorder(plan, settings.tracking_uri, Path.cwd(), settings.command)
        started = time.monotonic()
        in_time = None if settings.budget_s is None else budget.fits_from_now(expected, settings.budget_s)
        with scheduler.Interrupt().caught() as interrupt, display.shown(plan.question.name):
            outcome = scheduler.execute(
                plan,
                executor,
                _Audience(display, recorder, meanwhile),
                interrupt=interrupt,
                data_dir=settings.data_dir,
                policy=scheduler.Policy(settings.retries, settings.stall_s, settings.rerun_failed),
                expected_s=expected,
                may_begin=in_time or (lambda training: True),
                stages=stages.stages(plan, report_analysis),
            )
        unmeasured = "" if outcome.stopped else _measure_latency(plan, outcome.done)
        for training in outcome.done:
            recorder.update(training, TrainingState.DONE)
        unsent = recorder.close()
        taken = wording.duration(time.monotonic() - started)
        known = len(stages.wanted_trainings(plan).certain)
        _log.info("%d of %d trainings complete, after %s", len(outcome.done), known, taken)
        return Ending(outcome, unmeasured, unsent, recorder.store)


def _executor(plan: Plan, settings: Settings, at_once: int) -> scheduler.Executor:
    if settings.executor == "ray":
        from zoo.execution.executors.ray import cluster

        jobs = settings.jobs if isinstance(settings.jobs, int) else None
        try:
            return cluster.connect(
                settings.ray_address,
                jobs,
                settings.gpus_per_run,
                settings.runs_dir,
                max(training.config.workers for training in plan.trainings),
            )
        except cluster.ClusterError as error:
            raise SweepError(str(error)) from None
    places = [gpu.address for gpu in hardware.gpus()]
    return local.Local(resources.allocate(at_once, hardware.core_numbers(), places, settings.gpus_per_run))


def _warn(
    left: Sequence[Training],
    settings: Settings,
    expected: Mapping[str, float],
    at_once: int,
) -> None:
    """Say beforehand what will not fit, on the disk and into the time."""
    disk = disk_needs(left, settings.runs_dir)
    if disk.is_short:
        _log.warning("warning: %s", disk.text)
    if settings.budget_s is not None and left:
        _log.info(summary.within(left, expected, at_once, settings.budget_s))


class _Audience:
    """Passes what happens on to the display and to MLflow."""

    def __init__(self, display: progress.Display, recorder: Recorder, meanwhile: Callable[[], Any]):
        self._display, self._recorder, self._meanwhile = display, recorder, meanwhile
        self._idle = False
        self.waiting, self.stopping, self.again = display.waiting, display.stopping, display.again

    def started(self, training: Training) -> None:
        self._display.started(training)
        self._recorder.update(training, TrainingState.RUNNING)

    def beat(self, training: Training, beat) -> None:
        self._display.beat(training, beat)
        if not self._idle:
            self._idle = True
            threading.Thread(target=self._meanwhile, daemon=True).start()
        if beat.evaluated:
            self._recorder.update(training, TrainingState.RUNNING)

    def ended(self, training: Training, state: str, reason: str) -> None:
        self._display.ended(training, state, reason)
        self._recorder.update(training, TrainingState(state), reason)

    def left_out(self, training: Training, reason: str) -> None:
        self._display.left_out(training, reason)
        self._recorder.update(training, TrainingState.FAILED, reason)


def _measure_latency(plan: Plan, trainings: Sequence[Training]) -> str:
    """Measure what has no figure yet; returns why that failed, if so."""
    if not latency.without_latency(trainings):
        return ""
    _log.info("measuring the latency of one image, with nothing else running here")
    try:
        latency.measure_latency(plan, trainings)
    except latency.Busy:
        _log.info(
            "  it goes on, so the latency is left for later: the same command measures it when nothing trains here"
        )
    except Exception as error:  # a user's own network may raise anything, and the accuracies still stand
        return f"the latency could not be measured: {str(error) or type(error).__name__}"
    return ""


@contextlib.contextmanager
def _alone(runs_dir: Path, name: str) -> Iterator[None]:
    """Within this block no other process works on this sweep in this directory."""
    import filelock

    owner = runs_dir / f".{name}.owner.json"
    lock = filelock.FileLock(runs_dir / f".{name}.lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise SweepError(
            f"another run_sweep.py{_who(owner)} is working on {name} in this directory; wait for it or stop it"
        ) from None
    try:
        me = {"pid": os.getpid(), "host": socket.gethostname(), "user": _user(), "since": time.strftime("%H:%M")}
        with contextlib.suppress(OSError):  # only to be helpful
            owner.write_text(json.dumps(me), encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _who(owner: Path) -> str:
    try:
        return " (process {pid} of {user} on {host}, since {since})".format(**json.loads(owner.read_text("utf-8")))
    except (OSError, ValueError, KeyError):
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "somebody"


def _start_over(plan: Plan) -> None:
    for training in plan.trainings:
        moved = training.record.set_aside()
        if moved:
            _log.info("moved aside: %s", moved)


def _opening(plan: Plan, trainings: Sequence[Training], at_once: int) -> str:
    left = len(not_done(trainings))
    count = len({run.name for training in trainings for run in training.runs})
    runs = summary.runs_text(plan, count)
    amount = f"{len(trainings)} training{'s' if len(trainings) > 1 else ''}"
    shared = f" from {amount}" if len(trainings) != count else ""
    have = len(trainings) - left
    cached = f", {have if left else 'all'} of them done already" if have else ""
    together = f", {at_once} at once" if at_once > 1 and left else ""
    return f"{plan.question.name}: {plan.question.question}\n{runs}{shared}{cached}{together}"


def _fetch_data(left: Sequence[Training], data_dir: Path | None) -> None:
    """Get the data before anything else: a download belongs to the person's terminal, not to a worker's log."""
    for name in dict.fromkeys(training.config.data for training in left):
        data.load(name, "train", data_dir)
