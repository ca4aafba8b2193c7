"""From runs to results: scheduler, worker processes, progress, latency pass. May import every other package of zoo."""
