"""What a page is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from reports.analysis.details import Details
from reports.store.sweep import Sweep


class Given(NamedTuple):
    """What a page is made of."""

    sweep: Sweep
    frame: pd.DataFrame
    pictures: Mapping[str, str]
    details: Details
