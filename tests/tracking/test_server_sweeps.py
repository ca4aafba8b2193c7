"""Whole sweeps that send to a server of MLflow: what it holds in the end, and what was on disk meanwhile."""

from __future__ import annotations

import csv
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from helpers.served import BY_STEP
from helpers.servers import Between, each_answer_once_lost
from helpers.sweeps import QUESTION, Running, command, sweep

from zoo.tracking.connection import open_client
from zoo.tracking.experiments import view
from zoo.tracking.names import Artifacts

NO_DATABASE = "the server answers, but with an error of its own (its log says which; its database may be away)"
ADVICE = "The results are safe in runs/; this sends them when it is back:\n"
RUNS = {"augment.flip=true · seed 0", "augment.flip=false · seed 0"}


@pytest.fixture(scope="module")
def env(env):
    return env | {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0"}  # a request without an answer is sent again at once


@pytest.fixture(scope="module")
def first(tmp_path_factory, server, env):
    """A sweep that sends through something slow and lossy, and whose results take no time: its directory, what was seen."""
    directory = tmp_path_factory.mktemp("first")
    (directory / "flip.yaml").write_text(QUESTION)
    lose = each_answer_once_lost()

    def rule(method: str, path: str, body: bytes) -> str:
        return lose(method, path, body) if between.release.is_set() else "hold"

    between = Between(server.uri, rule)
    patient = env | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "600"}  # so that what is held back is only slow, not lost
    running = Running(directory, patient, "flip.yaml", "--executor", "instant", "--tracking-uri", between.uri)
    running.until("sending the results to MLflow")
    running.answers_while_held, running.done_while_held = between.answers, results(directory)
    between.release.set()
    running.code = running.end()
    between.close()
    return directory, running


def results(directory: Path) -> list[Path]:
    return sorted(directory.glob("runs/*/results/step_00000240.npz"))


def copy_of(first, workdir: Path, name: str, trainings: int) -> None:
    """A question of its own, with what is on disk of the first ``trainings`` of the finished one."""
    (workdir / f"{name}.yaml").write_text(QUESTION)
    for record in sorted((first[0] / "runs").glob("*/training.json"), key=_began)[:trainings]:
        shutil.copytree(record.parent, workdir / "runs" / record.parent.name)


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
    found = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert found - {Artifacts.REPORT} == set(Artifacts.ALL)  # one run of a sweep has its report, too
    for name in Artifacts.ALL:
        client.download_artifacts(run.info.run_id, name, str(fetched))
    for name in ("environment.json", "samples.png"):
        assert (fetched / name).read_bytes() == (record / name).read_bytes()
    assert (fetched / "spec.yaml").read_text() == QUESTION
    with np.load(fetched / "predictions.npz") as sent, np.load(record / "results/step_00000240.npz") as kept:
        assert np.array_equal(sent["logits"], kept["logits_ema"])
        assert np.array_equal(sent["labels"], kept["labels"])


def without_traceback(text: str) -> str:
    assert "Traceback" not in text and "Exception" not in text, text
    return text


def test_training_does_not_wait_for_a_server_that_does_not_answer(first):
    _, running = first
    assert running.answers_while_held == 0
    assert len(running.done_while_held) == 2


def test_a_server_gets_everything_once_although_each_answer_is_lost_once(first, server):
    directory, running = first
    assert running.code == 0, running.errors
    without_traceback(running.errors + running.output)
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
    assert "2 of 2 trainings complete" in without_traceback(running.output)
    no_server = f"MLflow at {server.uri} cannot be written to: no server answers at this address"
    assert without_traceback(running.errors) == f"\n{no_server}\n{ADVICE}  {' '.join(command(*arguments))} --sync\n"

    kept = contents(tmp_path)
    open_client(server.uri)  # a server opens its database with the first request, and waits minutes for it
    with postgres.away():
        unsent = sweep(tmp_path, env, *arguments, "--sync")
    assert (unsent.returncode, unsent.stdout) == (1, "")
    problem = f"MLflow at {server.uri} cannot be written to: {NO_DATABASE}"
    assert f"{problem}\nsent 0 of 2 runs to {server.uri}\n{ADVICE}" in without_traceback(unsent.stderr)

    synced = sweep(tmp_path, env, *arguments, "--sync")
    assert synced.returncode == 0, synced.stderr
    assert synced.stdout.startswith(f"sent 2 of 2 runs to {server.uri}: 2 complete\n")
    assert contents(tmp_path) == kept
    assert_complete(server, "away", tmp_path)


def contents(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.glob("runs/**/*") if path.is_file()}


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
