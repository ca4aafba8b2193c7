"""The scheduler, with an executor that plays out a script: what cannot be had on every machine, like a lack of memory."""

from __future__ import annotations

import filelock
import pytest
from helpers.scripted_executor import CRASH, WHOLE, Stage
from helpers.tracked import ask, finish

from zoo.execution import scheduler
from zoo.execution.scheduler import Policy
from zoo.host.processes import death
from zoo.storage.records import Status
from zoo.storage.states import TrainingState

MEMORY = death(-9, out_of_memory=True)


class Deaf:
    """An audience that only remembers."""

    def __init__(self):
        self.told: list[tuple] = []

    def __getattr__(self, what):
        return lambda training, *rest: self.told.append((what, training.name, *rest))


@pytest.fixture
def plan(tmp_path):
    return ask(tmp_path)  # hidden=[8] and hidden=[16], seeds 0 and 1, 20 steps each


NAMES = ["hidden=[8] · seed 0", "hidden=[16] · seed 0", "hidden=[8] · seed 1", "hidden=[16] · seed 1"]


def play(plan, stage, audience=None, interrupt=None, **policy):
    audience = audience or Deaf()
    more = {"may_begin": policy.pop("may_begin")} if "may_begin" in policy else {}
    done = scheduler.execute(
        plan,
        stage,
        audience,
        interrupt=interrupt or scheduler.Interrupt(),
        policy=Policy(**policy),
        **more,
    )
    return done, audience


@pytest.mark.parametrize("slots", [1, 3])
def test_as_many_run_at_once_as_there_are_slots_and_all_get_done_in_order(plan, slots):
    stage = Stage(slots, {})
    outcome, _ = play(plan, stage)
    assert stage.begun == NAMES and stage.at_once == slots
    assert [training.name for training in outcome.done] == NAMES


def test_a_crash_is_tried_again_and_given_up_after_three_attempts_without_progress(plan):
    stage = Stage(1, {NAMES[0]: [[("gone", CRASH)]] * 3})
    outcome, audience = play(plan, stage, retries=2)
    assert stage.begun == [NAMES[0]] * 3 + NAMES[1:]
    assert [(training.name, reason) for training, reason in outcome.failed] == [(NAMES[0], CRASH)]
    assert [note for what, _, _, note in (t for t in audience.told if t[0] == "again")] == [
        "trying again from the start (attempt 2 of 3)",
        "trying again from the start (attempt 3 of 3)",
    ]
    status = plan.trainings[0].record.status()
    assert (status.state, status.reason, status.repeats) == (TrainingState.FAILED, CRASH, False)
    assert len(plan.trainings[0].record.attempts()) == 3


def test_an_attempt_that_gets_further_gives_the_next_ones_a_new_start(plan):
    record = plan.trainings[0].record
    stage = Stage(1, {NAMES[0]: [[("gone", CRASH)]] * 5 + [WHOLE]})
    start = stage.start

    def further_each_time(job):
        if job.training.name == NAMES[0] and len(stage.begun) < 5:
            attempt = start(job)
            (record.checkpoints / f"step_{len(stage.begun):08d}").mkdir(parents=True)
            return attempt
        return start(job)

    stage.start = further_each_time
    outcome, _ = play(plan, stage, retries=1)
    assert len(outcome.done) == 4 and not outcome.failed


def test_a_lack_of_memory_means_fewer_at_once_from_then_on(plan):
    stage = Stage(3, {NAMES[1]: [[("gone", MEMORY)], WHOLE]})
    outcome, audience = play(plan, stage)
    assert len(outcome.done) == 4 and stage.slots == 2
    (note,) = (t[3] for t in audience.told if t[0] == "again")
    assert note == "trying again from the start, with 2 at once from now on (attempt 2 of 3)"


def test_tensorflow_out_of_memory_is_tried_again_only_where_fewer_at_once_are_possible(plan):
    said = [("failed", "ResourceExhaustedError: OOM when allocating"), ("gone", "")]
    wide, narrow = Stage(2, {NAMES[0]: [said, WHOLE]}), Stage(1, {NAMES[0]: [said]})
    assert len(play(plan, narrow)[0].failed) == 1
    assert len(play(plan, wide)[0].done) == 4 and wide.slots == 1


def test_an_exception_and_a_divergence_are_not_tried_again(plan):
    scripts = {
        NAMES[0]: [[("failed", "ValueError: no"), ("gone", "")]],
        NAMES[1]: [[("diverged", "the loss is not a number at step 7"), ("gone", "")]],
    }
    outcome, _ = play(plan, Stage(1, scripts))
    assert [reason for _, reason in outcome.failed] == ["ValueError: no", "the loss is not a number at step 7"]
    again, audience = play(plan, Stage(1, {}))
    assert [training.name for training, _ in again.failed] == [NAMES[1]]  # the other is done now
    assert ("left_out", NAMES[1], "the loss is not a number at step 7") in audience.told
    assert len(play(plan, Stage(1, {}), retry_failed=True)[0].done) == 4


def test_what_hangs_is_asked_where_it_stands_then_ended_and_tried_again(plan, monkeypatch):
    monkeypatch.setattr(scheduler, "_DUMP_SECONDS", 0.05)
    stage = Stage(1, {NAMES[0]: [[("alive", "")], WHOLE]})
    outcome, audience = play(plan, stage, stall_s=0.2)
    assert stage.attempts[0].orders == ["dump", "kill"] and len(outcome.done) == 4
    (reason,) = (t[2] for t in audience.told if t[0] == "again")
    assert reason.startswith("it hung: no sign of life for ")


def test_a_success_without_results_is_a_failure(plan):
    outcome, _ = play(plan, Stage(1, {NAMES[0]: [[("done", ""), ("gone", "")]]}))
    assert [reason for _, reason in outcome.failed] == ["its process reported success, but its results are not on disk"]


def test_a_crash_after_the_results_are_on_disk_changes_nothing(plan):
    outcome, _ = play(plan, Stage(1, {NAMES[0]: [[("trained", (10, 20)), ("done", ""), ("gone", CRASH)]]}))
    assert len(outcome.done) == 4


def test_a_result_that_nobody_was_left_to_record_is_recorded_by_the_next_sweep(plan):
    first, second = plan.trainings[:2]
    for training in (first, second):
        finish(training)
        training.record.write_status(Status(state=TrainingState.RUNNING))
    with filelock.FileLock(second.record.directory / ".lock"):  # another sweep trains it for more steps
        play(plan, Stage(1, {}))
    assert [t.record.status().state for t in (first, second)] == ["done", "running"]


def test_one_interrupt_stops_what_runs_and_begins_nothing(plan):
    interrupt = scheduler.Interrupt()
    stage = Stage(2, {name: [[("alive", "")] * 3] for name in NAMES[:2]})
    events = stage.events
    stage.events = lambda timeout_s: (interrupt._count() if interrupt.count == 0 else None, events(timeout_s))[1]
    outcome, audience = play(plan, stage, interrupt=interrupt)
    assert outcome.stopped and not outcome.done and not outcome.failed
    assert stage.begun == NAMES[:2] and all(attempt.orders == ["stop"] for attempt in stage.attempts)
    assert [t[1:3] for t in audience.told if t[0] == "ended"] == [(name, "stopped") for name in NAMES[:2]]


def test_what_has_no_time_is_left_and_a_shorter_one_behind_it_is_done(plan):
    outcome, _ = play(plan, Stage(1, {}), may_begin=lambda training: "16" not in training.name)
    assert [training.name for training in outcome.not_begun] == [NAMES[1], NAMES[3]]
    assert [training.name for training in outcome.done] == [NAMES[0], NAMES[2]]
