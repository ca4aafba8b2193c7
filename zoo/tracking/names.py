"""The names under which MLflow keeps what a sweep records, for whoever writes or reads them. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum


class ExperimentTags:
    """Tags of the MLflow experiment of a sweep: the question as it was last asked."""

    QUESTION = "question"
    BASELINE = "baseline"
    MARGIN = "margin"
    VARIANTS = "variants"  # JSON list of names, like the next three in the order of the question
    SEEDS = "seeds"
    FIRST_ANALYSIS = "first_look"  # seeds before the first interim analysis, null where the number of seeds is fixed
    FACTORS = "factors"
    LEVELS = "levels"  # JSON object: variant -> factor -> level
    PUBLISHED = "published"
    OWNER = "owner"  # JSON object: the question's file, what it asks, and the project, see ``zoo.tracking.ownership``
    DESIGN = "design"  # JSON list: the design as it was declared, and changes of it, see ``zoo.storage.designs``
    COMMAND = "command"  # that does the sweep
    NOTE = "mlflow.note.content"  # the description that MLflow shows
    KIND = "mlflow.experimentKind"  # which of MLflow's pages it opens on


MODEL_TRAINING = "custom_model_development"  # the kind of experiment that trains models, in MLflow's words


class RunTags:
    """Tags of an MLflow run."""

    SWEEP = "sweep"
    VARIANT = "variant"
    SEED = "seed"
    RUN_KEY = "run_key"
    TRAINING_KEY = "training_key"
    TRAINING_BEGAN = "training_began"  # tells a training from an earlier one of the same key
    CURRENT = "current"  # "true" for runs of the question as it was last asked
    STATUS_DETAIL = "status_detail"
    FAILURE = "failure"  # of a failed run: its ``FailureKind``
    GIT_COMMIT = "git_commit"
    GIT_DIRTY = "git_dirty"
    DATA_SHA256 = "data_sha256"
    TEST_IMAGES = "test_images"  # their number
    DEVICE = "device"
    LATENCY_SESSION = "latency_session"  # the same for all networks whose latencies were measured in the same rounds
    LOGITS_SHA256 = "logits_sha256"  # of the answers to the test images: equal ones come from equal weights
    ARTIFACTS = "artifacts"  # ARTIFACTS_COMPLETE once all files are there
    NOTE = "mlflow.note.content"
    SOURCE_NAME = "mlflow.source.name"

    @staticmethod
    def latency_rounds_ms(exported_as: str) -> str:
        """JSON list of numbers: the median latency of each round of a session, in milliseconds."""
        return f"latency_rounds_ms/{exported_as}"


ARTIFACTS_COMPLETE = "complete"
CURRENT_RUNS = f"tags.{RunTags.CURRENT} = 'true'"  # a filter for MLflow's search

PROVENANCE = (RunTags.GIT_COMMIT, RunTags.GIT_DIRTY, RunTags.DATA_SHA256, RunTags.DEVICE)


class RunStatus(StrEnum):
    """MLflow's states of a run, as far as they are used here."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    KILLED = "KILLED"  # stopped
    FAILED = "FAILED"


class Params:
    """Parameters of an MLflow run beside the fields of its configuration, which have their dotted names."""

    VARIANT = "variant"
    SEED = "seed"

    @classmethod
    def of_field(cls, field: str) -> str:
        """Of a field of the configuration; an argument of a model may have the name of one of the two above."""
        return f"model.{field}" if field in (cls.VARIANT, cls.SEED) else field


class StepMetrics:
    """Metrics with a value for each step that is evaluated, beside those of each evaluation (``zoo.measure.readouts``)."""

    TRAIN_LOSS = "train/loss"
    TEST_ACCURACY = "test/accuracy"  # the one that the recipe reports
    TEST_TOP5 = "test/top5"

    TRAIN_PREFIX = "train/"  # columns of a training's history with these prefixes are metrics of the same name
    ACCURACY_PREFIX = "test/accuracy_"


class SingleMetrics:
    """Metrics that a run has once; how reports show them is in ``zoo.measure.metrics``."""

    TRAIN_S = "cost/train_s"
    TRAIN_OTHERS_BUSY = "cost/train_others_busy"  # the share of the machine that others took meanwhile, 0 to 1

    @staticmethod
    def cost_of(figure: str) -> str:
        """Of a network: "params", "macs" or "ops"."""
        return f"cost/{figure}"

    LATENCY_OTHERS_BUSY = "latency_ms/others_busy"

    @staticmethod
    def latency_ms_of(exported_as: str, percentile: str) -> str:
        """Of one image in a format ("tf" is the compiled function), by percentile: "p50", "p90" or "p99"."""
        return f"latency_ms/{exported_as}_{percentile}"


class Artifacts:
    """Files of an MLflow run."""

    ENVIRONMENT = "environment.json"
    HISTORY = "history.csv"
    PREDICTIONS = "predictions.npz"
    SAMPLES = "samples.png"
    SPEC = "spec.yaml"

    REPORT = "report.html"  # of the sweep, with one of its runs

    ALL = (ENVIRONMENT, HISTORY, PREDICTIONS, SAMPLES, SPEC)
