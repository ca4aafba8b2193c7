"""Augmentation and standardization of a whole batch at once, inside the graph. Another one is another registered class.

Source: the TensorFlow CIFAR-10 tutorial's ``distorted_inputs``, which notes itself that a brightness shift is undone by
the standardization that follows it (nothing is clipped in between).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo

from zoo.data.pixels import Affine, Pixels, Window, cut, standardized
from zoo.registry import Bool, Extensible, Settings, number

_STREAMS = 8  # random streams of one step

Uniform = Callable[..., Any]  # (low, high, dtype=float32, stream=0): a value for each image [B], of the entry's stream


class Augmentation(Settings):
    """A random change of the training images; its one setting, ``value``, is a field of a question, ``augment.<name>``.

    Derive from one of the three classes below, which say what it changes.
    """

    name: ClassVar[str]
    streams: ClassVar[tuple[int, ...]]  # the random numbers that it uses, so that switching one off moves no other
    off: ClassVar[Any]  # the value that switches it off

    value: Any

    def draw(self, uniform: Uniform, places: int) -> tuple[Any, ...]:
        """Its random numbers for one batch, tensors [B, ...]; a crop has ``places`` corners in each direction."""
        raise NotImplementedError


class Placement(Augmentation):
    """Changes which pixels are read."""

    def place(self, window: Window, *drawn: Any) -> Window:
        raise NotImplementedError


class AffineAugmentation(Augmentation):
    """Changes the pixels of each channel by an affine map, which costs no pass over the pixels of its own."""

    def compose(self, affine: Affine, *drawn: Any) -> Affine:
        """The map so far, with this one after it."""
        raise NotImplementedError


class PixelAugmentation(Augmentation):
    """Changes the pixels, float32 [B, size, size, C], in any other way."""

    def apply(self, pixels: Any, *drawn: Any) -> Any:
        raise NotImplementedError


AUGMENTATIONS: dict[str, type[Augmentation]] = {}  # in the order in which they are applied


def register(entry: type[Augmentation]) -> type[Augmentation]:
    """Decorator that adds an augmentation. Raises ValueError for a name or a random stream that is taken."""
    for other in AUGMENTATIONS.values():
        if other.name == entry.name or set(other.streams) & set(entry.streams):
            raise ValueError(
                f"the augmentation {entry.name!r} (random streams {entry.streams}) collides with {other.name!r} "
                f"(random streams {other.streams})"
            )
    AUGMENTATIONS[entry.name] = entry
    return entry


@register
class Crop(Placement):
    """A window at random, else the central one."""

    name, streams, off = "crop", (0, 1), False
    value: Bool

    def draw(self, uniform: Uniform, places: int) -> tuple[Any, ...]:
        import tensorflow as tf

        return uniform(0, places, tf.int32), uniform(0, places, tf.int32, stream=1)

    def place(self, window: Window, *drawn: Any) -> Window:
        top, left = drawn
        return window._replace(top=top, left=left)


@register
class Flip(Placement):
    """Left-right, half of the time."""

    name, streams, off = "flip", (2,), False
    value: Bool

    def draw(self, uniform: Uniform, places: int) -> tuple[Any, ...]:
        return (uniform(0.0, 1.0) < 0.5,)

    def place(self, window: Window, *drawn: Any) -> Window:
        return window._replace(mirrored=drawn[0])


@register
class Brightness(AffineAugmentation):
    """A shift of all pixels by up to ``value`` grey levels, drawn for each image."""

    name, streams, off = "brightness", (3,), 0.0
    value: float = number("a number of grey levels from 0 (off) to 255, or true or false", ge=0, le=255)

    def draw(self, uniform: Uniform, places: int) -> tuple[Any, ...]:
        return (uniform(-self.value, self.value),)

    def compose(self, affine: Affine, *drawn: Any) -> Affine:
        return affine._replace(offset=affine.offset + drawn[0][:, None])


def _two_numbers(value: Any) -> Any:
    if value is None:
        return value
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("two numbers")
    if any(isinstance(x, bool) or not isinstance(x, int | float) for x in value) or not 0 <= value[0] <= value[1]:
        raise ValueError("ordered numbers")
    return tuple(float(x) for x in value)


@register
class Contrast(AffineAugmentation):
    """A factor on the distance of each pixel from its channel's mean, drawn from the range ``value`` for each image."""

    name, streams, off = "contrast", (4,), None
    value: Annotated[tuple[float, float] | None, BeforeValidator(_two_numbers)] = Field(
        description="two numbers, the lowest and the highest factor, 0 <= lowest <= highest, or true or false"
    )

    def draw(self, uniform: Uniform, places: int) -> tuple[Any, ...]:
        lowest, highest = self.value or (1.0, 1.0)
        return (uniform(lowest, highest),)

    def compose(self, affine: Affine, *drawn: Any) -> Affine:
        scale, offset, mean = affine
        now, factor = scale * mean + offset, drawn[0][:, None]  # (x - now) * factor + now
        return Affine(scale * factor, now + factor * (offset - now), mean)


class Augment(Extensible):
    """The augmentations of a configuration, on raw pixels 0..255, in the order of the registry; one not given is off."""

    @classmethod
    def registered(cls) -> Mapping[str, FieldInfo]:
        return {name: _field(entry) for name, entry in AUGMENTATIONS.items()}

    def switched_on(self) -> list[Augmentation]:
        values = {name: getattr(self, name) for name in AUGMENTATIONS}
        return [entry(value=values[name]) for name, entry in AUGMENTATIONS.items() if values[name] != entry.off]


_fields: dict[type[Augmentation], FieldInfo] = {}


def _field(entry: type[Augmentation]) -> FieldInfo:
    """The field of an entry's value, with ``off`` as its default."""
    if entry not in _fields:
        field = entry.model_fields["value"]._copy()
        field.default = entry.off
        _fields[entry] = field
    return _fields[entry]


class Drawn(NamedTuple):
    """An augmentation with its random numbers for one batch."""

    augmentation: Augmentation
    values: tuple[Any, ...]


def draw(augment: Augment, size: int, image_size: int, batch: int, seed: Any) -> list[Drawn]:
    """The random numbers of a batch for every augmentation that is on, each from streams of its own.

    ``size`` and ``image_size`` are in pixels; ``seed`` int64 [2].
    """
    import tensorflow as tf

    def uniform_of(streams: Sequence[int]) -> Uniform:
        def uniform(low: Any, high: Any, dtype: Any = tf.float32, stream: int = 0) -> Any:
            further, within = divmod(streams[stream], _STREAMS)
            first = seed[0] + further if further else seed[0]
            return tf.random.stateless_uniform(
                [batch], tf.stack([first, seed[1] * _STREAMS + within]), low, high, dtype
            )

        return uniform

    places = image_size - size + 1
    return [Drawn(entry, entry.draw(uniform_of(entry.streams), places)) for entry in augment.switched_on()]


def rows(drawn: Sequence[Drawn], first_row: Any, count: int) -> list[Drawn]:
    """The random numbers of some rows of a batch."""
    last = first_row + count
    return [Drawn(augmentation, tuple(v[first_row:last] for v in values)) for augmentation, values in drawn]


def apply(images: Any, index: Any, drawn: Sequence[Drawn], size: int, standardize: bool) -> Any:
    """Cut, augment and standardize: uint8 [N, H, W, C] and indices int32 [B] give float32 [B, size, size, C]."""
    import tensorflow as tf

    corner = tf.fill([tf.size(index)], (images.shape[1] - size) // 2)
    window = Window(corner, corner)
    for augmentation, values in drawn:
        if isinstance(augmentation, Placement):
            window = augmentation.place(window, *values)
    pixels = Pixels(cut(images, index, window, size), size)
    for augmentation, values in drawn:
        if isinstance(augmentation, AffineAugmentation):
            pixels.affine = augmentation.compose(pixels.moments()[0], *values)
        elif isinstance(augmentation, PixelAugmentation):
            changed = augmentation.apply(pixels.images(), *values)
            pixels = Pixels(tf.reshape(changed, [-1, size * size, images.shape[-1]]), size)
    if standardize:
        affine, variance = pixels.moments()
        pixels.affine = standardized(affine, variance, count=size * size)
    return pixels.images()
