"""What a worker imports, imported once by the server that workers are forked from.

Nothing of it is run: a TensorFlow operation would start threads, which a fork does not copy.
"""

import gc
import os

from zoo.host.import_path import standard_library
from zoo.host.quiet_import import quiet_import

_path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
os.environ["PYTHONPATH"] = os.pathsep.join(
    path for path in _path if path not in standard_library()
)  # of this Python alone
gc.disable()  # or each new module has the collector traverse a million objects that stay
try:
    with quiet_import():
        import tensorflow  # noqa: F401
        import tf_keras  # noqa: F401
        from PIL import PngImagePlugin  # noqa: F401

        import zoo.execution.latency
        import zoo.execution.worker
        import zoo.measure.cost
        import zoo.measure.latency
        import zoo.models
        import zoo.training.trainer
    zoo.models.names()  # imports the modules of the families
finally:
    gc.freeze()  # a worker's collector skips these objects, so that their memory stays shared
    gc.enable()
