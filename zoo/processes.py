"""Where work that needs TensorFlow is done: in processes of its own, so that this one stays small and quick to start."""

from __future__ import annotations

import functools
import multiprocessing
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


@functools.cache
def context():
    """The way to start a worker: forked from a server that has imported TensorFlow (1 s), where the system allows that."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["zoo.preload"])
    return found


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """``function(*arguments)`` in a process of its own; its exceptions are raised here. Ctrl-C is left to this process."""
    with ProcessPoolExecutor(1, mp_context=context(), initializer=_ignore_interrupt) as pool:
        return pool.submit(function, *arguments).result()


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
