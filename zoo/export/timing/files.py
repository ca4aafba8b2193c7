"""Exported files as calls that can be timed, and the circumstances of a session in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from zoo.export import manifest, registry
from zoo.export.errors import ExportError
from zoo.export.timing.session import Session
from zoo.host import hardware
from zoo.stats.costs.ratios import BUSY


def call(path: Path, batch: int, threads: int) -> Callable[[], object]:
    """Load an exported file; the call gives it ``batch`` images of noise. ``threads`` is 0 for all that the runtime takes.

    Raises ExportError where there is no such file, or it cannot be used.
    """
    if not path.exists():
        raise ExportError(f"there is no file {path}")
    made = manifest.read(path)
    exporter = registry.exporter(made.format)
    exporter.check_packages()
    predict = exporter.load(path, threads)
    size = (batch, made.input.size, made.input.size, made.input.channels)
    random = np.random.default_rng(0)
    is_whole = made.input.kind == "pixels"
    images = random.integers(0, 256, size, dtype=np.uint8) if is_whole else random.random(size, dtype=np.float32)
    return lambda: predict(images)


def circumstances(session: Session) -> str:
    """Where and beside what it was measured, and whether it counts."""
    known = [
        f"{100 * share:.1f} % {when}"
        for share, when in ((session.others_before, "before"), (session.others_during, "during it"))
        if share is not None
    ]
    others = f"others took {' and '.join(known)}" if known else "what others took is not known here"
    text = f"{hardware.device()}{_governor()}; {others}."
    if session.is_busy:
        limit = f"{100 * BUSY:.0f} %"
        text += (
            f"\nMARKED: other programs took more than {limit} of the machine: these times are compared with nothing."
        )
    return text


def _governor() -> str:
    try:
        return f", governor {Path('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor').read_text().strip()}"
    except OSError:
        return ""
