"""Which version of the code this is."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_state(directory: Path) -> dict[str, str]:
    """The commit of the code in a directory and whether it was changed since; empty where git does not keep it."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    # An installed package may lie, ignored, inside a checkout that is somebody else's.
    commit = git("rev-parse", "HEAD") if git("ls-files", "--error-unmatch", ".") is not None else None
    if commit is None:
        return {}
    return {"git_commit": commit, "git_dirty": str(bool(git("status", "--porcelain", "--untracked-files=no"))).lower()}
