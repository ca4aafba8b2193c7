"""A real PostgreSQL, a real ``mlflow server`` on top of it, and what can come between that and a sweep."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from helpers.sweeps import PATIENCE_S, children

PORT_TRIES_S = 0.1


def postgres_programs() -> Path | None:
    """Where initdb, pg_ctl and createdb are; Debian keeps them out of the PATH."""
    directories = [Path(found).parent for found in [shutil.which("initdb")] if found]
    directories += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    names = ("initdb", "pg_ctl", "createdb")
    return next((directory for directory in directories if all((directory / n).exists() for n in names)), None)


class Postgres:
    """A database cluster of its own, reached through a socket in its directory."""

    def __init__(self, programs: Path):
        self._programs = programs
        self._directory = Path(tempfile.mkdtemp(prefix="zoo-pg-"))
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            user = _first_user("postgres", "nobody")
            os.chown(self._directory, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "-D", self._data, "-U", "zoo", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8")
        self.start()
        self._run("createdb", "-h", self._directory, "-U", "zoo", "mlflow")
        self.uri = f"postgresql://zoo@/mlflow?host={self._directory}"

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def start(self) -> None:
        settings = f"-c listen_addresses= -c fsync=off -k {self._directory}"
        self._run("pg_ctl", "-D", self._data, "-l", self._directory / "log", "-w", "-o", settings, "start")

    def stop(self) -> None:
        """As in a crash: connections are cut off, nothing is tidied up."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Within this block it is stopped."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """Within this block it takes connections and requests, and answers none."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        processes = [first, *children(first)]
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._directory)

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self._programs / program, *map(str, arguments)],
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            **self._as,
        )


def _first_user(*names: str) -> pwd.struct_passwd:
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError(f"none of the users {names} exists")


class MlflowServer:
    """``mlflow server``, always at the same address."""

    def __init__(self, directory: Path, store: str):
        self._directory, self._store, self._port = directory, store, free_port()
        self.uri = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--workers", "1", "--backend-store-uri", self._store]
        command += ["--artifacts-destination", str(self._directory / "artifacts")]
        settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with open(self._directory / "server.log", "a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._directory,
                env=os.environ | settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < deadline, self.log
            time.sleep(PORT_TRIES_S)

    @property
    def log(self) -> str:
        return (self._directory / "server.log").read_text(encoding="utf-8")

    def kill(self) -> None:
        """All its processes, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Within this block it is not there."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Between:
    """Passes requests on to a server, and does to each what ``rule`` says of its method, path and body:

    "pass"; "lose": have it carried out and break off without an answer; "hold": do nothing until ``release`` is set.
    ``seen`` is set when the first request comes that is not passed, ``carried_out`` when one has been; ``answers`` counts
    what came back since then.
    """

    def __init__(self, server: str, rule: Callable[[str, str, bytes], str]):
        self.seen, self.release, self.carried_out = threading.Event(), threading.Event(), threading.Event()
        self.answers = 0
        between, target = self, server.removeprefix("http://")

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _exchange(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                what = rule(self.command, self.path, body)
                if what != "pass":
                    between.seen.set()
                if what == "hold":
                    between.release.wait()
                upstream = http.client.HTTPConnection(target, timeout=PATIENCE_S)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                with contextlib.closing(upstream):
                    upstream.request(self.command, self.path, body or None, kept)
                    answer = upstream.getresponse()
                    content = answer.read()
                    if what != "pass":
                        between.carried_out.set()
                self.close_connection = True
                if what == "lose":
                    return
                between.answers += between.seen.is_set()
                with contextlib.suppress(OSError):  # who asked may have given up long ago
                    self.send_response(answer.status)
                    for name, value in answer.getheaders():
                        if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                            self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _exchange

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()


def changes_something(method: str, path: str) -> bool:
    return method != "GET" and not path.endswith("/search")


def each_answer_once_lost() -> Callable[[str, str, bytes], str]:
    """A rule: whatever changes something is carried out, but its answer is lost the first time."""
    known: set[bytes] = set()

    def rule(method: str, path: str, body: bytes) -> str:
        request = hashlib.sha256(f"{method} {path} ".encode() + body).digest()
        if not changes_something(method, path) or request in known:
            return "pass"
        known.add(request)
        return "lose"

    return rule
