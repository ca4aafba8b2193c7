"""What the tests share: real CIFAR-10, and a new MLflow store."""

from __future__ import annotations

import gc
import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import filelock
import pytest
from helpers.distribution import (  # noqa: F401  hooks
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_xdist_make_scheduler,
)
from helpers.sweeps import QUESTION, environment, fork_sweeps, sweep_in_new_interpreter

from zoo import data, models, registry
from zoo.config.recipes import RECIPES
from zoo.data.augmentation import AUGMENTATIONS
from zoo.data.errors import NoSource
from zoo.measure.readouts import READOUTS
from zoo.training.optimizers import OPTIMIZERS
from zoo.training.schedules import SCHEDULES


def pytest_collection_finish():
    """Collecting has imported TensorFlow, MLflow and all: objects that no garbage collection needs to look at again."""
    gc.collect()
    gc.freeze()


# A shell without job control, such as a script's, has what it starts in the background ignore Ctrl-C, and so does all
# that these tests start: what they say of Ctrl-C is said of a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_registrations():
    """What a test registers is forgotten at its end."""
    registries = (OPTIMIZERS.entries, SCHEDULES.entries, AUGMENTATIONS, READOUTS, RECIPES)
    with models.restored(), data.restored(), registry.restored(*registries):
        yield


@pytest.fixture(autouse=True)
def own_precision():
    """A training sets the precision of all of Keras; the next test starts with the default."""
    yield
    if "tf_keras" in sys.modules:
        sys.modules["tf_keras"].mixed_precision.set_global_policy("float32")


@pytest.fixture(scope="session")
def cifar10():
    """Real CIFAR-10, {"train": (images, labels), "test": ...}, fetched into the user's cache if need be."""
    try:
        return {split: data.load("cifar10", split) for split in data.SPLITS}
    except NoSource as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def common(tmp_path_factory, worker_id) -> Path:
    """A directory of all processes that share the tests."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def empty_store(common) -> Path:
    """A database with MLflow's tables, to copy: making them takes seconds."""
    from zoo.tracking.connection import open_client

    path = common / "empty.db"
    with filelock.FileLock(common / ".empty.lock"):
        if not path.exists():
            open_client(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def add_store(empty_store) -> Callable[[Path], Path]:
    """Puts an empty store into a directory, and returns the directory: a sweep that finds one need not make it."""

    def add(directory: Path) -> Path:
        shutil.copy(empty_store, directory / "mlflow.db")
        return directory

    return add


@pytest.fixture
def workdir(tmp_path, add_store) -> Path:
    """A directory for a sweep, with an empty store in it."""
    return add_store(tmp_path)


@pytest.fixture(scope="session")
def env(common, tmp_path_factory) -> dict[str, str]:
    """The environment of sweeps, with a cache in which the shipped networks' costs are soon known."""
    found = environment(common / "cache", tmp_path_factory.mktemp("tmp"))
    fork_sweeps(common, found)
    return found


@pytest.fixture(scope="session")
def finished(common, env) -> tuple[Path, CompletedProcess]:
    """A sweep run as a person runs it, without any disturbance: its directory and what it printed."""
    directory, kept = common / "finished", common / "finished.json"
    with filelock.FileLock(common / ".finished.lock"):
        if not kept.exists():
            directory.mkdir()
            (directory / "flip.yaml").write_text(QUESTION)
            done = sweep_in_new_interpreter(directory, env, "flip.yaml")
            kept.write_text(json.dumps(vars(done)))
    return directory, CompletedProcess(**json.loads(kept.read_text()))
