"""The zoo in one table: bytes, parameters, depth, multiply-adds, activations and milliseconds, beside the first model's.

The columns are those of Keras Applications and of timm. Sizes and times are of the networks as they start: neither depends
on what the weights are. The times are one image on one thread, all models in one session of ``zoo.export.timing``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import models
from zoo.export import registry, sources, writing
from zoo.export.errors import ExportError
from zoo.export.timing import files as timed_files
from zoo.export.timing import session as sessions
from zoo.export.timing.session import Session
from zoo.host.quiet_import import quiet_import
from zoo.measure import activations, cost
from zoo.stats.costs.ratios import Ratio
from zoo.text.wording import table

if TYPE_CHECKING:
    import tf_keras as keras

FORMATS = ("frozen_graph", "tflite_float32", "tflite_int8")  # the first is the one whose sizes were published
TIMED = ("tflite_float32", "tflite_int8")


@dataclass(frozen=True)
class Row:
    """One model. ``bytes`` by format; a format that cannot be made of it has its reason instead."""

    name: str
    params: int
    depth: int
    macs: int
    activations: int
    bytes: Mapping[str, int | str]


@dataclass(frozen=True)
class ZooTable:
    """Models, and the session in which those formats were timed: the name of a file there is ``of(model, format)``."""

    rows: tuple[Row, ...]
    session: Session

    def ratios(self, format_name: str) -> dict[str, Ratio]:
        """Model -> how many times as long as the first one it takes; empty for a session that was disturbed."""
        names = {of(row.name, format_name): row.name for row in self.rows}
        measured = {name: times for name, times in self.session.times_ms.items() if name in names}
        first = of(self.rows[0].name, format_name)
        if self.session.is_busy or first not in measured:
            return {}
        own = Session(measured, self.session.others_before, self.session.others_during)
        return {names[name]: ratio for name, ratio in own.ratios(first).items()}


def of(model: str, format_name: str) -> str:
    """The name of a file in the session."""
    return f"{model} {format_name}"


def measured(names: Sequence[str], input_size: int = 24, rounds: int = sessions.ROUNDS) -> ZooTable:
    """Export the models, and time them. Raises KeyError for an unknown name, and what a user's own model raises."""
    with quiet_import():
        import tf_keras as keras

    rows, calls = [], {}
    with tempfile.TemporaryDirectory() as directory:
        for name in names:
            keras.backend.clear_session()  # or the graphs of all the models stay in memory
            prepared = writing.prepare(sources.of_model(name, input_size))
            sizes: dict[str, int | str] = {}
            for format_name in FORMATS:
                try:
                    path, made = writing.export(prepared, format_name, Path(directory))
                except ExportError as error:
                    sizes[format_name] = str(error)
                    continue
                sizes[format_name] = made.size_bytes
                if format_name in TIMED:
                    calls[of(name, format_name)] = timed_files.call(path, batch=1, threads=1)
            model = models.build(name, input_size)
            rows.append(Row(name, *_counts(model), sizes))
        session = sessions.measured(calls, rounds=rounds)
    return ZooTable(tuple(rows), session)


def _counts(model: keras.Model) -> tuple[int, int, int, int]:
    counted = cost(model)
    return counted.params, depth(model), counted.macs, activations(model)


def depth(model: keras.Model) -> int:
    """Layers on the longest way from the input to the output, as Keras Applications counts them: activations and
    normalizations count, the input does not."""
    return max(model._nodes_by_depth)


def as_text(made: ZooTable) -> str:
    """For a terminal or a document: figures, and below them what the times are worth."""
    labels = {name: registry.exporter(name).label for name in FORMATS}
    heads = ["model", "params", "depth", "MACs", "activations"]
    heads += [f"{labels[name]}, bytes" for name in FORMATS] + [f"{labels[name]}, ms" for name in TIMED]
    lines = [_cells(row, made) for row in made.rows]
    first, session = made.rows[0], made.session
    text = [table(heads, lines, gap=2), "", f"Beside {first.name}:", "", _ratio_table(made, labels), ""]
    rounds = len(next(iter(session.times_ms.values()))) if session.times_ms else 0
    text.append(
        f"One image, one thread; median of {rounds} rounds in turn, with the 95 % interval of a bootstrap over them."
    )
    text.append(timed_files.circumstances(session))
    reasons = [f"{row.name}: {size}" for row in made.rows for size in row.bytes.values() if isinstance(size, str)]
    return "\n".join([*text, *reasons])


def _cells(row: Row, made: ZooTable) -> list[str]:
    cells = [row.name, f"{row.params:,}", str(row.depth), f"{row.macs:,}", f"{row.activations:,}"]
    cells += [f"{size:,}" if isinstance(size, int) else "-" for size in row.bytes.values()]
    for format_name in TIMED:
        name = of(row.name, format_name)
        if name not in made.session.times_ms:
            cells.append("-")
            continue
        middle = made.session.percentiles(name)["p50"]
        cells.append(f"{middle.value:.3g} [{middle.low:.3g}, {middle.high:.3g}]")
    return cells


def _ratio_table(made: ZooTable, labels: Mapping[str, str]) -> str:
    first = made.rows[0]
    ratios = {format_name: made.ratios(format_name) for format_name in TIMED}
    heads = ["model", "params", "MACs", "activations", *(f"{labels[name]}, bytes" for name in FORMATS)]
    heads += [f"{labels[name]}, time" for name in TIMED]
    lines = []
    for row in made.rows:
        cells = [row.name, *(_times(getattr(row, n), getattr(first, n)) for n in ("params", "macs", "activations"))]
        cells += [_times(row.bytes[name], first.bytes[name]) for name in FORMATS]
        for format_name in TIMED:
            ratio = ratios[format_name].get(row.name)
            shown = ratio is not None and ratio.ratio == ratio.ratio
            own = "1" if row is first else "not compared"
            cells.append(f"{ratio.ratio:.3g} [{ratio.low:.3g}, {ratio.high:.3g}]" if ratio and shown else own)
        lines.append(cells)
    return table(heads, lines, gap=2)


def _times(value: int | str, reference: int | str) -> str:
    if not isinstance(value, int) or not isinstance(reference, int) or not reference:
        return "-"
    return f"{value / reference:.3g}"


def as_json(made: ZooTable) -> dict[str, Any]:
    """Every figure, and every time in milliseconds."""
    return {
        "models": [vars(row) | {"bytes": dict(row.bytes)} for row in made.rows],
        "times_ms": {name: times.tolist() for name, times in made.session.times_ms.items()},
        "is_busy": made.session.is_busy,
        "others_before": made.session.others_before,
        "others_during": made.session.others_during,
    }
