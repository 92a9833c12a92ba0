"""How hard a check tries: how many inputs, from which seed, until when, and whom it tells."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

from ssmverify.errors import one_line

# What a user's proof or a broken layer may raise: it is shown as a failure, not as ours.
RAISED = (Exception, SystemExit)

FIRST = range(6)
FURTHER = range(6, 60)  # before a mutant is said to have survived: luck is not to decide that

T = TypeVar("T")


class OutOfTime(BaseException):
    """The time given ran out. No row can catch it by accident: it is no Exception."""


@dataclass
class Effort:
    """How hard to try: examples for each layer and dtype, seed, a deadline, and whom to tell about progress.

    A careful one tells each case and input before it is tried, so that what ends the process can be named.
    """

    examples: int = 100
    seed: int = 0
    deadline: float = float("inf")
    tell: Callable[[str], None] = lambda _: None
    careful: bool = False
    points: list[Any] = field(default_factory=list)  # where the claim was found to hold
    inputs: dict[Any, list[Any]] = field(default_factory=dict)  # of each layer and dtype, with what is right there

    def among(self, drawn: Iterable[T], condition: Callable[[T], bool]) -> T | None:
        """The first of what was drawn before that satisfies the condition."""
        for x in drawn:
            self.at(x)
            if condition(x):
                return x
        return None

    def in_time(self) -> None:
        """Raises OutOfTime after the deadline."""
        if time.monotonic() > self.deadline:
            raise OutOfTime

    def at(self, x: Any) -> None:
        """Before x is tried: raises OutOfTime after the deadline."""
        self.in_time()
        if self.careful:
            self.tell(f"at {one_line(repr(x))}")

    def search(self, strategy: Any, condition: Callable[[Any], bool], examples: int | None = None) -> Any | None:
        """An input that satisfies the condition, made as simple as can be; None if none was found."""
        return self._search(strategy, condition, examples or self.examples, self.seed, simplify=True)

    def any_input(
        self, strategy: Any, condition: Callable[[Any], bool], searches: range = range(FURTHER.stop), each: int = 40
    ) -> Any | None:
        """Some input that satisfies the condition, by searches that know nothing of one another.

        Within one search hypothesis varies what it drew before, and may so stay away from a corner.
        """
        for i in searches:
            if (found := self._search(strategy, condition, each, self.seed + i, simplify=False)) is not None:
                return found
        return None

    def _search(
        self, strategy: Any, condition: Callable[[Any], bool], examples: int, seed: int, simplify: bool
    ) -> Any | None:
        def in_time(x: Any) -> bool:
            self.at(x)
            return condition(x)

        how = settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink)[: 2 if simplify else 1],
        )
        try:
            return find(strategy, in_time, settings=how, random=random.Random(seed))
        except NoSuchExample:
            return None


def shown(error: BaseException) -> str:
    """What was raised, in a few words."""
    return f"{type(error).__name__}: {one_line(str(error))}"
