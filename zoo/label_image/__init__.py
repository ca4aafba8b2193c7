"""``python -m zoo.label_image MODEL IMAGE...``: what an exported network, or a run, says of images."""
