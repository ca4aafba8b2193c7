"""Trained networks as files that other programs run: LiteRT, ONNX, SavedModel, Keras, frozen graph.

``python -m zoo.export RUN|MODEL --format tflite_int8 --out DIR`` writes a file and, beside it, a manifest of what it takes,
what it gives and where it comes from. Importing this package imports neither TensorFlow nor another runtime.
"""
