"""Images a second of training and evaluation: this trainer, the plain Keras script, PyTorch; and the matmul peak.

Every contender is a process of its own, prepared once a model, and only one of them computes at a time. In every round
each gets its turn; rates are medians over rounds, ratios and shares of the peak medians of what each round gives.
The trainer always keeps its moving averages, also where it is compared with contenders that keep none.
"""

from __future__ import annotations

import contextlib
import importlib.util
import statistics
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from benchmarks import rounds as arithmetic
from benchmarks.contender import Contender, Request
from zoo.host import hardware
from zoo.text.wording import table

MODELS = ("tuto", "alex2", "nin2", "squeeze1")
INSTALL_TORCH = "PyTorch is not installed, so it is not compared: pip install '.[bench]'"
LEGEND = """Spread: of the rounds, largest less smallest.
Peak: share of the matmul peak in that precision, 6 operations per MAC and image trained. Times: how many times as fast
this trainer is, in the same precision and without augmentation on both sides, but for the plain Keras script, which is
held against the trainer as it comes. The trainer always keeps its moving averages; of the others only the script does."""
_EVALUATED = {"nin2": 2_500}  # test images of one pass, where all 10,000 take too long
_PEAK_SECONDS = 2.0  # of each precision in a round
_FIRST_WARM_S = 4.0  # before the first round; pipelines tune themselves for a while
_IDLE_SHARE = 0.01  # of the time that it waits a contender may use at most, or it disturbs the others
_OURS, _KERAS, _TORCH = (f"benchmarks.contenders.{name}" for name in ("own_trainer", "plain_keras", "torch_networks"))


class Entrant(NamedTuple):
    """A row of the table: the module and settings of its contender, and the row of this trainer that it is held against."""

    label: str
    module: str
    settings: dict[str, Any]
    against: str = ""


def entrants(precisions: Sequence[str], with_torch: bool) -> list[Entrant]:
    """All rows, those of this trainer first; the last of ``precisions`` is the one that it takes by itself."""
    own = f"this trainer, {precisions[-1]}"

    def bare(precision: str) -> str:
        return f"this trainer, {precision}, no augmentation"

    rows = [Entrant(own, _OURS, {"augment": True, "precision": "auto"})]
    rows += [Entrant(bare(p), _OURS, {"augment": False, "precision": p}) for p in precisions]
    script = {"augment": True, "precision": "float32"}
    rows.append(Entrant("plain Keras script, float32", _KERAS, script, own))
    for p in precisions:
        settings = {"augment": False, "precision": p}
        rows.append(Entrant(f"plain Keras, {p}, ready-made batches", _KERAS, settings, bare(p)))
    for compiled in (False, True) if with_torch else ():
        for p in precisions:
            label = f"PyTorch {'compiled' if compiled else 'eager'}, {p}, ready-made batches"
            rows.append(Entrant(label, _TORCH, {"compiled": compiled, "precision": p}, bare(p)))
    return rows


def measure(
    rounds: int = 5,
    seconds: float = 8.0,
    models: Sequence[str] = MODELS,
    keep: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Time every contender of every model, ``seconds`` of training in each of ``rounds``, half as long of evaluation.

    ``keep`` is given what there is after each model.
    """
    with_torch = importlib.util.find_spec("torch") is not None
    precisions = ("float32", "bfloat16") if hardware.has_fast_bfloat16() else ("float32",)
    results: dict[str, Any] = {
        "rounds": rounds,
        "seconds": seconds,
        "cores": hardware.cores(),
        "torch": with_torch,
        "models": {},
    }
    for model in models:
        results["models"][model] = _model(model, entrants(precisions, with_torch), rounds, seconds)
        keep(results)
    return results


def _model(model: str, rows: Sequence[Entrant], rounds: int, seconds: float) -> dict[str, Any]:
    settings = {"model": model, "evaluated": _EVALUATED.get(model, 10_000)}
    with contextlib.ExitStack() as stack:
        peak = stack.enter_context(contextlib.closing(Contender("benchmarks.contenders.matmul_peak", {})))
        contenders = {}
        for row in rows:
            _say(f"{model}: preparing {row.label}")
            contender = Contender(row.module, row.settings | settings)
            contenders[row.label] = stack.enter_context(contextlib.closing(contender))
            contender.ask(Request("train", 0.0, min(_FIRST_WARM_S, seconds)))
        params, macs = (contenders[rows[0].label].facts[name] for name in ("params", "macs"))
        for label, contender in contenders.items():
            if contender.facts["params"] != params:
                raise AssertionError(
                    f"{label} is another network: {contender.facts['params']} parameters, not {params}"
                )
        timings: dict[str, dict[str, list]] = {label: {"train": [], "evaluate": []} for label in contenders}
        peaks: dict[str, list] = {row.settings["precision"]: [] for row in rows if row.settings["precision"] != "auto"}
        for number in range(rounds):
            _say(f"{model}: round {number + 1} of {rounds}")
            for precision, measured in peaks.items():
                peak_s = min(_PEAK_SECONDS, seconds)
                measured.append(peak.ask(Request(precision, peak_s / 4, peak_s)))
            for label, contender in contenders.items():
                timings[label]["train"].append(contender.ask(Request("train", seconds / 8, seconds)))
                timings[label]["evaluate"].append(contender.ask(Request("evaluate", 0.0, seconds / 2)))
        return {
            "params": params,
            "macs": macs,
            "peak": {precision: [timing._asdict() for timing in measured] for precision, measured in peaks.items()},
            "contenders": {
                row.label: {
                    "against": row.against,
                    "facts": contenders[row.label].facts,
                    "idle_cpu_s": contenders[row.label].idle_cpu_s,
                    "idle_s": contenders[row.label].idle_s,
                    **{what: [t._asdict() for t in measured] for what, measured in timings[row.label].items()},
                }
                for row in rows
            },
        }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def rates(timings: Sequence[dict[str, float]]) -> list[float]:
    """Units a second of each round."""
    return [timing["units"] / timing["seconds"] for timing in timings]


def summary(results: dict[str, Any]) -> dict[str, dict[str, float]]:
    """What one model's timings say, row -> ``train`` and ``evaluate`` (images/s), ``spread`` of the rounds of training,
    ``peak`` (percent), and, where the row is held against another, ``times`` and ``evaluate_times`` that one is faster.
    """
    rows: dict[str, dict[str, float]] = {}
    for label, contender in results["contenders"].items():
        train, evaluate = rates(contender["train"]), rates(contender["evaluate"])
        row = {
            "train": statistics.median(train),
            "spread": arithmetic.spread(train),
            "evaluate": statistics.median(evaluate),
            "peak": arithmetic.percent_of_peak(
                results["macs"], train, rates(results["peak"][contender["facts"]["precision"]])
            ),
        }
        if contender["against"]:
            other = results["contenders"][contender["against"]]
            row["times"] = arithmetic.median_ratio(rates(other["train"]), train)
            row["evaluate_times"] = arithmetic.median_ratio(rates(other["evaluate"]), evaluate)
        rows[label] = row
    return rows


def text(results: dict[str, Any]) -> str:
    """A table a model, for a person."""
    parts = [_model_text(model, of_model) for model, of_model in results["models"].items()]
    how = f"{results['rounds']} rounds of {results['seconds']:g} s each on {results['cores']} cores; medians."
    parts.append(f"{how} {LEGEND}")
    if not results["torch"]:
        parts.append(INSTALL_TORCH)
    return "\n\n".join(parts)


def _model_text(model: str, results: dict[str, Any]) -> str:
    def times(row: dict[str, float], name: str) -> str:
        return f"{row[name]:.2f}" if name in row else ""

    lines = [
        (
            label,
            f"{row['train']:,.0f}",
            f"{row['spread']:.0%}",
            f"{row['peak']:.0f} %",
            times(row, "times"),
            f"{row['evaluate']:,.0f}",
            times(row, "evaluate_times"),
        )
        for label, row in summary(results).items()
    ]
    peaks = ", ".join(f"{p} {statistics.median(rates(t)) / 1e9:,.0f} GFLOP/s" for p, t in results["peak"].items())
    data = next(iter(results["contenders"].values()))["facts"]["data"]
    heads = ("images/s", "training", "spread", "peak", "times", "evaluation", "times")
    title = f"{model}: {results['params']:,} parameters, {results['macs']:,} MACs; {data}; matmul peak {peaks}"
    return "\n".join([title, table(heads, lines, left=1), *_restless(results)])


def _restless(results: dict[str, Any]) -> list[str]:
    """A warning for each contender that has used the processor while others were measured."""
    return [
        f"warning: {label} used {contender['idle_cpu_s']:.1f} s of processor time while it was to wait"
        for label, contender in results["contenders"].items()
        if contender["idle_cpu_s"] > _IDLE_SHARE * contender["idle_s"]
    ]
