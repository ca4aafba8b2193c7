"""One process at a time works on a sweep in a directory."""

from __future__ import annotations

import os

import pytest

from zoo.storage.sweep_lock import SweepInUse, exclusive


def test_another_process_is_refused_with_who_works_on_the_sweep(tmp_path):
    with exclusive(tmp_path, "lrn"):
        with exclusive(tmp_path, "other"):
            pass
        with pytest.raises(SweepInUse) as refused, exclusive(tmp_path, "lrn"):
            pass
        message = str(refused.value)
        assert message.startswith(f"another run_sweep.py (process {os.getpid()} of ")
        assert message.endswith(" is working on lrn in this directory; wait for it or stop it")
    with exclusive(tmp_path, "lrn"):
        pass
    assert [path.name for path in tmp_path.glob("*.json")] == []


@pytest.mark.parametrize("contents", ["", "[]", "{", '{"pid": 1}'])
def test_without_a_readable_owner_it_is_refused_all_the_same(tmp_path, contents):
    with exclusive(tmp_path, "lrn"):
        (tmp_path / ".lrn.owner.json").write_text(contents)
        with pytest.raises(SweepInUse, match=r"^another run_sweep\.py is working on lrn"), exclusive(tmp_path, "lrn"):
            pass
