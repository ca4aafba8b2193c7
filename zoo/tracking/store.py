"""A sweep in MLflow: an experiment with one flat run for each variant and seed, brought up to the records on disk.

A request that a server carried out may look like one that failed: its answer came too late, or was lost. So after any
failure MLflow is asked again what it has.
"""

from __future__ import annotations

from pathlib import Path

from zoo.plan.runs import Plan, Training
from zoo.storage.states import TrainingState
from zoo.tracking import mlflow_log
from zoo.tracking.connection import open_client
from zoo.tracking.errors import explained
from zoo.tracking.experiment import describe_results, describe_sweep, find_or_create_experiment
from zoo.tracking.experiments import files, ownership, view
from zoo.tracking.mlflow_runs import MlflowRuns
from zoo.tracking.run_contents import RunContents, TrainingSnapshot


class Store:
    """The experiment, opened or created, with the question written on it.

    With ``repair`` files that are gone are made again. Raises TrackingError when that fails, NameTaken when it is another
    question's.
    """

    def __init__(self, plan: Plan, uri: str, directory: Path, command: str = "", *, repair: bool = False):
        self.uri, self._directory = uri, directory
        self._is_in_doubt = False  # whether MLflow may have more than it has answered
        mlflow_log.keep_in(plan.trainings[0].record.directory.parent / "mlflow.log")
        self._plan, self._client = plan, (client := open_client(uri))
        with explained(uri):
            self.experiment_id = find_or_create_experiment(client, plan.question.name, uri, directory)
            ownership.claim(client, self.experiment_id, plan, uri, directory)
            run_keys = {run.key for run in plan.runs}
            files.settle(client, self.experiment_id, uri, directory, run_keys, repair=repair)
            describe_sweep(client, self.experiment_id, plan, command)
            self._runs = MlflowRuns(client, self.experiment_id, plan)
            self._contents = RunContents(client, plan)

    def send(self, training: Training, state: TrainingState, reason: str = "") -> None:
        """Bring the MLflow runs of a training up to its record.

        Raises TrackingError; what has been sent until then stays, and sending again goes on from there.
        """
        with explained(self.uri):
            if self._is_in_doubt:
                self.refresh()
            self._is_in_doubt = True
            snapshot = TrainingSnapshot.read(training, state, reason)
            for run in training.runs:
                mlflow_run = self._runs.get_or_create(run, snapshot.description)
                if self._contents.has_doubled_points(mlflow_run):  # MLflow cannot delete a point
                    mlflow_run = self._runs.recreate(mlflow_run, run, snapshot.description)
                self._contents.send(mlflow_run, run, snapshot)
            self._is_in_doubt = False

    def refresh(self) -> None:
        """Ask MLflow anew what it has, and tidy up after requests that were carried out late. Raises TrackingError."""
        with explained(self.uri):
            self._contents.forget()
            self._runs.refresh()

    def describe_results(self) -> None:
        """Write on the experiment what its variants have come to. Raises TrackingError."""
        with explained(self.uri):
            describe_results(self._client, self.experiment_id, self._plan)

    def send_report(self, page: Path) -> None:
        """Keep the sweep's page, a file named ``Artifacts.REPORT``, with the first run of the baseline that has a result, or
        where none has with another variant's. Raises TrackingError.
        """
        baseline = self._plan.question.baseline
        for run in sorted(self._plan.runs, key=lambda run: run.variant.name != baseline):
            record = self._plan.training_of(run).record
            if record.has_result(run.steps, [run.evaluation.accuracy]):
                with explained(self.uri):
                    mlflow_run = self._runs.get_or_create(run, record.description())
                    self._client.log_artifact(mlflow_run.info.run_id, str(page))
                return

    def directions(self) -> str:
        """How to see the variants compared in a browser."""
        return view.directions(self.uri, self.experiment_id, self._directory)
