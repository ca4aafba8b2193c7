"""An executor that plays a script, for tests of the scheduler without any training."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from helpers.tracked import train

from zoo.execution.events import SweepEvents
from zoo.execution.executor import Event, Job
from zoo.execution.messages import Exited, Finished, Message, Stopped
from zoo.host.exits import ProcessExit
from zoo.plan.runs import Training

CRASH = ProcessExit(-9)
OUT_OF_MEMORY = ProcessExit(-9, out_of_memory=True)


@dataclass(frozen=True)
class Trained:
    """Not a message: what a worker leaves on disk before it sends one."""

    steps: tuple[int, ...]


Script = Sequence[Message | Trained]
WHOLE: Script = (Trained((10, 20)), Finished(), Exited())


@dataclass
class ScriptedAttempt:
    """An attempt that sends what its script has, one message at a time."""

    job: Job
    script: deque[Message | Trained]
    orders: list[str] = field(default_factory=list)

    def stop(self) -> None:
        self.orders.append("stop")
        self.script = deque([Stopped(), Exited()])

    def kill(self) -> None:
        self.orders.append("kill")
        self.script = deque([Exited(CRASH)])

    def dump(self) -> None:
        self.orders.append("dump")


class ScriptedExecutor:
    """An executor that plays ``scripts`` (training name -> one script an attempt); a training without one succeeds."""

    def __init__(
        self,
        slots: int,
        scripts: dict[str, Sequence[Script]] | None = None,
        on_start: Callable[[Job], object] = lambda job: None,
        on_events: Callable[[], object] = lambda: None,
    ):
        self.slots = slots
        self._scripts = {name: deque(each) for name, each in (scripts or {}).items()}
        self._on_start, self._on_events = on_start, on_events
        self.begun: list[str] = []
        self.at_once = 0
        self.attempts: list[ScriptedAttempt] = []
        self.is_closed = False
        self._running: list[ScriptedAttempt] = []

    def start(self, job: Job) -> ScriptedAttempt:
        name = job.training.name
        script = self._scripts[name].popleft() if name in self._scripts else WHOLE
        self.begun.append(name)
        attempt = ScriptedAttempt(job, deque(script))
        self.attempts.append(attempt)
        self._running.append(attempt)
        self.at_once = max(self.at_once, len(self._running))
        self._on_start(job)
        return attempt

    def reduce_slots(self) -> bool:
        if self.slots == 1:
            return False
        self.slots -= 1
        return True

    def events(self, timeout_s: float) -> list[Event]:
        self._on_events()
        events = []
        for attempt in list(self._running):
            if not attempt.script:
                continue
            message = attempt.script.popleft()
            if isinstance(message, Trained):
                train(attempt.job.training, *message.steps)
                continue
            events.append(Event(attempt, message))
            if isinstance(message, Exited):
                self._running.remove(attempt)
        return events

    def close(self) -> None:
        self.is_closed = True


class Remembered(SweepEvents):
    """Remembers the events of a sweep: (name of the event, name of the training, the rest)."""

    def __init__(self) -> None:
        self.events: list[tuple] = []

    def of(self, event: str) -> list[tuple]:
        return [rest for name, *rest in self.events if name == event]

    def _remember(self, event: str, training: Training, *rest: object) -> None:
        self.events.append((event, training.name, *rest))

    def started(self, training):
        self._remember("started", training)

    def waiting(self, training, reason):
        self._remember("waiting", training, reason)

    def progress(self, training, update):
        self._remember("progress", training, update)

    def stopping(self, training):
        self._remember("stopping", training)

    def retrying(self, training, reason, plan):
        self._remember("retrying", training, reason, plan)

    def ended(self, training, state, reason):
        self._remember("ended", training, state, reason)

    def left_out(self, training, reason):
        self._remember("left_out", training, reason)
