"""A YAML file as a document: plain values, and the position of every key and value.

The YAML of questions is YAML 1.1 as PyYAML reads it, without its traps: ``1e-3`` is a number, ``1:30`` and ``010`` are
text, keys are always text (so that a variant may be called ``off``), and no tags make objects.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from zoo.config.document import START, Document, ItemPath, Position
from zoo.config.errors import Problem, QuestionError
from zoo.text.yaml_form import as_yaml

MAX_BYTES = 200_000  # a question is a page; the bound keeps a wrong file from being parsed for minutes
MAX_NODES = 100_000  # values after aliases are expanded
MAX_DEPTH = 30  # lists and mappings inside each other
MAX_INTEGER = 2**63 - 1
NOT_ALLOWED = "a character that YAML does not allow"


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
            (), f"the file must hold keys with values (question: ..., base: ...), not {as_yaml(document.data)}"
        )
        document.fail_if_problems()
    return document


def parse(text: str) -> tuple[Any, list[str]]:
    """The value of a piece of YAML, e.g. from the command line, and what is wrong with it."""
    document = Document("", text)
    with contextlib.suppress(QuestionError):  # too many problems
        _fill(document)
    return document.data, [problem.message for problem in document.problems]


def _text(path: Path) -> str:
    def refusal(message: str, line: int | None = None, column: int | None = None) -> QuestionError:
        return QuestionError([Problem(str(path), line, column, message)])

    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise refusal(f"this is a directory; name a file in it{_yaml_files(path)}") from None
    except (FileNotFoundError, NotADirectoryError):
        raise refusal(f"no such file{_nearest_file(path)}") from None
    except (OSError, ValueError) as error:
        raise refusal(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > MAX_BYTES:
        raise refusal(f"the file is larger than {MAX_BYTES:,} bytes; a question is a page of YAML")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", errors="replace")
        raise refusal("this is not UTF-8 text; save the file as UTF-8", *_position_of(before, len(before))) from None


def _nearest_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; there is no directory {path.parent}"
    by_stem = {file.stem: file for file in reversed(_questions_in(path.parent))}
    alike = difflib.get_close_matches(path.stem, by_stem, n=1)
    if alike:
        return f" (did you mean {by_stem[alike[0]]}?)"
    return _yaml_files(path.parent)


def _yaml_files(directory: Path) -> str:
    files = _questions_in(directory)
    listed = ", ".join(file.name for file in files[:10]) + (", ..." if len(files) > 10 else "")
    return f"; questions there: {listed}" if files else ""


def _questions_in(directory: Path) -> list[Path]:
    try:
        return sorted(file for file in directory.iterdir() if file.suffix in (".yaml", ".yml"))
    except OSError:
        return []


def _position_of(text: str, index: int) -> Position:
    return Position(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


class _TooDeep(yaml.MarkedYAMLError):
    pass


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with other rules for which plain words are numbers, and a limit on the nesting."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own name; filled below)
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _TooDeep(problem="", problem_mark=self.peek_event().start_mark)  # type: ignore[no-untyped-call]
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
        position, message = _position_of(document.text, error.position), f"{NOT_ALLOWED}; is this a text file?"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position, message = Position(mark.line + 1, mark.column + 1) if mark else START, _syntax_message(error)
    else:
        if root is not None:
            document.data = _Builder(document).build(root)
        return
    document.problems[Problem(document.file, *position, message)] = None


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
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

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0
        self.open: list[int] = []  # the collections around the node that is being built

    def build(self, root: yaml.Node) -> Any:
        """The value of the whole tree; None when it is too large."""
        try:
            return self._item(root, root, ())
        except _TooMany:
            self.document.report(
                (),
                f"with its aliases expanded the file holds more than {MAX_NODES:,} values; write the question without",
            )
            return None

    def _item(self, key: yaml.Node, value: yaml.Node, path: ItemPath) -> Any:
        self.document.positions[path] = (_start(key), _start(value))
        return self._value(value, path)

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
                self._report_at(key, "a key must be a plain word, not a list or a mapping")
            elif not _is_unicode(key.value):
                self._report_at(key, NOT_ALLOWED)
            elif key.value in pairs:
                first = pairs[key.value][0].start_mark.line + 1
                self._report_at(key, f"duplicate key {key.value!r}; it stands in line {first} already")
            else:
                pairs[key.value] = (key, value)
        merged = {**dict(self._merged(node)), **pairs}
        return {name: self._item(key, value, (*path, name)) for name, (key, value) in merged.items()}

    def _merged(self, node: yaml.MappingNode, depth: int = 0) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
        """The pairs that ``<<`` brings, those that win last: an earlier mapping of a list beats a later one."""
        for key, value in node.value:
            if key.tag != _TAG + "merge":
                continue
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in reversed(sources):
                if not isinstance(source, yaml.MappingNode):
                    self._report_at(key, "'<<' takes an alias of a mapping, or a list of such aliases")
                    continue
                if depth >= MAX_DEPTH:
                    self._report_at(key, "an alias that contains itself")
                    return
                self.count += len(source.value)
                if self.count > MAX_NODES:
                    raise _TooMany
                yield from self._merged(source, depth + 1)
                for name, item in source.value:
                    if name.tag != _TAG + "merge" and isinstance(name, yaml.ScalarNode) and _is_unicode(name.value):
                        yield name.value, (name, item)

    def _scalar(self, node: yaml.ScalarNode, path: ItemPath) -> Any:
        kind = node.tag.removeprefix(_TAG)
        text = node.value
        if kind == "str":
            return text if _is_unicode(text) else self._refuse(path, NOT_ALLOWED)
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
            return self._refuse(path, f"{as_yaml(text)} is not a number")
        if isinstance(value, float) and not math.isfinite(value):
            return self._refuse(path, f"{text} is not a finite number")
        if isinstance(value, int) and abs(value) > MAX_INTEGER:
            return self._refuse(path, f"{as_yaml(text)} is larger than {MAX_INTEGER:,}")
        # `steps: 1e4` is meant as a whole number
        if isinstance(value, float) and "e" in plain.lower() and value.is_integer() and abs(value) < 2**53:
            return int(value)
        return value

    def _refuse(self, path: ItemPath, message: str) -> None:
        self.document.refuse(path, message)

    def _report_at(self, node: yaml.Node, message: str) -> None:
        self.document.add(Problem(self.document.file, *_start(node), message))


def _start(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _is_unicode(text: str) -> bool:
    """False with half of a surrogate pair in it, which an escape (``"\\ud800"``) makes and no file or store can hold."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
