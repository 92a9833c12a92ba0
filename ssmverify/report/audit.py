"""The audit in the terminal: progress, a line for each row where output is no terminal, and what was found."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import nullcontext

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ssmverify.checking.audit import OUT_OF_TIME, Audit, summary
from ssmverify.checking.processes import News, RowName, Work, Workers
from ssmverify.commands.status import FELL, UNDECIDED


def run(console: Console, workers: Workers, rows: Sequence[RowName], seed: int | None) -> int:
    """Audit the rows. Exit status 0, 1 if a fact is false or a proof fails, 3 if time ran out or it was interrupted."""
    started = time.monotonic()
    seed = secrets.randbits(32) if seed is None else seed
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
    task = progress.add_task("", total=len(rows))
    audits: list[Audit] = []

    def tell(row: str, what: str) -> None:
        progress.update(task, description=escape(f"{row}: {what}"[:70].ljust(70)))

    interrupted = False
    with progress if console.is_terminal else nullcontext():
        try:
            for found in workers.results(AUDITING, rows, {"seed": seed}, tell):
                audits.append(found)
                progress.advance(task)
                if found.steps and not console.is_terminal:
                    console.print(_line(found), highlight=False, markup=False)
        except KeyboardInterrupt:
            interrupted = True
    for line in summary(audits, seed, time.monotonic() - started):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if any(each.false or each.problem for each in audits):
        return FELL
    return UNDECIDED if interrupted or any(each.undecided for each in audits) else 0


def _lost(row: str, seed: int, problem: str, news: News) -> Audit:
    return Audit(row, unjudged={} if problem else {row: OUT_OF_TIME}, problem=problem, seconds=news.seconds)


def _retried(found: Audit) -> None:
    found.problem = found.problem or "its process died, and did not when it was tried again"


AUDITING = Work("audit", lambda found: Audit(**found), _lost, _retried)


def _line(found: Audit) -> str:
    mark = "FAIL" if found.false or found.problem else "ok  "
    count = len(found.judged) + len(found.unjudged)
    return f"{mark} {found.row}: {len(found.judged)} of {count} facts judged, {found.seconds:.1f} s"
