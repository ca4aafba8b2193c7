"""What a user would write without this project: Keras' ``compile`` and ``fit`` over a ``tf.data`` pipeline.

``python -m benchmarks.contenders.plain_keras tuto --steps 1000`` trains and evaluates. The pipeline is that of TensorFlow's
guides: shuffle, one map function for an image with ``tf.image``'s operations, in parallel as far as pays (AUTOTUNE),
batch, prefetch. Local response normalization is ``tf.nn``'s, and averages are the optimizer's own (``use_ema``). Images,
networks, loss and learning rate are those of this project's ``sandbox`` recipe; Keras is tf_keras, as there.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.contender import ContenderServer, Timing
from benchmarks.contenders import images
from zoo.host.quiet_import import quiet_import

with quiet_import():
    import tensorflow as tf
    import tf_keras as keras

layers = keras.layers

BATCH, EVALUATION_BATCH = 128, 500
SIZE = 24  # pixels that the network sees
READY_BATCHES = 80  # of images prepared beforehand, where augmentation is off


# --- networks -----------------------------------------------------------------------------------------------------


def conv(width: int, kernel: int):
    return layers.Conv2D(width, kernel, padding="same", activation="relu")


def pool():
    return layers.MaxPooling2D(3, 2, padding="same")


def hidden(inputs: int, units: int):
    """A dense layer with the recipe's weight decay: 500 / (number of weights) * sum(w^2) / 2."""
    decay = keras.regularizers.L2(500.0 / (inputs * units) / 2)
    return layers.Dense(units, activation="relu", kernel_regularizer=decay)


def normalize(x):
    """Local response normalization with the tutorial's constants; TensorFlow has none in bfloat16."""
    wide = tf.cast(x, tf.float32)
    return tf.cast(tf.nn.local_response_normalization(wide, 4, bias=1.0, alpha=0.001 / 9, beta=0.75), x.dtype)


def alex(lrn: bool):
    def between(*parts):
        return [part for part in parts if lrn or not isinstance(part, layers.Lambda)]

    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            conv(64, 5),
            *between(pool(), layers.Lambda(normalize)),
            conv(64, 5),
            *between(layers.Lambda(normalize), pool()),
            layers.Flatten(),
            hidden(2304, 384),
            hidden(384, 192),
            layers.Dense(10, dtype="float32"),
        ]
    )


def nin():
    def block(width, kernel, first, second):
        return [conv(width, kernel), conv(first, 1), conv(second, 1)]

    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            *block(192, 5, 160, 96),
            pool(),
            layers.Dropout(0.5),
            *block(192, 5, 192, 192),
            pool(),
            layers.Dropout(0.5),
            *block(192, 3, 192, 10),
            layers.GlobalAveragePooling2D(dtype="float32"),
        ]
    )


def squeeze():
    def fire(x, width, ones, threes):
        x = conv(width, 1)(x)
        return layers.Concatenate()([conv(ones, 1)(x), conv(threes, 3)(x)])

    inputs = keras.Input((SIZE, SIZE, 3))
    x = conv(64, 3)(inputs)
    x = pool()(x)
    x = fire(x, 32, 64, 64)
    x = fire(x, 32, 64, 64)
    x = pool()(x)
    x = fire(x, 32, 128, 128)
    x = fire(x, 32, 128, 128)
    x = conv(10, 1)(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D(dtype="float32")(x))


NETWORKS = {"tuto": lambda: alex(lrn=True), "alex2": lambda: alex(lrn=False), "nin2": nin, "squeeze1": squeeze}


def compiled(model: str, averages: bool = True):
    """The network with plain gradient descent; float32 unless the Keras policy says otherwise."""
    network = NETWORKS[model]()
    network.compile(
        optimizer=keras.optimizers.SGD(0.1, use_ema=averages, ema_momentum=0.9999),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return network


# --- data ---------------------------------------------------------------------------------------------------------


def augmented(image, label):
    """One image, uint8 [32, 32, 3] to float32 [24, 24, 3], as the TensorFlow CIFAR-10 tutorial distorts it."""
    image = tf.image.random_crop(tf.cast(image, tf.float32), [SIZE, SIZE, 3])
    image = tf.image.random_flip_left_right(image)
    image = tf.image.random_brightness(image, max_delta=63)
    image = tf.image.random_contrast(image, lower=0.2, upper=1.8)
    return tf.image.per_image_standardization(image), label


def central(image, label):
    """One image to be evaluated: the central crop."""
    image = tf.image.resize_with_crop_or_pad(tf.cast(image, tf.float32), SIZE, SIZE)
    return tf.image.per_image_standardization(image), label


def training_data(pixels, labels):
    """An endless data set of augmented batches."""
    return (
        tf.data.Dataset.from_tensor_slices((pixels, labels))
        .shuffle(20_000)
        .repeat()
        .map(augmented, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(BATCH, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def test_data(pixels, labels):
    return (
        tf.data.Dataset.from_tensor_slices((pixels, labels))
        .map(central, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(EVALUATION_BATCH)
        .prefetch(tf.data.AUTOTUNE)
    )


def ready_data(pixels, labels, batch: int):
    """Whole batches that only have to be handed over: what is left is the speed of the step itself."""
    count = len(pixels) // batch
    pixels = images.central(pixels[: count * batch], SIZE).reshape(count, batch, SIZE, SIZE, 3)
    return tf.data.Dataset.from_tensor_slices((pixels, labels[: count * batch].reshape(count, batch)))


# --- as a contender -----------------------------------------------------------------------------------------------


class _ServedBetweenSteps(keras.callbacks.Callback):
    """One long ``fit``, held between two batches while others compute: its pipeline is in its stride like a real one's."""

    def __init__(self, server: ContenderServer, facts: dict, evaluate):
        super().__init__()
        self._server, self._facts, self._evaluate = server, facts, evaluate
        self._requests = self._request = None
        self._until, self._timed = 0.0, False

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if self._requests is None:  # the first batch: all is traced
            self._evaluate()
            self._server.ready(params=self.model.count_params(), **self._facts)
            self._requests = self._server.requests()
            self._next()
            return
        self._images += BATCH
        if now < self._until:
            return
        if not self._timed:
            self._clock(self._request.seconds, timed=True)
            return
        self._server.answer(Timing(self._images, now - self._began, time.process_time() - self._cpu))
        self._next()

    def _next(self):
        """Evaluate as often as that is asked, until training is asked for, or nothing more."""
        for request in self._requests:
            if request.what == "train":
                self._request = request
                self._clock(request.warm_s, timed=False)
                return
            self._server.measure(self._evaluate, request)
        self.model.stop_training = True

    def _clock(self, seconds: float, timed: bool):
        self._timed, self._images, self._cpu = timed, 0, time.process_time()
        self._began = time.perf_counter()
        self._until = self._began + seconds


def compete(server: ContenderServer, model: str, augment: bool, precision: str, evaluated: int) -> None:
    """``train``: images through ``fit``. ``evaluate``: ``model.evaluate`` over ``evaluated`` test images.

    Without ``augment``, both get ready-made batches, and there are no averages.
    """
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    loaded = images.load()
    test = loaded.test_images[:evaluated], loaded.test_labels[:evaluated]
    if augment:
        training, testing = training_data(loaded.train_images, loaded.train_labels), test_data(*test)
    else:
        count = READY_BATCHES * BATCH
        training = ready_data(loaded.train_images[:count], loaded.train_labels[:count], BATCH)
        training = training.repeat().prefetch(tf.data.AUTOTUNE)
        testing = ready_data(*test, EVALUATION_BATCH)
    network = compiled(model, averages=augment)

    def evaluate() -> int:
        network.evaluate(testing, verbose=0)
        return evaluated

    facts = {"precision": precision, "data": loaded.name}
    network.fit(training, steps_per_epoch=10**9, verbose=0, callbacks=[_ServedBetweenSteps(server, facts, evaluate)])


# --- as a script --------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contenders.plain_keras", description=__doc__)
    parser.add_argument("model", choices=NETWORKS)
    parser.add_argument("--steps", type=int, default=1000)
    options = parser.parse_args()
    loaded = images.load()
    network = compiled(options.model)
    network.fit(training_data(loaded.train_images, loaded.train_labels), steps_per_epoch=options.steps)
    network.evaluate(test_data(loaded.test_images, loaded.test_labels))
    logits = network.predict(test_data(loaded.test_images, loaded.test_labels))
    print(f"accuracy of the averaged weights: {np.mean(logits.argmax(axis=1) == loaded.test_labels):.4f}")


if __name__ == "__main__":
    main()
