"""What the person who waits sees: two bars on a terminal, a line for each evaluation elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.table import Column
from rich.text import Text

from zoo.plan import Plan, Training
from zoo.record import Beat
from zoo.wording import duration

_NAME_WIDTH = 28  # terminal columns for the name of what a bar is about


class Display:
    """Shows a sweep's progress (an ``execute.Audience``).

    ``ops_per_image`` (training key -> operations) and ``expected_seconds`` (None where nothing is known) are for the time
    that is left.
    """

    def __init__(self, plan: Plan, ops_per_image: Mapping[str, int], expected_seconds: Mapping[str, float | None]):
        self.console = Console(highlight=False, soft_wrap=True)
        self._ops = ops_per_image
        self._expected = expected_seconds
        self._left = {t.key: t for t in plan.trainings if not t.is_done()}
        self._total = sum(training.steps_left() for training in self._left.values())
        self._count = len(self._left)
        self._done = 0  # steps of the trainings that have ended
        self._number = 0
        self._first, self._last = 0, 0
        self._bars: Progress | None = None
        self._sweep: Any = None
        self._run: Any = None

    @contextlib.contextmanager
    def shown(self, name: str) -> Iterator[Display]:
        """The bars are on the terminal within this block."""
        if not self.console.is_terminal or not self._count:
            yield self
            return
        columns = (
            TextColumn("{task.description}", table_column=Column(no_wrap=True, max_width=_NAME_WIDTH)),
            BarColumn(12),
            TextColumn("{task.percentage:>3.0f}%"),
            _Detail(table_column=Column(no_wrap=True)),
        )
        with Progress(*columns, console=self.console, transient=True) as self._bars:
            self._sweep = self._bars.add_task("all runs" if self._count > 1 else name, total=self._total, detail="")
            yield self
        self._bars = None

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, markup=False)

    def started(self, training: Training) -> None:
        self._number += 1
        self._first, self._last = training.span()
        if self._bars:
            name = _short(training.name)
            self._run = self._bars.add_task(name, total=self._last, completed=self._first, detail="starting")
            self._bars.update(self._sweep, detail=f"run {self._number} of {self._count}")
        resumed = f", going on from step {self._first:,}" if self._first else ""
        self.say(f"[{self._number}/{self._count}] {training.name}: {self._last:,} steps{resumed}")

    def waiting(self, training: Training) -> None:
        if self._bars:
            self._bars.update(self._run, detail="waiting")
        self.say("  another process is training the same; waiting for it to end")

    def beat(self, training: Training, beat: Beat) -> None:
        if self._bars:
            run_left = (self._last - beat.step) * training.config.batch / beat.images_per_s
            speed = f"{beat.images_per_s:,.0f} images/s, loss {beat.loss:.3f}"
            self._bars.update(self._run, completed=beat.step, detail=f"{speed}, {duration(run_left)} left")
            others = (t for t in self._left.values() if t.key != training.key)
            left = run_left + sum(self._expect(t, training, beat.images_per_s) for t in others)
            made = self._done + beat.step - self._first
            where = f"run {self._number} of {self._count}, {duration(left)} left"
            self._bars.update(self._sweep, completed=made, detail=where)
        if beat.evaluated:
            row = beat.evaluated
            self.say(
                f"  step {beat.step:>7,}  loss {row['train/loss']:.3f}  test {100 * row['test/accuracy_raw']:.2f} %, "
                f"averaged {100 * row['test/accuracy_ema']:.2f} %  {row['train/images_per_s']:,.0f} images/s"
            )

    def stopping(self, training: Training) -> None:
        self.say("  stopping after a checkpoint (Ctrl-C again: at once)")

    def ended(self, training: Training, state: str, reason: str) -> None:
        self._done += self._last - self._first
        self._left.pop(training.key, None)
        if self._bars and self._run is not None:
            self._bars.remove_task(self._run)
            self._bars.update(self._sweep, completed=self._done)
        if state == "failed":
            self.say(f"  failed: {reason}")
        if state == "stopped":
            step, _ = training.span()
            self.say(f"  saved at step {step:,}" if step else "  stopped before there was anything to save")

    def left_out(self, training: Training, reason: str) -> None:
        self.started(training)
        self.say("  left out: it failed before and would fail the same way")
        self.ended(training, "left out", reason)

    def _expect(self, training: Training, running: Training, images_per_s: float) -> float:
        """Seconds that a training will take, judged by earlier ones or else by the operations of the running one."""
        expected = self._expected.get(training.key)
        if expected is not None:
            return expected
        slower = self._ops[training.key] / max(1, self._ops[running.key])
        return training.steps_left() * training.config.batch * slower / images_per_s


class _Detail(ProgressColumn):
    """The text behind a bar."""

    max_refresh = 0.1

    def render(self, task) -> Text:
        return Text(task.fields.get("detail", ""))


def _short(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"
