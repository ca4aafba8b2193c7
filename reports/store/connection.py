"""Whether a store can be reached and read: said in a sentence, before MLflow tries again and again for minutes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reports.errors import ReportError
from zoo.tracking.address import needs_quoting, resolve_uri, sqlite_path, without_passwords
from zoo.tracking.errors import QUOTING, of_another_version

ANSWER_S = 10.0  # how long a server may take to say anything at all


@contextmanager
def reading(tracking_uri: str | None) -> Iterator[None]:
    """Within this block, whatever is in the way of reading the store is said in a sentence, and within seconds.

    Raises ReportError.
    """
    uri = resolve_uri(tracking_uri)
    shown = without_passwords(uri, uri)
    try:
        _check(uri, shown)
        yield
    except ReportError as error:  # wherever it came from: none shows a password
        hint = QUOTING if needs_quoting(uri) else ""
        raise ReportError(f"{without_passwords(str(error), uri)}{hint}") from error
    except ImportError as error:
        hint = "pip install '.[postgres]'" if uri.startswith("postgresql") else "install it into this environment"
        raise ReportError(f"reading {shown} takes the package {error.name}: {hint}") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("mlflow", "sqlalchemy", "alembic", "sqlite3", "requests"):
            raise
        first = of_another_version(str(error), uri) or str(error).strip().partition("\n")[0]
        reason = without_passwords(first, uri) or type(error).__name__
        raise ReportError(f"cannot read {shown}: {reason}{QUOTING if needs_quoting(uri) else ''}") from error


def _check(uri: str, shown: str) -> None:
    """Raises ReportError for a store that does not answer or is half written."""
    if uri.startswith(("http://", "https://")):
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
        _check_answers(uri, shown)
    elif (path := sqlite_path(uri)) is not None and path.is_file():
        _check_whole(path)
    else:
        _check_listens(uri, shown)


def _check_answers(uri: str, shown: str) -> None:
    """MLflow tries again for a minute and more where nobody listens; a person knows after seconds. Any answer will do."""
    import http.client
    import ssl
    import urllib.error
    import urllib.request
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(uri)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
        address = parts._replace(netloc=host, path=f"{parts.path.rstrip('/')}/health").geturl()
        urllib.request.urlopen(address, timeout=ANSWER_S).close()
    except urllib.error.HTTPError as error:
        error.close()
    except ValueError as error:
        raise ReportError(f"not an address of a server: {shown} ({error})") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return  # MLflow may have been told other certificates
        if isinstance(reason, TimeoutError):
            reason = f"no answer within {ANSWER_S:g} s"
        reason = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise ReportError(f"nobody answers at {shown}: {reason}. Is the server of MLflow running?") from error


def _check_listens(uri: str, shown: str) -> None:
    """As for a server of MLflow: at a database that is away it tries for two minutes."""
    import socket
    from urllib.parse import urlsplit

    ports = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port or ports.get(parts.scheme.partition("+")[0])
    except ValueError:
        return  # several hosts, or a form that only its driver knows
    if not host or not port:
        return
    try:
        socket.create_connection((host, port), timeout=ANSWER_S).close()
    except OSError as error:
        reason = f"no answer within {ANSWER_S:g} s" if isinstance(error, TimeoutError) else error.strerror or error
        raise ReportError(f"nobody answers at {shown}: {reason}. Is the database running?") from error


def _check_whole(path: Path) -> None:
    """MLflow would begin to write a database that lacks tables; reading is all that a report may do."""
    import sqlite3
    from contextlib import closing

    needed = {
        "alembic_version",
        "experiments",
        "experiment_tags",
        "runs",
        "metrics",
        "latest_metrics",
        "params",
        "tags",
    }
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return  # the store says what is wrong with such a file
    missing = sorted(needed - there)
    if "experiments" in there and missing:
        raise ReportError(
            f"{path.absolute()} is only half written (no table {missing[0]!r}): whoever made it was interrupted, or is "
            "still at it; move it away, and the sweep's own command with --sync makes it again from what is on disk"
        )
