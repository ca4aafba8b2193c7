"""What splits a comparison, and what each part is compared with."""

from __future__ import annotations

from zoo.measure.task import split


def grid(**fields):
    """Settings of all combinations: ``{"lrn=a, data=b": {"lrn": "a", "data": "b"}}``."""
    combined = [{}]
    for field, levels in fields.items():
        combined = [{**own, field: level} for own in combined for level in levels]
    return {", ".join(f"{f}={v}" for f, v in own.items()): own for own in combined}


def test_nothing_splits_variants_that_are_tested_alike():
    (part,) = split(grid(lrn="tf", steps=("10", "20")), "lrn=t, steps=10")
    assert part.task == {} and len(part.variants) == 4 and part.baseline == "lrn=t, steps=10"


def test_each_data_set_has_the_variant_that_is_like_the_baseline():
    parts = split(grid(lrn="tf", data="cd"), "lrn=f, data=d")
    assert [(part.task, part.variants, part.baseline) for part in parts] == [
        ({"data": "d"}, ("lrn=t, data=d", "lrn=f, data=d"), "lrn=f, data=d"),
        ({"data": "c"}, ("lrn=t, data=c", "lrn=f, data=c"), "lrn=f, data=c"),
    ]


def test_another_data_set_is_not_compared_even_without_a_baseline_of_its_own():
    parts = split({"a": {"data": "c", "lrn": "t"}, "b": {"data": "d", "lrn": "f"}}, "a")
    assert [part.baseline for part in parts] == ["a", None]


def test_the_size_of_the_input_splits_a_grid_and_is_else_what_is_asked_about():
    assert len(split(grid(lrn="tf", input_size=("20", "24")), "lrn=t, input_size=20")) == 2
    assert len(split(grid(input_size=("20", "24")), "input_size=20")) == 1
    shipped = {  # of experiments/ablation_augmentation_ema.yaml
        "none, 32x32": {"input_size": "32", "augment": "false"},
        "none, 24x24": {"input_size": "24", "augment": "false"},
        "augmentation": {"input_size": "24", "augment": "true"},
    }
    assert len(split(shipped, "none, 32x32")) == 1


def test_data_splits_where_the_size_of_the_input_does_not():
    settings = grid(data="cd", input_size=("20", "24"))
    parts = split(settings, "data=c, input_size=20")
    assert [part.task for part in parts] == [{"data": "c"}, {"data": "d"}]
