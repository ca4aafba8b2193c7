"""The protocol of the latency: turns, numbers of queries, percentiles and threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from zoo.measure import latency


def test_models_take_turns_after_a_warm_up():
    calls = []
    queries = [lambda name=name: calls.append(name) for name in "ab"]
    samples = latency.interleaved(queries, count=5, block=2, warm_up=3)
    assert "".join(calls) == "aaa" + "bbb" + "aabb" + "aabb" + "ab"
    assert [len(own) for own in samples] == [5, 5]
    assert all(ms >= 0 for own in samples for ms in own)


def test_each_call_is_timed_in_milliseconds(monkeypatch):
    now = iter(range(0, 10**9, 1_500_000))  # each reading of the clock is 1.5 ms after the last
    monkeypatch.setattr(latency.time, "perf_counter_ns", lambda: next(now))
    assert latency.interleaved([lambda: None], count=3, block=16, warm_up=0) == [[1.5, 1.5, 1.5]]


def test_percentiles_by_hand():
    # Of 0, 1, ..., 100 the p-th percentile is p; in any order.
    assert latency.percentiles([float(i) for i in reversed(range(101))]) == {"p50": 50.0, "p90": 90.0, "p99": 99.0}
    # Of two samples the percentiles lie on the line between them: 1 + 0.9 * 2.
    assert latency.percentiles([3.0, 1.0]) == pytest.approx({"p50": 2.0, "p90": 2.8, "p99": 2.98})


PROGRAM = """
import os, threading
from pathlib import Path
from zoo import models
from zoo.measure import latency

def processor_ticks():
    "Thread -> processor time that it has used, user and system."
    stats = {path.parent.name: path.read_text() for path in Path("/proc/self/task").glob("*/stat")}
    return {thread: sum(map(int, stat.rpartition(")")[2].split()[11:13])) for thread, stat in stats.items()}

latency.use_one_thread()
latency.QUERIES = 200
network = models.build("nin2", lrn=True)
latency.measure([network], [24])  # compiles, in threads of the compiler
before = processor_ticks()
latency.measure([network], [24])
used = {thread: ticks - before.get(thread, 0) for thread, ticks in processor_ticks().items()}
print(sum(ticks > 2 for thread, ticks in used.items() if thread != str(threading.get_native_id())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the processor time of a thread is read from /proc")
def test_one_image_takes_one_thread():
    """At most one thread beside Python's own: TensorFlow computes in it while Python waits."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 1
