"""How a machine is divided among the trainings that run on it at once. Pure functions of numbers and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AllocationError(Exception):
    """The machine cannot be divided as asked; the message says why."""


@dataclass(frozen=True)
class Allocation:
    """What one training may use: processor cores by number, and GPUs as CUDA_VISIBLE_DEVICES names them."""

    cores: tuple[int, ...] = ()  # empty: all
    gpus: tuple[str, ...] = ()


def allocate(
    jobs: int, cores: Sequence[int], gpus: Sequence[str] = (), gpus_per_run: int | None = None
) -> list[Allocation]:
    """One allocation for each of ``jobs`` trainings: neighboring cores, as equal as can be, and GPUs of its own.

    More trainings than cores have one core each, in turn. Without ``gpus_per_run`` all GPUs are divided equally.
    Raises AllocationError when there are too few GPUs.
    """
    each = _gpus_each(jobs, len(gpus), gpus_per_run)
    return [
        Allocation(_cores(cores, number, jobs), tuple(gpus[number * each : (number + 1) * each]))
        for number in range(jobs)
    ]


def jobs_on_gpus(gpus: int, gpus_per_run: int | None) -> int:
    """How many trainings ``gpus`` GPUs hold at once. Raises AllocationError when not even one fits."""
    _gpus_each(1, gpus, gpus_per_run)
    return gpus // (gpus_per_run or 1)


def _cores(cores: Sequence[int], number: int, jobs: int) -> tuple[int, ...]:
    if jobs >= len(cores):
        return (cores[number % len(cores)],)
    return tuple(cores[number * len(cores) // jobs : (number + 1) * len(cores) // jobs])


def _gpus_each(jobs: int, gpus: int, gpus_per_run: int | None) -> int:
    if not gpus:
        if gpus_per_run:
            raise AllocationError(f"--gpus-per-run {gpus_per_run}: this machine has no GPU that a run may use")
        return 0
    each = gpus_per_run or max(1, gpus // jobs)
    if each * jobs > gpus:
        needed = f"{jobs} run{'s' if jobs > 1 else ''} of {each} GPU{'s' if each > 1 else ''} each"
        raise AllocationError(f"{needed} at once need {each * jobs} GPUs; {gpus} can be used here")
    return each
