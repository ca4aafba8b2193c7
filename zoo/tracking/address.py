"""Addresses of MLflow's store. Imports nothing heavy."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from zoo.text.characters import visible

OPTION, VARIABLE = "--tracking-uri", "MLFLOW_TRACKING_URI"
DEFAULT_URI = "sqlite:///mlflow.db"  # what a bare ``mlflow ui`` opens in the same directory

# Up to the last @ of a word: a password that was not quoted as addresses demand may hold an @ or a slash itself.
_IN_FRONT = re.compile(r"(//[^/:@\s]*):\S*@")
_NAMED = re.compile(r"(?i)((?<![\w-])[\w-]*(?:password|passwd|pwd|secret|token|api_?key)=)([^&\s]+)")
_SEPARATORS = re.compile(r"[/@?#:]")
_SHORTEST, _SHORTEST_PIECE = 4, 2  # characters of what is looked for in a text: less would be found in any word


def resolve_uri(uri: str | None = None) -> str:
    """The address that was given, else MLFLOW_TRACKING_URI, else ``DEFAULT_URI``."""
    return uri or os.environ.get(VARIABLE) or DEFAULT_URI


def sqlite_path(uri: str) -> Path | None:
    """The file behind a ``sqlite:///`` address (relative to the working directory), or None for another store."""
    return Path(uri.removeprefix("sqlite:///").split("?")[0]) if uri.startswith("sqlite:///") else None


def without_passwords(text: str, address: str = "") -> str:
    """A text with *** for each password of the addresses in it, and for that of ``address`` wherever it stands."""
    secrets = passwords(address)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    text = _IN_FRONT.sub(r"\1:***@", _NAMED.sub(r"\1***", text))
    # An address with a slash or @ in its password is taken apart in the wrong place, and errors name the pieces.
    pieces = {piece for secret in secrets for piece in _SEPARATORS.split(secret) if piece != secret}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _SHORTEST_PIECE:
            text = re.sub(rf"(?<!\w){re.escape(piece)}(?!\w)", "***", text)
    return text


def passwords(address: str) -> set[str]:
    """The passwords in one address, as they are written and as they are meant."""
    in_front = re.search(r"//[^/:@]*:(.*)@", address, re.DOTALL)
    written = {match[2] for match in _NAMED.finditer(address)} | ({in_front[1]} if in_front else set())
    return {word for text in written for word in (text, unquote(text)) if word}


def needs_quoting(address: str) -> bool:
    """Whether a password in front of the host has a letter that ends it for whoever reads the address."""
    return any(_SEPARATORS.search(secret) for secret in passwords(address)) and not _NAMED.search(address)


def as_argument(address: str) -> str:
    """An address as a word of a shell command; one with a password is left to the environment, and the shell asks for it."""
    if not passwords(address):
        return shlex.quote(address)
    return f'"${{{VARIABLE}:?is to be the address with its password}}"'


def is_of_this_machine(address: str) -> bool:
    """Whether a web address means another server wherever it is opened: localhost, 127.0.0.1 and the like."""
    try:
        host = (urlsplit(address).hostname or "localhost").rstrip(".")
    except ValueError:  # it is none
        return True
    try:
        number = ipaddress.ip_address(host)
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")
    return number.is_loopback or number.is_unspecified


def without_user(address: str) -> str:
    """The address of a server as a browser takes it from a link: who reads it logs in for themselves."""
    if not passwords(address) and "@" not in urlsplit(address).netloc:
        return address
    return _NAMED.sub(r"\1***", re.sub(r"//.*@", "//", address, count=1, flags=re.DOTALL))


def command_line(words: Sequence[str], leave_out: Collection[str] = ()) -> str:
    """The words as a shell takes them, but for some; where an address has a password, the environment is to have it."""
    line = []
    for before, word in zip(["", *words], words, strict=False):
        option, is_joined, value = word.partition("=")
        if before == OPTION:
            line.append(as_argument(word))
        elif is_joined and option == OPTION:
            line.append(f"{option}={as_argument(value)}")
        elif word not in leave_out:
            line.append(shlex.quote(without_passwords(word)))
    return " ".join(line)


class ArgumentParser(argparse.ArgumentParser):
    """Repeats no password, nor a terminal's escapes, of an argument that it refuses."""

    def error(self, message: str) -> NoReturn:
        super().error(visible(without_passwords(message)))
