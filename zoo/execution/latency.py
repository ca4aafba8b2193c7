"""The latency of one image, of all variants together, measured when nothing trains on this machine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from zoo import data, models
from zoo.config import Config
from zoo.host import calls, hardware, machine_lock
from zoo.measure import latency
from zoo.measure.load import OthersLoad, share
from zoo.plan.network import Network, load_imports
from zoo.plan.runs import Plan, Training
from zoo.storage.records import LatencyRecord

PATIENCE_S = 120  # for the trainings of somebody else's sweep on this machine


class MachineBusy(Exception):
    """Something else trains on this machine, and did not end in time."""


def is_complete(trainings: Sequence[Training]) -> bool:
    """Whether all have a latency, measured in the same rounds."""
    found = [training.record.latency() for training in trainings]
    return None not in found and len({record.session for record in found if record}) < 2


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
    samples, others_busy = calls.call(_query_times_ms, configs, list(networks), classes, tuple(plan.question.imports))
    measured, session = dict(zip(networks, samples, strict=True)), uuid.uuid4().hex
    for training in trainings:
        samples_ms = measured[training.network]
        figures = LatencyRecord(
            what="compiled function, one image, one thread, float32, weights in memory",
            percentiles_ms=latency.percentiles(samples_ms),
            measured=time.time(),
            device=hardware.device(),
            in_turn_with=tuple(sorted({config.model for config in configs})),
            samples_ms=tuple(samples_ms),
            session=session,
            queries_per_round=latency.QUERIES_PER_ROUND,
            others_busy=others_busy,
        )
        training.record.write_latency(figures)


def _query_times_ms(
    configs: Sequence[Config], networks: Sequence[Network], classes: Sequence[int], imports: Sequence[Path]
) -> tuple[list[list[float]], float | None]:
    """In a worker: milliseconds of each query, of each configuration's network, and the share of the machine that others
    took meanwhile."""
    latency.use_one_thread()
    load_imports(imports, zip(configs, networks, strict=True))
    built = [
        models.build(config.model, input_size=config.input_size, classes=count, **config.arguments)
        for config, count in zip(configs, classes, strict=True)
    ]
    others_s = OthersLoad(hardware.core_numbers())
    before_s, began = others_s(), time.perf_counter()
    samples = latency.measure(built, [config.input_size for config in configs])
    return samples, share(others_s() - before_s, time.perf_counter() - began)
