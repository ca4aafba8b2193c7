"""The ratios of measured costs, each variant's to the baseline's, from the runs of a sweep."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports.store.sweep import Sweep
from zoo.measure import metrics
from zoo.measure.metrics import Metric
from zoo.stats.costs import ratios
from zoo.stats.costs.ratios import NotCompared, Ratio, RatioWord


def ratios_of(sweep: Sweep) -> dict[str, dict[str, Ratio]]:
    """Metric -> variant -> its ratio to the baseline, for every measured cost that the sweep's runs have."""
    if sweep.baseline is None:
        return {}
    return {metric.name: _ratios(sweep, sweep.baseline, metric) for metric in _measured_costs(sweep.runs.columns)}


def columns(sweep: Sweep) -> pd.DataFrame:
    """The ratios as columns of ``variants.frame``, one row a variant of the sweep, in its order.

    For each measured cost: ``<metric>_ratio`` (the variant's divided by the baseline's), ``_ratio_low`` and ``_ratio_high``
    (its interval, see ``zoo.stats.costs.ratios``), ``_ratio_word`` (a ``RatioWord``) and ``_ratio_note`` (why it was not
    compared, else ""); nan and "" of the baseline.
    """
    table = pd.DataFrame(index=range(len(sweep.variants)))
    for metric, of_variant in ratios_of(sweep).items():
        found = [of_variant.get(name) for name in sweep.variants]
        nan = float("nan")
        table[f"{metric}_ratio"] = [each.ratio if each else nan for each in found]
        table[f"{metric}_ratio_low"] = [each.low if each else nan for each in found]
        table[f"{metric}_ratio_high"] = [each.high if each else nan for each in found]
        table[f"{metric}_ratio_word"] = [each.word.value if each else "" for each in found]
        table[f"{metric}_ratio_note"] = [each.reason.value if each and each.reason else "" for each in found]
    return table


def _measured_costs(names: Any) -> list[Metric]:
    return [metric for metric in metrics.among(names) if metric.is_cost and metric.is_measured]


def _ratios(sweep: Sweep, baseline: str, metric: Metric) -> dict[str, Ratio]:
    """Of a metric that every training has a value of its own of: on the device that most of the baseline's are of."""
    runs = {name: sweep.results(name) for name in sweep.variants}
    runs = {name: of_variant[of_variant[metric.name] > 0] for name, of_variant in runs.items()}
    devices = runs[baseline]["device"].mode()
    times: dict[str, dict[int, float]] = {}
    left_out: dict[str, NotCompared] = {}
    for name, of_variant in runs.items():
        elsewhere = of_variant["device"] != (devices.iloc[0] if len(devices) else "")
        if elsewhere.any():
            left_out[name] = NotCompared.DEVICES
        kept = of_variant[~elsewhere]
        times[name] = dict(zip(kept["seed"].astype(int), kept[metric.name].astype(float), strict=True))
    found = ratios.of_trainings(times, baseline)
    for name, ratio in found.items():
        reason = left_out.get(name) or left_out.get(baseline)
        if reason and ratio.word is RatioWord.NOT_COMPARED:
            found[name] = ratios.not_compared(reason, ratio.n)
    return found
