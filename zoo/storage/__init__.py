"""One training's results on disk: typed records, atomic writes, its log. Imports nothing of ours but zoo.measure."""
