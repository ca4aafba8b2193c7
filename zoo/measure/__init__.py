"""What a model costs and how well it does. Nothing here imports TensorFlow before it is called."""

from zoo.measure.cost import Cost, LayerCost, cost, layer_costs

__all__ = ["Cost", "LayerCost", "cost", "layer_costs"]
