"""Answer a question: ``python run_sweep.py experiments/ablation_lrn.yaml`` plans it, runs what is missing and reports."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

RUNS_DIR = Path("runs")
ASSUMED_SD = 0.25  # points between seeds; arXiv:2304.01910 finds 0.19 for 16 epochs of CIFAR-10 and 0.56 for 4


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 when every run has a result, 1 when some have none, 2 for a bad question, 130 after Ctrl-C."""
    options = _parser().parse_args(argv)
    from zoo.spec import QuestionError, load

    try:
        question = load(options.question, options.set, options.seeds)
    except QuestionError as error:
        return _refuse(error, 2)
    from zoo import plan as plans
    from zoo import prices
    from zoo.data import DataError

    try:
        plan = plans.make(question, RUNS_DIR, options.data_dir)
        costs = prices.costs(question)
        if options.plan:
            from zoo import outlook

            print(f"{outlook.text(plan, costs, RUNS_DIR)}\n{_sensitivity(plan)}")
            return 0
        return _run(plan, costs, options)
    except QuestionError as error:
        return _refuse(error, 2)
    except DataError as error:
        return _refuse(error, 1)
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""
        return _refuse(f"cannot go on:{place}: {error.strerror or error}; what is finished is in {RUNS_DIR}/", 1)
    except KeyboardInterrupt:
        return _refuse("\nstopped; nothing was lost: the same command goes on from here", 130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_sweep.py",
        description="Train what a question needs, log it to MLflow, and report. What has a result already is not repeated; "
        "what was interrupted goes on where it was.",
    )
    parser.add_argument(
        "question", metavar="QUESTION", type=Path, help="a YAML file, e.g. experiments/ablation_lrn.yaml"
    )
    parser.add_argument(
        "--plan", action="store_true", help="show runs, cost, hours and detectable difference; run nothing"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override a field, e.g. base.steps=500; repeatable",
    )
    parser.add_argument("--seeds", metavar="N", type=int, help="override the number of seeds")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="where your copy of the data is")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's store (default: MLFLOW_TRACKING_URI or sqlite:///mlflow.db)"
    )
    parser.add_argument("--rerun-failed", action="store_true", help="try again even what would fail the same way")
    parser.add_argument("--fresh", action="store_true", help="start over; earlier results are moved aside, not deleted")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the report goes (default: results/<question>)")
    return parser


def _run(plan, costs, options: argparse.Namespace) -> int:
    """Do the sweep: trainings, latency, MLflow, report."""
    import filelock

    from zoo import execute, prices, progress, track

    name = plan.question.name
    RUNS_DIR.mkdir(exist_ok=True)
    lock = filelock.FileLock(RUNS_DIR / f".{name}.lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return _refuse(f"another run_sweep.py is working on {name} in this directory; wait for it or stop it", 1)
    _fetch_data(plan, options.data_dir)
    if options.fresh:
        for path in execute.set_aside(plan):
            print(f"moved aside: {path}")
    uri = options.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or track.DEFAULT_URI
    expected = {
        t.key: prices.training_seconds(t.config, costs[t.runs[0].variant.name], t.steps_left(), RUNS_DIR)
        for t in plan.trainings
    }
    display = progress.Display(plan, expected)
    recorder = track.Recorder(plan, costs, uri, Path.cwd())
    display.say(_opening(plan))
    started = time.monotonic()
    with execute.Interrupt().caught() as interrupt, display.shown(name):
        audience = _Audience(display, recorder)
        outcome = execute.execute(
            plan,
            costs,
            audience,
            data_dir=options.data_dir,
            retry_failed=options.rerun_failed,
            interrupt=interrupt,
        )
        if not outcome.stopped and outcome.done:
            display.say("measuring the latency of one image, with nothing else running here")
            execute.measure_latency(plan, outcome.done)
        for training in outcome.done:
            recorder.update(training, "done")
        unsent = recorder.close()
    lock.release()
    display.say(
        f"{len(outcome.done)} of {len(plan.trainings)} trainings complete in {progress.duration(time.monotonic() - started)}"
    )
    return _close(plan, outcome, unsent, recorder, options, uri)


class _Audience:
    """Passes what happens on to the display and to MLflow."""

    def __init__(self, display, recorder):
        self._display, self._recorder = display, recorder

    def started(self, training) -> None:
        self._display.started(training)

    def beat(self, training, beat) -> None:
        self._display.beat(training, beat)
        if beat.evaluated:
            self._recorder.update(training, "running")

    def ended(self, training, state: str, reason: str) -> None:
        self._display.ended(training, state, reason)
        self._recorder.update(training, state, reason)


def _close(plan, outcome, unsent, recorder, options: argparse.Namespace, uri: str) -> int:
    """Report, and say what is left to do."""
    command = f"python run_sweep.py {' '.join(sys.argv[1:])}"
    if unsent:
        print(
            f"\n{unsent}\nThe results are safe in {RUNS_DIR}/; this sends them when it is back:\n  {command}",
            file=sys.stderr,
        )
    elif outcome.done:
        import reports

        try:
            report = reports.write(plan.question.name, out=options.out, tracking_uri=uri)
            print(f"\n{report.summary}\n")
            print("\n".join(f"  {path}" for path in report.paths))
        except reports.ReportError as error:
            print(f"no report: {error}", file=sys.stderr)
        print(f"\nCompare the runs in a browser: mlflow ui, then http://localhost:5000{recorder.store.link()}")
    if outcome.failed:
        print(f"\n{len(outcome.failed)} trainings failed; the others are kept:", file=sys.stderr)
        for training, reason in outcome.failed:
            print(f"  {training.name}: {reason} (output: {training.record.log})", file=sys.stderr)
        print(f"To try them again: {command} --rerun-failed", file=sys.stderr)
    if outcome.stopped:
        return _refuse(f"stopped, with a checkpoint; to go on from there: {command}", 130)
    return 0 if len(outcome.done) == len(plan.trainings) and not unsent else 1


def _sensitivity(plan) -> str:
    """The smallest difference that this number of seeds can detect."""
    from reports.statistics import detectable_difference
    from zoo import outlook

    seeds = len(plan.question.seeds)
    if seeds < 2:
        return "with one seed no difference can be told from chance; give at least two (--seeds N)"
    measured = outlook.measured_sd(plan)
    source = "as the baseline's runs have shown" if measured else "assumed; the baseline's own runs will show it"
    sd = measured or ASSUMED_SD
    return (
        f"smallest difference that {seeds} seeds can detect: {detectable_difference(sd, seeds):.2f} points of accuracy "
        f"(80 % power, 5 % level, standard deviation between seeds {sd:.2f} points, {source}); "
        f"margin: {plan.question.margin:g} points"
    )


def _opening(plan) -> str:
    todo = [t for t in plan.trainings if not t.is_done()]
    have = len(plan.trainings) - len(todo)
    cached = f", {have} of them done already" if have else ""
    shared = f" from {len(plan.trainings)} trainings" if len(plan.trainings) != len(plan.runs) else ""
    return f"{plan.question.name}: {plan.question.question}\n{len(plan.runs)} runs{shared}{cached}"


def _fetch_data(plan, data_dir: Path | None) -> None:
    """Get the data before anything else: a download belongs to the person's terminal, not to a worker's log."""
    from zoo import data

    for name in {training.config.data for training in plan.trainings if not training.is_done()}:
        data.load(name, "train", data_dir)


def _refuse(message: object, code: int) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
