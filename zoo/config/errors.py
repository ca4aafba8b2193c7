"""What is wrong with a question, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake: its position (line and column from 1; None for the file as a whole) and a message for a person."""

    file: str
    line: int | None
    column: int | None
    message: str
    override: str | None = None  # the command-line option that caused it, e.g. "--set base.steps=abc"

    def __str__(self) -> str:
        """One line that any terminal can show: control characters from the file are escaped."""
        position = f"{self.file}:{self.line}:{self.column}" if self.line is not None else self.file
        text = f"{position if self.override is None else self.override}: {self.message}"
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class QuestionError(Exception):
    """A question that cannot be asked; ``str()`` gives every problem of it, one a line.

    ``are_more``: reading has stopped at these, and there are likely to be more.
    """

    def __init__(self, problems: Iterable[Problem], are_more: bool = False):
        self.problems, self.are_more = list(problems), are_more
        lines = [str(problem) for problem in self.problems]
        if are_more:
            lines.append(f"{len(lines)} problems were found before the question was read to its end; mend these first")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[QuestionError], tuple[list[Problem], bool]]:
        return (QuestionError, (self.problems, self.are_more))
