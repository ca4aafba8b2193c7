"""Where the processes of one training reach each other."""

from __future__ import annotations

import socket


def free(count: int, host: str = "127.0.0.1") -> tuple[str, ...]:
    """``count`` different addresses host:port on this machine, which the others know as ``host``, where nobody listens.

    They are free now, and nothing keeps them so: whoever finds one taken is to be started again with others.
    """
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("", 0))  # on every interface, as TensorFlow's server will
        return tuple(f"{host}:{one.getsockname()[1]}" for one in sockets)
    finally:
        for one in sockets:
            one.close()
