"""The resolved configuration of one variant: typed, frozen, complete.

The description of a field is the end of the sentence "NAME must be ..." in the message about a wrong value.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_STEPS = 10**8
READOUTS = ("ema", "steps")  # runs that differ only in these share one training
PLACEMENT = ("strategy", "workers")  # where a run is trained, not what is trained: the weights are equal to rounding
MAX_WORKERS = 64

Bool = Annotated[bool, Field(strict=True, description="true or false")]


def _whole(text: str, low: int, high: int):
    return Field(strict=True, ge=low, le=high, description=f"{text}, {low:,} to {high:,}")


def _number(text: str, **limits: float):
    return Field(strict=True, allow_inf_nan=False, description=text, **limits)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Augment(_Frozen):
    """Random changes of the training images, on raw pixels 0..255, in this order. ``flip`` is left-right."""

    crop: Bool
    flip: Bool
    brightness: float = _number("a number of grey levels from 0 (off) to 255, or true or false", ge=0, le=255)
    contrast: tuple[float, float] | None = Field(
        description="two numbers, the lowest and the highest factor, 0 <= lowest <= highest, or true or false"
    )

    @field_validator("contrast", mode="before")
    @classmethod
    def _two_numbers(cls, value):
        if value is None:
            return value
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError("two numbers")
        if any(isinstance(x, bool) or not isinstance(x, int | float) for x in value) or not 0 <= value[0] <= value[1]:
            raise ValueError("ordered numbers")
        return tuple(float(x) for x in value)


class Optimizer(_Frozen):
    """How a gradient becomes a step of the weights. ``momentum`` is used by SGD."""

    name: Literal["sgd", "adam"]
    lr: float = _number("a number above 0, at most 1,000", gt=0, le=1000)
    momentum: float = _number("a number from 0 to below 1", ge=0, lt=1)


class Schedule(_Frozen):
    """A staircase: the learning rate is multiplied by ``decay_factor`` every ``decay_every_epochs`` (0: constant)."""

    decay_factor: float = _number("a number above 0, at most 1", gt=0, le=1)
    decay_every_epochs: float = _number("a number of epochs, 0 (a constant learning rate) or more", ge=0, le=1e9)


class WeightDecay(_Frozen):
    """What is added to the loss, for the kernel w of each chosen layer.

    ``per_layer``: scale / (number of weights of w) * sum(w^2) / 2. ``constant``: scale * sum(w^2) / 2.
    """

    rule: Literal["none", "per_layer", "constant"]
    scale: float = _number("a number, 0 or more", ge=0, le=1e9)
    layers: Literal["hidden", "all_but_last"]


class Config(_Frozen):
    """Everything that training and evaluating one run needs, the seed aside."""

    model: str = Field(strict=True, description="the name of a model")
    arguments: dict[str, Any]  # all of the model's arguments
    data: str = Field(strict=True, description="the name of a data set")
    recipe: str = Field(strict=True, description="the name of a recipe")
    input_size: int = _whole("a whole number of pixels", 1, 4096)  # height = width of the crop that the net sees
    steps: int = _whole("a whole number", 1, MAX_STEPS)
    batch: int = _whole("a whole number of images", 1, 65_536)  # on all devices together
    evaluate_every: int = _whole("a whole number of steps", 1, MAX_STEPS)
    milestones: tuple[Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)], ...] = Field(
        description=f"a list of whole numbers of steps, each 1 to {MAX_STEPS:,}"
    )
    augment: Augment
    standardize: Bool
    ema: Bool  # a readout: whether test/accuracy is the averaged weights' or the raw weights'
    ema_decay: float = _number("a number above 0, below 1", gt=0, lt=1)  # of the ramp min(decay, (1 + n) / (10 + n))
    optimizer: Optimizer
    schedule: Schedule
    weight_decay: WeightDecay
    precision: Literal["auto", "float32", "bfloat16"]
    strategy: Literal["mirrored", "multi_worker"]  # one process, or several that train one run together
    workers: int = _whole("a whole number of processes", 1, MAX_WORKERS)

    @field_validator("arguments")
    @classmethod
    def _no_lists(cls, value):
        return {name: frozen(item) for name, item in value.items()}

    @field_validator("milestones")
    @classmethod
    def _ascending(cls, value):
        return tuple(sorted(set(value)))

    def flat(self) -> dict[str, Any]:
        """Dotted names, as a question spells them, to plain values (lists, not tuples)."""
        values: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name == "arguments":
                values.update({key: thawed(item) for key, item in value.items()})
            elif isinstance(value, BaseModel):
                values.update({f"{name}.{key}": thawed(item) for key, item in value})
            else:
                values[name] = thawed(value)
        return values


def frozen(value: Any) -> Any:
    """The value with every list in it made a tuple."""
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    if isinstance(value, Mapping):
        return {key: frozen(item) for key, item in value.items()}
    return value


def thawed(value: Any) -> Any:
    """The value with every tuple in it made a list."""
    if isinstance(value, list | tuple):
        return [thawed(item) for item in value]
    if isinstance(value, Mapping):
        return {key: thawed(item) for key, item in value.items()}
    return value


@functools.cache
def groups() -> dict[str, type[BaseModel]]:
    """The fields that hold further fields: augment, optimizer, ..."""
    found = {name: info.annotation for name, info in Config.model_fields.items()}
    return {name: kind for name, kind in found.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}


@functools.cache
def leaves() -> dict[str, Any]:
    """Dotted name to pydantic's FieldInfo, for every single field of a configuration but the model's arguments."""
    nested = groups()
    found: dict[str, Any] = {}
    for name, info in Config.model_fields.items():
        if name in nested:
            found.update({f"{name}.{key}": inner for key, inner in nested[name].model_fields.items()})
        elif name != "arguments":
            found[name] = info
    return found
