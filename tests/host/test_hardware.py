"""What machine this is, with faked answers of its system."""

from __future__ import annotations

import os

import pytest

from zoo.host import hardware
from zoo.host.hardware import Gpu

A100, V100 = Gpu("0", "A100", 8.0), Gpu("1", "V100", 7.0)


@pytest.mark.parametrize(
    ("gpus", "flags", "expected"),
    [
        ((), {"avx2", "avx512_bf16"}, "bfloat16"),
        ((), {"amx_bf16"}, "bfloat16"),
        ((), {"avx2", "avx512f"}, "float32"),
        ((A100,), set(), "bfloat16"),
        ((V100,), {"avx512_bf16"}, "float32"),  # the GPU trains, whatever the CPU can do
        ((A100, V100), set(), "float32"),
    ],
)
def test_auto_is_bfloat16_where_that_is_fast(monkeypatch, gpus, flags, expected):
    monkeypatch.setattr(hardware, "gpus", lambda: gpus)
    monkeypatch.setattr(hardware, "cpu_flags", lambda: frozenset(flags))
    assert hardware.precision("auto") == expected
    assert hardware.precision("float32") == "float32" and hardware.precision("bfloat16") == "bfloat16"


def test_the_device_is_what_trains(monkeypatch):
    monkeypatch.setattr(hardware, "gpus", lambda: (Gpu("0", "H100", 9.0), Gpu("1", "H100", 9.0)))
    assert hardware.device() == "2 x H100"
    monkeypatch.setattr(hardware, "gpus", tuple)
    monkeypatch.setattr(hardware.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(hardware, "cpu_name", lambda: "Some CPU")
    assert hardware.device() == "2 x Some CPU"


NVIDIA_SMI = """#!/bin/sh
[ "$1" = --query-gpu=index,uuid,name,compute_cap ] || exit 1
echo "0, GPU-aaaa-1, NVIDIA A100-SXM4-80GB, 8.0"
echo "1, GPU-aabb-2, Tesla V100, 7.0"
echo "2, GPU-cccc-3, NVIDIA H100, 9.0"
"""


@pytest.fixture
def three_gpus(tmp_path, monkeypatch):
    """A machine on which ``nvidia-smi`` tells of three."""
    program = tmp_path / "nvidia-smi"
    program.write_text(NVIDIA_SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    hardware.installed_gpus.cache_clear()
    yield program
    hardware.installed_gpus.cache_clear()


def testinstalled_gpus_that_there_are(three_gpus):
    assert hardware.gpus() == (
        Gpu("0", "NVIDIA A100-SXM4-80GB", 8.0),
        Gpu("1", "Tesla V100", 7.0),
        Gpu("2", "NVIDIA H100", 9.0),
    )


@pytest.mark.parametrize(
    ("visible", "addresses"),
    [
        ("", []),
        ("-1", []),
        ("2", ["2"]),
        ("2,0", ["2", "0"]),  # in this order
        (" 1 , 2 ", ["1", "2"]),
        ("GPU-cccc-3", ["GPU-cccc-3"]),
        ("GPU-c,GPU-aab", ["GPU-c", "GPU-aab"]),  # the beginning of an identity is enough
        ("0,7,1", ["0"]),  # what stands behind an unknown one does not count
        ("1,-1,2", ["1"]),
        ("0,,1", ["0"]),
    ],
)
def test_the_gpus_that_a_person_lets_be_seen(three_gpus, monkeypatch, visible, addresses):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.address for gpu in hardware.gpus()] == addresses


def test_a_gpu_keeps_its_name_under_any_address(three_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-cc")
    assert hardware.gpus() == (Gpu("GPU-cc", "NVIDIA H100", 9.0),)


def test_a_driver_that_does_not_answer_means_no_gpu(three_gpus):
    three_gpus.write_text("#!/bin/sh\necho no driver\nexit 9\n")
    assert hardware.gpus() == ()
