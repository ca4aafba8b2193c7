"""Heartbeats before the first step: of a process that computes or waits for another one, and of no other."""

from __future__ import annotations

import queue
import time

import pytest

from zoo.execution import heartbeats
from zoo.execution.heartbeats import StartUpHeartbeats


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(heartbeats, "INTERVAL_S", 0.02)


@pytest.fixture
def sent():
    return queue.Queue()


def compute(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def drain(sent: queue.Queue) -> int:
    count = 0
    while not sent.empty():
        sent.get()
        count += 1
    return count


def test_a_process_that_computes_sends_heartbeats(sent):
    with StartUpHeartbeats(lambda: sent.put(1)):
        compute(0.3)
    assert drain(sent) >= 3


def test_a_process_that_sleeps_sends_none(sent):
    with StartUpHeartbeats(lambda: sent.put(1)):
        time.sleep(0.1)
        drain(sent)  # what it computed before
        time.sleep(0.5)
        assert drain(sent) <= 1


def test_a_process_that_waits_for_another_one_sends_them_all_the_same(sent):
    with StartUpHeartbeats(lambda: sent.put(1)) as beats:
        with beats.waiting():
            time.sleep(0.3)
        assert drain(sent) >= 3


def test_they_end_with_the_start_up(sent):
    with StartUpHeartbeats(lambda: sent.put(1)) as beats:
        beats.stop()
        time.sleep(0.1)
        drain(sent)
        compute(0.2)
        assert drain(sent) == 0


def test_a_process_that_computes_for_ever_hangs_too(sent, monkeypatch):
    monkeypatch.setattr(heartbeats, "LIMIT_S", 0.1)
    with StartUpHeartbeats(lambda: sent.put(1)):
        compute(0.3)
        drain(sent)
        compute(0.3)
        assert drain(sent) == 0
