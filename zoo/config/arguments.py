"""The arguments of a model: checked against the annotations of its function, and which models take which."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from zoo.config.document import Document, ItemPath
from zoo.config.settings import frozen, unknown_key
from zoo.text.suggestions import did_you_mean
from zoo.text.yaml_form import as_yaml, quoting

if TYPE_CHECKING:
    from zoo.models.registry import Entry

EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "sequence_type": "a list",
    "dict_type": "a mapping",
    "none_required": "null",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
}


@dataclass
class ArgumentUse:
    """Settings that are no field: which models of the question take them as arguments, and which do not."""

    names: dict[ItemPath, str] = field(default_factory=dict)
    taken_by: dict[ItemPath, dict[str, None]] = field(default_factory=dict)  # path -> models, in order
    not_taken_by: dict[ItemPath, dict[str, None]] = field(default_factory=dict)

    def report(self, document: Document) -> None:
        """Report every setting that some model does not take, once all variants are resolved."""
        for path, models in self.not_taken_by.items():
            name, taken_by = self.names[path], self.taken_by.get(path)
            if taken_by:
                document.report(
                    path,
                    f"{name} is an argument of {', '.join(taken_by)}, but {', '.join(models)} of this question "
                    f"{'does' if len(models) == 1 else 'do'} not take it",
                    key=True,
                )
            else:
                document.report(path, unknown_key(name, {m: entry_of(m).parameters() for m in models}), key=True)


def entry_of(model: str) -> Entry:
    """The registered model of this name."""
    from zoo import models

    return models.entry(model)


def check_argument(entry: Entry, name: str, value: Any) -> tuple[Any, list[tuple[ItemPath, str]]]:
    """The value as the annotation has it, and its errors as (path inside the value, message)."""
    try:
        return _checked_json(entry.name, entry.function, name, json.dumps(value))
    except TypeError:  # a default that is no plain value
        return value, []


@functools.lru_cache(maxsize=10_000)
def _checked_json(model: str, function: Any, name: str, text: str) -> tuple[Any, list[tuple[ItemPath, str]]]:
    adapter, value = _adapter(function, name), json.loads(text)
    if adapter is None:
        return value, []
    try:
        # as JSON, strict still reads a list as a tuple: YAML has no tuples
        return frozen(adapter.validate_json(text, strict=True)), []
    except ValidationError as error:
        return value, _messages(name, model, value, error.errors(include_url=False))


@functools.cache
def _adapter(function: Any, name: str) -> TypeAdapter[Any] | None:
    """What checks an argument of a function; None without an annotation, or with one unknown to pydantic."""
    annotation = inspect.signature(function, eval_str=True).parameters[name].annotation
    if annotation in (inspect.Parameter.empty, Any):
        return None
    try:
        return TypeAdapter(annotation)
    except PydanticUserError:
        return None


def _messages(name: str, model: str, value: Any, errors: Sequence[Mapping[str, Any]]) -> list[tuple[ItemPath, str]]:
    """(path inside the value, message) for the errors in one value; the alternatives of a union are one message."""
    expected: dict[ItemPath, list[str]] = {}
    for error in errors:
        if error["type"] == "too_short" and error["ctx"]["min_length"] <= len(_inside(value, error["loc"])):
            continue  # pydantic counts the valid items of a tuple, and the others have their own messages
        path, alternative = _path_and_expected(error)
        if alternative not in expected.setdefault(path, []):
            expected[path].append(alternative)
    messages = []
    for path, alternatives in expected.items():
        given = _inside(value, path)
        index = "".join(f"[{part}]" for part in path)
        hint = _hint(alternatives, given)
        messages.append(
            (path, f"{name}{index} of {model} must be {' or '.join(alternatives)}, not {as_yaml(given)}{hint}")
        )
    return messages


def _hint(alternatives: Sequence[str], given: Any) -> str:
    options = re.findall(r"'([^']*)'", " ".join(text for text in alternatives if text.startswith("one of")))
    if isinstance(given, str):
        return did_you_mean(given, options)
    return quoting(given) if options or "text" in alternatives else ""


def _path_and_expected(error: Mapping[str, Any]) -> tuple[ItemPath, str]:
    path: ItemPath = tuple(itertools.takewhile(lambda part: isinstance(part, int), error["loc"]))
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "missing" and path:  # a tuple of a fixed length: the path is that of the item that is missing
        return path[:-1], f"a list of at least {error['loc'][len(path) - 1] + 1}"
    if kind in EXPECTED:
        limits = {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in context.items()}
        return path, EXPECTED[kind].format(**limits)
    return path, f"valid ({error['msg']})"


def _inside(value: Any, path: ItemPath) -> Any:
    for part in path:
        try:
            value = value[part]
        except (IndexError, KeyError, TypeError):
            return value
    return value
