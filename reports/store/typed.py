"""What tags, parameters and metrics in the store are read as: a value that is nothing of the kind is named, with its run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

from reports.errors import ReportError
from zoo.measure.metrics import Kind, Metric
from zoo.storage.designs import DesignHistory
from zoo.text.characters import without_half_pairs
from zoo.tracking.names import ExperimentTags, Params, RunTags

if TYPE_CHECKING:
    from mlflow.entities import Run
    from pydantic import TypeAdapter

T = TypeVar("T")
_SHOWN = 80  # characters of a value
_LARGEST = 2**63 - 1
_MOST_POINTS = 100.0
_MOST_DIGITS = 20

_FIX = "the sweep's own command with --sync writes it again"


class Rounds(NamedTuple):
    """The latency of a network by rounds, in milliseconds; networks of the same session were measured in the same rounds."""

    session: str
    times_ms: tuple[float, ...]


class SweepTags:
    """The tags of a sweep's experiment, each as what it is; None, or nothing in it, where there is none.

    Each property raises ReportError for a value that somebody else must have written.
    """

    def __init__(self, sweep: str, tags: Mapping[str, str]):
        self._sweep, self._tags = sweep, tags

    def text(self, name: str) -> str:
        return self._tags.get(name, "")

    @property
    def margin(self) -> float | None:
        text = self._tags.get(ExperimentTags.MARGIN)
        if not text:
            return None
        value = _number(text)
        if not 0 <= value <= _MOST_POINTS:
            raise self._wrong(ExperimentTags.MARGIN, "a number of points, 0 to 100")
        return value

    @property
    def variants(self) -> tuple[str, ...]:
        names: list[str] = self._json(ExperimentTags.VARIANTS, "a JSON list of different names", _names, [])
        return tuple(names)

    @property
    def seeds(self) -> tuple[int, ...]:
        numbers: list[int] = self._json(ExperimentTags.SEEDS, "a JSON list of different whole numbers", _seeds, [])
        return tuple(numbers)

    @property
    def first_analysis(self) -> int | None:
        """Seeds before the first interim analysis."""
        number: int | None = self._json(ExperimentTags.FIRST_ANALYSIS, "a whole number of 2 or more", _first, None)
        if number is not None and self.seeds and number > len(self.seeds):
            raise self._wrong(ExperimentTags.FIRST_ANALYSIS, f"at most the number of seeds, which is {len(self.seeds)}")
        return number

    @property
    def design(self) -> DesignHistory | None:
        """The design as it was declared, with its changes."""
        text = self._tags.get(ExperimentTags.DESIGN)
        if not text or text == "null":
            return None
        try:
            return DesignHistory.from_text(text) or None
        except ValueError as error:
            raise self._wrong(ExperimentTags.DESIGN, "a JSON list of designs") from error

    @property
    def levels(self) -> dict[str, dict[str, Any]]:
        what = "a JSON object of the levels of each variant's factors"
        levels: dict[str, dict[str, Any]] = self._json(ExperimentTags.LEVELS, what, _levels, {})
        return levels

    @property
    def published(self) -> tuple[dict[str, Any], ...]:
        what = "a JSON list of published figures"
        return tuple(figure.model_dump() for figure in self._json(ExperimentTags.PUBLISHED, what, _figures, []))

    def _json(self, name: str, what: str, kind: Callable[[], TypeAdapter[Any]], default: Any) -> Any:
        text = self._tags.get(name) or "null"
        try:
            value = _cleaned(json.loads(text))
            return default if value is None else kind().validate_python(value, strict=True)
        except (ValueError, RecursionError) as error:
            raise self._wrong(name, what) from error

    def _wrong(self, name: str, what: str) -> ReportError:
        value = _short(self._tags.get(name, ""))
        return ReportError(f"sweep {self._sweep!r}: the experiment's tag {name!r} is not {what}: {value}; {_FIX}")


def seed_of(run: Run) -> int:
    """The seed of a run, -1 where it names none. Raises ReportError."""
    is_tag = RunTags.SEED in run.data.tags
    text = run.data.tags.get(RunTags.SEED, run.data.params.get(Params.SEED, "-1"))
    try:
        seed = int(text)
        if abs(seed) <= _LARGEST:
            return seed
    except ValueError:
        pass
    raise _wrong_run(run, f"the {'tag' if is_tag else 'parameter'} {RunTags.SEED!r}", "a whole number", text)


def test_images_of(run: Run) -> int | None:
    """The number of test images that its accuracies are counted on; None where it is not recorded. Raises ReportError."""
    text = run.data.tags.get(RunTags.TEST_IMAGES, "")
    if not text:
        return None
    if text.isascii() and text.isdecimal() and 0 < int(text) <= _LARGEST:
        return int(text)
    raise _wrong_run(run, f"the tag {RunTags.TEST_IMAGES!r}", "a whole number of 1 or more", text)


def value_of(run: Run, metric: Metric, value: float | None) -> float:
    """A metric of a run in the unit of the reports; nan where there is none. Raises ReportError."""
    converted = metric.from_store(value)
    if value is None or math.isnan(value):
        return converted
    if metric.kind is Kind.ACCURACY and math.isfinite(converted) and not 0 <= value <= 1:
        raise _wrong_run(run, f"the metric {metric.key!r}", "a fraction from 0 to 1", f"{value:g}")
    if metric.is_cost and not 0 <= value <= _LARGEST:  # a database has 1.8e308 for an infinite one
        raise _wrong_run(run, f"the metric {metric.key!r}", f"a number from 0 to {_LARGEST:.1e}", f"{value:g}")
    if metric.is_cost and metric.kind in (Kind.COUNT, Kind.SIZE) and not value.is_integer():
        raise _wrong_run(run, f"the metric {metric.key!r}", "a whole number", f"{value!r}")
    return converted


def share_of(run: Run, key: str) -> float:
    """A metric of a run that is a share from 0 to 1; nan where there is none. Raises ReportError."""
    value = run.data.metrics.get(key)
    if value is None or math.isnan(value):
        return math.nan
    if not 0 <= value <= 1:
        raise _wrong_run(run, f"the metric {key!r}", "a share from 0 to 1", f"{value:g}")
    return float(value)


def began_of(run: Run) -> float:
    """When the training of a run began, seconds since 1970; nan where that is not known."""
    return _number(run.data.tags.get(RunTags.TRAINING_BEGAN, ""))


def rounds_of(run: Run, exported_as: str) -> Rounds | None:
    """The latencies that a run's network has by rounds; None where there are none. Raises ReportError."""
    name = RunTags.latency_rounds_ms(exported_as)
    text, session = run.data.tags.get(name), run.data.tags.get(RunTags.LATENCY_SESSION)
    if not text or not session:
        return None
    try:
        return Rounds(session, tuple(_latencies().validate_json(text)))
    except ValueError as error:
        raise _wrong_run(run, f"the tag {name!r}", "a JSON list of numbers above 0", text) from error


def loaded_object(content: bytes | str) -> dict[str, Any] | None:
    """A JSON object from a file of a run; None for anything else."""
    try:
        value = _cleaned(json.loads(content))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _wrong_run(run: Run, name: str, what: str, value: str) -> ReportError:
    shown = run.data.tags.get("mlflow.runName", run.info.run_id)
    return ReportError(
        f"run {run.info.run_id} ({shown}): {name} is not {what}: {_short(value)}; set it right in MLflow, or delete the "
        "run there, and the sweep's own command with --sync sends it again"
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _short(value: str) -> str:
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")


def _cleaned(value: Any) -> Any:
    """A JSON value whose texts any file can hold."""
    if isinstance(value, str):
        return without_half_pairs(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return value


# --- forms, made when they are first needed: pydantic takes a moment -----------------------------------------------


def _distinct(values: list[T]) -> list[T]:
    if len(set(values)) < len(values):
        raise ValueError("given twice")
    return values


@cache
def _names() -> TypeAdapter[list[str]]:
    from pydantic import AfterValidator, TypeAdapter

    return TypeAdapter(Annotated[list[str], AfterValidator(_distinct)])


@cache
def _latencies() -> TypeAdapter[list[float]]:
    from pydantic import Field, TypeAdapter

    return TypeAdapter(list[Annotated[float, Field(gt=0, le=_LARGEST, allow_inf_nan=False)]])


@cache
def _seeds() -> TypeAdapter[list[int]]:
    from pydantic import AfterValidator, Field, TypeAdapter

    return TypeAdapter(Annotated[list[Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]], AfterValidator(_distinct)])


@cache
def _first() -> TypeAdapter[int]:
    from pydantic import Field, TypeAdapter

    return TypeAdapter(Annotated[int, Field(ge=2, le=_LARGEST)])


@cache
def _levels() -> TypeAdapter[dict[str, dict[str, Any]]]:
    from pydantic import TypeAdapter

    return TypeAdapter(dict[str, dict[str, Any]])


@cache
def _figures() -> TypeAdapter[Any]:
    from pydantic import Field, TypeAdapter, create_model

    points = Annotated[float, Field(allow_inf_nan=False, ge=-_MOST_POINTS, le=_MOST_POINTS)]
    figure = create_model(
        "Figure",
        variant=(str, ...),
        against=(str, ""),
        low=(points, ...),
        high=(points, ...),
        seeds=(Annotated[int, Field(ge=1, le=_LARGEST)], 1),
        source=(str, ...),
        claim=(str, ""),
        digits=(Annotated[int, Field(ge=0, le=_MOST_DIGITS)] | None, None),
        differs=(dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]], {}),
    )
    return TypeAdapter(list[figure])  # type: ignore[valid-type]
