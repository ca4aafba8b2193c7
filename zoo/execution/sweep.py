"""A sweep from its plan to its results: data, executor, display, MLflow and the latency pass put together."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo import data
from zoo.execution import executors, latency, scheduler
from zoo.execution.events import Observers, SweepEvents
from zoo.execution.executor import Executor, ExecutorOptions
from zoo.execution.live.report import LiveReport
from zoo.execution.progress import Display
from zoo.host import hardware, processes, resources
from zoo.plan import budget, forecast, origin, speeds, summary
from zoo.plan.disk import disk_needs
from zoo.plan.runs import Plan, Training
from zoo.plan.seeds import declaration, stages
from zoo.stats import verdicts
from zoo.stats.verdicts import Verdict
from zoo.storage import sweep_lock
from zoo.storage.states import TrainingState
from zoo.text import messages, wording
from zoo.tracking.errors import TrackingError
from zoo.tracking.experiments import ownership
from zoo.tracking.recorder import Recorder
from zoo.tracking.store import Store
from zoo.training.events import ProgressUpdate

_log = logging.getLogger(__name__)

_OPENING_S = 10.0  # how long the first training waits for MLflow at most


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
    hang_after_s: float = 900
    rerun_failed: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class SweepResult:
    """How a sweep ended, and what prevented the rest."""

    outcome: scheduler.Outcome
    latency_problem: str  # why latencies could not be measured, "" otherwise
    unsent: TrackingError | None
    store: Store | None


def run(plan: Plan, settings: Settings, live: LiveReport | None = None) -> SweepResult:
    """Do what is missing of a plan, with its report kept up to date.

    Raises KeyboardInterrupt at a second Ctrl-C, and before the first training SweepError, DataError, RecordError,
    ExecutorError, AllocationError, SweepInUse, NameTaken, ProcessDied, OSError.
    """
    runs_dir = settings.runs_dir
    if runs_dir.exists() and not runs_dir.is_dir():
        raise SweepError(f"cannot go on: {runs_dir} is a file, and results belong in a directory of that name")
    runs_dir.mkdir(parents=True, exist_ok=True)
    with sweep_lock.exclusive(runs_dir, plan.question.name):
        ownership.check_before(plan, settings.tracking_uri, Path.cwd())
        plan = declaration.declare(plan, runs_dir, settings.data_dir)  # before anything is set aside
        if settings.fresh:
            _start_over(plan)
        for training in plan.trainings:
            training.record.repair()
            origin.check(training)
            training.record.remove_unfinished()
        wanted = stages.wanted_trainings(plan)
        left = not_done(wanted.at_most)
        _fetch_data(plan, left, settings.data_dir)
        at_once = trainings_at_once(plan, left, settings)
        known = forecast.Forecast(runs_dir, at_once)
        in_budget = settings.budget_s is not None
        expected = known.measured_seconds(plan, left) if in_budget else known.known_seconds(left)
        entry, options = executors.entry(settings.executor), _executor_options(plan, settings, at_once)
        executor = entry.create(options)
        may_be_fewer = len(wanted.at_most) > len(wanted.certain)
        display = Display(left, expected, executor.slots, may_be_fewer, processes.is_loaded())
        with messages.shown_by(display.print):
            _log.info(_opening(plan, wanted.at_most, executor.slots))
            if left and (open_ports := entry.open_ports(options)):
                _log.warning("note: %s", open_ports)
            _warn(plan, left, settings, expected, executor.slots)
            return _do(plan, settings, executor, display, expected, live)


def not_done(trainings: Iterable[Training]) -> list[Training]:
    """Those that have no result yet."""
    return [training for training in trainings if not training.is_done()]


def trainings_at_once(plan: Plan, left: Sequence[Training], settings: Settings) -> int:
    """How many trainings run at the same time on this machine. Raises AllocationError, ProcessDied."""
    gpus = len(hardware.gpus())
    jobs = settings.jobs
    asked = min(jobs, len(left)) if isinstance(jobs, int) else 1
    executors.entry(settings.executor).check(_executor_options(plan, settings, max(1, asked)))
    if jobs is None and settings.gpus_per_run:
        jobs = "auto"
    if jobs == "auto" and gpus:
        jobs = resources.jobs_on_gpus(gpus, settings.gpus_per_run)
    elif jobs == "auto":
        jobs = speeds.best_at_once(plan, left) if len(left) > 1 else 1
    return max(1, min(int(jobs or 1), len(left)))


def _executor_options(plan: Plan, settings: Settings, at_once: int) -> ExecutorOptions:
    return ExecutorOptions(
        at_once=at_once,
        jobs=settings.jobs if isinstance(settings.jobs, int) else None,
        gpus_per_run=settings.gpus_per_run,
        address=settings.ray_address,
        runs_dir=settings.runs_dir,
        workers=max(training.config.workers for training in plan.trainings),
    )


def _do(
    plan: Plan,
    settings: Settings,
    executor: Executor,
    display: Display,
    expected_s: Mapping[str, float],
    live: LiveReport | None,
) -> SweepResult:
    def report_analysis(seeds: int, results: Mapping[str, Verdict]) -> None:
        texts = (f"{name} {verdicts.in_short(verdict)}" for name, verdict in results.items())
        _log.info("after %d seeds: %s", seeds, "; ".join(texts))
        display.expect(not_done(stages.wanted_trainings(plan).at_most))

    stop = scheduler.Interrupt()
    recorder = Recorder(
        plan,
        settings.tracking_uri,
        Path.cwd(),
        settings.command,
        stop.request,
        on_opened=lambda store: _log.info("runs in a browser: %s", store.directions()),
    )
    started = time.monotonic()
    in_time = None if settings.budget_s is None else budget.fits_from_now(expected_s, settings.budget_s)
    followed = contextlib.nullcontext() if live is None else live.following(recorder.wait_until_sent)
    with stop.caught() as interrupt, display.shown(plan.question.name), followed:
        outcome = scheduler.execute(
            plan,
            executor,
            Observers(display, _RecorderEvents(recorder, lambda: not stop.is_requested), live or SweepEvents()),
            interrupt=interrupt,
            data_dir=settings.data_dir,
            policy=scheduler.Policy(settings.retries, settings.hang_after_s, settings.rerun_failed),
            expected_s=expected_s,
            may_begin=in_time or (lambda training: True),
            stages=stages.stages(plan, report_analysis),
        )
    if outcome.stopped and live is not None:
        live.stopped()
    latency_problem = "" if outcome.stopped else _measure_latency(plan, outcome.done)
    for training in outcome.done:
        recorder.update(training, TrainingState.DONE)
    nothing_to_send = outcome.stopped and recorder.is_unopened and not any(t.record.history() for t in plan.trainings)
    unsent = None if nothing_to_send else recorder.close()  # opening the store takes seconds
    taken = wording.duration(time.monotonic() - started)
    wanted = len(stages.wanted_trainings(plan).certain)
    _log.info("%d of %d trainings complete, after %s", len(outcome.done), wanted, taken)
    return SweepResult(outcome, latency_problem, unsent, recorder.store)


class _RecorderEvents(SweepEvents):
    """Has the recorder send what changes.

    Its start takes seconds of a processor, beside the imports of the first training. That training's clock, which begins
    more than a second after those, would run slower for it: the start is waited for.
    """

    def __init__(self, recorder: Recorder, goes_on: Callable[[], bool]):
        self._recorder, self._goes_on = recorder, goes_on

    def started(self, training: Training) -> None:
        self._recorder.wait_until_opened(_OPENING_S, self._goes_on)
        self._recorder.update(training, TrainingState.RUNNING)

    def progress(self, training: Training, update: ProgressUpdate) -> None:
        if update.evaluated:
            self._recorder.update(training, TrainingState.RUNNING)

    def ended(self, training: Training, state: TrainingState, reason: str) -> None:
        self._recorder.update(training, state, reason)

    def left_out(self, training: Training, reason: str) -> None:
        self._recorder.update(training, TrainingState.FAILED, reason)


def _warn(
    plan: Plan, left: Sequence[Training], settings: Settings, expected_s: Mapping[str, float], at_once: int
) -> None:
    """Say beforehand what will not fit, on the disk and into the time, and which results are of other code."""
    for change in plan.design.changes if plan.design else ():
        _log.warning("note: %s", change.text)
    other_code = origin.other_code(plan.trainings)
    if other_code:
        _log.warning("%s", other_code)
    disk = disk_needs(left, settings.runs_dir)
    if disk.is_short:
        _log.warning("warning: %s", disk.text)
    if settings.budget_s is not None and left:
        _log.info(summary.within(left, expected_s, at_once, settings.budget_s))


def _measure_latency(plan: Plan, trainings: Sequence[Training]) -> str:
    """Measure what has not been measured yet; returns why that failed, if so."""
    trainings, others = origin.with_same_cost(trainings)
    for training in others:
        _log.info(
            "no latency of %s: this code counts other operations for it than the one that trained it", training.name
        )
    if latency.is_complete(trainings):
        return ""
    _log.info("measuring the latency of one image, with nothing else running here")
    try:
        latency.measure_latency(plan, trainings)
    except latency.MachineBusy:
        _log.info(
            "  it goes on, so the latency is left for later: the same command measures it when nothing trains here"
        )
    except Exception as error:  # a user's own network may raise anything, and the accuracies still stand
        return f"the latency could not be measured: {str(error) or type(error).__name__}"
    return ""


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


def _fetch_data(plan: Plan, left: Sequence[Training], data_dir: Path | None) -> None:
    """Get the data before anything else: a download belongs to the person's terminal, not to a worker's log."""
    for name in dict.fromkeys(training.config.data for training in left):
        data.load(name, "train", data_dir)
    for name, sha256 in dict.fromkeys((training.config.data, training.data_sha256) for training in plan.trainings):
        data.keep_for_reports(name, sha256, data_dir)
