"""What machine this is: for the record of a run, and to choose a precision. Imports no TensorFlow."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ("tensorflow", "tf-keras", "numpy", "mlflow", "pandas", "scipy")


@functools.cache
def gpus() -> tuple[tuple[str, float], ...]:
    """Name and compute capability of each NVIDIA GPU that a run may use (CUDA_VISIBLE_DEVICES="" hides them all)."""
    if shutil.which("nvidia-smi") is None or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return ()
    query = ["nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    found = subprocess.run(query, capture_output=True, text=True, check=False)
    rows = [line.rsplit(",", 1) for line in found.stdout.splitlines() if "," in line] if found.returncode == 0 else []
    return tuple((name.strip(), float(capability)) for name, capability in rows)


def has_fast_bfloat16() -> bool:
    """Whether the processor that trains computes in bfloat16: a GPU from capability 8.0 on, or a CPU that says so."""
    if gpus():
        return all(capability >= 8.0 for _, capability in gpus())
    return bool({"avx512_bf16", "amx_bf16"} & _cpu_flags())


def precision(asked: str) -> str:
    """The precision that ``auto`` stands for on this machine; any other is what it is."""
    if asked != "auto":
        return asked
    return "bfloat16" if has_fast_bfloat16() else "float32"


def device() -> str:
    """In a few words, what trains here: "2 x Intel Xeon ..." or the GPUs."""
    names = [name for name, _ in gpus()]
    if names:
        return f"{len(names)} x {names[0]}"
    return f"{os.cpu_count()} x {cpu_name()}"


@functools.cache
def cpu_name() -> str:
    """The processor's name as it gives it."""
    return _cpu_field("model name") or platform.processor() or platform.machine()


def describe() -> dict[str, Any]:
    """Machine, system and library versions, for ``environment.json``."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {
        "device": device(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "fast_bfloat16": has_fast_bfloat16(),
        "memory_bytes": memory,
        "gpus": [name for name, _ in gpus()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


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


@functools.cache
def _cpu_flags() -> frozenset[str]:
    return frozenset(_cpu_field("flags").split())


def _cpu_field(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == name), "")
