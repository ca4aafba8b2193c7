"""What a variant costs beside the baseline: measured times as ratios (``of_sweep``), and prices in words (``words``)."""
