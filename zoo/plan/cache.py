"""Figures that were found once on this machine, in the user's cache directory. They can always be found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from zoo.data.cache import directory
from zoo.storage.atomic import write_atomically

Figures = TypeVar("Figures", bound=Sequence[float])


@dataclass(frozen=True)
class FigureCache(Generic[Figures]):
    """Figures by key, in a JSON file. Entries for which ``parse`` raises TypeError or ValueError are left out."""

    file_name: str
    parse: Callable[[Any], Figures]

    def read(self) -> dict[str, Figures]:
        """All entries; empty when the file is absent or damaged."""
        entries = self._entries()
        parsed: dict[str, Figures] = {}
        for key, value in entries.items():
            try:
                parsed[key] = self.parse(value)
            except (TypeError, ValueError):
                continue
        return parsed

    def add(self, figures: Mapping[str, Figures]) -> None:
        """Keep further entries; a cache that cannot be written costs some seconds next time, and no more."""
        entries = self._entries() | {key: list(value) for key, value in figures.items()}
        try:
            write_atomically(self._path, lambda file: file.write(json.dumps(entries).encode()))
        except OSError:
            return

    @property
    def _path(self) -> Path:
        return directory() / self.file_name

    def _entries(self) -> dict[str, Any]:
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}


def cache_key(described: Mapping[str, Any]) -> str:
    """A key for what is described by plain values."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
