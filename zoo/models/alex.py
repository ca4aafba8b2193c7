"""The Alex family: the network of the TensorFlow CIFAR-10 tutorial and its variants."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from zoo.models.arguments import CommonArguments, Conv, Count, Pool, idle_constants, smallest_for_pools
from zoo.models.registry import register


def _smallest_input(convs: Sequence[Conv], pool: Pool, **_: Any) -> int:
    return smallest_for_pools(len(convs), pool[1])


variant = partial(register, smallest_input=_smallest_input, idle=idle_constants)


# The decorators run from the lowest up, so the registry lists them from the lowest up: tuto first.
@variant("tuto_local", row={"local": ((3, 64), (3, 32)), "hidden": ()})
@variant(
    "cs231n",
    row={"convs": ((3, 64),), "pool": (2, 2), "hidden": (500,)},
    training={"weight_decay.layers": "all_but_last"},
)
@variant("alex4", row={"convs": ((5, 96), (3, 96)), "lrn": False})
@variant("alex3", row={"hidden": (384,)})
@variant("alex2", row={"lrn": False})
@variant("alex1", row={"convs": ((5, 64), (5, 64), (5, 64)), "hidden": (192,)})
@variant("alex0", row={"convs": ((5, 64), (3, 96))})
@variant("tuto")
def alex(
    input_size: int = 24,
    classes: int = 10,
    convs: Annotated[tuple[Conv, ...], Field(min_length=1)] = ((5, 64), (5, 64)),
    pool: Pool = (3, 2),
    hidden: tuple[Count, ...] = (384, 192),
    local: tuple[Conv, ...] = (),
    common: CommonArguments = CommonArguments(lrn=True, final_relu=False),
):
    """Takes [B, 24, 24, 3] standardized images and returns float32 logits of shape [B, 10].

    ``convs`` (kernel, width) with a ReLU, each followed by a pool (size, stride) and, with ``lrn``, by local response
    normalization: pool first after the first convolution, normalization first after the later ones. Then ``local``
    (kernel, width), locally connected layers with a ReLU, each of whose positions has a kernel of its own, and ``hidden``
    dense layers with a ReLU, and the logits, with a ReLU only if ``final_relu``. ``dropout`` acts on every hidden
    layer's output, as in AlexNet (on the features where there is no hidden layer).

    Source: TensorFlow CIFAR-10 tutorial, cifar10.py ``inference``, after Krizhevsky et al. 2012; variants of it by
    tensorsandbox; for ``cs231n``, the course of that name; for ``tuto_local``, cuda-convnet's
    ``layers-conv-local-11pct``, as the tutorial's exercise asks for it.
    """
    import tf_keras as keras

    from zoo.models import layers

    conv = partial(layers.conv, initializer=common.initializer, batch_norm=common.batch_norm)
    normalize = partial(layers.LocalResponseNormalization, **common.lrn_constants())

    images = x = keras.Input((input_size, input_size, 3), name="images")
    for i, (kernel, width) in enumerate(convs, start=1):
        between = common.lrn and i > 1
        x = conv(x, kernel, width, name=f"conv{i}", role="first" if i == 1 else "conv", relu=between)
        if between:
            x = normalize(name=f"lrn{i}")(x)
        pooling = keras.layers.MaxPooling2D if between else layers.MaxPoolingOfReLU
        x = pooling(*pool, padding="same", name=f"pool{i}")(x)
        if common.lrn and i == 1:
            x = normalize(name=f"lrn{i}")(x)
    for i, (size, filters) in enumerate(local, start=len(convs) + 1):
        x = layers.locally_connected(x, size, filters, name=f"connected{i}", initializer=common.initializer)
    x = keras.layers.Flatten(name="features")(x)
    if common.dropout and not hidden:
        x = layers.Dropout(common.dropout, name="features_dropout")(x)
    for i, units in enumerate(hidden, start=len(convs) + 1):
        x = layers.hidden_dense(
            x, units, name=f"local{i}", initializer=common.initializer, batch_norm=common.batch_norm
        )
        if common.dropout:
            x = layers.Dropout(common.dropout, name=f"local{i}_dropout")(x)
    logits = layers.logits_dense(x, classes, initializer=common.initializer, relu=common.final_relu)
    return keras.Model(images, logits, name="alex")
