"""The SqueezeNet family: few parameters, because most filters are 1x1 and the 3x3 ones see few channels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from zoo.models.arguments import CommonArguments, Conv, Count, Pool, idle_constants, smallest_for_pools
from zoo.models.registry import register

Fire = tuple[Count, Count, Count]  # (squeeze 1x1, expand 1x1, expand 3x3), the widths of a fire module
Stage = Annotated[tuple[Fire, ...], Field(min_length=1)]


def _smallest_input(stages: Sequence[Stage], pool: Pool, **_: Any) -> int:
    return smallest_for_pools(len(stages), pool[1])


variant = partial(register, smallest_input=_smallest_input, idle=idle_constants)


# The decorators run from the lowest up, so the registry lists them from the lowest up: squeeze0 first.
@variant("squeeze1", row={"stages": (((32, 64, 64), (32, 64, 64)), ((32, 128, 128), (32, 128, 128)))})
@variant("squeeze0")
def squeeze(
    input_size: int = 24,
    classes: int = 10,
    stem: Conv = (3, 64),
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = (
        ((16, 64, 64), (16, 64, 64)),
        ((32, 128, 128), (32, 128, 128)),
    ),
    pool: Pool = (3, 2),
    common: CommonArguments = CommonArguments(lrn=False, final_relu=True),
):
    """Takes [B, 24, 24, 3] standardized images and returns float32 logits of shape [B, 10].

    A first convolution, ``stem`` (kernel, width); then ``stages``, each a pool (size, stride), with ``lrn`` local
    response normalization, and fire modules: ``squeeze`` 1x1 filters, whose maps go to 1x1 and to 3x3 ``expand``
    filters side by side, joined on the channels; a ReLU after each. ``dropout`` acts on the last module's maps, as in
    the paper. A 1x1 convolution makes one map a class, and the average of each map is its logit; ``final_relu`` is the
    ReLU on those maps.

    Source: Iandola et al., arXiv:1602.07360, section 3.2 and table 1; the two sizes are tensorsandbox's.
    """
    import tf_keras as keras

    from zoo.models import layers

    conv = partial(layers.conv, initializer=common.initializer)
    normalize = partial(layers.LocalResponseNormalization, **common.lrn_constants())

    def fire(x: Any, squeeze_width: int, width1: int, width3: int, name: str) -> Any:
        x = conv(x, 1, squeeze_width, name=f"{name}_squeeze", batch_norm=common.batch_norm)
        ones = conv(x, 1, width1, name=f"{name}_1x1", batch_norm=common.batch_norm)
        threes = conv(x, 3, width3, name=f"{name}_3x3", batch_norm=common.batch_norm)
        return keras.layers.Concatenate(name=name)([ones, threes])

    images = x = keras.Input((input_size, input_size, 3), name="images")
    x = conv(x, *stem, name="conv1", role="first", batch_norm=common.batch_norm, relu=False)
    fires = 1  # counted with the convolution, as in the paper: the first module is fire2
    for i, modules in enumerate(stages, start=1):
        pooling = layers.MaxPoolingOfReLU if i == 1 else keras.layers.MaxPooling2D
        x = pooling(*pool, padding="same", name=f"pool{i}")(x)
        if common.lrn:
            x = normalize(name=f"lrn{i}")(x)
        for widths in modules:
            fires += 1
            x = fire(x, *widths, name=f"fire{fires}")
    if common.dropout:
        x = layers.Dropout(common.dropout, name="dropout")(x)
    x = conv(x, 1, classes, name="class_maps", role="last", relu=common.final_relu)
    return keras.Model(images, layers.logits_average(x), name="squeeze")
