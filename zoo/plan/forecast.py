"""How long trainings will take on this machine, from earlier ones or a few timed steps."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo import data
from zoo.config import Config
from zoo.host import hardware
from zoo.host.resources import allocate
from zoo.measure.readouts import evaluations
from zoo.plan.network import Workload
from zoo.plan.runs import Plan, Training
from zoo.plan.speeds import Speed, median_speed, time_speeds, timed_speed
from zoo.storage.damage import warn_once
from zoo.storage.errors import RecordError
from zoo.storage.record import Record
from zoo.storage.records import AttemptRecord, TrainingDescription


@dataclass(frozen=True)
class _Earlier:
    """A training that was made on this kind of machine, and its speed."""

    workload: Workload | None
    description: TrainingDescription
    speed: Speed

    @property
    def cores(self) -> int:
        """The cores that it had; the first versions, which did not keep them, used all."""
        return self.description.cores or hardware.cores()


class Forecast:
    """What is known of the speed of trainings here when ``at_once`` of them share the machine.

    Earlier trainings with the same workload on the same kind of machine come first, then what was timed, then the speed of
    trainings with other workloads, scaled by their operations.
    """

    def __init__(self, runs_dir: Path, at_once: int = 1):
        self._at_once = at_once
        self._cores = len(allocate(at_once, hardware.core_numbers())[0].cores)  # of each training
        self._earlier = list(_earlier_trainings(runs_dir))
        self._timed: dict[Workload, Speed] = {}

    def seconds(self, training: Training) -> float | None:
        """How long what is left of a training will take, start-up and evaluations included; None if nothing is known."""
        speed = self._of_same_workload(training.config) or self._scaled(training)
        return None if speed is None else _seconds(training, speed)

    def known_seconds(self, trainings: Iterable[Training]) -> dict[str, float]:
        """``seconds`` by key, of the trainings of which it is known."""
        return {t.key: seconds for t in trainings if (seconds := self.seconds(t)) is not None}

    def measured_seconds(self, plan: Plan, trainings: Sequence[Training]) -> dict[str, float]:
        """``seconds`` by key, of all; trainings whose workload is not known are timed over a few steps.

        Raises what a user's own network raises, and ProcessDied.
        """
        self._timed |= time_speeds(plan, [t.config for t in trainings if not self.is_known(t)], self._at_once)
        return self.known_seconds(trainings)

    def is_known(self, training: Training) -> bool:
        """Whether trainings with this workload have been timed here."""
        return self._of_same_workload(training.config) is not None

    def _of_same_workload(self, config: Config) -> Speed | None:
        workload = Workload.of(config)
        same = [earlier for earlier in self._earlier if earlier.workload == workload]
        for cores in dict.fromkeys([self._cores, *(earlier.cores for earlier in same)]):
            speeds = [earlier.speed for earlier in same if earlier.cores == cores]
            if speeds:
                return median_speed(speeds, self._cores / cores)
        return self._timed.get(workload) or timed_speed(config, self._at_once)

    def _scaled(self, training: Training) -> Speed | None:
        ops = max(1, training.cost.ops)
        speeds = [
            median_speed([earlier.speed], earlier.description.cost.ops / ops * self._cores / earlier.cores)
            for earlier in self._earlier
            if earlier.description.precision == training.config.precision
        ]
        return median_speed(speeds) if speeds else None


def sweep_seconds(seconds: Sequence[float], at_once: int) -> float:
    """How long trainings take together that are begun in order, ``at_once`` at the same time."""
    ends = [0.0] * at_once
    for each in seconds:
        heapq.heapreplace(ends, ends[0] + each)
    return max(ends)


def forecast_errors(runs_dir: Path) -> list[float]:
    """By how much each earlier training here took longer than was forecast: 0.1 is 10 % longer, -0.1 shorter."""
    attempts = [attempt for path in runs_dir.glob("*/attempts.json") for attempt in _attempts(Record(path.parent))]
    return [(a.ended - a.began) / a.expected_s - 1 for a in attempts if a.expected_s]


def _seconds(training: Training, speed: Speed) -> float:
    left = training.steps_to_train()
    config = training.config
    images = len(evaluations()) * (data.info(config.data).test_images or 0)
    evaluation_s = images / speed.evaluated_per_s if speed.evaluated_per_s else 0.0
    steps_s = left.count * config.batch / speed.images_per_s
    return speed.startup_s + steps_s + len(training.evaluated_steps(after=left.first)) * evaluation_s


def _earlier_trainings(runs_dir: Path) -> Iterator[_Earlier]:
    """The earlier trainings on this kind of machine that have been evaluated."""
    for path in runs_dir.glob("*/training.json"):
        record = Record(path.parent)
        try:
            description, rows, attempts = record.description(), record.history(), record.attempts()
        except (RecordError, OSError) as error:  # of another question: only the forecast is poorer for it
            warn_once(error if isinstance(error, RecordError) else RecordError(path, error.strerror or str(error)))
            continue
        rows = [row for row in rows if row.get("train/images_per_s")]
        if description is None or not rows or description.device != hardware.device():
            continue
        name = description.config.get("data")
        images = data.info(name).test_images if name in data.names() else None
        evaluated = [
            len(evaluations()) * images / row["evaluate_s"] for row in rows if images and row.get("evaluate_s")
        ]
        startups = [attempt.startup_s for attempt in attempts if attempt.startup_s]
        speed = Speed(
            statistics.median(row["train/images_per_s"] for row in rows),
            statistics.median(startups) if startups else 0.0,
            statistics.median(evaluated) if evaluated else 0.0,
        )
        yield _Earlier(Workload.recorded(description), description, speed)


def _attempts(record: Record) -> Sequence[AttemptRecord]:
    """The attempts, none where they cannot be read."""
    try:
        return record.attempts()
    except OSError:
        return ()
