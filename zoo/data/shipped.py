"""The data sets of this package, as they are known before they are loaded. Their bytes are read by modules of their own."""

from __future__ import annotations

import hashlib

from zoo.data import register

# Of the decoded arrays: train images, train labels, test images, test labels.
CIFAR10_SHA256S = (
    "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
)
DIGITS_SHA256S = (
    "edb0f1c170a605e6f62b252774d43edc712b784b3aeadb0b073ced62ccb3707f",
    "53f898fb81bedc1960a35a7518e140c110357f1d9c819e15be7eb86813d86b98",
    "14d68143b175b7d47350de698f3c15e867ed7b3c038bbd6d6e89ce63b3afe012",
    "2afb26f01c4ab83cd8bfb3c55e54cc7568449a914de2d2369dc3aeb6168fcd64",
)


def _together(sha256s: tuple[str, ...]) -> str:
    return hashlib.sha256("".join(sha256s).encode()).hexdigest()


@register(
    "cifar10",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    image_size=32,
    train_images=50_000,
    test_images=10_000,
    sha256=_together(CIFAR10_SHA256S),
)
def cifar10(data_dir):
    """50,000 training and 10,000 test photographs (``zoo.data.cifar10``)."""
    from zoo.data import cifar10

    return cifar10.load(data_dir)


@register(
    "digits",
    classes=tuple("0123456789"),
    image_size=32,
    train_images=1_437,
    test_images=360,
    sha256=_together(DIGITS_SHA256S),
)
def digits(data_dir):
    """1,437 training and 360 test images of handwritten digits (``zoo.data.digits``)."""
    from zoo.data import digits

    return digits.load(data_dir)
