"""Answer a question: ``python run_sweep.py experiments/ablation_lrn.yaml`` plans it, runs what is missing and reports."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal without its imports
import os

if __name__ == "__main__" and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, lambda *_: os._exit(130))  # until something has begun

from zoo.host.import_path import put_standard_library_first

put_standard_library_first()

import argparse
import gc
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports import Report
    from zoo.execution.live.standing import Standing
    from zoo.execution.sweep import Settings, SweepResult
    from zoo.host.calls import PreparedCall
    from zoo.plan.runs import Plan
    from zoo.tracking.store import Store

RUNS_DIR = Path("runs")

_STOPPED = "stopped; nothing that was saved is lost, and the same command goes on from there:"


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 when every run has a result, 1 when some have none, 2 for a bad question, 130 after Ctrl-C."""
    command, portable_command = _commands(argv)
    try:
        options = _parser().parse_args(argv)
        options.command, options.portable_command = command, portable_command
        from zoo.text import messages

        with messages.shown_by(messages.to_stderr):
            return _answer(options)
    except KeyboardInterrupt:
        _end_at_once_on_interrupt(130)
        return _refuse(f"\n{_STOPPED}\n  {command}", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains at its end
        return _refuse("stopped: what reads this program's output is gone; the same command goes on from here", 1)
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        return _refuse(
            f"cannot go on: {file}{error.strerror or error}. "
            f"What is finished is kept in {RUNS_DIR}/; the same command goes on from there",
            1,
        )


def _answer(options: argparse.Namespace) -> int:
    from zoo.config import QuestionError, finding, load
    from zoo.plugins import OutsideFiles

    if options.question is None:
        return _list_questions()
    may_run = OutsideFiles(RUNS_DIR / ".outside_files").may_run
    try:
        question = load(finding.find(options.question), options.set, options.seeds, options.name, may_run)
    except QuestionError as error:
        return _refuse(error, 2)
    from zoo.data import DataError
    from zoo.execution.executor import ExecutorError
    from zoo.execution.sweep import SweepError
    from zoo.host import processes
    from zoo.host.processes import ProcessDied
    from zoo.host.resources import AllocationError
    from zoo.plan import costs
    from zoo.plan import runs as plans
    from zoo.plan.seeds import declaration, stages
    from zoo.plugins import PluginError, SourceChanged
    from zoo.storage.errors import RecordError
    from zoo.storage.sweep_lock import SweepInUse
    from zoo.tracking.errors import NameTaken

    try:
        plan = declaration.with_history(
            plans.make_plan(question, RUNS_DIR, options.data_dir), RUNS_DIR, options.data_dir
        )
        if not (options.plan or options.sync) and (
            options.fresh or not all(t.is_done() for t in stages.wanted_trainings(plan).certain)
        ):
            processes.prepare()
        plan = costs.count_costs(plan)
        if options.plan:
            return _show_plan(plan, _settings(options))
        if options.sync:
            return _sync(plan, options)
        return _run(plan, options)
    except (QuestionError, PluginError, AllocationError, NameTaken) as error:
        return _refuse(error, 2)
    except (DataError, ExecutorError, RecordError, SourceChanged, SweepError, SweepInUse) as error:
        return _refuse(error, 1)
    except ProcessDied as error:
        return _refuse(f"a process that was to count or time the networks was lost: {error}", 1)


def _list_questions() -> int:
    from zoo.config import finding

    files = finding.questions()
    if not files:
        return _refuse("there is no question in experiments/ or here; name a YAML file (docs/questions.md)", 2)
    _show(
        f"{finding.listing(files)}\n\npython run_sweep.py NAME --plan shows what one takes, without --plan it is done."
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    from zoo.tracking.address import ArgumentParser

    parser = ArgumentParser(
        prog="run_sweep.py",
        description="Train what a question needs, log it to MLflow, and report. What has a result already is not repeated; "
        "what was interrupted goes on where it was.",
        epilog="Exit code: 0 when every run has a result, 1 when some have none, 2 for a bad question, 130 after Ctrl-C.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "question",
        metavar="QUESTION",
        nargs="?",
        help="a YAML file, or the name of one in experiments/ or here; without it: what there is",
    )
    add("--plan", action="store_true", help="show runs, cost, hours and detectable difference; run nothing")
    add(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override a field, e.g. base.steps=500; repeatable",
    )
    add("--name", metavar="NAME", help="of the sweep in MLflow and of its report (default: that of the file)")
    add("--seeds", metavar="N", type=int, help="override the number of seeds")
    add("--data-dir", metavar="DIR", type=Path, help="where your copy of the data is")
    _add_execution_options(parser)
    add("--tracking-uri", metavar="URI", help="MLflow's store (default: MLFLOW_TRACKING_URI or sqlite:///mlflow.db)")
    add("--sync", action="store_true", help=f"send what is in {RUNS_DIR}/ to MLflow, train and report nothing")
    add("--rerun-failed", action="store_true", help="try again even what would fail the same way")
    add("--fresh", action="store_true", help="start over; earlier results are moved aside, not deleted")
    add("--out", metavar="DIR", type=Path, help="where the report goes (default: results/<question>)")
    return parser


def _add_execution_options(parser: argparse.ArgumentParser) -> None:
    from zoo.execution import executors

    add = parser.add_argument
    add(
        "--jobs",
        metavar="N|auto",
        type=_jobs,
        help="trainings at once (default 1); auto: what is fastest here, measured",
    )
    add("--gpus-per-run", metavar="N", type=_positive, help="GPUs of each training (default: all, shared)")
    add(
        "--budget",
        metavar="TIME",
        type=_budget,
        help="begin only what is done within, e.g. 2h or 90m; says what is left",
    )
    add(
        "--retries",
        metavar="N",
        type=_count,
        default=2,
        help="times a crash is tried again without progress (default 2)",
    )
    add(
        "--hang-after",
        metavar="TIME",
        type=_seconds,
        default=900.0,
        help="end a training without a heartbeat for so long (default 15m; 0s: never)",
    )
    add("--executor", choices=executors.names(), default="local", help="where to train: here, or on a Ray cluster")
    add("--ray-address", metavar="ADDRESS", help="of the cluster (default: RAY_ADDRESS, or the one here)")


def _jobs(text: str) -> int | str:
    return text if text == "auto" else _positive(text)


def _positive(text: str) -> int:
    number = _count(text)
    if not number:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return number


def _count(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and int(text) <= 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number up to 10,000")
    return int(text)


def _seconds(text: str) -> float:
    from zoo.text.wording import parsed_duration

    try:
        return parsed_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _budget(text: str) -> float:
    seconds = _seconds(text)
    if not seconds:
        raise argparse.ArgumentTypeError("no time is a budget for nothing; leave it out for no limit, or give --plan")
    return seconds


def _settings(options: argparse.Namespace) -> Settings:
    from zoo.execution import sweep
    from zoo.tracking.address import resolve_uri

    return sweep.Settings(
        runs_dir=RUNS_DIR,
        tracking_uri=resolve_uri(options.tracking_uri),
        command=options.portable_command,
        data_dir=options.data_dir,
        jobs=options.jobs,
        gpus_per_run=options.gpus_per_run,
        executor=options.executor,
        ray_address=options.ray_address,
        budget_s=options.budget,
        retries=options.retries,
        hang_after_s=options.hang_after,
        rerun_failed=options.rerun_failed,
        fresh=options.fresh,
    )


def _show_plan(plan: Plan, settings: Settings) -> int:
    from zoo.execution import sweep
    from zoo.plan import forecast, origin, summary
    from zoo.plan.seeds import stages
    from zoo.text import output

    for training in plan.trainings:
        origin.check(training)
    left = sweep.not_done(stages.wanted_trainings(plan).at_most)
    at_once = sweep.trainings_at_once(plan, left, settings)
    seconds = forecast.Forecast(RUNS_DIR, at_once).measured_seconds(plan, left)
    _show(summary.text(plan, seconds, RUNS_DIR, at_once, settings.budget_s, left))
    _show(f"\n{summary.sensitivity(plan)}")
    for change in plan.design.changes:
        _show(f"\nnote: {change.text}")
    if other_code := origin.other_code(plan.trainings):
        _show(f"\n{other_code}")
    return 1 if output.is_lost() else 0


def _run(plan: Plan, options: argparse.Namespace) -> int:
    """Do the sweep, report, and say what is left to do."""
    import reports
    from zoo.execution import failures, sweep
    from zoo.execution.live.report import LiveReport
    from zoo.host import calls
    from zoo.tracking.errors import NameTaken

    # The libraries that draw and compute would stay in this process's memory for as long as it trains.
    write_report = calls.PreparedCall(reports.write, reports.prepare)
    write_report.start()  # beside the imports of the first training, and before its clock begins
    result = sweep.run(plan, _settings(options), LiveReport(plan, _Page(plan, options, write_report)))
    outcome = result.outcome
    if isinstance(result.unsent, NameTaken):
        return _refuse(f"{result.unsent}\nWhat was trained is kept in {RUNS_DIR}/, and is not trained again", 2)
    if outcome.stopped:
        return _refuse(f"{_STOPPED}\n  {options.command}", 130)
    reported = False
    if result.unsent:
        _refuse(
            f"\n{result.unsent}\nThe results are safe in {RUNS_DIR}/; this sends them when it is back:\n"
            f"  {options.command} --sync",
            1,
        )
    elif outcome.done:
        reported = _report(plan, result, options, write_report)
    if result.latency_problem:
        _refuse(result.latency_problem, 1)
    if outcome.failed:
        _refuse(failures.failed_text(outcome.failed, options.command, options.rerun_failed), 1)
    if outcome.not_begun:
        _refuse(failures.left_out_text(outcome.not_begun, options.command), 1)
    return 0 if reported and not result.latency_problem and outcome.is_whole else 1


class _Page:
    """The page of a sweep that runs."""

    def __init__(self, plan: Plan, options: argparse.Namespace, write: PreparedCall[..., Report]):
        self._question, self._options, self._write = plan.question, options, write
        self._is_announced = False
        self.prepare = write.wait_until_prepared

    def show(self, standing: Standing, text: str, *, is_running: bool) -> None:
        import reports

        name, title = self._question.name, self._question.question
        accuracies = {variant: tuple(by_seed.values()) for variant, by_seed in standing.accuracies.items()}
        page = reports.show_progress(name, title, text, accuracies, self._options.out, is_running=is_running)
        if not self._is_announced:
            self._is_announced = True
            logging.getLogger("zoo").info("report, rewritten while this runs: %s", page)

    def write(self, text: str) -> None:
        uri = _settings(self._options).tracking_uri
        self._write(self._question.name, self._options.out, ("html",), uri, running=text)


def _sync(plan: Plan, options: argparse.Namespace) -> int:
    """Send to MLflow what is on disk, and say what that was."""
    from zoo.plan.seeds import declaration
    from zoo.tracking.address import resolve_uri
    from zoo.tracking.errors import NameTaken
    from zoo.tracking.sync import send_all

    if RUNS_DIR.is_dir():
        plan = declaration.declare(plan, RUNS_DIR, options.data_dir)
    sent = send_all(plan, resolve_uri(options.tracking_uri), Path.cwd(), options.portable_command)
    if isinstance(sent.problem, NameTaken):
        return _refuse(sent.problem, 2)
    if sent.problem:
        return _refuse(
            f"{sent.problem}\n{sent.text}\n"
            f"The results are safe in {RUNS_DIR}/; this sends them when it is back:\n  {options.command}",
            1,
        )
    _show(sent.text)
    if sent.store:
        _show(f"Compare the runs in a browser: {sent.store.directions()}")
    return 0


def _report(plan: Plan, result: SweepResult, options: argparse.Namespace, write: PreparedCall[..., Report]) -> bool:
    from reports.errors import ReportError
    from zoo.host.processes import ProcessDied

    try:
        report = write(plan.question.name, out=options.out, tracking_uri=_settings(options).tracking_uri)
    except (ReportError, ProcessDied) as error:
        _refuse(f"no report: {error}", 1)
        return False
    _show(f"\n{report.summary}\n")
    _show("\n".join(f"  {path}" for path in report.paths))
    assert result.store is not None, "the results have been sent"
    _send_report(result.store, report)
    _show(f"\nCompare the runs in a browser: {result.store.directions()}")
    return True


def _send_report(store: Store, report: Report) -> None:
    """Keep the page in MLflow too; it is here in any case."""
    from zoo.tracking.errors import TrackingError

    try:
        for path in report.paths:
            if path.suffix == ".html":
                store.send_report(path)
    except TrackingError as error:
        _refuse(f"the page is not kept in MLflow: {error}", 0)


def _commands(argv: list[str] | None) -> tuple[str, str]:
    """The command that goes on with this, as it was typed, and as another machine's user would type it to do the sweep."""
    from zoo.tracking.address import command_line

    words = sys.argv[1:] if argv is None else argv
    portable = ["python", "run_sweep.py", *words]
    typed = sys.orig_argv if argv is None else portable
    return command_line(typed, leave_out=["--fresh"]), command_line(portable, leave_out=["--fresh", "--sync"])


def _show(text: str) -> None:
    from zoo.text.characters import visible

    print(visible(text), flush=True)


def _refuse(message: object, code: int) -> int:
    from zoo.text import messages

    sys.stdout.flush()
    messages.to_stderr(str(message))
    return code


def _end_at_once_on_interrupt(code: int) -> None:
    signal.signal(signal.SIGINT, lambda *_: os._exit(code))


def _program() -> int:
    """``main`` in a process of its own, from its start to its end."""
    from zoo.host import processes
    from zoo.text import output

    output.make_writable()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.set_threshold(50_000)  # imports make a million objects that are there to stay, and would be gone through often
    code = main()
    _end_at_once_on_interrupt(code)  # everything is done
    processes.end_all()
    gc.freeze()  # or the interpreter goes through all objects once more at its end, which takes a second
    return code


if __name__ == "__main__":
    sys.exit(_program())
