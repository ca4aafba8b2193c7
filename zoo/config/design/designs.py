"""Designs: which combinations of levels a question compares. Pure functions of numbers of levels.

A combination is a tuple with one level's index per factor, in the order of the factors.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from zoo.text.yaml_form import as_yaml

Design = Literal["grid", "one_at_a_time", "leave_one_out", "add_one", "pairs"]
DESIGNS: tuple[Design, ...] = get_args(Design)
COMPONENT_DESIGNS = ("leave_one_out", "add_one")  # of components that are on or off
DEFAULT_DESIGN: Design = "grid"
MAX_NAME = 180  # characters of a variant's name
MAX_LEVEL = 60  # characters of one level in a generated name

Combination = tuple[int, ...]


def level_identity(level: Any) -> str:
    """Equal for equal levels: 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(level, dict):
        return "{" + ",".join(sorted(f"{key!r}:{level_identity(item)}" for key, item in level.items())) + "}"
    if isinstance(level, list | tuple):
        return "[" + ",".join(level_identity(item) for item in level) + "]"
    if isinstance(level, int | float) and not isinstance(level, bool):
        return repr(float(level)) if abs(level) < 2**53 else repr(level)
    return repr(level)


def on_level(levels: Sequence[Any]) -> int:
    """The index of the level of a component that means "on": true where there is one, else the first."""
    return next((i for i, level in enumerate(levels) if level is True), 0)


def center(design: Design, factors: Sequence[Sequence[Any]]) -> Combination:
    """The combination that a design is built around and, unless another is chosen, compares with.

    All on for leave_one_out, all off for add_one, the first levels for the others.
    """
    if design == "leave_one_out":
        return tuple(on_level(levels) for levels in factors)
    if design == "add_one":
        return tuple(1 - on_level(levels) for levels in factors)
    return (0,) * len(factors)


def combinations(design: Design, sizes: Sequence[int], around: Combination) -> list[Combination]:
    """All combinations of a design over factors with ``sizes`` levels; the first is ``around``, except in a grid.

    grid: the full product, the last factor varying fastest. one_at_a_time, leave_one_out, add_one: ``around``, and each
    other level of each factor alone. pairs: these, and each two of them that change different factors.
    """
    if design == "grid":
        return list(itertools.product(*(range(size) for size in sizes)))
    changes = [(f, level) for f, size in enumerate(sizes) for level in range(size) if level != around[f]]
    combined = [around, *(_changed(around, change) for change in changes)]
    if design == "pairs":
        combined += [_changed(around, a, b) for a, b in itertools.combinations(changes, 2) if a[0] != b[0]]
    return combined


def count(design: Design, sizes: Sequence[int]) -> int:
    """How many combinations ``combinations`` would give, without building them."""
    if design == "grid":
        return math.prod(sizes)
    singles = sum(size - 1 for size in sizes)
    if design != "pairs":
        return 1 + singles
    # the number of pairs of changes of different factors, from (sum x)^2 = sum x^2 + 2 sum of products
    return 1 + singles + (singles**2 - sum((size - 1) ** 2 for size in sizes)) // 2


def names(
    design: Design, factors: Mapping[str, Sequence[Any]], combined: Sequence[Combination], around: Combination
) -> list[str]:
    """The name of each combination: ``lrn=true, ema=false``, each on one line and under 200 characters.

    A grid names every level. The other designs name every level of ``around``, and of the rest what differs from it.
    """
    labels = []
    for number, combination in enumerate(combined, start=1):
        parts = [
            _level_name(factor, levels, level)
            for (factor, levels), level, middle in zip(factors.items(), combination, around, strict=True)
            if design == "grid" or combination == around or level != middle
        ]
        name = ", ".join(parts)
        labels.append(name if len(name) <= MAX_NAME else f"variant {number}")
    # a value and a text that look alike (true and 'true') must not share a name
    uses = Counter(labels)
    return [name if uses[name] == 1 else f"{name} ({number})" for number, name in enumerate(labels, start=1)]


def _changed(around: Combination, *changes: tuple[int, int]) -> Combination:
    new = list(around)
    for factor, level in changes:
        new[factor] = level
    return tuple(new)


def _level_name(factor: str, levels: Sequence[Any], index: int) -> str:
    level = levels[index]
    text = level if isinstance(level, str) else as_yaml(level, limit=10_000)
    if len(text) > MAX_LEVEL or not text.isprintable() or not text.strip():
        text = f"level {index + 1}"
    return text if factor == "model" else f"{factor}={text}"
