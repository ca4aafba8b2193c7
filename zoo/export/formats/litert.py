"""LiteRT, formerly TensorFlow Lite: one file for phones, single-board computers and microcontrollers.

``float16`` stores the weights in half the bytes, ``int8_dynamic`` in a quarter, and both compute in float32 on most
processors. ``int8`` computes in integers throughout: its input and output are int8, scaled as the file says, and the scales
of its maps come from images to calibrate with. Local response normalization stays float inside it, because LiteRT has it in
float only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.export.errors import ExportError, first_line
from zoo.export.registry import Arena, Exporter, Predictor, register
from zoo.host.quiet_import import quiet_import

if TYPE_CHECKING:
    import numpy as np
    import tf_keras as keras


def _write(kind: str, model: keras.Model, path: Path, calibration: Iterable[np.ndarray]) -> None:
    with quiet_import():
        import tensorflow as tf

        [given] = model.inputs
        spec = tf.TensorSpec([1, *given.shape[1:]], given.dtype, name="images")
        function = tf.function(lambda images: model(images, training=False), autograph=False).get_concrete_function(
            spec
        )
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
        if kind != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if kind == "int8":
            converter.representative_dataset = lambda: ([image[None]] for image in calibration)
            # Operations without an int8 kernel, local response normalization among them, stay float.
            converter.target_spec.supported_ops = [
                tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
                tf.lite.OpsSet.TFLITE_BUILTINS,
            ]
            integer = tf.uint8 if given.dtype == tf.uint8 else tf.int8
            converter.inference_input_type, converter.inference_output_type = integer, integer
        contents = converter.convert()
    path.write_bytes(contents)


def _load(path: Path, threads: int) -> Predictor:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    try:
        with quiet_import():  # it says on the terminal what it computes with
            interpreter = Interpreter(model_path=str(path), num_threads=threads or None)
            [given], [result] = interpreter.get_input_details(), interpreter.get_output_details()
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ExportError(f"{path} is not a LiteRT model of one input and one output: {first_line(error)}") from None

    def predict(images: np.ndarray) -> np.ndarray:
        # One by one: a file resized to several images is silently wrong where the converter has fixed a shape of one.
        return np.concatenate([one_call(image[None]) for image in images])

    def one_call(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(given["index"], _quantized(image, given))
        interpreter.invoke()
        return _dequantized(interpreter.get_tensor(result["index"]), result)

    return predict


def _arena(path: Path) -> Arena:
    """As LiteRT's own kernels have it, without the accelerating delegate, whose memory is not seen from outside."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with quiet_import():
        interpreter = Interpreter(
            model_path=str(path),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    operations = interpreter._get_ops_details()  # there is no public name for it
    maps = {int(i) for op in operations for i in op["outputs"]}
    maps |= {each["index"] for each in interpreter.get_input_details()}
    constant = {int(i) for op in operations for i in op["inputs"]} - maps
    spans = {}
    for index in (each["index"] for each in interpreter.get_tensor_details()):
        if index not in constant:
            with contextlib.suppress(ValueError):  # a tensor that has no memory of its own
                values = interpreter.tensor(index)()
                spans[index] = values.__array_interface__["data"][0], values.nbytes
    first = min(start for start, size in spans.values() if size)
    ends = {index: start + size - first for index, (start, size) in spans.items() if size}
    return Arena(max(ends.values()), _least_for(operations, {i: spans[i][1] for i in maps if i in spans}))


def _least_for(operations: Any, sizes: dict[int, int]) -> int:
    """The largest sum of the maps that are needed at one time: no plan takes less."""
    alive: dict[int, tuple[int, int]] = {}  # map -> the first and last operation that it is needed at
    for number, operation in enumerate(operations):
        for index in (*operation["inputs"], *operation["outputs"]):
            first, _ = alive.get(int(index), (number, number))
            alive[int(index)] = first, number
    moments = range(len(operations))
    return max(sum(sizes[i] for i, (a, b) in alive.items() if i in sizes and a <= now <= b) for now in moments)


def _quantized(values: Any, details: dict[str, Any]) -> Any:
    import numpy as np

    scale, zero_point = details["quantization"]
    if not scale or values.dtype == details["dtype"]:
        return values.astype(details["dtype"], copy=False)
    limits = np.iinfo(details["dtype"])
    return np.clip(np.round(values / scale) + zero_point, limits.min, limits.max).astype(details["dtype"])


def _dequantized(values: Any, details: dict[str, Any]) -> Any:
    import numpy as np

    scale, zero_point = details["quantization"]
    return np.float32(scale) * (values.astype(np.float32) - zero_point) if scale else values.astype(np.float32)


def _register(kind: str, label: str, largest_difference: float | None) -> None:
    register(
        Exporter(
            name=f"tflite_{kind}",
            label=label,
            suffix=".tflite",
            write=partial(_write, kind),
            load=_load,
            largest_difference=largest_difference,
            packages=("ai_edge_litert",),
            runtime=("ai_edge_litert.interpreter",),
            arena=_arena,
            is_calibrated=kind == "int8",
        )
    )


_register("float32", "LiteRT float32", 1e-4)
_register("float16", "LiteRT float16", None)
_register("int8_dynamic", "LiteRT dynamic int8", None)
_register("int8", "LiteRT int8", None)
