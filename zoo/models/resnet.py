"""The ResNet family for small images: convolutions in pairs, each pair with a shortcut around it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from zoo.models.arguments import Count, Initializer, Toggle
from zoo.models.registry import register


def _smallest_input(widths: tuple[int, ...], **_: Any) -> int:
    return 2 ** (len(widths) - 1)  # every stage but the first halves the map


variant = partial(register, smallest_input=_smallest_input)


# The decorators run from the lowest up, so the registry lists them from the lowest up: resnet20 first.
@variant("resnet32", row={"blocks": 5})
@variant("resnet20")
def resnet(
    input_size: int = 24,
    classes: int = 10,
    blocks: Count = 3,
    widths: Annotated[tuple[Count, ...], Field(min_length=1)] = (16, 32, 64),
    residual: Toggle = True,
    shortcut: Literal["padded", "projected"] = "padded",
    batch_norm: Toggle = True,
    initializer: Initializer = "he",
):
    """Takes [B, 24, 24, 3] standardized images and returns float32 logits of shape [B, 10].

    A 3x3 convolution, then for each of ``widths`` a stage of ``blocks`` pairs of 3x3 convolutions with so many filters; the
    first of a stage has a stride of 2, but for the first stage. With ``residual`` the input of a pair is added to its output
    before the last ReLU. Where the sizes differ the shortcut takes every other pixel and is ``padded`` with zeros to the
    width (option A, no parameters), or ``projected`` by a 1x1 convolution (option B). The average of each map goes to the
    logits. The depth is 2 * blocks * stages + 2.

    Source: He et al., arXiv:1512.03385, section 4.2; 0.27 M parameters, 91.25 % published for 20 layers at 32x32. At a
    stride of 2 SAME padding adds a row and a column at the lower right only; the source's has one on each side.
    """
    import tensorflow as tf
    import tf_keras as keras

    from zoo.models import layers

    conv = partial(layers.conv, initializer=initializer, batch_norm=batch_norm)

    def skipped(x: Any, width: int, stride: int, name: str) -> Any:
        if stride == 1 and x.shape[-1] == width:
            return x
        if shortcut == "projected":
            return conv(x, 1, width, stride=stride, name=f"{name}_shortcut", relu=False)
        x = keras.layers.MaxPooling2D(1, stride, name=f"{name}_subsample")(x)
        more = width - x.shape[-1]
        return tf.pad(x, [[0, 0], [0, 0], [0, 0], [more // 2, more - more // 2]], name=f"{name}_pad") if more > 0 else x

    images = x = keras.Input((input_size, input_size, 3), name="images")
    x = conv(x, 3, widths[0], name="conv1", role="first")
    for stage, width in enumerate(widths, start=1):
        for block in range(1, blocks + 1):
            name, stride = f"conv{stage + 1}_{block}", 2 if stage > 1 and block == 1 else 1
            y = conv(x, 3, width, stride=stride, name=f"{name}a")
            y = conv(y, 3, width, name=f"{name}b", relu=not residual)
            if residual:
                y = keras.layers.Add(name=f"{name}_sum")([y, skipped(x, width, stride, name)])
                y = keras.layers.ReLU(name=f"{name}_sum_relu")(y)
            x = y
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(images, layers.logits_dense(x, classes, initializer=initializer), name="resnet")
