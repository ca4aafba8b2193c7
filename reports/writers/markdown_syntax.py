"""Markdown: text that stays text, and tables of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def escape(text: str) -> str:
    """Text that must not turn into Markdown or HTML, or break a table; underscores inside a word are harmless."""
    text = re.sub(r"([\\`*<|])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table of plain text: the first ``left`` columns to the left, the others to the right."""
    rule = [":--" if column < left else "--:" for column in range(len(header))]
    lines = [header, rule, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escape(sentence)}" for sentence in sentences)
