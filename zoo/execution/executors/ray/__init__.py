"""The executor for a Ray cluster. Ray itself is imported only when a sweep uses it."""

from zoo.execution.executors.ray.cluster import EXECUTOR

__all__ = ["EXECUTOR"]
