"""TensorFlow's own formats: SavedModel (a directory, for serving), Keras' file, and a frozen graph (one file).

The frozen graph is the format of the models' source, of which sizes are published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.export.errors import ExportError, first_line
from zoo.export.registry import Exporter, Predictor, as_batches, register
from zoo.host.quiet_import import quiet_import

if TYPE_CHECKING:
    import numpy as np
    import tf_keras as keras

_BATCH = 500


def _inference(model: keras.Model, batch: int | None) -> Any:
    """The concrete function images -> outputs."""
    import tensorflow as tf

    [given] = model.inputs
    spec = tf.TensorSpec([batch, *given.shape[1:]], given.dtype, name="images")
    return tf.function(lambda images: model(images, training=False), autograph=False).get_concrete_function(spec)


def _predictor(function: Callable[[Any], Any]) -> Predictor:
    import numpy as np

    def predict(images: np.ndarray) -> np.ndarray:
        return np.concatenate([np.asarray(function(batch)) for batch in as_batches(images, _BATCH)])

    return predict


def _limit_threads(threads: int) -> None:
    """TensorFlow takes the number of threads once for the whole process, before its first operation."""
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


# --- SavedModel ---------------------------------------------------------------------------------------------------


def _write_saved_model(model: keras.Model, path: Path, calibration: Iterable[np.ndarray]) -> None:
    with quiet_import():
        import tensorflow as tf
    module = tf.Module()
    module.weights = model.variables  # what the function uses must be kept with it; the layers need not be
    function = tf.function(lambda images: {"outputs": model(images, training=False)}, autograph=False)
    [given] = model.inputs
    signature = function.get_concrete_function(tf.TensorSpec([None, *given.shape[1:]], given.dtype, name="images"))
    tf.saved_model.save(module, str(path), signatures=signature)


def _load_saved_model(path: Path, threads: int) -> Predictor:
    with quiet_import():
        import tensorflow as tf
    _limit_threads(threads)
    try:
        loaded = tf.saved_model.load(str(path))
        signature = loaded.signatures["serving_default"]
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        raise ExportError(f"{path} is not a SavedModel with a default signature: {first_line(error)}") from None

    def call(images: np.ndarray, _kept: Any = loaded) -> Any:
        return next(iter(signature(tf.constant(images)).values()))

    return _predictor(call)


# --- Keras --------------------------------------------------------------------------------------------------------


def _write_keras(model: keras.Model, path: Path, calibration: Iterable[np.ndarray]) -> None:
    model.save(str(path), save_format="keras")


def _load_keras(path: Path, threads: int) -> Predictor:
    with quiet_import():
        import tensorflow as tf
        import tf_keras as keras
    _limit_threads(threads)
    try:
        model = keras.models.load_model(str(path), compile=False)
    except Exception as error:  # of damaged archives Keras raises many kinds
        raise ExportError(f"{path} is not a Keras model: {first_line(error)}") from None
    function = _inference(model, None)
    return _predictor(lambda images: function(tf.constant(images)))


# --- frozen graph -------------------------------------------------------------------------------------------------


def _write_frozen_graph(model: keras.Model, path: Path, calibration: Iterable[np.ndarray]) -> None:
    with quiet_import():
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
    frozen = convert_variables_to_constants_v2(_inference(model, None))
    path.write_bytes(frozen.graph.as_graph_def().SerializeToString())


def _load_frozen_graph(path: Path, threads: int) -> Predictor:
    with quiet_import():
        import tensorflow as tf
    _limit_threads(threads)
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
        outputs = {name.split(":")[0].removeprefix("^") for node in graph.node for name in node.input}
        [given] = [node.name for node in graph.node if node.op == "Placeholder"]
        [result] = [node.name for node in graph.node if node.name not in outputs and node.op != "NoOp"]
        wrapped = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph, name=""), [])
        function = wrapped.prune(f"{given}:0", f"{result}:0")
    except Exception as error:  # protobuf's own error has no public name in TensorFlow
        raise ExportError(f"{path} is not a frozen graph of one input and one output: {first_line(error)}") from None
    return _predictor(lambda images: function(tf.constant(images)))


for _name, _label, _suffix, _write, _load in (
    ("saved_model", "SavedModel", "", _write_saved_model, _load_saved_model),
    ("keras", "Keras", ".keras", _write_keras, _load_keras),
    ("frozen_graph", "frozen graph", ".pb", _write_frozen_graph, _load_frozen_graph),
):
    _runtime = ("tensorflow", "tf_keras") if _name == "keras" else ("tensorflow",)
    register(Exporter(_name, _label, _suffix, _write, _load, 1e-4, runtime=_runtime))
