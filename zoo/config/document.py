"""A YAML file as plain values, with the line and column of every key and value, and the problems found in it.

The YAML of questions is YAML 1.1 as PyYAML reads it, less its traps: ``1e-3`` is a number, ``1:30`` and ``010`` are
text, keys are always text (so that a variant may be called ``off``), and no tags make objects.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from zoo.config.errors import Problem, QuestionError

MAX_BYTES = 200_000  # a question is a page; the bound keeps a wrong file from being parsed for minutes
MAX_NODES = 100_000  # values after aliases are expanded
MAX_DEPTH = 30  # lists and mappings inside each other
MAX_INTEGER = 2**63 - 1

ItemPath = tuple[str | int, ...]


@dataclass
class Document:
    """The values of a question while it is being read. ``places`` maps a path to ((line, column) of key, of value)."""

    file: str
    text: str
    data: Any = None
    places: dict[ItemPath, tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=dict)
    overrides: dict[ItemPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    bad: dict[ItemPath, str] = field(default_factory=dict)  # refused already: nothing more is said of these values
    registry_complete: bool = True  # False when a user's own file could not be loaded: unknown names may be its names
    seen: set[Problem] = field(default_factory=set)

    def report(self, path: ItemPath, message: str, *, key: bool = False) -> None:
        """Add a problem at a path, once; the place is the value's, or with ``key`` the key's."""
        if self.is_bad(path):
            return
        line, column = self.place(path, key=key)
        self.add(Problem(self.file, line, column, message, self.override(path)))

    def is_bad(self, path: ItemPath) -> bool:
        """Whether a value, or what it stands in, has been refused already."""
        return any(path[:n] in self.bad for n in range(1, len(path) + 1))

    def add(self, problem: Problem) -> None:
        """Add a problem, once."""
        if problem not in self.seen:
            self.seen.add(problem)
            self.problems.append(problem)

    def forget(self, path: ItemPath) -> None:
        """Take back what was refused at a path and inside it: another value stands there now."""
        for inside in [inside for inside in self.bad if inside[: len(path)] == path]:
            message = self.bad.pop(inside)
            self.problems = [
                problem
                for problem in self.problems
                if (problem.message, (problem.line, problem.column)) != (message, self.place(inside))
            ]

    def place(self, path: ItemPath, *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of a path or of the nearest thing around it that is in the file."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, ((1, 1), (1, 1)))[0 if key else 1]

    def override(self, path: ItemPath) -> str | None:
        """The command-line option that set this path or what it is part of."""
        found = [self.overrides[path[:n]] for n in range(len(path) + 1) if path[:n] in self.overrides]
        return found[-1] if found else None

    def fail_if_problems(self) -> None:
        """Raise QuestionError when there are problems, in the order of the file, options last."""
        if self.problems:
            raise QuestionError(
                sorted(self.problems, key=lambda p: (p.override is not None, p.line or 0, p.column or 0))
            )


def read(path: str | Path) -> Document:
    """The document in a file. Raises QuestionError when there is no reading it at all."""
    document = Document(str(path), _text(Path(path)))
    _fill(document)
    if document.data is None and not document.problems:
        document.report((), "the file is empty; it needs at least a question, a base with model and data, and factors")
    if document.data is None:
        document.fail_if_problems()
    if not isinstance(document.data, dict):
        document.report(
            (), f"the file must hold keys with values (question: ..., base: ...), not {shown(document.data)}"
        )
        document.fail_if_problems()
    return document


def parse(text: str) -> tuple[Any, list[str]]:
    """The value of a piece of YAML, e.g. from the command line, and what is wrong with it."""
    document = Document("", text)
    _fill(document)
    return document.data, [problem.message for problem in document.problems]


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


def _text(path: Path) -> str:
    def refuse(message: str, line: int | None = None, column: int | None = None):
        return QuestionError([Problem(str(path), line, column, message)])

    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise refuse(f"this is a directory; name a file in it{_yaml_files(path)}") from None
    except (FileNotFoundError, NotADirectoryError):
        raise refuse(f"no such file{_nearest_file(path)}") from None
    except (OSError, ValueError) as error:
        raise refuse(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > MAX_BYTES:
        raise refuse(f"the file is larger than {MAX_BYTES:,} bytes; a question is a page of YAML")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", errors="replace")
        raise refuse("this is not UTF-8 text; save the file as UTF-8", *_line_and_column(before, len(before))) from None


def _nearest_file(path: Path) -> str:
    here = _yamls(path.parent)
    if not path.parent.is_dir():
        return f"; there is no directory {path.parent}"
    alike = difflib.get_close_matches(path.stem, [found.stem for found in here], n=1)
    if alike:
        return f" (did you mean {next(found for found in here if found.stem == alike[0])}?)"
    return _yaml_files(path.parent)


def _yaml_files(directory: Path) -> str:
    here = _yamls(directory)
    listed = ", ".join(found.name for found in here[:10]) + (", ..." if len(here) > 10 else "")
    return f"; questions there: {listed}" if here else ""


def _yamls(directory: Path) -> list[Path]:
    try:
        return sorted(found for found in directory.iterdir() if found.suffix in (".yaml", ".yml"))
    except OSError:
        return []


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


class _TooDeep(yaml.MarkedYAMLError):
    pass


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with our own idea of which plain words are numbers, and a bound on the nesting."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012  (PyYAML's own name; filled below)
    depth = 0

    def compose_node(self, parent, index):
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _TooDeep(problem="", problem_mark=self.peek_event().start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


_TAG = "tag:yaml.org,2002:"
for _kind, _pattern, _first in (
    ("bool", r"(?i:true|false|yes|no|on|off)$", "tTfFyYnNoO"),
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)$", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|(?i:\.inf|\.nan))$",
        "-+.0123456789",
    ),
    ("merge", r"<<$", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), list(_first))


def _fill(document: Document) -> None:
    try:
        root = yaml.compose(document.text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        place = _line_and_column(document.text, error.position)
        document.places[()] = (place, place)
        document.report((), "a character that YAML does not allow; is this a text file?")
        return
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        document.places[()] = (place, place)
        document.report((), _syntax(error))
        return
    if root is not None:
        document.data = _Builder(document).value(root, ())


def _syntax(error: yaml.MarkedYAMLError) -> str:
    if isinstance(error, _TooDeep):
        return f"more than {MAX_DEPTH} lists or mappings inside each other"
    problem = error.problem or "this is not YAML"
    if "single document" in (error.context or ""):
        return "a second document starts here; a file holds one question: remove the '---'"
    if r"'\t'" in problem:
        return "a tab; YAML is indented with spaces"
    context = f" ({error.context})" if error.context else ""
    return f"this is not YAML: {problem}{context}"


class _TooMany(Exception):
    pass


class _Builder:
    """Nodes to values. Aliases are expanded, counted, and refused when they contain themselves."""

    def __init__(self, document: Document):
        self.document = document
        self.count = 0
        self.open: list[int] = []

    def value(self, root: yaml.Node, path: ItemPath) -> Any:
        """The value of the whole tree; None when it is too large."""
        self._note(root, root, path)
        try:
            return self._value(root, path)
        except _TooMany:
            self.document.report(
                (),
                f"with its aliases expanded the file holds more than {MAX_NODES:,} values; write the question without",
            )
            return None

    def _value(self, node: yaml.Node, path: ItemPath) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            raise _TooMany
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self.open:
            return self._refuse(path, "an alias that contains itself")
        if len(self.open) >= MAX_DEPTH:
            return self._refuse(path, f"more than {MAX_DEPTH} lists or mappings inside each other")
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            return self._refuse(path, f"the tag {node.tag.replace(_TAG, '!!')} is not allowed; write plain values")
        self.open.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self._item(item, item, (*path, i)) for i, item in enumerate(node.value)]
        finally:
            self.open.pop()

    def _mapping(self, node: yaml.MappingNode, path: ItemPath) -> dict[str, Any]:
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if key.tag == _TAG + "merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                self._report_at(key, path, "a key must be a plain word, not a list or a mapping")
            elif key.value in pairs:
                first = pairs[key.value][0].start_mark.line + 1
                self._report_at(key, path, f"duplicate key {key.value!r}; it stands in line {first} already")
            else:
                pairs[key.value] = (key, value)
        merged = {**dict(self._merged(node, path, 0)), **pairs}
        return {name: self._item(key, value, (*path, name)) for name, (key, value) in merged.items()}

    def _merged(
        self, node: yaml.MappingNode, path: ItemPath, depth: int
    ) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
        """The pairs that ``<<`` brings, those that win last: an earlier mapping of a list beats a later one."""
        for key, value in node.value:
            if key.tag != _TAG + "merge":
                continue
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in reversed(sources):
                if not isinstance(source, yaml.MappingNode):
                    self._report_at(key, path, "'<<' takes an alias of a mapping, or a list of such aliases")
                    continue
                if depth >= MAX_DEPTH:
                    self._report_at(key, path, "an alias that contains itself")
                    return
                self.count += len(source.value)
                if self.count > MAX_NODES:
                    raise _TooMany
                yield from self._merged(source, path, depth + 1)
                for name, item in source.value:
                    if name.tag != _TAG + "merge" and isinstance(name, yaml.ScalarNode):
                        yield name.value, (name, item)

    def _item(self, key: yaml.Node, value: yaml.Node, path: ItemPath) -> Any:
        self._note(key, value, path)
        return self._value(value, path)

    def _note(self, key: yaml.Node, value: yaml.Node, path: ItemPath) -> None:
        self.document.places[path] = (_place(key), _place(value))

    def _scalar(self, node: yaml.ScalarNode, path: ItemPath) -> Any:
        kind = node.tag.removeprefix(_TAG)
        text = node.value
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "yes", "on", "false", "no", "off"):
            return text.lower() in ("true", "yes", "on")
        if kind in ("int", "float"):
            return self._number(text, kind, path)
        if kind == "merge":
            return text
        return self._refuse(path, f"the tag {node.tag.replace(_TAG, '!!')} is not allowed here; write a plain value")

    def _number(self, text: str, kind: str, path: ItemPath) -> Any:
        plain = text.replace("_", "")
        if len(plain) > 400:
            return self._refuse(path, "this number is too long")
        if re.fullmatch(r"(?i)[-+]?\.(inf|nan)", plain):
            return self._refuse(path, f"{text} is not a finite number")
        try:
            value = int(plain) if kind == "int" else float(plain)
        except ValueError:
            return self._refuse(path, f"{shown(text)} is not a number")
        if isinstance(value, float) and not math.isfinite(value):
            return self._refuse(path, f"{text} is not a finite number")
        if isinstance(value, int) and abs(value) > MAX_INTEGER:
            return self._refuse(path, f"{shown(text)} is larger than {MAX_INTEGER:,}")
        # `steps: 1e4` is meant as a whole number
        if isinstance(value, float) and "e" in plain.lower() and value.is_integer() and abs(value) < 2**53:
            return int(value)
        return value

    def _refuse(self, path: ItemPath, message: str) -> None:
        self.document.report(path, message)
        self.document.bad[path] = message

    def _report_at(self, node: yaml.Node, path: ItemPath, message: str) -> None:
        line, column = _place(node)
        self.document.add(Problem(self.document.file, line, column, message))


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
