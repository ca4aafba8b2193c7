"""The errors of this package. A message says what is wrong, where, and what to do."""

from __future__ import annotations


class DataError(Exception):
    """A data set cannot be had, is damaged, or is not of the promised form."""


class CacheError(DataError):
    """The cache directory cannot be written; the message names it and how to choose another."""


class NoSource(DataError):
    """No source could give the data; the message lists each with its reason, and the ways to get them."""


class SourceError(Exception):
    """Why a source gave nothing, in one line."""


class Absent(SourceError):
    """The source has nothing here, which is no fault: it is mentioned only when no other source has it either."""


class PickleRefused(Exception):
    """A pickle is damaged, or asks for something that a CIFAR-10 batch has no need of."""
