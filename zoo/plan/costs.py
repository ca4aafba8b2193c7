"""What the variants of a question cost before anything is trained: parameters and operations.

Counting a model means building it, which needs TensorFlow: it is done once per machine, in another process, and kept.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo import data, models
from zoo.config.errors import Problem, QuestionError
from zoo.config.settings import Config
from zoo.data.cache import directory as cache_directory
from zoo.host import calls
from zoo.measure import Cost
from zoo.plan.runs import Plan
from zoo.storage.atomic import write_atomically

_log = logging.getLogger(__name__)


def count_costs(plan: Plan) -> Plan:
    """The plan with the cost of each training's model for one image.

    Raises QuestionError, with the place of each variant whose model cannot be built or counted, and ProcessDied when
    the counting process is ended from outside.
    """
    question = plan.question
    known = _read_cache()
    keys = {variant.name: _key(variant.config) for variant in question.variants}
    missing = {key: v.config for v in question.variants if (key := keys[v.name]) not in known}
    if missing:
        imports = tuple(question.imports)
        networks = f"{len(missing)} networks" if len(missing) > 1 else "the network"
        _log.info("counting the parameters and operations of %s, once on this machine ...", networks)
        counted = calls.call(_count, tuple(missing.values()), imports)
        known |= dict(zip(missing, counted, strict=True))
        _remember(dict(zip(missing, counted, strict=True)))
    problems = [
        Problem(str(question.path), *question.where(name), f"{name}: {known[key]}")
        for name, key in keys.items()
        if isinstance(known[key], str)
    ]
    if problems:
        raise QuestionError(problems)
    return plan.with_costs({t.key: Cost(*known[keys[t.runs[0].variant.name]]) for t in plan.trainings})


def _count(configs: Sequence[Config], imports: Sequence[Path]) -> list[Cost | str]:
    """In a worker: the cost of each model, or the reason why it cannot be had."""
    from zoo.measure import cost
    from zoo.plugins import load_file

    for path in imports:
        load_file(path)
    found: list[Cost | str] = []
    for config in configs:
        try:
            classes = len(data.info(config.data).classes)
            found.append(
                cost(models.build(config.model, input_size=config.input_size, classes=classes, **config.arguments))
            )
        except Exception as error:  # whatever a user's own function raises is an answer to whether it can be built
            found.append(f"the model cannot be built: {type(error).__name__}: {error}".splitlines()[0])
    return found


def _key(config: Config) -> str:
    source = models.entry(config.model).source_sha256() or _package_sha256()
    network = config.model_dump(mode="json", include={"model", "arguments", "input_size"})
    described = {**network, "classes": len(data.info(config.data).classes), "source": source}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


@functools.cache
def _package_sha256() -> str:
    """Checksum of the code that decides a count, so that a change to it counts anew."""
    package = Path(__file__).parent.parent
    files = [*sorted((package / "models").rglob("*.py")), package / "measure" / "cost.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _cache_file() -> Path:
    return cache_directory() / "costs.json"


def _read_cache() -> dict[str, list[int]]:
    """Key -> params, macs and ops; empty when absent or damaged: it is only a memory of what can be counted again."""
    try:
        known = json.loads(_cache_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in known.items() if _is_cost(v)} if isinstance(known, dict) else {}


def _is_cost(value: Any) -> bool:
    return isinstance(value, list) and len(value) == len(Cost._fields) and all(type(n) is int for n in value)


def _remember(counted: dict[str, Cost | str]) -> None:
    """Keep what could be counted; why a network could not be is found again each time, for the reason may have gone."""
    found = {key: list(value) for key, value in counted.items() if not isinstance(value, str)}
    try:
        write_atomically(_cache_file(), lambda file: file.write(json.dumps(_read_cache() | found).encode()))
    except OSError:
        return  # a cache that cannot be written costs seconds next time, and the data say so where it matters
