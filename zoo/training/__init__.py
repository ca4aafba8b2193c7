"""The one trainer: a configuration and a seed in, weights, predictions and a history out."""
