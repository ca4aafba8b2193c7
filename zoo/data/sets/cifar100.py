"""CIFAR-100: 50,000 training and 10,000 test photographs of 32x32 pixels in 100 classes.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; https://www.cs.toronto.edu/~kriz/cifar.html.
The labels are the fine ones; the twenty groups are not used.
"""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.errors import PickleRefused, SourceError
from zoo.data.registry import Arrays, register

if TYPE_CHECKING:
    import numpy as np

_URL = "https://www.cs.toronto.edu/~kriz"
_PYTHON = ("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85", 169_001_437)
_BINARY = ("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733)
_PIXELS = 3 * 32 * 32
_COUNTS = {"train": 50_000, "test": 10_000}
_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
    forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
    mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree
    wolf woman worm
"""


@register(
    "cifar100",
    classes=tuple(name.replace("_", " ") for name in _CLASSES.split()),
    image_size=32,
    train_images=50_000,
    test_images=10_000,
)
def cifar100(data_dir: Path | None) -> Arrays:
    """Images uint8 [N, 32, 32, 3] and labels uint8 [N], from the Python or the binary archive; from ``data_dir`` alone where
    the user names one."""
    from zoo.data.published import Published, PublishedFile

    def form(name: str, md5: str, size: int) -> Published:
        file = PublishedFile(name, f"{_URL}/{name}", size, md5)
        return Published(
            "cifar100", "CIFAR-100", (file,), lambda directory: decoded(directory / name), ("~/.keras/datasets",)
        )

    binary = form(*_BINARY)
    return (binary if data_dir is not None and binary.is_in(data_dir) else form(*_PYTHON)).load(data_dir)


def decoded(archive: Path) -> Arrays:
    """The arrays of either archive. Raises SourceError where it is damaged or of another form."""
    arrays: Arrays = {}
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                name = Path(member.name).name
                split = name.removesuffix(".bin")
                if split not in _COUNTS or not member.isfile() or member.size > 200_000_000:
                    continue
                content = members.extractfile(member)
                assert content is not None  # it is a regular file
                read = _from_binary if name.endswith(".bin") else _from_pickle
                arrays[split] = read(content.read(), _COUNTS[split], f"{archive}: {name}")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise SourceError(f"{archive} is damaged or cut short ({error})") from error
    missing = [split for split in _COUNTS if split not in arrays]
    if missing:
        raise SourceError(f"{archive} is incomplete: {', '.join(missing)} missing")
    return arrays


def _from_binary(content: bytes, count: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Records of a coarse label, a fine label, and the red, green and blue planes."""
    import numpy as np

    if len(content) != count * (2 + _PIXELS):
        raise SourceError(f"{where} is damaged: {len(content):,} bytes, {count * (2 + _PIXELS):,} expected")
    records = np.frombuffer(content, np.uint8).reshape(count, 2 + _PIXELS)
    return _as_images(records[:, 2:]), np.ascontiguousarray(records[:, 1])


def _from_pickle(content: bytes, count: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    from zoo.data.cifar10.pickled import read_batch

    try:
        pixels, labels = read_batch(content, count, _PIXELS, "fine_labels")
    except PickleRefused as error:
        raise SourceError(f"{where} is damaged or not of CIFAR-100 ({error})") from error
    return _as_images(pixels), labels


def _as_images(planes: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.ascontiguousarray(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
