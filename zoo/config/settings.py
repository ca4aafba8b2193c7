"""The resolved configuration of one variant: typed, frozen, complete.

The description of a field is the end of the sentence "NAME must be ..." in the message about a wrong value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, field_validator
from pydantic.fields import FieldInfo

from zoo.data.augmentation import Augment
from zoo.measure.readouts import READOUTS
from zoo.registry import Bool, Choices, Extensible, Settings, number, whole
from zoo.text.suggestions import did_you_mean, nearest
from zoo.text.yaml_form import as_yaml, quoting
from zoo.training.optimizers import OPTIMIZERS, Optimizer
from zoo.training.schedules import SCHEDULES, Schedule

MAX_STEPS = 10**8
PLACEMENT = ("strategy", "workers")  # where a run is trained, not what is trained: the weights are equal to rounding
MAX_WORKERS = 64

CHOICES: dict[str, Choices[Any]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}  # groups whose fields depend on a name

# names that are common elsewhere, and the field that each means here
SYNONYMS = {
    "learning_rate": "optimizer.lr",
    "batch_size": "batch",
    "iterations": "steps",
    "max_steps": "steps",
    "epochs": "steps",
    "dataset": "data",
    "augmentation": "augment",
    "normalize": "standardize",
    "moving_averages": "ema",
    "eval_every": "evaluate_every",
    "image_size": "input_size",
}


class WeightDecay(Settings):
    """What is added to the loss, for the kernel w of each chosen layer.

    ``per_layer``: scale / (number of weights of w) * sum(w^2) / 2. ``constant``: scale * sum(w^2) / 2.
    """

    rule: Literal["none", "per_layer", "constant"]
    scale: float = number("a number, 0 or more", ge=0, le=1e9)
    layers: Literal["hidden", "all_but_last"]

    def idle(self) -> Mapping[str, str]:
        if self.rule == "none":
            return dict.fromkeys(("rule", "scale", "layers"), "rule is none")
        return dict.fromkeys(("rule", "scale", "layers"), "scale is 0") if self.scale == 0 else {}


class Config(Extensible):
    """Everything that training and evaluating one run needs, the seed aside. Each readout is one more field."""

    model: str = Field(strict=True, description="the name of a model")
    arguments: dict[str, Any]  # all of the model's arguments
    data: str = Field(strict=True, description="the name of a data set")
    recipe: str = Field(strict=True, description="the name of a recipe")
    input_size: int = whole("a whole number of pixels", 1, 4096)  # height = width of the crop that the net sees
    steps: int = whole("a whole number", 1, MAX_STEPS)
    batch: int = whole("a whole number of images", 1, 65_536)  # on all devices together
    evaluate_every: int = whole("a whole number of steps", 1, MAX_STEPS)
    milestones: tuple[Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)], ...] = Field(
        description=f"a list of whole numbers of steps, each 1 to {MAX_STEPS:,}"
    )
    augment: Augment
    standardize: Bool
    ema_decay: float = number("a number above 0, below 1", gt=0, lt=1)  # of the ramp min(decay, (1 + n) / (10 + n))
    optimizer: Annotated[SerializeAsAny[Optimizer], BeforeValidator(OPTIMIZERS.validated)]
    schedule: Annotated[SerializeAsAny[Schedule], BeforeValidator(SCHEDULES.validated)]
    weight_decay: WeightDecay
    precision: Literal["auto", "float32", "bfloat16"]
    strategy: Literal["mirrored", "multi_worker"]  # one process, or several that train one run together
    workers: int = whole("a whole number of processes", 1, MAX_WORKERS)

    @classmethod
    def registered(cls) -> Mapping[str, FieldInfo]:
        return {name: readout.setting for name, readout in READOUTS.items()}

    @field_validator("arguments")
    @classmethod
    def _no_lists(cls, value: dict[str, Any]) -> dict[str, Any]:
        return {name: frozen(item) for name, item in value.items()}

    @field_validator("milestones")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))

    def __reduce__(self) -> tuple[Callable[..., Config], tuple[dict[str, Any]]]:
        return _unpickled, (self.model_dump(),)

    def complete(self) -> Config:
        """The configuration once a user's own files are loaded, where it was unpickled before (see ``_unpickled``)."""
        return Config.model_validate(dict(self))

    def flat(self) -> dict[str, Any]:
        """Dotted names, as a question spells them, to plain values (lists, not tuples)."""
        values: dict[str, Any] = {}
        for name, value in self:
            if name == "arguments":
                values.update({key: thawed(item) for key, item in value.items()})
            elif isinstance(value, Settings):
                values.update({f"{name}.{key}": thawed(item) for key, item in value})
            else:
                values[name] = thawed(value)
        return values


def _unpickled(values: dict[str, Any]) -> Config:
    """A configuration in another process; unchecked where what it chooses is of a user's own file, not loaded there yet."""
    try:
        return Config.model_validate(values)
    except ValidationError:
        return Config.model_construct(**values)


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


def groups() -> dict[str, dict[str, FieldInfo]]:
    """The fields that hold further fields (augment, optimizer, ...), each with those by name."""
    return {
        "augment": Augment.fields(),
        **{name: choices.fields() for name, choices in CHOICES.items()},
        "weight_decay": dict(WeightDecay.model_fields),
    }


def fields() -> dict[str, FieldInfo]:
    """The fields of a question by name, the model's arguments left out."""
    return {name: info for name, info in Config.fields().items() if name != "arguments"}


def leaves() -> dict[str, FieldInfo]:
    """The same by dotted name: the fields of a group in place of the group."""
    nested, named = groups(), {}
    for name, info in fields().items():
        if name in nested:
            named.update({f"{name}.{key}": inner for key, inner in nested[name].items()})
        else:
            named[name] = info
    return named


def field_message(name: str, field: Any, value: Any) -> str:
    """The message about a wrong value of a field of the configuration, from the field's pydantic FieldInfo."""
    if get_origin(field.annotation) is Literal:
        options = get_args(field.annotation)
        meant = did_you_mean(value, options) if isinstance(value, str) else ""
        return f"{name} must be one of {', '.join(options)}, not {as_yaml(value)}{meant}{quoting(value)}"
    return f"{name} must be {field.description}, not {as_yaml(value)}"


def unknown_key(name: str, models: Mapping[str, Iterable[str]]) -> str:
    """The message about a key that is neither a field nor an argument; ``models`` maps each model to its arguments."""
    if name == "classes":
        return "classes is not a key: the data set says how many classes there are"
    arguments = list(dict.fromkeys(argument for taken in models.values() for argument in taken))
    takes = f"{', '.join(models)}: {', '.join(arguments) or 'none'}" if models else "the model"
    meant = _meant(name, [*leaves(), *groups(), *arguments], {**_last_parts(), **SYNONYMS})
    return f"unknown key {name!r}{meant}; allowed: {', '.join(fields())}, and the arguments of {takes}"


def unknown_member(group: str, member: str) -> str:
    """The message about ``member`` in ``group``, or about a dotted key where ``group`` is no group of fields."""
    if group not in groups():
        meant = _meant(f"{group}.{member}", list(leaves()), _last_parts())
        return f"unknown key '{group}.{member}'{meant}; {group!r} holds no keys"
    inside = sorted(groups()[group])
    words = {word: full.rpartition(".")[2] for word, full in SYNONYMS.items() if full.startswith(f"{group}.")}
    return f"unknown key {member!r} in {group}{_meant(member, inside, words)}; allowed: {', '.join(inside)}"


def _last_parts() -> dict[str, str]:
    """``lr`` -> ``optimizer.lr``, for every field inside a group."""
    return {name.rpartition(".")[2]: name for name in leaves() if "." in name}


def _meant(name: str, names: list[str], words: Mapping[str, str]) -> str:
    """``" (did you mean 'lrn'?)"``: another word for a field first, then the nearest name, then the nearest word."""
    meant = words.get(name) or nearest(name, names)
    if meant is None:
        word = nearest(name, words)
        meant = words[word] if word else None
    return f" (did you mean {meant!r}?)" if meant else ""
