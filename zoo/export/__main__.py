"""``python -m zoo.export RUN|MODEL --format tflite_int8 --out DIR``: a network as files that other programs run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from zoo.data.errors import DataError
from zoo.export import registry, sources
from zoo.export.errors import ExportError, UnknownName
from zoo.export.manifest import Manifest
from zoo.plugins import PluginError, load_file
from zoo.text import messages, output
from zoo.text.characters import visible
from zoo.text.wording import table

DEFAULT = ("tflite_float32", "tflite_int8")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0; 1 when a format could not be made; 2 for a bad question."""
    options = _parser().parse_args(argv)
    if options.formats_only:
        return _list_formats()
    if options.reference is None:
        return _fail("name a run or a model to export; --list shows the formats", 2)
    try:
        for path in options.imports:
            load_file(path)
        formats = [registry.exporter(name).name for name in dict.fromkeys(options.format or DEFAULT)]
        source = sources.find(options.reference, options.runs_dir, options.weights, options.step)
    except (UnknownName, PluginError) as error:
        return _fail(str(error), 2)
    except ExportError as error:
        return _fail(str(error), 1)
    return _export(source, formats, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zoo.export",
        description="Writes a trained network, or a registered model as it starts, as files for other programs; each is "
        "loaded back by its own runtime and compared with the network on the test images.",
    )
    parser.add_argument(
        "reference",
        metavar="RUN|MODEL",
        nargs="?",
        help="the directory of a training or of a checkpoint, the first characters of a key, SWEEP:VARIANT:SEED, or a model",
    )
    parser.add_argument(
        "--format", metavar="NAME", action="append", help=f"may be repeated (default {' and '.join(DEFAULT)})"
    )
    parser.add_argument("--list", dest="formats_only", action="store_true", help="list the formats")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("exports"), help="default: exports")
    parser.add_argument(
        "--with-preprocessing",
        action="store_true",
        help="crop, standardization and softmax inside: uint8 images in, probabilities out",
    )
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--raw", dest="weights", action="store_const", const=sources.RAW, help="the raw weights")
    weights.add_argument(
        "--averaged", dest="weights", action="store_const", const=sources.AVERAGED, help="the averaged weights"
    )
    parser.add_argument("--step", metavar="N", type=int, help="the weights at this step (default: the last)")
    parser.add_argument("--runs-dir", metavar="DIR", type=Path, default=Path("runs"), help="default: runs")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="where the files of the data set are")
    parser.add_argument(
        "--memory", action="store_true", help="measure the memory of a process that classifies one image (some seconds)"
    )
    parser.add_argument("--replace", action="store_true", help="replace files that are there already")
    parser.add_argument("--json", action="store_true", help="print the manifests instead of a table")
    parser.add_argument(
        "--import",
        metavar="FILE",
        dest="imports",
        action="append",
        default=[],
        help="a Python file of your own that registers models or data sets; may be repeated",
    )
    return parser


def _export(source: sources.Source, formats: Sequence[str], options: argparse.Namespace) -> int:
    from zoo.export import writing

    try:
        prepared = writing.prepare(source, options.with_preprocessing, options.data_dir)
    except (ExportError, DataError) as error:
        return _fail(str(error), 1)
    except Exception as error:  # a user's own function may raise anything
        return _fail(f"{source.provenance.model} cannot be built: {type(error).__name__}: {error}", 1)
    written: list[tuple[Path, Manifest]] = []
    failures = []
    for name in formats:
        try:
            written.append(writing.export(prepared, name, options.out, options.replace, options.memory))
        except ExportError as error:
            failures.append(str(error))
        except OSError as error:
            failures.append(
                f"{options.out} cannot be written to: {error.strerror or error}; nothing of {name} is left there"
            )
    if options.json:
        print(json.dumps([made.model_dump(mode="json") for _, made in written], indent=1))
    elif written:
        print(visible(_report(source, written)))
    for failure in failures:
        messages.to_stderr(f"error: {failure}")
    return int(bool(failures))


def _report(source: sources.Source, written: Sequence[tuple[Path, Manifest]]) -> str:
    rows = [
        (
            registry.exporter(made.format).label,
            f"{made.size_bytes:,}",
            f"{made.zipped_bytes:,}",
            *_check_cells(made),
            str(path),
        )
        for path, made in written
    ]
    lines = [source.title]
    check = written[0][1].check
    if check is not None and check.network_accuracy is not None:
        lines.append(
            f"test accuracy of the network, in float32: {100 * check.network_accuracy:.2f} % of {check.images:,} images"
        )
    heads = ("format", "bytes", "zipped", "accuracy", "differs by", "file")
    lines += ["", table(heads, rows, left=1, gap=2)]
    lines += _memory_lines(written)
    notes = {f"{registry.exporter(made.format).label}: {note}" for _, made in written for note in made.notes}
    return "\n".join([*lines, *([""] if notes else []), *sorted(notes)])


def _memory_lines(written: Sequence[tuple[Path, Manifest]]) -> list[str]:
    """What inference of one image takes, where it is known."""
    rows = [
        (
            registry.exporter(made.format).label,
            *(f"{b:,}" if b is not None else "-" for b in made.memory.model_dump().values()),
        )
        for _, made in written
        if any(made.memory.model_dump().values())
    ]
    heads = ("memory of one image, bytes", "arena", "maps", "runtime", "peak of a process")
    return ["", table(heads, rows, gap=2)] if rows else []


def _check_cells(made: Manifest) -> tuple[str, str]:
    if made.check is None:
        return "-", "-"
    accuracy = made.check.accuracy
    return "-" if accuracy is None else f"{100 * accuracy:.2f} %", f"{made.check.largest_difference:.2g}"


def _list_formats() -> int:
    rows = []
    for name in registry.names():
        exporter = registry.exporter(name)
        rows.append((name, exporter.label, f"*{exporter.suffix}" if exporter.suffix else "a directory"))
    print(table(("name", "format", "file"), rows, left=3))
    return 0


def _fail(message: str, code: int) -> int:
    messages.to_stderr(f"error: {message}")
    return code


if __name__ == "__main__":
    sys.exit(output.run(main))
