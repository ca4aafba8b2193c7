"""SVHN: 73,257 training and 26,032 test photographs of house numbers, cropped to one digit, of 32x32 pixels.

Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011; http://ufldl.stanford.edu/housenumbers
("format 2: cropped digits", without the extra images).
"""

from __future__ import annotations

from pathlib import Path

from zoo.data.errors import SourceError
from zoo.data.registry import Arrays, register

_URL = "http://ufldl.stanford.edu/housenumbers"
_FILES = {  # md5 and bytes
    "train_32x32.mat": ("e26dedcc434d2e4c54c9b2d4a06d8373", 182_040_794),
    "test_32x32.mat": ("eb5a983be6a315427106f1b164d9cef3", 64_275_384),
}


@register("svhn", classes=tuple("0123456789"), image_size=32, train_images=73_257, test_images=26_032)
def svhn(data_dir: Path | None) -> Arrays:
    """Images uint8 [N, 32, 32, 3] and labels uint8 [N]; from ``data_dir`` alone where the user names one."""
    from zoo.data.published import Published, PublishedFile

    files = tuple(PublishedFile(name, f"{_URL}/{name}", size, md5) for name, (md5, size) in _FILES.items())
    return Published("svhn", "SVHN", files, decoded).load(data_dir)


def decoded(directory: Path) -> Arrays:
    """The two MATLAB files: ``X`` [32, 32, 3, N] and ``y`` [N, 1], in which the digit 0 has the label 10.

    Raises SourceError where one is of another form.
    """
    import numpy as np
    from scipy.io import loadmat

    arrays = {}
    for split in ("train", "test"):
        path = directory / f"{split}_32x32.mat"
        try:
            contents = loadmat(str(path), variable_names=("X", "y"))
            images, labels = contents["X"], contents["y"].reshape(-1)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # of damaged files scipy raises many kinds
            raise SourceError(f"{path} is not a MATLAB file with X and y ({error})") from error
        if (
            images.dtype != np.uint8
            or images.shape != (32, 32, 3, len(labels))
            or not np.isin(labels, range(1, 11)).all()
        ):
            raise SourceError(f"{path} is of another form: X {images.dtype} {images.shape}, {len(labels)} labels")
        arrays[split] = np.ascontiguousarray(images.transpose(3, 0, 1, 2)), (labels % 10).astype(np.uint8)
    return arrays
