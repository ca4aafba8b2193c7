"""Frames of variants as the trade-off picture takes them."""

from __future__ import annotations

import numpy as np
import pandas as pd

SIZES = {  # a crowd: three points within one percent of size and half a point of accuracy, as a zoo has them
    **{"tuto": (1_068_298, 81.2), "alex0": (145_578, 72.0), "alex1": (89_578, 73.1), "alex2": (89_834, 73.6)},
    **{"alex3": (121_000, 75.1), "alex4": (250_000, 77.2), "cs231n": (1_100_000, 79.0), "nin0": (967_000, 82.0)},
    **{"nin1": (965_000, 81.8), "nin2": (972_000, 82.5), "squeeze0": (735_000, 70.5), "squeeze1": (300_000, 73.2)},
}


def variants(sizes: dict[str, tuple[float, float]], sd: float = 0.3, sweep: str = "zoo") -> pd.DataFrame:
    names, values = list(sizes), np.array(list(sizes.values()), dtype=float)
    return pd.DataFrame({
        "sweep": sweep,
        "variant": names,
        "baseline": [index == 0 for index in range(len(names))],
        "n": 3,
        "params": pd.array(values[:, 0].astype(int), dtype="Int64"),
        "accuracy_percent_mean": values[:, 1],
        "accuracy_percent_sd": sd,
    })  # fmt: skip
