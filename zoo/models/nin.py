"""The NiN family: networks of small networks slid over the image, ending in an average of class maps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from zoo.models.arguments import CommonArguments, Count, Pool, idle_constants, smallest_for_pools
from zoo.models.registry import register

Block = tuple[Count, Count, Count, Count]  # (kernel, filters, first 1x1 width, second 1x1 width)
LastBlock = tuple[Count, Count, Count]  # (kernel, filters, first 1x1 width); the second is the number of classes


def _smallest_input(blocks: Sequence[Block], pool: Pool, **_: Any) -> int:
    return smallest_for_pools(len(blocks), pool[1])


variant = partial(register, smallest_input=_smallest_input, idle=idle_constants)


# The decorators run from the lowest up, so the registry lists them from the lowest up: nin0 first.
@variant(
    "nin2",
    row={"blocks": ((5, 192, 160, 96), (5, 192, 192, 192)), "last_block": (3, 192, 192), "dropout": 0.5},
)
@variant("nin1", row={"blocks": ((5, 64, 96, 96),)})
@variant("nin0")
def nin(
    input_size: int = 24,
    classes: int = 10,
    blocks: Annotated[tuple[Block, ...], Field(min_length=1)] = ((5, 64, 64, 64),),
    last_block: LastBlock = (5, 64, 64),
    pool: Pool = (3, 2),
    common: CommonArguments = CommonArguments(lrn=False, final_relu=True),
):
    """Takes [B, 24, 24, 3] standardized images and returns float32 logits of shape [B, 10].

    A block is a convolution (kernel, filters) and two of 1x1, a ReLU after each. Every one of ``blocks`` is followed by
    a pool (size, stride), with ``lrn`` by local response normalization, and by ``dropout``. The second 1x1 convolution
    of ``last_block`` makes one map a class, and the average of each map is its logit; ``final_relu`` is the ReLU on
    those maps, unusual but part of the published result.

    Source: Lin et al., arXiv:1312.4400, sections 3 and 4; the three sizes are tensorsandbox's.
    """
    import tf_keras as keras

    from zoo.models import layers

    conv = partial(layers.conv, initializer=common.initializer)
    normalize = partial(layers.LocalResponseNormalization, **common.lrn_constants())

    images = x = keras.Input((input_size, input_size, 3), name="images")
    for i, (kernel, filters, width1, width2) in enumerate(blocks, start=1):
        x = conv(x, kernel, filters, name=f"conv{i}", role="first" if i == 1 else "conv", batch_norm=common.batch_norm)
        x = conv(x, 1, width1, name=f"conv{i}_1x1a", batch_norm=common.batch_norm)
        x = conv(x, 1, width2, name=f"conv{i}_1x1b", batch_norm=common.batch_norm, relu=False)
        x = layers.MaxPoolingOfReLU(*pool, padding="same", name=f"pool{i}")(x)
        if common.lrn:
            x = normalize(name=f"lrn{i}")(x)
        if common.dropout:
            x = layers.Dropout(common.dropout, name=f"dropout{i}")(x)
    i, (kernel, filters, width1) = len(blocks) + 1, last_block
    x = conv(x, kernel, filters, name=f"conv{i}", batch_norm=common.batch_norm)
    x = conv(x, 1, width1, name=f"conv{i}_1x1a", batch_norm=common.batch_norm)
    x = conv(x, 1, classes, name="class_maps", role="last", relu=common.final_relu)
    return keras.Model(images, layers.logits_average(x), name="nin")
