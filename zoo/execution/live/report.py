"""Keeps the page of a sweep up to date while it runs, at the cost of no training's clock and of hardly any of its time.

How far the sweep is gets into the page at once, which takes milliseconds. The report itself is written between two
trainings, when nothing trains, and only while all of that takes no more than ``SHARE`` of the time.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from zoo.execution.events import SweepEvents
from zoo.execution.live.standing import Standing
from zoo.plan.runs import Plan, Training
from zoo.storage.states import TrainingState

_log = logging.getLogger(__name__)

SHARE = 0.02  # of the time since the sweep began
FIRST_S = 4.0  # what the first report takes, roughly; each later one is expected to take what the one before did
APART_S = 30.0  # from one report to the next, at least
PATIENCE_S = 5.0  # how long MLflow is waited for, which the report is made from


class Page(Protocol):
    """What writes the page; zoo does not know the reports."""

    def prepare(self) -> None:
        """Return when nothing is being done any more for the reports to come."""

    def show(self, standing: Standing, text: str, *, is_running: bool) -> None:
        """Put into the page how far the sweep is."""

    def write(self, text: str) -> None:
        """Write the report as far as it goes, with a text that says how far that is."""


class Sent(Protocol):
    """Waits until MLflow has everything so far; whether it has."""

    def __call__(self, patience_s: float) -> bool: ...


class LiveReport(SweepEvents):
    """Listens to a sweep, and has its page written. What is in the way is said once, and ends it."""

    def __init__(self, plan: Plan, page: Page, clock: Callable[[], float] = time.monotonic):
        self._plan, self._page, self._clock = plan, page, clock
        self._is_working = True
        self._began = self._written = clock()
        self._spent_s, self._expected_s = 0.0, FIRST_S

    @contextlib.contextmanager
    def following(self, sent: Sent) -> Iterator[None]:
        """Within this block the trainings are done."""
        self._sent = sent
        self._began = self._written = self._clock()
        self._standing = Standing.of(self._plan)
        if self._standing.done < self._standing.wanted:
            self._show()
        try:
            yield
        except BaseException:
            self.stopped()
            raise

    def stopped(self) -> None:
        """The sweep ends before it is done."""
        self._try(lambda: self._page.show(self._standing, f"Stopped: {self._standing.text}", is_running=False))

    def started(self, training: Training) -> None:
        self._try(self._page.prepare)  # nothing of it runs beside a training's clock
        self._standing.running[training.key] = training.name
        self._show()

    def ended(self, training: Training, state: TrainingState, reason: str) -> None:
        self._standing.running.pop(training.key, None)
        self._standing.count([training])
        self._standing.failed += len(training.runs) if state is TrainingState.FAILED else 0
        if self._standing.may_be_fewer and not self._standing.running:
            self._standing.expect()
        self._show()
        if self._has_time():
            self._write()

    def left_out(self, training: Training, reason: str) -> None:
        self._standing.failed += len(training.runs)

    def _show(self) -> None:
        self._try(lambda: self._page.show(self._standing, self._text(), is_running=True))

    def _text(self) -> str:
        return f"{self._standing.text}, as of {time.strftime('%H:%M:%S')}"

    def _has_time(self) -> bool:
        """Whether nothing trains, more is to come, and the report takes little of the time."""
        if self._standing.running or self._standing.done + self._standing.failed >= self._standing.wanted:
            return False
        now = self._clock()
        is_little = self._spent_s + self._expected_s <= SHARE * (now - self._began)
        return is_little and now - self._written >= APART_S

    def _write(self) -> None:
        began = self._clock()
        if self._sent(PATIENCE_S):
            self._try(lambda: self._page.write(self._text()))
        self._written = self._clock()
        self._expected_s = self._written - began
        self._spent_s += self._expected_s

    def _try(self, action: Callable[[], object]) -> None:
        """What is in the way of a report now is in no training's way, and is said again at the end if it lasts."""
        if not self._is_working:
            return
        try:
            action()
        except Exception as error:
            self._is_working = False
            _log.warning("warning: the report is not kept up to date while the sweep runs: %s", error)
