"""The ratios of measured costs, each variant's to the baseline's, from the runs of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports.store.sweep import Sweep
from zoo.measure import metrics
from zoo.measure.metrics import Kind, Metric
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


def samples(sweep: Sweep, metric: Metric) -> dict[str, Any]:
    """What the front draws a measured cost from, as ``zoo.stats.costs.pareto.membership`` takes it: the ``times`` of each
    training of each variant, or the ``rounds`` of its network. Nothing where some of them cannot be compared."""
    if sweep.baseline is None:
        return {}
    judged = _ratios(sweep, sweep.baseline, metric)
    if any(ratio.reason not in (None, NotCompared.UNMEASURED, NotCompared.SPREADLESS) for ratio in judged.values()):
        return {}
    runs = {name: of_variant for name in sweep.variants if len(of_variant := sweep.results(name))}
    if metric.rounds:
        return {"rounds": _in_session(sweep, runs, sweep.baseline, metric)}
    runs = {name: its for name, its in runs.items() if its[metric.name].notna().any()}
    if not all((its[metric.name] > 0).all() for its in runs.values()):
        return {}
    times = {
        name: dict(zip(its["seed"].astype(int), its[metric.name].astype(float), strict=True))
        for name, its in runs.items()
    }
    return {"times": times}


def _measured_costs(names: Any) -> list[Metric]:
    return [metric for metric in metrics.among(names) if metric.is_cost and metric.is_measured]


_NEEDED = ("seed", "run_id", "device", "train_s", "train_others_busy", "latency_others_busy")


def _ratios(sweep: Sweep, baseline: str, metric: Metric) -> dict[str, Ratio]:
    needed = [name for name in dict.fromkeys([*_NEEDED, metric.name]) if name in sweep.runs]
    runs = {name: sweep.results(name)[needed] for name in sweep.variants}
    runs = {name: of_variant[of_variant[metric.name] > 0] for name, of_variant in runs.items()}
    return (_of_rounds if metric.rounds else _of_trainings)(sweep, runs, baseline, metric)


def _of_trainings(sweep: Sweep, runs: Mapping[str, pd.DataFrame], baseline: str, metric: Metric) -> dict[str, Ratio]:
    """Of a metric that every training has a value of its own of: on the device that most of the baseline's are of."""
    devices = runs[baseline]["device"].mode()
    times: dict[str, dict[int, float]] = {}
    left_out: dict[str, NotCompared] = {}
    for name, of_variant in runs.items():
        elsewhere = of_variant["device"] != (devices.iloc[0] if len(devices) else "")
        busy = _is_busy(of_variant, "train_others_busy") & (metric.kind is Kind.TIME)
        later = ~_in_turn(sweep, of_variant, runs[baseline])
        if elsewhere.any():
            left_out[name] = NotCompared.DEVICES
        elif busy.any():
            left_out[name] = NotCompared.BUSY
        elif later.any():
            left_out[name] = NotCompared.LATER
        kept = of_variant[~elsewhere & ~busy & ~later]
        times[name] = dict(zip(kept["seed"].astype(int), kept[metric.name].astype(float), strict=True))
    found = ratios.of_trainings(times, baseline)
    for name, ratio in found.items():
        reason = left_out.get(name) or left_out.get(baseline)
        if reason and len(runs[name]) and ratio.word is RatioWord.NOT_COMPARED:
            is_one = (keys := sweep.trainings(name)) and keys == sweep.trainings(baseline)
            found[name] = ratios.identical(len(keys)) if is_one else ratios.not_compared(reason, ratio.n)
    return found


def _is_busy(runs: pd.DataFrame, column: str) -> pd.Series:
    """Boolean [rows]; frames that earlier versions wrote have no such column."""
    return runs[column] > ratios.BUSY if column in runs else pd.Series(False, index=runs.index)


def _in_turn(sweep: Sweep, own: pd.DataFrame, baseline: pd.DataFrame) -> pd.Series:
    """Boolean [rows of ``own``]: whether a training and the baseline's of its seed are of one block in time. No training of
    another seed began between the two, or they ran at the same time; true where that is not known, or there is no pair."""
    began = np.array([sweep.began_s.get(run, np.nan) for run in sweep.runs["run_id"]])
    seeds = sweep.runs["seed"].to_numpy()
    theirs = {
        seed: sweep.began_s.get(run, np.nan) for seed, run in zip(baseline["seed"], baseline["run_id"], strict=True)
    }
    found = []
    for seed, run, seconds in zip(own["seed"], own["run_id"], own["train_s"], strict=True):
        first, last = np.sort([sweep.began_s.get(run, np.nan), theirs.get(seed, np.nan)])
        is_between = (began > first) & (began < last) & (seeds != seed)
        found.append(bool(last - first <= seconds or not is_between.any()))
    return pd.Series(found, index=own.index, dtype=bool)


def _of_rounds(sweep: Sweep, runs: Mapping[str, pd.DataFrame], baseline: str, metric: Metric) -> dict[str, Ratio]:
    """Of a metric that is measured of networks, from the rounds in which the baseline's was measured."""
    times = _in_session(sweep, runs, baseline, metric)
    is_busy = bool(_is_busy(runs[baseline], "latency_others_busy").any())
    found: dict[str, Ratio] = {}
    for name in runs:
        if name != baseline and not (times[name] and times[baseline]):
            is_measured = len(runs[name]) and len(runs[baseline])
            found[name] = ratios.not_compared(NotCompared.APART if is_measured else NotCompared.UNMEASURED)
        elif name != baseline and is_busy and times[name] != times[baseline]:
            found[name] = ratios.not_compared(NotCompared.BUSY)
    compared = {name: its for name, its in times.items() if name == baseline or name not in found}
    return found | (ratios.of_rounds(compared, baseline) if len(compared) > 1 else {})


def _in_session(
    sweep: Sweep, runs: Mapping[str, pd.DataFrame], baseline: str, metric: Metric
) -> dict[str, tuple[float, ...]]:
    """The rounds of each variant, in the session in which the baseline was measured last; () where it was not there."""
    rounds = {
        name: [its for run in of_variant["run_id"] if (its := sweep.rounds.get(run, {}).get(metric.name)) is not None]
        for name, of_variant in runs.items()
    }
    last = rounds[baseline][-1].session if rounds.get(baseline) else None
    return {name: next((each.times_ms for each in its if each.session == last), ()) for name, its in rounds.items()}
