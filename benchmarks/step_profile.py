"""What a training step is made of: TensorFlow's own profile of the trainer's compiled loop, summed up by kind of work.

Up to two operations run at a time, each spread over the threads that are free, so the parts add up to more than the step.
"""

from __future__ import annotations

import collections
import contextlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contender import Contender, ContenderServer
from benchmarks.training_speed import MODELS
from zoo.text.wording import table

_STEPS = 40
_KINDS = {  # the first that the name of an operation's kernel has in it
    "Conv2DBackpropFilter": "convolutions: gradient of the kernels",
    "Conv2DBackpropInput": "convolutions: gradient of the maps",
    "FusedConv2D": "convolutions: forward, bias and ReLU in the same pass",
    "Conv2D": "convolutions: gradient of the kernels",  # without a bias: what zoo.models.layers.convolution makes of it
    "Transpose": "convolutions: gradient of the kernels",
    "BatchMatMul": "augmentation: moments of the crops",
    "MatMul": "dense layers",
    "MaxPool": "pools and their gradients",
    "ReluGrad": "gradients of ReLUs",
    "Gather": "augmentation: cutting the crops",
    "Random": "random numbers: dropout, augmentation",
    "Select": "dropout: what is kept",
    "Concat": "joining and cutting maps",
    "Slice": "joining and cutting maps",
    "ResourceApply": "descent",
    "ExecuteAsyncOnStream": "compiled element-wise work: LRN, averages",
}
_REST = "other element-wise work: casts, weight decay, standardization, loss"
_FRAMES = ("Process", "Run", "Start", "Done", "Execute")  # around the work: their time is that of what is in them


def measure(models: Sequence[str] = MODELS) -> dict[str, Any]:
    """Profile each model's step as a sweep trains it, in a process of its own."""
    profiles = {}
    for model in models:
        with contextlib.closing(Contender("benchmarks.step_profile", {"model": model})) as contender:
            profiles[model] = contender.facts
    return {"models": profiles}


def compete(server: ContenderServer, model: str) -> None:
    """Profile, and say what comes out."""
    from benchmarks.contenders.own_trainer import Trainer

    trainer = Trainer(model, augment=True, precision="auto")
    import tensorflow as tf

    trainer.steps(20)
    began = time.perf_counter()
    trainer.steps(_STEPS)
    step_s = (time.perf_counter() - began) / _STEPS
    with tempfile.TemporaryDirectory() as directory:
        options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=2, python_tracer_level=0)
        tf.profiler.experimental.start(directory, options=options)
        trainer.steps(_STEPS)
        tf.profiler.experimental.stop()
        kernels = _kernels(Path(directory))
    per_step = {name: [count / _STEPS, seconds / _STEPS] for name, (count, seconds) in kernels.items()}
    server.ready(precision=trainer.config.precision, step_s=step_s, kernels=per_step)


def _kernels(directory: Path) -> dict[str, tuple[int, float]]:
    """Kernel -> how often it ran on the processor and for how many seconds."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    counts: collections.Counter[str] = collections.Counter()
    picoseconds: collections.Counter[str] = collections.Counter()
    for path in directory.rglob("*.xplane.pb"):
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
        for plane in space.planes:
            names = plane.event_metadata
            for event in (event for line in plane.lines for event in line.events if "CPU" in plane.name):
                # "layer/operation:Kernel"; what TensorFlow says of its functions has a blank before the name
                _, colon, kernel = names[event.metadata_id].name.rpartition(":")
                if colon and kernel.strip() == kernel and kernel not in _FRAMES:
                    counts[kernel] += 1
                    picoseconds[kernel] += event.duration_ps
    return {kernel: (counts[kernel], picoseconds[kernel] / 1e12) for kernel in counts}


def by_kind(kernels: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float]]:
    """Kernels, each with its calls and seconds a step, summed up to kinds of work, the longest first."""
    kinds: dict[str, tuple[float, float]] = {}
    for kernel, (calls, seconds) in kernels.items():
        kind = next((kind for part, kind in _KINDS.items() if part in kernel), _REST)
        before = kinds.get(kind, (0.0, 0.0))
        kinds[kind] = before[0] + calls, before[1] + seconds
    return dict(sorted(kinds.items(), key=lambda item: -item[1][1]))


def text(results: dict[str, Any]) -> str:
    """A table a model, for a person."""
    return "\n\n".join(_model_text(model, of_model) for model, of_model in results["models"].items())


def _model_text(model: str, results: dict[str, Any]) -> str:
    kinds = by_kind(results["kernels"])
    whole = sum(seconds for _, seconds in kinds.values())
    rows = [
        (kind, f"{calls:.0f}", f"{1e3 * seconds:.2f}", f"{seconds / whole:.1%}")
        for kind, (calls, seconds) in kinds.items()
    ]
    title = f"{model}, {results['precision']}: {1e3 * results['step_s']:.1f} ms a step, not profiled"
    return f"{title}\n{table(('work of a step', 'calls', 'ms', 'share'), rows, left=1)}"
