"""The typed, validated, frozen form of a question; ``load`` reads it from YAML or reports all that is wrong with it.

May import: models, data, plugins, text. Nothing here imports TensorFlow or MLflow: a mistake is reported at once.
"""

from zoo.config.errors import Problem, QuestionError
from zoo.config.published import Claim
from zoo.config.question import Question, load
from zoo.config.settings import PLACEMENT, READOUTS, Augment, Config, Optimizer, Schedule, WeightDecay
from zoo.config.variants import Variant

__all__ = [
    "PLACEMENT",
    "READOUTS",
    "Augment",
    "Claim",
    "Config",
    "Optimizer",
    "Problem",
    "Question",
    "QuestionError",
    "Schedule",
    "Variant",
    "WeightDecay",
    "load",
]
