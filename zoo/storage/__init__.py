"""One training's raw results on disk."""
