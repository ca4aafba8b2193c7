"""A question as if it had been trained: the sweep that the store would give back, without a store and without training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from reports.store import levels, runs
from reports.store.sweep import Sweep
from zoo.config import Question
from zoo.measure.metrics import METRICS
from zoo.stats.verdicts import SeedSchedule
from zoo.tracking.names import PROVENANCE

COSTS = {"params": 1000, "macs": 20_000, "ops": 40_000, "train_s": 10.0, "latency_tf_p50_ms": 0.5}


def answered(
    question: Question,
    accuracies: Mapping[str, Sequence[float | str]],
    costs: Mapping[str, Mapping[str, float]] | None = None,
) -> Sweep:
    """``accuracies``: of each variant, for the seeds in their order: percent, or the kind of failure, or another reason."""
    rows = []
    for variant in question.variants:
        config = {f"config.{name}": _text(value) for name, value in variant.config.flat().items()}
        for seed, given in zip(question.seeds, accuracies.get(variant.name, ()), strict=False):
            row = dict.fromkeys(METRICS, float("nan")) | COSTS | (costs or {}).get(variant.name, {})
            row |= {"sweep": question.name, "variant": variant.name, "seed": seed, "start_ms": 0}
            row |= {"run_key": f"{variant.name}:{seed}", "run_id": f"{len(rows):032x}"} | dict.fromkeys(PROVENANCE, "")
            if isinstance(given, str):
                row |= {"status": "FAILED", "status_detail": f"{given}: told", "failure": given}
            else:
                row |= {"status": "FINISHED", "status_detail": "", "failure": "", "accuracy_percent": given}
            rows.append(row | config)
    names = tuple(variant.name for variant in question.variants)
    frame = runs.frame(rows, names)
    written = json.loads(json.dumps({variant.name: variant.levels for variant in question.variants}))
    return Sweep(
        name=question.name,
        question=question.question,
        baseline=question.baseline,
        margin=question.margin,
        variants=names,
        seeds=question.seeds,
        command=None,
        runs=frame,
        histories=pd.DataFrame(columns=["run_id", "metric", "step", "value"]),
        schedule=SeedSchedule(question.first_analysis, len(question.seeds)) if question.first_analysis else None,
        levels=levels.complete(written, frame),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
