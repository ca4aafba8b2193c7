"""Data sets: a registry, one module per data set (``sets``), where their bytes come from, augmentation and batches.

May import zoo.registry, zoo.text and the packages below it (see docs/architecture.md). Nothing here imports TensorFlow
before a batch is made.
"""

from zoo.data.errors import DataError
from zoo.data.loading import cached_test_images, digest, keep_for_reports, known_classes, load
from zoo.data.registry import SPLITS, DataSet, info, names, register, restored

__all__ = [
    "SPLITS",
    "DataError",
    "DataSet",
    "cached_test_images",
    "digest",
    "info",
    "keep_for_reports",
    "known_classes",
    "load",
    "names",
    "register",
    "restored",
]
