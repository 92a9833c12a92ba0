"""When to stop: a time, or the user's Ctrl-C. Whoever works long asks `Limits.stopped` between two pieces of work."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(Exception):
    """The time is over, or the user broke off; what was found so far stands."""


class Limits:
    """Seconds from now on (None: no end), what they are called when they end, and whether the user broke off."""

    def __init__(self, seconds: float | None = None, called: str = ""):
        self.seconds, self.started, self.interrupted = seconds, time.monotonic(), False
        self.called = called or f"the limit of {seconds} seconds"

    @property
    def stopped(self) -> str:
        """Empty while there is time; else what ended it, in words."""
        if self.interrupted:
            return "Ctrl-C"
        if self.seconds is not None and time.monotonic() - self.started >= self.seconds:
            return self.called
        return ""

    def check(self) -> None:
        """Raises Stopped when it is time."""
        if why := self.stopped:
            raise Stopped(why)

    def within(self, seconds: float, called: str = "") -> Limits:
        """So many seconds from now on, but no longer than these limits."""
        return _Within(self, seconds, called)


class _Within(Limits):
    """A shorter time within other limits."""

    def __init__(self, outer: Limits, seconds: float, called: str):
        super().__init__(seconds, called)
        self.outer = outer

    @property
    def stopped(self) -> str:
        return self.outer.stopped or super().stopped


@contextmanager
def breaking_off(limits: Limits) -> Iterator[None]:
    """The first Ctrl-C asks for an end, and what was found is kept; the second is Python's own."""

    def ask(number: int, frame: FrameType | None) -> None:
        limits.interrupted = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
