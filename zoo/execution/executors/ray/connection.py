"""How the driver joins a Ray cluster, and the error when it cannot."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.execution.executor import ExecutorError
from zoo.host.quiet_import import quiet_import

_ANSWER_S = 5  # for a cluster's address to accept a connection
_CONNECT_S = 15  # for Ray to find its node on this machine
_REASON_LENGTH = 300  # characters of a message of Ray's that are shown

_START_ONE = (
    "start one with `ray start --head` here and `ray start --address=HOST:6379` on the other machines, "
    "or say where it is with --ray-address HOST:PORT"
)
_AN_ADDRESS = "the address of a cluster is HOST:PORT, as `ray start` prints it"


class ClusterError(ExecutorError):
    """The cluster cannot be used; the message says why and what to do."""


def connect_driver(address: str | None) -> Any:
    """Ray, connected to a cluster. Raises ClusterError."""
    address = address or os.environ.get("RAY_ADDRESS") or _last_started() or "auto"
    if address == "local" or "://" in address:
        raise ClusterError(f"--ray-address {address}: {_AN_ADDRESS}")
    with _settings():
        try:
            import ray
        except ImportError:
            raise ClusterError("Ray is not installed; it comes with: pip install '.[ray]'") from None
        if address != "auto":
            _check_reachable(address)
        error = _connect(ray, address)
    if error:
        ray.shutdown()
        raise ClusterError(_no_cluster(address, error))
    return ray


def _connect(ray: Any, address: str) -> BaseException | None:
    """Connect to a cluster, printing nothing; returns the error that prevented it."""
    with _signal_handlers_kept(), quiet_import(), tempfile.TemporaryDirectory(prefix="zoo-") as directory:
        # As a working directory, so that nodes import this package and not another one that is at the same path there.
        package = Path(__file__).parents[3]
        shutil.copytree(package, Path(directory) / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                runtime_env={"working_dir": directory},
            )
        except (Exception, SystemExit) as error:  # Ray exits when it has given up
            return error
    return None


def _last_started() -> str:
    """The address of the cluster that this machine has last become a node of, "" where there is none."""
    path = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()) / "ray" / "ray_current_cluster"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _check_reachable(address: str) -> None:
    """Raises ClusterError where nothing listens at an address: Ray itself would try for two minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ClusterError(f"--ray-address {address}: {_AN_ADDRESS}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(_no_cluster(address, error)) from None


def _no_cluster(address: str, error: BaseException) -> str:
    if address == "auto":
        return f"there is no Ray cluster on this machine: {_START_ONE}"
    if isinstance(error, OSError):
        return f"no Ray cluster answers at {address} ({error.strerror or error}): {_START_ONE}"
    return (
        f"the Ray cluster at {address} cannot be joined; this machine must be one of its nodes "
        f"(`ray start --address={address}`) and have the same Ray and Python: {summary_of(error)}"
    )


@contextlib.contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    """Within this block Ray may install handlers for signals; after it ours are in force again."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """Within this block Ray, which reads them once, finds settings that keep it quiet and quick to give up."""
    settings = {"RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_gcs_server_request_timeout_seconds": str(_CONNECT_S)}
    added = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def summary_of(error: BaseException) -> str:
    """An error of Ray's in one line; its cause comes last."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _REASON_LENGTH else f"... {text[-_REASON_LENGTH:]}"
