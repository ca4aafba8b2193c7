"""This project's trainer as a contender: the functions that a sweep's worker calls, called as it calls them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks import images
from benchmarks.contender import Floor

_QUESTION = "question: How fast is it?\nbase: {{model: {model}, data: cifar10, precision: {precision}}}\n"
_NO_AUGMENTATION = ("crop", "flip", "brightness", "contrast")


def config(model: str, augment: bool, precision: str):
    """The configuration of a model as a question with this base gives it."""
    from zoo import plan, spec

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "speed.yaml"
        path.write_text(_QUESTION.format(model=model, precision=precision), encoding="utf-8")
        off = [] if augment else [f"base.augment.{name}=false" for name in _NO_AUGMENTATION]
        (variant,) = spec.load(path, off).variants
    return plan.resolved(variant.config)


def compete(floor: Floor, model: str, augment: bool, precision: str, evaluated: int) -> None:
    """``train``: whole training steps, averages included. ``evaluate``: passes over ``evaluated`` test images."""
    from zoo.quiet import quiet_import

    with quiet_import():
        import tensorflow as tf
    from zoo import machine
    from zoo.measure import cost
    from zoo.training import trainer
    from zoo.training.steps import Totals, evaluation_function, training_function

    tf.config.threading.set_intra_op_parallelism_threads(machine.cores())
    tf.config.experimental.enable_op_determinism()  # as in a sweep
    chosen, loaded = config(model, augment, precision), images.load()
    strategy = trainer.default_strategy()
    network = trainer.create_network(chosen, 0, images.CLASSES, len(loaded.train_images), strategy)
    pixels, labels = tf.constant(loaded.train_images), tf.constant(loaded.train_labels)
    steps = training_function(network, pixels, labels, chosen, 0)
    evaluation = evaluation_function(network, tf.constant(loaded.test_images[:evaluated]), chosen)
    done, count, totals = 0, 1, Totals()

    def train() -> int:
        """One call into the compiled loop, of as many steps as the trainer would ask for."""
        nonlocal done, count, totals
        began, asked = time.perf_counter(), count
        totals = steps(done, asked, totals)
        done += asked
        seconds = time.perf_counter() - began
        count = max(1, min(10 * asked, int(asked * trainer.CALL_SECONDS / seconds)))
        return asked * chosen.batch

    steps(0, 0, totals)
    evaluation()
    params, macs, _ = cost(network.model)
    floor.ready(params=params, macs=macs, precision=chosen.precision, data=loaded.name)
    floor.serve({"train": train, "evaluate": lambda: len(evaluation())})
