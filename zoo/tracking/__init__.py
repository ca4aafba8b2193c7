"""The only door to MLflow for writing. Importing it is cheap; MLflow itself is imported in the recorder's thread.

What is sent is read from the records on disk, and only what MLflow lacks is sent: sending again repairs everything.
"""

from zoo.tracking.connection import DEFAULT_URI, TrackingError
from zoo.tracking.recorder import Recorder
from zoo.tracking.store import Store
from zoo.tracking.sync import Sent, send_all

__all__ = ["DEFAULT_URI", "Recorder", "Sent", "Store", "TrackingError", "send_all"]
