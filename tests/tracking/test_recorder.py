"""What becomes of a sweep's results while MLflow is away, locked, hung or being created."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.tracked import ask, finish, runs_of, uri_of

from zoo.plan import runs as plans
from zoo.storage.states import TrainingState
from zoo.text import messages
from zoo.tracking.address import DEFAULT_URI
from zoo.tracking.connection import open_client
from zoo.tracking.errors import TrackingError, explained
from zoo.tracking.recorder import Recorder

ROOT = Path(__file__).parents[2]


def recorder(workdir: Path, plan: plans.Plan, uri: str | None = None) -> Recorder:
    return Recorder(plan, uri or uri_of(workdir), workdir)


def test_the_recorder_sends_each_update(workdir, caplog):
    plan = ask(workdir)
    sender = recorder(workdir, plan)
    for training in plan.trainings:
        sender.update(training, TrainingState.RUNNING)
        finish(training)
        sender.update(training, TrainingState.DONE)
    assert sender.close() is None
    assert [run.info.status for run in runs_of(sender.store).values()] == ["FINISHED"] * 4
    assert "cannot" not in caplog.text


def test_the_opening_of_a_store_is_waited_for(workdir):
    plan = ask(workdir)
    sender = recorder(workdir, plan)
    sender.wait_until_opened(patience_s=300)
    assert sender.store is not None
    assert sender.close() is None
    (workdir / "folder").mkdir()
    away = recorder(workdir, plan, f"sqlite:///{workdir}/folder")
    away.wait_until_opened(patience_s=300)
    assert away.store is None and not away.is_unopened  # known to be away
    assert away.close() is not None


def test_the_opening_of_a_store_is_not_waited_for_any_longer_than_it_is_wanted(workdir, monkeypatch):
    opening, answered = threading.Event(), threading.Event()

    def hanging(*args, **kwargs):
        opening.set()
        assert answered.wait(60)
        raise TrackingError("away")

    monkeypatch.setattr("zoo.tracking.recorder.Store", hanging)
    sender = recorder(workdir, ask(workdir))
    assert opening.wait(60)
    sender.wait_until_opened(300, lambda: False)
    sender.wait_until_opened(0.1)
    assert sender.is_unopened
    answered.set()
    assert sender.close() is not None


def refused() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


AWAY = {
    "below a file": ("sqlite:///{workdir}/file/mlflow.db", "File exists"),
    "a directory": ("sqlite:///{workdir}/directory", "neither be opened nor created"),
    "not a database": ("sqlite:///{workdir}/file", "not a database"),
    "locked": ("sqlite:///{workdir}/locked.db?timeout=0.1", "another program has locked the database"),
    "other version": ("sqlite:///{workdir}/old.db", "version of MLflow; make a copy of it"),
    "refused": ("{refused}", "no server answers at this address"),
    "a plain folder": ("./mlruns", "keeps no runs in plain folders"),
    "a mistyped scheme": ("sqllite:///mlflow.db", "no such kind of address"),
}


@pytest.mark.parametrize("what", AWAY)
def test_without_its_store_a_sweep_goes_on_and_a_later_one_sends_all(what, workdir, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.chdir(workdir)
    (workdir / "file").write_text("no database " * 100)
    (workdir / "directory").mkdir()
    for name in ("locked.db", "old.db"):
        shutil.copy(workdir / "mlflow.db", workdir / name)
    holder = sqlite3.connect(workdir / "locked.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with sqlite3.connect(workdir / "old.db") as old:
        old.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    address, reason = AWAY[what]
    uri = address.format(workdir=workdir, refused=refused())

    plan = ask(workdir)
    sender = recorder(workdir, plan, uri)
    for training in plan.trainings:
        finish(training)
        sender.update(training, TrainingState.DONE)
    problem = sender.close()
    assert isinstance(problem, TrackingError)
    assert str(problem).startswith(f"MLflow at {uri} cannot be written to: ")
    assert reason in str(problem)
    assert len(str(problem).splitlines()) == 1

    if what == "locked":  # the same store, back again
        holder.execute("ROLLBACK")
    holder.close()
    later = recorder(workdir, plan, uri if what == "locked" else None)
    for training in plan.trainings:
        later.update(training, TrainingState.DONE)
    assert later.close() is None
    assert [run.info.status for run in runs_of(later.store).values()] == ["FINISHED"] * 4


def test_a_store_that_comes_back_in_mid_sweep_gets_everything(workdir, monkeypatch):
    plan = ask(workdir)
    first, second = plan.trainings[:2]
    (workdir / "mlflow.db").rename(workdir / "elsewhere.db")
    (workdir / "mlflow.db").mkdir()
    texts: list[str] = []
    shown = threading.Event()
    with messages.shown_by(lambda text: (texts.append(text), shown.set())):
        sender = Recorder(plan, uri_of(workdir), workdir)
        assert shown.wait(60)
        assert "the sweep goes on" in texts[0]
        finish(first)
        sender.update(first, TrainingState.DONE)
        (workdir / "mlflow.db").rmdir()
        (workdir / "elsewhere.db").rename(workdir / "mlflow.db")
        shown.clear()
        finish(second)
        sender.update(second, TrainingState.DONE)
        assert shown.wait(60)
        assert sender.close() is None
    assert texts[1] == "MLflow is back and has everything so far"
    assert len(runs_of(sender.store)) == 2


def test_one_training_that_cannot_be_sent_holds_up_no_other(workdir):
    plan = ask(workdir)
    for training in plan.trainings:
        finish(training)
    plan.trainings[0].record.history_file.write_text("step\nnonsense\n")
    sender = recorder(workdir, plan)
    for training in plan.trainings:
        sender.update(training, TrainingState.DONE)
    assert re.fullmatch(
        r"the results of a training cannot be sent to MLflow: .*history.csv cannot be used: .*", str(sender.close())
    )
    assert len(runs_of(sender.store)) == 3


def test_closing_gives_up_on_a_store_that_hangs(workdir):
    """A server that takes connections and never answers."""
    plan = ask(workdir)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = recorder(workdir, plan, f"http://127.0.0.1:{silent.getsockname()[1]}")
        finish(plan.trainings[0])
        sender.update(plan.trainings[0], TrainingState.DONE)
        assert "has taken nothing for 0 seconds" in str(sender.close(patience_s=0.3))


OPEN = """
import sys
from zoo.tracking.connection import open_client
open_client(sys.argv[1]).create_experiment(sys.argv[2])
"""


def test_two_processes_that_open_an_empty_store_at_once(tmp_path):
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    started = [
        subprocess.Popen([sys.executable, "-c", OPEN, uri, name], cwd=ROOT, stderr=subprocess.PIPE)
        for name in ("a", "b")
    ]
    assert [process.communicate()[1].decode()[-500:] for process in started] == ["", ""]
    assert {found.name for found in open_client(uri).search_experiments()} == {"Default", "a", "b"}


def test_an_old_folder_of_runs_beside_the_database_is_no_obstacle(workdir, monkeypatch):
    (workdir / "mlruns/0").mkdir(parents=True)
    (workdir / "mlruns/0/meta.yaml").write_text("artifact_location: x\nexperiment_id: '0'\nname: Default\n")
    monkeypatch.chdir(workdir)
    plan = ask(workdir)
    finish(plan.trainings[0])
    sender = recorder(workdir, plan, DEFAULT_URI)
    sender.update(plan.trainings[0], TrainingState.DONE)
    assert sender.close() is None
    assert len(runs_of(sender.store)) == 1


def test_a_password_is_not_shown():
    with pytest.raises(TrackingError) as caught, explained("postgresql://me:secret@db/x"):
        raise RuntimeError("no connection to postgresql://me:secret@db/x\nsecond line")
    assert str(caught.value) == (
        "MLflow at postgresql://me:***@db/x cannot be written to: RuntimeError: no connection to postgresql://me:***@db/x"
    )


def test_importing_the_recorder_imports_no_mlflow():
    heavy = {"mlflow", "pandas", "tensorflow", "sqlalchemy"}
    code = f"import zoo.tracking.recorder, zoo.tracking.sync, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
