"""``--set base.steps=500``: values given on the command line, put into the document before it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.config.document import Document, ItemPath
from zoo.config.errors import Problem
from zoo.config.reader import parse
from zoo.text.suggestions import did_you_mean

OPTION = "--set"


def override(document: Document, overrides: Sequence[str], seeds: int | None = None, name: str | None = None) -> None:
    """Put each ``KEY=VALUE`` (and ``--seeds N``, ``--name NAME``) into the document; what cannot be read is reported."""
    for text in overrides:
        _set(document, text)
    if seeds is not None:
        _put(document, ("seeds",), seeds, f"--seeds {seeds}")
    if name is not None:
        _put(document, ("name",), name, f"--name {name}")


def _set(document: Document, text: str) -> None:
    option = f"{OPTION} {text}"

    def refuse(message: str) -> None:
        document.add(Problem(document.file, None, None, message, option))

    key, equals, written = text.partition("=")
    names = key.strip().split(".")
    if not equals or not all(names) or not key.isprintable():
        return refuse("must be KEY=VALUE, e.g. base.steps=500 or factors.lrn=[true,false]")
    value, problems = parse(written)
    for message in problems:
        refuse(message)
    if problems:
        return None
    path = _path(document.data, names)
    if path[0] == "base" and len(path) > 1 and _is_factor(document.data, str(path[-1])):
        return refuse(
            f"{path[-1]} is a factor of this question, so the base does not decide it; set factors.{path[-1]}"
        )
    if not _can_hold(document.data, path):
        return refuse(_cannot_hold(document.data, path))
    return _put(document, path, value, option)


def _path(data: dict[str, Any], names: list[str]) -> ItemPath:
    """The path that a dotted name means: fields of the base keep their own dots (``augment.flip`` is one key)."""
    if names[0] == "variants" and len(names) > 1:
        return _variant_path(data.get("variants"), names)
    if len(names) == 1:
        return (names[0],)
    return (names[0], ".".join(names[1:]))


def _variant_path(variants: Any, names: list[str]) -> ItemPath:
    """Into the variant whose name is the longest beginning of what follows ``variants.`` (a name may hold dots)."""
    for cut in range(len(names), 1, -1):
        name, rest = ".".join(names[1:cut]), names[cut:]
        entry: str | int | None = None
        if isinstance(variants, dict) and name in variants:
            entry = name
        if isinstance(variants, list):
            entry = next(
                (i for i, item in enumerate(variants) if isinstance(item, dict) and item.get("name") == name), None
            )
        if entry is not None:
            return ("variants", entry, ".".join(rest)) if rest else ("variants", entry)
    return ("variants", names[1], ".".join(names[2:])) if len(names) > 2 else ("variants", names[1])


def _is_factor(data: dict[str, Any], name: str) -> bool:
    return isinstance(data.get("factors"), dict) and name in data["factors"]


def _can_hold(data: Any, path: ItemPath) -> bool:
    """Whether every step of the path is a mapping (or a list's item), or is missing and can be created."""
    for part in path[:-1]:
        if isinstance(part, int):
            data = data[part]
        elif isinstance(data, dict):
            data = data.get(part)
        else:
            return False
    return data is None or isinstance(data, dict)


def _cannot_hold(data: dict[str, Any], path: ItemPath) -> str:
    variants = data.get("variants")
    if path[0] == "variants" and isinstance(variants, list):
        known = [str(item.get("name")) for item in variants if isinstance(item, dict)]
        return f"no variant is named {path[1]!r}{did_you_mean(str(path[1]), known)}; variants: {'; '.join(known)}"
    return f"{path[0]} is not a mapping here, so it holds no {'.'.join(str(part) for part in path[1:])}"


def _put(document: Document, path: ItemPath, value: Any, option: str) -> None:
    target = document.data
    for part in path[:-1]:
        if isinstance(target, dict) and target.get(part) is None:
            target[part] = {}
        target = target[part]
    if len(path) > 1:
        _drop_replaced(target, str(path[-1]))
    target[path[-1]] = value
    document.replace(path, option)


def _drop_replaced(fields: dict[str, Any], name: str) -> None:
    """Drop what ``name`` replaces: ``augment: {flip: ...}`` for augment.flip, and ``augment.flip`` for augment."""
    group, dot, member = name.partition(".")
    if dot and isinstance(fields.get(group), dict):
        fields[group] = {key: item for key, item in fields[group].items() if key != member}
    for key in [key for key in fields if key.startswith(f"{name}.")]:
        del fields[key]
