"""The files of a record as typed values. Fields that later versions added have defaults, so that old files stay readable."""

from __future__ import annotations

from statistics import median
from typing import Any

from pydantic import BaseModel, ConfigDict, computed_field, field_serializer, model_validator

from zoo.measure import Cost
from zoo.storage.states import FailureKind, TrainingState

Row = dict[str, float]  # one evaluation: a row of history.csv
OTHERS_BUSY = "others_busy"  # in a row: the share of the machine that others took while the steps so far were timed


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Outcome(_Record):
    """A state, and what went wrong."""

    state: TrainingState
    failure: FailureKind | None = None  # set if and only if the state is FAILED
    reason: str = ""  # for a person

    @model_validator(mode="before")
    @classmethod
    def _from_old_form(cls, value: Any) -> Any:
        """Earlier versions kept whether a failure repeats itself, and of an attempt the state ``diverged``."""
        if not isinstance(value, dict) or value.get("failure") is not None:
            return value
        if value.get("state") == "diverged" or (value.get("state") == "failed" and value.get("repeats")):
            return {**value, "state": TrainingState.FAILED, "failure": FailureKind.DIVERGED}
        return {**value, "failure": FailureKind.ERROR} if value.get("state") == "failed" else value

    @model_validator(mode="after")
    def _check_failure(self) -> _Outcome:
        if (self.failure is not None) != (self.state is TrainingState.FAILED):
            raise ValueError(f"state {self.state} does not go with failure {self.failure}")
        return self


class Status(_Outcome):
    """How a training stands: status.json."""

    output: str = ""  # the last that a failed process wrote
    time: float = 0.0  # when this was written, seconds since 1970

    @computed_field  # type: ignore[prop-decorator]  # of pydantic's; mypy knows no decorated properties
    @property
    def repeats(self) -> bool:
        """Whether it failed in a way that repeats itself."""
        return self.failure is not None and self.failure.would_repeat


class AttemptRecord(_Outcome):
    """One attempt at a training: an entry of attempts.json. Times are seconds since 1970."""

    began: float
    ended: float
    first_step: int = 0
    last_step: int = 0
    startup_s: float | None = None  # until the first progress update
    expected_s: float | None = None  # the forecast, kept only for an attempt that did the whole training undisturbed
    at_once: int = 1  # trainings side by side
    host: str = ""


class TrainingDescription(_Record):
    """What is trained, with which code, on which machine: training.json."""

    key: str
    question: str
    runs: tuple[str, ...]
    seed: int
    data_sha256: str
    source_sha256: str | None = None  # of what a user's own model is made with
    classes: int | None = (
        None  # of the data set; not known of trainings by earlier versions, like the checksum of the code
    )
    test_images: int | None = None  # that accuracies are counted on; not known of trainings by earlier versions
    config: dict[str, Any]  # field with dots -> value
    shape: dict[str, Any]  # the part of the configuration that decides the speed
    precision: str
    cost: Cost
    device: str
    cores: int | None = None
    threads: int | None = None  # decides how sums are split up, and so their last bits: kept for all attempts
    started: float  # seconds since 1970, of the first attempt
    git_commit: str = ""
    git_dirty: str = ""
    code_sha256: str = ""  # of the part of this package that decides results

    @field_serializer("cost")
    def _cost_with_names(self, cost: Cost) -> dict[str, int]:
        return cost._asdict()


class LatencyRecord(_Record):
    """The latency of one image: latency.json."""

    what: str = ""
    percentiles_ms: dict[str, float]  # p50, p90, p99
    measured: float = 0.0  # seconds since 1970
    device: str = ""
    in_turn_with: tuple[str, ...] = ()  # the models that were measured together
    samples_ms: tuple[float, ...] = ()  # of each query, in their order
    session: str = ""  # the same for all networks that were measured in the same rounds; "" of earlier versions
    queries_per_round: int = 0  # of one network before it was the next one's turn; 0 of earlier versions
    others_busy: float | None = None  # the share of the machine that others took meanwhile; None where it is not known

    @property
    def rounds_ms(self) -> tuple[float, ...]:
        """The median query of each round; nothing where the rounds are not known."""
        size = self.queries_per_round
        if not (self.session and size):
            return ()
        whole = len(self.samples_ms) - len(self.samples_ms) % size
        return tuple(median(self.samples_ms[first : first + size]) for first in range(0, whole, size))


class Attempts(_Record):
    """The contents of attempts.json."""

    attempts: tuple[AttemptRecord, ...]


class Checksums(_Record):
    """The contents of checksums.json. While a file is replaced, the SHA-256 of its old and of its new contents are there."""

    sha256: dict[str, tuple[str, ...]]  # path in the record's directory -> accepted checksums
