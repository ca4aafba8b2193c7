"""How long trainings will take on this machine, from earlier ones or a few measured steps, and how much disk they need."""

from __future__ import annotations

import hashlib
import heapq
import json
import logging
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo import data
from zoo.config import Config
from zoo.data.cache import directory as cache_directory
from zoo.host import calls, hardware, processes
from zoo.host.resources import allocate
from zoo.plan.runs import Plan, Training
from zoo.plugins import load_file
from zoo.storage.atomic import write_atomically
from zoo.storage.errors import RecordError
from zoo.storage.record import Record
from zoo.storage.records import AttemptRecord, TrainingDescription

_log = logging.getLogger(__name__)

FLOAT_BYTES = 4
_SMALL_FILES_BYTES = 300_000  # samples, log, history and descriptions of one training, and what MLflow keeps of them
_POINT_BYTES = 150  # of one value in MLflow's database
_METRICS = 10  # values in MLflow an evaluation
_SLOTS = {"sgd": 0, "adam": 2}  # what an optimizer keeps for each weight, momentum aside
_WORTHWHILE = 1.05  # more trainings at once are chosen only if they are that much faster together


class Speed(NamedTuple):
    """How fast a configuration is on this machine."""

    images_per_s: float  # of training
    startup_s: float  # until the first step is done
    evaluated_per_s: float  # images of one evaluation of one set of weights; 0 if unknown


class Forecast:
    """What is known of the speed of trainings here when ``at_once`` of them share the machine.

    Earlier trainings of the same shape on the same kind of machine come first, then what ``measure`` has found, then the
    speed of trainings of other shapes, scaled by their operations.
    """

    def __init__(self, runs_dir: Path, at_once: int = 1):
        self._at_once = at_once
        self._cores = len(allocate(at_once, hardware.core_numbers())[0].cores)  # of each training
        self._earlier = list(_earlier(runs_dir))
        self._measured = _read_cache()

    def seconds(self, training: Training) -> float | None:
        """How long what is left of a training will take, start-up and evaluations included; None if nothing is known."""
        found = self._speed(training)
        return None if found is None else _seconds(training, found)

    def is_known(self, training: Training) -> bool:
        """Whether trainings of this shape have been timed here."""
        return self._of_this_shape(training.config) is not None

    def measure(self, plan: Plan, trainings: Iterable[Training]) -> None:
        """Time a few steps of each shape among ``trainings`` that is not known, and remember the figures on this machine.

        Raises what a user's own network raises, and ProcessDied.
        """
        unknown = {_key(t.config, self._at_once): t.config for t in trainings if not self.is_known(t)}
        if unknown:
            networks = f"{len(unknown)} networks" if len(unknown) > 1 else "the network"
            _log.info("timing a few steps of %s, once on this machine ...", networks)
        for key, config in unknown.items():
            self._measured[key] = _timed(plan, config, self._at_once)

    def _speed(self, training: Training) -> Speed | None:
        return self._of_this_shape(training.config) or self._scaled(training)

    def _of_this_shape(self, config: Config) -> Speed | None:
        same = [(described, found) for described, found in self._earlier if described.shape == shape(config)]
        for cores in dict.fromkeys([self._cores, *(_cores(described) for described, _ in same)]):
            found = [f for described, f in same if _cores(described) == cores]
            if found:
                return _middle(found, self._cores / cores)
        return self._measured.get(_key(config, self._at_once))

    def _scaled(self, training: Training) -> Speed | None:
        found = [
            _middle([found], described.cost.ops / max(1, training.cost.ops) * self._cores / _cores(described))
            for described, found in self._earlier
            if described.precision == training.config.precision
        ]
        return _middle(found, 1.0) if found else None


def shape(config: Config) -> dict[str, Any]:
    """What decides the speed of a training on a given machine."""
    names = ("model", "arguments", "input_size", "batch", "precision")
    return config.model_dump(mode="json", include=set(names))


def sweep_seconds(seconds: Sequence[float], at_once: int) -> float:
    """How long trainings take together that are begun in order, ``at_once`` at the same time."""
    ends = [0.0] * at_once
    for each in seconds:
        heapq.heapreplace(ends, ends[0] + each)
    return max(ends)


def errors(runs_dir: Path) -> list[float]:
    """By how much each earlier training here took longer than was foretold: 0.1 is 10 % longer, -0.1 shorter."""
    attempts = [attempt for path in runs_dir.glob("*/attempts.json") for attempt in _attempts(Record(path.parent))]
    return [(a.ended - a.began) / a.expected_s - 1 for a in attempts if a.expected_s]


def disk_bytes(training: Training) -> int:
    """What a training will put on the disk, at most: checkpoints, results, and what MLflow keeps of its runs."""
    config = training.config
    last = max(training.targets)
    kept = {*training.targets, *(m for m in config.milestones if m <= last)}
    optimizer = _SLOTS[config.optimizer.name] + (config.optimizer.name == "sgd" and config.optimizer.momentum > 0)
    checkpoint = training.cost.params * FLOAT_BYTES * (2 + optimizer)  # weights and their averages
    info = data.info(config.data)
    logits = (info.test_images or 0) * (len(info.classes) * FLOAT_BYTES + 1)
    in_mlflow = len(training.runs) * (logits + _METRICS * _POINT_BYTES * len(_evaluations(training, 0)))
    # One checkpoint beside those at a result, and one more while it takes the place of that.
    return checkpoint * (len(kept) + 2) + 2 * logits * len(kept) + in_mlflow + _SMALL_FILES_BYTES


def best_at_once(plan: Plan, trainings: Sequence[Training]) -> int:
    """How many trainings at once make the most of this machine's cores, timed with the first of them, once per machine.

    More are tried as long as they are faster together. Raises what a user's own network raises, and ProcessDied.
    """
    config = trainings[0].config
    known = _read_cache()
    best, best_rate, at_once = 1, 0.0, 1
    while at_once <= min(hardware.cores(), len(trainings)) and _fits_memory(at_once):
        key = _key(config, at_once)
        if key not in known:
            _log.info("timing %d at once of %s, once on this machine ...", at_once, config.model)
            known[key] = _timed(plan, config, at_once)
        rate = at_once * known[key].images_per_s
        if rate < best_rate * _WORTHWHILE:
            break
        best, best_rate = at_once, rate
        at_once *= 2
    return best


def _timed(plan: Plan, config: Config, at_once: int) -> Speed:
    """The speed of each of ``at_once`` trainings side by side; remembered."""
    info = data.info(config.data)
    known = {
        "threads": hardware.cores(),
        "barrier": processes.context().Barrier(at_once) if at_once > 1 else None,
    }
    places = [allocation.cores for allocation in allocate(at_once, hardware.core_numbers())]
    imports = tuple(plan.question.imports)
    each = [(imports, config, len(info.classes), info.image_size, {**known, "cores": cores}) for cores in places]
    found = _middle(calls.call_together(_measure, each), 1.0)
    _remember(_key(config, at_once), found)
    return found


def _measure(
    imports: Sequence[Path], config: Config, classes: int, image_size: int, options: Mapping[str, Any]
) -> Speed:
    """In a worker: the speed of one training."""
    from zoo.training import speed  # imports TensorFlow

    for path in imports:
        load_file(path)
    return Speed(**speed.measure(config, classes, image_size, **options))


def _fits_memory(at_once: int) -> bool:
    """Whether so many workers, of about 1.2 GB each, are likely to find room."""
    free = hardware.free_memory_bytes()
    return at_once == 1 or free is None or at_once * 1.2e9 < free


def _seconds(training: Training, found: Speed) -> float:
    first, last = training.span()
    config = training.config
    evaluated = 2 * (data.info(config.data).test_images or 0)  # with the raw and with the averaged weights
    each_s = evaluated / found.evaluated_per_s if found.evaluated_per_s else 0.0
    steps_s = (last - first) * config.batch / found.images_per_s
    return found.startup_s + steps_s + len(_evaluations(training, first)) * each_s


def _evaluations(training: Training, first: int) -> set[int]:
    """The steps after ``first`` at which a training is evaluated."""
    config, last = training.config, max(training.targets)
    kept = {step for step in (*training.targets, *config.milestones) if first < step <= last}
    return {
        *range(first - first % config.evaluate_every + config.evaluate_every, last + 1, config.evaluate_every)
    } | kept


def _earlier(runs_dir: Path) -> Iterable[tuple[TrainingDescription, Speed]]:
    """What is known of earlier trainings on this kind of machine, and how fast they were."""
    for path in runs_dir.glob("*/training.json"):
        record = Record(path.parent)
        try:
            described, rows = record.description(), record.history()
        except RecordError:  # of another question, or moved aside: only the forecast is poorer for it
            continue
        if described is None or not rows or described.device != hardware.device():
            continue
        name = described.config.get("data")
        info_test = data.info(name).test_images if name in data.names() else None
        took = [2 * info_test / row["evaluate_s"] for row in rows if info_test and row.get("evaluate_s")]
        startups = [attempt.startup_s for attempt in _attempts(record) if attempt.startup_s]
        found = Speed(
            statistics.median(row["train/images_per_s"] for row in rows),
            statistics.median(startups) if startups else 0.0,
            statistics.median(took) if took else 0.0,
        )
        yield described, found


def _attempts(record: Record) -> Sequence[AttemptRecord]:
    """The attempts, none where they cannot be read."""
    try:
        return record.attempts()
    except RecordError:
        return ()


def _cores(described: TrainingDescription) -> int:
    """The cores of a training; the first versions, which did not keep them, used all."""
    return described.cores or hardware.cores()


def _middle(found: Sequence[Speed], factor: float) -> Speed:
    """The median of each figure, speeds multiplied by ``factor``."""
    rate, startup, evaluated = (statistics.median(values) for values in zip(*found, strict=True))
    return Speed(rate * factor, startup, evaluated * factor)


def _key(config: Config, at_once: int) -> str:
    described = {"device": hardware.device(), "cores": hardware.cores(), "at_once": at_once, "shape": shape(config)}
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()


def _cache_file() -> Path:
    return cache_directory() / "speeds.json"


def _read_cache() -> dict[str, Speed]:
    """Key -> speed; empty when absent or damaged: it is only a memory of what can be measured again."""
    try:
        known = json.loads(_cache_file().read_text(encoding="utf-8"))
        return {key: Speed(*map(float, value)) for key, value in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(key: str, measured: Speed) -> None:
    known = {key: list(value) for key, value in (_read_cache() | {key: measured}).items()}
    try:
        write_atomically(_cache_file(), lambda file: file.write(json.dumps(known).encode()))
    except OSError:
        return  # it is timed again next time
