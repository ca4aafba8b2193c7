"""From a question to its runs: what they are called, which of them share a training, and what is done already."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoo import data
from zoo.config import Config, Question, QuestionError, Variant
from zoo.config.errors import Problem
from zoo.host import hardware
from zoo.measure import Cost
from zoo.measure.readouts import Evaluation, evaluation_of
from zoo.plan.identity import identity, run_key
from zoo.plan.network import Network
from zoo.storage.designs import DesignHistory
from zoo.storage.record import Record


@dataclass(frozen=True)
class Run:
    """One repetition of one variant. Runs with the same ``key`` have the same weights."""

    variant: Variant
    seed: int
    key: str
    training: str  # key of the training that answers for it

    @property
    def name(self) -> str:
        return f"{self.variant.name} · seed {self.seed}"

    @property
    def steps(self) -> int:
        return self.variant.config.steps

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation that it reports."""
        return evaluation_of(self.variant.config)


@dataclass(frozen=True)
class StepRange:
    """The steps of a training after ``first``, which has been made already, to ``last``."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first


@dataclass(frozen=True)
class Training:
    """One training, and the runs that it answers for: those that differ only in readouts or in when they end."""

    key: str
    config: Config  # as its longest run has it
    seed: int
    data_sha256: str
    runs: tuple[Run, ...]
    record: Record
    network: Network  # as it was when this was planned: files of the user's own may be edited later
    counted: Cost | None = None  # once `count_costs` has been there

    @property
    def cost(self) -> Cost:
        """What its network costs for one image. Raises ValueError before the costs of the plan have been counted."""
        if self.counted is None:
            raise ValueError(f"the cost of {self.name} has not been counted")
        return self.counted

    @property
    def targets(self) -> tuple[int, ...]:
        """The steps at which its runs end, in order."""
        return tuple(sorted({run.steps for run in self.runs}))

    @property
    def accuracies(self) -> tuple[str, ...]:
        """The columns of the history that its runs report."""
        return tuple(dict.fromkeys(run.evaluation.accuracy for run in self.runs))

    @property
    def name(self) -> str:
        """All the runs that it answers for: "steps=50 and steps=100 · seed 0"."""
        variants = " and ".join(dict.fromkeys(run.variant.name for run in self.runs))
        return f"{variants} · seed {self.seed}"

    def is_done(self) -> bool:
        return not self.record.missing(self.targets, self.accuracies)

    def steps_to_train(self) -> StepRange:
        """What is still to be trained, from the newest checkpoint that helps; empty when it is done."""
        missing = self.record.missing(self.targets, self.accuracies)
        if not missing:
            return StepRange(max(self.targets), max(self.targets))
        checkpoint = self.record.checkpoint_towards(missing[0])
        return StepRange(int(checkpoint.name.removeprefix("step_")) if checkpoint else 0, missing[-1])

    def evaluated_steps(self, after: int = 0) -> set[int]:
        """The steps after ``after`` at which it is evaluated."""
        config, last = self.config, max(self.targets)
        kept = {step for step in (*self.targets, *config.milestones) if after < step <= last}
        next_one = after - after % config.evaluate_every + config.evaluate_every
        return {*range(next_one, last + 1, config.evaluate_every)} | kept


@dataclass(frozen=True)
class Plan:
    """A question with its runs and trainings, in the order in which they will be done: seed by seed."""

    question: Question
    runs: tuple[Run, ...]
    trainings: tuple[Training, ...]
    design: DesignHistory = field(
        default_factory=DesignHistory
    )  # as it was declared, see ``zoo.plan.seeds.declaration``

    def training_of(self, run: Run) -> Training:
        return self._by_key[run.training]

    @functools.cached_property
    def _by_key(self) -> dict[str, Training]:
        return {training.key: training for training in self.trainings}

    def with_costs(self, costs: Mapping[str, Cost]) -> Plan:
        """This plan with the cost of each training (key -> cost)."""
        trainings = tuple(replace(training, counted=costs[training.key]) for training in self.trainings)
        return replace(self, trainings=trainings)


def make_plan(question: Question, runs_dir: Path, data_dir: Path | None = None) -> Plan:
    """The plan of a question. Raises DataError when the data cannot be identified, and QuestionError when two variants come
    to the same on this machine."""
    digests = {name: data.digest(name, data_dir) for name in {v.config.data for v in question.variants}}
    runs = tuple(
        _run(variant, seed, digests[variant.config.data]) for seed in question.seeds for variant in question.variants
    )
    _check_distinct(question, runs[: len(question.variants)])
    shared: dict[str, list[Run]] = {}
    for run in runs:
        shared.setdefault(run.training, []).append(run)
    trainings = tuple(
        _training(key, members, digests[members[0].variant.config.data], runs_dir) for key, members in shared.items()
    )
    return Plan(question, runs, trainings)


def _check_distinct(question: Question, runs: Sequence[Run]) -> None:
    """Raises QuestionError where two variants are the same run, because of what ``auto`` stands for."""
    first: dict[tuple[str, str], str] = {}
    for run in runs:
        name = first.setdefault((run.key, evaluation_of(run.variant.config).name), run.variant.name)
        if name != run.variant.name:
            message = (
                f"the variants {name!r} and {run.variant.name!r} are the same on this machine, where the precision auto "
                f"stands for {run.variant.config.precision}; remove one"
            )
            raise QuestionError([Problem(str(question.path), *question.where(run.variant.name), message)])


def resolved(config: Config) -> Config:
    """The configuration with what ``auto`` stands for on this machine."""
    return config.model_copy(update={"precision": hardware.precision(config.precision)})


def _training(key: str, runs: Sequence[Run], data_sha256: str, runs_dir: Path) -> Training:
    config = resolved(max(runs, key=lambda run: run.steps).variant.config)
    return Training(
        key, config, runs[0].seed, data_sha256, tuple(runs), Record(runs_dir / key[:16]), Network.of(config)
    )


def _run(variant: Variant, seed: int, data_sha256: str) -> Run:
    variant = replace(variant, config=resolved(variant.config))
    training = identity(variant.config, seed, data_sha256)
    return Run(variant, seed, run_key(training, variant.config.steps), training)
