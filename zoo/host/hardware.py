"""What machine this is: for the record of a run, and to choose a precision. Imports no TensorFlow."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

PACKAGES = ("tensorflow", "tf-keras", "numpy", "mlflow", "pandas", "scipy")


class Gpu(NamedTuple):
    """One NVIDIA GPU. ``address`` is what CUDA_VISIBLE_DEVICES calls it."""

    address: str
    name: str
    capability: float  # compute capability


def gpus() -> tuple[Gpu, ...]:
    """The NVIDIA GPUs that a run may use: all, or those that CUDA_VISIBLE_DEVICES names, in its order."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return tuple(gpu for _, gpu in installed_gpus())
    named = []
    for address in (part.strip() for part in visible.split(",")):
        match = [
            gpu for uuid, gpu in installed_gpus() if address == gpu.address or (address and uuid.startswith(address))
        ]
        if not match:
            break  # as CUDA does: those after an unknown one do not count
        named.append(match[0]._replace(address=address))
    return tuple(named)


@functools.cache
def installed_gpus() -> tuple[tuple[str, Gpu], ...]:
    """UUID and GPU, of all that there are."""
    if shutil.which("nvidia-smi") is None or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return ()
    query = ["nvidia-smi", "--query-gpu=index,uuid,name,compute_cap", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    lines = [line.split(",") for line in answer.stdout.splitlines()] if answer.returncode == 0 else []
    rows = [[field.strip() for field in line] for line in lines if len(line) == 4]
    return tuple((uuid, Gpu(index, name, float(capability))) for index, uuid, name, capability in rows)


def has_fast_bfloat16() -> bool:
    """Whether the processor that trains computes in bfloat16: a GPU from capability 8.0 on, or a CPU that says so."""
    if gpus():
        return all(gpu.capability >= 8.0 for gpu in gpus())
    return bool({"avx512_bf16", "amx_bf16"} & cpu_flags())


def precision(asked: str) -> str:
    """The precision that ``auto`` stands for on this machine; any other is what it is."""
    if asked != "auto":
        return asked
    return "bfloat16" if has_fast_bfloat16() else "float32"


def device() -> str:
    """In a few words, what trains here: "2 x Intel Xeon ..." or the GPUs."""
    if gpus():
        return f"{len(gpus())} x {gpus()[0].name}"
    return f"{os.cpu_count()} x {cpu_name()}"


def cores() -> int:
    """How many processor cores this process may use."""
    return len(core_numbers())


def core_numbers() -> list[int]:
    """The processor cores that this process may use, by number."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def free_memory_bytes() -> int | None:
    """Memory that new processes can have without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)


def load() -> float:
    """How many processes wanted to run, on average over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


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
        "gpus": [gpu.name for gpu in gpus()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


@functools.cache
def cpu_flags() -> frozenset[str]:
    """The instruction sets of the processor, as Linux names them; empty where the system does not say."""
    return frozenset(_cpu_field("flags").split())


def _cpu_field(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == name), "")
