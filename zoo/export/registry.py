"""The export formats: each is one entry, in a file of ``zoo.export.formats``, which is found by itself."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from zoo.export.errors import ExportError, UnknownName
from zoo.host.quiet_import import quiet_import
from zoo.text.suggestions import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import tf_keras as keras

_FORMATS = "zoo.export.formats"

Predictor: TypeAlias = (
    "Callable[[np.ndarray], np.ndarray]"  # images [B, H, W, C] of the file's type -> float32 [B, classes]
)


class Arena(NamedTuple):
    """The memory that a runtime sets aside for inputs, maps and outputs of one image, weights aside; in bytes."""

    planned: int  # in all, with the working memory of its kernels
    maps: int  # of the maps that are needed at one time, at most: no plan takes less


@dataclass(frozen=True)
class Exporter:
    """A format. Neither function is given anything that the other has left in memory: the file is all there is."""

    name: str  # in metrics: ``size/<name>_bytes``
    label: str  # "LiteRT int8"
    suffix: str  # of the file; "" where it is a directory
    write: Callable[
        [keras.Model, Path, Iterable[np.ndarray]], None
    ]  # a plain model, the path, images to calibrate with
    load: Callable[[Path, int], Predictor]  # the path and the number of threads, 0 for all
    largest_difference: float | None = None  # of an output from the network's, relative to the largest; None: not exact
    packages: tuple[str, ...] = ()  # that it takes beside TensorFlow to be written, by the name in an import
    runtime: tuple[str, ...] = ()  # the modules that loading a file imports
    arena: Callable[[Path], Arena] | None = None  # of a runtime that plans its memory beforehand
    extra: str = ""  # of this project's installation that brings them
    is_calibrated: bool = False  # needs images

    def import_runtime(self) -> None:
        """Import what loading a file needs."""
        with quiet_import():
            for name in self.runtime:
                importlib.import_module(name)

    def check_packages(self) -> None:
        """Raises ExportError with the installation's command where a package is missing."""
        missing = [name for name in self.packages if importlib.util.find_spec(name) is None]
        if missing:
            raise ExportError(
                f"{self.label} needs {' and '.join(missing)}: pip install 'model-zoo-bench[{self.extra}]'"
                if self.extra
                else f"{self.label} needs {' and '.join(missing)}, which is not installed"
            )


EXPORTERS: dict[str, Exporter] = {}


def register(exporter: Exporter) -> Exporter:
    """Add a format. Raises ValueError for a name that is taken."""
    if exporter.name in EXPORTERS:
        raise ValueError(f"two export formats are named {exporter.name!r}")
    EXPORTERS[exporter.name] = exporter
    return exporter


def names() -> list[str]:
    """The names of the formats."""
    _load()
    return list(EXPORTERS)


def exporter(name: str) -> Exporter:
    """The format of a name. Raises UnknownName with the nearest known one."""
    _load()
    if name not in EXPORTERS:
        raise UnknownName(
            f"no export format is named {name!r}{did_you_mean(name, EXPORTERS)}; known: {', '.join(EXPORTERS)}"
        )
    return EXPORTERS[name]


@functools.cache
def _load() -> None:
    for module in pkgutil.iter_modules([str(Path(__file__).parent / "formats")]):
        importlib.import_module(f"{_FORMATS}.{module.name}")


def as_batches(images: Any, size: int) -> Iterable[Any]:
    """Images [N, ...] in batches of at most ``size``."""
    return (images[first : first + size] for first in range(0, len(images), size))
