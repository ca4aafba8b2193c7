"""Files that a question runs from outside its own directory: the person is told, or asked, before the first time."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from zoo.plugins.files import content_sha256
from zoo.text.characters import visible

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OutsideFiles:
    """The contents of such files that have been run already, in a file of this project: a checksum and a path a line.

    The modules that stand beside a file and that it imports are part of its content.
    """

    known: Path

    def may_run(self, file: Path, question: Path) -> bool:
        """Whether a file that a question imports may be run; on a terminal the person decides, elsewhere it is said."""
        resolved = file.resolve()
        if not resolved.is_file() or resolved.is_relative_to(question.resolve().parent):
            return True
        line = f"{content_sha256(resolved)}  {resolved}"
        if line in self._lines():
            return True
        text = f"{question} runs a Python file outside its directory, for the first time with this content: {resolved}"
        if not _is_terminal():
            _log.warning("note: %s", text)
        elif not _agreed(f"{text}\nIt can do anything that you can. Run it? [y/N] "):
            return False
        self._add(line)
        return True

    def _lines(self) -> list[str]:
        try:
            return self.known.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return []

    def _add(self, line: str) -> None:
        try:
            self.known.parent.mkdir(parents=True, exist_ok=True)
            with self.known.open("a", encoding="utf-8", errors="surrogateescape") as file:
                file.write(f"{line}\n")
        except OSError as error:
            _log.warning("note: this will be said again: %s cannot be written (%s)", self.known, error.strerror)


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _agreed(question: str) -> bool:
    print(visible(question), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
