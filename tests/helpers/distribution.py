"""How pytest-xdist shares the tests out: those that share a fixture to one process, any other to whichever is free.

(``--dist loadgroup`` would do it, but its groups are lost with pytest 9.2, which keeps a test's name.)
"""

from __future__ import annotations

import functools
import json
import os
import tempfile
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

# What takes longest, to be begun first.
LONGEST = (
    "test_cluster",
    "test_server_sweeps",
    "test_chaos",
    "test_failures",
    "test_stopping",
    "test_multi_worker",
    "test_two_sweeps",
    "test_run_sweep",
    "test_stages",
)


class ByFixtures(LoadScopeScheduling):
    """Hands out the groups in the order of their first tests; the processes that collect have written them to a file."""

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(nodeid, nodeid)

    @functools.cached_property
    def _groups(self) -> dict[str, str]:
        return json.loads(_file().read_text(encoding="utf-8"))


def pytest_xdist_make_scheduler(config, log):
    return ByFixtures(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the one that shares out
        descriptor, name = tempfile.mkstemp(prefix="groups-of-tests-")
        os.close(descriptor)
        os.environ["ZOO_TESTS_GROUPS"] = name
        config.add_cleanup(lambda: Path(name).unlink(missing_ok=True))


def pytest_collection_modifyitems(config, items):
    order = {name: position for position, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
    if hasattr(config, "workerinput"):
        names = _groups([_shared_fixtures(item) for item in items])
        groups = {item.nodeid: name for item, name in zip(items, names, strict=True) if name}
        unfinished = _file().with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(groups), encoding="utf-8")
        unfinished.replace(_file())


def _file() -> Path:
    return Path(os.environ["ZOO_TESTS_GROUPS"])


def _shared_fixtures(item: pytest.Item) -> list[str]:
    """What the test shares with others of its file or folder. What all share is made by one process, with a lock."""
    fixtures = [each[-1] for each in item._fixtureinfo.name2fixturedefs.values()]
    shared = [each for each in fixtures if each.scope != "function" and each.baseid not in ("", "tests")]
    return [f"{each.baseid}::{each.argname}" for each in shared]


def _groups(shared_fixtures: list[list[str]]) -> list[str]:
    """A name for each test, the same for tests that share a fixture, also by way of others; "" without any."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    for first, *others in filter(None, shared_fixtures):
        for other in others:
            parents[root(other)] = root(first)
    return [root(names[0]) if names else "" for names in shared_fixtures]
