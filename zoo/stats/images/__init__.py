"""What the answers to single test images say: how sure an accuracy is, where two variants disagree."""
