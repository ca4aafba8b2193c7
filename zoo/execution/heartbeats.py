"""Heartbeats of a worker before its training sends any: while TensorFlow is imported, data are read, networks compiled."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

INTERVAL_S = 0.5
BUSY_FRACTION = 0.01  # of one core: a process that computes less hangs, or waits for what does not come
LIMIT_S = 900.0  # a process that computes for longer without a result hangs, too


class StartUpHeartbeats:
    """Calls ``send`` from a thread, twice a second, as long as the process computes; until ``stop`` or the block's end."""

    def __init__(self, send: Callable[[], None]):
        self._send = send
        self._ended = threading.Event()
        self._is_waiting = False
        self._thread = threading.Thread(target=self._run, name="heartbeats", daemon=True)

    def __enter__(self) -> StartUpHeartbeats:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._ended.set()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Within this block the process waits for another one, so it need not compute."""
        self._is_waiting = True
        try:
            yield
        finally:
            self._is_waiting = False

    def _run(self) -> None:
        began = sent = time.monotonic()
        computed_s = time.process_time()
        while not self._ended.wait(INTERVAL_S):
            now, total_s = time.monotonic(), time.process_time()
            if self._is_waiting:
                began = now
            elif now - began > LIMIT_S or total_s - computed_s < BUSY_FRACTION * (now - sent):
                continue
            sent, computed_s = now, total_s
            self._send()
