"""The separable family: a small Xception, whose convolutions are depthwise separable or full."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import Field

from zoo.models.arguments import Conv, Count, Fraction, Initializer, Toggle
from zoo.models.registry import register

Stage = Annotated[tuple[Count, ...], Field(min_length=1)]  # widths of its convolutions


def _smallest_input(stages: tuple[tuple[int, ...], ...], **_: Any) -> int:
    return 2 ** (len(stages) - 1)  # every stage but the first halves the map


variant = partial(register, smallest_input=_smallest_input)


# The decorators run from the lowest up, so the registry lists them from the lowest up: separable0 first.
@variant("separable2", row={"stem": (3, 64), "stages": ((128, 128), (256, 256), (320, 320))})
@variant("separable1", row={"stages": ((64, 64), (128, 128), (256, 256))})
@variant("separable0")
def separable(
    input_size: int = 24,
    classes: int = 10,
    stem: Conv = (3, 32),
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = ((48, 48), (96, 96), (128, 128)),
    depthwise: Toggle = True,
    residual: Toggle = True,
    batch_norm: Toggle = True,
    dropout: Fraction = 0.0,
    initializer: Initializer = "he",
):
    """Takes [B, 24, 24, 3] standardized images and returns float32 logits of shape [B, 10].

    A first convolution, ``stem`` (kernel, width); then ``stages``, each of 3x3 convolutions with these widths and, but for
    the first, a 3x3 max pool of stride 2 before it. With ``depthwise`` such a convolution is separable: one 3x3 filter for
    each map, then a 1x1 convolution, no ReLU between; without, it is a full one, on the same stack. With ``residual`` the
    input of a stage is added to its output, through a 1x1 convolution where the widths differ. The average of each map,
    with ``dropout``, goes to the logits.

    Source: Chollet, arXiv:1610.02357, figure 5 and section 4.7 (no ReLU between the two parts); the sizes are this zoo's,
    all below half a million parameters.
    """
    import tf_keras as keras

    from zoo.models import layers

    conv = partial(layers.conv, initializer=initializer, batch_norm=batch_norm)
    wide = partial(layers.separable_conv if depthwise else layers.conv, initializer=initializer, batch_norm=batch_norm)

    images = x = keras.Input((input_size, input_size, 3), name="images")
    x = conv(x, *stem, name="conv1", role="first")
    for number, widths in enumerate(stages, start=1):
        if number > 1:
            x = keras.layers.MaxPooling2D(3, 2, padding="same", name=f"pool{number}")(x)
        skipped = x
        for place, width in enumerate(widths, start=1):
            is_last = residual and place == len(widths)
            x = wide(x, 3, width, name=f"conv{number + 1}_{place}", relu=not is_last)
        if residual:
            if skipped.shape[-1] != widths[-1]:
                skipped = conv(skipped, 1, widths[-1], name=f"conv{number + 1}_shortcut", relu=False)
            x = keras.layers.Add(name=f"conv{number + 1}_sum")([x, skipped])
            x = keras.layers.ReLU(name=f"conv{number + 1}_sum_relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    if dropout:
        x = layers.Dropout(dropout, name="features_dropout")(x)
    return keras.Model(images, layers.logits_dense(x, classes, initializer=initializer), name="separable")
