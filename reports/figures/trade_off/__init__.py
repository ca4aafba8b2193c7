"""The trade-off picture, accuracy against a cost: layout, axes, points, and the texts around them."""
