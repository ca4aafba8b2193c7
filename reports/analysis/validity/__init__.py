"""What may be wrong with a comparison: trainings that failed, networks that learned nothing, what to be careful of."""
