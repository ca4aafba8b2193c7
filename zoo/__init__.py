"""The bench: questions about image classifiers, trained, measured and recorded."""
