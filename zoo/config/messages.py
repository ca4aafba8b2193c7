"""Messages about a wrong value or an unknown key: what is allowed there, and what was probably meant."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from zoo.config.document import ItemPath
from zoo.config.settings import fields, groups, leaves
from zoo.text.suggestions import did_you_mean, nearest

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

# names that are common elsewhere, and the field that each means here
SYNONYMS = {
    "learning_rate": "optimizer.lr",
    "batch_size": "batch",
    "iterations": "steps",
    "max_steps": "steps",
    "epochs": "steps",
    "dataset": "data",
    "augmentation": "augment",
    "normalize": "standardize",
    "moving_averages": "ema",
    "eval_every": "evaluate_every",
    "image_size": "input_size",
}


def shown(value: Any, limit: int = 60) -> str:
    """A value as a person would write it in YAML, for messages and names; shortened to ``limit`` characters."""
    text = _flow(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _flow(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return repr(value)


def field_message(name: str, field: Any, value: Any) -> str:
    """The message about a wrong value of a field of the configuration, from the field's pydantic FieldInfo."""
    if get_origin(field.annotation) is Literal:
        options = get_args(field.annotation)
        meant = did_you_mean(value, options) if isinstance(value, str) else ""
        return f"{name} must be one of {', '.join(options)}, not {shown(value)}{meant}{quoting(value)}"
    return f"{name} must be {field.description}, not {shown(value)}"


def argument_messages(
    name: str, model: str, value: Any, errors: Sequence[Mapping[str, Any]]
) -> list[tuple[ItemPath, str]]:
    """(path inside the value, message) for what pydantic found in one value; a union's alternatives are one message."""
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
            (path, f"{name}{index} of {model} must be {' or '.join(alternatives)}, not {shown(given)}{hint}")
        )
    return messages


def _hint(alternatives: Sequence[str], given: Any) -> str:
    options = re.findall(r"'([^']*)'", " ".join(text for text in alternatives if text.startswith("one of")))
    if isinstance(given, str):
        return did_you_mean(given, options)
    return quoting(given) if options or "text" in alternatives else ""


def quoting(value: Any) -> str:
    """The hint for a word that YAML took for true or false."""
    if isinstance(value, bool):
        return (
            " (YAML reads an unquoted yes, no, on or off as true or false; put the word in quotes if you mean the word)"
        )
    return ""


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


def unknown_key(name: str, models: Mapping[str, Iterable[str]]) -> str:
    """The message about a key that is neither a field nor an argument; ``models`` maps each model to its arguments."""
    if name == "classes":
        return "classes is not a key: the data set says how many classes there are"
    arguments = list(dict.fromkeys(argument for taken in models.values() for argument in taken))
    takes = f"{', '.join(models)}: {', '.join(arguments) or 'none'}" if models else "the model"
    meant = _meant(name, [*leaves(), *groups(), *arguments], {**_last_parts(), **SYNONYMS})
    return f"unknown key {name!r}{meant}; allowed: {', '.join(fields())}, and the arguments of {takes}"


def unknown_member(group: str, member: str) -> str:
    """The message about ``member`` in ``group``, or about a dotted key where ``group`` is no group of fields."""
    if group not in groups():
        meant = _meant(f"{group}.{member}", list(leaves()), _last_parts())
        return f"unknown key '{group}.{member}'{meant}; {group!r} holds no keys"
    inside = sorted(groups()[group])
    words = {word: full.rpartition(".")[2] for word, full in SYNONYMS.items() if full.startswith(f"{group}.")}
    return f"unknown key {member!r} in {group}{_meant(member, inside, words)}; allowed: {', '.join(inside)}"


def _last_parts() -> dict[str, str]:
    """``lr`` -> ``optimizer.lr``, for every field inside a group."""
    return {name.rpartition(".")[2]: name for name in leaves() if "." in name}


def _meant(name: str, names: list[str], words: Mapping[str, str]) -> str:
    """``" (did you mean 'lrn'?)"``: another word for a field first, then the nearest name, then the nearest word."""
    meant = words.get(name) or nearest(name, names)
    if meant is None:
        word = nearest(name, words)
        meant = words[word] if word else None
    return f" (did you mean {meant!r}?)" if meant else ""
