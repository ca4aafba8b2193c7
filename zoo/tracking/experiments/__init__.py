"""What the MLflow experiment of a sweep holds beside its runs. May import what zoo.tracking may, and its names."""
