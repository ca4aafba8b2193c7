"""Trainings and measurements on one machine take turns."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from zoo.host import machine_lock

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no such locks")


@pytest.fixture(autouse=True)
def own_lock(tmp_path, monkeypatch):
    """Other sweeps on this machine are not waited for."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_many_trainings_at_once_and_then_a_measurement():
    with machine_lock.training(), machine_lock.training():
        pass
    with machine_lock.measuring(patience_s=0) as is_quiet:
        assert is_quiet


def test_a_measurement_gives_up_on_a_training_that_goes_on(caplog):
    with caplog.at_level("INFO", "zoo"), machine_lock.training(), machine_lock.measuring(patience_s=0.5) as is_quiet:
        assert not is_quiet
    owner = f"process {os.getpid()} in {os.getcwd()}"
    assert caplog.text.count(f"another sweep trains or measures on this machine ({owner}); waiting for it") == 1


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
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with machine_lock.training(), machine_lock.measuring(patience_s=0) as is_quiet:
        assert is_quiet


def test_a_training_that_waits_says_for_whom():
    said: list[str] = []
    thread = threading.Thread(target=lambda: _train(said.append))
    with machine_lock.measuring(patience_s=0):
        thread.start()
        while not said:
            time.sleep(0.01)
    thread.join()
    owner = f"process {os.getpid()} in {os.getcwd()}"
    assert said == [f"latency is being measured on this machine ({owner}); waiting for it to end"]


MEASURES = """
import time
from zoo.host import machine_lock
with machine_lock.measuring(0) as is_quiet:
    print(is_quiet, flush=True)
    time.sleep(600)
"""


def test_a_measurement_that_is_stopped_does_not_stop_all_trainings_for_ever(monkeypatch):
    monkeypatch.setattr(machine_lock, "STALLED_S", 7.0)  # longer than the time between two heartbeats
    with subprocess.Popen([sys.executable, "-c", MEASURES], cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "True\n"
            other.send_signal(signal.SIGSTOP)
            said: list[str] = []
            _train(said.append)
            owner = f"process {other.pid} in {ROOT}"
            assert said == [
                f"latency is being measured on this machine ({owner}); waiting for it to end",
                f"that measurement stands still ({owner}), so it is not waited for any longer",
            ]
        finally:
            other.kill()
    said.clear()
    _train(said.append)  # a dead one's lock is gone
    assert said == []


def test_a_lock_that_nobody_explains_does_not_stop_all_trainings_for_ever(tmp_path, monkeypatch):
    """Somebody holds the file and does nothing else."""
    monkeypatch.setattr(machine_lock, "STALLED_S", 0.5)
    _train(lambda text: None)
    (path,) = tmp_path.glob("model-zoo-bench/*.turns")
    said: list[str] = []
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _train(said.append)
    assert len(said) == 2 and "a process that does not say which" in said[1]


def test_the_lock_is_no_other_users_business(tmp_path):
    """It is in a directory of this user alone, and nothing is left in it but the file itself."""
    old = os.umask(0)
    try:
        with machine_lock.training():
            pass
    finally:
        os.umask(old)
    directory = tmp_path / "model-zoo-bench"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in directory.iterdir()] == [0o600]


def test_what_somebody_else_has_put_in_its_place_is_neither_followed_nor_changed(tmp_path, monkeypatch):
    """In a shared directory a link to somebody's file was opened through it and made writable for all."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    precious = tmp_path / "precious"
    precious.write_text("mine")
    precious.chmod(0o600)
    _train(lambda text: None)
    (lock,) = tmp_path.glob("model-zoo-bench/*.turns")
    lock.unlink()
    lock.symlink_to(precious)
    _train(lambda text: None)  # no lock is better than that file
    assert precious.read_text() == "mine" and precious.stat().st_mode & 0o777 == 0o600
    lock.unlink()
    lock.parent.rename(tmp_path / "elsewhere")
    lock.parent.symlink_to(tmp_path / "elsewhere")
    _train(lambda text: None)  # the cache directory serves instead
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert len(list(tmp_path.glob("cache/model-zoo-bench/locks/*.turns"))) == 1
    lock.parent.unlink()
    lock.parent.mkdir()
    lock.parent.chmod(0o777)
    _train(lambda text: None)
    assert list(lock.parent.iterdir()) == [] and lock.parent.stat().st_mode & 0o777 == 0o777


def _train(on_wait) -> None:
    with machine_lock.training(on_wait):
        pass
