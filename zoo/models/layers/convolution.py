"""A convolution whose kernel's gradient is computed as a convolution, where that is the faster way.

oneDNN's own kernel for it, in bfloat16, reaches half the speed of its convolutions on small maps. The gradient

    dK[i, j, c, o] = sum over b, y, x of X[b, y + i, x + j, c] * dY[b, y, x, o]

is itself a convolution: over the image of height y and width (x, c) with the channels b, by the kernel of height y and
width x with the channels b and the filters o, in which neighbours in x lie a whole c apart, that is, dilated by c.
"""

from __future__ import annotations

# Where dY is small enough to stay in the cache, and the kernel large enough to pay for the transposes. Measured with 128
# images: on maps of 6 x 6 and 12 x 12 it takes 0.5 to 0.75 of the time, on maps of 24 x 24 more than oneDNN's own.
MOST_POSITIONS = 20_000
FEWEST_CHANNELS = 32
SMALLEST_KERNEL = 3


def convolution(x, kernel):
    """``tf.nn.conv2d`` with stride 1 and SAME padding: [B, H, W, C] and [k, l, C, O] to [B, H, W, O].

    Its gradient is the same up to the order of float32 sums.
    """
    import tensorflow as tf

    if not _pays(x, kernel):
        return tf.nn.conv2d(x, kernel, strides=1, padding="SAME")

    @tf.custom_gradient
    def convolved(x, kernel):
        def gradient(dy):
            sizes = {"input_sizes": tf.shape(x), "strides": [1, 1, 1, 1], "padding": "SAME"}
            dx = tf.raw_ops.Conv2DBackpropInput(filter=kernel, out_backprop=dy, **sizes)
            return dx, kernel_gradient(x, dy, *kernel.shape[:2])

        return tf.nn.conv2d(x, kernel, strides=1, padding="SAME"), gradient

    return convolved(x, kernel)


def kernel_gradient(x, dy, height: int, width: int):
    """[height, width, C, O] from the convolution's input [B, H, W, C] and the gradient of its output [B, H, W, O]."""
    import tensorflow as tf

    batch, rows, columns, channels = x.shape
    above, left = (height - 1) // 2, (width - 1) // 2  # as SAME pads
    image = tf.reshape(tf.transpose(x, [1, 2, 3, 0]), [1, rows, columns * channels, batch])
    # Padding of the convolution's own, for oneDNN then leaves out the products with zeros.
    margins = [[0, 0], [above, height - 1 - above], [left * channels, (width - 1 - left) * channels], [0, 0]]
    found = tf.nn.conv2d(image, tf.transpose(dy, [1, 2, 0, 3]), 1, margins, dilations=[1, 1, channels, 1])
    return tf.reshape(found, [height, width, channels, dy.shape[-1]])


def _pays(x, kernel) -> bool:
    import tensorflow as tf

    if x.dtype != tf.bfloat16 or None in x.shape or tf.config.list_physical_devices("GPU"):
        return False
    batch, rows, columns, channels = x.shape
    return (
        batch * rows * columns <= MOST_POSITIONS
        and channels >= FEWEST_CHANNELS
        and min(kernel.shape[:2]) >= SMALLEST_KERNEL
    )
