"""Typed settings, and registries of entries that a configuration chooses among. Imports nothing of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

Bool = Annotated[bool, Field(strict=True, description="true or false")]


def whole(text: str, low: int, high: int) -> Any:
    """A field for whole numbers; ``text`` ends the sentence "NAME must be ..." of the message about a wrong value."""
    return Field(strict=True, ge=low, le=high, description=f"{text}, {low:,} to {high:,}")


def number(text: str, **options: Any) -> Any:
    """A field for finite numbers; ``options`` are pydantic's limits (gt, ge, lt, le) and the default, if there is one."""
    return Field(strict=True, allow_inf_nan=False, description=text, **options)


class Settings(BaseModel):
    """Frozen settings; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def idle(self) -> Mapping[str, str]:
        """Fields whose value makes no difference, given those of the others: name -> why ("rule is none").

        Settings in which every field is idle do nothing at all, and so all such settings of a group are the same.
        """
        return {}


class Extensible(Settings):
    """Settings with further fields, which are registered elsewhere and checked as if they stood in the class."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def registered(cls) -> Mapping[str, FieldInfo]:
        """The further fields by name; each has a default."""
        raise NotImplementedError

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """All fields by name, those of the class first."""
        return {**cls.model_fields, **cls.registered()}

    @model_validator(mode="wrap")
    @classmethod
    def _check_all(cls, values: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if not isinstance(values, Mapping):
            return handler(values)
        registered, errors = cls.registered(), []
        own = {name: value for name, value in values.items() if name in cls.model_fields}
        further: dict[str, Any] = {}
        for name in [name for name in values if name not in own and name not in registered]:
            errors.append(_error(name, text="is an unknown field", given=values[name]))
        for name, field in registered.items():
            try:
                further[name] = _checked(field, values[name]) if name in values else field.get_default()
            except ValidationError:
                errors.append(_error(name, text=f"must be {field.description}", given=values[name]))
        try:
            checked = handler({**own, **further})
        except ValidationError as error:
            errors += [_error(*item["loc"], text=item["msg"], given=item["input"]) for item in error.errors()]
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return checked


class Choice(Settings):
    """One entry of a registry that is chosen by ``name``; each class has its own as the default."""

    name: str


C = TypeVar("C", bound=Choice)


class Choices(Generic[C]):
    """A registry of classes of which a configuration has one: a union discriminated by ``name``."""

    def __init__(self, kind: type[C], default: str = "") -> None:
        self.kind = kind
        self.default = default  # the name where a configuration gives none
        self.entries: dict[str, type[C]] = {}

    def register(self, entry: type[C]) -> type[C]:
        """Decorator that adds a class under its name. Raises ValueError for a name that is taken."""
        name = entry.model_fields["name"].default
        if name in self.entries:
            raise ValueError(f"two entries are named {name!r}: {self.entries[name].__qualname__}, {entry.__qualname__}")
        self.entries[name] = entry
        return entry

    def fields(self) -> dict[str, FieldInfo]:
        """The fields of all entries by name, ``name`` itself first."""
        known: Any = Literal[tuple(self.entries)]
        fields = {"name": FieldInfo(annotation=known, default=self.default or next(iter(self.entries)))}
        for entry in self.entries.values():
            fields.update({name: info for name, info in entry.model_fields.items() if name not in fields})
        return fields

    def validated(self, values: Any) -> Any:
        """An entry of the class that the values name; to be used as a field's BeforeValidator."""
        if not isinstance(values, Mapping):
            return values
        name = values.get("name", self.default)
        if not isinstance(name, str) or name not in self.entries:
            wrong = _error("name", text=f"must be one of {', '.join(self.entries)}", given=name)
            raise ValidationError.from_exception_data(self.kind.__name__, [wrong])
        return self.entries[name].model_validate(values)


@contextlib.contextmanager
def restored(*registries: dict[str, Any]) -> Iterator[None]:
    """What is registered within this block is forgotten at its end; for tests."""
    before = [dict(registry) for registry in registries]
    try:
        yield
    finally:
        for registry, entries in zip(registries, before, strict=True):
            registry.clear()
            registry.update(entries)


_adapters: dict[int, tuple[FieldInfo, TypeAdapter[Any]]] = {}  # by the field's id; the field is kept, and so is its id


def _checked(field: FieldInfo, value: Any) -> Any:
    if id(field) not in _adapters:
        annotated: Any = Annotated[field.annotation, field]
        _adapters[id(field)] = field, TypeAdapter(annotated)
    return _adapters[id(field)][1].validate_python(value)


def _error(*loc: int | str, text: str = "", given: Any = None) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("settings", "{text}", {"text": text}), loc=loc, input=given)
