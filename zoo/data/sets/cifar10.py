"""CIFAR-10: 50,000 training and 10,000 test photographs of 32x32 pixels in 10 classes.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

from pathlib import Path

from zoo.data.registry import Arrays, register


@register(
    "cifar10",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    image_size=32,
    train_images=50_000,
    test_images=10_000,
    sha256s=(
        "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
        "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
        "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
        "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    ),
)
def cifar10(data_dir: Path | None) -> Arrays:
    """Images uint8 [N, 32, 32, 3] and labels uint8 [N]; from ``data_dir`` alone where the user names one."""
    from zoo.data.cifar10 import origins

    return origins.load(data_dir)
