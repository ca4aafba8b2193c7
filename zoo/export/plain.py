"""A model as Keras' and TensorFlow's own layers, for inference alone: what export formats can hold.

A layer that trains with kernels of its own has a method ``in_plain_operations(inputs) -> outputs``, which gives the same
values to rounding. What only training does, such as dropout, is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tf_keras as keras


def plain(model: keras.Model) -> keras.Model:
    """A copy of a functional ``model``, with copies of its weights: the same input and output shapes.

    Raises:
        ValueError: a subclassed model, of which the layers and their connections are not known.
    """
    import tensorflow as tf
    import tf_keras as keras

    by_depth = getattr(model, "_nodes_by_depth", None)
    if not by_depth:
        raise ValueError(
            f"the model {model.name!r} cannot be exported: build it with keras.Model(inputs, outputs) or "
            "keras.Sequential with a keras.Input, so that its layers and their connections are known"
        )
    inputs = [keras.Input(each.shape[1:], dtype=each.dtype, name=each.name) for each in model.inputs]
    known = {id(old): new for old, new in zip(model.inputs, inputs, strict=True)}  # tensor of the model -> of the copy
    copies: dict[int, Any] = {}  # a layer may be called several times
    for depth in sorted(by_depth, reverse=True):
        for node in by_depth[depth]:
            if node.is_input:
                continue
            called = (node.call_args, node.call_kwargs)
            args, kwargs = tf.nest.map_structure(lambda value: known.get(id(value), value), called)
            output = _called(node.layer, args, kwargs, copies)
            for old, new in zip(tf.nest.flatten(node.outputs), tf.nest.flatten(output), strict=True):
                known[id(old)] = new
    outputs = [known[id(each)] for each in model.outputs]
    return keras.Model(inputs, outputs[0] if len(outputs) == 1 else outputs, name=model.name)


def _called(layer: Any, args: Any, kwargs: dict[str, Any], copies: dict[int, Any]) -> Any:
    import tf_keras as keras

    if hasattr(layer, "in_plain_operations"):
        return layer.in_plain_operations(*args)
    if isinstance(layer, _training_only()):
        return args[0]
    copy = copies.get(id(layer))
    if copy is None:
        copy = plain(layer) if isinstance(layer, keras.Model) else type(layer).from_config(layer.get_config())
        copies[id(layer)] = copy
    output = copy(*args, **{name: value for name, value in kwargs.items() if name != "training"})
    if not isinstance(layer, keras.Model):
        copy.set_weights(layer.get_weights())
    return output


def _training_only() -> tuple[type, ...]:
    """Keras' layers that change nothing at inference."""
    import tf_keras as keras

    names = (
        "Dropout SpatialDropout1D SpatialDropout2D GaussianDropout GaussianNoise AlphaDropout ActivityRegularization"
    )
    return tuple(getattr(keras.layers, name) for name in names.split())
