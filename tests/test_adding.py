"""docs/adding.md, run as it stands: what is added in one place is a field, a factor, a column or an option at once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from helpers.sweeps import keys, sweep

from zoo.config import recipes
from zoo.data import augmentation
from zoo.execution import executors
from zoo.execution.executor import ExecutorOptions
from zoo.export import registry as export_formats
from zoo.export import sources, writing
from zoo.measure import metrics, readouts
from zoo.measure.cost_axes import cost_axes
from zoo.plugins import load_file
from zoo.training import optimizers, schedules

DOCUMENT = Path(__file__).parent.parent / "docs" / "adding.md"

QUESTION = """\
question: Does any of what was added matter?
imports: [added.py]
base: {model: linear, data: stripes, recipe: brief, precision: float32, optimizer.lr: 0.001}
variants:
  as it was: {}
  hidden layer: {hidden: 8}
  adagrad: {optimizer.name: adagrad, optimizer.initial: 0.5}
  linear: {schedule.name: linear, schedule.epochs: 2}
  inverted: {augment.invert: true}
  rounded: {rounded: true}
baseline: as it was
seeds: 1
"""


NOT_OF_A_QUESTION = ("A metric", "An export format", "An executor")


def blocks() -> dict[str, str]:
    """Heading -> the code below it."""
    found = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {heading: code[1] for heading, text in found if (code := re.search(r"```python\n(.*?)```", text, re.DOTALL))}


@pytest.fixture(autouse=True)
def registries():
    """What is registered here is forgotten at the end of the test."""
    known = [recipes.RECIPES, augmentation.AUGMENTATIONS, metrics.METRICS, readouts.READOUTS]
    known += [optimizers.OPTIMIZERS.entries, schedules.SCHEDULES.entries, export_formats.EXPORTERS]
    kept = [dict(registry) for registry in known]
    yield
    for registry, entries in zip(known, kept, strict=True):
        registry.clear()
        registry.update(entries)


def test_each_row_of_the_table_has_its_block():
    rows = re.findall(r"^\| an? ([^|]+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    kinds = [kind.removeprefix("a ") for row in rows for kind in row.split(", ")]
    headings = [heading.removeprefix("An ").removeprefix("A ") for heading in blocks()]
    assert len(headings) == 10
    assert all(any(kind.startswith(heading) for kind in kinds) for heading in headings)


def test_they_are_fields_and_factors_of_a_sweep_at_once(tmp_path, env):
    """One real sweep over all of them, from a file that a question imports, so that workers have them too."""
    code = [text for heading, text in blocks().items() if heading not in NOT_OF_A_QUESTION]
    (tmp_path / "added.py").write_text("\n".join(code), encoding="utf-8")
    (tmp_path / "added.yaml").write_text(QUESTION, encoding="utf-8")
    done = sweep(tmp_path, env, "added.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(keys(tmp_path)) == 5  # the readout shares the training of the baseline
    results = [dict(np.load(path)) for path in tmp_path.glob("runs/*/results/step_00000040.npz")]
    names = {"labels", "logits_raw", "logits_ema", "logits_raw_rounded", "logits_ema_rounded"}
    assert [set(result) for result in results] == [names] * 5
    assert len({result["logits_raw"].tobytes() for result in results}) == 5  # each changes the training
    assert all(np.any(result["logits_raw"] != result["logits_raw_rounded"]) for result in results)


def test_a_metric_has_a_column_and_an_axis():
    exec(blocks()["A metric"], {})
    energy = metrics.of_key("cost/energy_j")
    assert energy is metrics.of_name("energy_j") and energy.text(2.0) == "2.0 J"
    assert cost_axes()["energy_j"].label == "energy, J"


def test_an_export_format_is_written_loaded_back_and_compared(tmp_path):
    (tmp_path / "added.py").write_text(blocks()["A model family"] + blocks()["An export format"], encoding="utf-8")
    load_file(tmp_path / "added.py")
    path, made = writing.export(writing.prepare(sources.of_model("linear")), "npz", tmp_path)
    assert path.name == "linear_npz.npz" and made.check.largest_difference < 1e-4
    assert made.size_bytes == path.stat().st_size > 24 * 24 * 3 * 10 * 4


def test_an_executor_is_a_file_and_its_name():
    names: dict = {}
    exec(blocks()["An executor"], names)
    options = ExecutorOptions(at_once=2, jobs=None, gpus_per_run=None, address=None, runs_dir=Path("runs"))
    assert names["EXECUTOR"].create(options).slots == 2
    shipped = Path(executors.__file__).parent / "local.py"  # where such a file stands, and is found
    assert shipped.exists() and "local" in executors.names()
