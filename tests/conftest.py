"""What the tests share: real CIFAR-10."""

from __future__ import annotations

import pytest

from zoo import data
from zoo.data.sources import NoSource


@pytest.fixture(scope="session")
def cifar10():
    """Real CIFAR-10, {"train": (images, labels), "test": ...}, fetched into the user's cache if need be."""
    try:
        return {split: data.load("cifar10", split) for split in data.SPLITS}
    except NoSource as error:
        pytest.skip(str(error))
