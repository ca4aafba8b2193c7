"""The cost of a model for one image: parameters, multiply-adds (MACs), and operations as tensorsandbox counts them.

MACs are those of convolutions and dense layers only. Operations follow the source's convention:

- convolution: (1 + 2 * Cin * k * k) per element of its output, the 1 being the bias; dense layer: 2 * in + 1 per unit
- ReLU: 2 per element, as a layer or as another layer's activation. The source has no figure for other activations, which
  are counted the same; ``linear`` is free
- local response normalization: 4 per element and channel of the window, 36 at radius 4
- pools, averages, and whatever only moves values: free. Dropout: free, as nothing is dropped at inference
- batch normalization: free, it folds into the weights before it; its scale and shift count as parameters

Where the source has no figure, adding or multiplying maps costs 1 per element and further map, layer and group
normalization 7 per element (mean 1, center 1, variance 2, scale 1, gain 1, shift 1).

A layer that is not listed here raises ValueError, unless it has a method
``macs_and_ops(input_shape, output_shape) -> (macs, ops)``, shapes as tuples with the batch first (None).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras as keras

Layer: TypeAlias = "keras.layers.Layer"
Shapes: TypeAlias = Any  # a shape with the batch first (None), or a list of shapes where a layer has several
MacsAndOps = tuple[int, int]
Rule = Callable[[Layer, Shapes, Shapes], MacsAndOps]

RELU_OPS = 2  # per element
NORMALIZATION_OPS = 7  # per element, of layer and group normalization


class Cost(NamedTuple):
    """Cost of a model for one image; for ``ops`` see the docstring of this module."""

    params: int
    macs: int
    ops: int


class LayerCost(NamedTuple):
    """Cost of one layer for one image. ``output_shape`` leaves the batch out; ``kind`` is the class of the layer."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    params: int
    macs: int
    ops: int


def cost(model: keras.Model) -> Cost:
    """Parameters (trainable weights and biases), MACs and ops of a built ``tf_keras`` model, for one image.

    Raises ValueError, naming the layer, where something cannot be counted: a layer of a kind that is not known, a shape
    that is not fixed, a subclassed model.
    """
    rows = layer_costs(model)
    return Cost(*(sum(getattr(row, field) for row in rows) for field in Cost._fields))


def activations(model: keras.Model) -> int:
    """Values that the convolution and dense layers of a model put out for one image: ``macts`` in timm's tables.

    After Radosavovic et al., "Designing Network Design Spaces" (arXiv:2003.13678), section 3.1, who find the time on
    accelerators to follow them rather than the MACs. Raises ValueError as ``cost`` does.
    """
    return sum(math.prod(row.output_shape) for row in layer_costs(model) if row.macs)


def layer_costs(model: keras.Model) -> list[LayerCost]:
    """One row per layer, in the order of ``model.layers``; raises ValueError as ``cost`` does.

    The layers of a model within the model are named ``outer/inner``. A layer that is called several times has a row per
    call, with its parameters in the first.
    """
    counted: set[int] = set()  # weights, by identity: a shared layer or weight counts once
    return list(_rows(model, "", counted))


def _rows(model: keras.Model, prefix: str, counted: set[int]) -> Iterator[LayerCost]:
    import tf_keras as keras

    for layer, input_shape, output_shape in _calls(model):
        name = prefix + layer.name
        if isinstance(layer, keras.Model):
            yield from _rows(layer, name + "/", counted)
            continue
        macs, ops = _macs_and_ops(layer, name, input_shape, output_shape)
        params = 0
        for weight in layer.trainable_weights:
            if id(weight) not in counted:
                counted.add(id(weight))
                params += math.prod(weight.shape)
        yield LayerCost(name, type(layer).__name__, _without_batch(output_shape), params, macs, ops)


def _calls(model: keras.Model) -> Iterator[tuple[Layer, Shapes, Shapes]]:
    """(layer, input shape, output shape) of every call that the model makes, in the order of its layers."""
    nodes = [node for depth in getattr(model, "_nodes_by_depth", {}).values() for node in depth]
    if not nodes:
        raise ValueError(
            f"the cost of model {model.name!r} cannot be counted: build it with keras.Model(inputs, outputs) or "
            "keras.Sequential with a keras.Input of fixed size, so that its layers and their shapes are known"
        )
    for layer in model.layers:
        for node in nodes:
            if node.layer is layer:
                yield layer, node.input_shapes, node.output_shapes


def _macs_and_ops(layer: Layer, name: str, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    if hasattr(layer, "macs_and_ops"):
        return layer.macs_and_ops(input_shape, output_shape)
    count = _rules().get(type(layer))  # exactly this class: a subclass may compute something else
    if count is None:
        raise ValueError(
            f"the cost of layer {name!r} cannot be counted: {type(layer).__name__} is not known. "
            "Give its class a method macs_and_ops(self, input_shape, output_shape) that returns both as integers"
        )
    shapes = output_shape if isinstance(output_shape, list) else [output_shape]
    if count is not _free and any(size is None for shape in shapes for size in _without_batch(shape)):
        raise ValueError(
            f"the cost of layer {name!r} cannot be counted: its output {output_shape} has no fixed size. "
            "Give the model a keras.Input of fixed height and width"
        )
    return count(layer, input_shape, output_shape)


def _without_batch(shape: Shapes) -> tuple[int, ...]:
    """The shape of one image's values. A single-element list, as Keras has it for an input layer, is its element."""
    return tuple((shape[0] if isinstance(shape, list) else shape)[1:])


def _elements(shape: Shapes) -> int:
    return math.prod(_without_batch(shape))


def _free(layer: Layer, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    return 0, 0


def _per_element(ops: int) -> Rule:
    return lambda layer, input_shape, output_shape: (0, ops * _elements(output_shape))


def _activation(layer: Layer, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    return 0, _activation_ops(layer, output_shape)


def _activation_ops(layer: Layer, output_shape: Shapes) -> int:
    import tf_keras as keras

    if getattr(layer, "activation", None) in (None, keras.activations.linear):
        return 0
    return RELU_OPS * _elements(output_shape)


def _merge(layer: Layer, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    return 0, (len(input_shape) - 1) * _elements(output_shape)


def _products(layer: Layer, macs: int, output_shape: Shapes) -> MacsAndOps:
    """A layer of ``macs`` multiply-adds with its bias and its activation."""
    bias = _elements(output_shape) if layer.use_bias else 0
    return macs, 2 * macs + bias + _activation_ops(layer, output_shape)


def _shared_kernel(layer: Layer, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    """Convolution (strides, dilation and groups included) and dense: every position uses every weight once."""
    width = int(layer.kernel.shape[-1])
    return _products(layer, _elements(output_shape) // width * _size(layer.kernel), output_shape)


def _depthwise(layer: Layer, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    channels, multiplier = layer.depthwise_kernel.shape[-2:]
    positions = _elements(output_shape) // (channels * multiplier)
    return _products(layer, positions * _size(layer.depthwise_kernel), output_shape)


def _separable(layer: Layer, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    positions = _elements(output_shape) // int(layer.pointwise_kernel.shape[-1])
    macs = positions * (_size(layer.depthwise_kernel) + _size(layer.pointwise_kernel))
    return _products(layer, macs, output_shape)


def _unshared_kernel(layer: Layer, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    """Locally connected: as a convolution, with a kernel of its own at every position."""
    shape = _without_batch(input_shape)
    channels = shape[0] if layer.data_format == "channels_first" else shape[-1]
    return _products(layer, _elements(output_shape) * math.prod(layer.kernel_size) * channels, output_shape)


def _function(layer: Layer, input_shape: Shapes, output_shape: Shapes) -> MacsAndOps:
    """A TensorFlow function called on a Keras tensor, such as ``x + y`` or ``tf.nn.relu(x)``."""
    symbol = layer.symbol
    if symbol in _FREE_FUNCTIONS:
        return 0, 0
    if symbol in _FUNCTION_OPS:
        return 0, _FUNCTION_OPS[symbol] * _elements(output_shape)
    raise ValueError(
        f"the cost of layer {layer.name!r} cannot be counted: the function {symbol} is not known. "
        "Use a Keras layer, or a layer of your own with a method macs_and_ops(self, input_shape, output_shape)"
    )


_FREE_FUNCTIONS = {
    "reshape",
    "concat",
    "transpose",
    "identity",
    "cast",
    "pad",
    "compat.v1.pad",  # what tf.pad on a Keras tensor becomes
    "squeeze",
    "expand_dims",
    "stop_gradient",
}
_FREE_FUNCTIONS |= {"math.reduce_mean", "nn.max_pool2d", "nn.avg_pool2d"}
_FUNCTION_OPS = dict.fromkeys(
    [f"__operators__.{name}" for name in ("add", "subtract", "multiply")]
    + [f"math.{name}" for name in ("add", "subtract", "multiply", "divide", "truediv", "maximum", "minimum")],
    1,
) | dict.fromkeys(["nn.relu", "nn.relu6", "nn.silu", "nn.gelu", "nn.softmax", "math.sigmoid", "math.tanh"], RELU_OPS)


def _size(weight: tf.Variable) -> int:
    return math.prod(weight.shape)


@functools.cache
def _rules() -> dict[type, Rule]:
    """The class of a layer -> what counts its MACs and ops."""
    import tf_keras as keras

    # The classes that `tf.nn.relu(x)` and `x[:, 0]` turn into have no public name.
    from tf_keras.src.layers.core.tf_op_layer import SlicingOpLambda, TFOpLambda

    rules = {
        "Conv1D Conv2D Conv3D Dense": _shared_kernel,
        "DepthwiseConv2D": _depthwise,
        "SeparableConv2D": _separable,
        "LocallyConnected2D": _unshared_kernel,
        "Activation": _activation,
        "ReLU LeakyReLU PReLU ELU ThresholdedReLU Softmax": _per_element(RELU_OPS),
        "LayerNormalization GroupNormalization": _per_element(NORMALIZATION_OPS),
        "Add Subtract Multiply Maximum Minimum Average": _merge,
        "InputLayer BatchNormalization Flatten Reshape Permute RepeatVector Concatenate": _free,
        "Cropping2D ZeroPadding2D UpSampling2D": _free,
        "MaxPooling2D AveragePooling2D GlobalMaxPooling2D GlobalAveragePooling2D": _free,
        "Dropout SpatialDropout2D GaussianDropout GaussianNoise AlphaDropout ActivityRegularization": _free,
    }
    table = {getattr(keras.layers, name): rule for names, rule in rules.items() for name in names.split()}
    return table | {TFOpLambda: _function, SlicingOpLambda: _free}
