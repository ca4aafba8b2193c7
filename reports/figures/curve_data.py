"""The points of learning curves: test accuracy at each step, over the seeds of each variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.analysis.wording import names
from reports.figures.style import shortened
from reports.store.sweep import Sweep
from zoo.measure import readouts
from zoo.tracking.names import StepMetrics

LABEL_LENGTH = 58  # characters of a variant's name: two lines over a panel, or a line of the legend

ONLY_KIND = "test accuracy"  # where no evaluation was recorded by itself

Array = NDArray[np.float64]


class Curve(NamedTuple):
    """Test accuracy in percent at each step: mean, lowest and highest over the seeds, each [points]."""

    step: NDArray[np.int64]
    mean: Array
    low: Array
    high: Array

    @property
    def has_spread(self) -> bool:
        return bool((self.high > self.low).any())


class TrainingCurves(NamedTuple):
    """One training, repeated: its label (variants that share it joined) and its curves by kind."""

    label: str
    is_baseline: bool
    curves: dict[str, Curve]


def kinds() -> dict[str, str]:
    """Metric -> kind of curve: the evaluations of a training, the raw weights last."""
    return {each.accuracy: each.label for each in reversed(readouts.evaluations())}


def training_curves(sweep: Sweep) -> list[TrainingCurves]:
    """What there is to draw, in the question's order: variants that are readouts of the same runs are joined."""
    results = dict(iter(sweep.results().groupby("variant", sort=False)))
    labels = names.labels(sweep.variants, sweep.levels, sweep.baseline)
    by_metric = _by_metric(sweep.histories)
    trainings = []
    for sharing in _sharing_trainings(sweep, results):
        candidates = [_curves(by_metric, results[name]["run_id"]) for name in sharing]
        # A readout at fewer steps has a shorter part of the same.
        curves = max(candidates, key=lambda each: max((curve.step[-1] for curve in each.values()), default=-1))
        if curves:
            label = " | ".join(shortened(labels[name], LABEL_LENGTH) for name in sharing)
            trainings.append(TrainingCurves(label, sweep.baseline in sharing, curves))
    return trainings


def kinds_of(trainings: list[TrainingCurves]) -> list[str]:
    """The kinds of curves that any of the trainings has, the main one first."""
    return [kind for kind in (*kinds().values(), ONLY_KIND) if any(kind in training.curves for training in trainings)]


def _sharing_trainings(sweep: Sweep, results: Mapping[str, pd.DataFrame]) -> list[list[str]]:
    """The variants with results, those that are read from the same runs together."""
    groups: dict[frozenset[str], list[str]] = {}
    for name in sweep.variants:
        if name in results:
            keys = frozenset(results[name]["run_key"]) - {""} or frozenset(results[name]["run_id"])
            groups.setdefault(keys, []).append(name)
    return list(groups.values())


def _by_metric(histories: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Metric -> its values (fractions) by step and run."""
    return {
        metric: histories[histories["metric"] == metric]
        .pivot(index="step", columns="run_id", values="value")
        .sort_index()
        for metric in (*kinds(), StepMetrics.TEST_ACCURACY)
    }


def _curves(by_metric: Mapping[str, pd.DataFrame], run_ids: pd.Series[str]) -> dict[str, Curve]:
    """Kind -> the curve of these runs."""
    curves = {kind: curve for metric, kind in kinds().items() if (curve := _curve(by_metric[metric], run_ids))}
    if not curves and (only := _curve(by_metric[StepMetrics.TEST_ACCURACY], run_ids)):
        return {ONLY_KIND: only}
    return curves


def _curve(values: pd.DataFrame, run_ids: pd.Series[str]) -> Curve | None:
    """At the steps that all of these runs have; None where there is no such step."""
    shared = values[[run_id for run_id in run_ids if run_id in values]].dropna()
    percent = 100 * shared.to_numpy(np.float64)
    if not percent.size:
        return None
    return Curve(shared.index.to_numpy(), percent.mean(axis=1), percent.min(axis=1), percent.max(axis=1))
