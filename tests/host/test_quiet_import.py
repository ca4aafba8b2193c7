"""Importing without noise on the terminal."""

from __future__ import annotations

import os

import pytest

from zoo.host.quiet_import import quiet_import


def test_quiet_import_swallows_what_is_written_to_the_descriptor(capfd):
    with quiet_import():
        os.write(2, b"noise\n")
    os.write(2, b"kept\n")
    assert capfd.readouterr().err == "kept\n"


def test_quiet_import_shows_what_was_said_before_a_failure(capfd):
    with pytest.raises(ImportError), quiet_import():
        os.write(2, b"the reason\n")
        raise ImportError
    assert capfd.readouterr().err == "the reason\n"
