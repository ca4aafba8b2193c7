"""What the variants of a question cost before anything is trained: parameters, operations and time.

Counting a model means building it, which needs TensorFlow: it is done once per machine, in another process, and kept.
"""

from __future__ import annotations

import functools
import hashlib
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from zoo import data, machine, models, processes
from zoo.data.cache import directory as cache_directory
from zoo.measure import Cost
from zoo.record import Record, write_whole
from zoo.spec.config import Config
from zoo.spec.problems import Problem, QuestionError


def costs(question, say: Callable[[str], Any] = lambda _: None) -> dict[str, Cost]:
    """Variant name -> its model's cost for one image; ``say`` is told when that takes a moment.

    Raises QuestionError, with the place of each variant whose model cannot be built or counted, and processes.Died when
    the counting process is ended from outside.
    """
    known = _read_cache()
    keys = {variant.name: _key(variant.config) for variant in question.variants}
    missing = {key: v.config for v in question.variants if (key := keys[v.name]) not in known}
    if missing:
        imports = tuple(question.imports)
        networks = f"{len(missing)} networks" if len(missing) > 1 else "the network"
        say(f"counting the parameters and operations of {networks}, once on this machine ...")
        counted = processes.call(_count, tuple(missing.values()), imports)
        known |= dict(zip(missing, counted, strict=True))
        _remember(dict(zip(missing, counted, strict=True)))
    problems = [
        Problem(str(question.path), *question.where(name), f"{name}: {known[key]}")
        for name, key in keys.items()
        if isinstance(known[key], str)
    ]
    if problems:
        raise QuestionError(problems)
    return {name: Cost(*known[key]) for name, key in keys.items()}


def training_seconds(config: Config, cost: Cost, steps: int, runs_dir: Path) -> float | None:
    """How long ``steps`` steps should take here, judging by earlier trainings on this machine; None without any.

    An earlier training of the same model in the same precision counts as it is; otherwise the speed of the others is
    scaled by their operations.
    """
    here = machine.device()
    earlier = [(described, rate) for described, rate in _speeds(runs_dir) if described.get("device") == here]
    same = [rate for described, rate in earlier if described.get("shape") == shape(config)]
    if same:
        return steps * config.batch / statistics.median(same)
    scaled = [
        rate * described["cost"]["ops"] / max(1, cost.ops)
        for described, rate in earlier
        if described.get("precision") == config.precision and "cost" in described
    ]
    return steps * config.batch / statistics.median(scaled) if scaled else None


def shape(config: Config) -> dict[str, Any]:
    """What decides the speed of a training on a given machine."""
    names = ("model", "arguments", "input_size", "batch", "precision")
    return config.model_dump(mode="json", include=set(names))


def _speeds(runs_dir: Path) -> Iterable[tuple[dict[str, Any], float]]:
    for path in runs_dir.glob("*/training.json"):
        record = Record(path.parent)
        rates = [row["train/images_per_s"] for row in record.history()]
        if rates:
            yield record.read("training"), statistics.median(rates)


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
    package = Path(__file__).parent
    files = [*sorted((package / "models").glob("*.py")), package / "layers.py", package / "measure" / "cost.py"]
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
        write_whole(_cache_file(), lambda file: file.write(json.dumps(_read_cache() | found).encode()))
    except OSError:
        return  # a cache that cannot be written costs seconds next time, and the data say so where it matters
