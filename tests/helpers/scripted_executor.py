"""An executor that plays out a script, for tests of the scheduler without any training."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from helpers.tracked import train

from zoo.host.processes import death

CRASH = death(-9)
WHOLE = [("trained", (10, 20)), ("done", ""), ("gone", "")]


@dataclass
class Played:
    """An attempt that says what the script has for it, a word at each hearing."""

    job: Any
    script: deque
    orders: list[str] = field(default_factory=list)

    def stop(self) -> None:
        self.orders.append("stop")
        self.script = deque([("stopped", ""), ("gone", "")])

    def kill(self) -> None:
        self.orders.append("kill")
        self.script = deque([("gone", CRASH)])

    def dump(self) -> None:
        self.orders.append("dump")


class Stage:
    """An executor that plays ``scripts`` (training name -> one script an attempt)."""

    def __init__(self, slots: int, scripts: dict[str, list[list[tuple[str, Any]]]]):
        self.slots = slots
        self._scripts = {name: deque(each) for name, each in scripts.items()}
        self.begun: list[str] = []
        self.at_once = 0
        self.attempts: list[Played] = []
        self._running: list[Played] = []

    def start(self, job) -> Played:
        name = job.training.name
        self.begun.append(name)
        attempt = Played(job, deque(self._scripts[name].popleft() if name in self._scripts else WHOLE))
        self.attempts.append(attempt)
        self._running.append(attempt)
        self.at_once = max(self.at_once, len(self._running))
        return attempt

    def narrow(self) -> bool:
        if self.slots == 1:
            return False
        self.slots -= 1
        return True

    def events(self, timeout_s: float):
        heard = []
        for attempt in list(self._running):
            if not attempt.script:
                continue
            kind, value = attempt.script.popleft()
            if kind == "trained":  # what a worker does before it says that it is done
                train(attempt.job.training, *value)
                continue
            heard.append((attempt, kind, value))
            if kind == "gone":
                self._running.remove(attempt)
        return heard

    def close(self) -> None:
        assert not self._running
