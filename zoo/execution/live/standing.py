"""How far a sweep is, in runs and in accuracies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from zoo.measure.readouts import evaluation_of
from zoo.plan.runs import Plan, Training
from zoo.plan.seeds import stages


@dataclass
class Standing:
    """How far the runs of a plan are; brought up to date as trainings end, because looking at all of them takes a while."""

    plan: Plan
    wanted: int = 0  # runs, at most those where there ``may_be_fewer``
    may_be_fewer: bool = False
    failed: int = 0
    running: dict[str, str] = field(default_factory=dict)  # key of a training -> its name
    accuracies: dict[str, dict[int, float]] = field(default_factory=dict)  # variant -> seed -> percent

    @classmethod
    def of(cls, plan: Plan) -> Standing:
        """As the records have it."""
        standing = cls(plan, accuracies={variant.name: {} for variant in plan.question.variants})
        standing.expect()
        standing.count(plan.trainings)
        return standing

    def expect(self) -> None:
        """Find out which runs are wanted, from the results that there are."""
        wanted = stages.wanted_trainings(self.plan)
        self.wanted = sum(len(training.runs) for training in wanted.at_most)
        self.may_be_fewer = len(wanted.at_most) > len(wanted.certain)

    def count(self, trainings: Iterable[Training]) -> None:
        """Note the results that these have."""
        for training in trainings:
            for run in training.runs:
                row = training.record.row_at(run.steps)
                if row is not None and training.record.has_result(run.steps):
                    value = 100 * row[evaluation_of(run.variant.config).accuracy]
                    self.accuracies[run.variant.name][run.seed] = value

    @property
    def done(self) -> int:
        """Runs that have a result."""
        return sum(map(len, self.accuracies.values()))

    @property
    def text(self) -> str:
        """``4 of at most 6 runs have a result, 1 failed``"""
        at_most = "at most " if self.may_be_fewer else ""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {at_most}{self.wanted} runs have a result{failed}"
