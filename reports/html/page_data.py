"""What a page is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from reports.analysis.details import Details
from reports.store.sweep import Sweep


class PageData(NamedTuple):
    sweep: Sweep
    frame: pd.DataFrame  # one row a variant, as ``analysis.variants.frame`` has them
    pictures: Mapping[str, str]  # name -> SVG text
    details: Details
