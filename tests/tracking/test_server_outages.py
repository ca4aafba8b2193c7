"""A server of MLflow, or the database behind it, that fails while a sweep sends to it."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator

import pytest
from helpers.served import assert_hand_made, steps_on
from helpers.sweeps import PATIENCE_S
from helpers.tracked import finish, train

from zoo.storage.states import TrainingState
from zoo.text import messages
from zoo.tracking.connection import open_client
from zoo.tracking.recorder import Recorder

NO_DATABASE = "the server answers, but with an error of its own (its log says which; its database may be away)"


@pytest.fixture
def shown() -> Iterator[queue.Queue[str]]:
    """The messages for the person who waits."""
    shown: queue.Queue[str] = queue.Queue()
    with messages.shown_by(shown.put):
        yield shown


@pytest.mark.parametrize("how", ["stopped", "hung"])
def test_a_database_that_fails_behind_its_server_in_mid_sweep(
    how, two_runs, server, postgres, tmp_path, monkeypatch, shown
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    recorder = Recorder(two_runs, server.uri, tmp_path)
    one, other = two_runs.trainings
    train(one, 10)
    recorder.update(one, TrainingState.RUNNING)
    wait_for(lambda: recorder.store and steps_on(server, two_runs) == [10])
    with postgres.hung() if how == "hung" else postgres.away():
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        finish(one)
        recorder.update(one, TrainingState.DONE)
        problem = shown.get(timeout=100)
        assert (NO_DATABASE if how == "stopped" else "the server does not answer in time") in problem
        assert problem.endswith("; the sweep goes on, and its results are kept on disk")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    finish(other)
    recorder.update(other, TrainingState.DONE)
    assert shown.get(timeout=100) == "MLflow is back and has everything so far"
    assert recorder.close() is None
    client = open_client(server.uri)
    runs = client.search_runs([recorder.store.experiment_id])
    assert sorted(run.info.run_name for run in runs) == ["hidden=[16] · seed 0", "hidden=[8] · seed 0"]
    for run in runs:
        assert_hand_made(client, run)


def wait_for(event) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not event():
        assert time.monotonic() < deadline
        time.sleep(0.05)
