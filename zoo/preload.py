"""What a worker needs before its first line, imported once by the server that workers are forked from.

It imports and runs nothing: an operation run here would start threads that a fork does not copy.
"""

from zoo.quiet import quiet_import

with quiet_import():
    import tensorflow  # noqa: F401
    import tf_keras  # noqa: F401
