"""Speed claims, measured side by side in one run on a machine that does nothing else."""
