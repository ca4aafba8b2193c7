"""What an exported file takes, gives, and comes from: the JSON file beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from zoo.export.errors import ExportError

Kind = Literal["standardized", "scaled", "pixels"]  # float32 of mean 0 and deviation 1; float32 0 to 255; uint8


class Input(BaseModel):
    """One image, as the file takes it: height = width = ``size`` pixels, channels last."""

    model_config = ConfigDict(frozen=True)

    size: int
    channels: int = 3
    kind: Kind
    image_size: int  # of the images that it was trained on, before the central crop
    crop: int  # pixels of the central crop; equal to ``size``, unless the crop is inside the file


class Provenance(BaseModel):
    """Where the weights come from."""

    model_config = ConfigDict(frozen=True)

    model: str
    arguments: dict[str, Any]
    weights: str  # "averaged weights", "raw weights", "initial weights"
    training: str = ""  # its key, empty for a model that was not trained
    run_key: str = ""
    seed: int | None = None
    step: int = 0
    data: str = ""
    data_sha256: str = ""
    git_commit: str = ""  # of the code that trained it
    versions: dict[str, str] = {}  # of the libraries that wrote the file


class Check(BaseModel):
    """What the file gave on test images, loaded by its own runtime."""

    model_config = ConfigDict(frozen=True)

    images: int
    accuracy: float | None  # a fraction; None for a network that was not trained
    network_accuracy: float | None  # of the network that was exported, in float32
    largest_difference: float  # of an output from that of the network


class Memory(BaseModel):
    """What inference of one image takes, in bytes; None where it was not measured or the runtime does not plan."""

    model_config = ConfigDict(frozen=True)

    arena_bytes: int | None = None  # that the runtime's plan has for maps and working memory
    maps_bytes: int | None = None  # of the maps that are needed at one time, at most
    runtime_bytes: int | None = None  # of a process that has imported the runtime
    peak_bytes: int | None = None  # of that process, once it has loaded the file and classified an image


class Manifest(BaseModel):
    """The JSON file beside an export."""

    model_config = ConfigDict(frozen=True)

    format: str
    file: str  # name of the file, or of the directory
    classes: tuple[str, ...]
    input: Input
    output: Literal["logits", "probabilities"]
    provenance: Provenance
    size_bytes: int
    zipped_bytes: int  # by zip's deflate
    sha256: str  # of the file; of a directory, of its files' names and contents
    check: Check | None = None
    memory: Memory = Memory()
    notes: tuple[str, ...] = ()

    def written(self) -> str:
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"


def beside(path: Path) -> Path:
    """The manifest of an exported file: ``tuto_tflite_int8.json`` beside ``tuto_tflite_int8.tflite``."""
    return path.with_name(f"{path.name if path.is_dir() else path.stem}.json")


def read(path: Path) -> Manifest:
    """The manifest of an exported file. Raises ExportError where it is missing or damaged."""
    file = beside(path)
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise ExportError(
            f"{file} is missing: it says what {path.name} takes and what its classes are called; copy both files together"
        ) from None
    except OSError as error:
        raise ExportError(f"{file} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise ExportError(f"{file} is not the manifest of an export: {where}: {first['msg']}") from None
