"""The costs of the zoo against the published counts, and of single layers against counts worked out by hand."""

from __future__ import annotations

import pytest
import tensorflow as tf
import tf_keras as keras

from zoo import models
from zoo.measure import Cost, activations, cost, layer_costs
from zoo.models.layers import LocalResponseNormalization

# params, MACs and ops as published by tensorsandbox (ops are its "Flops"), recomputed to the last digit
PUBLISHED = {
    ("tuto", 24): (1_068_298, 18_470_784, 37_745_098),
    ("tuto", 32): (1_756_426, 32_778_112, 66_983_370),
    ("alex0", 24): (1_463_594, 12_130_176, 25_243_594),
    ("alex0", 32): (2_495_786, 21_505_920, 44_758_474),
    ("alex1", 24): (322_506, 21_309_312, 43_510_858),
    ("alex1", 32): (408_522, 37_881_728, 77_349_194),
    ("alex2", 24): (1_068_298, 18_470_784, 37_081_546),
    ("alex2", 32): (1_756_426, 32_778_112, 65_803_722),
    ("alex3", 24): (996_298, 18_398_976, 37_600_906),
    ("alex3", 32): (1_684_426, 32_706_304, 66_839_178),
    ("alex4", 24): (1_493_674, 17_493_888, 35_196_874),
    ("alex4", 32): (2_525_866, 31_041_408, 62_453_194),
    ("nin0", 24): (120_458, 22_910_976, 46_213_344),
    ("nin0", 32): (120_458, 40_730_624, 82_157_056),
    ("nin1", 24): (178_890, 34_412_544, 69_327_072),
    ("nin1", 32): (178_890, 61_177_856, 123_248_128),
    ("nin2", 24): (966_986, 125_148_672, 251_362_872),
    ("nin2", 32): (966_986, 222_486_528, 446_867_328),
    ("squeeze0", 24): (122_986, 7_870_464, 16_039_224),
    ("squeeze0", 32): (122_986, 13_991_936, 28_514_176),
    ("squeeze1", 24): (146_570, 11_261_952, 22_836_024),
    ("squeeze1", 32): (146_570, 20_021_248, 40_597_376),
}


def test_resnets_as_published():
    """0.27 M and 0.46 M parameters (arXiv:1512.03385, table 6). Convolutions of 3 x 3 at 32 x 32, 16 x 16 and 8 x 8, the
    first of the later stages with half as many inputs, and the logits."""
    stages = [6 * 9 * 16 * 16 * 32**2, (9 * 16 * 32 + 5 * 9 * 32 * 32) * 16**2, (9 * 32 * 64 + 5 * 9 * 64 * 64) * 8**2]
    counted = cost(models.build("resnet20", input_size=32))
    assert counted.params == 269_722 and counted.macs == 27 * 16 * 32**2 + sum(stages) + 640
    assert cost(models.build("resnet32", input_size=32)).params == 464_154


def test_the_locally_connected_tutorial_network_by_hand():
    """Two convolutions as in tuto; 36 positions with kernels of 3 x 3 x 64 x 64 and 3 x 3 x 64 x 32; logits. Its MACs are
    the "about 19.5M" that the TensorFlow tutorial states."""
    convolutions, positions = 5 * 5 * 3 * 64 + 64 + 5 * 5 * 64 * 64 + 64, 6 * 6
    local = positions * (576 * 64 + 64) + positions * (576 * 32 + 32)
    counted = cost(models.build("tuto_local"))
    assert counted.params == convolutions + local + positions * 32 * 10 + 10
    macs = 24 * 24 * 64 * 75 + 12 * 12 * 64 * 1600 + positions * 576 * (64 + 32) + positions * 32 * 10
    assert counted.macs == macs == 19_512_576


@pytest.mark.parametrize(("name", "input_size"), PUBLISHED)
def test_the_published_counts(name, input_size):
    assert cost(models.build(name, input_size)) == PUBLISHED[name, input_size]


def test_macs_agree_with_tensorflows_profiler():
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    model = models.build("alex2")
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(tf.TensorSpec([1, 24, 24, 3]))
    graph = convert_variables_to_constants_v2(function).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    flops = tf.compat.v1.profiler.profile(graph, options=options).total_float_ops
    pools = 9 * (12 * 12 * 64 + 6 * 6 * 64)  # 3x3 comparisons for each value
    biases = 24 * 24 * 64 + 12 * 12 * 64 + 384 + 192 + 10
    assert flops == 2 * cost(model).macs + pools + biases


def cost_of_last(*layers, shape=(8, 8, 4)):
    """(params, MACs, ops) of the last of the layers in a chain."""
    model = keras.Sequential([keras.Input(shape), *layers])
    return tuple(layer_costs(model)[-1][3:])


L = keras.layers


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        # 4x4 outputs of 6 filters, 3*3*4 = 36 products each: 3,456 MACs; 2 each, a bias and a ReLU (2) for 96 outputs
        (L.Conv2D(6, 3, strides=2, padding="same", activation="relu"), (222, 3456, 6912 + 96 + 192)),
        (L.Conv2D(6, 3, strides=2, padding="same", use_bias=False), (216, 3456, 6912)),
        (L.Conv2D(6, 3), (222, 36 * 216, 2 * 36 * 216 + 216)),  # VALID: 6x6 outputs
        (L.Conv2D(6, 3, padding="same", dilation_rate=2), (222, 64 * 216, 2 * 64 * 216 + 384)),
        (L.Conv2D(6, 3, padding="same", groups=2), (114, 64 * 108, 2 * 64 * 108 + 384)),  # 3*3*2*6 weights
        # 4 channels, 2 multiplied: 3*3*4*2 = 72 weights, each used at 64 places, 512 outputs
        (L.DepthwiseConv2D(3, padding="same", depth_multiplier=2), (80, 4608, 9216 + 512)),
        # 36 depthwise and 4*6 pointwise weights at 64 places, 384 outputs
        (L.SeparableConv2D(6, 3, padding="same"), (66, 3840, 7680 + 384)),
        (L.SeparableConv2D(6, 3, padding="same", strides=2), (66, 960, 1920 + 96)),
        # the same products as the VALID convolution above, but every place has its own 216 weights and 6 biases
        (L.LocallyConnected2D(6, 3), (36 * 222, 36 * 216, 2 * 36 * 216 + 216)),
        (L.LocallyConnected2D(6, 3, implementation=3), (36 * 222, 36 * 216, 2 * 36 * 216 + 216)),
        (L.Dense(5), (25, 64 * 20, 64 * 45)),  # on the last axis, at 64 places
        (L.BatchNormalization(), (8, 0, 0)),  # the moving averages are not trained
        (L.LayerNormalization(), (8, 0, 7 * 256)),
        (L.ReLU(), (0, 0, 512)),
        (L.Activation("relu"), (0, 0, 512)),
        (L.Activation("linear"), (0, 0, 0)),
        (L.PReLU(), (256, 0, 512)),
        (LocalResponseNormalization(), (0, 0, 36 * 256)),
        (LocalResponseNormalization(radius=1), (0, 0, 12 * 256)),
        (L.MaxPooling2D(), (0, 0, 0)),
        (L.GlobalAveragePooling2D(), (0, 0, 0)),
        (L.Flatten(), (0, 0, 0)),
        (L.Dropout(0.5), (0, 0, 0)),
    ],
)
def test_one_layer_by_hand(layer, expected):
    assert cost_of_last(layer) == expected


def test_a_relu_costs_the_same_as_a_layer_and_as_an_activation():
    inside = cost(keras.Sequential([keras.Input((8, 8, 4)), L.Conv2D(6, 3, activation="relu")]))
    outside = cost(keras.Sequential([keras.Input((8, 8, 4)), L.Conv2D(6, 3), L.ReLU()]))
    assert inside == outside


def test_models_within_models_are_opened():
    inner = keras.Sequential([keras.Input((8, 8, 4)), L.Conv2D(6, 3, name="conv")], name="inner")
    outer = keras.Sequential([keras.Input((8, 8, 4)), inner, L.Flatten(), L.Dense(2, name="dense")])
    rows = {row.name: row for row in layer_costs(outer)}
    assert rows["inner/conv"].output_shape == (6, 6, 6)
    assert cost(outer) == Cost(222 + 434, 36 * 216 + 432, 2 * 36 * 216 + 216 + 864 + 2)


def test_a_layer_called_twice_is_stored_once_and_computed_twice():
    inputs = keras.Input((5,))
    shared = L.Dense(5)
    model = keras.Model(inputs, shared(shared(inputs)))
    keras.Model(inputs, shared(inputs))  # a call in another model is not this model's
    assert cost(model) == Cost(30, 50, 110)


def test_a_frozen_model_of_the_same_layers_counts_no_other_models_calls():
    model = models.build("tuto")
    features = keras.Model(model.input, model.get_layer("pool1").output)
    assert [row.name for row in layer_costs(features)] == ["images", "conv1", "pool1"]


def test_residual_sums_cost_one_per_element():
    inputs = keras.Input((4, 4, 2))
    with_layer = keras.Model(inputs, L.Add()([L.ReLU()(inputs), inputs, inputs]))
    with_function = keras.Model(inputs, tf.nn.relu(inputs) + inputs + inputs)
    assert cost(with_layer) == cost(with_function) == Cost(0, 0, 64 + 64)


def test_what_is_not_known_is_refused_by_name():
    inputs = keras.Input((4, 4, 2))
    subclass = type("MyConv", (L.Conv2D,), {})
    with pytest.raises(ValueError, match=r"layer 'mine' .*MyConv is not known.*macs_and_ops"):
        cost(keras.Sequential([inputs, subclass(3, 1, name="mine")]))
    with pytest.raises(ValueError, match="Lambda is not known"):
        cost(keras.Sequential([inputs, L.Lambda(lambda x: x)]))
    with pytest.raises(ValueError, match=r"function linalg\.matmul is not known"):
        cost(keras.Model(inputs, tf.linalg.matmul(inputs, inputs, transpose_b=True)))


def test_shapes_that_are_not_fixed_are_refused():
    with pytest.raises(ValueError, match=r"'conv'.*no fixed size"):
        cost(keras.Sequential([keras.Input((None, None, 3)), L.Conv2D(4, 3, name="conv")]))


def test_a_subclassed_model_is_refused():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__(name="mine")
            self.dense = L.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    with pytest.raises(ValueError, match="model 'mine' cannot be counted"):
        cost(Mine())


def test_a_users_own_layer_can_state_its_cost():
    class Twice(L.Layer):
        def call(self, inputs):
            return 2 * inputs

        def macs_and_ops(self, input_shape, output_shape):
            return 0, output_shape[1]

    assert cost(keras.Sequential([keras.Input((7,)), Twice()])) == Cost(0, 0, 7)


def test_batch_norm_takes_the_place_of_the_bias():
    plain, normalized = cost(models.build("squeeze0")), cost(models.build("squeeze0", batch_norm=True))
    assert normalized.macs == plain.macs
    # a scale and a shift instead of a bias, for the 64 + 2 * (16 + 128) + 2 * (32 + 256) filters before the class maps
    assert normalized.params - plain.params == 64 + 2 * 144 + 2 * 288


def test_activations_of_the_tutorials_network_by_hand():
    """24 x 24 x 64 and 12 x 12 x 64 maps, 384 and 192 units, 10 logits; pools and normalizations do not count."""
    assert activations(models.build("tuto")) == 24 * 24 * 64 + 12 * 12 * 64 + 384 + 192 + 10
