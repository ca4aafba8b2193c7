"""What the person who waits sees: lines that stay, and bars on a terminal or else the time of day and what is left."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from zoo.execution.events import SweepEvents
from zoo.measure.readouts import evaluations
from zoo.plan.runs import Training
from zoo.storage.records import Row
from zoo.storage.states import TrainingState
from zoo.text.characters import visible
from zoo.text.wording import duration
from zoo.training.events import ProgressUpdate

_NAME_WIDTH = 28  # terminal columns for the name of what a bar is about


@dataclass
class _Shown:
    """A training on the screen, and how far it is."""

    training: Training
    number: int  # in the order in which the trainings of the sweep start
    first: int  # steps
    step: int
    last: int
    bar: TaskID | None = None
    images_per_s: float = 0.0

    @property
    def steps(self) -> int:
        return self.last - self.first


class Display(SweepEvents):
    """Shows a sweep's progress, with a bar for each training that runs.

    ``left`` are the trainings to be done, at most those when there ``may_be_fewer``. ``expected_s`` (training key ->
    seconds, where something is known) is for the time that is left; ``at_once`` is how many trainings run at the same
    time. Before the first one TensorFlow has to be loaded, unless it ``is_loaded``.
    """

    def __init__(
        self,
        left: Sequence[Training],
        expected_s: Mapping[str, float],
        at_once: int = 1,
        may_be_fewer: bool = False,
        is_loaded: bool = True,
    ):
        self.console = Console(highlight=False, soft_wrap=True)
        self._expected, self._at_once, self._is_loaded = expected_s, at_once, is_loaded
        self._at_most = "at most " if may_be_fewer else ""
        self._done = 0  # steps of the trainings that have ended
        self._number = 0
        self.expect(left)
        self._shown: dict[str, _Shown] = {}
        self._bars: Progress | None = None
        self._sweep: TaskID | None = None  # its bar

    @contextlib.contextmanager
    def shown(self, name: str) -> Iterator[Display]:
        """The bars are on the terminal within this block."""
        if not self.console.is_terminal or not self._count:
            yield self
            return
        columns = (
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=_NAME_WIDTH)),
            BarColumn(12),
            TextColumn("{task.percentage:>3.0f}%"),
            _Detail(table_column=Column(no_wrap=True)),
        )
        with Progress(*columns, console=self.console, transient=True) as self._bars:
            self._sweep = self._bars.add_task(
                "all runs" if self._count > 1 else visible(name), total=self._total, detail=""
            )
            yield self
        self._bars = None

    def expect(self, left: Sequence[Training]) -> None:
        """What is left to be done from here on, when nothing runs."""
        self._left = {training.key: training for training in left}
        self._total = self._done + sum(training.steps_to_train().count for training in left)
        self._count = self._number + len(left)

    def print(self, text: str) -> None:
        """A line that stays."""
        self.console.print(visible(text), markup=False, emoji=False)

    def started(self, training: Training) -> None:
        self._number += 1
        left = training.steps_to_train()
        first, last = left.first, left.last
        shown = self._shown[training.key] = _Shown(training, self._number, first, first, last)
        if self._bars:
            detail = "starting" if self._is_loaded else "loading TensorFlow"
            shown.bar = self._bars.add_task(_short(training.name), total=last, completed=first, detail=detail)
            self._update_sweep()
        resumed = f", going on from step {first:,}" if first else ""
        self._print(f"[{shown.number}/{self._at_most}{self._count}] {training.name}: {last:,} steps{resumed}")
        if not self._is_loaded and not self._bars:
            self._print_about(shown, "loading TensorFlow")
        self._is_loaded = True

    def waiting(self, training: Training, reason: str) -> None:
        shown = self._shown[training.key]
        if self._bars and shown.bar is not None:
            self._bars.update(shown.bar, detail="waiting")
        self._print_about(shown, reason)

    def progress(self, training: Training, update: ProgressUpdate) -> None:
        shown = self._shown[training.key]
        shown.step, shown.images_per_s = update.step, update.images_per_s
        if self._bars and shown.bar is not None:
            speed = f"{update.images_per_s:,.0f} images/s, loss {update.loss:.3f}"
            left = duration(self._seconds_left(shown))
            self._bars.update(shown.bar, completed=update.step, detail=f"{speed}, {left} left")
            self._update_sweep()
        if update.evaluated:
            row = update.evaluated
            left = "" if self._bars else f", {self._time_left()} left"
            self._print_about(
                shown,
                f"step {update.step:>7,}  loss {row['train/loss']:.3f}  test {_accuracies(row)}  "
                f"{row['train/images_per_s']:,.0f} images/s{left}",
            )

    def stopping(self, training: Training) -> None:
        self._print_about(self._shown[training.key], "stopping after a checkpoint (Ctrl-C again: at once)")

    def retrying(self, training: Training, reason: str, plan: str) -> None:
        shown = self._shown[training.key]
        shown.step = training.steps_to_train().first
        if self._bars and shown.bar is not None:
            self._bars.update(shown.bar, completed=shown.step, detail="starting again")
        self._print_about(shown, f"failed: {reason}; {plan}")

    def ended(self, training: Training, state: TrainingState, reason: str) -> None:
        shown = self._remove(training)
        if state is TrainingState.FAILED:
            self._print_about(shown, f"failed: {reason}")
        elif state is TrainingState.STOPPED:
            step = training.steps_to_train().first
            self._print_about(shown, f"saved at step {step:,}" if step else "stopped before there was anything to save")

    def left_out(self, training: Training, reason: str) -> None:
        self.started(training)
        self._print_about(self._shown[training.key], "left out: it failed before and would fail the same way")
        self._remove(training)

    def _remove(self, training: Training) -> _Shown:
        shown = self._shown.pop(training.key)
        self._done += shown.steps
        self._left.pop(training.key, None)
        if self._bars and shown.bar is not None:
            self._bars.remove_task(shown.bar)
            self._update_sweep()
        return shown

    def _print_about(self, shown: _Shown, text: str) -> None:
        """A line about one training, which says which when there are others."""
        self._print(f"  [{shown.number}] {text}" if self._at_once > 1 else f"  {text}")

    def _print(self, text: str) -> None:
        """A line about a moment, with the time of day where no bars show how time passes."""
        self.print(text if self._bars else f"{time.strftime('%H:%M:%S')} {text}")

    def _time_left(self) -> str:
        return duration(self._seconds_of_all([shown for shown in self._shown.values() if shown.images_per_s]))

    def _update_sweep(self) -> None:
        if self._bars is None or self._sweep is None:
            return
        steps = self._done + sum(shown.step - shown.first for shown in self._shown.values())
        numbers = [shown.number for shown in self._shown.values()] or [self._number]
        run = f"{min(numbers)} to {max(numbers)}" if len(numbers) > 1 else f"{numbers[0]}"
        running = [shown for shown in self._shown.values() if shown.images_per_s]
        detail = f"run {run} of {self._at_most}{self._count}"
        if running:
            detail += f", {self._time_left()} left"
        self._bars.update(self._sweep, completed=steps, total=self._total, detail=detail)

    def _seconds_left(self, shown: _Shown) -> float:
        return (shown.last - shown.step) * shown.training.config.batch / shown.images_per_s

    def _seconds_of_all(self, running: Sequence[_Shown]) -> float:
        """Seconds until the sweep is done, its trainings spread evenly over those that run at once."""
        own = [self._seconds_left(shown) for shown in running]
        keys = {shown.training.key for shown in running}
        others = sum(self._expect(t, running[0]) for t in self._left.values() if t.key not in keys)
        return max(max(own), (sum(own) + others) / min(self._at_once, len(self._left)))

    def _expect(self, training: Training, running: _Shown) -> float:
        """Seconds that a training will take, by earlier ones or else by the operations of a running one."""
        expected = self._expected.get(training.key)
        if expected is not None:
            return expected
        slower = training.cost.ops / max(1, running.training.cost.ops)
        return training.steps_to_train().count * training.config.batch * slower / running.images_per_s


class _Detail(ProgressColumn):
    """The text behind a bar."""

    max_refresh = 0.1

    def render(self, task: Task) -> Text:
        return Text(task.fields.get("detail", ""))


def _accuracies(row: Row) -> str:
    """The test accuracy of each evaluation: "raw weights 71.25 %, averaged weights 74.10 %"."""
    return ", ".join(f"{each.label} {100 * row[each.accuracy]:.2f} %" for each in evaluations())


def _short(name: str) -> str:
    name = visible(name)
    return name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"
