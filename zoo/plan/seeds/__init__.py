"""Which seeds are trained: the design as it was declared, and stages until it is decided."""
