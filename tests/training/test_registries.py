"""One of each is added in one place: it is a field of a question, can be a factor and is trained; old keys stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import tensorflow as tf
from helpers import small  # noqa: F401  two devices, before TensorFlow runs its first operation
from pydantic import Field, ValidationError

from zoo import data
from zoo.config import QuestionError, load
from zoo.config import recipes as recipe_registry
from zoo.data import augmentation
from zoo.measure import readouts
from zoo.plan import runs
from zoo.training import optimizers, schedules
from zoo.training.trainer import Arrays, train

QUESTION = """\
question: Does what has been added matter?
base:
  model: alex2
  data: digits
  convs: [[3, 8]]
  hidden: [8]
  batch: 16
  steps: 8
  precision: float32
factors: {FACTORS}
seeds: 1
"""
OLD = "augment.flip: [true, false], optimizer.momentum: [0.0, 0.9], ema: [true, false]"


@pytest.fixture
def plan(tmp_path):
    def plan(factors: str, name: str = "new") -> runs.Plan:
        path = tmp_path / f"{name}.yaml"
        path.write_text(QUESTION.replace("FACTORS", factors))
        return runs.make_plan(load(path), tmp_path / "runs")

    return plan


@pytest.fixture(autouse=True)
def old_keys_stay(plan, tmp_path):
    before = [run.key for run in plan(OLD, "before").runs]
    yield
    assert [run.key for run in plan(OLD, "after").runs] == before


def final_logits(plan: runs.Plan) -> dict[str, dict[str, np.ndarray]]:
    """Train everything; variant -> logits by evaluation."""
    arrays = Arrays(*data.load("digits", "train"), *(array[:50] for array in data.load("digits", "test")))
    for training in plan.trainings:
        assert train(training.config, training.seed, arrays, training.record, targets=training.targets)
    found = {}
    for run in plan.runs:
        with np.load(plan.training_of(run).record.results_file(run.steps)) as results:
            found[run.variant.name] = {name: results[name] for name in results}
    return found


def assert_every_variant_is_its_own(plan: runs.Plan) -> None:
    assert len({run.key for run in plan.runs}) == len(plan.trainings) == len(plan.runs)
    logits = [values["logits_raw"] for values in final_logits(plan).values()]
    for i, one in enumerate(logits):
        assert np.isfinite(one).all()
        assert not any(np.array_equal(one, other) for other in logits[:i])


def test_an_optimizer(plan):
    @optimizers.OPTIMIZERS.register
    class Smoothed(optimizers.Optimizer):
        name: Literal["smoothed"] = "smoothed"
        beta: float = Field(0.9, gt=0, lt=1, description="a number between 0 and 1")

        def build(self, rate: Any) -> Any:
            import tf_keras as keras

            return keras.optimizers.RMSprop(rate, rho=self.beta, jit_compile=False)

        @property
        def slots(self) -> int:
            return 1

    by_name = plan("optimizer.name: [sgd, adam, smoothed], optimizer.lr: [0.01]".replace("[0.01]", "[0.01, 0.02]"))
    assert len({run.key for run in by_name.runs}) == 6
    its_own = plan("optimizer: [{name: smoothed, lr: 0.01}, {name: smoothed, lr: 0.01, beta: 0.5}]")
    assert its_own.runs[1].variant.config.flat()["optimizer.beta"] == 0.5
    assert its_own.runs[0].key == next(
        run.key for run in by_name.runs if run.variant.levels == {"optimizer.name": "smoothed", "optimizer.lr": 0.01}
    )
    assert_every_variant_is_its_own(its_own)
    with pytest.raises(
        QuestionError, match=r"optimizer.beta is no setting of the optimizer adam; allowed: name, lr, clip_norm"
    ):
        plan("optimizer: [{name: adam}, {name: adam, beta: 0.5}]")
    with pytest.raises(QuestionError, match=r"optimizer.beta must be a number between 0 and 1, not 2"):
        plan("optimizer: [{name: smoothed}, {name: smoothed, beta: 2}]")


def test_a_schedule(plan):
    @schedules.SCHEDULES.register
    class Wave(schedules.Schedule):
        name: Literal["wave"] = "wave"
        last_fraction: float = Field(0.0, ge=0, le=1, description="a number from 0 to 1")
        over_steps: int = Field(8, ge=1, description="a whole number of steps")

        def build(self, lr: float, train_images: int, batch: int) -> Any:
            import tf_keras as keras

            return keras.optimizers.schedules.CosineDecay(lr, self.over_steps, alpha=self.last_fraction)

    assert_every_variant_is_its_own(plan("schedule.name: [constant, wave]"))
    fractions = plan("schedule: [{name: wave}, {name: wave, last_fraction: 0.5}]")
    assert_every_variant_is_its_own(fractions)
    rates = [training.record.history()[-1]["train/learning_rate"] for training in fractions.trainings]
    assert rates[1] == pytest.approx(0.05 + rates[0] / 2)  # half of the way down


def test_an_augmentation(plan):
    @augmentation.register
    class Noise(augmentation.PixelAugmentation):
        """Normal noise on every pixel."""

        name: ClassVar[str] = "noise"
        streams: ClassVar[tuple[int, ...]] = (9,)
        off: ClassVar[float] = 0.0
        value: float = Field(ge=0, le=100, description="a number of grey levels from 0 (off) to 100")

        def draw(self, uniform, places):
            return (uniform(0, 2**31 - 1, tf.int32),)

        def apply(self, pixels, *drawn):
            seeds = tf.stack([drawn[0], drawn[0]], axis=1)
            noise = tf.map_fn(
                lambda seed: tf.random.stateless_normal(pixels.shape[1:], seed), seeds, fn_output_signature=tf.float32
            )
            return pixels + self.value * noise

    noisy = plan("augment.noise: [0, 20.0, 40.0]")
    assert noisy.runs[0].key == plan("augment.crop: [true, false]", "without").runs[0].key  # off is as it was
    assert_every_variant_is_its_own(noisy)
    whole, *parts = (run.variant.config.augment for run in plan("augment: [true, {noise: 5}, false]").runs)
    assert [each.noise for each in (whole, *parts)] == [0, 5, 0]
    with pytest.raises(QuestionError, match=r"augment.noise must be a number of grey levels from 0 \(off\) to 100"):
        plan("augment.noise: [0, 200]")


def test_augmentations_do_not_share_random_numbers():
    with pytest.raises(ValueError, match="collides with 'contrast'"):

        @augmentation.register
        class Again(augmentation.AffineAugmentation):
            name: ClassVar[str] = "again"
            streams: ClassVar[tuple[int, ...]] = (4,)
            off: ClassVar[float] = 0.0
            value: float


def test_a_recipe(plan):
    recipe_registry.register("careful", optimizer={"name": "adam", "lr": 0.001}, ema_decay=0.99)
    recipes = plan("recipe: [sandbox, careful]")
    careful = recipes.runs[1].variant.config
    assert (careful.optimizer.name, careful.ema_decay, careful.weight_decay.scale) == ("adam", 0.99, 500)
    assert_every_variant_is_its_own(recipes)
    for wrong in ({"optimizer": {"name": "adm"}}, {"ema_decai": 0.9}, {"batch": 0}):
        with pytest.raises(ValidationError):
            recipe_registry.register("wrong", **wrong)
    with pytest.raises(ValueError, match="two recipes are named 'careful'"):
        recipe_registry.register("careful")


def test_a_readout_trains_nothing_twice(plan):
    levels = {
        False: readouts.Level("", "", ""),
        True: readouts.Level("doubled", "doubled logits", "doubled", lambda network, logits: 2 * logits()),
    }
    readouts.register(readouts.Readout("doubled", levels, default=False))
    made = plan("doubled: [false, true], ema: [true, false]")
    assert len(made.trainings) == 1
    assert len({run.key for run in made.runs}) == 1
    assert made.runs[0].key == plan("augment.crop: [true, false]", "without").runs[0].key
    logits = final_logits(made)["doubled=true, ema=true"]
    np.testing.assert_array_equal(logits["logits_ema_doubled"], 2 * logits["logits_ema"])
    np.testing.assert_array_equal(logits["logits_raw_doubled"], 2 * logits["logits_raw"])
    named = {run.variant.name: readouts.evaluation_of(run.variant.config) for run in made.runs}
    assert (named["doubled=true, ema=true"].logits, named["doubled=true, ema=true"].label) == (
        "logits_ema_doubled",
        "averaged weights, doubled logits",
    )
    assert (named["doubled=false, ema=false"].logits, named["doubled=false, ema=false"].label) == (
        "logits_raw",
        "raw weights",
    )
    row = made.trainings[0].record.history()[-1]
    assert {f"test/accuracy_{name}" for name in ("raw", "ema", "raw_doubled", "ema_doubled")} <= row.keys()
    with pytest.raises(QuestionError, match="doubled must be true or false, not 1"):
        plan("doubled: [0, 1]")


def test_a_readout_of_words(plan):
    levels = {word: readouts.Level("" if word == "none" else word, word, word) for word in ("none", "int8")}
    readouts.register(readouts.Readout("quantized", levels, default="none"))
    assert len(plan("quantized: [none, int8]").trainings) == 1
    with pytest.raises(QuestionError, match=r"quantized must be one of none, int8, not 'int4'"):
        plan("quantized: [none, int4]")


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("optimizer: {name: adam, momentum: 0.9}", "optimizer.momentum is no setting of the optimizer adam"),
        ("schedule: {name: constant, decay_factor: 0.5}", "decay_factor is no setting of the schedule constant"),
    ],
)
def test_a_field_of_another_choice_is_refused(tmp_path: Path, base, message):
    path = tmp_path / "q.yaml"
    path.write_text(QUESTION.replace("factors: {FACTORS}\n", "").replace("base:\n", f"base:\n  {base}\n"))
    with pytest.raises(QuestionError, match=message) as refused:
        load(path)
    assert "; allowed: name" in str(refused.value)
    assert f"{path}:3:" in str(refused.value)
