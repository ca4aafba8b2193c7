"""Which kind of failure an exception is, and in which words it is reported."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import tensorflow as tf
from helpers.tracked import ask

from zoo.data import DataError
from zoo.execution import failures
from zoo.execution.messages import Failed
from zoo.plugins import PluginError
from zoo.storage.errors import RecordError
from zoo.storage.records import Status
from zoo.storage.states import FailureKind, TrainingState
from zoo.training.errors import Diverged

GRAPH = """Graph execution error:

Detected at node Trouble defined at (most recent call last):
  File "own.py", line 3, in call
KeyError: 'no such wood'
\t [[{{node Trouble}}]]"""


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (Diverged("the loss is not a number at step 7"), FailureKind.DIVERGED, "the loss is not a number at step 7"),
        (ValueError("a\n  b"), FailureKind.ERROR, "ValueError: a b"),
        (MemoryError(), FailureKind.OUT_OF_MEMORY, "MemoryError: "),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
            FailureKind.OUT_OF_MEMORY,
            "ResourceExhaustedError: OOM when allocating tensor",
        ),
        (
            tf.errors.ResourceExhaustedError(None, None, "write failed; No space left on device"),
            FailureKind.DISK_FULL,
            "the disk is full (No space left on device)",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/x/history.csv"),
            FailureKind.DISK_FULL,
            "the disk is full (No space left on device)",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "a.npz"), FailureKind.ERROR, "Permission denied: a.npz"),
        (DataError("the data set has changed"), FailureKind.ERROR, "the data set has changed"),
        (PluginError(Path("own.py"), 3, "no"), FailureKind.ERROR, str(PluginError(Path("own.py"), 3, "no"))),
        (tf.errors.UnknownError(None, None, GRAPH), FailureKind.ERROR, "KeyError: 'no such wood'"),
        # The type decides, not the words.
        (
            ValueError("Diverged: ResourceExhaustedError"),
            FailureKind.ERROR,
            "ValueError: Diverged: ResourceExhaustedError",
        ),
    ],
)
def test_the_kind_and_the_words_of_an_exception(error, kind, reason):
    assert failures.failed(error) == Failed(kind, reason)


def test_a_damaged_record_is_reported_in_its_own_words(tmp_path):
    error = RecordError(tmp_path / "training.json", "it is damaged")
    assert failures.reason(error) == str(error)


def test_a_long_reason_is_cut():
    assert len(failures.reason(ValueError("x" * 5000))) < 450


@pytest.mark.parametrize(
    ("kinds", "rerun", "advice"),
    [
        (["crash"], False, ["To try it again:", "  again"]),
        (["hang", "error"], False, ["To try them again:", "  again"]),
        (["error"], False, ["Once the cause of the error is removed, this tries it again:", "  again"]),
        (["disk_full"], False, ["Once there is room on the disk, this tries it again:", "  again"]),
        (
            ["diverged"],
            False,
            ["What diverged would do so again and is not repeated, unless you ask for it:", "  again --rerun-failed"],
        ),
        (
            ["diverged"],
            True,
            ["What diverged would do so again; a smaller learning rate, float32 or another seed may help."],
        ),
    ],
)
def test_the_same_command_is_offered_only_where_it_can_help(kinds, rerun, advice, tmp_path):
    trainings = ask(tmp_path).trainings[: len(kinds)]
    for training, kind in zip(trainings, kinds, strict=True):
        training.record.directory.mkdir(parents=True)
        training.record.write_status(Status(state=TrainingState.FAILED, failure=FailureKind(kind), reason="why"))
    text = failures.failed_text([(training, "why") for training in trainings], "again", rerun)
    assert text.splitlines()[-len(advice) :] == advice
    assert ("To try" in text) == advice[0].startswith("To try")
