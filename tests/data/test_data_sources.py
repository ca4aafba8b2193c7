"""Downloads and npm packages: complete files are kept, faults are reported in one line, and every wait has a limit."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from zoo.data import cache, sources
from zoo.data.errors import SourceError


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No cache, no Keras directory and no npm, unless a test makes one; servers on this machine are asked directly."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "*")


@contextlib.contextmanager
def server(answer):
    """The address of an HTTP server on this machine whose GET is ``answer(handler)``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(OSError):
                answer(self)

        def log_message(self, *_):
            pass

    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.daemon_threads = True
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{serving.server_port}/file"
    finally:
        serving.shutdown()
        serving.server_close()


def sends(content: bytes, announced: int | None = None):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content) if announced is None else announced))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def npm(tmp_path: Path, script: str) -> None:
    """A program named npm, the only one on the path."""
    file = tmp_path / "bin" / "npm"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    file.chmod(0o755)


def test_a_download_arrives_whole(tmp_path):
    content = os.urandom(3_000_000)
    with server(sends(content)) as url:
        file = sources.download(url, tmp_path / "file", hashlib.md5(content).hexdigest(), len(content))
    assert file.read_bytes() == content


def test_a_refused_connection_is_reported_at_once(tmp_path):
    with server(sends(b"")) as url:
        pass  # closed again: nothing listens on this port
    with pytest.raises(SourceError, match=r"cannot be reached \(.*refused"):
        sources.download(url, tmp_path / "file", "0" * 32, 10)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda handler: handler.send_error(404), "answers 404"),
        (sends(b"x" * 11), "longer than the 10 bytes"),
        (sends(b"x" * 10), "damaged: md5 .* expected, .* found in 10 bytes"),
        (sends(b"x" * 5, announced=10), "damaged|broke off"),
        (lambda handler: handler.wfile.write(b"nonsense\r\n\r\n"), "broke off"),
    ],
)
def test_downloads_that_are_refused(tmp_path, answer, message):
    with server(answer) as url, pytest.raises(SourceError, match=message):
        sources.download(url, tmp_path / "file", "0" * 32, 10)


def test_a_server_that_never_answers_or_stalls_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CONNECT_S", 0.3)
    done = threading.Event()
    with server(lambda _: done.wait(20)) as url:
        with pytest.raises(SourceError, match="does not answer within"):
            sources.download(url, tmp_path / "file", "0" * 32, 10)
        done.set()
    monkeypatch.setattr(sources, "STALL_S", 0.3)
    monkeypatch.setattr(sources, "CONNECT_S", 10.0)
    done = threading.Event()

    def stalls(handler):
        sends(b"12345", announced=10)(handler)
        done.wait(20)

    with server(stalls) as url:
        with pytest.raises(SourceError, match="stood still"):
            sources.download(url, tmp_path / "file", "0" * 32, 10)
        done.set()


def test_npm_pack_gives_the_file(tmp_path):
    npm(tmp_path, 'case "$1 $2" in "view thing@1") echo 1;; "pack thing@1") echo packed > "$PWD/thing-1.tgz";; esac')
    assert sources.npm_pack("thing@1", tmp_path / "staging", 10).read_text() == "packed\n"


def test_a_missing_npm_is_reported(tmp_path):
    with pytest.raises(SourceError, match="npm is not installed"):
        sources.npm_pack("thing@1", tmp_path / "staging", 10)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo 'npm error code E404' >&2; echo 'npm error 404 Not Found' >&2; exit 1",
            "npm view failed: code E404; 404",
        ),
        ("exit 3", "npm view failed: it gives no reason"),
        ("true", "has no thing@1"),
        ("case $1 in view) echo 1;; esac", "npm pack thing@1 left no file"),
    ],
)
def test_npm_failures_are_reported(tmp_path, script, message):
    npm(tmp_path, script)
    with pytest.raises(SourceError, match=message):
        sources.npm_pack("thing@1", tmp_path / "staging", 10)


def test_an_npm_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CONNECT_S", 0.3)
    npm(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with pytest.raises(SourceError, match="no answer within"):
        sources.npm_pack("thing@1", tmp_path / "staging", 10)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_ctrl_c_during_the_download_leaves_nothing_half_written(tmp_path):
    begun, done = threading.Event(), threading.Event()

    def slow(handler):
        sends(b"x" * 5_000_000, announced=100_000_000)(handler)
        begun.set()
        done.wait(30)

    program = (
        "import sys; from zoo.data import __main__; from zoo.data.cifar10 import origins\n"
        "origins.BINARY_URL = sys.argv[1]\n"
        "sys.exit(__main__.main(['fetch', 'cifar10']))"
    )
    with server(slow) as url:
        process = subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE, text=True)
        assert begun.wait(30)
        directory = tmp_path / "cache" / "cifar10"
        while not list(directory.glob(f"{cache.STAGING}*/*")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
        done.set()
    assert process.returncode == 130, stderr
    assert stderr.startswith(f"data: downloading {url} (170 MB)\n"), stderr
    assert "Traceback" not in stderr and "nothing half-written" in stderr
    assert [path.name for path in directory.iterdir()] == [".lock"]
