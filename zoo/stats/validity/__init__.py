"""What may be wrong with a comparison: failures, guessing, a choice made on the test set, spreads."""
