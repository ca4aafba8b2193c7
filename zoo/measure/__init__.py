"""Metrics of a model: their registry, accuracy, cost and latency.

May import zoo.host, zoo.stats and zoo.text. Nothing here imports TensorFlow before it is called.
"""

from zoo.measure.cost import Cost, LayerCost, activations, cost, layer_costs

__all__ = ["Cost", "LayerCost", "activations", "cost", "layer_costs"]
