"""The memory that inference takes: what a process of its own needs at its peak."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from zoo.export import manifest, registry
from zoo.export.errors import ExportError

PATIENCE_S = 300


class ProcessMemory(NamedTuple):
    """Resident memory of a process that classifies one image, in bytes."""

    runtime: int  # Python, NumPy and the format's runtime, before the file is loaded
    peak: int  # at most, from start to end


def of_process(path: Path) -> ProcessMemory:
    """Start a process that loads an exported file and classifies one image with one thread. Linux only.

    Raises ExportError where that process fails.
    """
    command = [sys.executable, "-m", "zoo.export.memory", str(path.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=_ROOT)
    if done.returncode:
        raise ExportError(f"the memory of {path} was not measured: {(done.stderr.splitlines() or ['no message'])[-1]}")
    return ProcessMemory(**json.loads(done.stdout))


_ROOT = Path(__file__).parents[2]  # where this package is found


def _measure(path: Path) -> ProcessMemory:
    import numpy as np

    made = manifest.read(path)
    exporter = registry.exporter(made.format)
    dtype = np.uint8 if made.input.kind == "pixels" else np.float32
    image = np.zeros((1, made.input.size, made.input.size, made.input.channels), dtype)
    exporter.import_runtime()
    runtime = _resident("VmRSS")
    exporter.load(path, 1)(image)
    return ProcessMemory(runtime, _resident("VmHWM"))


def _resident(field: str) -> int:
    """A field of /proc/self/status in bytes. Unlike getrusage, it does not count what was before this program began."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ExportError(f"this system does not say how much memory a process has ({field})")


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]))._asdict()))
