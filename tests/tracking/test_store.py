"""What MLflow holds of a sweep, in a real store, from hand-made records: nothing here is trained."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.plans import register_negated
from helpers.tracked import (
    TWO_SIZES,
    artifacts,
    ask,
    begin,
    finish,
    logits,
    open_store,
    points,
    row,
    runs_of,
    train,
    uri_of,
)

import reports
from zoo import models
from zoo.storage.records import LatencyRecord, Status
from zoo.storage.states import FailureKind, TrainingState
from zoo.tracking.connection import open_client
from zoo.tracking.experiments import view


def test_a_finished_run_holds_what_the_design_names(workdir):
    plan = ask(workdir)
    training = plan.trainings[0]
    finish(training)
    store = open_store(workdir, plan)
    store.send(training, TrainingState.DONE)

    assert list(runs_of(store)) == ["hidden=[8] · seed 0"]
    run = runs_of(store)["hidden=[8] · seed 0"]
    assert run.info.status == "FINISHED"
    assert (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_020_000)
    tags = run.data.tags
    assert tags["sweep"] == "size"
    assert (tags["variant"], tags["seed"], tags["current"]) == ("hidden=[8]", "0", "true")
    assert (tags["run_key"], tags["training_key"]) == (plan.runs[0].key, training.key)
    assert (tags["device"], tags["git_commit"], tags["git_dirty"]) == ("1 x test", "c0ffee", "false")
    assert tags["data_sha256"] == training.data_sha256
    assert tags["status_detail"] == "complete"
    assert "`alex2` trained on `digits` for 20 steps" in tags["mlflow.note.content"]
    assert "mlflow.parentRunId" not in tags

    params = run.data.params
    assert (params["variant"], params["seed"], params["steps"]) == ("hidden=[8]", "0", "20")
    assert (params["hidden"], params["optimizer.lr"], params["ema"]) == ("[8]", "0.1", "true")
    assert set(params) == {"variant", "seed", *plan.runs[0].variant.config.flat()}

    by_step = {name for name in run.data.metrics if name.startswith(("train/", "test/"))}
    assert by_step == {
        *("train/loss", "train/accuracy", "train/learning_rate", "train/images_per_s"),
        *("test/accuracy", "test/accuracy_raw", "test/accuracy_ema", "test/top5"),
    }
    assert points(store, run, "test/accuracy") == [(10, 0.9), (20, 0.95)]  # the averaged weights'
    assert points(store, run, "test/accuracy_raw") == [(10, 0.8), (20, 0.9)]
    assert points(store, run, "test/top5") == [(10, 0.99), (20, 0.995)]
    assert points(store, run, "train/images_per_s") == [(10, 1010), (20, 1020)]
    once = {name: value for name, value in run.data.metrics.items() if name not in by_step}
    assert once == {
        **{"cost/params": 1000, "cost/macs": 20_000, "cost/ops": 40_123, "cost/train_s": 2.0},
        **{"latency_ms/tf_p50": 1.5, "latency_ms/tf_p90": 2.5, "latency_ms/tf_p99": 3.5},
    }
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("digits", training.data_sha256[:36])


def test_what_else_ran_and_the_rounds_of_a_latency(workdir):
    plan = ask(workdir)
    training = plan.trainings[0]
    train(training, 10, 20)
    training.record.write_history([row(20) | {"others_busy": 0.25}])
    training.record.write_latency(
        LatencyRecord(
            percentiles_ms={"p50": 1.5},
            samples_ms=(1.0, 1.5, 1.123456, 3.0),
            session="s",
            queries_per_round=2,
            others_busy=0.125,
        )
    )
    store = open_store(workdir, plan)
    store.send(training, TrainingState.DONE)
    run = runs_of(store)[training.runs[0].name]
    assert run.data.metrics["cost/train_others_busy"] == 0.25
    assert run.data.metrics["latency_ms/others_busy"] == 0.125
    assert run.data.tags["latency_session"] == "s"
    assert run.data.tags["latency_rounds_ms/tf"] == "[1.25, 2.0617]"


def test_the_files_of_a_finished_run(workdir):
    plan = ask(workdir, overrides=["base.batch=32"])
    finish(plan.trainings[0])
    store = open_store(workdir, plan)
    store.send(plan.trainings[0], TrainingState.DONE)
    directory = artifacts(runs_of(store)["hidden=[8] · seed 0"])
    assert directory.is_relative_to(workdir / "mlruns" / "size")
    kept = {path.name for path in directory.iterdir()}
    assert kept == {"spec.yaml", "environment.json", "predictions.npz", "history.csv", "samples.png"}
    with np.load(directory / "predictions.npz") as predictions:
        assert set(predictions) == {"labels", "logits"}
        assert predictions["labels"].tolist() == [3, 1, 4]
        assert np.array_equal(predictions["logits"], logits(20, "ema"))
    assert (directory / "spec.yaml").read_text().endswith(TWO_SIZES)
    assert "# --set base.batch=32" in (directory / "spec.yaml").read_text()
    assert json.loads((directory / "environment.json").read_text()) == {"cores": 2}
    assert [line.split(",")[0] for line in (directory / "history.csv").read_text().split()] == ["step", "10", "20"]


def test_sending_twice_and_by_another_process_doubles_nothing(workdir):
    plan = ask(workdir)
    training = plan.trainings[0]
    train(training, 10)
    store = open_store(workdir, plan)
    store.send(training, TrainingState.RUNNING)
    finish(training)
    for again in (store, store, open_store(workdir, ask(workdir))):
        again.send(training, TrainingState.DONE)
    (run,) = runs_of(store).values()
    for metric in run.data.metrics:
        steps = [step for step, _ in points(store, run, metric)]
        assert steps == ([0] if metric.startswith(("cost", "latency")) else [10, 20]), metric
    assert len(list(artifacts(run).iterdir())) == 5
    assert len(run.inputs.dataset_inputs) == 1


def test_files_that_are_gone_or_half_sent_are_sent_again(workdir):
    plan = ask(workdir)
    training = plan.trainings[0]
    finish(training)
    store = open_store(workdir, plan)
    store.send(training, TrainingState.DONE)
    (run,) = runs_of(store).values()
    (artifacts(run) / "predictions.npz").unlink()
    store.send(training, TrainingState.DONE)
    assert (artifacts(run) / "predictions.npz").exists()
    open_client(uri_of(workdir)).delete_tag(run.info.run_id, "artifacts")  # as when the first time was cut short
    (artifacts(run) / "samples.png").write_bytes(b"a pic")
    store.send(training, TrainingState.DONE)
    assert (artifacts(run) / "samples.png").read_bytes() == b"a picture"


def test_running_then_stopped_then_completed(workdir):
    plan = ask(workdir)
    training = plan.trainings[0]
    store = open_store(workdir, plan)

    def state():
        (run,) = runs_of(store).values()
        return run.info.status, run.data.tags["status_detail"]

    store.send(training, TrainingState.RUNNING)  # before its process has written a line
    assert state() == ("RUNNING", "running")
    train(training, 10)
    store.send(training, TrainingState.STOPPED)
    assert state() == ("KILLED", "stopped; evaluated up to step 10; the same command goes on")
    store = open_store(workdir, plan)
    store.send(training, TrainingState.RUNNING)
    assert state() == ("RUNNING", "running")
    finish(training)
    store.send(training, TrainingState.DONE)
    assert state() == ("FINISHED", "complete")
    (run,) = runs_of(store).values()
    assert run.data.tags["device"] == "1 x test"  # known only since its process began
    assert run.info.end_time == 1_700_000_020_000


def test_a_failed_training_keeps_its_reason_and_can_be_tried_again(workdir):
    plan = ask(workdir)
    training = plan.trainings[0]
    train(training, 10)
    store = open_store(workdir, plan)
    reason = "the loss is not a number at step 13"
    training.record.write_status(Status(state=TrainingState.FAILED, failure=FailureKind.DIVERGED, reason=reason))
    store.send(training, TrainingState.FAILED, reason)
    (run,) = runs_of(store).values()
    assert run.info.status == "FAILED" and run.data.tags["failure"] == "diverged"
    assert run.data.tags["status_detail"] == "the loss is not a number at step 13"
    assert points(store, run, "test/accuracy") == [(10, 0.9)]
    assert run.data.metrics["cost/params"] == 1000
    store.send(training, TrainingState.FAILED, "x" * 9000)  # longer than MLflow takes
    finish(training)
    store.send(training, TrainingState.DONE)
    (run,) = runs_of(store).values()
    assert (run.info.status, run.data.tags["status_detail"]) == ("FINISHED", "complete")
    assert run.data.tags["failure"] == ""
    assert run.data.tags["failure"] == ""


def test_averages_as_a_factor_are_two_runs_of_one_training(workdir):
    plan = ask(workdir, TWO_SIZES.replace("hidden: [[8], [16]]", "ema: [true, false]").replace("seeds: 2", "seeds: 1"))
    (training,) = plan.trainings
    finish(training)
    store = open_store(workdir, plan)
    store.send(training, TrainingState.DONE)
    runs = runs_of(store)
    averaged, raw = runs["ema=true · seed 0"], runs["ema=false · seed 0"]
    assert averaged.data.tags["run_key"] == raw.data.tags["run_key"]
    assert (averaged.data.metrics["test/accuracy"], raw.data.metrics["test/accuracy"]) == (0.95, 0.9)
    assert (averaged.data.metrics["test/top5"], raw.data.metrics["test/top5"]) == (0.995, 0.99)
    assert averaged.data.metrics["test/accuracy_raw"] == raw.data.metrics["test/accuracy_raw"] == 0.9
    for run, which in ((averaged, "ema"), (raw, "raw")):
        with np.load(artifacts(run) / "predictions.npz") as predictions:
            assert np.array_equal(predictions["logits"], logits(20, which))


def test_steps_as_a_factor_end_the_shorter_run_while_the_longer_goes_on(workdir):
    text = (
        TWO_SIZES.replace("hidden: [[8], [16]]", "steps: [20, 40]")
        .replace("steps: 20, ", "")
        .replace("seeds: 2", "seeds: 1")
    )
    plan = ask(workdir, text)
    (training,) = plan.trainings
    assert training.targets == (20, 40)
    train(training, 10, 20, 30)
    store = open_store(workdir, plan)
    store.send(training, TrainingState.RUNNING)
    runs = runs_of(store)
    short, long = runs["steps=20 · seed 0"], runs["steps=40 · seed 0"]
    assert (short.info.status, long.info.status) == ("FINISHED", "RUNNING")
    assert short.info.end_time == 1_700_000_020_000
    assert [step for step, _ in points(store, short, "test/accuracy")] == [10, 20]
    assert [step for step, _ in points(store, long, "test/accuracy")] == [10, 20, 30]
    assert short.data.tags["run_key"] != long.data.tags["run_key"]
    assert short.data.metrics["cost/train_s"] == 2.0
    assert "30" not in [line.split(",")[0] for line in (artifacts(short) / "history.csv").read_text().split()]
    store.send(training, TrainingState.FAILED, "killed")
    assert {run.info.status for run in runs_of(store).values()} == {"FINISHED", "FAILED"}


def test_a_long_history_is_sent_whole(workdir):
    plan = ask(workdir)
    training = plan.trainings[0]
    begin(training)
    training.record.write_history([row(step) for step in range(10, 10 + 250)])
    text = TWO_SIZES.replace("steps: 20", "steps: 1000")
    plan = ask(workdir, text)
    assert plan.trainings[0].key == training.key
    store = open_store(workdir, plan)
    store.send(plan.trainings[0], TrainingState.RUNNING)
    (run,) = runs_of(store).values()
    assert [step for step, _ in points(store, run, "test/accuracy")] == list(range(10, 260))


def test_the_cost_is_the_one_that_the_training_was_counted_with(workdir):
    """Code that counts otherwise today is not set beside an accuracy of before."""
    plan = ask(workdir)
    training = plan.trainings[0]
    finish(training)
    made = training.record.description()
    training.record.write_description(made.model_copy(update={"cost": made.cost._replace(macs=7)}))
    store = open_store(workdir, plan)
    store.send(training, TrainingState.DONE)
    assert runs_of(store)[training.runs[0].name].data.metrics["cost/macs"] == 7


def test_arguments_of_a_model_named_seed_and_variant_keep_their_values(workdir, own_registrations):
    @models.register("seeded")
    def seeded(input_size: int = 24, classes: int = 10, seed: int = 7, variant: str = "b"):
        raise AssertionError("it is not built here")

    text = TWO_SIZES.replace("alex2, data: digits, convs: [[3, 8]],", "seeded, data: digits, variant: c,")
    plan = ask(workdir, text.replace("hidden: [[8], [16]]", "seed: [7, 8]"))
    store = open_store(workdir, plan)
    for training in plan.trainings:
        begin(training)
        store.send(training, TrainingState.RUNNING)
    params = [run.data.params for run in runs_of(store).values()]
    assert {(p["variant"], p["seed"], p["model.seed"], p["model.variant"]) for p in params} == {
        (f"seed={value}", str(seed), str(value), "c") for value in (7, 8) for seed in (0, 1)
    }
    assert "params.`model.seed`" in view.tag(["seed"], 0)
    frame = reports.load("size", uri_of(workdir))
    assert set(frame["config.model.seed"]) == {"7", "8"} and set(frame["seed"]) == {0, 1}


@pytest.mark.parametrize("fields_text", ["ema: true", "ema: false"])
def test_another_evaluation_of_the_same_training_is_another_run(workdir, fields_text):
    """The question is asked again with another readout in its base: neither its key nor its variants' names change."""
    one = TWO_SIZES.replace("seeds: 2", "seeds: 1").replace("steps: 20", fields_text + ", steps: 20")
    before = ask(workdir, one)
    for training in before.trainings:
        finish(training)
        open_store(workdir, before).send(training, TrainingState.DONE)
    other = {"ema: true": "ema: false", "ema: false": "ema: true"}[fields_text]
    after = ask(workdir, one.replace(fields_text, other))
    assert [run.key for run in after.runs] == [run.key for run in before.runs]
    store = open_store(workdir, after)
    for training in after.trainings:
        store.send(training, TrainingState.DONE)
    expected = {"ema: true": 0.95, "ema: false": 0.9}
    for run in runs_of(store, only="tags.current = 'true'").values():
        assert run.data.metrics["test/accuracy"] == expected[other]
        assert run.data.params["ema"] == other.removeprefix("ema: ")
    earlier = open_client(store.uri).search_runs([store.experiment_id], filter_string="tags.current = 'false'")
    assert [run.data.metrics["test/accuracy"] for run in earlier] == [expected[fields_text]] * 2


def test_rows_that_are_older_than_a_readout_are_sent_without_it(workdir):
    register_negated()
    plan = ask(workdir, TWO_SIZES.replace("seeds: 2", "seeds: 1").replace("steps: 20", "negated: true, steps: 20"))
    training = plan.trainings[0]
    finish(training)
    store = open_store(workdir, plan)
    store.send(training, TrainingState.STOPPED)
    (run,) = runs_of(store).values()
    assert "test/accuracy" not in run.data.metrics and run.data.metrics["test/accuracy_raw"] == 0.9
    assert run.info.status == "KILLED", "it has no result: its evaluation is missing"
