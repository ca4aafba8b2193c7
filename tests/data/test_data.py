"""The data sets: published checksums, the verified cache, a user's own set, and the command line."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zoo import data
from zoo.data import DataError, cache
from zoo.data import __main__ as command


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache directory."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def register_own(returned, classes="ab", image_size=2, **more):
    @data.register("own", classes=classes, image_size=image_size, **more)
    def own(data_dir):
        return returned(data_dir) if callable(returned) else returned


def pair(images=3, size=2, channels=3, dtype=np.uint8, labels=(0, 1, 1)):
    return np.zeros((images, size, size, channels), dtype), np.array(labels)


# ---- CIFAR-10 as published


def test_cifar10_has_the_published_counts_and_channel_means(cifar10):
    for split, per_class in (("train", 5000), ("test", 1000)):
        images, labels = cifar10[split]
        assert images.shape == (10 * per_class, 32, 32, 3) and images.dtype == np.uint8
        assert labels.dtype == np.uint8
        assert np.bincount(labels).tolist() == [per_class] * 10
    means = [float(cifar10["train"][0][..., channel].mean()) for channel in range(3)]
    assert means == pytest.approx([125.307, 122.950, 113.865], abs=6e-4)


def test_cifar10_starts_with_the_well_known_images(cifar10):
    """The first training image is a frog, the second a truck; the first test images are a cat and two ships."""
    names = data.info("cifar10").classes
    assert [names[label] for label in cifar10["train"][1][:2]] == ["frog", "truck"]
    assert [names[label] for label in cifar10["test"][1][:3]] == ["cat", "ship", "ship"]
    assert cifar10["train"][0][0, 0, 0].tolist() == [59, 62, 63]  # upper left of the frog: red, green, blue


def test_cifar10_is_mapped_from_the_cache_and_cannot_be_changed(cifar10):
    images, labels = cifar10["train"]
    assert isinstance(images, np.memmap) and isinstance(labels, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_the_digest_is_that_of_the_four_published_ones():
    published = (
        "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a"
        "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253"
        "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04"
        "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5"
    )
    assert data.digest("cifar10") == hashlib.sha256(published.encode()).hexdigest()


# ---- digits


def test_digits_hold_every_image_of_scikit_learn_once(own_cache):
    from sklearn.datasets import load_digits

    original = load_digits()
    (train, train_labels), (test, test_labels) = (data.load("digits", split) for split in data.SPLITS)
    assert train.shape == (1437, 32, 32, 3) and test.shape == (360, 32, 32, 3)
    images, labels = np.concatenate([train, test]), np.concatenate([train_labels, test_labels])
    assert (images[..., :1] == images).all()  # grey
    small = images[:, ::4, ::4, 0]
    assert (small.repeat(4, 1).repeat(4, 2) == images[..., 0]).all()
    values = np.rint(small / 255 * 16).astype(int).reshape(len(small), -1)
    ours = sorted((*row, label) for row, label in zip(values.tolist(), labels.tolist(), strict=True))
    theirs = zip(original.data.astype(int).tolist(), original.target.tolist(), strict=True)
    assert ours == sorted((*row, label) for row, label in theirs)
    assert np.bincount(test_labels).min() >= 20


def test_cached_digits_need_no_scikit_learn(own_cache, monkeypatch):
    first = data.load("digits", "train")[0]
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)  # an import of it fails from here on
    again = data.load("digits", "train")[0]
    assert isinstance(again, np.memmap) and (again == first).all()


def test_digits_work_where_nothing_can_be_cached(monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, "/dev/null/x")
    images, labels = data.load("digits", "test")
    assert len(images) == len(labels) == 360
    with pytest.raises(ValueError, match="read-only"):
        labels[0] = 0


# ---- the cache


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "pickle"])
def test_a_damaged_file_is_named_and_replaced(own_cache, caplog, damage):
    before = np.array(data.load("digits", "train")[0])
    file = own_cache / "digits" / "train_images.npy"
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
    if damage == "pickle":
        content = b"\x80\x04N."
    file.write_bytes({"cut": content[: len(content) // 2], "empty": b""}.get(damage, content))
    after = data.load("digits", "train")[0]
    assert (after == before).all()
    [record] = caplog.records
    assert record.levelname == "WARNING" and record.getMessage().startswith(f"data: {file} is damaged (")
    data.load("digits", "train")
    assert caplog.records == [record]


def test_wrong_bytes_are_refused_and_not_cached(own_cache):
    wrong = {split: (np.zeros((2, 2, 2, 3), np.uint8), np.zeros(2, np.uint8)) for split in data.SPLITS}
    with pytest.raises(DataError, match="the train images of wrong have sha256"):
        cache.load("wrong", ("0" * 64,) * 4, lambda _: wrong)
    assert not cache.present("wrong") and [path.name for path in (own_cache / "wrong").iterdir()] == [".lock"]


def test_what_an_interruption_leaves_is_no_cache(own_cache):
    def interrupted(staging):
        (staging / "half").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.load("cut", ("0" * 64,) * 4, interrupted)
    assert [path.name for path in (own_cache / "cut").iterdir() if path.name != ".lock"] == []


def test_what_a_killed_process_left_is_removed(own_cache):
    left = own_cache / "digits" / f"{cache.STAGING}killed"
    left.mkdir(parents=True)
    (left / "cifar-10-binary.tar.gz").write_bytes(b"half")
    data.load("digits", "test")
    assert not left.exists()


def test_an_unwritable_cache_is_one_message_that_says_what_to_do(monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, "/dev/null/x")
    with pytest.raises(DataError, match=r"cannot write the data cache in /dev/null/x \(.*ZOO_CACHE"):
        data.load("cifar10", "train")


def test_two_processes_at_once_get_the_same(own_cache):
    program = "from zoo import data; print(data.load('digits', 'test')[0].sum())"
    both = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert answers[0][0] == answers[1][0] == f"{data.load('digits', 'test')[0].sum()}\n"
    assert not list(own_cache.glob(f"digits/{cache.STAGING}*"))


# ---- a user's own set


def test_own_set_comes_back_and_has_the_digest_of_its_bytes(tmp_path):
    directories = []

    def returned(data_dir):
        directories.append(data_dir)
        return {"train": pair(), "test": pair(images=1, labels=[1])}

    register_own(returned)
    images, labels = data.load("own", "train", data_dir=str(tmp_path))
    assert directories == [tmp_path]
    assert images.shape == (3, 2, 2, 3) and labels.tolist() == [0, 1, 1]
    parts = [bytes(36), bytes([0, 1, 1]), bytes(12), bytes([1])]
    together = "".join(hashlib.sha256(part).hexdigest() for part in parts)
    assert data.digest("own") == hashlib.sha256(together.encode()).hexdigest()


def test_own_set_with_another_digest_than_registered_is_refused():
    register_own({"train": pair(), "test": pair()}, sha256="0" * 64)
    with pytest.raises(DataError, match=r"own has sha256 .* registered with 0000"):
        data.load("own", "train")


def test_own_set_with_known_checksums_of_its_arrays():
    parts = [bytes(36), bytes([0, 1, 1]), bytes(36), bytes([0, 1, 1])]
    sha256s = [hashlib.sha256(part).hexdigest() for part in parts]
    register_own({"train": pair(), "test": pair()}, sha256s=sha256s)
    assert data.load("own", "train")[1].tolist() == [0, 1, 1]
    assert data.digest("own") == hashlib.sha256("".join(sha256s).encode()).hexdigest()
    register_own({"train": pair(labels=(1, 1, 1)), "test": pair()}, sha256s=sha256s)
    with pytest.raises(DataError, match="own has sha256"):
        data.load("own", "train")


def test_more_than_256_classes_have_wide_labels():
    many = {split: pair(labels=[0, 299, 1]) for split in data.SPLITS}
    register_own(many, classes=[str(i) for i in range(300)])
    labels = data.load("own", "test")[1]
    assert labels.dtype == np.int64 and labels.tolist() == [0, 299, 1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "returns a NoneType"),
        ({"train": pair()}, r"the keys \['train'\]"),
        ({"train": pair(), "test": pair()[0]}, "test is a ndarray; return a pair"),
        ({"train": pair(dtype=np.float32), "test": pair()}, "train images are float32; return uint8 images"),
        ({"train": pair(), "test": pair(channels=4)}, r"test images have the shape \[3, 2, 2, 4\]"),
        ({"train": (pair()[0][..., 0], pair()[1]), "test": pair()}, r"have the shape \[3, 2, 2\]"),
        ({"train": pair(size=3), "test": pair()}, "train images are 3x3, but image_size=2"),
        ({"train": (np.zeros((3, 2, 4, 3), np.uint8), pair()[1]), "test": pair()}, "are 2x4, but image_size=2"),
        ({"train": pair(images=0, labels=[]), "test": pair()}, "train has no images"),
        ({"train": pair(labels=[0.0, 1, 1]), "test": pair()}, r"labels are float64 \[3\]"),
        ({"train": pair(labels=[[0], [1], [1]]), "test": pair()}, r"\[3, 1\]; return one integer label"),
        ({"train": pair(labels=[0, 1]), "test": pair()}, "train has 3 images and 2 labels"),
        ({"train": pair(labels=[0, 1, 2]), "test": pair()}, "go from 0 to 2; return one integer label .* 0 to 1"),
        ({"train": pair(labels=[0, -1, 1]), "test": pair()}, "go from -1 to 1"),
        ({"train": pair(), "test": pair(channels=1)}, "channels differ"),
        ({"train": ([[1], [1, 2]], [0, 1]), "test": pair()}, "train is no array"),
    ],
)
def test_own_set_of_another_form_is_refused_by_name(wrong, message):
    register_own(wrong)
    with pytest.raises(DataError, match=f"data set 'own' .*{message}"):
        data.load("own", "train")


def test_what_a_user_function_raises_is_reported_with_its_line():
    def returned(_):
        return open("/nonexistent/labels.csv")

    register_own(returned)
    with pytest.raises(DataError, match=r"'own' failed at .*test_data\.py:\d+: FileNotFoundError.*labels\.csv"):
        data.digest("own")


# ---- names and the command line


def test_a_file_in_the_package_is_a_data_set(tmp_path):
    """A copy of the package with one more file: no list names it."""
    package = Path(data.__file__).parent.parent
    shutil.copytree(package, tmp_path / "zoo", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "zoo" / "data" / "sets" / "one_more.py").write_text(
        "from zoo.data.registry import register\n"
        "@register('one_more', classes='ab', image_size=2)\n"
        "def one_more(data_dir):\n"
        "    raise AssertionError\n"
    )
    program = "from zoo import data; print(data.names(), data.info('one_more').is_shipped)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "['cifar10', 'cifar100', 'digits', 'fashion_mnist', 'one_more', 'svhn'] True\n"


def test_a_users_set_cannot_take_a_shipped_name():
    with pytest.raises(ValueError, match="a data set named 'digits' is already registered"):

        @data.register("digits", classes="ab", image_size=2)
        def digits(data_dir):
            raise AssertionError


def test_what_is_registered_in_a_block_is_forgotten_after_it():
    with data.restored():
        register_own(None)
        assert "own" in data.names()
    assert "own" not in data.names()


def test_unknown_names_and_splits_are_refused():
    with pytest.raises(DataError, match="did you mean 'cifar10'"):
        data.load("cifar-10", "train")
    with pytest.raises(DataError, match="the splits are train and test"):
        data.load("digits", "validation")


def test_fetch_and_list(own_cache, capsys):
    assert command.main(["fetch", "digits"]) == 0
    assert "1,437 training and 360 test images" in capsys.readouterr().out
    assert command.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["cifar10", "50,000", "10", "32x32", "-"]
    assert lines[2].split() == ["cifar100", "50,000", "100", "32x32", "-"]
    assert lines[3].split() == ["digits", "1,437", "10", "32x32", str(own_cache / "digits")]


def test_exit_codes(own_cache, capsys, tmp_path):
    assert command.main(["fetch", "cifar11"]) == 2
    assert "did you mean 'cifar10'" in capsys.readouterr().err
    assert command.main(["fetch", "cifar10", "--data-dir", str(tmp_path / "nowhere")]) == 1
    assert "nowhere does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        command.main(["fetch"])
    assert stopped.value.code == 2


def test_the_data_need_no_tensorflow():
    program = (
        "import sys; from zoo import data; data.names()\n"
        "heavy = {'tensorflow', 'tf_keras', 'keras', 'sklearn', 'PIL', 'rich', 'mlflow', 'pandas', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
