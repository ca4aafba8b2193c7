"""The thread that sends to MLflow while the trainings go on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zoo.plan.runs import Plan, Training
from zoo.storage.states import TrainingState
from zoo.tracking.address import without_passwords
from zoo.tracking.errors import NameTaken, TrackingError, explained
from zoo.tracking.store import Store

_log = logging.getLogger(__name__)

PATIENCE_S = 90  # longer than the retries of one request
_MESSAGE_AFTER_S = 3
_POLL_S = 0.05


@dataclass(frozen=True)
class _Update:
    """The newest state of a training, and the reason of a failure."""

    training: Training
    state: TrainingState
    reason: str


class Recorder:
    """Sends to MLflow from a thread of its own, so that a slow or absent store never holds up the training.

    Only the newest state of each training waits. What could not be sent is tried again with the next update and by
    ``close``; it stays on disk in any case. That MLflow goes away and comes back is logged, from that thread.
    """

    def __init__(
        self,
        plan: Plan,
        uri: str,
        directory: Path,
        command: str = "",
        on_name_taken: Callable[[], object] = lambda: None,  # called from the thread
        *,
        on_opened: Callable[[Store], object] = lambda store: None,  # likewise, when MLflow answers for the first time
        repair: bool = False,  # files that are gone are made again
    ):
        self._repair, self._on_opened = repair, on_opened
        self._on_name_taken = on_name_taken
        self._plan, self._uri, self._directory, self._command = plan, uri, directory, command
        self._waiting: dict[str, _Update] = {}
        self._unsent: dict[str, _Update] = {}  # the sending thread's own
        self._changed = threading.Condition()
        self._closing = False
        self._had_problem = False
        self._sent = 0  # how many updates have got through
        self.store: Store | None = None
        self.problem: TrackingError | None = None
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def update(self, training: Training, state: TrainingState, reason: str = "") -> None:
        """Have the record of a training sent, soon. Returns at once."""
        with self._changed:
            self._waiting[training.key] = _Update(training, state, reason)
            self._changed.notify()

    def close(self, patience_s: float = PATIENCE_S) -> TrackingError | None:
        """Wait until all is sent, as long as something gets through every ``patience_s``; returns what is in the way.

        Bounded: when nothing gets through for ``patience_s``, the thread is left behind and ends with the program.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        sent, since, is_announced = self._sent, time.monotonic(), False
        while self._thread.is_alive():
            self._thread.join(min(0.2, patience_s))
            waited_s = time.monotonic() - since
            if waited_s > _MESSAGE_AFTER_S and not is_announced:
                is_announced = True
                _log.info("sending the results to MLflow (they are on disk already: Ctrl-C does no harm)")
            if self._sent > sent:
                sent, since = self._sent, time.monotonic()
            elif waited_s > patience_s and self._thread.is_alive():
                store = without_passwords(self._uri, self._uri)
                return TrackingError(f"MLflow at {store} has taken nothing for {patience_s:.0f} seconds")
        return self.problem

    def wait_until_sent(self, patience_s: float) -> bool:
        """Whether MLflow has everything so far, or comes to have it within ``patience_s``."""
        until = time.monotonic() + patience_s
        while self.store is None or self.unsent:
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        return True

    def wait_until_opened(self, patience_s: float, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Wait until MLflow has answered, or is known to be away; at most ``patience_s``, and while it ``is_wanted``."""
        until = time.monotonic() + patience_s
        while self.is_unopened and is_wanted() and time.monotonic() < until:
            time.sleep(_POLL_S)

    @property
    def is_unopened(self) -> bool:
        """Whether MLflow has not answered yet, nor been in the way: it is still being imported, or asked."""
        return self.store is None and not self._had_problem

    @property
    def unsent(self) -> frozenset[str]:
        """The keys of the trainings whose newest state has not got through."""
        with self._changed:
            return frozenset({**self._waiting, **self._unsent})

    def _work(self) -> None:
        unsent = self._unsent
        self._attempt(unsent)  # open the store before the first result, so that `mlflow ui` shows the sweep at once
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                closing = self._closing and not self._waiting
                unsent |= self._waiting
                self._waiting.clear()
            if unsent or self.store is None:
                self._attempt(unsent)
            if closing:
                self._tidy_up()
                return

    def _tidy_up(self) -> None:
        """Say how it has come out; what MLflow was asked for while it did not answer it may have done since then."""
        if self.store and not self.problem:
            try:
                self.store.describe_results()
                if self._had_problem:
                    self.store.refresh()
            except TrackingError as error:
                self.problem = error

    def _attempt(self, unsent: dict[str, _Update]) -> None:
        """Send what can be sent, removing it from ``unsent``."""
        before, self.problem = self.problem, None
        try:
            with explained(self._uri):
                if self.store is None:
                    self.store = Store(self._plan, self._uri, self._directory, self._command, repair=self._repair)
                    self._on_opened(self.store)
        except TrackingError as error:
            self.problem = error
        else:
            self._send(self.store, unsent)
        self._had_problem |= self.problem is not None
        if isinstance(self.problem, NameTaken):
            self._on_name_taken()
        elif not self._closing:  # else the caller of `close` reports it
            self._log_change(before)

    def _send(self, store: Store, unsent: dict[str, _Update]) -> None:
        in_a_row = 0
        for key, update in list(unsent.items()):
            try:
                with explained(self._uri):
                    store.send(update.training, update.state, update.reason)
            except TrackingError as error:
                self.problem = error
                unsent[key] = unsent.pop(key)  # to the end of the queue
                in_a_row += 1
                if in_a_row == 2:  # not this training's own trouble: the store is away
                    return
            else:
                del unsent[key]
                self._sent += 1
                in_a_row = 0

    def _log_change(self, before: TrackingError | None) -> None:
        if self.problem and not before:
            _log.warning("%s; the sweep goes on, and its results are kept on disk", self.problem)
        elif before and not self.problem:
            _log.info("MLflow is back and has everything so far")
