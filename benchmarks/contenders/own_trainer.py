"""This project's trainer as a contender: the functions that a sweep's worker calls, called as it calls them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.contender import ContenderServer
from benchmarks.contenders import images

_QUESTION = "question: How fast is it?\nbase: {{model: {model}, data: cifar10, precision: {precision}}}\n"
_NO_AUGMENTATION = ("crop", "flip", "brightness", "contrast")


def config(model: str, augment: bool, precision: str):
    """The configuration of a model as a question with this base gives it."""
    from zoo import config as spec
    from zoo.plan import runs

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "speed.yaml"
        path.write_text(_QUESTION.format(model=model, precision=precision), encoding="utf-8")
        off = [] if augment else [f"base.augment.{name}=false" for name in _NO_AUGMENTATION]
        (variant,) = spec.load(path, off).variants
    return runs.resolved(variant.config)


class Trainer:
    """A network on its way; its first step, which compiles everything, is made."""

    def __init__(self, model: str, augment: bool, precision: str):
        from zoo.host.quiet_import import quiet_import

        with quiet_import():
            import tensorflow as tf
        from zoo.host import hardware
        from zoo.training.network import create_network, default_strategy
        from zoo.training.steps import Totals, training_function

        tf.config.threading.set_intra_op_parallelism_threads(hardware.cores())
        tf.config.experimental.enable_op_determinism()  # as in a sweep
        self.config, self.data = config(model, augment, precision), images.load()
        strategy = default_strategy()
        self.network = create_network(self.config, 0, images.CLASSES, len(self.data.train_images), strategy)
        pixels, labels = tf.constant(self.data.train_images), tf.constant(self.data.train_labels)
        self._steps = training_function(self.network, pixels, labels, self.config, 0)
        self._done, self._totals = 0, Totals()
        self.steps(1)

    def steps(self, count: int) -> None:
        """One call into the compiled loop."""
        self._totals = self._steps(self._done, count, self._totals)
        self._done += count


def compete(server: ContenderServer, model: str, augment: bool, precision: str, evaluated: int) -> None:
    """``train``: whole training steps, averages included. ``evaluate``: passes over ``evaluated`` test images."""
    trainer = Trainer(model, augment, precision)
    import tensorflow as tf

    from zoo.measure import cost
    from zoo.training.evaluation import evaluation_function
    from zoo.training.trainer import CALL_SECONDS

    evaluation = evaluation_function(trainer.network, tf.constant(trainer.data.test_images[:evaluated]), trainer.config)
    count = 1

    def train() -> int:
        """One call, of as many steps as the trainer would ask for."""
        nonlocal count
        began, asked = time.perf_counter(), count
        trainer.steps(asked)
        seconds = time.perf_counter() - began
        count = max(1, min(10 * asked, int(asked * CALL_SECONDS / seconds)))
        return asked * trainer.config.batch

    evaluation()
    params, macs, _ = cost(trainer.network.model)
    server.ready(params=params, macs=macs, precision=trainer.config.precision, data=trainer.data.name)
    server.serve({"train": train, "evaluate": lambda: len(evaluation())})
