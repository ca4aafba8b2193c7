"""What variants are called: by the levels in which they differ from the baseline, and by the change that leads to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from zoo.text.listing import level_text, listed

BASELINE = "baseline"
Levels = Mapping[str, Mapping[str, Any]]  # variant -> factor -> level


def factors(levels: Levels) -> list[str]:
    """The factors that have more than one level among the variants, in the order of the question."""
    seen: dict[str, set[str]] = {}
    for own in levels.values():
        for factor, level in own.items():
            seen.setdefault(factor, set()).add(level_text(level))
    return [factor for factor, texts in seen.items() if len(texts) > 1]


def labels(variants: Sequence[str], levels: Levels, baseline: str | None) -> dict[str, str]:
    """Variant -> what sets it apart: the levels that are not the baseline's, ``lrn=false, width=2``.

    A variant keeps its name where nothing is known of its levels, where that is shorter, and where the label would be
    another's too. The baseline of several factors is called that; of one factor it has its name.
    """
    middle = levels.get(baseline or "", {})
    found = {name: _label(name, levels.get(name, {}), middle) for name in variants}
    if baseline in found and len(factors(levels)) > 1 and len(baseline) > len(BASELINE):
        found[baseline] = BASELINE
    if len(set(found.values())) < len(found):
        return {name: name for name in variants}
    return found


def _label(name: str, own: Mapping[str, Any], middle: Mapping[str, Any]) -> str:
    if not middle or own.keys() != middle.keys():
        return name
    label = ", ".join(
        f"{factor}={level_text(level)}" for factor, level in own.items() if _differs(level, middle[factor])
    )
    return label if label and len(label) < len(name) else name


def cut(name: str, length: int = 60) -> str:
    """The name for a sentence; its end is left out where it is long."""
    return name if len(name) <= length else f"{name[: length - 1].rstrip()}…"


class Change(NamedTuple):
    """What turns the baseline into a variant, as an instruction and as the two sides of a comparison."""

    factor: str  # the one that changes; "" where there are several, or none is known
    take: str  # "drop lrn"
    leave: str  # "keep lrn"
    may: str  # what equivalence allows: "you can drop lrn"
    new: str  # "without it"
    old: str  # "with it"


def change(variant: str, baseline: str, levels: Levels, label: str = "") -> Change:
    """From the baseline to the variant."""
    own, middle = levels.get(variant, {}), levels.get(baseline, {})
    differing = _differing(own, middle)
    name, baseline = cut(label or variant), cut(baseline)
    if len(differing) != 1:
        take = steps(own, middle)
        leave = "keep the baseline" if take else f"keep {baseline}"
        take = take or f"use {name} instead of {baseline}"
        return Change("", take, leave, f"you can {take}", f"with {name}", f"with {baseline}")
    (factor,) = differing
    take, new, old = steps(own, middle), own[factor], middle[factor]
    if new is False and old is True:
        return Change(factor, take, f"keep {factor}", f"you can {take}", "without it", "with it")
    if new is True and old is False:
        return Change(factor, take, f"do not {take}", f"you need not {take}", "with it", "without it")
    leave = f"keep {factor} {level_text(old)}"
    return Change(factor, take, leave, f"you can {take}", f"with {level_text(new)}", f"with {level_text(old)}")


def steps(levels: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    """``drop lrn``, ``add lrn``, ``use hidden 192 instead of 384``, or several; "" where nothing is known to differ.

    Both map factors to levels; a factor that one of the two does not name is left out.
    """
    return listed(_step(factor, levels[factor], baseline[factor]) for factor in _differing(levels, baseline))


def _step(factor: str, new: Any, old: Any) -> str:
    if new is False and old is True:
        return f"drop {factor}"
    if new is True and old is False:
        return f"add {factor}"
    return f"use {factor} {level_text(new)} instead of {level_text(old)}"


def _differing(levels: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[str]:
    return [factor for factor in levels if factor in baseline and _differs(levels[factor], baseline[factor])]


def _differs(one: Any, other: Any) -> bool:
    return one != other or type(one) is not type(other)
