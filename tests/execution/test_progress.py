"""What a sweep shows: lines that stay, and bars on a terminal."""

from __future__ import annotations

import re
import time

import pytest
from helpers.tracked import ask, row

from zoo.execution.progress import Display
from zoo.storage.states import TrainingState
from zoo.training.events import ProgressUpdate


@pytest.fixture
def plan(tmp_path):
    return ask(tmp_path)  # hidden=[8] and hidden=[16], seeds 0 and 1, 20 steps of a batch of 128 each


def play(display: Display, plan, pause_s: float = 0.0) -> None:
    """One training is evaluated, tried again and done, one fails, one is stopped, one left out."""
    first, second, third, fourth = plan.trainings
    with display.shown("size"):
        display.started(first)
        display.waiting(first, "another process is training the same; waiting for it to end")
        display.progress(first, ProgressUpdate(5, 2.5, 100.0))
        display.progress(first, ProgressUpdate(10, 2.25, 200.0, row(10)))
        time.sleep(pause_s)
        display.retrying(first, "a crash", "trying again from the start (attempt 2 of 3)")
        display.stopping(first)
        display.ended(first, TrainingState.DONE, "")
        display.started(second)
        display.ended(second, TrainingState.FAILED, "why")
        display.started(third)
        display.ended(third, TrainingState.STOPPED, "")
        display.left_out(fourth, "the loss is not a number")


def of_day(text: str) -> list[str]:
    """The lines without the time of day, which all have."""
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in text.splitlines()), text
    return [line[9:] for line in text.splitlines()]


LINES = [
    "[1/4] hidden=[8] · seed 0: 20 steps",
    "  another process is training the same; waiting for it to end",
    # loss 3 / 10, accuracies 1 - 2 / 10 and 1 - 1 / 10, 1000 + 10 images/s
    "  step      10  loss 0.300  test raw weights 80.00 %, averaged weights 90.00 %  1,010 images/s",
    "  failed: a crash; trying again from the start (attempt 2 of 3)",
    "  stopping after a checkpoint (Ctrl-C again: at once)",
    "[2/4] hidden=[16] · seed 0: 20 steps",
    "  failed: why",
    "[3/4] hidden=[8] · seed 1: 20 steps",
    "  stopped before there was anything to save",
    "[4/4] hidden=[16] · seed 1: 20 steps",
    "  left out: it failed before and would fail the same way",
]


def test_the_lines_without_a_terminal(plan, capsys):
    play(Display(plan.trainings, {}), plan)
    lines = of_day(capsys.readouterr().out)
    # 10 steps of 128 images are left of this one at 200 images/s, and 20 of each of the other three
    assert lines == [f"{line}, 45 s left" if "images/s" in line else line for line in LINES]


def test_that_tensorflow_is_loaded_first_is_said_once(plan, capsys):
    play(Display(plan.trainings, {}, is_loaded=False), plan)
    lines = of_day(capsys.readouterr().out)
    assert lines[:2] == [LINES[0], "  loading TensorFlow"] and lines.count("  loading TensorFlow") == 1


def test_with_several_at_once_a_line_names_its_training_and_a_bound_says_so(plan, capsys):
    play(Display(plan.trainings, {}, at_once=2, may_be_fewer=True), plan)
    out = of_day(capsys.readouterr().out)
    assert out[0] == "[1/at most 4] hidden=[8] · seed 0: 20 steps"
    assert "  [2] failed: why" in out


def test_bars_on_a_terminal_with_the_same_lines(plan, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    display = Display(plan.trainings, {training.key: 60.0 for training in plan.trainings})
    play(display, plan, pause_s=0.5)  # bars are drawn ten times a second
    out = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().out)
    for line in LINES:
        assert line in out
    # 10 steps of 128 images are left of this one, at 200 images/s, and a minute of each of the others
    assert "200 images/s, loss 2.250, 6 s left" in out
    assert "run 1 of 4, 3 min 6 s left" in out
