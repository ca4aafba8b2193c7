"""From runs to results: the scheduler, the worker process of a training, progress, the latency pass."""
