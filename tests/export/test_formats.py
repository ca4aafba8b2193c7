"""Every format gives what the network gives, whatever the network is made of, and holds nothing of training."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from helpers.toggles import CHANGES

from zoo import models
from zoo.export import registry, sources, writing
from zoo.export.errors import ExportError, UnknownName
from zoo.export.plain import plain

EQUAL = ["tflite_float32", "onnx", "saved_model", "keras", "frozen_graph"]
SMALL = {  # networks of a few thousand weights, for formats take the longer the larger they are
    "alex": ("tuto", {"convs": ((3, 8), (3, 8)), "hidden": (16, 12)}),
    "nin": ("nin0", {"blocks": ((3, 8, 8, 8),), "last_block": (3, 8, 8)}),
    "squeeze": ("squeeze0", {"stem": (3, 8), "stages": (((4, 8, 8),),)}),
    "resnet": ("resnet20", {"blocks": 1, "widths": (4, 8)}),
    "separable": ("separable0", {"stem": (3, 4), "stages": ((6, 6), (8, 8))}),
}


def network(name, size=12, **arguments):
    """A network whose every weight differs from where it starts, biases and normalizations included."""
    import tf_keras as keras

    keras.utils.set_random_seed(3)
    model = models.build(name, input_size=size, **arguments)
    random = np.random.default_rng(1)
    model.set_weights([w + random.uniform(0.01, 0.1, w.shape).astype(np.float32) for w in model.get_weights()])
    return model


def images(size=12, count=6):
    return np.random.default_rng(2).standard_normal((count, size, size, 3), dtype=np.float32)


def written(name, model, path):
    exporter = registry.exporter(name)
    file = path / f"network{exporter.suffix}"
    exporter.write(plain(model), file, images())
    return file, exporter.load(file, 0)


def assert_equal(actual, expected, what=""):
    np.testing.assert_allclose(actual, expected, atol=1e-4 * max(1, np.abs(expected).max()), err_msg=what)


@pytest.fixture(scope="module", params=SMALL)
def all_toggles(request):
    """One network for each toggle of a family, by name of the toggle, and all of them side by side in one model."""
    import tf_keras as keras

    family, networks = request.param, {}
    name, small = SMALL[family]
    for toggle in CHANGES[family]:
        changed = {toggle: _small_change(family, toggle)} if toggle in small else CHANGES[family][toggle]
        networks[toggle] = network(name, **(small | changed))
    given = keras.Input((12, 12, 3))
    renamed = [keras.Model(each.inputs, each.outputs, name=toggle) for toggle, each in networks.items()]
    return networks, keras.Model(given, keras.layers.Concatenate()([each(given) for each in renamed]))


@pytest.mark.parametrize("format_name", EQUAL)
def test_float_formats_are_equal_to_the_network_with_every_toggle_of_every_family(all_toggles, tmp_path, format_name):
    networks, together = all_toggles
    outputs = written(format_name, together, tmp_path)[1](images())
    assert outputs.shape == (6, 10 * len(networks))
    for place, (toggle, each) in enumerate(networks.items()):
        expected = each(images(), training=False).numpy()
        assert_equal(outputs[:, 10 * place : 10 * place + 10], expected, toggle)


def _small_change(family, toggle):
    return {
        "convs": ((3, 8), (5, 4)),
        "hidden": (16,),
        "last_block": (3, 8, 4),
        "stem": (5, 4) if family == "separable" else (5, 8),
        "blocks": 2 if family == "resnet" else ((5, 8, 8, 8),),
        "stages": ((6, 8), (8, 8)) if family == "separable" else (((4, 8, 8), (4, 8, 8)),),
        "widths": (4, 6),
    }[toggle]


@pytest.mark.parametrize("name", models.names())
def test_every_model_of_the_registry_as_plain_layers(name):
    model = models.build(name)
    assert_equal(plain(model)(images(24)).numpy(), model(images(24), training=False).numpy())


@pytest.mark.parametrize("format_name", ["tflite_float16", "tflite_int8_dynamic", "tflite_int8"])
def test_formats_that_round_come_near_the_network(tmp_path, format_name):
    model = network("tuto", **SMALL["alex"][1])
    expected = model(images(), training=False).numpy()
    actual = written(format_name, model, tmp_path)[1](images())
    spread = expected.max() - expected.min()
    assert 0 < np.abs(actual - expected).max() < 0.1 * spread
    assert np.array_equal(np.argmax(actual, 1), np.argmax(expected, 1))


def test_full_int8_has_integers_at_both_ends_and_floats_only_around_the_normalization(tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    file, _ = written("tflite_int8", network("tuto", **SMALL["alex"][1]), tmp_path)
    interpreter = Interpreter(model_path=str(file))
    ends = interpreter.get_input_details() + interpreter.get_output_details()
    assert [each["dtype"] for each in ends] == [np.int8, np.int8]
    operations = interpreter._get_ops_details()
    kinds = {tensor["index"]: tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    floating = {
        op["op_name"] for op in operations if any(kinds.get(i) == np.float32 for i in [*op["inputs"], *op["outputs"]])
    }
    assert floating == {"DEQUANTIZE", "LOCAL_RESPONSE_NORMALIZATION", "QUANTIZE"}


def test_the_memory_of_the_maps_as_by_hand(tmp_path):
    """tuto at 24 x 24: the first convolution's 24 x 24 x 64 maps beside the pool's 12 x 12 x 64 are the most in float32. In
    int8 the normalization is float: its input and output, 12 x 12 x 64 each, in four bytes."""
    exporter = registry.exporter("tflite_float32")
    model = plain(models.build("tuto"))
    exporter.write(model, tmp_path / "float.tflite", images(24))
    registry.exporter("tflite_int8").write(model, tmp_path / "int8.tflite", images(24))
    floating, integer = exporter.arena(tmp_path / "float.tflite"), exporter.arena(tmp_path / "int8.tflite")
    assert floating.maps == 4 * (24 * 24 * 64 + 12 * 12 * 64)
    assert integer.maps == 4 * 2 * 12 * 12 * 64
    assert floating.planned >= floating.maps and integer.planned >= integer.maps


def test_nothing_that_only_training_does_is_in_an_export(tmp_path):
    import tensorflow as tf

    model = network("nin0", **SMALL["nin"][1], dropout=0.5)
    assert any("dropout" in layer.name for layer in model.layers)
    assert not any("dropout" in layer.name.lower() for layer in plain(model).layers)
    file, _ = written("frozen_graph", model, tmp_path)
    graph = tf.compat.v1.GraphDef.FromString(file.read_bytes())
    operations = {node.op for node in graph.node}
    assert not {op for op in operations if "Random" in op or "Dropout" in op or op == "PartitionedCall"}


def test_a_keras_file_needs_nothing_of_this_package(tmp_path):
    file, _ = written("keras", network("tuto", **SMALL["alex"][1], dropout=0.5), tmp_path)
    with zipfile.ZipFile(file) as archive:
        assert b"zoo" not in archive.read("config.json")


def test_a_layer_that_is_called_twice_and_a_model_within_the_model():
    import tf_keras as keras

    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, "relu"), keras.layers.Dropout(0.5)])
    shared = keras.layers.Dense(4)
    x = given = keras.Input((4,))
    x = keras.layers.Add()([shared(shared(x)), inner(x)])
    model = keras.Model(given, x)
    values = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    copy = plain(model)
    assert_equal(copy(values).numpy(), model(values).numpy())
    assert sum(w.shape.num_elements() for w in copy.weights) == 40  # two dense layers of 4 x 4 + 4


def test_a_subclassed_model_is_refused_with_what_to_do():
    import tf_keras as keras

    class Mine(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match=r"build it with keras.Model\(inputs, outputs\)"):
        plain(Mine())


def test_an_unknown_format_is_told_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'tflite_int8'"):
        registry.exporter("tflite_int")


def test_a_format_that_is_not_equal_leaves_nothing_behind(tmp_path):
    prepared = writing.prepare(sources.of_model("nin0"))
    prepared.model.set_weights([weight * 1.01 for weight in prepared.model.get_weights()])
    with pytest.raises(ExportError, match="LiteRT float32 is not equal to the network"):
        writing.export(prepared, "tflite_float32", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_with_the_command_that_brings_it():
    exporter = registry.Exporter("x", "X", ".x", lambda *_: None, lambda *_: None, packages=("no_such",), extra="onnx")
    with pytest.raises(ExportError, match=r"X needs no_such: pip install 'model-zoo-bench\[onnx\]'"):
        exporter.check_packages()
