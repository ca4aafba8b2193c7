"""The blocks of zoo.models.layers against TensorFlow's own, finite differences and numbers worked out by hand."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from zoo.models import layers
from zoo.models.layers import convolution, fused


def normal(shape, scale=1.0, seed=0, dtype=np.float32):
    return tf.constant(np.random.default_rng(seed).normal(scale=scale, size=shape).astype(dtype))


# --- local response normalization ---------------------------------------------------------------------------------


def test_lrn_of_three_channels_by_hand():
    x = tf.constant([[[[1.0, 2.0, 3.0]]]])
    y = layers.local_response_normalization(x, radius=1, bias=1.0, alpha=1.0, beta=0.5)
    # sums of squares over the window: 1+4, 1+4+9, 4+9
    np.testing.assert_allclose(y[0, 0, 0], [1 / 6**0.5, 2 / 15**0.5, 3 / 14**0.5], rtol=1e-6)


@pytest.fixture(params=["compiled", "not compiled"])
def way(request, monkeypatch):
    """Both ways of computing the normalization, whichever this machine uses."""
    if request.param == "compiled" and not fused.is_compiled():
        pytest.skip("TensorFlow compiles nothing here")
    monkeypatch.setattr(fused, "is_compiled", lambda: request.param == "compiled")


@pytest.mark.parametrize("beta", [0.75, 0.5, 1.0])
@pytest.mark.parametrize(("channels", "radius"), [(20, 4), (3, 4), (64, 1), (5, 0), (1, 2), (6, 50)])
@pytest.mark.parametrize("alpha", [0.001 / 9, 0.5])
def test_lrn_equals_tensorflow_forward_and_backward(way, channels, radius, beta, alpha):
    x = normal((2, 5, 4, channels), scale=3.0)
    upstream = normal(x.shape, seed=1)

    def both(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x, upstream)

    y, gradient = both(lambda v: layers.local_response_normalization(v, radius, 2.0, alpha, beta))
    expected_y, expected_gradient = both(lambda v: tf.nn.local_response_normalization(v, radius, 2.0, alpha, beta))
    np.testing.assert_allclose(y, expected_y, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=2e-4, atol=5e-6)


@pytest.mark.parametrize("beta", [0.75, 0.6])
def test_lrn_gradient_equals_finite_differences(way, beta):
    x = normal((1, 2, 2, 6), dtype=np.float64)
    theoretical, numerical = tf.test.compute_gradient(
        lambda v: layers.local_response_normalization(v, 2, 1.0, 0.3, beta), [x], delta=1e-5
    )
    np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-8)


def test_lrn_in_bfloat16_is_right_to_its_eight_bits(way):
    exact = tf.cast(normal((2, 4, 4, 32), scale=20.0), tf.bfloat16)
    wide = tf.cast(exact, tf.float32)

    def both(function, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x)

    y, gradient = both(lambda v: layers.local_response_normalization(v, 4, 1.0, 0.001 / 9, 0.75), exact)
    expected_y, expected_gradient = both(lambda v: tf.nn.local_response_normalization(v, 4, 1.0, 0.001 / 9, 0.75), wide)
    assert y.dtype == gradient.dtype == tf.bfloat16
    # Only the result is rounded to 8 bits, which costs 2^-8 of a value at most; the rest is float32's own rounding.
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected_y, rtol=1.01 * 2**-8)
    np.testing.assert_allclose(tf.cast(gradient, tf.float32), expected_gradient, rtol=1.01 * 2**-8, atol=1e-6)


def test_lrn_has_no_weights_and_survives_saving(tmp_path):
    inputs = keras.Input((4, 4, 8))
    model = keras.Model(inputs, layers.LocalResponseNormalization(radius=2, bias=3.0, alpha=0.4, beta=0.5)(inputs))
    assert model.weights == []
    model.save(tmp_path / "model.keras")
    x = normal((2, 4, 4, 8))
    expected = tf.nn.local_response_normalization(x, 2, 3.0, 0.4, 0.5)
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras")(x), expected, rtol=1e-5, atol=1e-6)


# --- convolutions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "map_size", "kernel", "channels", "width"), [
    (8, (12, 12), (5, 5), 64, 24), (3, (7, 5), (3, 4), 32, 8), (16, (6, 6), (3, 3), 40, 128), (2, (3, 3), (5, 5), 32, 4),
])  # fmt: skip
def test_the_gradients_of_a_convolution_are_those_of_tensorflow(batch, map_size, kernel, channels, width):
    x = tf.cast(normal((batch, *map_size, channels)), tf.bfloat16)
    weights = tf.cast(normal((*kernel, channels, width), seed=1), tf.bfloat16)
    upstream = tf.cast(normal((batch, *map_size, width), seed=2), tf.bfloat16)
    assert convolution.is_faster(x, weights)

    @tf.function
    def gradients(function, x, weights, upstream):
        with tf.GradientTape() as tape:
            tape.watch([x, weights])
            y = function(x, weights)
        return y, *tape.gradient(y, [x, weights], upstream)

    def plain(x, weights):
        return tf.nn.conv2d(x, weights, 1, "SAME")

    exact = gradients(plain, *(tf.cast(each, tf.float64) for each in (x, weights, upstream)))
    ours = gradients(convolution.convolution, x, weights, upstream)
    theirs = gradients(plain, x, weights, upstream)
    np.testing.assert_array_equal(tf.cast(ours[0], tf.float32), tf.cast(theirs[0], tf.float32))
    np.testing.assert_array_equal(tf.cast(ours[1], tf.float32), tf.cast(theirs[1], tf.float32))
    # Sums in float32, rounded once to 8 bits.
    scale = np.abs(exact[2]).max()
    np.testing.assert_allclose(tf.cast(ours[2], tf.float64), exact[2], rtol=1.01 * 2**-8, atol=1e-5 * scale)


@pytest.mark.parametrize("arguments", [{"strides": 2}, {"padding": "valid"}, {"dilation_rate": 2}, {"name": "plain"}])
def test_the_layer_is_keras_own_whatever_its_arguments(arguments):
    x = tf.cast(normal((2, 8, 8, 32)), tf.bfloat16)
    arguments = {"padding": "same", "activation": "relu", "dtype": "mixed_bfloat16"} | arguments
    ours, theirs = layers.Conv2D(16, 3, **arguments), keras.layers.Conv2D(16, 3, **arguments)
    ours.build(x.shape), theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_array_equal(tf.cast(ours(x), tf.float32), tf.cast(theirs(x), tf.float32))


def test_the_faster_gradient_is_taken_only_where_it_was_measured_to_be_faster():
    def is_faster(x, kernel, dtype=tf.bfloat16):
        return convolution.is_faster(tf.zeros(x, dtype), tf.zeros(kernel, dtype))

    assert is_faster((128, 12, 12, 64), (5, 5, 64, 64)) and is_faster((128, 6, 6, 32), (3, 3, 32, 128))
    assert not is_faster((128, 24, 24, 64), (3, 3, 64, 64))
    assert not is_faster((128, 12, 12, 64), (1, 1, 64, 64))
    assert not is_faster((128, 12, 12, 16), (3, 3, 16, 64))
    assert not is_faster((128, 12, 12, 64), (5, 5, 64, 64), tf.float32)
    assert not convolution.is_faster(
        keras.Input((12, 12, 64), dtype=tf.bfloat16), tf.zeros((5, 5, 64, 64), tf.bfloat16)
    )


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
@pytest.mark.parametrize("pool", [(3, 2), (2, 2), (2, 1)])
def test_the_relu_of_maxima_is_the_maximum_of_relus_to_the_bit_with_its_gradient(dtype, pool):
    # Rounded to halves, so that maxima are shared; shifted, so that many windows have nothing above zero.
    x = tf.cast(tf.round(normal((4, 9, 7, 24)) * 2) / 2 - 1, dtype)
    ours = layers.MaxPoolingOfReLU(*pool, padding="same", dtype=dtype)
    theirs = keras.layers.MaxPooling2D(*pool, padding="same", dtype=dtype)

    @tf.function
    def both(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x, tf.cast(normal(y.shape, seed=1), dtype))

    for found, expected in zip(both(ours), both(lambda v: theirs(tf.nn.relu(v))), strict=True):
        np.testing.assert_array_equal(tf.cast(found, tf.float32), tf.cast(expected, tf.float32))


# --- dropout ------------------------------------------------------------------------------------------------------


def dropped(rows=slice(None), name="drop", rate=0.25, seed=1, step=0, width=1000, global_rows=8):
    """Ones of the global batch, or the given rows of it, after dropout."""
    first = rows.start or 0
    count = len(range(global_rows)[rows])
    with layers.randomness(seed, tf.constant(step, tf.int64), tf.constant(first), global_rows):
        return layers.Dropout(rate, name=name)(tf.ones((count, width)), training=True).numpy()


def test_dropout_zeroes_its_fraction_and_scales_the_rest():
    values = dropped(rate=0.25)
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.75)}
    # 8,000 draws: the standard deviation of the fraction is sqrt(0.25 * 0.75 / 8000) = 0.0048
    assert abs((values == 0).mean() - 0.25) < 4 * 0.0048


@pytest.mark.parametrize("rate", [0.1, 0.9, 1 - 1e-9])
def test_dropout_keeps_the_mean_at_any_rate(rate):
    values = dropped(rate=rate, width=100_001)  # odd: two values share a random number
    kept = max(round((1 - rate) * 2**16), 1) / 2**16  # the fraction that sixteen bits can express
    assert set(np.unique(values)) <= {np.float32(0), np.float32(1 / kept)}
    assert abs((values != 0).mean() - kept) < 4 * (kept * (1 - kept) / values.size) ** 0.5


def test_neighbouring_values_are_dropped_independently():
    kept = dropped(rate=0.5, width=100_000) != 0
    pairs = kept[:, 0::2], kept[:, 1::2]  # the two halves of a random number
    assert abs((pairs[0] == pairs[1]).mean() - 0.5) < 4 * (0.25 / pairs[0].size) ** 0.5


def test_dropout_is_a_function_of_seed_layer_and_step_alone():
    np.testing.assert_array_equal(dropped(), dropped())
    for other in (dropped(seed=2), dropped(step=1), dropped(name="other")):
        # two independent masks at 1/4 agree at 10 values in 16
        assert abs((other == dropped()).mean() - 10 / 16) < 0.03


def test_rows_of_one_batch_are_dropped_differently():
    values = dropped()
    assert len({row.tobytes() for row in values}) == len(values)


def test_replicas_drop_what_one_device_drops():
    whole = dropped()
    np.testing.assert_array_equal(np.concatenate([dropped(slice(0, 4)), dropped(slice(4, 8))]), whole)


def test_dropout_of_an_unknown_batch_size_in_a_graph():
    layer = layers.Dropout(0.25, name="drop")

    @tf.function(
        input_signature=[tf.TensorSpec([None, 1000]), tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.int32)]
    )
    def step(x, number, first_row):
        with layers.randomness(1, number, first_row, 8):
            return layer(x, training=True)

    np.testing.assert_array_equal(step(tf.ones((3, 1000)), 0, 5), dropped()[5:])
    np.testing.assert_array_equal(step(tf.ones((8, 1000)), 7, 0), dropped(step=7))


def test_dropout_keeps_the_type_and_passes_gradients_of_what_it_kept():
    x = tf.ones((8, 50), tf.bfloat16)
    with layers.randomness(1, 0, 0, 8), tf.GradientTape() as tape:
        tape.watch(x)
        y = layers.Dropout(0.5, dtype="mixed_bfloat16")(x, training=True)
    assert y.dtype == tf.bfloat16
    np.testing.assert_array_equal(tape.gradient(y, x), y)  # of ones, the gradient is the mask and its scale


def test_dropout_is_the_identity_at_inference():
    x = normal((2, 5))
    assert layers.Dropout(0.5)(x) is x
    assert layers.Dropout(0.5)(x, training=False) is x


def test_dropout_without_a_source_of_randomness_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"layer 'lost'.*zoo\.models\.layers\.randomness"):
        layers.Dropout(0.5, name="lost")(tf.ones((2, 2)), training=True)


def test_randomness_belongs_to_its_block_and_its_thread():
    seen = {}
    with layers.randomness(1, 0, 0, 2):
        with layers.randomness(2, 0, 0, 2):
            pass
        inner = layers.Dropout(0.5, name="a")(tf.ones((2, 64)), training=True).numpy()

        def elsewhere():
            try:
                layers.Dropout(0.5)(tf.ones((2, 2)), training=True)
            except RuntimeError as error:
                seen["error"] = error

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert "error" in seen
    np.testing.assert_array_equal(inner, dropped(name="a", rate=0.5, width=64, global_rows=2))


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_dropout_refuses_an_impossible_rate(rate):
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        layers.Dropout(rate)


# --- initializers -------------------------------------------------------------------------------------------------

CUT_NORMAL_STD = 0.8796  # of the unit normal, cut at 2


def test_xavier_has_the_variance_of_the_source_before_truncation():
    kernel, bias = layers.initializers("xavier", "conv")
    values = kernel((5, 5, 64, 64)).numpy()
    before_cut = (1.3 * 2 / (5 * 5 * 64 + 5 * 5 * 64)) ** 0.5
    assert values.std() == pytest.approx(CUT_NORMAL_STD * before_cut, rel=0.01)
    assert np.abs(values).max() <= 2 * before_cut * 1.0001
    assert np.abs(values).max() > 1.95 * before_cut
    assert not bias((64,)).numpy().any()


@pytest.mark.parametrize(
    ("role", "std", "bias"), [("first", 5e-2, 0.0), ("conv", 5e-2, 0.1), ("hidden", 0.04, 0.1), ("last", 1 / 192, 0.0)]
)
def test_tutorial_constants(role, std, bias):
    kernel_initializer, bias_initializer = layers.initializers("tutorial", role)
    values = kernel_initializer((300, 300)).numpy()
    assert values.std() == pytest.approx(CUT_NORMAL_STD * std, rel=0.01)
    np.testing.assert_array_equal(bias_initializer((3,)), np.full(3, bias, np.float32))


def test_he_variance():
    kernel, bias = layers.initializers("he", "conv")
    assert kernel((3, 3, 100, 200)).numpy().var() == pytest.approx(2 / 900, rel=0.02)
    assert not bias((3,)).numpy().any()


def test_unknown_scheme():
    with pytest.raises(ValueError, match="glorot"):
        layers.initializers("glorot", "conv")
