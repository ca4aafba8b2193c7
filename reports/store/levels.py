"""At which level of each factor every variant is, also where it was written out with fields of its own.

A field that a variant leaves out is at the base's value, whatever the baseline has. The value is known from the
configuration of its runs (``config.<field>``), so it holds for variants of which something was started.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from zoo.text.listing import level_text
from zoo.tracking.names import Params

Levels = Mapping[str, Mapping[str, Any]]  # variant -> field -> level
OF_THE_BASE = "that of the base"  # a group of fields that no variant with this value names

_Values = Mapping[str, str]  # dotted name of a field in the configuration -> its value as text


def complete(levels: Levels, runs: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The ``levels`` as they were written, with those that variants leave out; ``runs`` as ``Sweep.runs``.

    A group of fields (``augment``) of which another variant names a member is taken apart into the members that differ.
    A field that a variant's model does not have, or whose value is not known, has no level there.
    """
    named = list(dict.fromkeys(field for own in levels.values() for field in own))
    if all(own.keys() == set(named) for own in levels.values()):
        return {variant: dict(own) for variant, own in levels.items()}
    configurations = _configurations(levels, runs)
    fields = list(dict.fromkeys(each for field in named for each in _apart(field, named, configurations.values())))
    columns = {field: _column(field, levels, configurations) for field in fields}
    return {variant: {f: columns[f][variant] for f in fields if variant in columns[f]} for variant in levels}


def _configurations(levels: Levels, runs: pd.DataFrame) -> dict[str, _Values]:
    """Of each variant, by its first run; nothing where there is none."""
    fields = [name for name in runs if str(name).startswith("config.")]
    first = runs.drop_duplicates("variant").set_index("variant")[fields]
    known: dict[str, _Values] = {key: {} for key in levels}
    for variant, row in zip(first.index, first.to_dict("records"), strict=True):
        known[variant] = {name.removeprefix("config."): text for name, text in row.items() if isinstance(text, str)}
    return known


def _apart(field: str, named: Iterable[str], configurations: Iterable[_Values]) -> list[str]:
    """The field, or of a group with members that are named, too, the members that differ."""
    if not any(other.startswith(f"{field}.") for other in named):
        return [field]
    known = [values for values in configurations if values]
    members = dict.fromkeys(name for values in known for name in values if name.startswith(f"{field}."))
    return [name for name in members if len({values.get(name) for values in known}) > 1]


def _column(field: str, levels: Levels, configurations: Mapping[str, _Values]) -> dict[str, Any]:
    """The level of each variant, where it has one. Values that are the same have the same level, as it is written first."""
    column: dict[str, Any] = {}
    written: dict[str, Any] = {}  # value -> level
    for variant, own in levels.items():
        if field in own:
            value = _value(field, configurations[variant]) or level_text(own[field])
            column[variant] = written.setdefault(value, own[field])
    left_out = {
        variant: value
        for variant, values in configurations.items()
        if variant not in column and (value := _value(field, values))
    }
    unwritten = set(left_out.values()) - set(written)
    is_group = all(Params.of_field(field) not in values for values in configurations.values())
    for value in unwritten:
        written[value] = OF_THE_BASE if is_group and len(unwritten) == 1 else _parsed(value)
    return column | {variant: written[value] for variant, value in left_out.items()}


def _value(field: str, values: _Values) -> str:
    """Of a field, or of all members of a group, as JSON; empty where it is not known."""
    if (text := values.get(Params.of_field(field))) is not None:
        return text
    members = {name.removeprefix(f"{field}."): text for name, text in values.items() if name.startswith(f"{field}.")}
    return json.dumps({name: _parsed(text) for name, text in members.items()}, sort_keys=True) if members else ""


def _parsed(text: str) -> Any:
    """A level as JSON has it; text that is no JSON stands for itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
