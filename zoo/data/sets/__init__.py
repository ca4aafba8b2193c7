"""One module per data set, found by itself: its registration, with its checksums. Importing it is cheap.

May import zoo.data.registry; what reads the bytes is imported when a data set is loaded.
"""
