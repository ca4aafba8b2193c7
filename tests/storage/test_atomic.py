"""A file is written whole or not at all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from zoo.storage.atomic import write_atomically
from zoo.storage.record import Record
from zoo.storage.states import TrainingState


def test_a_write_that_fails_leaves_the_old_contents_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, lambda file: file.write(b"old"))

    def torn(file):
        file.write(b"ne")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_atomically(path, torn)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_was_writing_is_cleared_away(tmp_path):
    record = Record(tmp_path)
    program = (
        "import os, sys; from zoo.storage.record import Record; from pathlib import Path; "
        "from zoo.storage.records import Status; "
        "record = Record(Path(sys.argv[1])); record.write_status(Status(state='done')); "
        "os.fsync = lambda file: os.kill(os.getpid(), 9); record.write_status(Status(state='running'))"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(".status.json.*")
    mine = tmp_path / f".history.csv.{socket.gethostname()}-{os.getpid()}-1"
    elsewhere = tmp_path / ".history.csv.another-host-1-1"
    for path in (mine, elsewhere, tmp_path / ".lock"):
        path.touch()
    record.remove_unfinished()
    assert not left.exists() and record.status().state is TrainingState.DONE
    assert mine.exists() and elsewhere.exists() and (tmp_path / ".lock").exists()
