"""Text in Markdown that stays text: no image, link, HTML, formula or heading comes of what others wrote."""

from __future__ import annotations

import re

from zoo.text.characters import visible


def escape(text: str) -> str:
    """On one line, inside a paragraph or a table; underscores inside a word are harmless."""
    text = re.sub(r"([\\`*<|~$])", r"\\\1", visible(" ".join(text.split())))
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
    text = re.sub(r"\](?=[(\[:])", r"\\]", text)  # only these make a link or an image of what is in brackets
    return re.sub(r"&(?=#?\w+;)", r"\\&", text)


def escape_line(text: str) -> str:
    """As ``escape``, where a line or an item of a list begins with it."""
    text = escape(text)
    text = re.sub(r"^(?=[#>=]|[-+](?:[-+\s]|$))", r"\\", text)
    return re.sub(r"^(\d{1,9})(?=[.)](?:\s|$))", r"\1\\", text)


def code(text: str) -> str:
    """Code within a line."""
    text = visible(" ".join(text.split()))
    fence = "`" * (_longest_run(text) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def code_block(text: str, language: str) -> str:
    """Code on lines of its own."""
    text = visible(text)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
