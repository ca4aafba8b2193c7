"""The arguments that a question may vary: their types, as pydantic checks them, and those that every family takes."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

Count = Annotated[int, Field(strict=True, gt=0)]  # filters, units, pixels of a kernel or a stride
Toggle = Annotated[bool, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, ge=0, lt=1)]  # of units that dropout sets to zero
Radius = Annotated[int, Field(strict=True, ge=0)]  # channels on either side; 0 is the channel alone
Initializer = Literal["xavier", "tutorial", "he"]

Conv = tuple[Count, Count]  # (kernel, width)
Pool = tuple[Count, Count]  # (size, stride)


@dataclass(frozen=True, kw_only=True)
class CommonArguments:
    """What every family takes; ``lrn`` and ``final_relu`` without a default, because the published networks differ there.

    ``lrn`` is local response normalization, and the ``lrn_...`` constants matter only with it. ``batch_norm`` stands
    before every ReLU but the final one, and takes the place of that layer's bias.
    """

    lrn: Toggle
    lrn_radius: Radius = 4
    lrn_bias: Positive = 1.0
    lrn_alpha: Positive = 0.001 / 9
    lrn_beta: Positive = 0.75
    batch_norm: Toggle = False
    dropout: Fraction = 0.0
    final_relu: Toggle
    initializer: Initializer = "xavier"

    def lrn_constants(self) -> dict[str, Any]:
        """The constants under the names of ``layers.LocalResponseNormalization``."""
        return {"radius": self.lrn_radius, "bias": self.lrn_bias, "alpha": self.lrn_alpha, "beta": self.lrn_beta}


def idle_constants(lrn: bool, **_: Any) -> dict[str, str]:
    """The common arguments that make no difference, and why."""
    return {} if lrn else dict.fromkeys(("lrn_radius", "lrn_bias", "lrn_alpha", "lrn_beta"), "lrn is false")


def flattened(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, with a keyword argument for each field of a parameter that is a dataclass, such as CommonArguments.

    Its signature shows those fields in the place of the parameter; their defaults are those of the parameter's default.
    """
    signature = inspect.signature(function, eval_str=True)
    groups = {name: p for name, p in signature.parameters.items() if dataclasses.is_dataclass(p.annotation)}
    if not groups:
        return function

    @functools.wraps(function)
    def flat(**arguments: Any) -> Any:
        for name, parameter in groups.items():
            fields = {f.name for f in dataclasses.fields(parameter.annotation)}
            given = {key: arguments.pop(key) for key in fields & set(arguments)}
            arguments[name] = dataclasses.replace(parameter.default, **given)
        return function(**arguments)

    parameters = [
        field
        for name, parameter in signature.parameters.items()
        for field in (_fields(parameter) if name in groups else [parameter])
    ]
    vars(flat)["__signature__"] = signature.replace(parameters=parameters)
    return flat


def _fields(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    types = typing.get_type_hints(parameter.annotation, include_extras=True)
    return [
        inspect.Parameter(
            field.name, parameter.kind, default=getattr(parameter.default, field.name), annotation=types[field.name]
        )
        for field in dataclasses.fields(parameter.annotation)
    ]


def smallest_for_pools(pools: int, stride: int) -> int:
    """The smallest input size, in pixels, that leaves every one of ``pools`` SAME pools a map of at least 2x2.

    A pool maps n to ceil(n / stride), so the last one sees ceil(n / stride^(pools - 1)). A stride of 1 shrinks nothing.
    """
    return stride ** (pools - 1) + 1 if pools and stride > 1 else 1
