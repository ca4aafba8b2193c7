"""The latency of one image, of all variants together, measured when nothing trains on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from zoo import data, models
from zoo.config import Config
from zoo.host import calls, hardware, machine_lock
from zoo.measure import latency
from zoo.plan.network import Network, load_imports
from zoo.plan.runs import Plan, Training
from zoo.storage.records import LatencyRecord

PATIENCE_S = 120  # for the trainings of somebody else's sweep on this machine


class MachineBusy(Exception):
    """Something else trains on this machine, and did not end in time."""


def without_latency(trainings: Sequence[Training]) -> list[Training]:
    """Those that have no latency yet."""
    return [training for training in trainings if training.record.latency() is None]


def measure_latency(plan: Plan, trainings: Sequence[Training], patience_s: float = PATIENCE_S) -> None:
    """Measure the latency of every variant in the same minutes, so that the figures compare.

    They go into the records, ``latency.json``. Raises MachineBusy when other trainings on this machine do not end within
    ``patience_s`` seconds, what a user's own network raises, and ProcessDied.
    """
    with machine_lock.measuring(patience_s) as is_quiet:
        if not is_quiet:
            raise MachineBusy
        _measure(plan, trainings)


def _measure(plan: Plan, trainings: Sequence[Training]) -> None:
    networks = {training.network: training.config for training in trainings}
    configs = list(networks.values())
    classes = [len(data.info(config.data).classes) for config in configs]
    samples = calls.call(_query_times_ms, configs, list(networks), classes, tuple(plan.question.imports))
    measured = dict(zip(networks, samples, strict=True))
    for training in trainings:
        samples_ms = measured[training.network]
        figures = LatencyRecord(
            what="compiled function, one image, one thread, float32, weights in memory",
            percentiles_ms=latency.percentiles(samples_ms),
            measured=time.time(),
            device=hardware.device(),
            in_turn_with=tuple(sorted({config.model for config in configs})),
            samples_ms=tuple(samples_ms),
        )
        training.record.write_latency(figures)


def _query_times_ms(
    configs: Sequence[Config], networks: Sequence[Network], classes: Sequence[int], imports: Sequence[Path]
) -> list[list[float]]:
    """In a worker: milliseconds of each query, of each configuration's network."""
    latency.use_one_thread()
    load_imports(imports, zip(configs, networks, strict=True))
    built = [
        models.build(config.model, input_size=config.input_size, classes=count, **config.arguments)
        for config, count in zip(configs, classes, strict=True)
    ]
    return latency.measure(built, [config.input_size for config in configs])
