"""What can be exported: a training of this directory with the weights that it had at a step, or a registered model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import data, models
from zoo.config.settings import frozen, thawed
from zoo.export.errors import ExportError, UnknownName
from zoo.export.manifest import Provenance
from zoo.plan.identity import run_key
from zoo.storage.record import Record
from zoo.storage.records import TrainingDescription
from zoo.text.suggestions import did_you_mean

if TYPE_CHECKING:
    import tf_keras as keras

SHORTEST_PREFIX = 6  # characters of a key that name it


@dataclass(frozen=True)
class Source:
    """A network to export, before TensorFlow is imported for it."""

    stem: str  # of the names of its files
    title: str  # for a person
    classes: tuple[str, ...]
    input_size: int
    image_size: int  # of the data set, before the crop
    standardize: bool
    provenance: Provenance
    checkpoint: Path | None = None  # None for the weights that a model starts with

    @property
    def is_trained(self) -> bool:
        return self.checkpoint is not None

    def build(self) -> keras.Model:
        """The network in float32, from images to logits. Raises ExportError where its weights cannot be read."""
        import tf_keras as keras

        from zoo.training import checkpoints
        from zoo.training.errors import UnusableCheckpoint
        from zoo.training.network import create_averages

        made = self.provenance
        keras.mixed_precision.set_global_policy("float32")
        keras.utils.set_random_seed(made.seed or 0)
        arguments = {name: frozen(value) for name, value in made.arguments.items()}
        model = models.build(made.model, self.input_size, len(self.classes), **arguments)
        if self.checkpoint is None:
            return model
        averages = create_averages(model.trainable_variables)
        try:
            checkpoints.read_weights(self.checkpoint, model, averages)
        except (UnusableCheckpoint, OSError) as error:
            raise ExportError(str(error)) from None
        if made.weights == AVERAGED:
            for variable, average in zip(model.trainable_variables, averages, strict=True):
                variable.assign(average.read_value())
        return model


RAW, AVERAGED, INITIAL = "raw weights", "averaged weights", "initial weights"


def of_model(name: str, input_size: int = 24, classes: int = 10, seed: int = 0) -> Source:
    """A registered model with the weights that it starts with: for its size and speed. Its images have no data set."""
    arguments = {key: thawed(p.default) for key, p in models.entry(name).parameters().items()}
    provenance = Provenance(model=name, arguments=arguments, weights=INITIAL, seed=seed)
    numbers = tuple(map(str, range(classes)))
    return Source(name, f"{name}, not trained", numbers, input_size, input_size, True, provenance)


def find(reference: str, runs_dir: Path, weights: str | None = None, step: int | None = None) -> Source:
    """What a reference names: a training's directory or one of its checkpoints, the first characters of a training's key or
    of a run's, SWEEP:VARIANT:SEED, or a registered model.

    ``weights`` are RAW or AVERAGED, by default those that the training's runs report; ``step`` is by default its last.

    Raises:
        UnknownName: nothing, or several trainings, of that name. ExportError: no usable checkpoint, or another model.
    """
    path = Path(reference)
    if path.is_dir() and path.name.startswith("step_") and (path.parent.parent / "training.json").exists():
        step, path = int(path.name.removeprefix("step_")), path.parent.parent
    if path.is_dir() and (description := Record(path).description()):
        return _of_training(Record(path), description, weights, step)
    if reference in models.names():
        return of_model(reference)
    found = [match for match in _trainings(runs_dir) if _is_named(reference, *match)]
    if len(found) > 1:
        keys = ", ".join(sorted(description.key[:12] for _, description in found))
        raise UnknownName(f"{reference} names several trainings in {runs_dir}: {keys}; give more of the key")
    if not found:
        raise UnknownName(_nothing(reference, runs_dir))
    record, description = found[0]
    if step is None:
        step = next((s for s in _steps(record) if run_key(description.key, s).startswith(reference)), None)
    return _of_training(record, description, weights, step)


def _trainings(runs_dir: Path) -> Iterator[tuple[Record, TrainingDescription]]:
    for path in sorted(runs_dir.glob("*/training.json")):
        description = Record(path.parent).description()
        if description is not None and "." not in path.parent.name:  # what was set aside has a suffix
            yield Record(path.parent), description


def _is_named(reference: str, record: Record, description: TrainingDescription) -> bool:
    sweep, _, rest = reference.partition(":")
    variant, _, seed = rest.rpartition(":")
    if variant:
        return description.question == sweep and f"{variant} · seed {seed}" in description.runs
    if len(reference) < SHORTEST_PREFIX or not re.fullmatch("[0-9a-f]+", reference):
        return False
    keys = (description.key, *(run_key(description.key, step) for step in _steps(record)))
    return any(key.startswith(reference) for key in keys)


def _nothing(reference: str, runs_dir: Path) -> str:
    if len(reference) < SHORTEST_PREFIX and re.fullmatch("[0-9a-f]+", reference):
        return f"{reference!r} is too short for a key: give {SHORTEST_PREFIX} characters or more"
    near = did_you_mean(reference, models.names())
    where = f"in {runs_dir}" if runs_dir.is_dir() else f"in {runs_dir} (there is no such directory)"
    return (
        f"no training {where} and no model is named {reference!r}{near}; name a training by its directory, by "
        f"{SHORTEST_PREFIX} or more characters of its key or of a run's, or as SWEEP:VARIANT:SEED"
    )


def _steps(record: Record) -> list[int]:
    return [int(path.name.removeprefix("step_")) for path in record.checkpoints_by_age()]


def _of_training(record: Record, description: TrainingDescription, weights: str | None, step: int | None) -> Source:
    steps = _steps(record)
    if not steps:
        raise ExportError(
            f"the training in {record.directory} has no checkpoint (yet), so there are no weights to export"
        )
    if step is not None and step not in steps:
        known = ", ".join(f"{s:,}" for s in sorted(steps))
        raise ExportError(f"the training in {record.directory} has no checkpoint at step {step:,}; it has: {known}")
    step = step or steps[0]
    shape, settings = description.shape, description.config
    _check_model(record, description)
    data_set = data.info(settings["data"]) if settings["data"] in data.names() else None
    count = description.classes or (len(data_set.classes) if data_set else 0)
    if not count:
        raise ExportError(
            f"the data set {settings['data']} is not known here, and with it the number of classes: name the file that "
            "registers it with --import"
        )
    key = run_key(description.key, step)
    chosen = weights or (AVERAGED if settings.get("ema") else RAW)
    return Source(
        stem=f"{shape['model']}_{key[:8]}" + ("" if weights is None else f"_{chosen.split()[0]}"),
        title=f"{' and '.join(description.runs)} at step {step:,}, {chosen}",
        classes=data_set.classes if data_set else tuple(map(str, range(count))),
        input_size=shape["input_size"],
        image_size=data_set.image_size if data_set else shape["input_size"],
        standardize=bool(settings.get("standardize", True)),
        provenance=Provenance(
            model=shape["model"],
            arguments=shape["arguments"],
            weights=chosen,
            training=description.key,
            run_key=key,
            seed=description.seed,
            step=step,
            data=settings["data"],
            data_sha256=description.data_sha256,
            git_commit=description.git_commit,
        ),
        checkpoint=record.checkpoints / f"step_{step:08d}",
    )


def _check_model(record: Record, description: TrainingDescription) -> None:
    """Raises ExportError where the model is not the one that was trained."""
    name = description.shape["model"]
    if name not in models.names():
        raise ExportError(
            f"the training in {record.directory} is of the model {name!r}, which is not known: name its file with --import"
        )
    if models.entry(name).source_sha256() != description.source_sha256:
        raise ExportError(
            f"the training in {record.directory} was made with other files of the model {name!r} than are loaded: "
            "restore them, or train it again"
        )
