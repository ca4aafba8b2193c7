"""Same bits: many processes that make the same training steps, and how many outcomes they have.

    python tests/training/same_bits.py [--processes 500] [--only NAME ...] [--states quiet busy] [--results FILE]

Precision, dropout, local response normalization and pools in all combinations; each on the machine as it is (quiet, if it
is), and beside busy processes of the script's own. A process is forked as a sweep forks its workers, with two threads on
one core; every few come from a new server, as each sweep has its own. Each builds and compiles a small network (``--graphs``
of them, in turn) and makes a few steps; its outcome is all of its losses and weights. What TensorFlow's pass for oneDNN
made of the graph is read from its log.

Every graph adds a line to FILE, and the same command goes on from there: lines of another commit do not count. The first
line of each outcome has its losses and kernels, so that two can be compared. The exit code is 1 if a configuration has two.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import hashlib
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from zoo.host import git, processes  # noqa: E402
from zoo.text.wording import table  # noqa: E402

# The pass writes its log only if this is set before TensorFlow is imported, in the server.
LOGGED = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "mkl_layout_pass=1"}
REWRITTEN = re.compile(r"rewrote node (\S+) with op (\S+) for Mkl layout optimization")
QUESTION = """\
question: Are these the same bits?
base:
  model: alex2
  data: digits
  convs: [[3, 8], [3, 8]]
  hidden: [16]
  batch: 16
  steps: 20
  precision: {precision}
  dropout: {dropout}
  lrn: {lrn}
  pool: {pool}
seeds: 1
"""
FACTORS = {
    "precision": ("bfloat16", "float32"),
    "dropout": (0.5, 0.0),
    "lrn": ("false", "true"),
    "pool": ([3, 2], [1, 1]),  # the latter is none: each maximum is of one value
}
STATES = ("quiet", "busy")  # the machine: as it is, or beside processes of our own
THREADS = 2  # on one core
PROCESSES_OF_A_SERVER = 10
PATIENCE_S = 600  # for a process on a busy machine


def configurations() -> dict[str, str]:
    """The text of every question, by name."""
    found = {}
    for precision, dropout, lrn, pool in itertools.product(*FACTORS.values()):
        parts = [precision, *["dropout"] * bool(dropout), *["LRN"] * (lrn == "true"), *["pools"] * (pool != [1, 1])]
        found[" + ".join(parts)] = QUESTION.format(precision=precision, dropout=dropout, lrn=lrn, pool=pool)
    return found


def train(connection: Any, question: str, graphs: int) -> None:
    """In a process of its own: build, compile and train ``graphs`` times, and send what came out of each."""
    import tensorflow as tf

    from zoo import config, data
    from zoo.plan import runs

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.experimental.enable_op_determinism()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "question.yaml"
        path.write_text(question, encoding="utf-8")
        (variant,) = config.load(path).variants
    resolved = runs.resolved(variant.config)
    images, labels = data.load(resolved.data, "train", None)
    _logged(lambda: tf.config.list_logical_devices())  # TensorFlow's start, which has much to say
    for _ in range(graphs):
        connection.send(_trained(resolved, images, labels))
    connection.close()
    os._exit(0)


def _trained(config: Any, images: Any, labels: Any) -> dict[str, Any]:
    """Losses of the steps, a digest of the weights, and the nodes that oneDNN computes in the order of the pass."""
    import numpy as np
    import tensorflow as tf

    from zoo.training.network import create_network, default_strategy
    from zoo.training.steps import Totals, training_function

    began = time.process_time()
    network = create_network(config, 0, 10, len(images), default_strategy())
    pixels = tf.constant(np.repeat(images, 3 // images.shape[-1], axis=3))
    steps = training_function(network, pixels, tf.constant(labels, tf.int32), config, 0)
    losses, log = _logged(lambda: [steps(step, 1, Totals()).loss for step in range(config.steps)])
    weights = b"".join(variable.numpy().tobytes() for variable in network.local_variables())
    return {
        "outcome": _digest([hashlib.sha256(weights).hexdigest(), losses]),
        "losses": losses,
        "kernels": [" ".join(pair) for pair in REWRITTEN.findall(log)],
        "cpu_s": time.process_time() - began,
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def _logged(work: Callable[[], Any]) -> tuple[Any, str]:
    """What ``work`` returns, and what native code writes to standard error meanwhile."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            done = work()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        return done, file.read().decode(errors="replace")


# --- the processes ------------------------------------------------------------------------------------------------


class Results:
    """The lines of the file, those of other code apart."""

    def __init__(self, path: Path, code: str):
        self.path, self.code = path, code
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        self.rows = [row for row in map(json.loads, text.splitlines()) if row["code"] == code]

    def of(self, name: str, state: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if (row["configuration"], row["machine"]) == (name, state)]

    def add(self, name: str, state: str, came: dict[str, Any]) -> None:
        """Keep what a process sent; losses and kernels only for the first of each outcome."""
        losses, kernels = came.pop("losses"), came.pop("kernels")
        row = {"configuration": name, "machine": state, "code": self.code, **came}
        row |= {"kernel_set": _digest(sorted(kernels)), "kernel_order": _digest(kernels)}
        row["load"] = os.getloadavg()[0]
        if came["outcome"] not in {earlier["outcome"] for earlier in self.of(name, state)}:
            row |= {"losses": losses, "kernels": kernels}
        self.rows.append(row)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def code() -> str:
    """The commit, and whether the code was changed since."""
    return " ".join(git.git_state(ROOT).values())


def run(results: Results, cells: Sequence[tuple[str, str]], wanted: int, graphs: int, busy: int) -> None:
    """Start processes, one at a time, until each of ``cells`` (configuration, state) has ``wanted`` outcomes."""
    questions = configurations()
    while True:
        done, place = min((len(results.of(*cell)), place) for place, cell in enumerate(cells))
        name, state = cells[place]
        if done >= wanted:
            return
        with _busy(busy if state == "busy" else 0):
            for _ in range(min(PROCESSES_OF_A_SERVER * graphs, wanted - done) // graphs or 1):
                for came in _outcomes(questions[name], graphs):
                    results.add(name, state, came)
        processes.end_all()  # and the next ones come from another server


def _outcomes(question: str, graphs: int) -> Iterator[dict[str, Any]]:
    process, connection = processes.start_connected(train, question, graphs)
    with connection:
        for _ in range(graphs):
            if not connection.poll(PATIENCE_S):
                raise SystemExit(f"a process has made no progress for {PATIENCE_S} s")
            try:
                yield connection.recv()
            except EOFError:
                process.join()
                raise SystemExit(f"a process has ended without a result, exit code {process.exitcode}") from None
    process.join()


@contextlib.contextmanager
def _busy(count: int) -> Iterator[None]:
    """Within this block ``count`` processes compute, with this one's priority."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


# --- for a person -------------------------------------------------------------------------------------------------


def text(results: Results, names: Sequence[str]) -> str:
    """A row for each configuration and state, and below it what other outcomes differ in."""
    rows, differences = [], []
    for name, state in itertools.product(names, STATES):
        found = results.of(name, state)
        if not found:
            continue
        counts = collections.Counter(row["outcome"] for row in found)
        sets, orders = ({row[key] for row in found} for key in ("kernel_set", "kernel_order"))
        load = statistics.median(row["load"] for row in found)
        split = " + ".join(str(count) for _, count in counts.most_common())
        rows.append((name, state, split, str(len(sets)), str(len(orders)), f"{load:.1f}"))
        first = [next(row for row in found if row["outcome"] == outcome) for outcome, _ in counts.most_common()]
        differences += [f"{name}, {state}: {_difference(first[0], other)}" for other in first[1:]]
    heads = ("configuration", "machine", "graphs of each outcome", "sets of kernels", "orders of the pass", "load")
    return "\n".join([table(heads, rows, left=2, gap=2), *differences])


def _difference(usual: dict[str, Any], other: dict[str, Any]) -> str:
    pairs = zip(usual["losses"], other["losses"], strict=True)
    step = next((str(number) for number, (one, two) in enumerate(pairs) if one != two), "none")
    only = [sorted(set(one["kernels"]) - set(two["kernels"])) for one, two in ((usual, other), (other, usual))]
    return (
        f"loss differs from step {step}; computed by oneDNN in the usual one alone: {only[0]}, in the other: {only[1]}"
    )


def main(argv: list[str] | None = None) -> int:
    """Run what is missing in the file, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=500, help="of each configuration in each state (default: 500)")
    parser.add_argument(
        "--only", nargs="+", choices=list(configurations()), metavar="NAME", help="these configurations"
    )
    parser.add_argument("--states", nargs="+", choices=STATES, default=STATES, help="of the machine (default: both)")
    parser.add_argument("--results", type=Path, default=Path("same_bits.jsonl"), metavar="FILE")
    parser.add_argument("--graphs", type=int, default=1, help="that a process builds one after another, each counted")
    parser.add_argument("--busy", type=int, default=2 * (os.cpu_count() or 1), help="processes that compute beside it")
    arguments = parser.parse_args(argv)
    os.environ.update(LOGGED)
    names = arguments.only or list(configurations())
    cells = list(itertools.product(names, arguments.states))
    results = Results(arguments.results, code())
    try:
        run(results, cells, arguments.processes * arguments.graphs, arguments.graphs, arguments.busy)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
    finally:
        processes.end_all()
        print(text(results, names))
    return int(any(len({row["outcome"] for row in results.of(*cell)}) > 1 for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
