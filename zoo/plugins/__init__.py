"""Files of the user's own, which register models, data sets and the like. May import zoo.host and zoo.text."""

from zoo.plugins.files import (
    PluginError,
    SourceChanged,
    combined_sha256,
    content_sha256,
    file_sha256s,
    load_file,
    loading,
    sha256s,
)
from zoo.plugins.outside import OutsideFiles

__all__ = [
    "OutsideFiles",
    "PluginError",
    "SourceChanged",
    "combined_sha256",
    "content_sha256",
    "file_sha256s",
    "load_file",
    "loading",
    "sha256s",
]
