"""Temporary files of processes: gone with the process, however it ends, and those of a killed program with the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoo.host import processes
from zoo.host.directories import temporary

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there are workers forked from a server")


def leave_a_file_and_wait(connection) -> None:
    """As TensorFlow does, whose own removal at the interpreter's exit is not reached by a worker."""
    with tempfile.NamedTemporaryFile(prefix="__autograph_generated_file", delete=False) as file:
        connection.send(file.name)
    time.sleep(3600)


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_process_takes_its_temporary_files_with_it(is_killed):
    process, connection = processes.start_connected(leave_a_file_and_wait)
    file = Path(connection.recv())
    assert file.exists() and file.parent.parent == temporary.of_program()
    if is_killed:
        os.kill(process.pid, signal.SIGKILL)
    processes.end(process)
    connection.close()
    assert not file.parent.exists() and temporary.of_program().exists()


PROGRAM = textwrap.dedent(
    """
    import os, signal, sys, tempfile, time
    sys.path[:0] = {path!r}
    from zoo.host import processes
    from test_temporary import leave_a_file_and_wait
    process, connection = processes.start_connected(leave_a_file_and_wait)
    print(connection.recv(), process.pid, flush=True)
    if sys.argv[1] == "wait":
        time.sleep(3600)
    os.kill(process.pid, signal.SIGKILL)
    """
).format(path=[str(ROOT), str(Path(__file__).parent)])


def start(directory: Path, argument: str) -> tuple[subprocess.Popen, Path, int]:
    """A program that starts a process, the temporary file of that, and its id."""
    env = os.environ | {"TMPDIR": str(directory / "tmp")}
    (directory / "tmp").mkdir(exist_ok=True)
    command = [sys.executable, "-c", PROGRAM, argument]
    program = subprocess.Popen(command, cwd=directory, env=env, stdout=subprocess.PIPE, text=True)
    file, pid = program.stdout.readline().split()
    return program, Path(file), int(pid)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """The server's socket has to be in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        yield Path(directory)


def test_what_a_killed_program_left_is_removed_by_the_next_one_of_the_project(short_path):
    killed, file, worker = start(short_path, "wait")
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    assert file.exists() and list(file.parents[1].glob("pymp-*"))

    following, _, _ = start(short_path, "end")  # the worker of the killed one still runs
    assert following.wait() == 0 and file.exists()
    following.stdout.close()

    os.kill(worker, signal.SIGKILL)
    while not temporary_is_free(file.parents[1]):
        time.sleep(0.02)
    following, _, _ = start(short_path, "end")
    assert following.wait() == 0
    following.stdout.close()
    assert list((short_path / "tmp").iterdir()) == []


def temporary_is_free(directory: Path) -> bool:
    try:
        os.close(temporary._lock(directory, exclusive=True))
    except BlockingIOError:
        return False
    return True


def test_what_others_made_under_such_a_name_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "precious").mkdir()
    prefix = f"zoo-{temporary._project()}-"
    (tmp_path / "tmp" / f"{prefix}link").symlink_to(tmp_path / "precious")
    (tmp_path / "tmp" / f"{prefix}file").touch()
    (tmp_path / "tmp" / f"{prefix}left").mkdir()
    (tmp_path / "tmp" / "zoo-00000000-other").mkdir()
    temporary._remove_unlocked(tmp_path / "tmp", prefix)
    left = {path.name for path in (tmp_path / "tmp").iterdir()}
    assert left == {f"{prefix}link", f"{prefix}file", "zoo-00000000-other"} and (tmp_path / "precious").exists()


def test_without_room_for_one_processes_start_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    monkeypatch.setattr(temporary, "_made", {})
    assert temporary.of_program() is None and temporary.create() is None
