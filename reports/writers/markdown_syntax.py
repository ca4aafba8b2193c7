"""Markdown: tables and lists of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zoo.text.markdown import escape, escape_line


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table of plain text: the first ``left`` columns to the left, the others to the right."""
    rule = [":--" if column < left else "--:" for column in range(len(header))]
    lines = [header, rule, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escape_line(sentence)}" for sentence in sentences)
