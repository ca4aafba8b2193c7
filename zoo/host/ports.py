"""Addresses at which the processes of one training reach each other, and who else does."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator

CAN_REFUSE_OTHERS = sys.platform == "linux"
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python has no name for

# Classic BPF (Linux, Documentation/networking/filter.rst): the index of the interface that a packet came in by decides.
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_INTERFACE = 0xFFFFF000 + 8  # SKF_AD_OFF + SKF_AD_IFINDEX
_WHOLE_PACKET, _NOTHING = 0xFFFFFFFF, 0


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


def refuse_other_machines() -> None:
    """From now on the ports that this process listens on take packets of this machine only, as if bound to loopback.

    For libraries that listen on every interface and cannot be told not to; on Linux, elsewhere nothing happens. What
    another machine has connected to before is disconnected. Raises OSError.
    """
    if not CAN_REFUSE_OTHERS:
        return
    listening = set()
    for each in _sockets():
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            _take_only_loopback(each)
            listening.add(each.getsockname()[1])
    for each in _sockets():
        if each.getsockname()[1] in listening and _is_from_elsewhere(each):
            each.shutdown(socket.SHUT_RDWR)


def _sockets() -> Iterator[socket.socket]:
    """Each TCP socket of this process, for as long as it is looked at."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # it is closed meanwhile
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as each:
                if each.family in (socket.AF_INET, socket.AF_INET6) and each.type == socket.SOCK_STREAM:
                    yield each


def _take_only_loopback(listening: socket.socket) -> None:
    program = (
        (_LOAD_WORD, 0, 0, _INTERFACE),
        (_JUMP_IF_EQUAL, 0, 1, socket.if_nametoindex("lo")),
        (_RETURN, 0, 0, _WHOLE_PACKET),
        (_RETURN, 0, 0, _NOTHING),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    # connections that it accepts have the filter, too
    listening.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))


def _is_from_elsewhere(connected: socket.socket) -> bool:
    try:
        ours, theirs = (
            ipaddress.ip_address(address[0].removeprefix("::ffff:").partition("%")[0])
            for address in (connected.getsockname(), connected.getpeername())
        )
    except OSError:  # it is not connected
        return False
    return ours != theirs and not theirs.is_loopback
