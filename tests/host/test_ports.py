"""Free addresses for processes that train together."""

from __future__ import annotations

import socket

from zoo.host import ports


def test_different_addresses_that_can_be_bound():
    addresses = ports.free(3, "127.0.0.1")
    assert len(set(addresses)) == 3
    for address in addresses:
        host, port = address.split(":")
        with socket.create_server((host, int(port))):
            pass


def test_the_host_is_named_as_the_others_know_it():
    (address,) = ports.free(1, "node-7")
    assert address.startswith("node-7:")
