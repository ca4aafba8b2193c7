"""``python -m zoo.label_image MODEL IMAGE...``: the likeliest classes of images, by an exported file or a run."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from zoo.export import manifest, registry
from zoo.export.errors import ExportError, UnknownName
from zoo.export.manifest import Input
from zoo.export.probabilities import softmax
from zoo.label_image import images
from zoo.plugins import PluginError, load_file
from zoo.text import messages, output
from zoo.text.characters import visible

_BATCH = 64

Predictor: TypeAlias = Callable[[np.ndarray], np.ndarray]


class Network(NamedTuple):
    """What labels images."""

    predict: Predictor
    input: Input
    classes: tuple[str, ...]
    gives_probabilities: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0; 1 when an image could not be read; 2 for a bad question."""
    options = _parser().parse_args(argv)
    try:
        for path in options.imports:
            load_file(path)
        network = _network(options)
    except (ExportError, PluginError) as error:
        messages.to_stderr(f"error: {error}")
        return 2
    names = list(images.named(options.images))
    if not names:
        messages.to_stderr(f"error: there is no image in {' '.join(options.images)}")
        return 2
    failures = 0
    for batch in _batches(names, network.input.image_size):
        failures += sum(pixels is None for _, pixels in batch)
        _print(network, [(name, pixels) for name, pixels in batch if pixels is not None], options)
    return int(failures > 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zoo.label_image",
        description="The likeliest classes of images with their probabilities. Only the runtime of the file's format is "
        "imported: a .tflite needs no TensorFlow.",
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="an exported file or directory, with its .json beside it; or a run, as zoo.export takes",
    )
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="files, directories, or - for standard input")
    parser.add_argument("--top", metavar="N", type=_positive, default=5, help="classes of each image (default 5)")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each image")
    parser.add_argument("--runs-dir", metavar="DIR", type=Path, default=Path("runs"), help="default: runs")
    parser.add_argument(
        "--import", metavar="FILE", dest="imports", action="append", default=[], help="as for zoo.export"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of classes: give an integer of at least 1")
    return int(text)


def _network(options: argparse.Namespace) -> Network:
    path = Path(options.model)
    if path.exists() and not (path / "training.json").exists() and not path.name.startswith("step_"):
        if path.suffix == ".json":
            raise ExportError(f"{path} describes an exported file; name that file itself")
        described = manifest.read(path)
        exporter = registry.exporter(described.format)
        exporter.check_packages()
        predict = exporter.load(path, 0)
        return Network(predict, described.input, described.classes, described.output == "probabilities")
    if path.suffix and not path.exists() and path.suffix in {registry.exporter(n).suffix for n in registry.names()}:
        raise UnknownName(f"there is no file {path}")
    return _run(options)


def _run(options: argparse.Namespace) -> Network:
    from zoo.export import sources
    from zoo.host.quiet_import import quiet_import

    source = sources.find(options.model, options.runs_dir)
    if not source.is_trained:
        raise UnknownName(f"{options.model} is a model that is not trained: name a run, or an exported file")
    with quiet_import():
        import tensorflow as tf
    model = source.build()
    function = tf.function(lambda batch: model(batch, training=False), autograph=False)
    wanted = Input(
        size=source.input_size,
        kind="standardized" if source.standardize else "scaled",
        image_size=source.image_size,
        crop=source.input_size,
    )
    return Network(lambda batch: function(tf.constant(batch)).numpy(), wanted, source.classes, False)


def _batches(names: Sequence[str], size: int) -> Iterator[list[tuple[str, np.ndarray | None]]]:
    for first in range(0, len(names), _BATCH):
        yield [(name, _read(name, size)) for name in names[first : first + _BATCH]]


def _read(name: str, size: int) -> np.ndarray | None:
    try:
        return images.read(name, size, sys.stdin.buffer)
    except images.UnreadableImage as error:
        messages.to_stderr(f"{'standard input' if name == images.STANDARD_INPUT else name} is passed over: {error}")
        return None


def _print(network: Network, batch: Sequence[tuple[str, np.ndarray]], options: argparse.Namespace) -> None:
    if not batch:
        return
    outputs = network.predict(images.prepared(np.stack([pixels for _, pixels in batch]), network.input))
    probabilities = outputs if network.gives_probabilities else softmax(outputs)
    for (name, _), row in zip(batch, probabilities, strict=True):
        top = np.argsort(-row, kind="stable")[: options.top]
        if options.json:
            classes = [{"class": network.classes[i], "probability": round(float(row[i]), 6)} for i in top]
            print(json.dumps({"image": name, "classes": classes}, ensure_ascii=False))
            continue
        width = max(len(network.classes[i]) for i in top)
        lines = (f"  {network.classes[i].ljust(width)}  {100 * row[i]:6.2f} %" for i in top)
        print(visible("\n".join(itertools.chain([name], lines))))


if __name__ == "__main__":
    sys.exit(output.run(main))
