"""What is wrong with a question, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake: its place (line and column from 1; None for the file as a whole) and a message for a person."""

    file: str
    line: int | None
    column: int | None
    message: str
    override: str | None = None  # the command-line option that brought it, e.g. "--set base.steps=abc"

    def __str__(self) -> str:
        if self.override is not None:
            return f"{self.override}: {self.message}"
        if self.line is None:
            return f"{self.file}: {self.message}"
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class QuestionError(Exception):
    """A question that cannot be asked; ``str()`` gives every problem of it, one a line."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self):
        return (QuestionError, (self.problems,))
