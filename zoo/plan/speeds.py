"""How fast configurations train on this machine, timed over a few steps once and remembered."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from zoo import data
from zoo.config import Config
from zoo.host import calls, hardware, processes
from zoo.host.resources import allocate
from zoo.plan.cache import FigureCache, cache_key
from zoo.plan.network import Network, Workload, load_imports
from zoo.plan.runs import Plan, Training

_log = logging.getLogger(__name__)

_WORTHWHILE = 1.05  # more trainings at once are chosen only if they are that much faster together
_WORKER_BYTES = 1.2e9


class Speed(NamedTuple):
    """How fast a configuration is on a machine."""

    images_per_s: float  # of training
    startup_s: float  # until the first step is done
    evaluated_per_s: float  # images of one evaluation of one set of weights; 0 if unknown


def median_speed(speeds: Sequence[Speed], factor: float = 1.0) -> Speed:
    """The median of each figure, rates multiplied by ``factor``."""
    rate, startup, evaluated = (statistics.median(values) for values in zip(*speeds, strict=True))
    return Speed(rate * factor, startup, evaluated * factor)


def timed_speed(config: Config, at_once: int) -> Speed | None:
    """The speed of each of ``at_once`` trainings side by side here, None when they have not been timed."""
    return _cache.read().get(_key(config, at_once))


def time_speeds(plan: Plan, configs: Sequence[Config], at_once: int) -> dict[Workload, Speed]:
    """Time a few steps of each distinct workload among ``configs``, and remember the figures.

    Raises what a user's own network raises, and ProcessDied.
    """
    distinct = {Workload.of(config): config for config in configs}
    if distinct:
        networks = f"{len(distinct)} networks" if len(distinct) > 1 else "the network"
        _log.info("timing a few steps of %s, once on this machine ...", networks)
    return {workload: _time(plan, config, at_once) for workload, config in distinct.items()}


def best_at_once(plan: Plan, trainings: Sequence[Training]) -> int:
    """How many trainings at once make the most of this machine's cores, timed with the first of them, once per machine.

    More are tried as long as they are faster together. Raises what a user's own network raises, and ProcessDied.
    """
    config = trainings[0].config
    best, best_rate, at_once = 1, 0.0, 1
    while at_once <= min(hardware.cores(), len(trainings)) and _fits_memory(at_once):
        speed = timed_speed(config, at_once)
        if speed is None:
            _log.info("timing %d at once of %s, once on this machine ...", at_once, config.model)
            speed = _time(plan, config, at_once)
        rate = at_once * speed.images_per_s
        if rate < best_rate * _WORTHWHILE:
            break
        best, best_rate = at_once, rate
        at_once *= 2
    return best


def _time(plan: Plan, config: Config, at_once: int) -> Speed:
    """The speed of each of ``at_once`` trainings side by side; remembered."""
    barrier = processes.context().Barrier(at_once) if at_once > 1 else None
    imports = tuple(plan.question.imports)
    arguments = [
        (imports, config, Network.of(config), allocation.cores, hardware.cores(), barrier)
        for allocation in allocate(at_once, hardware.core_numbers())
    ]
    speed = median_speed(calls.call_together(_measure, arguments))
    _cache.add({_key(config, at_once): speed})
    return speed


def _measure(
    imports: Sequence[Path], config: Config, network: Network, cores: Sequence[int], threads: int, barrier: Any
) -> Speed:
    """In a worker: the speed of one training."""
    from zoo.training import speed  # imports TensorFlow

    load_imports(imports, [(config, network)])
    config = config.complete()
    info = data.info(config.data)
    figures = speed.measure(config, len(info.classes), info.image_size, threads=threads, cores=cores, barrier=barrier)
    return Speed(**figures)


def _fits_memory(at_once: int) -> bool:
    """Whether the memory of so many workers is likely to be free."""
    free = hardware.free_memory_bytes()
    return at_once == 1 or free is None or at_once * _WORKER_BYTES < free


def _key(config: Config, at_once: int) -> str:
    machine = {"device": hardware.device(), "cores": hardware.cores(), "at_once": at_once}
    return cache_key(machine | asdict(Workload.of(config)))


_cache = FigureCache("speeds.json", lambda value: Speed(*map(float, value)))
