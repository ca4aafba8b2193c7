"""ONNX, for onnxruntime and the many programs that read it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.export.errors import ExportError, first_line
from zoo.export.registry import Exporter, Predictor, as_batches, register
from zoo.host.quiet_import import quiet_import

if TYPE_CHECKING:
    import numpy as np
    import tf_keras as keras

_OPSET = 17  # of 2022: runtimes of the last years read it
_BATCH = 500


def _write(model: keras.Model, path: Path, calibration: Iterable[np.ndarray]) -> None:
    with quiet_import():
        import tensorflow as tf
        import tf2onnx

        logging.getLogger("tf2onnx").setLevel(logging.ERROR)
        [given] = model.inputs
        spec = [tf.TensorSpec([None, *given.shape[1:]], given.dtype, name="images")]
        function = tf.function(lambda images: model(images, training=False), input_signature=spec, autograph=False)
        converted, _ = tf2onnx.convert.from_function(function, input_signature=spec, opset=_OPSET)
    path.write_bytes(converted.SerializeToString())


def _load(path: Path, threads: int) -> Predictor:
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes are not public
        raise ExportError(f"{path} is not an ONNX model: {first_line(error)}") from None
    [given] = session.get_inputs()

    def predict(images: np.ndarray) -> np.ndarray:
        return np.concatenate([session.run(None, {given.name: batch})[0] for batch in as_batches(images, _BATCH)])

    return predict


register(
    Exporter(
        name="onnx",
        label="ONNX",
        suffix=".onnx",
        write=_write,
        load=_load,
        largest_difference=1e-4,
        packages=("tf2onnx", "onnxruntime"),
        runtime=("onnxruntime",),
        extra="onnx",
    )
)
