"""What the MLflow experiment of a sweep says of its question, and how its page is found."""

from __future__ import annotations

import json
import sys

import pytest
from helpers.tracked import TWO_SIZES, ask, finish, open_store, row, runs_of, train, uri_of

from zoo.plan.seeds import declaration
from zoo.storage import designs
from zoo.storage.designs import DesignHistory
from zoo.storage.states import TrainingState
from zoo.tracking.address import DEFAULT_URI
from zoo.tracking.connection import open_client
from zoo.tracking.experiments import view


def test_the_experiment_says_what_was_asked_and_has_a_view(workdir):
    plan = ask(workdir)
    store = open_store(workdir, plan, command="python run_sweep.py size.yaml")
    experiment = open_client(uri_of(workdir)).get_experiment_by_name("size")
    tags = experiment.tags
    assert tags["question"] == "Does the size matter?"
    assert (tags["baseline"], tags["margin"]) == ("hidden=[8]", "0.75")
    assert json.loads(tags["variants"]) == ["hidden=[8]", "hidden=[16]"]
    assert json.loads(tags["seeds"]) == [0, 1]
    assert tags["command"] == "python run_sweep.py size.yaml"
    state = json.loads(json.loads(tags["mlflow.sharedViewState.by-variant"])["state"])
    assert state["groupBy"]["groupByKeys"] == [{"mode": "param", "groupByData": "variant"}]
    assert state["selectedColumns"][:2] == ["metrics.`test/accuracy`", "metrics.`cost/params`"]
    assert "params.`hidden`" in state["selectedColumns"]
    assert state["searchFilter"] == "tags.current = 'true'"
    assert [each["name"] for each in state["compareRunSections"]][:2] == ["test", "cost"]
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    assert "- `hidden=[8]` (baseline): no result yet" in tags["mlflow.note.content"].splitlines()
    address = f"http://localhost:5000/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    assert store.directions().endswith(f"{address}&viewStateShareKey=by-variant")


def test_the_program_is_the_one_of_this_python(tmp_path, monkeypatch):
    """As with ``.venv/bin/python run_sweep.py`` in a shell where the environment is not active."""
    monkeypatch.chdir(tmp_path)
    beside, other = tmp_path / ".venv" / "bin", tmp_path / "other"
    for directory in (beside, other):
        directory.mkdir(parents=True)
        (directory / "mlflow").touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    for path, program in ((beside, "mlflow"), (other, ".venv/bin/mlflow"), (tmp_path, ".venv/bin/mlflow")):
        monkeypatch.setenv("PATH", str(path))
        assert view.directions(DEFAULT_URI, "7", tmp_path).startswith(f"{program} ui, then http://localhost:5000/")
    monkeypatch.chdir(other)
    assert view.directions(DEFAULT_URI, "7", tmp_path).startswith(f"{beside}/mlflow ui, then ")


def test_how_to_see_the_page_of_each_kind_of_store(tmp_path, monkeypatch):
    monkeypatch.setattr(view, "_program", lambda: "mlflow")
    assert view.directions(DEFAULT_URI, "7", tmp_path).startswith(
        "mlflow ui, then http://localhost:5000/#/experiments/7/"
    )
    elsewhere = view.directions("sqlite:////data/ml.db", "7", tmp_path)
    assert elsewhere.startswith("mlflow ui --backend-store-uri sqlite:////data/ml.db, then ")
    assert view.directions("http://host:80/", "7", tmp_path).startswith("http://host:80/#/experiments/7/")
    old = tmp_path / "mlruns/0/meta.yaml"
    old.parent.mkdir(parents=True)
    old.touch()
    assert view.directions(DEFAULT_URI, "7", tmp_path).startswith(
        "mlflow ui --backend-store-uri sqlite:///mlflow.db, then"
    )


@pytest.mark.parametrize("stored", ["", "[]", "not ours"])
def test_the_store_has_the_history_and_loses_none_of_it(stored, workdir):
    plan = declaration.declare(ask(workdir), workdir / "runs")
    store = open_store(workdir, plan)
    client = open_client(uri_of(workdir))
    (entry,) = json.loads(client.get_experiment(store.experiment_id).tags["design"])
    assert (entry["seeds"], entry["margin"], entry["baseline"]) == ("0-1", 0.75, "hidden=[8]")
    designs.path_of(workdir / "runs", "size").unlink()  # another checkout, or the directory of results was removed
    if stored:
        client.set_experiment_tag(store.experiment_id, "design", stored)
    later = declaration.declare(ask(workdir, seeds=5), workdir / "runs")
    open_store(workdir, later)
    kept = DesignHistory.from_text(client.get_experiment(store.experiment_id).tags["design"])
    assert kept.entries == ((*plan.design.entries, *later.design.entries) if not stored else later.design.entries)


def test_the_description_has_means_and_spreads_in_percent(workdir):
    """Accuracies of 95 % and 90 %: mean 92.5, standard deviation 5 / sqrt(2) = 3.54."""
    text = TWO_SIZES.replace("hidden: [[8], [16]]", "steps: [20, 40]").replace("steps: 20, ", "")
    plan = ask(workdir, text)
    first, second = plan.trainings
    train(first, 10, 20)
    train(second, 10, 20)
    second.record.write_history([row(20) | {"test/accuracy_ema": 0.90}])
    store = open_store(workdir, plan)
    store.describe_results()
    note = open_client(uri_of(workdir)).get_experiment(store.experiment_id).tags["mlflow.note.content"]
    assert note.splitlines() == [
        "Does the size matter?",
        "",
        "Test accuracy, mean ± standard deviation over seeds:",
        "",
        "- `steps=20` (baseline): 92.50 ± 3.54 % (2 seeds)",
        "- `steps=40`: no result yet",
    ]


def test_a_run_says_its_accuracies_in_percent(workdir):
    plan = ask(workdir)
    finish(plan.trainings[0])
    store = open_store(workdir, plan)
    store.send(plan.trainings[0], TrainingState.DONE)
    (run,) = runs_of(store).values()
    note = run.data.tags["mlflow.note.content"]
    assert note.endswith(" Test accuracy 95.00 % with averaged weights, 90.00 % with raw weights.")
