"""``--executor instant``: plausible results at once and without TensorFlow, for tests of everything around the training.

What it leaves on disk is what a training leaves there, checkpoints aside. The numbers are a function of the training's key
alone, and those of its predictions are those of its history. Sweeps that are forked by ``launcher.py`` know it.
"""

from __future__ import annotations

import time
from collections import deque

import numpy as np
from helpers import tracked

from zoo import data
from zoo.execution import executors
from zoo.execution.executor import Event, ExecutorEntry, ExecutorOptions, Job
from zoo.execution.messages import Exited, Finished, Message, Stopped
from zoo.storage.records import LatencyRecord
from zoo.training.events import ProgressUpdate

NAME = "instant"


class InstantAttempt:
    """A training whose evaluations are still to be reported."""

    def __init__(self, job: Job):
        self.job = job
        self._messages: deque[Message] = deque((*_train(job), Finished(), Exited()))

    def stop(self) -> None:
        self._messages = deque((Stopped(), Exited()))

    def kill(self) -> None:
        self._messages = deque((Exited(),))

    def dump(self) -> None:
        pass

    def messages(self) -> list[Message]:
        """All that there is to report; after the last of them there is nothing more."""
        reported = list(self._messages)
        self._messages.clear()
        return reported


class InstantExecutor:
    """Runs any number of trainings at once, each of which is done when it begins."""

    def __init__(self, options: ExecutorOptions):
        self.slots = options.at_once
        self._running: list[InstantAttempt] = []

    def start(self, job: Job) -> InstantAttempt:
        self._running.append(InstantAttempt(job))
        return self._running[-1]

    def reduce_slots(self) -> bool:
        return False

    def events(self, timeout_s: float) -> list[Event]:
        reported = [Event(attempt, message) for attempt in self._running for message in attempt.messages()]
        self._running.clear()
        return reported

    def close(self) -> None:
        self._running.clear()


def register() -> None:
    executors.register(NAME, ExecutorEntry(InstantExecutor))


def _train(job: Job) -> list[ProgressUpdate]:
    """Write the results; returns what is reported of them."""
    training, record = job.training, job.training.record
    _, labels = data.load(training.config.data, "test", job.data_dir)
    random = np.random.default_rng(int(training.key[:16], 16))
    tracked.begin(training, started=time.time())
    last = max(training.targets)
    steps = sorted(
        {*range(training.config.evaluate_every, last + 1, training.config.evaluate_every), *training.targets}
    )
    wrong = np.argsort(random.random(len(labels)))  # the later a place, the longer its label is taken for another
    last_error = 0.16 + 0.01 * random.normal()  # fraction of the images
    rows = []
    for step in steps:
        accuracies, logits = {}, {}
        for which, bonus in (("raw", 0.0), ("ema", 0.02)):
            right = np.ones(len(labels), bool)
            right[wrong[: int(len(labels) * (last_error - bonus + 0.5 * (1 - step / last)))]] = False
            accuracies[f"test/accuracy_{which}"] = float(right.mean())
            accuracies[f"test/top5_{which}"] = 1.0
            logits[f"logits_{which}"] = _logits(labels, right, len(data.info(training.config.data).classes), random)
        rows.append(tracked.row(step) | accuracies | {"evaluate_s": 0.01, "time": time.time()})
        if step in training.targets:
            path = record.results_file(step)
            path.parent.mkdir(exist_ok=True)
            np.savez(path, labels=labels, **logits)
    record.write_history(rows)
    record.write_latency(LatencyRecord(percentiles_ms={"p50": 1.5, "p90": 2.5, "p99": 3.5}))
    return [ProgressUpdate(int(row["step"]), row["train/loss"], row["train/images_per_s"], row) for row in rows]


def _logits(labels: np.ndarray, right: np.ndarray, classes: int, random: np.random.Generator) -> np.ndarray:
    """Of the images that are not right, another class has the largest logit: float32 [N, classes]."""
    logits = random.normal(size=(len(labels), classes)).astype(np.float32)
    chosen = np.where(right, labels, (labels.astype(int) + 1) % classes)
    logits[np.arange(len(labels)), chosen] += 10
    return logits
