"""One row a variant, and what is written in its cells."""
