"""The numbers behind the pictures, for the page's script: every variant with its seeds, costs and curves, as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.analysis import trade_off
from reports.html.page_data import PageData
from reports.store.sweep import Sweep
from zoo.measure import readouts
from zoo.measure.cost_axes import cost_axes
from zoo.text.characters import visible
from zoo.text.listing import level_text
from zoo.tracking.names import StepMetrics

MOST_POINTS = 120  # of a curve: more are not to be told apart on a screen
MOST_CURVES = 120  # trainings that are drawn one by one; of more, each variant has its mean
LOSS = "training loss"


def as_json(data: PageData) -> str:
    """A JSON document that may stand in a page: no text in it ends the element that holds it."""
    document = json.dumps(_document(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        document = document.replace(letter, f"\\u{ord(letter):04x}")
    return document


def _document(data: PageData) -> dict[str, Any]:
    sweep, frame = data.sweep, data.frame
    labels = frame["label"] if "label" in frame else frame["variant"]
    steps, curves = _curves(sweep)
    costs = {axis: trade_off.cost_values(frame, axis) for axis in cost_axes()}
    costs = {axis: values for axis, values in costs.items() if not np.isnan(values).all()}
    return {
        "sweep": visible(sweep.name),
        "baseline": next((index for index, name in enumerate(sweep.variants) if name == sweep.baseline), None),
        "margin": sweep.margin,
        "axes": [{"name": axis, "noun": cost.noun} for axis, cost in cost_axes().items() if axis in costs],
        "variants": [
            _variant(sweep, name, label)
            | {"costs": {axis: _rounded(values[index], 6) for axis, values in costs.items()}}
            for index, (name, label) in enumerate(zip(sweep.variants, labels.astype(str), strict=True))
        ],
        "steps": steps,
        "curves": curves,
    }


def _variant(sweep: Sweep, name: str, label: str) -> dict[str, Any]:
    results = sweep.results(name)
    return {
        "name": visible(name),
        "label": visible(label),
        "levels": {visible(str(k)): visible(level_text(v)) for k, v in sweep.levels.get(name, {}).items()},
        "seeds": [int(seed) for seed in results["seed"]],
        "accuracies": [_rounded(value, 6) for value in results["accuracy_percent"]],
    }


def _curves(sweep: Sweep) -> tuple[list[int], list[dict[str, Any]]]:
    """The steps, and for each kind of curve the values [steps] of each training: by variant and seed, null where there is
    none; the seed is null for the mean of a variant's trainings."""
    kinds = {each.accuracy: (f"test accuracy, {each.label}", True) for each in reversed(readouts.evaluations())}
    if not sweep.histories["metric"].isin(kinds).any():
        kinds = {StepMetrics.TEST_ACCURACY: ("test accuracy", True)}
    kinds[StepMetrics.TRAIN_LOSS] = (LOSS, False)
    results, histories = sweep.results(), sweep.histories
    run_ids = {name: [*sweep.results(name)[["seed", "run_id"]].itertuples(index=False)] for name in sweep.variants}
    points = histories[histories["metric"].isin(kinds) & histories["run_id"].isin(results["run_id"])]
    if points.empty:
        return [], []
    steps = _thinned(np.unique(points["step"].to_numpy()))
    points = points[points["step"].isin(steps)]
    found = []
    for metric, (label, is_percent) in kinds.items():
        table = points[points["metric"] == metric].pivot(index="step", columns="run_id", values="value")
        if table.empty:
            continue
        values = table.reindex(steps).to_numpy(np.float64).T * (100 if is_percent else 1)
        of_run = dict(zip(table.columns, values, strict=True))
        found.append({"label": label, "unit": "%" if is_percent else "", "trainings": _trainings(run_ids, of_run)})
    return [int(step) for step in steps], found


def _trainings(
    run_ids: Mapping[str, Sequence[tuple[int, str]]], of_run: Mapping[str, NDArray[np.float64]]
) -> list[dict[str, Any]]:
    """Each with its values [steps], or the mean of each variant's where there are too many."""
    trainings = []
    for index, runs in enumerate(run_ids.values()):
        own: list[tuple[int | None, NDArray[np.float64]]]
        own = [(int(seed), of_run[run_id]) for seed, run_id in runs if run_id in of_run]
        if len(of_run) > MOST_CURVES and own:
            own = [(None, np.mean([values for _, values in own], axis=0))]
        trainings += [
            {"variant": index, "seed": seed, "values": [_rounded(v, 4) for v in values]} for seed, values in own
        ]
    return trainings


def _rounded(value: Any, digits: int) -> float | None:
    """To so many digits; None for what is missing, or not finite."""
    if not math.isfinite(value):
        return None
    return float(f"{float(value):.{digits}g}")


def _thinned(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most ``MOST_POINTS``, the first and the last among them, evenly."""
    if len(steps) <= MOST_POINTS:
        return steps
    return steps[np.unique(np.linspace(0, len(steps) - 1, MOST_POINTS).round().astype(int))]
