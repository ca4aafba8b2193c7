"""Messages about keys that no configuration has: what is allowed there, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zoo.config.settings import Config, groups, leaves
from zoo.text.suggestions import nearest

# what people call things elsewhere, and where that stands here
KNOWN_AS = {
    "learning_rate": "optimizer.lr",
    "batch_size": "batch",
    "iterations": "steps",
    "max_steps": "steps",
    "epochs": "steps",
    "dataset": "data",
    "augmentation": "augment",
    "normalize": "standardize",
    "moving_averages": "ema",
    "eval_every": "evaluate_every",
    "image_size": "input_size",
}


def unknown_key(name: str, models: Mapping[str, Iterable[str]]) -> str:
    """The message about a key that is neither a field nor an argument; ``models`` maps each model to its arguments."""
    if name == "classes":
        return "classes is not a key: the data set says how many classes there are"
    fields = [field for field in Config.model_fields if field != "arguments"]
    arguments = list(dict.fromkeys(argument for taken in models.values() for argument in taken))
    takes = f"{', '.join(models)}: {', '.join(arguments) or 'none'}" if models else "the model"
    meant = _meant(name, [*leaves(), *groups(), *arguments], {**_last_parts(), **KNOWN_AS})
    return f"unknown key {name!r}{meant}; allowed: {', '.join(fields)}, and the arguments of {takes}"


def unknown_member(group: str, member: str) -> str:
    """The message about ``member`` in ``group``, or about a dotted key where ``group`` is no group of fields."""
    if group not in groups():
        meant = _meant(f"{group}.{member}", list(leaves()), _last_parts())
        return f"unknown key '{group}.{member}'{meant}; {group!r} holds no keys"
    inside = sorted(groups()[group].model_fields)
    words = {word: full.rpartition(".")[2] for word, full in KNOWN_AS.items() if full.startswith(f"{group}.")}
    return f"unknown key {member!r} in {group}{_meant(member, inside, words)}; allowed: {', '.join(inside)}"


def _last_parts() -> dict[str, str]:
    """``lr`` -> ``optimizer.lr``, for every field inside a group."""
    return {name.rpartition(".")[2]: name for name in leaves() if "." in name}


def _meant(name: str, names: list[str], words: Mapping[str, str]) -> str:
    """``" (did you mean 'lrn'?)"``: another word for a field first, then the nearest name, then the nearest word."""
    found = words.get(name) or nearest(name, names)
    if found is None:
        word = nearest(name, words)
        found = words[word] if word else None
    return f" (did you mean {found!r}?)" if found else ""
