"""Statistics of what variants cost: ratios of measured times, and the Pareto front of accuracy and cost."""
