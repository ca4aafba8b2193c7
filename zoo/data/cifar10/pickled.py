"""Reads the batches of CIFAR-10's Python version without running what else a pickle may contain.

A batch is a Python 2 pickle of ``{"data": uint8 [10000, 3072], "labels": list, ...}``. The names that it refers to are
resolved to stand-ins that keep their arguments; nothing else can be called, not even NumPy.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any

import numpy as np

from zoo.data.errors import PickleRefused


class _Array:
    """Keeps the state of a pickled array: (version, shape, dtype, Fortran order, bytes)."""

    state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state


class _Dtype:
    """Keeps the code of a pickled dtype, such as ``u1``."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        self.code = code.decode("latin1") if isinstance(code, bytes) else code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        pass


def _latin1(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes into a pickle that Python 2 can read."""
    if encoding != "latin1":
        raise PickleRefused(f"it wants the encoding {encoding!r}")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _latin1,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise PickleRefused(f"it wants to load {module}.{name}, which no batch needs") from None


def read_batch(content: bytes, rows: int, columns: int, labels_key: str = "labels") -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 [rows, columns] and labels uint8 [rows] of a pickled batch. Raises PickleRefused."""
    try:
        _check_numbers(content)
        batch = _Unpickler(io.BytesIO(content), encoding="bytes").load()
        batch = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
        _, shape, dtype, fortran_order, raw = batch["data"].state
        labels = np.array(
            [int(label) for label in batch[labels_key]], np.uint8
        )  # flat: a list can hold itself many times
        form = (shape, dtype.code, bool(fortran_order), type(raw), len(raw), labels.shape)
    except PickleRefused:
        raise
    except Exception as error:  # a damaged pickle may fail in any way that its instructions can
        raise PickleRefused(f"{type(error).__name__}: {str(error)[:100]}") from error
    expected = ((rows, columns), "u1", False, bytes, rows * columns, (rows,))
    if form != expected:
        raise PickleRefused(f"its arrays are {form}, not {expected}")
    return np.frombuffer(raw, np.uint8).reshape(rows, columns), labels


def _check_numbers(content: bytes) -> None:
    """Read it without building anything: the unpickler makes room for what a number promises before it has seen it."""
    for opcode, argument, _ in pickletools.genops(content):  # raises ValueError for a length beyond the end of the file
        if "PUT" in opcode.name and isinstance(argument, int) and argument > len(content):
            raise PickleRefused(f"it wants room for {argument:,} objects in {len(content):,} bytes")
