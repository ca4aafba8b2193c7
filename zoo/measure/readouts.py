"""Readouts: several evaluations of one training, of which a field of the configuration picks one. Imports no TensorFlow."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic.fields import FieldInfo

from zoo.registry import Bool

Logits = Callable[[], Any]  # a function that evaluates the network as it is: float32 [N, classes]


def _as_it_is(network: Any, logits: Logits) -> Any:
    return logits()


@dataclass(frozen=True)
class Level:
    """One value of a readout's field, and how the trained network is evaluated under it."""

    suffix: str  # in names such as ``test/accuracy_ema``; empty where the evaluation needs no name of its own
    label: str  # for a person: "averaged weights"
    short_label: str  # "averaged"
    evaluate: Callable[[Any, Logits], Any] = _as_it_is  # of a TrainableNetwork, which it must leave as it was
    uses: tuple[str, ...] = ()  # fields of the configuration that make no difference to the other levels


@dataclass(frozen=True)
class Readout:
    """A field of the configuration that trains nothing: its levels share one training."""

    field: str
    levels: Mapping[Any, Level]  # by the value of the field: true and false, or words
    default: Any  # the value where neither the question nor its recipe gives one

    @functools.cached_property
    def setting(self) -> FieldInfo:
        """The field as pydantic checks it."""
        if set(self.levels) == {True, False}:
            return FieldInfo.from_annotated_attribute(Bool, self.default)
        return FieldInfo.from_annotated_attribute(Literal[tuple(self.levels)], self.default)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Evaluation:
    """One way in which a trained network is evaluated: a level of each readout."""

    name: str  # the end of ``test/accuracy_<name>`` and ``logits_<name>``
    label: str
    short_label: str
    levels: tuple[Level, ...]

    @property
    def accuracy(self) -> str:
        """The name of its accuracy in a history and in MLflow."""
        return f"test/accuracy_{self.name}"

    @property
    def top5(self) -> str:
        return f"test/top5_{self.name}"

    @property
    def logits(self) -> str:
        """The name of its logits in the file of a result."""
        return f"logits_{self.name}"

    def evaluate(self, network: Any, logits: Logits) -> Any:
        """Logits of a network, float32 [N, classes], where ``logits()`` gives those of the network as it is."""
        for level in reversed(self.levels):
            logits = _around(level, network, logits)
        return logits()


READOUTS: dict[str, Readout] = {}


def register(readout: Readout) -> Readout:
    """Add a readout: its field is a field of every question from then on. Raises ValueError for a name that is taken."""
    if readout.field in READOUTS:
        raise ValueError(f"two readouts are named {readout.field!r}")
    READOUTS[readout.field] = readout
    return readout


def evaluations() -> list[Evaluation]:
    """All ways in which a training is evaluated: every combination of levels."""
    return [_evaluation(levels) for levels in itertools.product(*(r.levels.values() for r in READOUTS.values()))]


def evaluation_of(config: Any) -> Evaluation:
    """The evaluation that a configuration reports as ``test/accuracy``."""
    return _evaluation(tuple(r.levels[getattr(config, r.field)] for r in READOUTS.values()))


def idle_fields(config: Any) -> dict[str, str]:
    """Fields that only levels use which a configuration does not have: name -> why they make no difference."""
    idle: dict[str, str] = {}
    used: set[str] = set()
    for readout in READOUTS.values():
        chosen = getattr(config, readout.field)
        used |= set(readout.levels[chosen].uses)
        value = str(chosen).lower() if isinstance(chosen, bool) else chosen
        idle |= {name: f"{readout.field} is {value}" for level in readout.levels.values() for name in level.uses}
    return {name: reason for name, reason in idle.items() if name not in used}


def _evaluation(levels: tuple[Level, ...]) -> Evaluation:
    named = [level for level in levels if level.suffix]
    return Evaluation(
        "_".join(level.suffix for level in named),
        ", ".join(level.label for level in named),
        ", ".join(level.short_label for level in named),
        levels,
    )


def _around(level: Level, network: Any, logits: Logits) -> Logits:
    return lambda: level.evaluate(network, logits)


def _with_averages(network: Any, logits: Logits) -> Any:
    with network.averaged():
        return logits()


register(
    Readout(
        "ema",
        {
            False: Level("raw", "raw weights", "raw"),
            True: Level("ema", "averaged weights", "averaged", _with_averages, uses=("ema_decay",)),
        },
        default=False,
    )
)
