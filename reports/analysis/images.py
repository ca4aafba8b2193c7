"""The test images that change sides, as PNG files, where this machine has the data set."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.analysis.wording.sentences import setting
from reports.store.sweep import Sweep
from zoo import data


def of(sweep: Sweep, flips: pd.DataFrame) -> tuple[dict[int, bytes], str]:
    """Index in the test set -> PNG of the images that flip; and why there are none, if so."""
    wanted = sorted({int(index) for index in flips["image"]})
    digests = set(sweep.results()["data_sha256"])
    name = setting(sweep.runs, "data")
    if not wanted or name is None or len(digests) != 1:
        return {}, ""
    images = data.cached_test_images(name, digests.pop())
    if images is None or wanted[-1] >= len(images):
        return {}, f"The images themselves are not shown: this machine does not have the data set {name} at hand."
    return png_files(images, wanted), ""


def png_files(images: NDArray[np.uint8], wanted: Sequence[int]) -> dict[int, bytes]:
    """PNG files of ``images`` [N, H, W, C], by index."""
    from PIL import Image

    drawn = {}
    for index in wanted:
        file = io.BytesIO()
        Image.fromarray(np.squeeze(images[index])).save(file, "PNG")
        drawn[index] = file.getvalue()
    return drawn
