"""The values of a question while it is being read: where each stands in the file, and the problems found so far."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from zoo.config.errors import Problem, QuestionError

MAX_PROBLEMS = 100  # that are listed at once

ItemPath = tuple[str | int, ...]


class Position(NamedTuple):
    """Where something stands in a file, from 1."""

    line: int
    column: int


START = Position(1, 1)


@dataclass
class Document:
    """The values of a question, ``positions`` of (key, value) by path, and the command-line options that changed some."""

    file: str
    text: str
    data: Any = None
    positions: dict[ItemPath, tuple[Position, Position]] = field(default_factory=dict)
    overrides: dict[ItemPath, str] = field(default_factory=dict)
    problems: dict[Problem, None] = field(default_factory=dict)  # in the order in which they were found
    refused: dict[ItemPath, Problem] = field(default_factory=dict)  # nothing more is reported of these values
    doubts: list[str] = field(default_factory=list)  # warnings about what is allowed
    registry_complete: bool = True  # False when a user's own file could not be loaded: unknown names may be its names

    def report(self, path: ItemPath, message: str, *, key: bool = False) -> None:
        """Add a problem at the position of a value, or with ``key`` of its key, unless the value has been refused."""
        if not self.is_refused(path):
            self.add(self._problem(path, message, key))

    def add(self, problem: Problem) -> None:
        """Add a problem. Raises QuestionError when there are so many that nobody reads them all."""
        self.problems[problem] = None
        if len(self.problems) >= MAX_PROBLEMS:
            self._fail(are_more=True)

    def refuse(self, path: ItemPath, message: str, *, key: bool = False) -> None:
        """Report a problem that makes any further one of this value, or inside it, pointless."""
        self.report(path, message, key=key)
        self.refused[path] = self._problem(path, message, key)

    def is_refused(self, path: ItemPath) -> bool:
        """Whether a value, or what it stands in, has been refused."""
        return any(path[:n] in self.refused for n in range(1, len(path) + 1))

    def replace(self, path: ItemPath, option: str) -> None:
        """Note that a command-line option has replaced the value at a path, and withdraw what was refused in it."""
        for inside in [inside for inside in self.refused if inside[: len(path)] == path]:
            self.problems.pop(self.refused.pop(inside), None)
        self.overrides = {p: o for p, o in self.overrides.items() if p[: len(path)] != path} | {path: option}
        self.positions = {p: at for p, at in self.positions.items() if p[: len(path)] != path or p == path}

    def position(self, path: ItemPath, *, key: bool = False) -> Position:
        """The position of a path, or of the nearest thing around it that is in the file."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, (START, START))[0 if key else 1]

    def number_at(self, path: ItemPath) -> str:
        """The number that a path has in the file, digit by digit; empty where it has none, or an option replaced it."""
        if path not in self.positions or any(path[:n] in self.overrides for n in range(len(path) + 1)):
            return ""
        at = self.positions[path][1]
        found = re.match(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?", self.text.splitlines()[at.line - 1][at.column - 1 :])
        return found[0] if found else ""

    def fail_if_problems(self) -> None:
        """Raise QuestionError when there are problems, in the order of the file, options last."""
        if self.problems:
            self._fail(are_more=False)

    def _fail(self, are_more: bool) -> NoReturn:
        ordered = sorted(self.problems, key=lambda p: (p.override is not None, p.line or 0, p.column or 0))
        raise QuestionError(ordered, are_more)

    def described(self, path: ItemPath, message: str) -> str:
        """A message with the position of a value before it."""
        return str(self._problem(path, message, key=False))

    def _problem(self, path: ItemPath, message: str, key: bool) -> Problem:
        options = [self.overrides[path[:n]] for n in range(len(path) + 1) if path[:n] in self.overrides]
        return Problem(self.file, *self.position(path, key=key), message, options[-1] if options else None)
