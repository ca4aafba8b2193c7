"""Records of a sweep written by hand, with numbers that can be worked out, and what MLflow makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.config import load
from zoo.measure import Cost
from zoo.plan import origin
from zoo.plan import runs as plans
from zoo.storage.records import LatencyRecord, TrainingDescription
from zoo.tracking.connection import open_client
from zoo.tracking.store import Store

COST = Cost(params=1000, macs=20_000, ops=40_123)
COSTS = {  # of the networks of ``TWO_SIZES``, as they are
    "hidden=[8]": Cost(params=9538, macs=133_712, ops=281_282),
    "hidden=[16]": Cost(params=18_842, macs=143_008, ops=299_898),
}
LABELS = np.array([3, 1, 4], np.uint8)

TWO_SIZES = """\
question: Does the size matter?
base: {model: alex2, data: digits, convs: [[3, 8]], steps: 20, evaluate_every: 10, precision: float32}
factors:
  hidden: [[8], [16]]
seeds: 2
margin: 0.75
"""


def uri_of(directory: Path) -> str:
    return f"sqlite:///{directory}/mlflow.db"


def ask(directory: Path, text: str = TWO_SIZES, **kwargs) -> plans.Plan:
    (directory / "size.yaml").write_text(text, encoding="utf-8")
    return with_cost(plans.make_plan(load(directory / "size.yaml", **kwargs), directory / "runs"))


def with_cost(plan: plans.Plan, cost: Cost = COST) -> plans.Plan:
    """The plan with the same cost for every training."""
    return plan.with_costs({training.key: cost for training in plan.trainings})


def open_store(directory: Path, plan: plans.Plan, **kwargs) -> Store:
    return Store(plan, uri_of(directory), directory, **kwargs)


def row(step: int) -> dict[str, float]:
    """An evaluation whose numbers can be told apart and worked out: 1 / step and multiples of it."""
    return {
        "step": step,
        "train/loss": 3 / step,
        "train/accuracy": 1 - 4 / step,
        "train/learning_rate": 0.1,
        "train/images_per_s": 1000.0 + step,
        "test/accuracy_raw": 1 - 2 / step,
        "test/accuracy_ema": 1 - 1 / step,
        "test/top5_raw": 1 - 0.2 / step,
        "test/top5_ema": 1 - 0.1 / step,
        "train_s": step / 10,
        "time": 1_700_000_000.0 + step,
    }


def logits(step: int, which: str) -> np.ndarray:
    return np.full((3, 10), step + (0.5 if which == "raw" else 0.25), np.float32)


def description(training, started: float) -> TrainingDescription:
    return TrainingDescription(
        key=training.key,
        question="size",
        runs=tuple(run.name for run in training.runs),
        seed=training.seed,
        data_sha256=training.data_sha256,
        source_sha256=training.network.source_sha256,
        classes=training.network.classes,
        config=training.config.flat(),
        shape={},
        precision=training.config.precision,
        cost=training.counted or COSTS.get(training.runs[0].variant.name, COST),
        device="1 x test",
        started=started,
        git_commit="c0ffee",
        git_dirty="false",
        code_sha256=origin.code_sha256(),
    )


def begin(training, started: float = 1_700_000_000.0) -> None:
    training.record.write_description(description(training, started))
    training.record.write_environment({"cores": 2})
    (training.record.directory / "samples.png").write_bytes(b"a picture")


def train(training, *steps: int) -> None:
    """Leave on disk what a training that has been evaluated at ``steps`` leaves there."""
    begin(training)
    training.record.write_history([row(step) for step in steps])
    for step in {*steps} & {*training.targets}:
        path = training.record.results_file(step)
        path.parent.mkdir(exist_ok=True)
        np.savez(path, labels=LABELS, logits_raw=logits(step, "raw"), logits_ema=logits(step, "ema"))


def finish(training) -> None:
    train(training, *range(10, max(training.targets) + 1, 10))
    training.record.write_latency(LatencyRecord(percentiles_ms={"p50": 1.5, "p90": 2.5, "p99": 3.5}))


def runs_of(store: Store, only: str = "") -> dict[str, object]:
    """MLflow's runs by name, read by another client; no name may be there twice."""
    client = open_client(store.uri)
    found = client.search_runs([store.experiment_id], filter_string=only)
    named = {run.info.run_name: run for run in found}
    assert len(named) == len(found)
    return named


def points(store: Store, run, metric: str) -> list[tuple[int, float]]:
    return [(p.step, p.value) for p in open_client(store.uri).get_metric_history(run.info.run_id, metric)]


def artifacts(run) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://"))
