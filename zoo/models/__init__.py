"""The registry of models: names, arguments, and how to build one.

A model is a function ``f(input_size, classes, **arguments) -> tf_keras.Model`` from standardised images
[B, H, W, 3] to logits [B, classes]. A variant of it is a row: the same function with other keyword arguments.
Nothing here imports TensorFlow; the functions do, when they are called.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.host.quiet_import import quiet_import
from zoo.text.suggestions import did_you_mean

RESERVED = ("input_size", "classes")  # given by the question and the data, never by a row


@dataclass(frozen=True)
class Entry:
    """One registered model: a function, the row of arguments that makes it this variant, and its training defaults."""

    name: str
    function: Callable[..., Any]
    row: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(
        default_factory=dict
    )  # dotted fields of the recipe that this model's source changes
    smallest_input: Callable[..., int] | None = None

    @property
    def family(self) -> str:
        return self.function.__name__

    def parameters(self) -> dict[str, inspect.Parameter]:
        """Name -> parameter (annotation, default with the row applied) of every argument a question may vary."""
        return {
            name: parameter.replace(default=self.row.get(name, parameter.default))
            for name, parameter in _signature(self.function).items()
            if name not in RESERVED
        }

    def source_sha256(self) -> str | None:
        """Checksum of the file that defines a user's own model; None for the models of this package."""
        return source_sha256(self.function)


_entries: dict[str, Entry] = {}


def register(
    name: str,
    *,
    row: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    smallest_input: Callable[..., int] | None = None,
):
    """Decorator that registers a model function under ``name``; stack it for more variants of the same function.

    ``row`` overrides defaults of the function's arguments, ``training`` overrides fields of the recipe (dotted names,
    e.g. ``{"weight_decay.layers": "all_but_last"}``), and ``smallest_input(**arguments)`` gives the smallest input size
    in pixels that the function can build. Raises ValueError for a name that is taken by another function or a row that
    names no argument.
    """

    def add(function):
        if not function.__module__.startswith(f"{__name__}."):
            _load_shipped()  # first, so that of two functions for one name the user's is refused, at its own line
        taken = _entries.get(name)
        if taken is not None and source_file(taken.function) != source_file(function):
            raise ValueError(f"a model named {name!r} is already registered, in {source_file(taken.function)}")
        unknown = set(row or ()) - (set(_signature(function)) - set(RESERVED))
        if unknown:
            raise ValueError(f"the row of {name!r} names {sorted(unknown)}, which {function.__name__} does not take")
        _entries[name] = Entry(name, function, dict(row or {}), dict(training or {}), smallest_input)
        return function

    return add


def names() -> list[str]:
    """The registered names, in the order of registration."""
    _load_shipped()
    return list(_entries)


def entry(name: str) -> Entry:
    """The registered entry of a name. Raises KeyError with the nearest known name."""
    _load_shipped()
    if name not in _entries:
        raise KeyError(f"no model is named {name!r}{did_you_mean(name, _entries)}; known: {', '.join(_entries)}")
    return _entries[name]


def build(name: str, input_size: int = 24, classes: int = 10, **arguments: Any):
    """A ``tf_keras.Model`` from standardised images [B, input_size, input_size, 3] to logits [B, classes].

    ``arguments`` override the row of the registered name. Raises KeyError for an unknown name, TypeError for an unknown
    argument and ValueError for a network that cannot be built at this input size.
    """
    found = entry(name)
    parameters = found.parameters()
    for argument in arguments:
        if argument not in parameters:
            raise TypeError(
                f"{name} takes no argument {argument!r}{did_you_mean(argument, parameters)}; known: {', '.join(parameters)}"
            )
    arguments = {**found.row, **arguments}
    least = smallest_input(name, **arguments)
    if input_size < least:
        raise ValueError(
            f"{name} with these arguments needs an input of at least {least}x{least}, not {input_size}x{input_size}"
        )
    with quiet_import():  # the functions import it too, but too late to keep the terminal clean
        import tf_keras  # noqa: F401
    return found.function(input_size=input_size, classes=classes, **arguments)


def smallest_input(name: str, **arguments: Any) -> int:
    """The smallest input size in pixels that the model can be built for, without building it (1 when it does not say)."""
    found = entry(name)
    if found.smallest_input is None:
        return 1
    defaults = {key: p.default for key, p in found.parameters().items() if p.default is not p.empty}
    return found.smallest_input(**{**defaults, **arguments})


@functools.cache  # a question asks for it for each of its variants
def _signature(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function, eval_str=True).parameters)


def source_file(function: Callable[..., Any]) -> Path:
    """The file that defines a registered function."""
    return Path(inspect.getsourcefile(function) or sys.argv[0]).resolve()


def source_sha256(function: Callable[..., Any]) -> str | None:
    """Checksum of a function's file when it is a user's own; None inside this package."""
    path = source_file(function)
    if path.is_relative_to(Path(__file__).resolve().parent.parent):
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def _load_shipped() -> None:
    from zoo.models import alex, nin, squeeze  # noqa: F401  (registers its rows on import)
