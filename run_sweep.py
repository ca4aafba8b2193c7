"""Answer a question: ``python run_sweep.py experiments/ablation_lrn.yaml`` plans it, runs what is missing and reports."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from pathlib import Path

RUNS_DIR = Path("runs")
ASSUMED_SD = 0.25  # points between seeds; arXiv:2304.01910 finds 0.19 for 16 epochs of CIFAR-10 and 0.56 for 4

_STOPPED = "stopped; nothing that was saved is lost, and the same command goes on from there:"


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 when every run has a result, 1 when some have none, 2 for a bad question, 130 after Ctrl-C."""
    options = _parser().parse_args(argv)
    options.command, options.portable_command = _commands(argv)
    try:
        return _answer(options)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # a second Ctrl-C does not wait for anything
        return _refuse(f"\n{_STOPPED}\n  {options.command}", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains at its end
        return _refuse("stopped: what reads this program's output is gone; the same command goes on from here", 1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _refuse(
            f"cannot go on: {place}{error.strerror or error}. "
            f"What is finished is kept in {RUNS_DIR}/; the same command goes on from there",
            1,
        )


def _answer(options: argparse.Namespace) -> int:
    from zoo.spec import QuestionError, load

    try:
        question = load(options.question, options.set, options.seeds)
    except QuestionError as error:
        return _refuse(error, 2)
    from zoo import plan as plans
    from zoo import prices
    from zoo.data import DataError
    from zoo.plugins import PluginError
    from zoo.processes import Died

    try:
        plan = plans.make(question, RUNS_DIR, options.data_dir)
        costs = prices.costs(question, _note)
        if options.plan:
            from zoo import outlook

            print(f"{outlook.text(plan, costs, RUNS_DIR)}\n\n{_sensitivity(plan)}")
            return 0
        if options.sync:
            return _sync(plan, costs, options)
        return _run(plan, costs, options)
    except (QuestionError, PluginError) as error:
        return _refuse(error, 2)
    except DataError as error:
        return _refuse(error, 1)
    except Died as error:
        return _refuse(f"the networks could not be counted: {error}", 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_sweep.py",
        description="Train what a question needs, log it to MLflow, and report. What has a result already is not repeated; "
        "what was interrupted goes on where it was.",
        epilog="Exit code: 0 when every run has a result, 1 when some have none, 2 for a bad question, 130 after Ctrl-C.",
        allow_abbrev=False,
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
    parser.add_argument(
        "--sync", action="store_true", help=f"send what is in {RUNS_DIR}/ to MLflow, train and report nothing"
    )
    parser.add_argument("--rerun-failed", action="store_true", help="try again even what would fail the same way")
    parser.add_argument("--fresh", action="store_true", help="start over; earlier results are moved aside, not deleted")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the report goes (default: results/<question>)")
    return parser


def _run(plan, costs, options: argparse.Namespace) -> int:
    """Do the sweep: trainings, latency, MLflow, report."""
    import filelock

    from zoo import execute, wording

    name = plan.question.name
    if RUNS_DIR.exists() and not RUNS_DIR.is_dir():
        return _refuse(f"cannot go on: {RUNS_DIR} is a file, and results belong in a directory of that name", 1)
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
    display, recorder = _listeners(plan, costs, options)
    started = time.monotonic()
    with execute.Interrupt().caught() as interrupt, display.shown(name):
        outcome = execute.execute(
            plan,
            costs,
            _Audience(display, recorder),
            data_dir=options.data_dir,
            retry_failed=options.rerun_failed,
            interrupt=interrupt,
        )
    unmeasured = "" if outcome.stopped else _measure_latency(plan, outcome.done, display)
    for training in outcome.done:
        recorder.update(training, "done")
    unsent = recorder.close()
    taken = wording.duration(time.monotonic() - started)
    display.say(f"{len(outcome.done)} of {len(plan.trainings)} trainings complete, after {taken}")
    return _close(plan, outcome, unmeasured, unsent, recorder, options)


def _sync(plan, costs, options: argparse.Namespace) -> int:
    """Send to MLflow what is on disk, and say what that was."""
    from zoo import track

    uri = options.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or track.DEFAULT_URI
    does_the_sweep = shlex.join(word for word in shlex.split(options.portable_command) if word != "--sync")
    sent = track.send_all(plan, costs, uri, Path.cwd(), _note, does_the_sweep)
    if sent.problem:
        return _refuse(
            f"{sent.problem}\n{sent.text}\n"
            f"The results are safe in {RUNS_DIR}/; this sends them when it is back:\n  {options.command}",
            1,
        )
    print(sent.text)
    if sent.store:
        print(f"Compare the runs in a browser: {sent.store.directions()}", flush=True)
    return 0


def _listeners(plan, costs, options: argparse.Namespace):
    """The display and the recorder."""
    from zoo import prices, progress, track

    first = {t.key: costs[t.runs[0].variant.name] for t in plan.trainings}
    expected = {
        t.key: prices.training_seconds(t.config, first[t.key], t.steps_left(), RUNS_DIR) for t in plan.trainings
    }
    options.tracking_uri = options.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or track.DEFAULT_URI
    display = progress.Display(plan, {key: cost.ops for key, cost in first.items()}, expected)
    display.say(_opening(plan))
    return display, track.Recorder(plan, costs, options.tracking_uri, Path.cwd(), display.say, options.portable_command)


class _Audience:
    """Passes what happens on to the display and to MLflow."""

    def __init__(self, display, recorder):
        self._display, self._recorder = display, recorder
        self.waiting, self.stopping = display.waiting, display.stopping

    def started(self, training) -> None:
        self._display.started(training)
        self._recorder.update(training, "running")

    def beat(self, training, beat) -> None:
        self._display.beat(training, beat)
        if beat.evaluated:
            self._recorder.update(training, "running")

    def ended(self, training, state: str, reason: str) -> None:
        self._display.ended(training, state, reason)
        self._recorder.update(training, state, reason)

    def left_out(self, training, reason: str) -> None:
        self._display.left_out(training, reason)
        self._recorder.update(training, "failed", reason)


def _measure_latency(plan, trainings, display) -> str:
    """Measure what has no figure yet; returns why that failed, if so."""
    from zoo import execute

    if not execute.without_latency(trainings):
        return ""
    display.say("measuring the latency of one image, with nothing else running here")
    try:
        execute.measure_latency(plan, trainings)
    except Exception as error:  # a user's own network may raise anything, and the accuracies still stand
        return f"the latency could not be measured: {str(error) or type(error).__name__}"
    return ""


def _close(plan, outcome, unmeasured: str, unsent, recorder, options: argparse.Namespace) -> int:
    """Report, and say what is left to do."""
    if outcome.stopped:
        return _refuse(f"{_STOPPED}\n  {options.command}", 130)
    reported = False
    if unsent:
        _refuse(
            f"\n{unsent}\nThe results are safe in {RUNS_DIR}/; this sends them when it is back:\n  {options.command}", 1
        )
    elif outcome.done:
        reported = _report(plan, recorder, options)
    if unmeasured:
        _refuse(unmeasured, 1)
    if outcome.failed:
        _say_failed(outcome.failed, options.command)
    return 0 if reported and not unmeasured and len(outcome.done) == len(plan.trainings) else 1


def _report(plan, recorder, options: argparse.Namespace) -> bool:
    import reports

    try:
        report = reports.write(plan.question.name, out=options.out, tracking_uri=options.tracking_uri)
    except reports.ReportError as error:
        _refuse(f"no report: {error}", 1)
        return False
    print(f"\n{report.summary}\n")
    print("\n".join(f"  {path}" for path in report.paths))
    print(f"\nCompare the runs in a browser: {recorder.store.directions()}", flush=True)
    return True


def _say_failed(failed, command: str) -> None:
    from zoo import execute

    what = "1 training" if len(failed) == 1 else f"{len(failed)} trainings"
    lines = [f"\n{what} failed; the others are kept:"]
    lines += [f"  {training.name}: {reason}\n    its output: {training.record.log}" for training, reason in failed]
    again = [execute.would_fail_again(training.record.read("status")) for training, _ in failed]
    if not all(again):
        lines += [f"To try {'them' if len(failed) > 1 else 'it'} again:", f"  {command}"]
    if any(again) and "--rerun-failed" not in command:
        lines += [
            "What diverged would do so again and is not repeated, unless you ask for it:",
            f"  {command} --rerun-failed",
        ]
    _refuse("\n".join(lines), 1)


def _sensitivity(plan) -> str:
    """The smallest difference that this number of seeds can detect, and the number that it takes for the margin."""
    from reports.statistics import detectable_difference, seeds_needed
    from zoo import outlook

    seeds, margin = len(plan.question.seeds), plan.question.margin
    if seeds < 2:
        return "With one seed no difference can be told from chance: give at least two (--seeds N)."
    measured = outlook.measured_sd(plan)
    sd = measured or ASSUMED_SD
    source = "measured on the baseline" if measured else "assumed until the baseline has three results"
    found = detectable_difference(sd, seeds)
    enough = seeds_needed(sd, margin) if 0 < margin < found else seeds
    advice = (
        f"; to detect the margin of {margin:g} points takes {enough} seeds (--seeds {enough})" if enough > seeds else ""
    )
    return (
        f"Smallest difference that {seeds} seeds can detect: {found:.2f} points of accuracy{advice}.\n"
        f"(Two-sided test at 5 %, power 80 %; spread between seeds {sd:.2f} points, {source}.)"
    )


def _opening(plan) -> str:
    have = sum(t.is_done() for t in plan.trainings)
    runs = "1 run" if len(plan.runs) == 1 else f"{len(plan.runs)} runs"
    trainings = f"{len(plan.trainings)} training{'s' if len(plan.trainings) > 1 else ''}"
    shared = f" from {trainings}" if len(plan.trainings) != len(plan.runs) else ""
    cached = f", {'all' if have == len(plan.trainings) else have} of them done already" if have else ""
    return f"{plan.question.name}: {plan.question.question}\n{runs}{shared}{cached}"


def _fetch_data(plan, data_dir: Path | None) -> None:
    """Get the data before anything else: a download belongs to the person's terminal, not to a worker's log."""
    from zoo import data

    for name in dict.fromkeys(training.config.data for training in plan.trainings if not training.is_done()):
        data.load(name, "train", data_dir)


def _commands(argv: list[str] | None) -> tuple[str, str]:
    """The command that goes on with this, as it was typed and as another machine's user would type it; not to start over."""
    words = sys.argv[1:] if argv is None else argv
    portable = ["python", "run_sweep.py", *words]
    typed = sys.orig_argv if argv is None else portable
    return tuple(shlex.join(word for word in line if word != "--fresh") for line in (typed, portable))


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _refuse(message: object, code: int) -> int:
    sys.stdout.flush()
    print(message, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
