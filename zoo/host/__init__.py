"""This machine: processes, cores and GPUs, the machine lock, ports, TensorFlow's output on import."""
