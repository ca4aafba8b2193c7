"""Any file and any command line give a plan or a list of problems, quickly, and nothing is started.

2,000 mutations of the shipped questions go through ``run_sweep.py`` up to the plan: the same ones in every run. With
ZOO_FUZZ=N in the environment there are N, and others for another N.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import run_sweep
from zoo.config import QuestionError, load
from zoo.plan import costs

MUTATIONS, BLOCKS = int(os.environ.get("ZOO_FUZZ", "2000")), 20
TIMEOUT_S = 60  # for one question, which takes milliseconds
SHIPPED = sorted((Path(__file__).parents[2] / "experiments").glob("*.yaml"))
WORDS = [
    "",
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    ".nan",
    "2**31",
    "x",
    "tuto",
    "[]",
    "{}",
    "[1, 2]",
    "{a: 1}",
    "&a",
    "*a",
    "!!set",
]
WORDS += [
    "<<",
    "? ",
    ": ",
    "- ",
    "\t",
    "\n",
    "---",
    "'",
    '"',
    "\u2028",
    "é",
    "\x85",
    "lrn",
    "augment",
    "[[",
    "}",
    "#",
    "9" * 30,
]


def mutated(random_: random.Random, text: str) -> str:
    """The text with a few pieces cut out, moved, repeated or replaced; sometimes whole values of it."""
    for _ in range(random_.randint(1, 4)):
        start = random_.randrange(len(text) + 1)
        end = min(len(text), start + random_.choice([0, 1, 3, 10, 40]))
        new = random_.choice([random_.choice(WORDS), text[start:end] * 2, chr(random_.randrange(0x20, 0x3000))])
        text = text[:start] + new + text[end:]
    return text


VALUES = [
    *(None, True, -1, 0, 1, 1.5, 10**12, 2**63, float("nan"), float("inf")),
    *("x", "tuto", "grid", "1e3", "a\0b", "\udce9", "x" * 5000, "../../etc/passwd"),
    *([], {}, [1, 1], {"a": 1}, [[5, 64]], [[5, 64], [3]], [True, False], ["tuto", "nin0"], [0.1, 1e400]),
]
KEYS = ["lrn", "model", "name", "seeds", "factors", "optimizer.lr", "imports", "steps", "", 3, None, True, "dropout"]


def mutated_values(random_: random.Random, text: str) -> str:
    """The question with some of its values and keys replaced by others, each well-formed."""
    often = random_.choice([0.02, 0.1, 0.3])

    def walk(value):
        if random_.random() < often:
            return random_.choice(VALUES)
        if isinstance(value, dict):
            return {
                (random_.choice(KEYS) if random_.random() < often / 2 else key): walk(item)
                for key, item in value.items()
            }
        return [walk(item) for item in value] if isinstance(value, list) else value

    return yaml.safe_dump(walk(yaml.safe_load(text)))


OPTIONS = [
    *(["--set", "base.steps=500"], ["--set", "base.model=nin0"], ["--set", "margin=1"], ["--set", "seeds=[1, 2]"]),
    *(["--seeds", "3"], ["--jobs", "2"], ["--jobs", "auto"], ["--budget", "2h"], ["--retries", "0"], ["--plan"]),
    *(["--hang-after", "1h30m"], ["--executor", "local"], ["--gpus-per-run", "1"], ["--data-dir", "."], ["--sync"]),
    *(["--tracking-uri", "sqlite:///mlflow.db"], ["--rerun-failed"], ["--fresh"], ["--out", "somewhere"]),
]


def command_line(random_: random.Random) -> list[str]:
    """A few options, now and then with a mistake in them."""
    words = ["q.yaml"]
    for option in random_.sample(OPTIONS, random_.choice([0, 0, 1, 2, 4])):
        words += option
    if random_.random() < 0.4:
        index = random_.randrange(len(words))
        words[index] = mutated(random_, words[index]).replace("\0", "")  # which no command line can hold
    return words


class Planned(Exception):
    """The question is valid: the next step would build its networks."""


@contextlib.contextmanager
def in_time():
    def late(*_):
        raise AssertionError(f"no answer within {TIMEOUT_S} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(TIMEOUT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answer(words: list[str]) -> int | None:
    """The exit code of a command line; None for a valid question."""
    try:
        return run_sweep.main(words)
    except SystemExit as exit_:  # from argparse
        return exit_.code
    except Planned:
        return None


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="needs an alarm")
@pytest.mark.parametrize("block", range(BLOCKS))
def test_any_question_gives_a_plan_or_its_problems_and_nothing_starts(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    planned = []

    def count_costs(plan, *_):
        planned.append(plan.question)
        raise Planned

    monkeypatch.setattr(costs, "count_costs", count_costs)
    count, valid = MUTATIONS // BLOCKS, 0
    for number in range(block * count, (block + 1) * count):
        random_ = random.Random(MUTATIONS * 1_000_003 + number)
        shipped = random_.choice(SHIPPED).read_text(encoding="utf-8")
        text = random_.choice([mutated, mutated_values, lambda _, same: same])(random_, shipped)
        Path("q.yaml").write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        words = command_line(random_)
        about = f"mutation {number}: {words}\n{text}"
        with in_time():
            code = answer(words)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err + printed.out, about
        assert [path.name for path in tmp_path.iterdir()] == ["q.yaml"], about
        if code is None:
            valid += 1
            question = planned.pop()
            names = [variant.name for variant in question.variants]
            assert question.baseline in names and len(set(names)) == len(names), about
            assert all(min(question.where(name)) >= 1 for name in names), about
        elif code:
            assert code in (1, 2) and printed.err.strip(), about
        else:
            assert printed.out.startswith("usage:"), about  # --help
    assert 0 < valid < count  # else the mutations test nothing


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(st.text(max_size=40), st.text(max_size=20))
def test_any_override_gives_a_question_or_its_problems(key, value):
    try:
        load(SHIPPED[0], [f"base.{key}={value}", f"{key}={value}"])
    except QuestionError as error:
        assert all("Traceback" not in str(problem) for problem in error.problems)
