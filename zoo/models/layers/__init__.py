"""Keras layers and blocks that tf_keras lacks or that the families share, for maps [B, H, W, C].

Under the Keras policy ``mixed_bfloat16`` the blocks compute in bfloat16 and the logits are float32. Importing this
package imports TensorFlow; it may import ``zoo.host`` and nothing else of ours.
"""

from zoo.host.quiet_import import quiet_import

with quiet_import():  # before the modules below import them without it
    import tensorflow  # noqa: F401
    import tf_keras  # noqa: F401

from zoo.models.layers.blocks import (
    conv,
    hidden_dense,
    locally_connected,
    logits_average,
    logits_dense,
    separable_conv,
)
from zoo.models.layers.convolution import Conv2D
from zoo.models.layers.dropout import Dropout, randomness
from zoo.models.layers.initialization import initializers
from zoo.models.layers.local import LocallyConnected2D
from zoo.models.layers.normalization import LocalResponseNormalization, local_response_normalization
from zoo.models.layers.pooling import MaxPoolingOfReLU

__all__ = [
    "Conv2D",
    "Dropout",
    "LocalResponseNormalization",
    "LocallyConnected2D",
    "MaxPoolingOfReLU",
    "conv",
    "hidden_dense",
    "initializers",
    "local_response_normalization",
    "locally_connected",
    "logits_average",
    "logits_dense",
    "randomness",
    "separable_conv",
]
