"""The registry and the three families: what is built is what the table says, and every argument changes the network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.toggles import CHANGES, LRN
from pydantic import TypeAdapter, ValidationError

from zoo import models
from zoo.models.arguments import CommonArguments

NAMES = ["tuto", "alex0", "alex1", "alex2", "alex3", "alex4", "cs231n", "tuto_local", "nin0", "nin1", "nin2"]
NAMES += ["resnet20", "resnet32", "separable0", "separable1", "separable2", "squeeze0", "squeeze1"]
NORMALIZED = ["resnet20", "separable0"]  # of the families that have no local response normalization
FAMILIES = {"alex": "tuto", "nin": "nin0", "squeeze": "squeeze0", "resnet": "resnet20", "separable": "separable0"}


def layer_names(name, **arguments):
    return [layer.name for layer in models.build(name, **arguments).layers]


def fingerprint(name, **arguments):
    """Initial weights and the training output on fixed images, all from one seed."""
    import tf_keras as keras

    from zoo.models import layers

    keras.utils.set_random_seed(7)
    model = models.build(name, **arguments)
    images = np.random.default_rng(0).normal(size=(4, 24, 24, 3)).astype(np.float32)
    with layers.randomness(7, 0, 0, 4):
        output = model(images, training=True)
    return [*model.get_weights(), output.numpy()]


def same(left, right):
    return len(left) == len(right) and all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.fixture
def bfloat16():
    import tf_keras as keras

    keras.mixed_precision.set_global_policy("mixed_bfloat16")  # until the end of the test


# --- what is built ------------------------------------------------------------------------------------------------


def test_the_registered_names_in_order():
    assert models.names()[: len(NAMES)] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_model_gives_float32_logits(name):
    model = models.build(name, input_size=24, classes=7)
    output = model(np.zeros((2, 24, 24, 3), np.float32))
    assert output.shape == (2, 7)
    assert output.dtype == "float32"


@pytest.mark.parametrize("name", FAMILIES.values())
def test_bfloat16_computes_in_bfloat16_and_ends_in_float32(name, bfloat16):
    import tensorflow as tf

    model = models.build(name, batch_norm=True, **({} if name in NORMALIZED else {"lrn": True}))
    with tf.GradientTape() as tape:
        output = model(np.ones((2, 24, 24, 3), np.float32), training=True)
    assert model.get_layer("conv1").output.dtype == tf.bfloat16
    assert output.dtype == tf.float32
    gradients = tape.gradient(output, model.trainable_variables)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tuto", "images conv1 pool1 lrn1 conv2 lrn2 pool2 features local3 local4 logits"),
        ("alex1", "images conv1 pool1 lrn1 conv2 lrn2 pool2 conv3 lrn3 pool3 features local4 logits"),
        ("alex2", "images conv1 pool1 conv2 pool2 features local3 local4 logits"),
        ("alex3", "images conv1 pool1 lrn1 conv2 lrn2 pool2 features local3 logits"),
        ("cs231n", "images conv1 pool1 lrn1 features local2 logits"),
        ("nin0", "images conv1 conv1_1x1a conv1_1x1b pool1 conv2 conv2_1x1a class_maps logits"),
        (
            "nin2",
            "images conv1 conv1_1x1a conv1_1x1b pool1 dropout1 conv2 conv2_1x1a conv2_1x1b pool2 dropout2 "
            "conv3 conv3_1x1a class_maps logits",
        ),
    ],
)
def test_the_order_of_the_layers(name, expected):
    assert layer_names(name) == expected.split()


@pytest.mark.parametrize(
    ("name", "kernels"),
    [
        ("alex0", {"conv1": (5, 5, 3, 64), "conv2": (3, 3, 64, 96), "local3": (6 * 6 * 96, 384)}),
        ("alex4", {"conv1": (5, 5, 3, 96), "conv2": (3, 3, 96, 96), "local4": (384, 192), "logits": (192, 10)}),
        ("cs231n", {"conv1": (3, 3, 3, 64), "local2": (12 * 12 * 64, 500), "logits": (500, 10)}),
        ("nin1", {"conv1_1x1a": (1, 1, 64, 96), "conv2": (5, 5, 96, 64), "class_maps": (1, 1, 64, 10)}),
        ("nin2", {"conv2": (5, 5, 96, 192), "conv3": (3, 3, 192, 192), "class_maps": (1, 1, 192, 10)}),
        ("squeeze1", {"fire2_squeeze": (1, 1, 64, 32), "fire3_squeeze": (1, 1, 128, 32), "fire5_3x3": (3, 3, 32, 128)}),
    ],
)
def test_the_sizes_of_the_kernels(name, kernels):
    model = models.build(name)
    assert {layer: tuple(model.get_layer(layer).kernel.shape) for layer in kernels} == kernels


def test_pools_and_normalization_have_the_constants_of_the_paper():
    model = models.build("tuto")
    pool, lrn = model.get_layer("pool2"), model.get_layer("lrn2")
    assert (pool.pool_size, pool.strides, pool.padding) == ((3, 3), (2, 2), "same")
    assert (lrn.radius, lrn.bias, lrn.alpha, lrn.beta) == (4, 1.0, 0.001 / 9, 0.75)
    assert models.build("cs231n").get_layer("pool1").pool_size == (2, 2)


def test_only_the_published_networks_end_in_a_relu():
    def last_activation(name, layer):
        return models.build(name).get_layer(layer).activation.__name__

    assert last_activation("tuto", "logits") == "linear"
    assert last_activation("nin0", "class_maps") == "relu"
    assert last_activation("squeeze0", "class_maps") == "relu"


def test_batch_norm_stands_between_a_layer_without_bias_and_its_relu():
    model = models.build("tuto", batch_norm=True)
    names = [layer.name for layer in model.layers]
    for name in ("conv1", "conv2", "local3", "local4"):
        at = names.index(name)
        assert names[at + 1] == f"{name}_batch_norm"
        after = model.get_layer(names[at + 2])
        assert after.name == f"{name}_relu" or type(after).__name__ == "MaxPoolingOfReLU"
        assert not model.get_layer(name).use_bias
        assert model.get_layer(name).activation.__name__ == "linear"
    assert model.get_layer("logits").use_bias


def test_dropout_acts_on_hidden_layers_or_on_the_features():
    assert layer_names("alex3", dropout=0.5)[-4:] == ["features", "local3", "local3_dropout", "logits"]
    assert layer_names("tuto", dropout=0.5, hidden=())[-3:] == ["features", "features_dropout", "logits"]


@pytest.mark.parametrize("name", FAMILIES.values())
@pytest.mark.parametrize("scheme", ["xavier", "tutorial", "he"])
def test_no_two_layers_start_with_the_same_values(name, scheme):
    """An initializer object that is used twice repeats its values."""
    kernels = [w.ravel() for w in models.build(name, initializer=scheme).get_weights() if w.ndim > 1]
    starts = [tuple((kernel[:8] / kernel.std()).round(3)) for kernel in kernels]
    assert len(set(starts)) == len(kernels)


def test_the_seed_decides_the_initial_weights():
    assert same(fingerprint("alex3"), fingerprint("alex3"))


def test_cs231n_decays_every_layer_but_the_last():
    assert models.entry("cs231n").training == {"weight_decay.layers": "all_but_last"}


def test_the_shortcuts_of_a_resnet():
    """Option A has no parameters; option B has a 1x1 convolution and its normalization where a stage begins."""
    plain, projected, without = (
        models.build("resnet20", **changes) for changes in ({}, {"shortcut": "projected"}, {"residual": False})
    )
    assert plain.count_params() == without.count_params()
    assert projected.count_params() - plain.count_params() == 16 * 32 + 4 * 32 + 32 * 64 + 4 * 64
    sums = [layer.name for layer in plain.layers if layer.name.endswith("_sum")]
    assert len(sums) == 9 and not any(layer.name.endswith("_sum") for layer in without.layers)
    assert plain.get_layer("conv4_3b").output_shape == (None, 6, 6, 64)


def test_a_padded_shortcut_takes_every_other_pixel_and_adds_zeros():
    import tf_keras as keras

    model = models.build("resnet20", input_size=8, blocks=1, widths=(2, 4), batch_norm=False)
    model.get_layer("conv3_1b").set_weights([np.zeros((3, 3, 4, 4)), np.zeros(4)])  # only the shortcut is left
    images = np.random.default_rng(0).standard_normal((1, 8, 8, 3)).astype(np.float32)
    before, after = keras.Model(model.input, [model.get_layer(f"conv{n}_1_sum_relu").output for n in (2, 3)])(images)
    assert np.array_equal(after[..., 1:3], before[:, ::2, ::2])
    assert not after[..., 0].numpy().any() and not after[..., 3].numpy().any()


def test_a_locally_connected_layer_has_a_kernel_for_each_position():
    import tf_keras as keras

    from zoo.models import layers

    keras.utils.set_random_seed(0)
    inputs = keras.Input((4, 5, 2))
    layer = layers.LocallyConnected2D(3, 3, "he_normal", "ones")
    model = keras.Model(inputs, layer(inputs))
    assert layer.kernel.shape == (4, 5, 18, 3) and layer.bias.shape == (4, 5, 3)
    values = np.random.default_rng(0).standard_normal((2, 4, 5, 2)).astype(np.float32)
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = np.empty((2, 4, 5, 3), np.float32)
    for y in range(4):
        for x in range(5):
            window = padded[:, y : y + 3, x : x + 3].reshape(2, 18)
            expected[:, y, x] = np.maximum(window @ layer.kernel.numpy()[y, x] + 1, 0)
    np.testing.assert_allclose(model(values).numpy(), expected, rtol=1e-5, atol=1e-5)
    kernels = layer.kernel.numpy().reshape(20, 18, 3)
    assert len({kernel.tobytes() for kernel in kernels}) == 20
    assert abs(kernels.std() - (2 / 18) ** 0.5) < 0.03  # He et al. 2015: variance 2 / inputs


def test_separable_is_a_filter_for_each_map_and_a_product_of_maps():
    model = models.build("separable0")
    assert model.get_layer("conv2_2_depthwise").depthwise_kernel.shape == (3, 3, 48, 1)
    assert model.get_layer("conv2_2").kernel.shape == (1, 1, 48, 48)
    assert models.build("separable0", depthwise=False).get_layer("conv2_2").kernel.shape == (3, 3, 48, 48)
    for name in ("separable0", "separable1", "separable2"):
        assert models.build(name).count_params() < 500_000


# --- arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_every_argument_is_varied_below(family):
    assert set(CHANGES[family]) == set(models.entry(FAMILIES[family]).parameters())


@pytest.mark.parametrize(("family", "argument"), [(f, a) for f, changes in CHANGES.items() for a in changes])
def test_every_argument_changes_the_network(family, argument):
    changed = CHANGES[family][argument]
    before = {"lrn": True} if argument in LRN else {}
    assert not same(fingerprint(FAMILIES[family], **before), fingerprint(FAMILIES[family], **changed))


@pytest.mark.parametrize("name", NAMES)
def test_the_values_of_every_row_pass_their_own_annotation(name):
    for parameter in models.entry(name).parameters().values():
        assert TypeAdapter(parameter.annotation).validate_python(parameter.default) == parameter.default


def test_arguments_written_as_yaml_lists_become_tuples():
    parameters = models.entry("squeeze0").parameters()
    stages = TypeAdapter(parameters["stages"].annotation).validate_python([[[8, 16, 16]], [[8, 32, 32], [8, 32, 32]]])
    assert stages == (((8, 16, 16),), ((8, 32, 32), (8, 32, 32)))


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("tuto", "convs", []),
        ("tuto", "convs", [[5, 0]]),
        ("tuto", "convs", [[5]]),
        ("tuto", "convs", [[True, 64]]),
        ("tuto", "convs", [["5", 64]]),
        ("tuto", "hidden", [384, -1]),
        ("tuto", "hidden", 384),
        ("tuto", "pool", [3, 0]),
        ("tuto", "lrn", "yes"),
        ("tuto", "lrn", 1),
        ("tuto", "lrn_radius", -1),
        ("tuto", "lrn_alpha", float("inf")),
        ("tuto", "lrn_bias", 0),
        ("tuto", "dropout", 1.0),
        ("tuto", "dropout", -0.1),
        ("tuto", "initializer", "glorot"),
        ("nin0", "blocks", []),
        ("nin0", "blocks", [[5, 64, 64]]),
        ("nin0", "last_block", [5, 64, 64, 10]),
        ("squeeze0", "stages", [[]]),
        ("squeeze0", "stages", []),
    ],
)
def test_impossible_values_are_refused(name, argument, value):
    annotation = models.entry(name).parameters()[argument].annotation
    with pytest.raises(ValidationError):
        TypeAdapter(annotation).validate_python(value)


def test_no_argument_takes_the_name_of_a_field_of_the_configuration():
    from zoo import config

    for name in NAMES:
        assert not set(config.Config.model_fields) & set(models.entry(name).parameters())


COMMON = {  # the same in every family but for ``lrn`` and ``final_relu``, which are those of the published networks
    "lrn_radius": 4,
    "lrn_bias": 1.0,
    "lrn_alpha": 0.001 / 9,
    "lrn_beta": 0.75,
    "batch_norm": False,
    "dropout": 0.0,
    "initializer": "xavier",
}


@pytest.mark.parametrize(
    ("name", "own", "published"),
    [
        ("tuto", ["convs", "pool", "hidden", "local"], {"lrn": True, "final_relu": False}),
        ("nin0", ["blocks", "last_block", "pool"], {"lrn": False, "final_relu": True}),
        ("squeeze0", ["stem", "stages", "pool"], {"lrn": False, "final_relu": True}),
    ],
)
def test_families_take_their_own_arguments_and_then_the_common_ones(name, own, published):
    parameters = models.entry(name).parameters()
    lrn = ["lrn", "lrn_radius", "lrn_bias", "lrn_alpha", "lrn_beta"]
    assert list(parameters) == [*own, *lrn, "batch_norm", "dropout", "final_relu", "initializer"]
    defaults = {key: parameter.default for key, parameter in parameters.items() if key not in own}
    assert defaults == COMMON | published


def test_rows_override_defaults():
    changed = {
        name: {key: p.default for key, p in models.entry(name).parameters().items() if p.default != tuto[key].default}
        for tuto in [models.entry("tuto").parameters()]
        for name in ("alex2", "alex4")
    }
    assert changed == {"alex2": {"lrn": False}, "alex4": {"lrn": False, "convs": ((5, 96), (3, 96))}}


# --- input sizes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "smallest"),
    [
        ("tuto", {}, 3),  # 3 -> 2 -> 1
        ("alex1", {}, 5),  # 5 -> 3 -> 2 -> 1
        ("cs231n", {}, 2),
        ("nin0", {}, 2),
        ("nin2", {}, 3),
        ("squeeze1", {}, 3),
        ("tuto", {"pool": (3, 1)}, 1),
        ("tuto", {"pool": (2, 4)}, 5),  # 5 -> 2 -> 1
        ("tuto", {"convs": ((3, 4),) * 6}, 33),  # 33 -> 17 -> 9 -> 5 -> 3 -> 2 -> 1
    ],
)
def test_the_smallest_input_leaves_every_pool_a_map_of_two(name, arguments, smallest):
    assert models.smallest_input(name, **arguments) == smallest
    model = models.build(name, input_size=smallest, **arguments)
    if "pool" not in arguments or arguments["pool"][1] > 1:
        sides = [layer.input_shape[1] for layer in model.layers if layer.name.startswith("pool")]
        assert sides[-1] == 2
    if smallest > 1:
        with pytest.raises(ValueError, match=f"at least {smallest}x{smallest}, not {smallest - 1}x{smallest - 1}"):
            models.build(name, input_size=smallest - 1, **arguments)


# --- the registry -------------------------------------------------------------------------------------------------


def test_unknown_names_and_arguments_are_refused_with_the_nearest():
    with pytest.raises(KeyError, match="did you mean 'squeeze1'"):
        models.build("sqeeze1")
    with pytest.raises(TypeError, match="did you mean 'dropout'"):
        models.build("tuto", dropuot=0.5)


def test_a_users_model_cannot_take_a_shipped_name():
    with pytest.raises(ValueError, match=r"'tuto' is already registered, in .*alex\.py"):

        @models.register("tuto")
        def mine(input_size=24, classes=10):
            raise AssertionError


def test_a_users_model_is_built_like_the_shipped_ones():
    @models.register("mine_wide", row={"width": 32})
    @models.register("mine")
    def mine(input_size=24, classes=10, width: int = 8):
        import tf_keras as keras

        images = keras.Input((input_size, input_size, 3))
        maps = keras.layers.Conv2D(width, 3)(images)
        return keras.Model(images, keras.layers.Dense(classes)(keras.layers.GlobalAveragePooling2D()(maps)))

    assert models.build("mine_wide", input_size=9, classes=4).output_shape == (None, 4)
    assert models.build("mine_wide").layers[1].filters == 32
    assert models.build("mine_wide", width=5).layers[1].filters == 5
    assert models.entry("mine_wide").source_sha256() is not None
    assert models.entry("tuto").source_sha256() is None


def test_a_users_model_may_take_the_common_arguments():
    @models.register("mine_common", row={"lrn": True})
    def mine(input_size=24, classes=10, common: CommonArguments = CommonArguments(lrn=False, final_relu=True)):
        import tf_keras as keras

        images = keras.Input((input_size, input_size, 3), name=f"lrn_{common.lrn}_radius_{common.lrn_radius}")
        return keras.Model(images, keras.layers.Dense(classes)(keras.layers.Flatten()(images)))

    assert models.build("mine_common").layers[0].name == "lrn_True_radius_4"
    assert models.build("mine_common", lrn=False, lrn_radius=2).layers[0].name == "lrn_False_radius_2"


def test_what_is_registered_in_a_block_is_forgotten_after_it():
    with models.restored():

        @models.register("passing")
        def passing(input_size=24, classes=10):
            raise AssertionError

        assert "passing" in models.names()
    assert "passing" not in models.names()


def test_a_file_in_the_package_is_a_family(tmp_path):
    """A copy of the package with one more file: no list names it."""
    package = Path(models.__file__).parent.parent
    shutil.copytree(package, tmp_path / "zoo", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "zoo" / "models" / "one_more.py").write_text(
        "from zoo.models.registry import register\n"
        "@register('one_more')\n"
        "def one_more(input_size=24, classes=10):\n"
        "    raise AssertionError\n"
    )
    program = "from zoo import models; print('one_more' in models.names(), models.entry('one_more').source_sha256())"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "True None\n"
