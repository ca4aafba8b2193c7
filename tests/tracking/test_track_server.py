"""Sweeps whose MLflow is a server on top of PostgreSQL: what it holds, and what becomes of it when one of them is away."""

from __future__ import annotations

import csv
import queue
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.servers import Between, MlflowServer, Postgres, each_answer_once_lost, postgres_programs
from helpers.sweeps import PATIENCE_S, QUESTION, Running, command, sweep
from helpers.tracked import TWO_SIZES, finish, row, train, with_cost

from zoo.config import load
from zoo.plan import runs as plans
from zoo.storage.states import TrainingState
from zoo.text import messages
from zoo.tracking import view
from zoo.tracking.connection import TrackingError, open_client
from zoo.tracking.names import Artifacts
from zoo.tracking.recorder import Recorder
from zoo.tracking.store import Store

PROGRAMS = postgres_programs()
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the processes of a server"),
    pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL is not installed; Debian: apt install postgresql"),
]

NO_DATABASE = "the server answers, but with an error of its own (its log says which; its database may be away)"
ADVICE = "The results are safe in runs/; this sends them when it is back:\n"
RUNS = {"augment.flip=true · seed 0", "augment.flip=false · seed 0"}
BY_STEP = {
    *("train/loss", "train/accuracy", "train/learning_rate", "train/images_per_s"),
    *("test/accuracy", "test/accuracy_raw", "test/accuracy_ema", "test/top5"),
}


@pytest.fixture(scope="module")
def postgres():
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed: pip install '.[postgres]'")
    database = Postgres(PROGRAMS)
    yield database
    database.remove()


@pytest.fixture(scope="module")
def server(postgres, tmp_path_factory):
    running = MlflowServer(tmp_path_factory.mktemp("server"), postgres.uri)
    yield running
    running.kill()


@pytest.fixture
def between(server):
    """A function that puts a ``Between`` with a rule before the server."""
    made: list[Between] = []

    def put(rule) -> Between:
        made.append(Between(server.uri, rule))
        return made[-1]

    yield put
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def env(env):
    return env | {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0"}  # a request without an answer is sent again at once


@pytest.fixture(scope="module")
def first(tmp_path_factory, server, env):
    """A sweep that sends through something slow and lossy: its directory, and what was seen."""
    directory = tmp_path_factory.mktemp("first")
    (directory / "flip.yaml").write_text(QUESTION)
    lose = each_answer_once_lost()

    def rule(method: str, path: str, body: bytes) -> str:
        return lose(method, path, body) if between.release.is_set() else "hold"

    between = Between(server.uri, rule)
    patient = env | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "600"}  # so that what is held back is only slow, not lost
    running = Running(directory, patient, "flip.yaml", "--tracking-uri", between.uri)
    running.until("sending the results to MLflow")
    running.answers_while_held, running.done_while_held = between.answers, results(directory)
    between.release.set()
    running.code = running.end()
    between.close()
    return directory, running


def results(directory: Path) -> list[Path]:
    return sorted(directory.glob("runs/*/results/step_00000240.npz"))


def copy_of(first, place: Path, name: str, trainings: int) -> None:
    """A question of its own, with what is on disk of the first ``trainings`` of the finished one."""
    (place / f"{name}.yaml").write_text(QUESTION)
    for record in sorted((first[0] / "runs").glob("*/training.json"), key=_began)[:trainings]:
        shutil.copytree(record.parent, place / "runs" / record.parent.name)


def _began(path: Path) -> float:
    return (path.parent / "environment.json").stat().st_mtime


def assert_complete(server, name: str, directory: Path) -> None:
    """MLflow has each run of the sweep once, with each point of its history once, its figures and all its files."""
    client = open_client(server.uri)
    experiment = client.get_experiment_by_name(name)
    found = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert len(client.search_runs([experiment.experiment_id])) == len(found)
    assert set(found) == RUNS
    assert view.TAG in experiment.tags
    for run in found.values():
        assert (run.info.status, run.data.tags["status_detail"]) == ("FINISHED", "complete")
        assert run.data.tags["current"] == "true"
        assert run.data.params["augment.flip"] == run.data.params["variant"].split("=")[1]
        assert len(run.inputs.dataset_inputs) == 1
        record = directory / "runs" / run.data.tags["training_key"][:16]
        assert_points(client, run, record)
        assert_files(client, run, record, directory / "fetched")


def assert_points(client, run, record: Path) -> None:
    with open(record / "history.csv", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert [row["step"] for row in rows] == list(range(10, 241, 10))
    assert set(run.data.metrics) > BY_STEP | {"cost/params", "cost/train_s", "latency_ms/tf_p50"}
    for metric in run.data.metrics:
        points = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, metric)]
        if metric not in BY_STEP:
            assert [step for step, _ in points] == [0], metric
        elif metric not in ("test/accuracy", "test/top5"):
            assert sorted(points) == [(row["step"], row[metric]) for row in rows], metric
        else:  # those of the averaged weights
            assert sorted(points) == [(row["step"], row[f"{metric}_ema"]) for row in rows], metric


def assert_files(client, run, record: Path, directory: Path) -> None:
    fetched = directory / run.info.run_id
    fetched.mkdir(parents=True)
    assert sorted(item.path for item in client.list_artifacts(run.info.run_id)) == sorted(Artifacts.ALL)
    for name in Artifacts.ALL:
        client.download_artifacts(run.info.run_id, name, str(fetched))
    for name in ("environment.json", "samples.png"):
        assert (fetched / name).read_bytes() == (record / name).read_bytes()
    assert (fetched / "spec.yaml").read_text() == QUESTION
    with np.load(fetched / "predictions.npz") as sent, np.load(record / "results/step_00000240.npz") as kept:
        assert np.array_equal(sent["logits"], kept["logits_ema"])
        assert np.array_equal(sent["labels"], kept["labels"])


def told(text: str) -> str:
    assert "Traceback" not in text and "Exception" not in text, text
    return text


def test_training_does_not_wait_for_a_server_that_does_not_answer(first):
    _, running = first
    assert running.answers_while_held == 0
    assert len(running.done_while_held) == 2


def test_a_server_gets_everything_once_although_each_answer_is_lost_once(first, server):
    directory, running = first
    assert running.code == 0, running.errors
    told(running.errors + running.output)
    assert (directory / "results" / "flip" / "report.md").stat().st_size > 0  # it is written from the server
    assert_complete(server, "flip", directory)


def test_what_a_sweep_could_not_send_is_sent_by_sync(first, server, postgres, env, tmp_path):
    copy_of(first, tmp_path, "away", 1)
    arguments = ("away.yaml", "--tracking-uri", server.uri)
    running = Running(tmp_path, env, *arguments)
    running.until("  step ")  # of the second training
    with server.away():
        code = running.end()
    assert code == 1 and len(results(tmp_path)) == 2
    assert "2 of 2 trainings complete" in told(running.output)
    no_server = f"MLflow at {server.uri} cannot be written to: no server answers at this address"
    assert told(running.errors) == f"\n{no_server}\n{ADVICE}  {' '.join(command(*arguments))} --sync\n"

    kept = contents(tmp_path)
    open_client(server.uri)  # a server opens its database with the first request, and waits minutes for it
    with postgres.away():
        unsent = sweep(tmp_path, env, *arguments, "--sync")
    assert (unsent.returncode, unsent.stdout) == (1, "")
    problem = f"MLflow at {server.uri} cannot be written to: {NO_DATABASE}"
    assert f"{problem}\nsent 0 of 2 runs to {server.uri}\n{ADVICE}" in told(unsent.stderr)

    synced = sweep(tmp_path, env, *arguments, "--sync")
    assert synced.returncode == 0, synced.stderr
    assert synced.stdout.startswith(f"sent 2 of 2 runs to {server.uri}: 2 complete\n")
    assert contents(tmp_path) == kept
    assert_complete(server, "away", tmp_path)


def contents(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.glob("runs/**/*") if path.is_file()}


@pytest.fixture
def shown() -> Iterator[queue.Queue[str]]:
    """The messages for the person who waits."""
    shown: queue.Queue[str] = queue.Queue()
    with messages.shown_by(shown.put):
        yield shown


@pytest.mark.parametrize("how", ["stopped", "hung"])
def test_a_database_that_fails_behind_its_server_in_mid_sweep(
    how, small, server, postgres, tmp_path, monkeypatch, shown
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    recorder = Recorder(small, server.uri, tmp_path)
    one, other = small.trainings
    train(one, 10)
    recorder.update(one, TrainingState.RUNNING)
    wait_for(lambda: recorder.store and steps_on(server, small) == [10])
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


def test_a_sweep_that_is_killed_while_it_sends_sends_the_rest_once(first, server, between, env, tmp_path):
    copy_of(first, tmp_path, "killed", 2)
    for request, content in (("/runs/create", b""), ("/runs/log-batch", b"train/loss"), ("/predictions.npz", b"")):
        carried_out = between(
            lambda method, path, body, r=request, c=content: (
                "lose" if method != "GET" and path.endswith(r) and c in body else "pass"
            )
        )
        running = Running(tmp_path, env, "killed.yaml", "--tracking-uri", carried_out.uri)
        assert carried_out.seen.wait(100)
        running.process.kill()
        assert running.end() == -signal.SIGKILL
    done = sweep(tmp_path, env, "killed.yaml", "--tracking-uri", server.uri)
    assert done.returncode == 0, done.stderr
    assert_complete(server, "killed", tmp_path)


def open_store(plan, place: Path, uri: str) -> Store:
    return Store(plan, uri, place)


def steps_on(server, plan) -> list[int]:
    """The steps of the first run that the server has of a sweep."""
    client = open_client(server.uri)
    runs = client.search_runs([client.get_experiment_by_name(plan.question.name).experiment_id])
    return steps_of(client, runs[0]).get("train/loss", []) if runs else []


def wait_for(event) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not event():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def steps_of(client, run) -> dict[str, list[int]]:
    return {
        metric: sorted(point.step for point in client.get_metric_history(run.info.run_id, metric))
        for metric in run.data.metrics
    }


def assert_hand_made(client, run) -> None:
    """What ``tracked.finish`` leaves on disk is there, each point once, and all files."""
    once = {name: [0] for name in run.data.metrics if name.startswith(("cost/", "latency_ms/"))}
    assert len(once) == 7
    assert steps_of(client, run) == {name: [10, 20] for name in BY_STEP} | once
    assert {item.path for item in client.list_artifacts(run.info.run_id)} == set(Artifacts.ALL)


@pytest.fixture
def small(tmp_path, request):
    """A plan of two runs, of a sweep of its own on the server."""
    name = re.sub(r"\W+", "_", request.node.name).strip("_")
    (tmp_path / f"{name}.yaml").write_text(TWO_SIZES)
    return with_cost(plans.make_plan(load(tmp_path / f"{name}.yaml", seeds=1), tmp_path / "runs"))


def test_every_request_may_be_carried_out_and_its_answer_lost(small, server, between, tmp_path, monkeypatch):
    """Without the client's own second try: each lost answer is a failure, and everything is begun again."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = between(each_answer_once_lost()).uri
    for training in small.trainings:
        finish(training)
    lost = 0
    store = None
    while True:
        try:
            store = store or open_store(small, tmp_path, uri)
            for training in small.trainings:
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


def test_a_database_may_be_named_without_a_server(small, postgres, tmp_path):
    for training in small.trainings:
        finish(training)
    for _ in range(2):
        store = open_store(small, tmp_path, postgres.uri)
        for training in small.trainings:
            store.send(training, TrainingState.DONE)
    client = open_client(postgres.uri)
    runs = client.search_runs([store.experiment_id])
    assert len(runs) == 2
    for run in runs:
        assert_hand_made(client, run)


def test_points_that_did_come_twice_are_repaired(small, server, tmp_path):
    """A request from before a crash, carried out long after it, when its step has been evaluated again."""
    from mlflow.entities import Metric

    training = small.trainings[0]
    finish(training)
    store = open_store(small, tmp_path, server.uri)
    store.send(training, TrainingState.DONE)
    client = open_client(server.uri)
    (run,) = client.search_runs([store.experiment_id])
    late = [Metric(name, row(20).get(name, 0.5), 1_600_000_000_000, 20) for name in sorted(BY_STEP)]
    client.log_batch(run.info.run_id, metrics=late)
    assert steps_of(client, run)["train/loss"] == [10, 20, 20]
    open_store(small, tmp_path, server.uri).send(training, TrainingState.DONE)
    (run,) = client.search_runs([store.experiment_id])
    assert steps_of(client, run)["train/loss"] == [10, 20]
    assert {item.path for item in client.list_artifacts(run.info.run_id)} == set(Artifacts.ALL)


def test_a_run_that_was_created_late_and_again_meanwhile_is_deleted(small, server, between, tmp_path, monkeypatch):
    """The first request to create the run is held back until all has been sent with another one."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    training = small.trainings[0]
    finish(training)
    held = between(lambda method, path, body: "hold" if path.endswith("/runs/create") else "pass")
    with pytest.raises(TrackingError, match="does not answer in time"):
        open_store(small, tmp_path, held.uri).send(training, TrainingState.DONE)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    store = open_store(small, tmp_path, server.uri)
    store.send(training, TrainingState.DONE)
    client = open_client(server.uri)
    held.carried_out.clear()
    held.release.set()
    assert held.carried_out.wait(100)
    assert len(client.search_runs([store.experiment_id])) == 2
    open_store(small, tmp_path, server.uri).send(training, TrainingState.DONE)
    (run,) = client.search_runs([store.experiment_id])
    assert steps_of(client, run)["train/loss"] == [10, 20]
