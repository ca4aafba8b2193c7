"""The typed, validated, frozen form of a question; ``load`` reads it from YAML or reports all that is wrong with it.

May import: training, models, data, plugins, text. Nothing here imports TensorFlow or MLflow, so that a mistake is
reported at once.
"""

from zoo.config.claims import Claim
from zoo.config.design.variants import Variant
from zoo.config.errors import Problem, QuestionError
from zoo.config.question import Question, load
from zoo.config.settings import PLACEMENT, Config

__all__ = [
    "PLACEMENT",
    "Claim",
    "Config",
    "Problem",
    "Question",
    "QuestionError",
    "Variant",
    "load",
]
