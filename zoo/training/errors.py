"""What can go wrong in a training. Imports no TensorFlow."""


class TrainingError(Exception):
    """A training that cannot go on; the message is for the person."""


class Diverged(TrainingError):
    """The loss is no longer a finite number; the message says since which step."""


class ForeignCheckpoint(TrainingError):
    """A checkpoint is undamaged but of another network; it has been set aside."""


class UnusableCheckpoint(TrainingError):
    """A checkpoint that is damaged or of another network, where it is only read."""


class UnevenBatch(TrainingError, ValueError):
    """The devices of a training cannot share its batch evenly."""
