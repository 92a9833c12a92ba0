"""The run: random scripts, every fact of which is judged, and the table of what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from proofs.kernel import RULES, Cases, Fact, Refuted, Sequent
from tests.proofs.kernel.fuzz import minimisers, moves, points, signs, sums
from tests.proofs.kernel.fuzz.moves import REFUSED, Script
from tests.proofs.kernel.fuzz.points import judged_at_points
from tests.proofs.kernel.fuzz.worlds import judged

MOVES = moves.MOVES | sums.MOVES | signs.MOVES | minimisers.MOVES | points.MOVES
STEPS = 16  # moves a script


@dataclass
class Tally:
    """Per rule: how many results were made, judged and refused, and which are false."""

    made: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    false: dict[str, list[str]] = field(default_factory=dict)

    @property
    def false_count(self) -> int:
        return sum(map(len, self.false.values()))

    def add(self, other: Tally) -> None:
        for mine, theirs in ((self.made, other.made), (self.judged, other.judged), (self.refused, other.refused)):
            mine.update(theirs)
        for rule, found in other.false.items():
            self.false.setdefault(rule, []).extend(found)

    def table(self) -> str:
        heads = ("rule", "made", "judged", "refused", "false")
        rows = [(r, self.made[r], self.judged[r], self.refused[r], len(self.false.get(r, []))) for r in RULES]
        totals = (sum(column) for column in list(zip(*rows, strict=True))[1:])
        lines = [f"{r:14}{m:>10}{j:>10}{x:>10}{f:>8}" for r, m, j, x, f in (heads, *rows, ("all", *totals))]
        return "\n".join(lines)


def script(seed: int, rules: Iterable[str], tally: Tally) -> None:
    """One script: three assumptions, then moves for the rules given; the false is counted and not built upon."""
    work = Script(seed)
    rules = tuple(rules)
    for step in range(3 + STEPS):
        rule = "assume" if step < 3 else work.draw.one(*rules)
        work.made.clear()
        try:
            work.draw.one(*MOVES[rule])(work)
        except REFUSED:
            tally.refused[rule] += 1
        except AttributeError:
            if not work.wild:  # a wild argument may make a fact of another form than the move goes on with
                raise
            tally.refused[rule] += 1
        for name, made in work.made:
            tally.made[name] += 1
            verdict, where = judged(made, seed + step) if isinstance(made, Fact) else (judged_at_points(made), None)
            if verdict is not None:
                tally.judged[name] += 1
            if verdict is False:
                at = f"sizes {where.sizes}, {where.kind}" if where else "the point"
                tally.false.setdefault(name, []).append(f"FALSE {name}, seed {seed}: {_statement(made)} at {at}")
            elif isinstance(made, Fact):
                work.facts.append(made)
        if not work.facts:
            work.facts.append(work.assumed(work.draw.equation()))


def _statement(made: Fact | Refuted | Cases) -> str:
    """The sequent in full, by no printer that could fail on it."""
    return repr(Sequent(made.hypotheses, made.conclusion) if isinstance(made, Fact) else made.sequent)


def run(
    seed: int,
    facts: int,
    rules: Iterable[str] = (),
    until: Callable[[Tally], bool] = lambda _: False,
) -> Tally:
    """Scripts until so many facts are judged, or until the tally says so; rules judged least are tried most."""
    tally = Tally()
    wanted = tuple(rules) or tuple(RULES)
    while tally.judged.total() < facts and not until(tally):
        rarest = sorted(wanted, key=lambda r: tally.judged[r])
        try:
            script(seed, (*wanted, *rarest[: len(wanted) // 3] * 2), tally)
        except Exception as reason:
            reason.add_note(f"in the script of seed {seed}")
            raise
        seed += 1
    return tally
