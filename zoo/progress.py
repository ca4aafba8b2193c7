"""What the person who waits sees: two bars on a terminal, a line for each evaluation elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text

from zoo.plan import Plan, Training


class Display:
    """Shows a sweep's progress (an ``execute.Audience``)."""

    def __init__(self, plan: Plan, expected_seconds: dict[str, float | None]):
        self.console = Console(highlight=False, soft_wrap=True)
        self._expected = expected_seconds
        self._total = sum(training.steps_left() for training in plan.trainings)
        self._done = 0  # steps of the trainings that have ended
        self._first_step = 0
        self._count = len([t for t in plan.trainings if not t.is_done()])
        self._number = 0
        self._left = [t for t in plan.trainings if not t.is_done()]
        self._since = 0.0
        self._bars: Progress | None = None
        self._sweep: Any = None
        self._run: Any = None

    @contextlib.contextmanager
    def shown(self, name: str) -> Iterator[Display]:
        """The bars are on the terminal within this block."""
        if not self.console.is_terminal or not self._count:
            yield self
            return
        columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.percentage:>3.0f}%"), _Detail())
        with Progress(*columns, console=self.console, transient=True) as self._bars:
            self._sweep = self._bars.add_task(f"[bold]{name}", total=self._total, detail="")
            yield self
        self._bars = None

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, markup=False)

    def started(self, training: Training) -> None:
        self._number += 1
        self._since = time.monotonic()
        last = max(training.targets)
        self._first_step = last - training.steps_left()
        resumed = f", from step {self._first_step:,}" if self._first_step else ""
        if self._bars:
            self._run = self._bars.add_task(_short(training), total=last, completed=self._first_step, detail="starting")
        self.say(f"[{self._number}/{self._count}] {training.name}: {last:,} steps{resumed}")

    def beat(self, training: Training, beat: Any) -> None:
        last = max(training.targets)
        if self._bars:
            run_left = (last - beat.step) * training.config.batch / beat.images_per_s
            detail = f"{beat.images_per_s:,.0f} images/s  loss {beat.loss:.3f}  {duration(run_left)} left"
            self._bars.update(self._run, completed=beat.step, detail=detail)
            made = self._done + beat.step - self._first_step
            left = run_left + sum(self._expect(t, beat.images_per_s) for t in self._left if t.key != training.key)
            where = f"run {self._number} of {self._count}  {duration(left)} left"
            self._bars.update(self._sweep, completed=made, detail=where)
        if beat.evaluated:
            row = beat.evaluated
            self.say(
                f"    step {beat.step:>7,}  loss {row['train/loss']:.3f}  test {100 * row['test/accuracy_raw']:.2f} % raw, "
                f"{100 * row['test/accuracy_ema']:.2f} % averaged  {row['train/images_per_s']:,.0f} images/s"
            )

    def ended(self, training: Training, state: str, reason: str) -> None:
        self._done += max(training.targets) - self._first_step
        self._left = [t for t in self._left if t.key != training.key]
        if self._bars and self._run is not None:
            self._bars.remove_task(self._run)
            self._bars.update(self._sweep, completed=self._done)
        if state == "failed":
            self.say(f"    failed: {reason} (its output: {training.record.log})")

    def _expect(self, training: Training, images_per_s: float) -> float:
        expected = self._expected.get(training.key)
        return training.steps_left() * training.config.batch / images_per_s if expected is None else expected


class _Detail(ProgressColumn):
    """The text behind a bar."""

    def render(self, task) -> Text:
        return Text(task.fields.get("detail", ""))


def duration(seconds: float) -> str:
    """1:02:03 or 2:03."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def warn(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def _short(training: Training) -> str:
    name = training.runs[0].name
    return name if len(name) <= 40 else f"{name[:39]}…"
