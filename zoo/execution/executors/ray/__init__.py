"""The executor for a Ray cluster: each training in a process of its own on some node."""
