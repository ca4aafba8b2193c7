"""MLflow is not blamed for what is wrong on disk, and one damaged record keeps back no other."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from helpers.tracked import ask, finish, open_store, runs_of, uri_of

from zoo.storage.states import TrainingState
from zoo.tracking.errors import TrackingError
from zoo.tracking.sync import send_all


@pytest.mark.parametrize("name", ["results/step_00000020.npz", "history.csv", "training.json", "latency.json"])
def test_a_damaged_file_is_named_and_mlflow_is_not(workdir, name):
    plan = ask(workdir)
    training = plan.trainings[0]
    finish(training)
    path = training.record.directory / name
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(TrackingError) as raised:
        open_store(workdir, plan).send(training, TrainingState.DONE)
    assert str(raised.value).startswith(f"the results of a training cannot be sent to MLflow: {path} cannot be used: ")
    assert "cannot be written to" not in str(raised.value)


def test_an_error_of_the_disk_is_named_and_mlflow_is_not(workdir, monkeypatch):
    plan = ask(workdir)
    training = plan.trainings[0]
    finish(training)
    store = open_store(workdir, plan)

    def refuse(path: Path) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(TrackingError, match=r"cannot be sent to MLflow: Input/output error: .*\.json$"):
        store.send(training, TrainingState.DONE)


def test_what_is_undamaged_is_sent_all_the_same(workdir):
    plan = ask(workdir)
    for training in plan.trainings:
        finish(training)
    record = plan.trainings[0].record
    record.results_file(20).write_bytes(b"")
    sent = send_all(plan, uri_of(workdir), workdir)
    assert sent.problem is None and sent.text.endswith(": 3 complete, 1 stopped")
    assert sorted(run.info.status for run in runs_of(sent.store).values()) == ["FINISHED"] * 3 + ["KILLED"]
    assert len([*record.directory.glob("results/.damaged-*")]) == 1
