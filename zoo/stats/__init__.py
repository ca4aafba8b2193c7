"""Pure statistics of arrays. Imports nothing else of this project."""
