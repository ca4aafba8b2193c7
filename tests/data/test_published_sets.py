"""Data sets from their published files: Fashion-MNIST for real where it is, SVHN and CIFAR-100 from files of their form."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from zoo import data
from zoo.data import cache, published, sources
from zoo.data.errors import DataError, NoSource, SourceError
from zoo.data.published import Published, PublishedFile
from zoo.data.sets import cifar100, fashion_mnist, svhn

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A cache of its own, and no network."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))

    def fail(*_):
        raise SourceError("no network")

    monkeypatch.setattr(sources, "download", fail)
    yield
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


# --- Fashion-MNIST ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_fashion_mnist_as_published():
    images, labels = data.load("fashion_mnist", "train")
    assert images.shape == (60_000, 28, 28, 1) and images.dtype == np.uint8
    assert (np.bincount(labels) == 6_000).all()
    assert labels[:8].tolist() == [9, 0, 0, 3, 0, 2, 7, 2]  # the first is an ankle boot, as in the paper's figure
    assert (
        round(images.mean() / 255, 4) == 0.2860 and round(images.std() / 255, 4) == 0.3530
    )  # as everybody normalizes it
    test, _ = data.load("fashion_mnist", "test", DEBIAN)
    assert test.shape == (10_000, 28, 28, 1) and isinstance(test, np.memmap)
    assert data.info("fashion_mnist").classes[9] == "ankle boot"


def idx(values: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
    return gzip.compress(head + values.tobytes())


def test_the_idx_format_by_hand(tmp_path):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a.gz").write_bytes(idx(values))
    assert np.array_equal(fashion_mnist._idx(tmp_path / "a.gz", (2, 3, 4)), values)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"nope", "damaged or cut short"),
        (idx(np.zeros((2, 3, 4), np.uint8))[:-9], "damaged or cut short"),
        (idx(np.zeros((2, 3, 5), np.uint8)), "not an idx file of 2 x 3 x 4 bytes|longer than"),
        (gzip.compress(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 1])), "cut short: 1 values of 24"),
        (gzip.compress(bytes(10_000_000)), "longer than the 40 bytes"),
    ],
    ids=["no gzip", "cut", "another shape", "too few", "too many"],
)
def test_idx_files_that_are_damaged(tmp_path, contents, message):
    (tmp_path / "a.gz").write_bytes(contents)
    with pytest.raises(SourceError, match=message):
        fashion_mnist._idx(tmp_path / "a.gz", (2, 3, 4))


def test_other_pictures_in_files_of_its_names_are_refused(tmp_path):
    for prefix, count in (("train", 60_000), ("t10k", 10_000)):
        (tmp_path / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx(np.zeros((count, 28, 28), np.uint8)))
        (tmp_path / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(np.zeros(count, np.uint8)))
    with pytest.raises(DataError, match="the train images of fashion_mnist have sha256"):
        data.load("fashion_mnist", "train", tmp_path)


# --- SVHN ---------------------------------------------------------------------------------------------------------


def write_svhn(directory: Path, **changes):
    random = np.random.default_rng(0)
    for split, count in (("train", 30), ("test", 20)):
        images = random.integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        contents = {"X": images, "y": (np.arange(count) % 10 + 1).reshape(-1, 1).astype(np.uint8)} | changes
        savemat(directory / f"{split}_32x32.mat", contents, do_compression=True)


def test_svhn_files_by_hand(tmp_path):
    write_svhn(tmp_path)
    arrays = svhn.decoded(tmp_path)
    from scipy.io import loadmat

    original = loadmat(tmp_path / "train_32x32.mat")
    images, labels = arrays["train"]
    assert images.shape == (30, 32, 32, 3)
    assert images[7, 3, 5, 2] == original["X"][3, 5, 2, 7]
    assert labels[:11].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]  # the digit 0 has the label 10 in the files


@pytest.mark.parametrize(
    "changes",
    [{"X": np.zeros((32, 32, 3, 4))}, {"X": np.zeros((4, 32, 32, 3), np.uint8)}, {"y": np.full((30, 1), 11)}],
)
def test_svhn_files_of_another_form(tmp_path, changes):
    write_svhn(tmp_path, **changes)
    with pytest.raises(SourceError, match="is of another form"):
        svhn.decoded(tmp_path)
    (tmp_path / "train_32x32.mat").write_bytes(b"nope")
    with pytest.raises(SourceError, match="is not a MATLAB file with X and y"):
        svhn.decoded(tmp_path)


def test_svhn_by_name_is_verified_by_the_published_md5(tmp_path):
    write_svhn(tmp_path)
    with pytest.raises(
        DataError, match=r"train_32x32\.mat is damaged or cut short: md5 e26dedcc434d2e4c54c9b2d4a06d8373 exp"
    ):
        data.load("svhn", "train", tmp_path)


# --- CIFAR-100 ----------------------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch):
    """Archives with a few images."""
    monkeypatch.setattr(cifar100, "_COUNTS", {"train": 6, "test": 4})
    random = np.random.default_rng(1)
    images = {split: random.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8) for split, n in cifar100._COUNTS.items()}
    labels = {split: random.integers(0, 100, n, dtype=np.uint8) for split, n in cifar100._COUNTS.items()}
    return images, labels


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def planes(images: np.ndarray) -> np.ndarray:
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def test_both_forms_of_cifar_100(tmp_path, few):
    images, labels = few
    binary = {
        f"cifar-100-binary/{split}.bin": b"".join(
            bytes([7, label]) + row.tobytes() for label, row in zip(labels[split], planes(images[split]), strict=True)
        )
        for split in images
    }
    python = {
        f"cifar-100-python/{split}": pickle.dumps(
            {
                b"data": planes(images[split]),
                b"fine_labels": labels[split].tolist(),
                b"coarse_labels": [7] * len(labels[split]),
                b"filenames": [b"a.png"] * len(labels[split]),
            },
            protocol=2,
        )
        for split in images
    }
    for name, members in (("binary", binary), ("python", python)):
        arrays = cifar100.decoded(archive(tmp_path / f"{name}.tar.gz", members | {"x/meta": b"?"}))
        for split in images:
            assert np.array_equal(arrays[split][0], images[split]) and np.array_equal(arrays[split][1], labels[split])


def test_archives_of_cifar_100_that_are_damaged(tmp_path, few):
    with pytest.raises(SourceError, match=r"train\.bin is damaged: 5 bytes, 18,444 expected"):
        cifar100.decoded(archive(tmp_path / "a.tar.gz", {"train.bin": b"12345"}))
    with pytest.raises(SourceError, match="train is damaged or not of CIFAR-100"):
        cifar100.decoded(archive(tmp_path / "b.tar.gz", {"train": b"\x80\x02cos\nsystem\n."}))
    with pytest.raises(SourceError, match="is incomplete: train, test missing"):
        cifar100.decoded(archive(tmp_path / "c.tar.gz", {"meta": b""}))
    (tmp_path / "d.tar.gz").write_bytes(b"nope")
    with pytest.raises(SourceError, match="damaged or cut short"):
        cifar100.decoded(tmp_path / "d.tar.gz")


def test_the_classes_of_cifar_100():
    classes = data.info("cifar100").classes
    assert len(set(classes)) == 100 and list(classes) == sorted(classes)
    assert classes[0] == "apple" and classes[53] == "orange" and classes[99] == "worm"


# --- what they share ----------------------------------------------------------------------------------------------


def small(directory: Path, contents: bytes = b"abc") -> Published:
    """A data set of one file, of which each byte is an image."""
    md5 = hashlib.md5(b"abc", usedforsecurity=False).hexdigest()

    def decode(place: Path):
        values = np.frombuffer((place / "x.bin").read_bytes(), np.uint8)
        return {split: (values.reshape(-1, 1, 1, 1), values) for split in ("train", "test")}

    (directory / "deep").mkdir(parents=True)
    (directory / "deep" / "x.bin").write_bytes(contents)
    return Published("svhn", "Small", (PublishedFile("x.bin", "http://x/x.bin", 3, md5),), decode)


def test_a_set_without_known_checksums_of_its_arrays_keeps_its_own_and_notices_damage(tmp_path, caplog):
    found = small(tmp_path / "data").load(tmp_path / "data")
    assert found["test"][1].tolist() == list(b"abc") and isinstance(found["train"][0], np.memmap)
    (tmp_path / "data" / "deep" / "x.bin").unlink()
    assert small(tmp_path / "other").load(None)["test"][1].tolist() == list(b"abc")  # from the cache
    labels = cache.directory() / "svhn" / "test_labels.npy"
    labels.write_bytes(labels.read_bytes().replace(b"abc", b"abd"))
    with pytest.raises(NoSource, match="no network"):
        small(tmp_path / "third").load(None)
    assert "test_labels.npy is damaged" in caplog.text


def test_damaged_and_missing_files_of_a_named_directory(tmp_path):
    with pytest.raises(DataError, match=r"x\.bin is damaged or cut short: md5 9001"):
        small(tmp_path / "a", b"abd").load(tmp_path / "a")
    with pytest.raises(DataError, match=r"the data directory cannot be used: no x\.bin in"):
        small(tmp_path / "b").load(tmp_path / "absent")


def test_what_is_longer_than_it_should_be_is_not_unpacked(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(1_000)))
    with pytest.raises(SourceError, match="longer than the 100 bytes"):
        published.unzipped(tmp_path / "a.gz", 100)
