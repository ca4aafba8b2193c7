"""Write a network in a format, load it back with the format's own runtime, and hold it against the network."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import io
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.export import manifest, memory, registry
from zoo.export.errors import ExportError, first_line
from zoo.export.manifest import Check, Input, Kind, Manifest, Memory
from zoo.export.plain import plain
from zoo.export.probabilities import softmax
from zoo.export.registry import Exporter
from zoo.export.sources import Source
from zoo.export.whole import from_pixels_to_probabilities
from zoo.host.quiet_import import quiet_import
from zoo.measure.accuracy import accuracy
from zoo.storage.atomic import sync_directory

if TYPE_CHECKING:
    import numpy as np
    import tf_keras as keras

CALIBRATION_IMAGES = 500
_NOISE_IMAGES = 200
_LIBRARIES = ("tensorflow", "tf-keras", "ai-edge-litert", "tf2onnx", "onnxruntime")


@dataclass(frozen=True)
class Images:
    """Images as a file takes them [N, H, W, 3], and what they show."""

    test: np.ndarray
    calibration: np.ndarray
    labels: np.ndarray | None  # None for noise


@dataclass(frozen=True)
class Prepared:
    """A network that is ready to be written, and what it gives for the images that the files are checked with."""

    source: Source
    model: keras.Model  # of plain layers
    images: Images
    expected: np.ndarray  # float32 [N, classes], of the network as it was trained, in float32
    is_whole: bool  # from pixels to probabilities


def prepare(source: Source, is_whole: bool = False, data_dir: Path | None = None) -> Prepared:
    """Build the network and get the images. Raises ExportError, DataError and what the model's own function raises."""
    with quiet_import():
        import tensorflow as tf  # noqa: F401
    network = source.build()
    try:
        model = plain(network)
    except ValueError as error:
        raise ExportError(str(error)) from None
    pixels, calibration, labels = _pixels(source, data_dir)
    as_trained = _as_trained(source, pixels)
    logits = _outputs(network, as_trained)
    if is_whole:
        model = from_pixels_to_probabilities(model, source.image_size, source.standardize)
        return Prepared(source, model, Images(pixels, calibration, labels), softmax(logits), True)
    images = Images(as_trained, _as_trained(source, calibration), labels)
    return Prepared(source, model, images, logits, False)


def export(
    prepared: Prepared, format_name: str, out: Path, replace: bool = False, with_process_memory: bool = False
) -> tuple[Path, Manifest]:
    """Write a file or directory and its manifest into ``out``; nothing is there where that fails.

    ``with_process_memory`` measures the peak of a process of its own, which takes some seconds.

    Raises:
        UnknownName: no such format. ExportError: it cannot be made of this network, is not equal to it, or is there already.
        OSError: the disk.
    """
    exporter = registry.exporter(format_name)
    exporter.check_packages()
    stem = f"{prepared.source.stem}_{format_name}" + ("_pixels" if prepared.is_whole else "")
    destination = out / f"{stem}{exporter.suffix}"
    if destination.exists() and not replace:
        raise ExportError(f"{destination} exists already: choose another directory with --out, or say --replace")
    out.mkdir(parents=True, exist_ok=True)
    with _unfinished(out) as directory:
        written = directory / destination.name
        _write(exporter, prepared, written)
        made = _manifest(exporter, prepared, written)
        described = manifest.beside(written)
        described.write_text(made.written(), encoding="utf-8")
        if with_process_memory:
            taken = memory.of_process(written)
            update = {"runtime_bytes": taken.runtime, "peak_bytes": taken.peak}
            made = made.model_copy(update={"memory": made.memory.model_copy(update=update)})
            described.write_text(made.written(), encoding="utf-8")
        for path in _files(directory):
            _sync(path)
        _put(written, destination)
        _put(described, manifest.beside(destination))
    sync_directory(out)
    return destination, made


def _write(exporter: Exporter, prepared: Prepared, path: Path) -> None:
    try:
        with quiet_import():  # converters write to the terminal, too
            exporter.write(prepared.model, path, prepared.images.calibration)
    except (OSError, MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # every converter raises its own
        raise ExportError(
            f"{exporter.label} cannot be made of {prepared.source.provenance.model}: {first_line(error)}"
        ) from error


def _manifest(exporter: Exporter, prepared: Prepared, path: Path) -> Manifest:
    source = prepared.source
    size = source.image_size if prepared.is_whole else source.input_size
    kind: Kind = "pixels" if prepared.is_whole else "standardized" if source.standardize else "scaled"
    return Manifest(
        format=exporter.name,
        file=path.name,
        classes=source.classes,
        input=Input(size=size, kind=kind, image_size=source.image_size, crop=source.input_size),
        output="probabilities" if prepared.is_whole else "logits",
        provenance=source.provenance.model_copy(update={"versions": _versions()}),
        size_bytes=sum(file.stat().st_size for file in _files(path)),
        zipped_bytes=_zipped_bytes(path),
        sha256=_sha256(path),
        check=_check(exporter, prepared, path),
        memory=_memory(exporter, path),
        notes=_notes(exporter, prepared),
    )


def _check(exporter: Exporter, prepared: Prepared, path: Path) -> Check:
    """Raises ExportError where a format that should be equal is not."""
    import numpy as np

    outputs = exporter.load(path, 0)(prepared.images.test)
    if outputs.shape != prepared.expected.shape or not np.isfinite(outputs).all():
        raise ExportError(f"{exporter.label} gives outputs of shape {outputs.shape}, not {prepared.expected.shape}")
    difference = float(np.abs(outputs - prepared.expected).max())
    allowed = exporter.largest_difference
    if allowed is not None and difference > allowed * max(1.0, float(np.abs(prepared.expected).max())):
        raise ExportError(f"{exporter.label} is not equal to the network: its outputs differ by up to {difference:.3g}")
    labels = prepared.images.labels
    return Check(
        images=len(outputs),
        accuracy=None if labels is None else accuracy(outputs, labels),
        network_accuracy=None if labels is None else accuracy(prepared.expected, labels),
        largest_difference=difference,
    )


def _memory(exporter: Exporter, path: Path) -> Memory:
    if exporter.arena is None:
        return Memory()
    arena = exporter.arena(path)
    return Memory(arena_bytes=arena.planned, maps_bytes=arena.maps)


def _notes(exporter: Exporter, prepared: Prepared) -> tuple[str, ...]:
    notes = []
    if exporter.is_calibrated:
        images = (
            "training images" if prepared.images.labels is not None else "images of noise: the model is not trained"
        )
        notes.append(f"calibrated with {len(prepared.images.calibration)} {images}")
        if any("local_response_normalization" in getattr(layer, "symbol", "") for layer in prepared.model.layers):
            notes.append("local response normalization computes in float32: LiteRT has it in float only")
    return tuple(notes)


def _pixels(source: Source, data_dir: Path | None) -> tuple[Any, Any, Any]:
    """Test images, images to calibrate with, uint8 [N, S, S, 3], and the labels of the former; noise without a data set."""
    import numpy as np

    from zoo import data
    from zoo.data.pixels import in_color

    if not source.provenance.data:
        shape = (_NOISE_IMAGES, source.image_size, source.image_size, 3)
        noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        return noise, noise, None
    digest = data.digest(source.provenance.data, data_dir)
    if digest != source.provenance.data_sha256:
        raise ExportError(
            f"the data set {source.provenance.data} is not the one that was trained on: its checksum is {digest[:12]}..., "
            f"that of the training {source.provenance.data_sha256[:12]}...; --data-dir names another copy"
        )
    train, _ = data.load(source.provenance.data, "train", data_dir)
    test, labels = data.load(source.provenance.data, "test", data_dir)
    every = max(1, len(train) // CALIBRATION_IMAGES)
    return in_color(np.asarray(test)), in_color(np.asarray(train[::every][:CALIBRATION_IMAGES])), np.asarray(labels)


def _as_trained(source: Source, pixels: Any) -> Any:
    """Cropped and standardized as the evaluations of a training do it: float32 [N, size, size, 3]."""
    import tensorflow as tf

    from zoo.data import augmentation

    index = tf.range(len(pixels), dtype=tf.int32)
    return augmentation.apply(tf.constant(pixels), index, (), source.input_size, source.standardize).numpy()


def _outputs(model: keras.Model, images: Any) -> Any:
    import numpy as np
    import tensorflow as tf

    function = tf.function(lambda batch: model(batch, training=False), autograph=False)
    return np.concatenate([function(tf.constant(batch)).numpy() for batch in registry.as_batches(images, 500)])


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


# --- files --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """A directory in ``out`` that is gone at the end, whatever happens."""
    directory = out / f".unfinished-{os.getpid()}-{os.urandom(4).hex()}"
    directory.mkdir()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _put(written: Path, destination: Path) -> None:
    if destination.is_dir():
        shutil.rmtree(destination)
    os.replace(written, destination)


def _files(path: Path) -> Sequence[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _zipped_bytes(path: Path) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for file in _files(path):
            zipped.write(file, str(file.relative_to(path.parent)))
    return len(archive.getvalue())


def _sha256(path: Path) -> str:
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(str(file.relative_to(path)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
