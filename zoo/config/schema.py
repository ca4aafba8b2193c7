"""The whole question document as one pydantic model, whose errors are reported at their positions in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from zoo.config.design.designs import DEFAULT_DESIGN, DESIGNS, MAX_NAME, Design, level_identity
from zoo.config.document import Document, ItemPath
from zoo.config.settings import groups, leaves
from zoo.text.suggestions import did_you_mean
from zoo.text.yaml_form import as_yaml, quoting

MAX_RUNS = 10_000
MAX_VARIANTS = 1_000  # a report of more is read by nobody, and more comparisons can show next to nothing
MAX_FACTORS = 100
MIN_GROWING = 3  # seeds before the first interim analysis; a spread of two is next to nothing to go by
MAX_GROWING = 200  # seeds that are added until the verdicts are decided
MAX_SEED = 2**31 - 1
FREE = "x-"  # what a key of the person's own begins with, such as one that holds anchors
_FIGURE = "{variant: tuto, accuracy: 81.4, source: where it stands}"

# our own types of error: MUST is a sentence that ends with the value given, the others are complete
_MUST, _COMPLETE, _MISPLACED_KEY = "must", "complete", "misplaced_key"


def must(
    sentence: str, *, depth: int = 0, known: Iterable[str] = (), when: Callable[[Any], bool] = lambda _: True
) -> WrapValidator:
    """Replace pydantic's errors about a value, and about items at most ``depth`` inside it, by one sentence.

    A union whose schema is chosen by the type of the value takes a depth of 1. ``{name}`` stands for the key of the value,
    ``known`` are words to suggest, and ``when`` is a further condition.
    """

    def check(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        is_word = bool(known)
        try:
            checked = validate(value)
            if when(checked):
                return checked
        except ValidationError as error:
            items = error.errors()
            if any(item["type"] in (_MUST, _COMPLETE, _MISPLACED_KEY) or len(item["loc"]) > depth for item in items):
                raise
            is_word |= items[0]["type"] == "string_type"
        hint = did_you_mean(value, known) if isinstance(value, str) else quoting(value) if is_word else ""
        raise PydanticCustomError(_MUST, sentence, {"hint": hint})

    return WrapValidator(check)


def _distinct(values: list[Any]) -> list[Any]:
    seen: set[str] = set()
    repeated: list[InitErrorDetails] = []
    for i, value in enumerate(values):
        identity = level_identity(value)
        if identity in seen:
            problem = PydanticCustomError(_COMPLETE, f"{as_yaml(value)} is given twice")
            repeated.append(InitErrorDetails(type=problem, loc=(i,), input=value))
        seen.add(identity)
    if repeated:
        raise ValidationError.from_exception_data("repeated", repeated)
    return values


def _is_ascending(ends: list[float]) -> bool:
    return ends[0] <= ends[1]


_by_type = Discriminator(lambda value: type(value).__name__)
_T = TypeVar("_T")
Range = Annotated[
    list[_T],
    Field(min_length=2, max_length=2),
    BeforeValidator(lambda value: value if isinstance(value, list) else [value, value]),
]
Line = Annotated[str, AfterValidator(lambda text: " ".join(text.split())), Field(min_length=1)]
Text = Annotated[Line, must("{name} must be text")]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED), must(f"a seed must be a whole number from 0 to {MAX_SEED:,}")]
SeedList = Annotated[list[Seed], Field(min_length=1, max_length=MAX_RUNS), AfterValidator(_distinct)]
Repetitions = Annotated[
    int,
    Field(ge=MIN_GROWING, le=MAX_GROWING),
    must(f"{{name}} must be {MIN_GROWING} to {MAX_GROWING} repetitions: with fewer, chance decides too easily"),
]
PythonFile = Annotated[
    str,
    must("an import must be the path of a Python file", when=lambda name: bool(name.strip()) and "\0" not in name),
]
Levels = Annotated[
    list[Any],
    Field(min_length=2, max_length=MAX_RUNS),
    AfterValidator(_distinct),
    must(f"the factor {{name}} must be a list of 2 to {MAX_RUNS:,} levels, e.g. [true, false]"),
]
VariantName = Annotated[
    str,
    must(
        f"the name of a variant must be text of 1 to {MAX_NAME} printable characters",
        when=lambda name: name.isprintable() and 1 <= len(name.strip()) <= len(name) <= MAX_NAME,
    ),
]
SweepName = Annotated[
    str,
    must(
        "name must be 1 to 100 letters, digits, spaces and . _ -, a letter or digit first and last",
        when=lambda name: re.fullmatch(r"\w([\w .-]{0,98}\w)?", name) is not None,
    ),
]
Changes = Annotated[
    dict[str, Any] | None, must("the variant '{name}' must be a mapping of what changes ({lrn: false})")
]


class _Section(BaseModel):
    """The description of a required field is the message that it is missing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class GrowingSeeds(_Section):
    """``min`` seeds of every variant, then more of the undecided ones, to ``max`` at most; ``start`` is the first."""

    min: Repetitions = 3
    max: Repetitions = Field(default=20, validate_default=True)
    until: Annotated[Literal["decided"], must("until must be decided", known=["decided"])] = Field(
        description="seeds between a min and a max are added until: decided; there is nothing else to wait for"
    )
    start: Seed = 0

    @field_validator("max")
    @classmethod
    def _above_min(cls, value: int, info: ValidationInfo) -> int:
        if value <= info.data.get("min", 0):
            raise PydanticCustomError(_COMPLETE, f"max must be above min, which is {info.data['min']}, not {value}")
        return value


class ListedVariant(_Section):
    """A variant in a list: its name, and beside it what changes."""

    model_config = ConfigDict(extra="allow")

    name: VariantName = Field(description="this variant has no name; add name:")


Accuracy = Annotated[
    Range[Annotated[float, Field(ge=0, le=100)]],
    must("accuracy must be a percentage, 0 to 100, or a range [low, high]", depth=1, when=_is_ascending),
]
Difference = Annotated[
    Range[Annotated[float, Field(ge=-100, le=100)]],
    must(
        "difference must be points of test accuracy, -100 to 100, or a range [low, high]", depth=1, when=_is_ascending
    ),
]


class PublishedFigure(_Section):
    """What somebody has published: the accuracy of a variant, or its difference to another one."""

    variant: Annotated[str, must("variant must be the name of a variant")] = Field(
        description=f"a published figure needs variant: e.g. {_FIGURE}"
    )
    accuracy: Accuracy | None = None
    difference: Difference | None = Field(default=None, validate_default=True)
    against: Annotated[str, must("against must be the name of a variant")] = ""
    seeds: Annotated[
        int, Field(ge=1, le=1_000_000), must("seeds must be how many trainings the figure is the mean of")
    ] = 1
    at: Annotated[
        dict[str, Any], must("at must be a mapping of the fields that the figure was published at ({steps: 10000})")
    ] = {}
    source: Text = Field(description=f"a published figure needs source: e.g. {_FIGURE}")
    claim: Text = ""

    @field_validator("difference")
    @classmethod
    def _one_figure(cls, value: list[float] | None, info: ValidationInfo) -> list[float] | None:
        if "accuracy" in info.data and (info.data["accuracy"] is None) == (value is None):
            message = "a published figure must have an accuracy (percent) or a difference (points), and not both"
            raise PydanticCustomError(_COMPLETE, message)
        return value

    @field_validator("against")
    @classmethod
    def _belongs_to_a_difference(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("difference", value) is None:
            message = "against belongs to a difference; an accuracy stands for itself"
            raise PydanticCustomError(_MISPLACED_KEY, message)
        return value


ListedVariants = Annotated[
    list[Annotated[ListedVariant, must("a variant in a list must be a mapping with a name")]], Field(min_length=1)
]


class QuestionDocument(_Section):
    """A question as it is written. The fields of base, factors and variants are checked when they are resolved."""

    question: Annotated[Line, must("question must be a sentence")] = Field(
        description="no question is given; add question: and, in a sentence, what you want to know"
    )
    base: Annotated[dict[str, Any] | None, must("base must be a mapping of fields (model: tuto, ...)")] = None
    factors: Annotated[
        dict[str, Levels], Field(min_length=1), must("factors must map fields to levels (lrn: [true, false])")
    ] = {}
    design: Annotated[
        Annotated[Design, Tag("str")] | Annotated[ListedVariants, Tag("list")],
        _by_type,
        must(f"design must be one of {', '.join(DESIGNS)}, or a list of variants", depth=1, known=DESIGNS),
    ] = DEFAULT_DESIGN
    variants: Annotated[
        Annotated[dict[VariantName, Changes], Field(min_length=1), Tag("dict")]
        | Annotated[ListedVariants, Tag("list")],
        _by_type,
        must("variants must map names to what changes (no_lrn: {lrn: false}), or list mappings with a name", depth=1),
    ] = {}
    baseline: Annotated[
        str | dict[str, Any] | None, must("baseline must be the name of a variant, or {factor: level}", depth=1)
    ] = None
    seeds: Annotated[
        Annotated[int, Field(ge=1, le=MAX_RUNS), Tag("int")]
        | Annotated[SeedList, Tag("list")]
        | Annotated[GrowingSeeds, Tag("dict")],
        _by_type,
        must(
            f"seeds must be 1 to {MAX_RUNS:,} repetitions (3), a list of seeds ([0, 1, 2]) or "
            "{min: 3, max: 20, until: decided}",
            depth=1,
        ),
    ] = 3
    margin: Annotated[
        float,
        Field(gt=0, le=100),
        must("margin must be a number of points of test accuracy above 0, at most 100"),
    ] = 0.5
    published: Annotated[
        list[Annotated[PublishedFigure, must(f"a published figure must be a mapping ({_FIGURE})")]] | None,
        must(f"published must be a list of figures ({_FIGURE})"),
    ] = None
    imports: (
        Annotated[
            Annotated[PythonFile, Tag("str")] | Annotated[list[PythonFile], Tag("list")],
            _by_type,
            must("imports must be a list of Python files", depth=1),
        ]
        | None
    ) = None
    name: SweepName | None = None

    def seed_list(self) -> tuple[int, ...]:
        """All seeds: N means 0 to N-1, and so does a ``max`` of N, from its ``start`` on."""
        if isinstance(self.seeds, list):
            return tuple(self.seeds)
        if isinstance(self.seeds, int):
            return tuple(range(self.seeds))
        return tuple(range(self.seeds.start, self.seeds.start + self.seeds.max))


_BY_TYPE = ("design", "variants", "seeds", "imports")  # unions: the tag of the type stands in the paths of their errors
_SECTIONS: dict[str | int, type[_Section]] = {
    **{"seeds": GrowingSeeds, "published": PublishedFigure, "design": ListedVariant, "variants": ListedVariant}
}


def check(document: Document) -> QuestionDocument:
    """Report every error in the form of a document. Returns its valid sections, with defaults for the others."""
    data = {name: section for name, section in document.data.items() if not name.startswith(FREE)}
    try:
        return QuestionDocument.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    for problem in problems:
        _report(document, problem)
    wrong = {problem["loc"][0] for problem in problems}
    valid = {name: section for name, section in data.items() if name not in wrong}
    return QuestionDocument.model_validate({"question": "missing", **valid})


def _report(document: Document, problem: ErrorDetails) -> None:
    path: ItemPath = problem["loc"]
    if path[0] in _BY_TYPE:
        path = path[:1] + path[2:]
    section = _SECTIONS.get(path[0], QuestionDocument) if len(path) > 1 else QuestionDocument
    is_key = path[-1] == "[key]" and path not in document.positions
    path, message = path[:-1] if is_key else path, problem["msg"]
    if problem["type"] == "extra_forbidden":
        document.report(path, _unknown_key(str(path[-1]), section), key=True)
    elif problem["type"] == "missing":
        document.report(path, section.model_fields[str(path[-1])].description or message)
    elif problem["type"] == _MUST:
        sentence = (
            f"{message.replace('{name}', str(path[-1]))}, not {as_yaml(problem['input'])}{problem['ctx']['hint']}"
        )
        (document.refuse if is_key or len(path) == 1 else document.report)(path, sentence, key=is_key)
    else:
        document.report(path, message, key=problem["type"] == _MISPLACED_KEY)


def _unknown_key(key: str, section: type[_Section]) -> str:
    if section is QuestionDocument and (key in leaves() or key in groups()):
        return f"{key!r} belongs under base: (or under factors:, as a list of levels)"
    return f"unknown key {key!r}{did_you_mean(key, section.model_fields)}; allowed: {', '.join(section.model_fields)}"
