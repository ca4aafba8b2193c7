"""How much disk trainings need, with figures that can be worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from zoo.plan import disk
from zoo.plan.disk import DiskNeeds, disk_needs, training_bytes


def test_disk_by_hand(ten_steps):
    # Three checkpoints of 1,000 weights and averages of 4 bytes; 360 predictions of 10 logits and a label, twice here and
    # once in MLflow; 10 metrics of 150 bytes at 2 evaluations; 300,000 bytes of small files.
    whole = 3 * 8000 + 3 * 360 * 41 + 2 * 10 * 150 + 300_000
    assert training_bytes(ten_steps().trainings[0]) == whole
    adam = ten_steps("precision", "optimizer.name: adam, precision")
    assert training_bytes(adam.trainings[0]) == whole + 3 * 8000  # two moments
    momentum = ten_steps("precision", "optimizer.momentum: 0.9, precision")
    assert training_bytes(momentum.trainings[0]) == whole + 3 * 4000


@pytest.mark.parametrize(("free", "is_short"), [(742_560, False), (742_559, True)])
def test_more_than_is_free_is_too_little(tmp_path, ten_steps, monkeypatch, free, is_short):
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    needs = disk_needs(ten_steps().trainings, tmp_path)
    assert needs == DiskNeeds(742_560, free) and needs.is_short == is_short  # 2 x 371,280 bytes
    warning = "; that is too little: make room, or expect runs to fail" if is_short else ""
    assert needs.text == f"up to 743 kB of disk, 743 kB are free{warning}"
