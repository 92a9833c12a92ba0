"""Audits the kernel: every fact of every derivation is judged at points that satisfy its hypotheses.

The points are derived from the fact itself, and the judge shares no code with the kernel's rules nor with its
evaluation. A rule that proves something false is found if it did so anywhere in the catalogue and a drawn point shows
it; that no point does is no proof.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proofs.failure import explain
from proofs.kernel import Fact, NotProved, Point, Sequent, Table
from proofs.points import NoPoint, Sampler
from proofs.printing import sequent as shown
from proofs.printing import show_point, text
from ssmverify.checking.judge import Judge, Unjudged
from ssmverify.checking.search import RAISED
from ssmverify.errors import one_line
from ssmverify.rows import Row, Theorem

POINTS, DRAWS = 3, 10  # points wanted that are not degenerate, and how often one draws for them
OUT_OF_TIME = "the time ran out"


@dataclass
class Audit:
    """What was found of the facts of one row. Facts go by a digest of their statement, so that rows can be summed."""

    row: str
    judged: dict[str, int] = field(default_factory=dict)  # at how many points
    unjudged: dict[str, str] = field(default_factory=dict)  # and why
    false: list[str] = field(default_factory=list)
    problem: str = ""
    steps: int = 0
    seconds: float = 0.0

    @property
    def undecided(self) -> bool:
        return OUT_OF_TIME in self.unjudged.values()


def audit(row: Row, *, seed: int, budget: float | None = None, tell: Callable[[str], None] = lambda _: None) -> Audit:
    """Judge every distinct fact in the derivation of a row; one that is no theorem has none.

    seed: of all points. budget: seconds after which the rest stays unjudged. tell: called with what is being done.
    """
    started = time.monotonic()
    found = Audit(row.name)
    if isinstance(row, Theorem):
        tell("proof")
        try:
            proved = row.derivation.found
        except (NotProved, *RAISED) as reason:
            found.problem = f"the proof fails: {explain(reason)}"
        else:
            facts = proved.steps() if isinstance(proved, Fact) else []
            _judge_all(facts, found, seed, started + budget if budget else float("inf"), tell)
    found.seconds = time.monotonic() - started
    return found


def _judge_all(facts: Iterable[Fact], found: Audit, seed: int, deadline: float, tell: Callable[[str], None]) -> None:
    distinct: dict[Sequent, Fact] = {}
    for fact in facts:
        found.steps += 1
        distinct.setdefault(Sequent(fact.hypotheses, fact.conclusion), fact)
    for number, (statement, fact) in enumerate(distinct.items(), 1):
        if number % 20 == 1:
            tell(f"fact {number} of {len(distinct)}")
        key = digest(statement)
        if time.monotonic() > deadline:
            found.unjudged[key] = OUT_OF_TIME
            continue
        judged = Judged(statement, random.Random(f"{seed} {key}"))
        judged.draw()
        if judged.false_at is not None:
            at, what = judged.false_at
            found.false.append(f"{found.row}, {fact.rule}: {what} {shown(fact)}  at {show_point(at) or 'any point'}")
        if judged.ordinary or judged.false_at is not None:
            found.judged[key] = judged.ordinary + judged.degenerate
        else:
            found.unjudged[key] = judged.reason


def digest(statement: Sequent) -> str:
    """A name for a statement that is the same in every process."""
    written = "\n".join([*sorted(map(repr, statement.hypotheses)), repr(statement.conclusion)])
    return hashlib.blake2b(written.encode(), digest_size=12).hexdigest()


@dataclass
class Judged:
    """One statement, and at how many different points it was found to be true."""

    statement: Sequent
    random: random.Random
    ordinary: int = 0
    degenerate: int = 0
    reason: str = "only degenerate points were found"
    false_at: tuple[Point, str] | None = None
    seen: set[str] = field(default_factory=set)

    def draw(self) -> None:
        """Judge the statement at points of both kinds, until there are enough, or one at which it is false."""
        sampler = Sampler(self.statement)
        for number in range(DRAWS):
            if self.false_at is not None or self.ordinary >= POINTS:
                return
            try:
                self._judge(sampler.draw(self.random, degenerate=number % 4 == 1))
            except NoPoint as reason:
                self.reason = str(reason)
                if number == 0:
                    return
            except Unjudged as reason:
                self.reason = str(reason)

    def _judge(self, point: Point) -> None:
        if (written := repr(sorted(point.items()))) in self.seen:
            return
        self.seen.add(written)
        judge = Judge(point, seed=written)
        for h in self.statement.hypotheses:
            if not judge.true(h):
                self.false_at = point, f"the judge denies the hypothesis {text(h)}, the kernel does not:"
                return
        if not judge.true(self.statement.conclusion):
            self.false_at = point, ""
        elif is_degenerate(point):
            self.degenerate += 1
        else:
            self.ordinary += 1


def is_degenerate(point: Mapping[str, Any]) -> bool:
    """Whether there is nothing but zeros, or a matrix without entries."""
    values = [x for value in point.values() if type(value) is not int for x in _members(value)]
    return bool(values) and (any(np.size(x) == 0 for x in values) or not any(np.any(x != 0) for x in values))


def _members(value: Any) -> list[Any]:
    return [value.default, *value.entries.values()] if isinstance(value, Table) else [value]


def summary(audits: list[Audit], seed: int, seconds: float) -> list[str]:
    """What was found, for a reader; a fact of several rows counts once."""
    judged: dict[str, int] = {}
    unjudged: dict[str, str] = {}
    for each in audits:
        judged |= each.judged
        unjudged |= each.unjudged
    unjudged = {key: reason for key, reason in unjudged.items() if key not in judged}
    total, steps = len(judged) + len(unjudged), sum(each.steps for each in audits)
    enough = sum(count >= POINTS for count in judged.values())
    lines = [
        f"{steps} steps, {total} different facts: {len(judged)} judged at {sum(judged.values())} points, "
        f"{enough} of them at {POINTS} or more."
    ]
    lines += [
        f"{count} not judged: {one_line(reason, 140)}" for reason, count in Counter(unjudged.values()).most_common()
    ]
    lines += [f"FAIL {each.row}: {each.problem}" for each in audits if each.problem]
    false = [line for each in audits for line in each.false]
    lines += [f"FALSE {line}" for line in false]
    lines.append(f"{len(false) or 'none'} false; seed {seed}, {seconds:.0f} s")
    return lines
