"""Settings, layer over layer, to the configuration of one variant.

From the weakest to the strongest: the defaults of the model's function, the recipe, the model's row, the model's
training defaults, the base, the variant's levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from zoo.config.arguments import ArgumentUse, check_argument, entry_of
from zoo.config.document import Document, ItemPath
from zoo.config.recipes import DEFAULT_RECIPE, RECIPES
from zoo.config.settings import CHOICES, Config, field_message, frozen, groups, leaves, unknown_key, unknown_member
from zoo.data.augmentation import AUGMENTATIONS
from zoo.text.suggestions import did_you_mean
from zoo.text.yaml_form import as_yaml

if TYPE_CHECKING:
    from zoo.models.registry import Entry


class Setting(NamedTuple):
    """One field given somewhere: its dotted name, its value and its path in the document."""

    name: str
    value: Any
    path: ItemPath
    source: str = ""  # where the value comes from, if not from the document


def settings(items: Iterable[tuple[str, Any, ItemPath]], document: Document) -> list[Setting]:
    """Dotted settings of one layer, those of whole groups first; unknown fields of groups are reported and left out."""
    nested, known = groups(), leaves()
    dotted: list[Setting] = []
    for key, value, path in items:
        if key in nested and isinstance(value, dict):
            dotted += [Setting(f"{key}.{name}", item, (*path, name)) for name, item in value.items()]
        else:
            dotted.append(Setting(key, value, path))
    kept: dict[str, Setting] = {}
    for setting in dotted:
        group, dot, member = setting.name.partition(".")
        if dot and setting.name not in known:
            document.report(_key_path(setting.path), unknown_member(group, member), key=True)
        elif setting.name in kept:
            document.report(setting.path, f"{setting.name} is given twice here", key=True)
        else:
            kept[setting.name] = setting
    return sorted(kept.values(), key=lambda setting: setting.name.count("."))


def _key_path(path: ItemPath) -> ItemPath:
    """The path of the key that names a setting: a factor's own for one of its levels."""
    return path[:-1] if isinstance(path[-1], int) else path


def resolve(
    document: Document, layers: list[list[Setting]], origin: ItemPath, argument_use: ArgumentUse
) -> Config | None:
    """The configuration of one variant; None when something of it was reported. ``origin`` is what defines the variant."""
    given = [setting for layer in layers for setting in layer]
    before = len(document.problems)
    model, data, recipe = (_choice(document, given, field, origin) for field in ("model", "data", "recipe"))
    if recipe is None:
        return None
    entry = entry_of(model) if model else None
    parameters = entry.parameters() if entry else {}
    training = _training(document, entry, given) if entry else []
    values = _fields(document, [*training, *given], recipe, entry, parameters, argument_use)
    _keep_fields_of_choices(document, values)
    config = _config(document, values, origin) if entry and data else None
    if not entry or not data:
        _check_alone(document, values)
    arguments = _arguments(document, entry, parameters, given, recipe) if entry else None
    if config is None or arguments is None or len(document.problems) > before:
        return None
    config = config.model_copy(update={"arguments": frozen(arguments)})
    clash = sorted(set(arguments) & set(Config.fields()))
    if clash:
        document.report(origin, f"the model {model} has arguments named like fields of a question: {', '.join(clash)}")
        return None
    return (
        config
        if _input_fits(document, config, given, origin) and _workers_fit(document, config, given, origin)
        else None
    )


def _choice(document: Document, given: list[Setting], name: str, origin: ItemPath) -> str | None:
    """The model, data set or recipe that the settings choose, if it is a known one; else reported."""
    chosen = next((setting for setting in reversed(given) if setting.name == name), None)
    known = _known(name)
    if chosen is None:
        if name == "recipe":
            return DEFAULT_RECIPE
        document.report(("base",), f"no {name} is given; add {name}: to the base; known: {', '.join(known)}", key=True)
        return None
    noun = {"data": "data set"}.get(name, name)
    if not isinstance(chosen.value, str):
        document.report(
            chosen.path, f"{name} must be the name of a {noun}, not {as_yaml(chosen.value)}; known: {', '.join(known)}"
        )
        return None
    if chosen.value not in known:
        if name != "recipe" and not document.registry_complete:
            return None
        document.report(
            chosen.path,
            f"unknown {noun} {as_yaml(chosen.value)}{did_you_mean(chosen.value, known)}; known: {', '.join(known)}",
        )
        return None
    return chosen.value


def _known(name: str) -> list[str]:
    if name == "recipe":
        return list(RECIPES)
    if name == "model":
        from zoo import models

        return models.names()
    from zoo import data

    return data.names()


def _training(document: Document, entry: Entry, given: list[Setting]) -> list[Setting]:
    path = next(setting.path for setting in reversed(given) if setting.name == "model")
    known = leaves()
    defaults = []
    for name, value in entry.training.items():
        if name not in known:
            document.report(path, f"the model {entry.name} gives a training default for {name!r}, which is no field")
        else:
            defaults.append(Setting(name, value, path, f" (a training default of the model {entry.name})"))
    return defaults


def _fields(
    document: Document,
    given: list[Setting],
    recipe: str,
    entry: Entry | None,
    parameters: Mapping[str, Any],
    argument_use: ArgumentUse,
) -> dict[str, tuple[Any, Setting | None]]:
    """Dotted field -> (value, the setting that gave it, None for the recipe)."""
    defaults, off = recipe_fields(recipe), _augmentations_off()
    known, nested = leaves(), groups()
    values: dict[str, tuple[Any, Setting | None]] = {name: (value, None) for name, value in defaults.items()}
    values["recipe"] = (recipe, None)
    for setting in given:
        if setting.name == "augment" and isinstance(setting.value, bool):
            chosen = {**off, **{name: defaults[name] for name in off if name in defaults}} if setting.value else off
            values.update({name: (value, setting) for name, value in chosen.items()})
        elif setting.name in nested:
            document.report(
                setting.path,
                f"{setting.name} must be {'true, false or ' if setting.name == 'augment' else ''}a mapping of "
                f"{', '.join(nested[setting.name])}, not {as_yaml(setting.value)}",
            )
        elif setting.name in off and isinstance(setting.value, bool) and not isinstance(off[setting.name], bool):
            # true or false for a number: the recipe's value, or off
            value = defaults.get(setting.name, setting.value) if setting.value else off[setting.name]
            values[setting.name] = (value, setting)
        elif setting.name in known:
            values[setting.name] = (setting.value, setting)
        elif entry is None:
            if document.registry_complete and not any(
                setting.name in entry_of(m).parameters() for m in _known("model")
            ):
                document.report(_key_path(setting.path), unknown_key(setting.name, {}), key=True)
        else:
            key = _key_path(setting.path)
            argument_use.names[key] = setting.name
            models = argument_use.taken_by if setting.name in parameters else argument_use.not_taken_by
            models.setdefault(key, {})[entry.name] = None
    return values


def _augmentations_off() -> dict[str, Any]:
    return {f"augment.{name}": entry.off for name, entry in AUGMENTATIONS.items()}


def _keep_fields_of_choices(document: Document, values: dict[str, tuple[Any, Setting | None]]) -> None:
    """Keep, of an optimizer or a schedule, the fields that the chosen one has; others that the question gives are reported.

    Others that come from the recipe or the model are dropped.
    """
    for group, choices in CHOICES.items():
        name, _ = values.get(f"{group}.name", (choices.default, None))
        if not isinstance(name, str) or name not in choices.entries:
            continue  # reported with the other values
        allowed = choices.entries[name].model_fields
        given = [key for key in values if key.startswith(f"{group}.")]
        for key in [key for key in given if key.partition(".")[2] not in allowed]:
            _, setting = values.pop(key)
            if setting is not None and not setting.source:
                document.report(
                    _key_path(setting.path),
                    f"{key} is no setting of the {group} {name}; allowed: {', '.join(allowed)}",
                    key=True,
                )


def recipe_fields(recipe: str) -> dict[str, Any]:
    """A recipe's defaults by dotted name, its defaults for models' arguments left out."""
    nested, values = groups(), {}
    for name, value in RECIPES[recipe].items():
        if name in nested:
            values.update({f"{name}.{key}": item for key, item in value.items()})
        elif name != "arguments":
            values[name] = value
    return values


def _config(document: Document, values: Mapping[str, tuple[Any, Setting | None]], origin: ItemPath) -> Config | None:
    nested: dict[str, Any] = {"arguments": {}}
    for name, (value, _) in values.items():
        group, dot, member = name.partition(".")
        if dot:
            nested.setdefault(group, {})[member] = value
        else:
            nested[name] = value
    try:
        return Config.model_validate(nested)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            _report_field(document, values, item["loc"], origin)
        return None


def _check_alone(document: Document, values: dict[str, tuple[Any, Setting | None]]) -> None:
    """Report the wrong values of a variant that has no valid model or data set."""
    stand_ins = {name: ("x", None) for name in ("model", "data") if not isinstance(values.get(name, (None,))[0], str)}
    _config(document, {**values, **stand_ins}, ("base",))


def _report_field(
    document: Document, values: Mapping[str, tuple[Any, Setting | None]], loc: tuple[int | str, ...], origin: ItemPath
) -> None:
    known = leaves()
    names = [".".join(map(str, loc[:depth])) for depth in (2, 1)]
    name = next((name for name in names if name in known), ".".join(map(str, loc)))
    if name not in values:
        document.report(origin, f"{name} is missing; give it in the base")
        return
    value, setting = values[name]
    path = setting.path if setting else origin
    document.report(path, field_message(name, known[name], value) + (setting.source if setting else ""))


def _arguments(
    document: Document, entry: Entry, parameters: Mapping[str, Any], given: list[Setting], recipe: str
) -> dict[str, Any] | None:
    """All arguments of the model, resolved and checked against its annotations."""
    chosen = {setting.name: setting for setting in given if setting.name in parameters}
    preset = RECIPES[recipe].get("arguments", {})
    arguments: dict[str, Any] = {}
    are_valid = True
    for name, parameter in parameters.items():
        value = parameter.default
        if name in preset and name not in entry.row:
            value = preset[name]
        if name in chosen:
            value = chosen[name].value
        path = chosen[name].path if name in chosen else _path_of(given, "model")
        if value is parameter.empty:
            document.report(path, f"the model {entry.name} needs the argument {name}; add {name}: to the base")
            are_valid = False
            continue
        checked, errors = check_argument(entry, name, value)
        if errors and name in chosen:
            for loc, message in errors:
                document.report(path + loc, message)
            are_valid = False
        arguments[name] = value if errors else checked
    return arguments if are_valid else None


def _path_of(given: list[Setting], name: str) -> ItemPath:
    return next((setting.path for setting in reversed(given) if setting.name == name), ("base",))


def _workers_fit(document: Document, config: Config, given: list[Setting], origin: ItemPath) -> bool:
    """Whether strategy and workers fit together and the workers divide the batch evenly; reported if not."""
    names, is_alone = ("workers", "strategy"), config.strategy == "mirrored"
    if is_alone and config.workers > 1:
        message = f"a run is trained by {config.workers} workers only with strategy: multi_worker, not with mirrored"
    elif not is_alone and config.workers == 1:
        message = "the strategy multi_worker shares a run out to several processes; say to how many, e.g. workers: 2"
    elif config.batch % config.workers:
        names = ("workers", "batch")
        message = f"{config.workers} workers cannot share a batch of {config.batch} evenly"
    else:
        return True
    document.report(next((setting.path for setting in reversed(given) if setting.name in names), origin), message)
    return False


def _input_fits(document: Document, config: Config, given: list[Setting], origin: ItemPath) -> bool:
    """Whether the images are large enough for the input, and the input for the network; reported if not."""
    from zoo import data, models

    named = {setting.name: setting.path for setting in given}
    path = named.get("input_size") or named.get("model") or origin
    available = data.info(config.data).image_size
    if config.input_size > available:
        document.report(
            named.get("input_size") or named.get("data") or origin,
            f"input_size {config.input_size} is larger than the images of {config.data}, {available}x{available}",
        )
        return False
    try:
        least = models.smallest_input(config.model, **config.arguments)
    except Exception as error:  # a user's own function, with arguments that it does not expect
        document.report(
            path, f"the model {config.model} cannot say its smallest input: {type(error).__name__}: {error}"
        )
        return False
    if config.input_size < least:
        document.report(
            path,
            f"{config.model} with these arguments cannot be built for an input of "
            f"{config.input_size}x{config.input_size}; it needs at least {least}x{least}",
        )
        return False
    return True
