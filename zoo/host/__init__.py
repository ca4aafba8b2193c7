"""This machine: processes, cores and GPUs, the lock between training and measuring, ports, TensorFlow's noisy import.

Imports nothing else of zoo.
"""
