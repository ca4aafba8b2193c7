"""The test images of a user's own data set, which a report shows without executing the user's file."""

from __future__ import annotations

import numpy as np
import pytest

from zoo import data
from zoo.data import cache
from zoo.data.own import images as own_images


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    with data.restored():
        yield


def own(images: np.ndarray, classes=("dark", "light")) -> tuple[data.DataSet, str]:
    """A data set with these images in both splits, and its checksum."""

    @data.register("own", classes=classes, image_size=images.shape[1])
    def function(data_dir):
        labels = np.arange(len(images)) % len(classes)
        return {"train": (images, labels), "test": (images, labels)}

    return data.info("own"), data.digest("own")


@pytest.mark.parametrize("channels", [1, 3])
def test_small_ones_are_kept_as_they_are_and_read_without_the_users_file(channels):
    images = np.arange(2 * 4 * 4 * channels, dtype=np.uint8).reshape(2, 4, 4, channels)
    with data.restored():
        _, sha256 = own(images)
        assert data.cached_test_images("own", sha256) is None
        data.keep_for_reports("own", sha256)
    np.testing.assert_array_equal(data.cached_test_images("own", sha256), images)  # nothing is registered any more
    assert data.known_classes("own", sha256) == ("dark", "light")
    assert data.known_classes("own", "0" * 64) == ()


def test_large_ones_are_reduced_to_means_of_squares():
    """192 pixels to 96: of each square of 2 x 2 pixels, here 0, 0, 100 and 100, the mean."""
    images = np.zeros((3, 192, 192, 3), np.uint8)
    images[:, 1::2] = 100
    _, sha256 = own(images)
    data.keep_for_reports("own", sha256)
    np.testing.assert_array_equal(data.cached_test_images("own", sha256), np.full((3, 96, 96, 3), 50, np.uint8))


def test_many_ones_are_reduced_further_or_not_kept(monkeypatch, caplog):
    """Of 100 grey images 40,000 bytes are 20 x 20 pixels each, which a third of 60 are; of 9,000 less than 16 x 16."""
    images = np.zeros((100, 60, 60, 1), np.uint8)
    known, sha256 = own(images)
    monkeypatch.setattr(own_images, "MOST_BYTES", 9_000)
    with caplog.at_level("INFO"):
        own_images.keep(known, sha256, images)
    assert "the 100 test images of own are too many" in caplog.text
    assert data.cached_test_images("own", sha256) is None
    monkeypatch.setattr(own_images, "MOST_BYTES", 40_000)
    own_images.keep(known, sha256, images)
    assert data.cached_test_images("own", sha256).shape == (100, 20, 20, 1)


def test_a_cache_that_cannot_be_written_is_said_and_stops_nothing(tmp_path, monkeypatch, caplog):
    _, sha256 = own(np.zeros((2, 4, 4, 3), np.uint8))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file"))
    with caplog.at_level("INFO"):
        data.keep_for_reports("own", sha256)
    assert "are not kept for reports" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY"])
def test_a_damaged_file_is_as_none(tmp_path, damage):
    _, sha256 = own(np.zeros((2, 4, 4, 3), np.uint8))
    data.keep_for_reports("own", sha256)
    (kept,) = tmp_path.rglob("*.npz")
    kept.write_bytes(damage)
    assert data.cached_test_images("own", sha256) is None


@pytest.mark.parametrize("tag", ["", "../../etc/passwd", "F" * 64, "f" * 63, "f" * 64 + "\n"])
def test_what_is_no_checksum_names_no_file(tag):
    assert not own_images.is_kept(tag) and data.cached_test_images("own", tag) is None
