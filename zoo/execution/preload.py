"""What a worker needs before its first line, imported once by the server that workers are forked from.

It imports and runs nothing: an operation run here would start threads that a fork does not copy.
"""

import gc

from zoo.host.quiet_import import quiet_import

gc.disable()  # or each new module has the collector look through a million objects that are there to stay
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
    zoo.models.names()  # brings the modules of the families
finally:
    gc.freeze()  # a worker's collector passes over what all workers share, which so stays shared
    gc.enable()
