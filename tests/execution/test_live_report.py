"""The page of a sweep while it runs: what it says, and that nothing of it runs beside a training."""

from __future__ import annotations

import pytest
from helpers.scripted_executor import CRASH, ScriptedExecutor
from helpers.tracked import ask, train

from zoo.execution import scheduler
from zoo.execution.events import Observers
from zoo.execution.live.report import APART_S, FIRST_S, SHARE, LiveReport
from zoo.execution.live.standing import Standing
from zoo.execution.messages import Exited
from zoo.storage.states import TrainingState


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Page:
    """Remembers what it is asked for; writing the report takes ``takes_s``."""

    def __init__(self, clock: Clock, takes_s: float = 1.0):
        self.clock, self.takes_s = clock, takes_s
        self.shown: list[tuple[str, bool]] = []
        self.written: list[tuple[float, str]] = []
        self.prepared = 0
        self.problem: Exception | None = None
        self.executor: ScriptedExecutor | None = None

    def prepare(self) -> None:
        self.prepared += 1

    def show(self, standing: Standing, text: str, *, is_running: bool) -> None:
        if self.problem:
            raise self.problem
        self.shown.append((text.partition(", as of")[0], is_running))

    def write(self, text: str) -> None:
        self.written.append((self.clock.now, text.partition(", as of")[0]))
        self.clock.now += self.takes_s


def followed(plan, page: Page, executor: ScriptedExecutor, sent=lambda patience_s: True) -> LiveReport:
    live = LiveReport(plan, page, page.clock)
    with live.following(sent):
        scheduler.execute(plan, executor, Observers(live), interrupt=scheduler.Interrupt())
    return live


def taking(clock: Clock, seconds: float, slots: int = 1, **scripts) -> ScriptedExecutor:
    """An executor whose trainings take so long."""

    def pass_time(job) -> None:
        clock.now += seconds

    return ScriptedExecutor(slots, scripts, on_start=pass_time)


def test_the_page_says_how_far_the_sweep_is_before_and_after_every_training(workdir):
    plan, clock = ask(workdir), Clock()
    page = Page(clock)
    train(plan.trainings[0], 10, 20)  # done in an earlier sweep
    followed(plan, page, taking(clock, 1.0))
    texts = [text for text, _ in page.shown]
    assert texts[0] == "1 of 4 runs have a result" and texts[-1] == "4 of 4 runs have a result"
    assert list(dict.fromkeys(texts)) == [f"{n} of 4 runs have a result" for n in (1, 2, 3, 4)]
    assert all(is_running for _, is_running in page.shown)
    assert page.prepared == 3 and page.written == []  # 3 s in all: no time for a report


def test_the_report_is_written_between_trainings_and_takes_little_of_the_time(workdir):
    """Trainings of 150 s: FIRST_S is 2 % of 200 s, so that the first is after two; 1 s of 451 s more is little, too."""
    plan, clock = ask(workdir), Clock()
    page = Page(clock)
    followed(plan, page, taking(clock, 150.0))
    assert FIRST_S == 0.02 * 200 and SHARE == 0.02
    assert page.written == [
        (400.0, "2 of 4 runs have a result"),
        (551.0, "3 of 4 runs have a result"),
    ]  # not after the last


def test_reports_that_take_long_are_rare(workdir):
    """Trainings of 400 s, reports of 10 s: 20 s of 810 are more than 2 %; 20 of 1,210, 30 of 1,620, 40 of 2,030 are less."""
    plan, clock = ask(workdir, seeds=3), Clock()
    page = Page(clock, takes_s=10.0)
    followed(plan, page, taking(clock, 400.0))
    assert [time - 100.0 for time, _ in page.written] == [400.0, 1210.0, 1620.0, 2030.0]


def test_reports_are_apart(workdir):
    plan, clock = ask(workdir), Clock()
    page = Page(clock, takes_s=0.001)
    clock_at_start = iter((300.0, 1.0, 1.0, 1.0))
    followed(
        plan, page, ScriptedExecutor(1, on_start=lambda job: setattr(clock, "now", clock.now + next(clock_at_start)))
    )
    assert len(page.written) == 1 and APART_S == 30


def test_nothing_is_written_while_another_training_runs(workdir):
    plan, clock = ask(workdir), Clock()
    page = Page(clock)
    executor = taking(clock, 1000.0, slots=4)
    followed(plan, page, executor)
    assert executor.at_once == 4 and page.written == []
    assert page.shown[-1] == ("4 of 4 runs have a result", True)


def test_what_mlflow_does_not_have_yet_is_not_reported(workdir):
    plan, clock = ask(workdir), Clock()
    page = Page(clock)
    followed(plan, page, taking(clock, 1000.0), sent=lambda patience_s: False)
    assert page.written == []


def test_failures_are_counted(workdir):
    plan, clock = ask(workdir), Clock()
    page = Page(clock)
    followed(plan, page, taking(clock, 1.0, **{plan.trainings[1].name: [[Exited(CRASH)]] * 3}))
    assert page.shown[-1][0] == "3 of 4 runs have a result, 1 failed"


def test_what_is_in_the_way_is_said_once_and_stops_no_training(workdir, caplog):
    plan, clock = ask(workdir), Clock()
    page = Page(clock)
    page.problem = OSError("the disk is full")
    executor = taking(clock, 1000.0)
    followed(plan, page, executor)
    assert len(executor.begun) == 4 and page.written == []
    assert caplog.text.count("the report is not kept up to date while the sweep runs: the disk is full") == 1


def test_a_sweep_that_is_stopped_says_so_and_its_page_rests(workdir):
    plan, clock = ask(workdir), Clock()
    page = Page(clock)
    live = LiveReport(plan, page, clock)
    with pytest.raises(KeyboardInterrupt), live.following(lambda patience_s: True):
        live.started(plan.trainings[0])
        train(plan.trainings[0], 10, 20)
        live.ended(plan.trainings[0], TrainingState.DONE, "")
        raise KeyboardInterrupt
    assert page.shown[-1] == ("Stopped: 1 of 4 runs have a result", False)


def test_seeds_until_decided_are_at_most_so_many(workdir):
    text = """\
question: Does the size matter?
base: {model: alex2, data: digits, convs: [[3, 8]], steps: 20, evaluate_every: 10, precision: float32}
factors: {hidden: [[8], [16]]}
seeds: {min: 3, max: 5, until: decided}
margin: 0.75
"""
    standing = Standing.of(ask(workdir, text))
    assert standing.text == "0 of at most 10 runs have a result"
