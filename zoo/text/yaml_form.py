"""How a value is written in YAML, for messages and names."""

from __future__ import annotations

from typing import Any


def as_yaml(value: Any, limit: int = 60) -> str:
    """A value as a person would write it in YAML, on one line, shortened to ``limit`` characters."""
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


def quoting(value: Any) -> str:
    """The hint for a word that YAML took for true or false."""
    if isinstance(value, bool):
        return (
            " (YAML reads an unquoted yes, no, on or off as true or false; put the word in quotes if you mean the word)"
        )
    return ""
