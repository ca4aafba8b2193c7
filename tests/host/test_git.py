"""Which version of the code a directory holds."""

from __future__ import annotations

import subprocess

from zoo.host.git import git_state


def git(directory, *arguments):
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_git_state_of_a_checkout_of_none_and_of_a_guest_in_another(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) == {}
    package = tmp_path / "package"
    package.mkdir()
    (package / "code.py").write_text("x = 1\n")
    git(tmp_path, "init")
    assert git_state(package) == {}  # no commit yet
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_state(package) == {"git_commit": commit, "git_dirty": "false"}
    (package / "code.py").write_text("x = 2\n")
    assert git_state(package) == {"git_commit": commit, "git_dirty": "true"}
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "code.py").write_text("x = 1\n")
    assert git_state(tmp_path / "installed") == {}


def test_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) == {}
