"""Which MLflow run stands for a run: of an edited question, of a training done again, and of one that was deleted."""

from __future__ import annotations

import json
import shutil

from helpers.tracked import (
    TWO_SIZES,
    ask,
    begin,
    finish,
    open_store,
    points,
    runs_of,
    train,
    uri_of,
)

from zoo.storage.states import TrainingState
from zoo.tracking.connection import open_client


def test_an_edited_question_leaves_old_runs_out_and_takes_them_back(workdir):
    for text in (TWO_SIZES, TWO_SIZES.replace("[16]", "[32]")):
        plan = ask(workdir, text)
        for training in plan.trainings:
            finish(training)
        store = open_store(workdir, plan)
        for training in plan.trainings:
            store.send(training, TrainingState.DONE)
    everything, current = runs_of(store), runs_of(store, "tags.current = 'true'")
    assert len(everything) == 6
    assert set(current) == {f"hidden=[{width}] · seed {seed}" for width in (8, 32) for seed in (0, 1)}
    assert set(runs_of(store, "tags.current = 'false'")) == {"hidden=[16] · seed 0", "hidden=[16] · seed 1"}

    store = open_store(workdir, ask(workdir))
    assert {run.data.tags["variant"] for run in runs_of(store, "tags.current = 'true'").values()} == {
        "hidden=[8]",
        "hidden=[16]",
    }
    assert len(runs_of(store)) == 6
    assert (
        json.loads(open_client(uri_of(workdir)).get_experiment(store.experiment_id).tags["variants"])[1]
        == "hidden=[16]"
    )

    store = open_store(workdir, ask(workdir, seeds=1))
    assert set(runs_of(store, "tags.current = 'true'")) == {"hidden=[8] · seed 0", "hidden=[16] · seed 0"}


def test_a_training_done_afresh_is_another_run(workdir):
    """Its numbers may differ, and points already there are never sent again: they would stay the old ones."""
    plan = ask(workdir)
    training = plan.trainings[0]
    finish(training)
    open_store(workdir, plan).send(training, TrainingState.DONE)
    shutil.rmtree(training.record.directory)
    store = open_store(workdir, plan)
    train(training, 10)
    begin(training, started=1_700_009_999.0)
    store.send(training, TrainingState.RUNNING)
    open_store(workdir, plan).send(training, TrainingState.RUNNING)
    found = open_client(uri_of(workdir)).search_runs([store.experiment_id])
    assert sorted((run.data.tags["current"], run.info.status) for run in found) == [
        ("false", "FINISHED"),
        ("true", "RUNNING"),
    ]


def test_a_run_or_experiment_deleted_in_mlflow_comes_back(workdir):
    plan = ask(workdir)
    training = plan.trainings[0]
    finish(training)
    store = open_store(workdir, plan)
    store.send(training, TrainingState.DONE)
    client = open_client(uri_of(workdir))
    (run,) = runs_of(store).values()
    client.delete_run(run.info.run_id)
    store.send(training, TrainingState.DONE)
    (back,) = runs_of(store).values()
    assert back.info.run_id != run.info.run_id
    assert points(store, back, "test/accuracy") == [(10, 0.9), (20, 0.95)]
    client.delete_experiment(store.experiment_id)
    open_store(workdir, plan).send(training, TrainingState.DONE)
    assert len(runs_of(store, "tags.current = 'true'")) == 1
