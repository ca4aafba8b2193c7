"""Getting CIFAR-10 in any form that it is distributed in; its registration is in ``zoo.data.sets.cifar10``.

May import the modules of zoo.data.
"""
