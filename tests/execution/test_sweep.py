"""A whole sweep around a scripted executor: what it shows, sends and refuses, without any training."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest
from helpers.scripted_executor import CRASH, ScriptedExecutor
from helpers.tracked import TWO_SIZES, ask, finish, runs_of, train, uri_of

from zoo.execution import executors, sweep
from zoo.execution.executor import ExecutorEntry, ExecutorError, ExecutorOptions
from zoo.execution.messages import Exited
from zoo.execution.sweep import Settings
from zoo.storage.errors import RecordError
from zoo.storage.records import LatencyRecord
from zoo.storage.sweep_lock import SweepInUse
from zoo.tracking.errors import NameTaken
from zoo.tracking.recorder import Recorder


@pytest.fixture
def settings(workdir, monkeypatch) -> Iterator[Settings]:
    monkeypatch.chdir(workdir)
    monkeypatch.setattr(sweep.latency, "is_complete", lambda trainings: True)  # it takes TensorFlow
    with executors.restored():
        yield Settings(workdir / "runs", uri_of(workdir), "python run_sweep.py size.yaml", executor="scripted")


def use(executor: ScriptedExecutor) -> list[ExecutorOptions]:
    """Register it; returns the options that it will have been made with."""
    made: list[ExecutorOptions] = []
    executors.register("scripted", ExecutorEntry(lambda options: made.append(options) or executor))
    return made


def test_the_results_of_an_executor_get_to_mlflow_and_the_lines_to_the_terminal(settings, workdir, capsys):
    plan = ask(workdir)
    options = use(ScriptedExecutor(2))
    result = sweep.run(plan, settings)
    assert result.outcome.is_whole and result.latency_problem == "" and result.unsent is None
    assert [run.info.status for run in runs_of(result.store).values()] == ["FINISHED"] * 4
    (made,) = options
    assert (made.at_once, made.jobs, made.workers, made.runs_dir) == (1, None, 1, settings.runs_dir)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["size: Does the size matter?", "4 runs, 2 at once"]
    begun = [re.fullmatch(r"\d\d:\d\d:\d\d (\[.*)", line) for line in lines]  # behind the time of day
    assert [match[1] for match in begun if match] == [
        f"[{number}/4] {training.name}: 20 steps" for number, training in enumerate(plan.trainings, start=1)
    ]
    assert lines[-1].startswith("4 of 4 trainings complete, after ")


def test_nothing_of_mlflows_start_is_left_when_the_first_training_begins(settings, workdir, monkeypatch):
    """It would run beside that training's clock, and make the baseline look slow."""
    recorders: list[Recorder] = []
    monkeypatch.setattr(
        sweep, "Recorder", lambda *args, **named: recorders.append(Recorder(*args, **named)) or recorders[-1]
    )
    monkeypatch.setattr(sweep, "_OPENING_S", 300.0)
    executor = ScriptedExecutor(1)
    start, opened = executor.start, []
    monkeypatch.setattr(executor, "start", lambda job: opened.append(recorders[0].store is not None) or start(job))
    use(executor)
    assert sweep.run(ask(workdir), settings).outcome.is_whole
    assert opened == [True] * 4


def test_a_failure_is_shown_and_sent_with_its_reason(settings, workdir, capsys):
    plan = ask(workdir)
    first = plan.trainings[0]
    use(ScriptedExecutor(1, {first.name: [[Exited(CRASH)]] * 3}))
    result = sweep.run(plan, settings)
    assert result.outcome.failed == [(first, CRASH.text)]
    failed = runs_of(result.store)[first.runs[0].name]
    assert (failed.info.status, failed.data.tags["status_detail"]) == ("FAILED", CRASH.text)
    out = capsys.readouterr().out
    assert f"  failed: {CRASH.text}; trying again from the start (attempt 2 of 3)\n" in out
    assert f"  failed: {CRASH.text}\n" in out and "3 of 4 trainings complete" in out


def test_one_at_a_time_works_on_a_sweep_in_a_directory(settings, workdir):
    plan = ask(workdir)
    use(ScriptedExecutor(1))
    settings.runs_dir.mkdir()
    with filelock.FileLock(settings.runs_dir / ".size.lock"), pytest.raises(SweepInUse, match="is working on size"):
        sweep.run(plan, settings)
    assert sweep.run(plan, settings).outcome.is_whole
    assert not (settings.runs_dir / ".size.owner.json").exists()


def test_an_executor_that_cannot_work_is_an_error_before_anything_begins(settings, workdir):
    def refuse(options):
        raise ExecutorError("no cluster answers")

    executors.register("scripted", ExecutorEntry(refuse))
    with pytest.raises(ExecutorError, match="no cluster answers"):
        sweep.run(ask(workdir), settings)


FORECAST = ("training.json", "attempts.json", "history.csv")  # what is read of other questions
FILES = ["status.json", "training.json", "attempts.json", "latency.json", "history.csv", "results/step_00000020.npz"]


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_and_costs_its_own_training_only(settings, workdir, name, caplog):
    plan = ask(workdir)
    use(ScriptedExecutor(1))
    assert sweep.run(plan, settings).outcome.is_whole
    record = plan.trainings[0].record
    record.write_latency(LatencyRecord(percentiles_ms={"p50": 1.5}))
    (record.directory / name).write_bytes(b"\x00\x00")
    executor = ScriptedExecutor(1)
    use(executor)
    result = sweep.run(plan, settings)
    assert result.outcome.is_whole and result.unsent is None
    assert executor.begun == ([plan.trainings[0].name] if name in ("history.csv", FILES[-1]) else [])
    assert f"{record.directory / name} is damaged: " in caplog.text
    (kept,) = record.directory.rglob(f".damaged-{Path(name).name}-*")
    assert kept.read_bytes() == b"\x00\x00"


@pytest.mark.parametrize("name", ["status.json", "training.json", "attempts.json", "latency.json", "history.csv"])
def test_a_damaged_file_of_another_question_is_passed_over(settings, workdir, name, caplog):
    other = ask(workdir, TWO_SIZES.replace("steps: 20", "steps: 20, batch: 32")).trainings[0]
    finish(other)
    path = other.record.directory / name
    path.write_bytes(b"")
    plan = ask(workdir)
    use(ScriptedExecutor(1))
    assert sweep.run(plan, settings).outcome.is_whole
    assert caplog.text.count(f"{path} is passed over: ") == (name in FORECAST)
    assert path.read_bytes() == b""


def test_a_fresh_start_moves_damaged_files_along(settings, workdir):
    plan = ask(workdir)
    record = plan.trainings[0].record
    train(plan.trainings[0], 10)
    record.history_file.write_bytes(b"\x00\x00")
    executor = ScriptedExecutor(1)
    use(executor)
    fresh = Settings(**{**vars(settings), "fresh": True})
    assert sweep.run(plan, fresh).outcome.is_whole and len(executor.begun) == 4
    (moved,) = settings.runs_dir.glob(f"{record.directory.name}.before-*")
    assert (moved / "history.csv").read_bytes() == b"\x00\x00"


def test_a_damaged_file_that_cannot_be_renamed_ends_the_command_with_one_message(settings, workdir, monkeypatch):
    plan = ask(workdir)
    finish(plan.trainings[0])
    damaged = plan.trainings[0].record.history_file
    damaged.write_bytes(b"")
    monkeypatch.setattr(Path, "rename", refused)
    executor = ScriptedExecutor(1)
    use(executor)
    with pytest.raises(RecordError) as raised:
        sweep.run(plan, settings)
    assert (
        str(raised.value).startswith(f"{damaged} cannot be used: its contents have changed ") and executor.begun == []
    )


def refused(path: Path, new: Path) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def test_another_question_of_the_same_name_is_refused_before_anything_begins(settings, workdir):
    use(ScriptedExecutor(1))
    assert sweep.run(ask(workdir), settings).outcome.is_whole
    executor = ScriptedExecutor(1)
    use(executor)
    (workdir / "other").mkdir()
    other = ask(workdir / "other", TWO_SIZES.replace("[16]", "[32]"))
    with pytest.raises(NameTaken, match=r"by another question, size\.yaml; give this one a name of its own"):
        sweep.run(other, settings)
    assert executor.begun == []


def test_a_name_that_a_server_turns_out_to_have_stops_the_sweep(settings, workdir, monkeypatch):
    """A server is asked while the first training begins, which is stopped then, if it has, with what it has."""
    use(ScriptedExecutor(1))
    assert sweep.run(ask(workdir), settings).outcome.is_whole
    monkeypatch.setattr(sweep.ownership, "check_before", lambda *arguments: None)
    (workdir / "other").mkdir()
    other = ask(workdir / "other", TWO_SIZES.replace("[16]", "[32]"))
    waiting = {training.name: [[]] for training in other.trainings}  # they end only when they are asked to
    executor = ScriptedExecutor(1, waiting)
    use(executor)
    result = sweep.run(other, settings)
    assert isinstance(result.unsent, NameTaken) and result.outcome.stopped and len(executor.begun) <= 1
