"""What decides the cost and latency of a network, and the speed of its training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import data, models
from zoo.config import Config
from zoo.plugins import SourceChanged, load_file
from zoo.storage.records import TrainingDescription


@dataclass(frozen=True)
class Network:
    """A network but for its weights: equal ones have the same cost and, on one machine, the same latency."""

    model: str
    arguments: str  # of the model, as JSON with sorted keys
    input_size: int
    classes: int
    source_sha256: str | None  # of what a user's own model is made with

    @classmethod
    def of(cls, config: Config) -> Network:
        """The network of a configuration."""
        fields = config.model_dump(mode="json", include={"model", "arguments", "input_size"})
        source = models.entry(config.model).source_sha256()
        return cls(config.model, _canonical(fields["arguments"]), config.input_size, _classes(config.data), source)


def load_imports(imports: Sequence[Path], planned: Iterable[tuple[Config, Network]]) -> None:
    """Load the users' files of a question in this process, to do something with configurations of it.

    Raises SourceChanged when that gives another network than the one that was planned, and PluginError.
    """
    for path in imports:
        load_file(path)
    for config, network in planned:
        check_network(config, network)


def check_network(config: Config, planned: Network) -> None:
    """Raises SourceChanged when a configuration gives another network here than when it was planned."""
    if Network.of(config) != planned:
        raise SourceChanged(
            f"the files that {config.model} and {config.data} are made with have been edited since the sweep began, and its "
            "results are kept under what they were then: nothing is made of the new ones here; the same command plans anew"
        )


@dataclass(frozen=True)
class Workload:
    """What each step of a training computes: equal ones train at the same speed on one machine."""

    network: Network
    batch: int
    precision: str

    @classmethod
    def of(cls, config: Config) -> Workload:
        """The workload of a configuration."""
        return cls(Network.of(config), config.batch, config.precision)

    @classmethod
    def recorded(cls, description: TrainingDescription) -> Workload | None:
        """That of an earlier training, None when its data set is not known in this process, or its record is too old."""
        shape, name = description.shape, description.config.get("data")
        if name not in data.names() or not shape:
            return None
        network = Network(
            shape["model"],
            _canonical(shape["arguments"]),
            shape["input_size"],
            _classes(name),
            description.source_sha256,
        )
        return cls(network, shape["batch"], shape["precision"])

    def shape(self) -> dict[str, Any]:
        """What the record of a training keeps of it, beside its data set and the source of its model."""
        return {
            "model": self.network.model,
            "arguments": json.loads(self.network.arguments),
            "input_size": self.network.input_size,
            "batch": self.batch,
            "precision": self.precision,
        }


def _canonical(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True)


def _classes(name: str) -> int:
    return len(data.info(name).classes)
