"""The zoo: a registry of models, and one readable function per family, found in the modules of this package.

May import zoo.measure, zoo.plugins, zoo.host and zoo.text. Nothing here imports TensorFlow before a model is built.
"""

from zoo.models.registry import Entry, build, entry, idle_arguments, names, register, restored, smallest_input

__all__ = ["Entry", "build", "entry", "idle_arguments", "names", "register", "restored", "smallest_input"]
