"""The types of the arguments that a question may vary, as pydantic checks them, and the input size that pools need."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Count = Annotated[int, Field(strict=True, gt=0)]  # filters, units, pixels of a kernel or a stride
Toggle = Annotated[bool, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, lt=1)]  # of units that dropout sets to zero
Radius = Annotated[int, Field(strict=True, ge=0)]  # channels on either side; 0 is the channel alone
Initializer = Literal["xavier", "tutorial", "he"]

Conv = tuple[Count, Count]  # (kernel, width)
Pool = tuple[Count, Count]  # (size, stride)


def smallest_for_pools(pools: int, stride: int) -> int:
    """The smallest input size, in pixels, that leaves every one of ``pools`` SAME pools a map of at least 2x2.

    A pool maps n to ceil(n / stride), so the last one sees ceil(n / stride^(pools - 1)). A stride of 1 shrinks nothing.
    """
    return stride ** (pools - 1) + 1 if pools and stride > 1 else 1
