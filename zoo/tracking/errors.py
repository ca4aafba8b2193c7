"""What is in the way of writing to MLflow, in one line for a person."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from zoo.storage.errors import RecordError
from zoo.tracking.address import as_argument, needs_quoting, without_passwords

# Patterns in messages of MLflow, SQLAlchemy and the network, which have no other form -> what they mean here; the first
# that fits.
_MEANINGS = (
    (r"database is locked", "another program has locked the database and does not let go; close it"),
    (r"unable to open database file", "this file can neither be opened nor created"),
    (r"not a database", "this file is not a database; move it away or name another one with --tracking-uri"),
    (r"table \S+ already exists", "its making was broken off, so nothing is in it; remove this file"),
    (r"readonly database", "this file is write-protected"),
    (r"disk is full", "the disk is full"),
    (
        r"filesystem tracking backend",
        "MLflow keeps no runs in plain folders any more; name a database, as in --tracking-uri sqlite:///mlflow.db",
    ),
    (r"unsupported URI", "MLflow knows no such kind of address; one that works: --tracking-uri sqlite:///mlflow.db"),
    (
        r"too many 5\d\d error responses|failed with error code 5\d\d",
        "the server answers, but with an error of its own (its log says which; its database may be away)",
    ),
    (r"Failed to resolve|Name or service not known|getaddrinfo", "no machine of that name is known"),
    (r"[Tt]imed out|timeout expired", "the server does not answer in time"),
    (r"Connection aborted|Connection reset|closed the connection", "the server breaks off the connection"),
    (r"Connection refused|Failed to establish a new connection", "no server answers at this address"),
)


QUOTING = "; in a password of an address write / as %2F, @ as %40, : as %3A, ? as %3F and # as %23"


class TrackingError(Exception):
    """MLflow cannot be written to; the message says which store and why, in one line. The results are on disk anyway."""


class NameTaken(TrackingError):
    """The experiment of that name belongs to another question; the message says to which, and what to do."""


@contextlib.contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turns whatever is raised inside into a TrackingError for a person."""
    try:
        yield
    except TrackingError:
        raise
    except RecordError as error:
        raise TrackingError(f"the results of a training cannot be sent to MLflow: {error}") from error
    except Exception as error:
        reason = without_passwords(_reason(error, uri), uri)
        hint = QUOTING if needs_quoting(uri) else ""
        raise TrackingError(f"MLflow at {without_passwords(uri, uri)} cannot be written to: {reason}{hint}") from error


def of_another_version(message: str, uri: str) -> str | None:
    """What to do about a database whose tables another version of MLflow made; None for any other message."""
    match = re.search(r"out-of-date database schema \(found version (\w+)|Can't locate revision", message)
    if match is None:
        return None
    import mlflow

    steps = Path(mlflow.__file__).parent / "store" / "db_migrations" / "versions"
    if match[1] is not None and any(steps.glob(f"{match[1]}_*.py")):
        upgrade = f"mlflow db upgrade {as_argument(uri)}"
        return f"the database is of an older version of MLflow; make a copy of it, then: {upgrade}"
    return (
        f"the database is of a newer version of MLflow than the one installed here, {mlflow.__version__}; install that "
        "version (pip install --upgrade mlflow), or name another database with --tracking-uri"
    )


def _reason(error: Exception, uri: str) -> str:
    text = str(error).strip()
    if (other_version := of_another_version(text, uri)) is not None:
        return other_version
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, text):
            return meaning
    if isinstance(error, ModuleNotFoundError):
        hint = "; with it: pip install '.[postgres]'" if (error.name or "").startswith("psycopg") else ""
        return f"this kind of address needs a package that is not installed: {error.name}{hint}"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.strerror}: {error.filename}"
    first = text.splitlines()[0][:300] if text else ""
    return first if _is_of_mlflow(error) else f"{type(error).__name__}: {first}"


def _is_of_mlflow(error: Exception) -> bool:
    """Whether MLflow raised it; if so, MLflow has been imported."""
    exceptions = sys.modules.get("mlflow.exceptions")
    return exceptions is not None and isinstance(error, exceptions.MlflowException)
