"""What pydantic found wrong with a value, said for a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from zoo.config.document import ItemPath, shown
from zoo.text.suggestions import did_you_mean

WANTED = {
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
    wanted: dict[ItemPath, list[str]] = {}
    for error in errors:
        if error["type"] == "too_short" and error["ctx"]["min_length"] <= len(_inside(value, error["loc"])):
            continue  # pydantic counts the good items of a tuple, and has told what the bad ones are
        place, wish = _place_and_wish(error)
        if wish not in wanted.setdefault(place, []):
            wanted[place].append(wish)
    found = []
    for place, wishes in wanted.items():
        given = _inside(value, place)
        index = "".join(f"[{part}]" for part in place)
        hint = _hint(wishes, given)
        found.append((place, f"{name}{index} of {model} must be {' or '.join(wishes)}, not {shown(given)}{hint}"))
    return found


def _hint(wishes: Sequence[str], given: Any) -> str:
    options = re.findall(r"'([^']*)'", " ".join(wish for wish in wishes if wish.startswith("one of")))
    if isinstance(given, str):
        return did_you_mean(given, options)
    return quoting(given) if options or "text" in wishes else ""


def quoting(value: Any) -> str:
    """The hint for a word that YAML took for true or false."""
    if isinstance(value, bool):
        return (
            " (YAML reads an unquoted yes, no, on or off as true or false; put the word in quotes if you mean the word)"
        )
    return ""


def _place_and_wish(error: Mapping[str, Any]) -> tuple[ItemPath, str]:
    place: ItemPath = ()
    for part in error["loc"]:
        if not isinstance(part, int):
            break
        place += (part,)
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "missing" and place:  # a tuple of a fixed length: the place is the item that is not there
        return place[:-1], f"a list of at least {place[-1] + 1}"
    if kind in WANTED:
        limits = {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in context.items()}
        return place, WANTED[kind].format(**limits)
    return place, f"valid ({error['msg']})"


def _inside(value: Any, place: ItemPath) -> Any:
    for part in place:
        try:
            value = value[part]
        except (IndexError, KeyError, TypeError):
            return value
    return value
