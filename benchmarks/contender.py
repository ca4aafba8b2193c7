"""One contender of a speed comparison: a process of its own that computes only when it is asked to.

``Contender`` starts and asks it, ``ContenderServer`` is what it answers with. A request and an answer are a line of JSON
each. Between the two the process is stopped by a signal, because a process that only waits is not quiet: input pipelines
fill their buffers and thread pools spin for a while, on the time of the one that is measured next.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_PR_SET_PDEATHSIG = 1


class Request(NamedTuple):
    """Do ``what`` for ``warm_s`` seconds untimed and then for at least ``seconds``, in whole steps."""

    what: str
    warm_s: float
    seconds: float


class Timing(NamedTuple):
    """What was done in the timed part: ``units`` (images, operations) in ``seconds``, with ``cpu_s`` of all threads."""

    units: float
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.units / self.seconds


class Contender:
    """A started contender: the ``compete`` of a module, with settings. ``facts`` is what it reported when it was ready.

    ``idle_s`` and ``idle_cpu_s``: seconds that it was to wait, and processor time that it used in them all the same.
    """

    def __init__(self, module: str, settings: Mapping[str, Any]):
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contender", module, json.dumps(settings)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        self.idle_s = self.idle_cpu_s = 0.0
        self.facts = self._answer()
        self._pause()

    def ask(self, request: Request) -> Timing:
        """Have it work now; returns when it is done. Raises RuntimeError, with the end of its output, when it dies of it."""
        self.idle_cpu_s += cpu_seconds(self._process.pid) - self._used
        self.idle_s += time.monotonic() - self._paused
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        timing = Timing(*self._answer())
        self._pause()
        return timing

    def close(self) -> None:
        """End it."""
        self._process.kill()  # reaches a stopped process too
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            stream.close()

    def _pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # until it stands
        self._used, self._paused = cpu_seconds(self._process.pid), time.monotonic()

    def _answer(self) -> Any:
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._process.wait()
        self._stderr.seek(0)
        output = self._stderr.read().decode(errors="replace")[-3000:]
        raise RuntimeError(f"{' '.join(self._process.args[2:])} ended with {self._process.returncode}:\n{output}")


class ContenderServer:
    """The contender's side: it says that it is ready, and then does what it is asked."""

    def __init__(self):
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what libraries print is not an answer

    def ready(self, **facts: Any) -> None:
        """``params``: parameters of the network, to be compared; whatever else is worth keeping."""
        self._say(facts)

    def requests(self) -> Iterator[Request]:
        for line in sys.stdin:
            yield Request(*json.loads(line))

    def answer(self, timing: Timing) -> None:
        self._say(timing)

    def serve(self, steps: Mapping[str, Callable[[], float]]) -> None:
        """Answer all requests with ``steps``: by name, what does one piece of work and returns its units."""
        for request in self.requests():
            self.measure(steps[request.what], request)

    def measure(self, step: Callable[[], float], request: Request) -> None:
        """Answer a request with what does one piece of the work that it asks for, and returns its units."""
        if request.warm_s:
            _repeat(step, request.warm_s)
        self.answer(_repeat(step, request.seconds))

    def _say(self, value: Any) -> None:
        self._out.write(json.dumps(value) + "\n")
        self._out.flush()


def _repeat(step: Callable[[], float], seconds: float) -> Timing:
    """Do it again and again until ``seconds`` are over, at least once."""
    units, began, cpu = 0.0, time.perf_counter(), time.process_time()
    while True:
        units += step()
        spent = time.perf_counter() - began
        if spent >= seconds:
            return Timing(units, spent, time.process_time() - cpu)


def cpu_seconds(pid: int) -> float:
    """Processor time that all threads of a process have used, to 10 ms; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime


def main() -> None:
    if sys.platform == "linux":  # a stopped process would outlive the one that could wake it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    module, settings = sys.argv[1], json.loads(sys.argv[2])
    importlib.import_module(module).compete(ContenderServer(), **settings)


if __name__ == "__main__":
    main()
