"""The scheduler, with an executor that plays a script: what cannot be had on every machine, like a lack of memory."""

from __future__ import annotations

import errno
import time

import filelock
import pytest
from helpers.scripted_executor import CRASH, OUT_OF_MEMORY, WHOLE, Remembered, ScriptedExecutor, Trained
from helpers.tracked import ask, finish

from zoo.execution import running, scheduler
from zoo.execution.messages import Exited, Failed, Finished, Heartbeat, Notice, Waiting
from zoo.execution.scheduler import Interrupt, Policy
from zoo.storage.record import Record
from zoo.storage.records import Status
from zoo.storage.states import FailureKind, TrainingState
from zoo.training.events import ProgressUpdate


@pytest.fixture
def plan(tmp_path):
    return ask(tmp_path)  # hidden=[8] and hidden=[16], seeds 0 and 1, 20 steps each


NAMES = ["hidden=[8] · seed 0", "hidden=[16] · seed 0", "hidden=[8] · seed 1", "hidden=[16] · seed 1"]
NOT_A_NUMBER = Failed(FailureKind.DIVERGED, "the loss is not a number at step 7")


def play(plan, executor, interrupt=None, **policy):
    remembered = Remembered()
    more = {name: policy.pop(name) for name in ("may_begin", "expected_s", "stages") if name in policy}
    outcome = scheduler.execute(
        plan, executor, remembered, interrupt=interrupt or Interrupt(), policy=Policy(**policy), **more
    )
    assert executor.is_closed
    return outcome, remembered


@pytest.mark.parametrize("slots", [1, 3])
def test_as_many_run_at_once_as_there_are_slots_and_all_get_done_in_order(plan, slots):
    executor = ScriptedExecutor(slots)
    outcome, remembered = play(plan, executor)
    assert executor.begun == NAMES and executor.at_once == slots
    assert [training.name for training in outcome.done] == NAMES and outcome.is_whole
    assert remembered.of("started") == [[name] for name in NAMES]
    assert sorted(remembered.of("ended")) == sorted([name, TrainingState.DONE, ""] for name in NAMES)
    assert [training.record.status().state for training in plan.trainings] == [TrainingState.DONE] * 4


def test_a_crash_is_tried_again_and_given_up_after_three_attempts_without_progress(plan):
    executor = ScriptedExecutor(1, {NAMES[0]: [[Exited(CRASH)]] * 3})
    outcome, remembered = play(plan, executor, retries=2)
    assert executor.begun == [NAMES[0]] * 3 + NAMES[1:]
    assert [(training.name, reason) for training, reason in outcome.failed] == [(NAMES[0], CRASH.text)]
    assert remembered.of("retrying") == [
        [NAMES[0], CRASH.text, "trying again from the start (attempt 2 of 3)"],
        [NAMES[0], CRASH.text, "trying again from the start (attempt 3 of 3)"],
    ]
    status = plan.trainings[0].record.status()
    assert (status.state, status.failure, status.reason) == (TrainingState.FAILED, FailureKind.CRASH, CRASH.text)
    assert not status.repeats
    assert [attempt.failure for attempt in plan.trainings[0].record.attempts()] == [FailureKind.CRASH] * 3


def test_an_attempt_that_gets_further_gives_the_next_ones_a_new_start(plan):
    record = plan.trainings[0].record

    def get_further(job):
        if job.training.name == NAMES[0] and len(executor.begun) < 6:
            (record.checkpoints / f"step_{len(executor.begun):08d}").mkdir(parents=True)

    executor = ScriptedExecutor(1, {NAMES[0]: [[Exited(CRASH)]] * 5 + [WHOLE]}, on_start=get_further)
    outcome, _ = play(plan, executor, retries=1)
    assert len(outcome.done) == 4 and not outcome.failed


def test_those_that_crash_together_are_tried_again_in_their_order(plan):
    executor = ScriptedExecutor(2, {name: [[Exited(CRASH)], WHOLE] for name in NAMES[:2]})
    play(plan, executor)
    assert executor.begun == [*NAMES[:2], *NAMES[:2], *NAMES[2:]]


def test_a_lack_of_memory_means_fewer_at_once_from_then_on(plan):
    executor = ScriptedExecutor(3, {NAMES[1]: [[Exited(OUT_OF_MEMORY)], WHOLE]})
    outcome, remembered = play(plan, executor)
    assert len(outcome.done) == 4 and executor.slots == 2
    ((_, _, how),) = remembered.of("retrying")
    assert how == "trying again from the start, with 2 at once from now on (attempt 2 of 3)"


def test_a_process_that_the_system_ends_for_memory_is_tried_again_even_alone(plan):
    executor = ScriptedExecutor(1, {NAMES[0]: [[Exited(OUT_OF_MEMORY)], WHOLE]})
    assert len(play(plan, executor)[0].done) == 4
    (attempt, _) = plan.trainings[0].record.attempts()
    assert attempt.failure is FailureKind.MEMORY_KILL


def test_tensorflow_out_of_memory_is_tried_again_only_where_fewer_at_once_are_possible(plan):
    lack = [Failed(FailureKind.OUT_OF_MEMORY, "ResourceExhaustedError: OOM when allocating"), Exited()]
    several, one = ScriptedExecutor(2, {NAMES[0]: [lack, WHOLE]}), ScriptedExecutor(1, {NAMES[0]: [lack]})
    assert len(play(plan, one)[0].failed) == 1
    assert len(play(plan, several)[0].done) == 4 and several.slots == 1


def test_what_a_reason_says_decides_nothing(plan):
    """The words of a failure for want of memory, as an exception of a user's own network may hold them, too."""
    words = Failed(FailureKind.ERROR, "ResourceExhaustedError: memory was short, SIGABRT")
    executor = ScriptedExecutor(2, {NAMES[0]: [[words, Exited()]]})
    outcome, remembered = play(plan, executor)
    assert [reason for _, reason in outcome.failed] == [words.reason]
    assert executor.slots == 2 and not remembered.of("retrying")


def test_an_exception_and_a_divergence_are_not_tried_again(plan):
    scripts = {
        NAMES[0]: [[Failed(FailureKind.ERROR, "ValueError: no"), Exited()]],
        NAMES[1]: [[NOT_A_NUMBER, Exited()]],
    }
    outcome, _ = play(plan, ScriptedExecutor(1, scripts))
    assert [reason for _, reason in outcome.failed] == ["ValueError: no", NOT_A_NUMBER.reason]
    again, remembered = play(plan, ScriptedExecutor(1))
    assert [training.name for training, _ in again.failed] == [NAMES[1]]  # the other is done now
    assert remembered.of("left_out") == [[NAMES[1], NOT_A_NUMBER.reason]]
    assert len(play(plan, ScriptedExecutor(1), retry_failed=True)[0].done) == 4


@pytest.mark.parametrize("last", [Heartbeat(), Waiting("another process is training the same")])
def test_what_hangs_is_asked_where_it_is_then_ended_and_tried_again(plan, monkeypatch, last):
    monkeypatch.setattr(running, "DUMP_S", 0.05)
    executor = ScriptedExecutor(1, {NAMES[0]: [[last], WHOLE]})
    outcome, remembered = play(plan, executor, hang_after_s=0.2)
    assert executor.attempts[0].orders == ["dump", "kill"] and len(outcome.done) == 4
    ((_, reason, _),) = remembered.of("retrying")
    assert reason.startswith("it hung: no heartbeat for ")
    assert plan.trainings[0].record.attempts()[0].failure is FailureKind.HANG


def test_heartbeats_alone_keep_a_training_alive(plan):
    executor = ScriptedExecutor(1, {NAMES[0]: [[*[Heartbeat()] * 8, *WHOLE]]}, on_events=lambda: time.sleep(0.05))
    assert len(play(plan, executor, hang_after_s=0.25)[0].done) == 4
    assert executor.attempts[0].orders == []


def test_a_success_without_results_is_a_failure(plan):
    outcome, _ = play(plan, ScriptedExecutor(1, {NAMES[0]: [[Finished(), Exited()]]}))
    assert [reason for _, reason in outcome.failed] == ["its process reported success, but its results are not on disk"]
    assert plan.trainings[0].record.status().failure is FailureKind.NO_RESULT


def test_a_process_that_ends_with_neither_result_nor_cause_crashed(plan):
    executor = ScriptedExecutor(1, {NAMES[0]: [[Exited()], WHOLE]})
    _, remembered = play(plan, executor)
    assert [reason for _, reason, _ in remembered.of("retrying")] == ["its process ended without a result"]


def test_a_crash_after_the_results_are_on_disk_changes_nothing(plan):
    script = [Trained((10, 20)), Finished(), Exited(CRASH)]
    outcome, _ = play(plan, ScriptedExecutor(1, {NAMES[0]: [script]}))
    assert len(outcome.done) == 4


def test_an_attempt_is_recorded_with_its_steps_and_what_it_was_expected_to_take(plan):
    training = plan.trainings[0]
    script = [Waiting("for a lock"), *WHOLE]
    scripts = {NAMES[0]: [[ProgressUpdate(7, 2.5, 100.0), *WHOLE]], NAMES[1]: [script]}
    expected = {training.key: 12.5 for training in plan.trainings}
    _, remembered = play(plan, ScriptedExecutor(1, scripts), expected_s=expected)
    (attempt,) = training.record.attempts()
    assert (attempt.state, attempt.first_step, attempt.last_step) == (TrainingState.DONE, 0, 7)
    assert attempt.expected_s == 12.5 and attempt.startup_s >= 0 and attempt.at_once == 1
    assert remembered.of("progress") == [[NAMES[0], ProgressUpdate(7, 2.5, 100.0)]]
    (waited,) = plan.trainings[1].record.attempts()
    assert waited.expected_s is None and remembered.of("waiting") == [[NAMES[1], "for a lock"]]


def test_what_a_worker_notices_is_shown_with_its_training(plan, caplog):
    play(plan, ScriptedExecutor(1, {NAMES[1]: [[Notice("a checkpoint is damaged"), *WHOLE]]}))
    assert [each.getMessage() for each in caplog.records] == [f"{NAMES[1]}: a checkpoint is damaged"]


def test_a_result_that_nobody_was_left_to_record_is_recorded_by_the_next_sweep(plan):
    first, second = plan.trainings[:2]
    for training in (first, second):
        finish(training)
        training.record.write_status(Status(state=TrainingState.RUNNING))
    with filelock.FileLock(second.record.lock_file):  # another sweep trains it for more steps
        play(plan, ScriptedExecutor(1))
    assert [t.record.status().state for t in (first, second)] == [TrainingState.DONE, TrainingState.RUNNING]


def test_one_interrupt_stops_what_runs_and_begins_nothing(plan):
    interrupt = Interrupt()
    executor = ScriptedExecutor(
        2,
        {name: [[Heartbeat()] * 3] for name in NAMES[:2]},
        on_events=lambda: None if interrupt.is_requested else interrupt.receive(),
    )
    outcome, remembered = play(plan, executor, interrupt=interrupt)
    assert outcome.stopped and not outcome.done and not outcome.failed
    assert executor.begun == NAMES[:2] and all(attempt.orders == ["stop"] for attempt in executor.attempts)
    assert remembered.of("ended") == [[name, TrainingState.STOPPED, ""] for name in NAMES[:2]]


def test_what_does_not_stop_in_time_is_ended(plan, monkeypatch):
    monkeypatch.setattr(running, "STOP_S", 0.1)
    interrupt = Interrupt()
    executor = ScriptedExecutor(1, {NAMES[0]: [[Heartbeat()]]}, on_events=lambda: interrupt.is_requested or stubborn())

    def stubborn():
        interrupt.receive()
        executor.attempts[0].stop = lambda: None

    outcome, remembered = play(plan, executor, interrupt=interrupt)
    assert executor.attempts[0].orders == ["kill"] and outcome.stopped
    assert remembered.of("ended") == [[NAMES[0], TrainingState.STOPPED, ""]]


def test_what_has_no_time_is_left_and_a_shorter_one_behind_it_is_done(plan):
    outcome, _ = play(plan, ScriptedExecutor(1), may_begin=lambda training: "16" not in training.name)
    assert [training.name for training in outcome.not_begun] == [NAMES[1], NAMES[3]]
    assert [training.name for training in outcome.done] == [NAMES[0], NAMES[2]]


def test_a_status_that_cannot_be_written_fails_its_training_only(plan, monkeypatch):
    first, write = plan.trainings[0].record, Record.write_status

    def write_status(record, status):
        if record == first:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(record, status)

    monkeypatch.setattr(Record, "write_status", write_status)
    executor = ScriptedExecutor(1)
    outcome, remembered = play(plan, executor)
    ((failed, reason),) = outcome.failed
    assert (failed.name, reason) == (NAMES[0], "the disk is full (No space left on device)")
    assert executor.begun == NAMES[1:] and remembered.of("started") == [[name] for name in NAMES]


def test_a_stage_is_asked_for_when_the_one_before_has_ended(plan):
    def two_stages():
        yield list(plan.trainings[:2])
        assert all(training.is_done() for training in plan.trainings[:2])
        yield [plan.trainings[3]]

    executor = ScriptedExecutor(2)
    outcome, _ = play(plan, executor, stages=two_stages())
    assert outcome.is_whole and executor.begun == [*NAMES[:2], NAMES[3]]
