"""The NiN family: networks of small networks slid over the image, ending in an average of class maps."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from zoo.models import register
from zoo.models.arguments import Count, Initializer, Pool, Positive, Radius, Share, Toggle, smallest_for_pools

Block = tuple[Count, Count, Count, Count]  # (kernel, filters, first 1x1 width, second 1x1 width)
LastBlock = tuple[Count, Count, Count]  # (kernel, filters, first 1x1 width); the second is the number of classes


def _smallest_input(blocks, pool, **_) -> int:
    return smallest_for_pools(len(blocks), pool[1])


variant = partial(register, smallest_input=_smallest_input)


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
    lrn: Toggle = False,
    lrn_radius: Radius = 4,
    lrn_bias: Positive = 1.0,
    lrn_alpha: Positive = 0.001 / 9,
    lrn_beta: Positive = 0.75,
    batch_norm: Toggle = False,
    dropout: Share = 0.0,
    final_relu: Toggle = True,
    initializer: Initializer = "xavier",
):
    """Takes [B, 24, 24, 3] standardized images and returns float32 logits of shape [B, 10].

    A block is a convolution (kernel, filters) and two of 1x1, a ReLU after each. Every one of ``blocks`` is followed by
    a pool (size, stride), with ``lrn`` by local response normalization, and by ``dropout``. The second 1x1 convolution
    of ``last_block`` makes one map a class, and the average of each map is its logit; ``final_relu`` is the ReLU on
    those maps, unusual but part of the published result. ``batch_norm`` stands before every ReLU but the final one, and
    takes the place of that layer's bias. The ``lrn_...`` constants matter only with ``lrn``.

    Source: Lin et al., arXiv:1312.4400, sections 3 and 4; the three sizes are tensorsandbox's.
    """
    import tf_keras as keras

    from zoo.models import layers

    conv = partial(layers.conv, initializer=initializer)
    normalize = partial(
        layers.LocalResponseNormalization, radius=lrn_radius, bias=lrn_bias, alpha=lrn_alpha, beta=lrn_beta
    )

    images = x = keras.Input((input_size, input_size, 3), name="images")
    for i, (kernel, filters, width1, width2) in enumerate(blocks, start=1):
        role = "first" if i == 1 else "conv"
        x = conv(x, kernel, filters, name=f"conv{i}", role=role, batch_norm=batch_norm)
        x = conv(x, 1, width1, name=f"conv{i}_1x1a", batch_norm=batch_norm)
        x = conv(x, 1, width2, name=f"conv{i}_1x1b", batch_norm=batch_norm, relu=False)
        x = layers.MaxPoolingOfReLU(*pool, padding="same", name=f"pool{i}")(x)
        if lrn:
            x = normalize(name=f"lrn{i}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{i}")(x)
    i, (kernel, filters, width1) = len(blocks) + 1, last_block
    x = conv(x, kernel, filters, name=f"conv{i}", batch_norm=batch_norm)
    x = conv(x, 1, width1, name=f"conv{i}_1x1a", batch_norm=batch_norm)
    x = conv(x, 1, classes, name="class_maps", role="last", relu=final_relu)
    return keras.Model(images, layers.logits_average(x), name="nin")
