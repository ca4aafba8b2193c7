"""Trainings and measurements on one machine take turns."""

from __future__ import annotations

import sys
import tempfile
import threading

import pytest

from zoo.host import machine_lock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no such locks")


@pytest.fixture(autouse=True)
def own_lock(tmp_path, monkeypatch):
    """Other sweeps on this machine are not waited for."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_many_trainings_at_once_and_then_a_measurement():
    with machine_lock.training(), machine_lock.training():
        pass
    with machine_lock.measuring(patience_s=0) as is_quiet:
        assert is_quiet


def test_a_measurement_gives_up_on_a_training_that_goes_on(caplog):
    with caplog.at_level("INFO", "zoo"), machine_lock.training(), machine_lock.measuring(patience_s=0.5) as is_quiet:
        assert not is_quiet
    assert caplog.text.count("another sweep trains on this machine; waiting for it") == 1


def test_a_measurement_waits_for_the_end_of_a_training():
    may_end, has_begun = threading.Event(), threading.Event()

    def train() -> None:
        with machine_lock.training():
            has_begun.set()
            may_end.wait(60)

    thread = threading.Thread(target=train)
    thread.start()
    assert has_begun.wait(60)
    threading.Timer(0.3, may_end.set).start()
    with machine_lock.measuring(patience_s=60) as is_quiet:
        assert is_quiet and may_end.is_set()
    thread.join()


def test_a_training_waits_for_the_end_of_a_measurement():
    began = threading.Event()

    def train() -> None:
        with machine_lock.training():
            began.set()

    with machine_lock.measuring(patience_s=0):
        thread = threading.Thread(target=train)
        thread.start()
        assert not began.wait(0.3)
    assert began.wait(60)
    thread.join()


def test_without_a_directory_for_the_lock_nothing_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with machine_lock.training(), machine_lock.measuring(patience_s=0) as is_quiet:
        assert is_quiet
