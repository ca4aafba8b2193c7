"""Where trainings run: one module or package for each executor, with an ``EXECUTOR`` at its top; found by themselves.

Each may import zoo.execution.executor, messages and worker, and everything below zoo.execution. The names need no import.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.execution.executor import ExecutorEntry

_registered: dict[str, ExecutorEntry] = {}


def register(name: str, entry: ExecutorEntry) -> None:
    """Add an executor that is in none of this package's modules."""
    _registered[name] = entry


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Executors that are registered within this block are forgotten after it; for tests."""
    before = dict(_registered)
    try:
        yield
    finally:
        _registered.clear()
        _registered.update(before)


def names() -> tuple[str, ...]:
    return tuple(sorted({*(module.name for module in pkgutil.iter_modules(__path__)), *_registered}))


def entry(name: str) -> ExecutorEntry:
    """The executor of that name."""
    if name in _registered:
        return _registered[name]
    shipped: ExecutorEntry = importlib.import_module(f"{__name__}.{name}").EXECUTOR
    return shipped
