"""What the networks of a plan cost before anything is trained: parameters and operations.

Counting a network means building it, which needs TensorFlow: it is done once per machine, in another process, and kept.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo import data, models
from zoo.config import Config
from zoo.config.errors import Problem, QuestionError
from zoo.host import calls
from zoo.measure import Cost
from zoo.plan.cache import FigureCache, cache_key
from zoo.plan.network import Network, load_imports
from zoo.plan.runs import Plan
from zoo.plugins import SourceChanged

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NotBuilt:
    """A network that cannot be built, and why."""

    reason: str


def count_costs(plan: Plan) -> Plan:
    """The plan with the cost of each training's network for one image.

    Raises QuestionError, with the place of each variant whose network cannot be built or counted, SourceChanged, and
    ProcessDied when the counting process is ended from outside.
    """
    question = plan.question
    cached = _cache.read()
    keys = {variant.name: _key(variant.config) for variant in question.variants}
    missing = {key: v.config for v in question.variants if (key := keys[v.name]) not in cached}
    costs: dict[str, Cost | NotBuilt] = {**cached}
    if missing:
        networks = f"{len(missing)} networks" if len(missing) > 1 else "the network"
        _log.info("loading TensorFlow to count the parameters and operations of %s, once on this machine ...", networks)
        planned = [(config, Network.of(config)) for config in missing.values()]
        counted = dict(zip(missing, calls.call(_count, planned, tuple(question.imports)), strict=True))
        costs |= counted
        # Why a network could not be built is found again each time, for the reason may have gone.
        _cache.add({key: cost for key, cost in counted.items() if isinstance(cost, Cost)})
    problems = [
        Problem(str(question.path), *question.where(name), f"{name}: {cost.reason}")
        for name, key in keys.items()
        if isinstance(cost := costs[key], NotBuilt)
    ]
    if problems:
        raise QuestionError(problems)
    return plan.with_costs(
        {t.key: cost for t in plan.trainings if isinstance(cost := costs[keys[t.runs[0].variant.name]], Cost)}
    )


def _count(planned: Sequence[tuple[Config, Network]], imports: Sequence[Path]) -> list[Cost | NotBuilt]:
    """In a worker: the cost of each network."""
    from zoo.measure import cost

    load_imports(imports, planned)
    costs: list[Cost | NotBuilt] = []
    for config, _ in planned:
        classes = len(data.info(config.data).classes)
        try:
            network = models.build(config.model, input_size=config.input_size, classes=classes, **config.arguments)
            costs.append(cost(network))
        except SourceChanged:
            raise
        except Exception as error:  # a user's own function may raise anything
            reason = f"the model cannot be built: {type(error).__name__}: {error}".splitlines()[0]
            costs.append(NotBuilt(reason))
    return costs


def _key(config: Config) -> str:
    network = Network.of(config)
    return cache_key(asdict(network) | {"code": None if network.source_sha256 else _package_sha256()})


@functools.cache
def _package_sha256() -> str:
    """Checksum of the code that decides a count, so that a change to it counts anew."""
    package = Path(__file__).parent.parent
    files = [*sorted((package / "models").rglob("*.py")), package / "measure" / "cost.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _parse(value: Any) -> Cost:
    if not isinstance(value, list) or len(value) != len(Cost._fields) or any(type(n) is not int for n in value):
        raise ValueError(f"not the figures of a cost: {value!r}")
    return Cost(*value)


_cache = FigureCache("costs.json", _parse)
