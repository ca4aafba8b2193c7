"""Addresses at which the processes of one training reach each other."""

from __future__ import annotations

import socket


def free(count: int, host: str = "127.0.0.1") -> tuple[str, ...]:
    """``count`` different free addresses host:port on this machine, which the other processes know as ``host``.

    Nothing reserves them: a process that finds its address in use is to be started again with another.
    """
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("", 0))  # on every interface, as TensorFlow's server will
        return tuple(f"{host}:{each.getsockname()[1]}" for each in sockets)
    finally:
        for each in sockets:
            each.close()
