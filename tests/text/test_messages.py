"""What the package logs is shown to the person at the terminal."""

from __future__ import annotations

import logging

import pytest

from zoo.text import messages


def test_messages_are_shown_within_the_block_alone(capsys):
    log = logging.getLogger("zoo.somewhere")
    shown: list[str] = []
    with messages.shown_by(messages.to_stderr):
        log.info("to %s", "stderr")
        log.debug("a detail")
        with messages.shown_by(shown.append):
            log.warning("to the display")
        log.warning("to stderr again")
    log.info("to nobody")
    assert capsys.readouterr().err == "to stderr\nto stderr again\n"
    assert shown == ["to the display"]


def test_what_shows_a_message_may_fail():
    def broken(text):
        raise BrokenPipeError

    with messages.shown_by(broken), pytest.raises(BrokenPipeError):
        logging.getLogger("zoo.somewhere").info("lost")
