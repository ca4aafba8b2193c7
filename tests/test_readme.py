"""The examples in README.md run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from zoo import config, data, measure, models
from zoo.plugins import load_file

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def example(language: str, containing: str) -> str:
    [code] = [c for c in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in c]
    return code


def test_the_questions_are_valid(tmp_path):
    for containing, variants in (("response normalisation", 2), ("SqueezeNet", 4)):
        (tmp_path / "question.yaml").write_text(example("yaml", containing))
        assert len(config.load(tmp_path / "question.yaml").variants) == variants


def test_a_model_of_your_own(tmp_path):
    (tmp_path / "my_net.py").write_text(example("python", "my_net"))
    load_file(tmp_path / "my_net.py")
    with_sum, without = (models.build("my_net", residual=residual) for residual in (True, False))
    assert measure.cost(with_sum).ops - measure.cost(without).ops == 24 * 24 * 32  # a sum of two maps


def test_a_data_set_of_your_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, labels = np.zeros((3, 48, 48, 3), np.uint8), np.array([0, 1, 1])
    np.savez("my_data.npz", train_images=images, train_labels=labels, test_images=images[:1], test_labels=labels[:1])
    (tmp_path / "my_data.py").write_text(example("python", "my_data"))
    load_file(tmp_path / "my_data.py")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # the example finds its file beside itself
    assert data.load("my_data", "train")[1].tolist() == [0, 1, 1]


def test_the_costs_are_those_in_the_text():
    assert f"# {measure.cost(models.build('tuto', lrn=False))}\n" in example("python", "reports.load")
    for line, name, arguments in (("lrn=true (baseline)", "tuto", {}), ("lrn=false", "tuto", {"lrn": False})):
        [row] = [row for row in README.splitlines() if row.startswith(f"| {line} |")]
        assert f"| {measure.cost(models.build(name, **arguments)).ops:,} |" in row


@pytest.mark.parametrize(("path", "anchor"), re.findall(r"\]\((?!http)([^)#]+)#?([^)]*)\)", README))
def test_links_lead_to_files_and_headings(path, anchor):
    text = (ROOT / path).read_bytes().decode(errors="ignore") if (ROOT / path).is_file() else ""
    assert (ROOT / path).exists()
    headings = [re.sub(r"[^\w -]", "", line.lstrip("# ")).lower() for line in text.splitlines() if line.startswith("#")]
    assert not anchor or anchor in [heading.replace(" ", "-") for heading in headings]
