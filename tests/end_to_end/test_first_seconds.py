"""The processes of a sweep: what they import, what Ctrl-C does in the first seconds, and what they print where."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from helpers.sweeps import (
    QUESTION,
    ROOT,
    Running,
    children,
    command,
    environment,
    sweep_in_new_interpreter,
    without_doubt,
)

SMALL = QUESTION.replace("[[3, 8], [3, 8]]", "[[3, 4]]").replace("steps: 240", "steps: 20")
IMPORTED = (
    "signal",
    "struct",
    "socket",
    "random",
    "pathlib",
    "json",
    "argparse",
    "pickle",
    "tempfile",
)  # by Python itself


@pytest.fixture
def directory(workdir):
    (workdir / "small.yaml").write_text(SMALL)
    return workdir


def test_python_files_in_the_working_directory_are_not_run(directory, env):
    """A signal.py there was imported in place of Python's own, by the process that writes the report."""
    for name in IMPORTED:
        (directory / f"{name}.py").write_text("raise SystemExit('a file of the working directory was run')")
    done = sweep_in_new_interpreter(directory, env, "small.yaml")
    assert done.returncode == 0 and "was run" not in done.stdout + done.stderr, done.stderr
    env = env | {"PYTHONPATH": str(ROOT)}
    for program in (["reports", "small"], ["zoo.data", "list"], ["zoo.models", "--help"]):
        started = [sys.executable, "-m", *program]
        done = subprocess.run(started, cwd=directory, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "was run" not in done.stdout + done.stderr, done.stderr


@pytest.mark.parametrize("after_s", [0.3, 1, 2, 4])
@pytest.mark.parametrize("is_counted", [True, False], ids=["networks counted", "nothing known"])
def test_ctrl_c_in_the_first_seconds(directory, env, tmp_path, after_s, is_counted):
    """There were tracebacks of the fork server's imports, and it took as long as these."""
    env = env if is_counted else environment(tmp_path / "cache")
    process = subprocess.Popen(
        command("small.yaml"), cwd=directory, env=env, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate()  # until the last process that could write to the terminal has ended
    assert process.returncode == 130 and time.monotonic() - began < 10
    assert "Traceback" not in errors and len(errors.splitlines()) <= 5, errors


def test_standard_output_that_cannot_be_written(directory, env):
    """On a full disk, closed, or in ASCII: the sweep goes on, and says so where it still can."""
    line = " ".join(command("small.yaml"))
    lost = "standard output cannot be written (No space left on device): what follows is not shown there\n"
    for redirected, code, errors in (
        ("> /dev/full", 0, lost),
        ("> /dev/full 2> /dev/full", 0, ""),
        (">&-", 0, ""),
        (">&- 2>&-", 0, ""),
        ("--plan > /dev/full", 1, lost),
    ):
        done = subprocess.run(
            ["sh", "-c", f"{line} {redirected}"], cwd=directory, env=env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, without_doubt(done.stderr)) == (code, errors), redirected
        assert (directory / "results" / "small" / "report.md").exists()
    ascii_only = env | {"PYTHONIOENCODING": "ascii"}
    done = sweep_in_new_interpreter(directory, ascii_only, "small.yaml", "--fresh")
    assert done.returncode == 0 and r"augment.flip=true \xb7 seed 0" in done.stdout
    for program in (["reports", "small"], ["zoo.data", "list"], ["zoo.models"]):
        with open("/dev/full", "w") as full:
            started, own = [sys.executable, "-m", *program], env | {"PYTHONPATH": str(ROOT)}
            done = subprocess.run(started, cwd=directory, env=own, stdout=full, stderr=subprocess.PIPE, text=True)
        assert (done.returncode, without_doubt(done.stderr)) == (1, lost)


def test_two_ctrl_c_end_a_sweep_whose_processes_are_stopped(workdir, env):
    """The worker and the server that it is forked from: nobody then said that the worker had ended, for ever."""
    (workdir / "flip.yaml").write_text(QUESTION.replace("steps: 240", "steps: 24000"))
    running = Running(workdir, env, "flip.yaml")
    running.until("loss")
    worker = running.worker()
    stopped = [worker, *(pid for pid in children(running.process.pid) if worker in children(pid))]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    running.interrupt()
    time.sleep(0.5)
    running.interrupt()
    began = time.monotonic()
    assert running.end() == 130 and time.monotonic() - began < 10
