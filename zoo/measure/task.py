"""What is tested: variants that classify other images, or see them otherwise, are no alternatives to each other.

The accuracy on one data set says nothing beside that on another. A comparison whose variants differ in these fields is split
into parts, each with a baseline of its own: the variant that is like the question's baseline in everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

DATA = "data"
FIELDS = (DATA, "input_size")


class Part(NamedTuple):
    """Variants that are tested alike."""

    task: dict[str, str]  # field -> value, of the fields that split the comparison
    variants: tuple[str, ...]
    baseline: str | None  # None where none of them is like the question's baseline

    @property
    def label(self) -> str:
        """``data digits``"""
        return ", ".join(f"{field} {value}" for field, value in self.task.items())


def split(settings: Mapping[str, Mapping[str, str]], baseline: str) -> tuple[Part, ...]:
    """The parts of a comparison, that of the ``baseline`` first; one with all variants where nothing splits it.

    ``settings`` are those of each variant in which some differ, field -> value as text; one that is left out counts as the
    baseline's. Another data set always splits. The
    size of the input does where every part has a baseline and something to compare with it: else it is what is asked about.
    """
    middle = settings[baseline]
    complete = {name: {**middle, **own} for name, own in settings.items()}
    fields = [field for field in FIELDS if len({own.get(field) for own in complete.values()}) > 1]
    parts = _parts(complete, baseline, fields)
    if any(part.baseline is None or len(part.variants) < 2 for part in parts):
        parts = _parts(complete, baseline, [field for field in fields if field == DATA])
    return parts


def _parts(settings: Mapping[str, Mapping[str, str]], baseline: str, fields: list[str]) -> tuple[Part, ...]:
    groups: dict[tuple[str, ...], list[str]] = {_values(settings[baseline], fields): []}
    for name, own in settings.items():
        groups.setdefault(_values(own, fields), []).append(name)
    rest = _without(settings[baseline], fields)
    return tuple(
        Part(
            dict(zip(fields, values, strict=True)),
            tuple(names),
            next((name for name in names if _without(settings[name], fields) == rest), None),
        )
        for values, names in groups.items()
    )


def _values(own: Mapping[str, str], fields: list[str]) -> tuple[str, ...]:
    return tuple(own.get(field, "") for field in fields)


def _without(own: Mapping[str, str], fields: list[str]) -> dict[str, str]:
    return {field: value for field, value in own.items() if field not in fields}
