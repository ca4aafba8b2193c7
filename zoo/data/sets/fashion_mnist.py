"""Fashion-MNIST: 60,000 training and 10,000 test pictures of clothes, grey, of 28x28 pixels in 10 classes.

Xiao, Rasul and Vollgraf, arXiv:1708.07747; https://github.com/zalandoresearch/fashion-mnist. Debian has it as the package
``dataset-fashion-mnist``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.errors import SourceError
from zoo.data.registry import Arrays, register

if TYPE_CHECKING:
    import numpy as np

SIDE = 28
_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
_FILES = {  # md5 and bytes as the authors state them
    "train-images-idx3-ubyte.gz": ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
    "train-labels-idx1-ubyte.gz": ("25c81989df183df01b3e8a0aad5dffbe", 29_515),
    "t10k-images-idx3-ubyte.gz": ("bef4ecab320f06d8554ea6380940ec79", 4_422_102),
    "t10k-labels-idx1-ubyte.gz": ("bb300cfdad3c16e7a12a480ee83cd310", 5_148),
}
_PLACES = ("/usr/share/datasets/fashion-mnist", "~/.keras/datasets/fashion-mnist")


@register(
    "fashion_mnist",
    classes=(
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
    image_size=SIDE,
    train_images=60_000,
    test_images=10_000,
    sha256s=(
        "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    ),
)
def fashion_mnist(data_dir: Path | None) -> Arrays:
    """Images uint8 [N, 28, 28, 1] and labels uint8 [N]; from ``data_dir`` alone where the user names one."""
    from zoo.data.published import Published, PublishedFile

    files = tuple(PublishedFile(name, f"{_URL}/{name}", size, md5) for name, (md5, size) in _FILES.items())
    # Debian compresses the files anew, so that the checksums of what is in them decide.
    return Published("fashion_mnist", "Fashion-MNIST", files, _decoded, _PLACES, is_recompressed=True).load(data_dir)


def _decoded(directory: Path) -> Arrays:
    arrays = {}
    for split, prefix, count in (("train", "train", 60_000), ("test", "t10k", 10_000)):
        images = _idx(directory / f"{prefix}-images-idx3-ubyte.gz", (count, SIDE, SIDE))
        labels = _idx(directory / f"{prefix}-labels-idx1-ubyte.gz", (count,))
        arrays[split] = images[..., None], labels
    return arrays


def _idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A uint8 array of LeCun's idx format: two zeros, the type, the number of axes, each length (big-endian), the values.

    http://yann.lecun.com/exdb/mnist/. Raises SourceError where it is not of this ``shape``.
    """
    import numpy as np

    from zoo.data.published import unzipped

    head = bytes([0, 0, 8, len(shape)]) + b"".join(length.to_bytes(4, "big") for length in shape)
    contents = unzipped(path, len(head) + int(np.prod(shape)))
    if not contents.startswith(head):
        raise SourceError(f"{path} is not an idx file of {' x '.join(map(str, shape))} bytes")
    values = np.frombuffer(contents, np.uint8, offset=len(head))
    if values.size != np.prod(shape):
        raise SourceError(f"{path} is cut short: {values.size:,} values of {int(np.prod(shape)):,}")
    return values.reshape(shape)
