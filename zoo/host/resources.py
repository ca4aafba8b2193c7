"""How a machine is shared out among the trainings that run on it at once. Pure functions of numbers and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ShareError(Exception):
    """The machine cannot be shared out as asked; the message says why."""


@dataclass(frozen=True)
class Share:
    """What one training may use: processor cores by number, and GPUs as CUDA_VISIBLE_DEVICES names them."""

    cores: tuple[int, ...]
    gpus: tuple[str, ...] = ()


def split(jobs: int, cores: Sequence[int], gpus: Sequence[str] = (), gpus_per_run: int | None = None) -> list[Share]:
    """One share for each of ``jobs`` trainings: neighboring cores, as equal as can be, and GPUs of its own.

    More trainings than cores have one core each, in turn. Without ``gpus_per_run`` all GPUs are shared out equally.
    Raises ShareError when there are too few GPUs.
    """
    each = _gpus_each(jobs, len(gpus), gpus_per_run)
    return [
        Share(_part(cores, number, jobs), tuple(gpus[number * each : (number + 1) * each])) for number in range(jobs)
    ]


def jobs_for(gpus: int, gpus_per_run: int | None) -> int:
    """How many trainings ``gpus`` GPUs hold at once. Raises ShareError when not even one fits."""
    _gpus_each(1, gpus, gpus_per_run)
    return gpus // (gpus_per_run or 1)


def _part(cores: Sequence[int], number: int, jobs: int) -> tuple[int, ...]:
    if jobs >= len(cores):
        return (cores[number % len(cores)],)
    return tuple(cores[number * len(cores) // jobs : (number + 1) * len(cores) // jobs])


def _gpus_each(jobs: int, gpus: int, gpus_per_run: int | None) -> int:
    if not gpus:
        if gpus_per_run:
            raise ShareError(f"--gpus-per-run {gpus_per_run}: this machine has no GPU that a run may use")
        return 0
    each = gpus_per_run or max(1, gpus // jobs)
    if each * jobs > gpus:
        needed = f"{jobs} run{'s' if jobs > 1 else ''} of {each} GPU{'s' if each > 1 else ''} each"
        raise ShareError(f"{needed} at once need {each * jobs} GPUs; {gpus} can be used here")
    return each
