"""Verdicts in the terminal: a live table where there is one, plain lines in CI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ssmverify.errors import one_line
from ssmverify.verdict import CAUTION, NOT_RUN, REFUTED, LayerResult, Verdict

if TYPE_CHECKING:
    from ssmverify.rows import Row

HEADINGS = ("theorem", "status", "sizes", "indices", "decided by", "error / bound", "mutants", "s")


class Board:
    """Shows verdicts as they come: a table with a progress bar below, or a line each where output is no terminal."""

    def __init__(self, console: Console, theorems: Sequence[str]):
        self.console, self.verdicts = console, list[Verdict]()
        self.order = {name: i for i, name in enumerate(theorems)}
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.progress = Progress(*columns, TimeElapsedColumn(), console=console)
        self.task = self.progress.add_task("", total=len(theorems))
        self.live = Live(self._view(), console=console, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> Board:
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.live:
            self.live.update(table(self.verdicts))
            self.live.stop()
        else:
            self.console.print(table(self.verdicts))

    def tell(self, row: str, what: str) -> None:
        """Say what is being done for a row."""
        self.progress.update(self.task, description=escape(one_line(f"{row}: {what}", 70).ljust(74)))

    def add(self, verdict: Verdict) -> None:
        """One row is done; the table keeps the order of the catalogue."""
        self.verdicts.append(verdict)
        self.verdicts.sort(key=lambda v: self.order[v.theorem])
        self.progress.advance(self.task)
        if self.live:
            self.live.update(self._view())
        else:
            said = one_line(f"{verdict.theorem}: {verdict.standing}, {verdict.seconds:.1f} s")
            self.console.print(f"{_mark(verdict)} {said}", highlight=False, markup=False)

    def _view(self) -> Group:
        return Group(table(self.verdicts), self.progress)


def _mark(verdict: Verdict) -> str:
    if verdict.problems:
        return "FAIL"
    return "TIME" if verdict.undecided else "ok  " if verdict.green else "    "


def table(verdicts: Iterable[Verdict]) -> Table:
    """One row a theorem."""
    out = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        out.add_column(heading, justify="right" if heading in ("mutants", "s") else "left", overflow="fold")
    for v in verdicts:
        colour = "red" if v.problems or v.undecided else "yellow" if v.unchecked else "green"
        status = v.status if v.status == NOT_RUN else v.standing
        marked = status + (" (FAILS)" if v.problems else " (undecided)" if v.undecided else "")
        by_hand = f"{len(v.by_hand)} by hand" if v.by_hand else ""
        cells = (
            v.sizes,
            v.indices,
            " + ".join(part for part in (v.decided_by, by_hand) if part),
            errors(v.layers),
            v.refuted_mutants,
            f"{v.seconds:.1f}",
        )
        out.add_row(Text(v.theorem), Text(one_line(marked), colour), *(Text(one_line(cell)) for cell in cells))
    return out


def errors(layers: Iterable[LayerResult]) -> str:
    """For each dtype and device the worst of the layers, in units of its bound; what did not run is named below."""
    worst: dict[str, tuple[float, str]] = {}
    for r in layers:
        if not r.problem.startswith("not run"):
            place = r.dtype if r.device == "cpu" else f"{r.dtype} {r.device}"
            worst[place] = max(worst.get(place, (0.0, "")), (r.worst, " !" if r.problem else ""))
    return ", ".join(f"{place} {error:.2g}{mark}" for place, (error, mark) in worst.items()) or "-"


def summary(verdicts: Sequence[Verdict], seconds: float) -> list[str]:
    """What the table does not say: counterexamples, what failed, what did not run, and the totals; a line each."""
    lines = []
    for v in verdicts:
        if v.status in (REFUTED, CAUTION):
            lines.append(f"{v.theorem} is refuted at {v.counterexample}")
        lines.extend(f"{v.theorem} FAILS: {problem}" for problem in v.problems)
    lines.extend(_undecided([v for v in verdicts if v.undecided]))
    not_run = sorted({f"{r.device} {r.problem}" for v in verdicts for r in v.layers if r.problem.startswith("not run")})
    lines.extend(not_run)
    checked = [v for v in verdicts if not v.unchecked]
    lines.extend(f"{v.theorem} {v.standing}" for v in verdicts if v.status == NOT_RUN)
    if unchecked := len(verdicts) - len(checked):
        lines.append(f"{unchecked} cited, derived by hand, conditional, open or not run: of these nothing was checked.")
    if by_hand := sum(bool(v.by_hand) for v in verdicts):
        lines.append(f"{by_hand} rest on steps by hand, which nothing here checks: `ssmverify show` names them.")
    seed = verdicts[0].seed if verdicts else 0
    good = sum(v.green for v in checked)
    lines.append(f"{good} of {len(checked)} theorems as they should be, in {seconds:.1f} s (seed {seed}).")
    return [one_line(line, 2000) for line in lines]


def _undecided(late: Sequence[Verdict]) -> list[str]:
    """What the time did not suffice for: each row that was begun, and how many were not."""
    lines = [f"{v.theorem} is undecided: the time given ran out (at: {v.because})" for v in late if v.because]
    if rest := [v for v in late if not v.because]:
        first = ", ".join(v.theorem for v in rest[:3]) + (" ..." if len(rest) > 3 else "")
        lines.append(f"undecided, for the time given ran out: {first} ({len(rest)})")
    return [*lines, "raise --budget or --limit to decide them."] if lines else []


def show(row: Row, evidence: dict[str, Any] | None, current_hash: str) -> list[str]:
    """`ssmverify show`: everything about one row, as lines."""
    from proofs.printing import statement
    from ssmverify.rows import Finite, Theorem

    lines = [row.name, "=" * len(row.name), ""]
    claim = statement(row.claim) if isinstance(row, Theorem) else [row.says]
    lines += ["Claim", *_indent(claim), "", "Source", f"  {row.source}"]
    if isinstance(row, Theorem) and row.says:
        lines.append(f"  In words: {row.says}")
    if row.source.words:
        lines.append(f"  Quoted: {row.source.words!r}")
    if row.source.read:
        lines.append(f"  Read: {row.source.read}.")
    lines += ["", "What is so", *(_proof(row) if isinstance(row, Theorem) else _indent(_standing(row)))]
    if row.by_hand:
        lines += ["", "By hand: nothing here checks these steps", *_indent(row.by_hand)]
    if isinstance(row, Theorem | Finite):
        lines += ["", "Layers", *_indent([layer.name for layer in row.layers] or ["none"])]
        lines += ["", "Mutants of the author", *_indent([m.description for m in row.mutants])]
    lines += ["", "Evidence", *_indent(_evidence(evidence, current_hash))]
    return [part for line in lines for part in _within(line)]


def _within(line: str) -> list[str]:
    """A line of a report, with what it quotes of a row: line breaks in that begin no line of their own."""
    first, *rest = ["".join(c if c.isprintable() else " " for c in part) for part in line.splitlines()] or [""]
    return [first, *(f"    {part.strip()}" for part in rest)]


def _proof(theorem: Any) -> list[str]:
    from proofs.derivation import steps
    from proofs.kernel import Cases, NotProved, Refuted
    from proofs.printing import show_point
    from ssmverify.checking.claim import scope

    try:
        found = theorem.derivation.found
    except NotProved as reason:
        return [f"  Not proved: {reason}"]
    idea = _indent(theorem.derivation.idea.splitlines())
    if isinstance(found, Refuted):
        whose = "as read" if theorem.source.words else "as one may read it; the source's words are not quoted"
        return [f"  Refuted {whose}, at {show_point(found.point)}.", *idea]
    sizes, indices = scope(theorem.claim, found)
    lines = [f"  Proved. Sizes: {sizes}. Other indices: {indices}.", *idea]
    return lines if isinstance(found, Cases) else [*lines, "", "Derivation", *steps(found)]


def _standing(row: Row) -> list[str]:
    """How a statement in words stands: what decides it here, or who is cited for it."""
    from ssmverify.rows import Cited, Finite

    match row:
        case Finite(refuted=True):
            return ["False: `ssmverify check` evaluates each of its counterexamples."]
        case Finite(cases=None):
            return ["Tested on samples; no proof."]
        case Finite():
            return ["Decided by going through every case" + (", and tested on samples beyond." if row.samples else ".")]
        case Cited():
            below = [f"It rests on {', '.join(r.name for r in row.rests_on)}."] if row.rests_on else []
            on = f" It is conditional on {', '.join(row.conjectures)}." if row.conjectures else ""
            how = "Derived by hand from what is cited" if row.by_hand else "Cited"
            return [f"{how}: nothing here proves it.{on}", *below]
    return ["Open: nobody has settled it, as far as the source says."]


def _evidence(evidence: dict[str, Any] | None, current_hash: str) -> list[str]:
    if evidence is None:
        return ["none yet: run `ssmverify check` here"]
    stale = "" if evidence["sources"] == current_hash else " STALE: the sources have changed since"
    found_with = f"seed {evidence['seed']}, torch {evidence['versions']['torch']}"
    lines = [f"{evidence['time']}: {evidence['status']}, {found_with}{stale}"]
    for r in evidence["layers"]:
        found = (
            r["problem"] or f"worst error / bound {r['worst']:.3g} over {r['examples']} inputs, at {r['worst_input']}"
        )
        lines.append(f"{r['layer']} {r['dtype']} {r['device']}: {found}")
    lines += [f"mutant {m['outcome']}: {m['description']}  [{m['shown_by']}]" for m in evidence["mutants"]]
    return lines


def _indent(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
