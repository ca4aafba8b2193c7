"""A project that was moved or copied with its store: files are found, and written, where it is now."""

from __future__ import annotations

import logging
import shutil

import pytest
from helpers.tracked import TWO_SIZES, artifacts, finish, runs_of, uri_of, with_cost
from mlflow.tracking._tracking_service import utils as mlflow_cache

from reports.store import files as report_files
from reports.store.reader import read
from zoo.config import load
from zoo.plan import runs as plans
from zoo.tracking.errors import TrackingError
from zoo.tracking.store import Store
from zoo.tracking.sync import send_all


def ask(project, **kwargs):
    return with_cost(plans.make_plan(load(project / "size.yaml", **kwargs), project / "runs"))


def send(project, uri=None, count=None, **kwargs):
    """Send the first trainings of the question of a project, as a new process does."""
    mlflow_cache._artifact_repos_cache.clear()
    plan = ask(project, **kwargs)
    for training in plan.trainings[:count]:
        if training.record.is_empty():
            finish(training)
    return send_all(plan, uri or uri_of(project), project, "python run_sweep.py size.yaml")


@pytest.fixture
def project(workdir):
    (workdir / "old").mkdir()
    (workdir / "old" / "size.yaml").write_text(TWO_SIZES)
    assert send(workdir / "old", count=2).problem is None
    return workdir / "old"


def predictions(project, uri=None):
    return report_files.read_predictions(read("size", uri or uri_of(project)))


def directories(sent):
    return [artifacts(run) for run in runs_of(sent.store).values()]


def test_a_moved_project_is_reported_with_all_its_files(project, caplog):
    moved = project.rename(project.with_name("new"))
    assert len(predictions(moved)) == 2 and caplog.messages == []


def test_a_sweep_goes_on_in_a_moved_project(project):
    """Nothing is made at the old place, and MLflow knows the new one."""
    moved = project.rename(project.with_name("new"))
    sent = send(moved)
    assert sent.problem is None and not project.exists()
    assert all(path.is_relative_to(moved / "mlruns") for path in directories(sent))
    assert all((path / "predictions.npz").is_file() for path in directories(sent)) and len(directories(sent)) == 4
    assert len(predictions(moved)) == 4


def test_a_copy_leaves_the_original_alone(project):
    shutil.copytree(project, project.with_name("copy"))
    before = sorted(project.rglob("*"))
    sent = send(project.with_name("copy"))
    assert sent.problem is None and sorted(project.rglob("*")) == before
    assert all(path.is_relative_to(project.with_name("copy")) for path in directories(sent))


def test_a_moved_project_without_its_files_gets_them_again(project):
    moved = project.rename(project.with_name("new"))
    shutil.rmtree(moved / "mlruns")
    sent = send(moved)
    assert sent.problem is None and len(predictions(moved)) == 4 and not project.exists()


def test_a_store_that_stays_where_it_was(workdir, project):
    """Its database is elsewhere: the files move with the project; without them one message says what makes them again."""
    (workdir / "store").mkdir()
    uri = uri_of(workdir / "store")
    assert send(project, uri, count=2).problem is None
    moved = project.rename(project.with_name("new"))
    assert send(moved, uri, count=2).problem is None
    assert len(predictions(moved, uri)) == 2 and not project.exists()
    shutil.rmtree(moved / "mlruns")
    again = moved.rename(project.with_name("newer"))
    gone = rf"the files of the sweep size in MLflow are to be in {moved}/mlruns/size, and there is no {moved}/mlruns: "
    with pytest.raises(
        TrackingError, match=gone + f"move them to {again}/mlruns/size, or have them made again .* --sync"
    ):
        Store(ask(again), uri, again)
    assert not moved.exists()
    assert send(again, uri, count=2).problem is None  # --sync
    assert len(predictions(again, uri)) == 2 and not moved.exists()


def test_files_that_are_gone_are_said_once_in_a_report(project, caplog):
    shutil.rmtree(project / "mlruns")
    with caplog.at_level(logging.WARNING):
        assert predictions(project) == {}
    (said,) = caplog.messages
    assert f"2 of the runs of size lack their files in MLflow (predictions, environment): there is no {project}" in said
    assert said.endswith("\n  python run_sweep.py size.yaml --sync")


def test_two_runs_of_a_moved_project_are_compared_with_their_files(project):
    moved = project.rename(project.with_name("new"))
    sweep = read("size", uri_of(moved))
    for run_id in sweep.runs["run_id"]:
        assert report_files.download(uri_of(moved), run_id, "predictions.npz") is not None
