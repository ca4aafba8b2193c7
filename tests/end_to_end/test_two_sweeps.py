"""Two people, one directory: sweeps at the same time that share trainings, MLflow's store and the machine."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

import pytest
from helpers.sweeps import QUESTION, Running, sweep

from zoo.host import machine_lock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the workers")

# Its first variant is what the other question has as its first.
OTHER = QUESTION.replace("augment.flip: [true, false]", "hidden: [[16], [8]]")


@pytest.fixture(scope="module")
def together(tmp_path_factory, add_store, env):
    """Both sweeps and a second copy of the first one, begun while the first one trained."""
    directory = add_store(tmp_path_factory.mktemp("together"))
    (directory / "flip.yaml").write_text(QUESTION)
    (directory / "size.yaml").write_text(OTHER)
    first = Running(directory, env, "flip.yaml")
    first.until("  step ")
    worker = first.worker()
    os.kill(worker, signal.SIGSTOP)  # it stays in mid-training until the others have met it
    second = Running(directory, env, "size.yaml")
    copy = sweep(directory, env, "flip.yaml")
    second.until("another process is training the same; waiting for it to end")
    os.kill(worker, signal.SIGCONT)
    return directory, first, first.end(), second, second.end(), copy


def points(directory: Path) -> list[tuple]:
    with sqlite3.connect(directory / "mlflow.db") as store:
        return store.execute(
            "select e.name, r.name, r.status, count(*), count(distinct m.step) from metrics m "
            "join runs r using (run_uuid) join experiments e using (experiment_id) "
            "where m.key = 'test/accuracy' group by run_uuid order by e.name, r.name"
        ).fetchall()


def test_a_second_copy_is_refused_and_told_who_is_there(together):
    *_, first, _, _, _, copy = together
    assert copy.returncode == 1
    assert copy.stderr.startswith(f"another run_sweep.py (process {first.process.pid} of ")
    assert copy.stderr.rstrip().endswith("is working on flip in this directory; wait for it or stop it")


def test_what_both_need_is_trained_once(together):
    directory, first, first_code, second, second_code, _ = together
    assert (first_code, second_code) == (0, 0), first.errors + second.errors
    found = [json.loads(path.read_text())["attempts"] for path in directory.glob("runs/*/attempts.json")]
    assert sorted(len(attempts) for attempts in found) == [1, 1, 2]
    (shared,) = (attempts for attempts in found if len(attempts) == 2)
    steps = sorted(attempt["last_step"] - attempt["first_step"] for attempt in shared)
    assert steps == [0, 240]  # the one that waited has done none


def test_both_are_whole_in_one_store(together):
    evaluations = 240 // 10
    assert points(together[0]) == [
        ("flip", "augment.flip=false · seed 0", "FINISHED", evaluations, evaluations),
        ("flip", "augment.flip=true · seed 0", "FINISHED", evaluations, evaluations),
        ("size", "hidden=[16] · seed 0", "FINISHED", evaluations, evaluations),
        ("size", "hidden=[8] · seed 0", "FINISHED", evaluations, evaluations),
    ]


@pytest.fixture
def own_turns(tmp_path, monkeypatch):
    """Nothing that other tests train is waited for."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_nothing_is_measured_beside_a_training(own_turns, caplog):
    caplog.set_level(logging.INFO)
    with machine_lock.training(), machine_lock.training(), machine_lock.measuring(0.3) as is_quiet:
        assert not is_quiet
    assert [record.getMessage() for record in caplog.records] == [
        f"  another sweep trains or measures on this machine (process {os.getpid()} in {os.getcwd()}); waiting for it"
    ]
    with machine_lock.measuring(0) as is_quiet:
        assert is_quiet


def test_a_measurement_begins_when_the_last_training_has_ended(own_turns, tmp_path):
    pid = os.fork()
    if not pid:
        with machine_lock.training():
            (tmp_path / "trains").touch()
            time.sleep(0.5)
            (tmp_path / "ended").touch()
        os._exit(0)
    while not (tmp_path / "trains").exists():
        time.sleep(0.01)
    with machine_lock.measuring(60) as is_quiet:
        assert is_quiet and (tmp_path / "ended").exists()
    os.waitpid(pid, 0)
