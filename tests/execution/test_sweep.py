"""A whole sweep around a scripted executor: what it shows, sends and refuses, without any training."""

from __future__ import annotations

from collections.abc import Iterator

import filelock
import pytest
from helpers.scripted_executor import CRASH, ScriptedExecutor
from helpers.sweeps import sweep as run_command
from helpers.tracked import TWO_SIZES, ask, finish, runs_of, train, uri_of

from zoo.config import load
from zoo.execution import executors, sweep
from zoo.execution.executor import ExecutorEntry, ExecutorError, ExecutorOptions
from zoo.execution.messages import Exited
from zoo.execution.sweep import Settings
from zoo.plan.runs import make_plan
from zoo.storage.errors import RecordError
from zoo.storage.sweep_lock import SweepInUse
from zoo.tracking.errors import NameTaken


@pytest.fixture
def settings(workdir, monkeypatch) -> Iterator[Settings]:
    monkeypatch.chdir(workdir)
    monkeypatch.setattr(sweep.latency, "without_latency", lambda trainings: [])  # it takes TensorFlow
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
    assert [line for line in lines if line.startswith("[")] == [
        f"[{number}/4] {training.name}: 20 steps" for number, training in enumerate(plan.trainings, start=1)
    ]
    assert lines[-1].startswith("4 of 4 trainings complete, after ")


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


@pytest.mark.parametrize("name", ["status.json", "training.json", "attempts.json", "latency.json", "history.csv"])
def test_a_damaged_record_is_an_error_and_a_fresh_start_moves_it_aside(settings, workdir, name):
    plan = ask(workdir)
    record = plan.trainings[0].record
    train(plan.trainings[0], 10)
    (record.directory / name).write_bytes(b"\x00\x00")
    executor = ScriptedExecutor(1)
    use(executor)
    with pytest.raises(RecordError, match=name):
        sweep.run(plan, settings)
    assert executor.begun == []
    fresh = Settings(**{**vars(settings), "fresh": True})
    assert sweep.run(plan, fresh).outcome.is_whole and len(executor.begun) == 4
    (moved,) = settings.runs_dir.glob(f"{record.directory.name}.before-*")
    assert (moved / name).read_bytes() == b"\x00\x00"


def test_a_damaged_record_ends_the_command_with_one_message(workdir, env):
    (workdir / "runs").mkdir()
    ask(workdir)
    for training in make_plan(load(workdir / "size.yaml"), workdir / "runs").trainings:
        finish(training)
    damaged = training.record.history_file
    damaged.write_bytes(damaged.read_bytes()[:-40] + b"\x00" * 40)
    done = run_command(workdir, env, "size.yaml")
    path = damaged.relative_to(workdir)
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{path} cannot be used: it is no table of numbers with a step in each row (")
    assert line.endswith(
        f". Restore it, or move {path.parent} to another place: the same command then does this training again from the "
        "start"
    )


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
    """A server is asked beside the first training, which is stopped then with what it has."""
    use(ScriptedExecutor(1))
    assert sweep.run(ask(workdir), settings).outcome.is_whole
    monkeypatch.setattr(sweep.ownership, "check_before", lambda *arguments: None)
    (workdir / "other").mkdir()
    other = ask(workdir / "other", TWO_SIZES.replace("[16]", "[32]"))
    waiting = {training.name: [[]] for training in other.trainings}  # they end only when they are asked to
    executor = ScriptedExecutor(1, waiting)
    use(executor)
    result = sweep.run(other, settings)
    assert isinstance(result.unsent, NameTaken) and result.outcome.stopped and len(executor.begun) == 1
