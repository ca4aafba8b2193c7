"""What is compared for speed, each in a process of its own (see `contender.py`), and the images that they all take."""
