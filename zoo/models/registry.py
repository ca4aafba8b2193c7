"""The registered models: names, arguments, and how to build one. Nothing here imports TensorFlow before it builds.

A model is a function ``f(input_size, classes, **arguments) -> tf_keras.Model`` from standardised images [B, H, W, 3]
to logits [B, classes]. A variant of it is a row: the same function with other keyword arguments.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import plugins
from zoo.host.quiet_import import quiet_import
from zoo.models.arguments import flattened
from zoo.text.suggestions import did_you_mean

if TYPE_CHECKING:
    import tf_keras as keras

RESERVED = ("input_size", "classes")  # given by the question and the data, never by a row

Function = Callable[..., Any]


@dataclass(frozen=True)
class Entry:
    """One registered model: a function, the row of arguments that makes it this variant, and its training defaults."""

    name: str
    function: Function
    row: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)  # dotted fields of the recipe that this model changes
    smallest_input: Callable[..., int] | None = None
    idle: Callable[..., Mapping[str, str]] | None = None
    plugin: Path | None = None  # the user's file that registered it
    files: Mapping[Path, str] = field(default_factory=dict)  # what else decides the network -> sha256

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
        """Checksum of what a user's own model is made with; None for the models of this package.

        It covers the file that registers it, the modules that this imports from beside it, and the declared files.
        """
        path = _source_file(self.function)
        if path.is_relative_to(Path(__file__).resolve().parent.parent):
            return None
        main = self.plugin or path
        sha256s = {**plugins.sha256s(main), **self.files}
        if path not in sha256s:
            sha256s |= plugins.file_sha256s([path])
        return plugins.combined_sha256(main, sha256s)

    def check_files(self) -> None:
        """Raises SourceChanged when a declared file has been edited since the model was registered."""
        for path, sha256 in self.files.items():
            if not path.is_file() or plugins.file_sha256s([path])[path] != sha256:
                raise plugins.SourceChanged(f"{path} has been edited since the model {self.name} was registered")


_entries: dict[str, Entry] = {}


def register(
    name: str,
    *,
    row: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    smallest_input: Callable[..., int] | None = None,
    idle: Callable[..., Mapping[str, str]] | None = None,
    files: Sequence[str | Path] = (),
) -> Callable[[Function], Function]:
    """Decorator that registers a model function under ``name``; stack it for more variants of the same function.

    ``row`` overrides defaults of the function's arguments, ``training`` overrides fields of the recipe (dotted names,
    e.g. ``{"weight_decay.layers": "all_but_last"}``), and ``smallest_input(**arguments)`` gives the smallest input size
    in pixels that the function can build. ``idle(**arguments)`` gives the arguments that make no difference with these, and
    why (``{"lrn_radius": "lrn is false"}``), so that variants that differ in nothing else are not trained in vain. ``files``
    are those that the function reads, relative to the file that registers it: they are a part of the model's checksum. A
    parameter whose annotation is a dataclass stands for its fields. Raises ValueError for a name that is taken by another
    function or a row that names no argument, OSError for a file that cannot be read.
    """

    def add(function: Function) -> Function:
        if not function.__module__.startswith(f"{__package__}."):
            _load_families()  # first, so that of two functions for one name the user's is refused, at its own line
        existing = _entries.get(name)
        if existing is not None and _source_file(existing.function) != _source_file(function):
            raise ValueError(f"a model named {name!r} is already registered, in {_source_file(existing.function)}")
        flat = flattened(function)
        unknown = set(row or ()) - (set(_signature(flat)) - set(RESERVED))
        if unknown:
            raise ValueError(f"the row of {name!r} names {sorted(unknown)}, which {function.__name__} does not take")
        plugin = plugins.loading()
        directory = (plugin or _source_file(function)).parent
        sha256s = plugins.file_sha256s((directory / Path(file).expanduser()).resolve() for file in files)
        _entries[name] = Entry(name, flat, dict(row or {}), dict(training or {}), smallest_input, idle, plugin, sha256s)
        return function

    return add


def names() -> list[str]:
    """The registered names, in the order of registration."""
    _load_families()
    return list(_entries)


def entry(name: str) -> Entry:
    """The registered entry of a name. Raises KeyError with the nearest known name."""
    _load_families()
    if name not in _entries:
        raise KeyError(f"no model is named {name!r}{did_you_mean(name, _entries)}; known: {', '.join(_entries)}")
    return _entries[name]


def build(name: str, input_size: int = 24, classes: int = 10, **arguments: Any) -> keras.Model:
    """A ``tf_keras.Model`` from standardised images [B, input_size, input_size, 3] to logits [B, classes].

    ``arguments`` override the row of the registered name. Raises KeyError for an unknown name, TypeError for an unknown
    argument, ValueError for a network that cannot be built at this input size, and SourceChanged when a file that the model
    declares has been edited.
    """
    chosen = entry(name)
    parameters = chosen.parameters()
    for argument in arguments:
        if argument not in parameters:
            raise TypeError(
                f"{name} takes no argument {argument!r}{did_you_mean(argument, parameters)}; known: {', '.join(parameters)}"
            )
    arguments = {**chosen.row, **arguments}
    least = smallest_input(name, **arguments)
    if input_size < least:
        raise ValueError(
            f"{name} with these arguments needs an input of at least {least}x{least}, not {input_size}x{input_size}"
        )
    with quiet_import():  # the functions import it too, but too late to keep the terminal clean
        import tf_keras  # noqa: F401
    network: keras.Model = chosen.function(input_size=input_size, classes=classes, **arguments)
    chosen.check_files()
    return network


def smallest_input(name: str, **arguments: Any) -> int:
    """The smallest input size in pixels that the model can be built for, without building it (1 when it does not say)."""
    chosen = entry(name)
    if chosen.smallest_input is None:
        return 1
    defaults = {key: p.default for key, p in chosen.parameters().items() if p.default is not p.empty}
    return chosen.smallest_input(**{**defaults, **arguments})


def idle_arguments(name: str, **arguments: Any) -> dict[str, str]:
    """The arguments that make no difference to the network with these, and why; {} when the model does not say."""
    chosen = entry(name)
    return {} if chosen.idle is None else dict(chosen.idle(**arguments))


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """What is registered within the block is forgotten at its end."""
    _load_families()
    before = dict(_entries)
    try:
        yield
    finally:
        _entries.clear()
        _entries.update(before)


@functools.cache  # a question asks for it for each of its variants
def _signature(function: Function) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function, eval_str=True).parameters)


def _source_file(function: Function) -> Path:
    return Path(inspect.getsourcefile(inspect.unwrap(function)) or sys.argv[0]).resolve()


@functools.cache
def _load_families() -> None:
    """Imports every module of this package, of which the families register themselves."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not module.ispkg and module.name != "__main__":
            importlib.import_module(f"{__package__}.{module.name}")
