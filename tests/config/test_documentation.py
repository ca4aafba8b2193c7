"""docs/questions.md names every key, design and field, with the defaults of the recipes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from zoo.config.design.designs import DESIGNS
from zoo.config.recipes import RECIPES
from zoo.config.resolve import recipe_fields
from zoo.config.schema import QuestionDocument
from zoo.config.settings import leaves

TEXT = (Path(__file__).parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")


def rows(head):
    """The rows of the table whose first column has this head, each a list of cells."""
    lines = TEXT.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {head} |"))
    table = lines[start + 2 : lines.index("", start)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def names(cell):
    """``a.x``, ``.y`` in one cell are a.x and a.y."""
    first, *others = re.findall(r"`([^`]+)`", cell)
    return [first, *(first.partition(".")[0] + name for name in others)]


def test_every_key_of_a_question_is_documented():
    assert [row[0].strip("`") for row in rows("key")] == list(QuestionDocument.model_fields)


def test_every_design_is_documented():
    assert [row[0].strip("`") for row in rows("design")] == list(DESIGNS)


def test_every_field_is_documented():
    documented = {name for row in rows("field") for name in names(row[0])}
    assert documented == leaves().keys() - {"model", "data", "recipe"} | {"initializer"}


@pytest.mark.parametrize(("column", "recipe"), list(enumerate(RECIPES, start=1)))
def test_the_documented_defaults_are_those_of_the_recipes(column, recipe):
    of_other_choices = {name: info.default for name, info in leaves().items()}  # of another optimizer or schedule
    defaults = of_other_choices | recipe_fields(recipe) | RECIPES[recipe]["arguments"]
    for row in rows("field"):
        if row[0] == "`milestones`":
            continue  # written without commas
        values = yaml.safe_load(f"[{re.sub(r'(?<=[0-9]),(?=[0-9]{3})', '', row[column])}]")
        for name, value in zip(names(row[0]), values, strict=True):
            assert value == (list(defaults[name]) if isinstance(defaults[name], tuple) else defaults[name]), name
