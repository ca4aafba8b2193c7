"""What machine this is, with its answers faked."""

from __future__ import annotations

import subprocess

import pytest

from zoo import machine


@pytest.mark.parametrize(
    ("gpus", "flags", "expected"),
    [
        ((), {"avx2", "avx512_bf16"}, "bfloat16"),
        ((), {"amx_bf16"}, "bfloat16"),
        ((), {"avx2", "avx512f"}, "float32"),
        ((("A100", 8.0),), set(), "bfloat16"),
        ((("V100", 7.0),), {"avx512_bf16"}, "float32"),  # the GPU trains, whatever the CPU can do
        ((("A100", 8.0), ("V100", 7.0)), set(), "float32"),
    ],
)
def test_auto_is_bfloat16_where_that_is_fast(monkeypatch, gpus, flags, expected):
    monkeypatch.setattr(machine, "gpus", lambda: gpus)
    monkeypatch.setattr(machine, "_cpu_flags", lambda: frozenset(flags))
    assert machine.precision("auto") == expected
    assert machine.precision("float32") == "float32" and machine.precision("bfloat16") == "bfloat16"


def test_the_device_is_what_trains(monkeypatch):
    monkeypatch.setattr(machine, "gpus", lambda: (("H100", 9.0), ("H100", 9.0)))
    assert machine.device() == "2 x H100"
    monkeypatch.setattr(machine, "gpus", tuple)
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(machine, "cpu_name", lambda: "Some CPU")
    assert machine.device() == "2 x Some CPU"


def git(directory, *arguments):
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_git_state_of_a_checkout_of_none_and_of_a_guest_in_another(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert machine.git_state(tmp_path) == {}
    package = tmp_path / "package"
    package.mkdir()
    (package / "code.py").write_text("x = 1\n")
    git(tmp_path, "init")
    assert machine.git_state(package) == {}  # no commit yet
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert machine.git_state(package) == {"git_commit": commit, "git_dirty": "false"}
    (package / "code.py").write_text("x = 2\n")
    assert machine.git_state(package) == {"git_commit": commit, "git_dirty": "true"}
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "code.py").write_text("x = 1\n")
    assert machine.git_state(tmp_path / "installed") == {}


def test_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.git_state(tmp_path) == {}
