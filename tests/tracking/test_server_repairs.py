"""Requests to a server of MLflow that are carried out late, twice, or without an answer: what it has in the end is right."""

from __future__ import annotations

import pytest
from helpers.served import BY_STEP, assert_hand_made, steps_of
from helpers.servers import each_answer_once_lost
from helpers.tracked import finish, row

from zoo.storage.states import TrainingState
from zoo.tracking.connection import open_client
from zoo.tracking.errors import TrackingError
from zoo.tracking.names import Artifacts
from zoo.tracking.store import Store


def test_every_request_may_be_carried_out_and_its_answer_lost(two_runs, server, between, tmp_path, monkeypatch):
    """Without the client's own second try: each lost answer is a failure, and everything is begun again."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = between(each_answer_once_lost()).uri
    for training in two_runs.trainings:
        finish(training)
    lost = 0
    store = None
    while True:
        try:
            store = store or Store(two_runs, uri, tmp_path)
            for training in two_runs.trainings:
                store.send(training, TrainingState.DONE)
            break
        except TrackingError as error:
            assert "the server breaks off the connection" in str(error)
            lost += 1
    assert lost > 20
    client = open_client(server.uri)
    runs = client.search_runs([store.experiment_id])
    assert sorted(run.info.run_name for run in runs) == ["hidden=[16] · seed 0", "hidden=[8] · seed 0"]
    for run in runs:
        assert_hand_made(client, run)


def test_a_database_may_be_named_without_a_server(two_runs, postgres, tmp_path):
    for training in two_runs.trainings:
        finish(training)
    for _ in range(2):
        store = Store(two_runs, postgres.uri, tmp_path)
        for training in two_runs.trainings:
            store.send(training, TrainingState.DONE)
    client = open_client(postgres.uri)
    runs = client.search_runs([store.experiment_id])
    assert len(runs) == 2
    for run in runs:
        assert_hand_made(client, run)


def test_points_that_did_come_twice_are_repaired(two_runs, server, tmp_path):
    """A request from before a crash, carried out long after it, when its step has been evaluated again."""
    from mlflow.entities import Metric

    training = two_runs.trainings[0]
    finish(training)
    store = Store(two_runs, server.uri, tmp_path)
    store.send(training, TrainingState.DONE)
    client = open_client(server.uri)
    (run,) = client.search_runs([store.experiment_id])
    late = [Metric(name, row(20).get(name, 0.5), 1_600_000_000_000, 20) for name in sorted(BY_STEP)]
    client.log_batch(run.info.run_id, metrics=late)
    assert steps_of(client, run)["train/loss"] == [10, 20, 20]
    Store(two_runs, server.uri, tmp_path).send(training, TrainingState.DONE)
    (run,) = client.search_runs([store.experiment_id])
    assert steps_of(client, run)["train/loss"] == [10, 20]
    assert {item.path for item in client.list_artifacts(run.info.run_id)} == set(Artifacts.ALL)


def test_a_run_that_was_created_late_and_again_meanwhile_is_deleted(two_runs, server, between, tmp_path, monkeypatch):
    """The first request to create the run is held back until all has been sent with another one."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    training = two_runs.trainings[0]
    finish(training)
    held = between(lambda method, path, body: "hold" if path.endswith("/runs/create") else "pass")
    with pytest.raises(TrackingError, match="does not answer in time"):
        Store(two_runs, held.uri, tmp_path).send(training, TrainingState.DONE)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    store = Store(two_runs, server.uri, tmp_path)
    store.send(training, TrainingState.DONE)
    client = open_client(server.uri)
    held.carried_out.clear()
    held.release.set()
    assert held.carried_out.wait(100)
    assert len(client.search_runs([store.experiment_id])) == 2
    Store(two_runs, server.uri, tmp_path).send(training, TrainingState.DONE)
    (run,) = client.search_runs([store.experiment_id])
    assert steps_of(client, run)["train/loss"] == [10, 20]
