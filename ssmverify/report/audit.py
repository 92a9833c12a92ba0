"""The audit in the terminal: progress, a line for each row where output is no terminal, and what was found."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import nullcontext

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ssmverify.checking.audit import Audit, audit, summary
from ssmverify.checking.processes import KILLED, of_each
from ssmverify.rows import Row, Theorem


def run(
    console: Console, names: Sequence[str], rows: Sequence[Row], jobs: int, seed: int | None, budget: float | None
) -> int:
    """Audit the rows that `names` selects. Exit status 0, 1 if a fact is false or a proof fails, 3 if time ran out."""
    started = time.monotonic()
    seed = secrets.randbits(32) if seed is None else seed
    how = {"seed": seed, "budget": budget}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
    task = progress.add_task("", total=len(rows))
    audits: list[Audit] = []

    def tell(row: Row, what: str) -> None:
        progress.update(task, description=escape(f"{row.name}: {what}"[:70].ljust(70)))

    with progress if console.is_terminal else nullcontext():
        for row, found in of_each(audit, names, rows, jobs, how, tell):
            audits.append(found or Audit(row.name, problem=KILLED))
            progress.advance(task)
            if isinstance(row, Theorem) and not console.is_terminal:
                console.print(_line(audits[-1]), highlight=False, markup=False)
    for line in summary(audits, seed, time.monotonic() - started):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if any(each.false or each.problem for each in audits):
        return 1
    return 3 if any(each.undecided for each in audits) else 0


def _line(found: Audit) -> str:
    mark = "FAIL" if found.false or found.problem else "ok  "
    count = len(found.judged) + len(found.unjudged)
    return f"{mark} {found.row}: {len(found.judged)} of {count} facts judged, {found.seconds:.1f} s"
