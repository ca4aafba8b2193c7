"""Free addresses for processes that train together, and who can connect to them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

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


@pytest.fixture
def own_address():
    """Of this machine in a network that it belongs to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this machine is in no network")
        return probe.getsockname()[0]


needs_filter = pytest.mark.skipif(not ports.CAN_REFUSE_OTHERS, reason="the kernel offers this on Linux")


@needs_filter
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_this_machine_still_connects_whatever_its_address(family, own_address):
    with socket.create_server(("", 0), family=family, dualstack_ipv6=family == socket.AF_INET6) as listening:
        ports.refuse_other_machines()
        for host in ("127.0.0.1", own_address):
            with socket.create_connection((host, listening.getsockname()[1]), timeout=60) as client:
                accepted, _ = listening.accept()
                with accepted:
                    client.sendall(b"here")
                    assert accepted.recv(4) == b"here"


@needs_filter
def test_another_machine_is_refused(tmp_path):
    """Another one is a network namespace at the other end of a cable; what it had connected to before is shut."""
    if any(shutil.which(name) is None for name in ("unshare", "nsenter", "ip")):
        pytest.skip("needs unshare, nsenter and ip")
    script = textwrap.dedent(
        """
        import os, socket, subprocess, sys
        sys.path.insert(0, {root!r})
        from zoo.host import ports

        def run(*words):
            subprocess.run(words, check=True)

        other = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo up; exec sleep infinity"], stdout=subprocess.PIPE)
        other.stdout.readline()
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns", str(other.pid))
        run("ip", "address", "add", "198.51.100.1/30", "dev", "here")
        run("ip", "link", "set", "here", "up")
        within = ["nsenter", f"--net=/proc/{{other.pid}}/ns/net"]
        run(*within, "ip", "address", "add", "198.51.100.2/30", "dev", "there")
        run(*within, "ip", "link", "set", "there", "up")
        client = '''if True:
            import socket, sys
            try:
                with socket.create_connection(("198.51.100.1", int(sys.argv[1])), timeout=float(sys.argv[2])) as there:
                    print("connected", flush=True)
                    print("read", there.recv(1), flush=True)
            except OSError as error:
                print(type(error).__name__, flush=True)
            '''
        try:
            with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listening:
                python = [*within, sys.executable, "-c", client, str(listening.getsockname()[1])]
                before = subprocess.Popen([*python, "60"], stdout=subprocess.PIPE, text=True)
                assert before.stdout.readline() == "connected\\n"
                accepted, _ = listening.accept()
                ports.refuse_other_machines()
                print(accepted.recv(1), subprocess.run([*python, "1"], capture_output=True, text=True).stdout)
                before.kill()
        finally:
            other.kill()
        """
    ).format(root=str(Path(ports.__file__).parents[2]))
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("this system lets the tests have no network of their own")
    assert done.stdout.split("\n")[0] == "b'' TimeoutError", done.stderr
