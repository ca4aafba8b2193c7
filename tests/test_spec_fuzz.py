"""Whatever stands in a file or on the command line, the answer is a question or its problems."""

from __future__ import annotations

import random
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.spec import Question, QuestionError, load

SHIPPED = sorted((Path(__file__).parent.parent / "experiments").glob("*.yaml"))
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


def mutated_values(random_: random.Random, text: str) -> str:
    """The question with some of its values replaced by other well-formed ones."""

    def walk(value):
        if random_.random() < 0.1:
            return random_.choice(
                [None, True, -1, 0, 1.5, 10**12, "x", "tuto", [], {}, [1, 1], {"a": 1}, [[5, 64]], "grid"]
            )
        if isinstance(value, dict):
            return {random_.choice([key, key, key, "lrn", "model", "name"]): walk(item) for key, item in value.items()}
        return [walk(item) for item in value] if isinstance(value, list) else value

    return yaml.safe_dump(walk(yaml.safe_load(text)))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(st.sampled_from(SHIPPED), st.sampled_from([mutated, mutated_values]), st.randoms(use_true_random=False))
def test_whatever_is_in_the_file_the_answer_is_a_question_or_its_problems(tmp_path, shipped, mutation, random_):
    path = tmp_path / "q.yaml"
    text = mutation(random_, shipped.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8", newline="")
    try:
        question = load(path)
    except QuestionError as error:
        assert error.problems and all("\n" not in str(problem) for problem in error.problems)
    else:
        assert isinstance(question, Question)
        names = [variant.name for variant in question.variants]
        assert question.baseline in names and len(set(names)) == len(names)
        assert all(min(question.where(name)) >= 1 for name in names)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(st.text(max_size=40), st.text(max_size=20))
def test_whatever_is_on_the_command_line_too(key, value):
    try:
        load(SHIPPED[0], [f"base.{key}={value}", f"{key}={value}"])
    except QuestionError as error:
        assert all("Traceback" not in str(problem) for problem in error.problems)
