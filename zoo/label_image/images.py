"""Image files of any kind as the pixels that a network takes. Imports Pillow and NumPy alone."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from zoo.export.errors import first_line
from zoo.export.manifest import Input

STANDARD_INPUT = "-"
# Those that a directory is searched for.
SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))
MOST_PIXELS = 200_000_000  # of an image; more would take gigabytes


class UnreadableImage(Exception):
    """A file that is no image, or a damaged one; the message says why."""


def named(paths: Iterable[str]) -> Iterator[str]:
    """The files themselves, and of directories the images in them and below, in the order of their names."""
    for path in paths:
        if path != STANDARD_INPUT and os.path.isdir(path):
            found = (file for file in Path(path).rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
            yield from map(str, sorted(found))
        else:
            yield path


def read(path: str, size: int, standard_input: BinaryIO) -> np.ndarray:
    """uint8 [size, size, 3]: upright, its short side scaled to ``size`` pixels, the middle of the long side.

    Transparent pixels are seen on white, palettes and CMYK become RGB, of 16 bits the upper eight count, and of several
    frames the first. Raises UnreadableImage.
    """
    try:
        contents = standard_input.read() if path == STANDARD_INPUT else Path(path).read_bytes()
    except OSError as error:
        raise UnreadableImage(error.strerror or str(error)) from None
    if not contents:
        raise UnreadableImage("it is empty")
    return decoded(contents, size)


def decoded(contents: bytes, size: int) -> np.ndarray:
    """An image file's contents as ``read`` gives them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(contents)) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise UnreadableImage(f"it has {image.width:,} x {image.height:,} pixels, more than can be handled")
                upright = ImageOps.exif_transpose(image)
                return np.asarray(_fitted(_in_rgb(upright), size))
    except UnreadableImage:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UnreadableImage("it has more pixels than can be handled") from None
    except Image.UnidentifiedImageError:
        raise UnreadableImage("it is no image, or of a kind that is not known") from None
    except Exception as error:  # of damaged files Pillow's decoders raise many kinds
        raise UnreadableImage(f"it is damaged: {first_line(error)}") from None


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # 16 bits, 32 bits and floats, which `convert` would cut off at 255
        return _from_deep(np.asarray(image))
    if "A" in image.getbands() or "transparency" in image.info:
        visible = image.convert("RGBA")
        background = Image.new("RGBA", visible.size, "white")
        return Image.alpha_composite(background, visible).convert("RGB")
    return image.convert("RGB")


def _from_deep(values: np.ndarray) -> Image.Image:
    if values.dtype.kind == "f":
        scaled = np.clip(values, 0, 1) * 255 if values.max(initial=0) <= 1 else np.clip(values, 0, 255)
    else:
        scaled = np.clip(values, 0, 65535) // 257 if values.max(initial=0) > 255 else np.clip(values, 0, 255)
    return Image.fromarray(scaled.astype(np.uint8), "L").convert("RGB")


def _fitted(image: Image.Image, size: int) -> Image.Image:
    return image if image.size == (size, size) else ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)


def prepared(images: np.ndarray, wanted: Input) -> np.ndarray:
    """uint8 [B, image_size, image_size, 3] as the file takes them: [B, size, size, 3] of its type."""
    if wanted.kind == "pixels":
        return images
    corner = (images.shape[1] - wanted.crop) // 2
    pixels = images[:, corner : corner + wanted.crop, corner : corner + wanted.crop].astype(np.float32)
    if wanted.kind == "scaled":
        return pixels
    axes = (1, 2, 3)
    deviation = np.maximum(pixels.std(axis=axes, keepdims=True), pixels[0].size ** -0.5)
    return (pixels - pixels.mean(axis=axes, keepdims=True)) / deviation
