"""``run_sweep.py --sync``: what it makes of records on disk, and when MLflow cannot take them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import filelock
import pytest
from helpers.sweeps import ROOT, sweep
from helpers.tracked import ask, begin, finish, runs_of, train, uri_of

from zoo.config import load
from zoo.plan.runs import make_plan
from zoo.storage.records import Status
from zoo.storage.states import FailureKind, TrainingState
from zoo.tracking.sync import SyncResult, send_all, state_on_disk

LOCKED = "another program has locked the database and does not let go; close it"


def set_status(training, state: str, reason: str = "") -> None:
    failure = FailureKind.CRASH if state == "failed" else None
    training.record.write_status(Status(state=TrainingState(state), failure=failure, reason=reason))


def test_the_state_of_a_training_is_read_from_its_record(tmp_path):
    training = ask(tmp_path).trainings[0]
    assert state_on_disk(training) is None
    training.record.directory.mkdir(parents=True)
    assert state_on_disk(training) is None
    set_status(training, "running")  # and no process is at it: it was killed together with its sweep
    assert state_on_disk(training) == ("stopped", "")
    begin(training)
    with filelock.FileLock(training.record.directory / ".lock"):
        assert state_on_disk(training) == ("running", "")
    assert state_on_disk(training) == ("stopped", "")
    set_status(training, "failed", "the loss is not a number at step 13")
    assert state_on_disk(training) == ("failed", "the loss is not a number at step 13")
    set_status(training, "stopped")
    assert state_on_disk(training) == ("stopped", "")
    train(training, 10)
    set_status(training, "done")  # up to step 10, as an earlier form of the question had it
    assert state_on_disk(training) == ("stopped", "")
    finish(training)
    assert state_on_disk(training) == ("done", "")


def test_what_is_on_disk_is_sent_with_its_state(workdir):
    plan = ask(workdir)
    complete, failed, killed, _ = plan.trainings
    finish(complete)
    set_status(failed, "failed", "its process was ended by SIGKILL")
    train(killed, 10)
    set_status(killed, "running")
    sent = send_all(plan, uri_of(workdir), workdir)
    assert sent.problem is None
    assert sent.text == f"sent 3 of 4 runs to {uri_of(workdir)}: 1 complete, 1 stopped, 1 failed; 1 has nothing on disk"
    found = {name: (run.info.status, run.data.tags["status_detail"]) for name, run in runs_of(sent.store).items()}
    assert found == {
        complete.runs[0].name: ("FINISHED", "complete"),
        failed.runs[0].name: ("FAILED", "its process was ended by SIGKILL"),
        killed.runs[0].name: ("KILLED", "stopped; evaluated up to step 10; the same command goes on"),
    }


def test_nothing_on_disk_opens_no_store(tmp_path):
    sent = send_all(ask(tmp_path), uri_of(tmp_path), tmp_path)
    assert sent.text == f"sent 0 of 4 runs to {uri_of(tmp_path)}; 4 have nothing on disk"
    assert not (tmp_path / "mlflow.db").exists()


def test_the_text_shows_no_password():
    sent = SyncResult("postgresql://me:secret@db/x", 2, {"done": 1}, 1, None, None)
    assert sent.text == "sent 1 of 2 runs to postgresql://me:***@db/x: 1 complete; 1 has nothing on disk"


@pytest.mark.skipif(sys.platform == "win32", reason="another process holds the file")
def test_a_database_locked_for_a_whole_sweep(workdir, env):
    """By another process, and with all trained already: the sweep only has to send."""
    plan = make_plan(load(ask(workdir).question.path), workdir / "runs")
    for training in plan.trainings:
        finish(training)
    arguments = ("size.yaml", "--tracking-uri", f"{uri_of(workdir)}?timeout=0.1")
    holder = sqlite3.connect(workdir / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    done = sweep(workdir, env, *arguments, "--sync")
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert f"cannot be written to: {LOCKED}\n" in done.stderr
    assert "The results are safe in runs/; this sends them when it is back:\n" in done.stderr
    holder.execute("ROLLBACK")
    holder.close()
    code = (
        "import run_sweep, sys; code = run_sweep.main(sys.argv[1:]);"
        "print(sorted({'tensorflow', 'tf_keras'} & set(sys.modules))); sys.exit(code)"
    )
    command = [sys.executable, "-c", code, *arguments, "--sync"]
    synced = subprocess.run(
        command, cwd=workdir, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert synced.returncode == 0, synced.stderr
    first, *_, imported = synced.stdout.splitlines()
    assert first == f"sent 4 of 4 runs to {uri_of(workdir)}?timeout=0.1: 4 complete"
    assert imported == "[]"
    with sqlite3.connect(workdir / "mlflow.db") as store:
        assert store.execute("select status, count(*) from runs group by status").fetchall() == [("FINISHED", 4)]
        points = "select run_uuid, key, step, count(*) c from metrics group by 1, 2, 3 having c > 1"
        assert store.execute(points).fetchall() == []
        losses = "select count(*) from metrics where key = 'train/loss' and step in (10, 20)"
        assert store.execute(losses).fetchone() == (8,)
