"""Conformance results in the terminal: a line a case and a column a dtype, then every failure with its replay line."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ssmverify.conformance.outcome import FAILED, KNOWN, NOT_RUN, NOT_SUPPORTED, PASSED, Report, Result

COLOURS = {PASSED: "green", FAILED: "bold red", KNOWN: "yellow", NOT_SUPPORTED: "dim", NOT_RUN: "dim"}
SHOWN = 160  # characters of a failing input


class Progression:
    """Shows how far the suite is: a bar in a terminal, a line a result elsewhere."""

    def __init__(self, console: Console, total: int):
        self.console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self.task = self.progress.add_task("", total=total)

    def __enter__(self) -> Progression:
        if self.console.is_terminal:
            self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.progress.stop()

    def tell(self, what: str) -> None:
        """What is being done."""
        self.progress.update(self.task, description=escape(what[:44].ljust(44)))

    def add(self, result: Result) -> None:
        """One case is done."""
        self.progress.advance(self.task)
        if not self.console.is_terminal:
            text = f"{result.outcome:13} {result.case:36} {_ratio(result):>8}  {result.detail}"
            self.console.print(text.rstrip(), highlight=False, markup=False, soft_wrap=True)


def _ratio(result: Result) -> str:
    return "" if result.worst is None else f"{result.worst:.2g}"


def table(report: Report) -> Table:
    """A line a case, a column a dtype: the worst error in units of the bound, or what became of the case."""
    dtypes = list(dict.fromkeys(result.case.partition("/")[2] for result in report.results))
    found = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("case", *dtypes):
        found.add_column(heading, justify="left" if heading == "case" else "right", no_wrap=True)
    cells = {result.case: _cell(result) for result in report.results}
    for case in dict.fromkeys(result.case.partition("/")[0] for result in report.results):
        found.add_row(case, *(cells.get(f"{case}/{dtype}", "") for dtype in dtypes))
    return found


def _cell(result: Result) -> str:
    text = {PASSED: _ratio(result) or "ok", KNOWN: "known", NOT_SUPPORTED: "no", NOT_RUN: "not run"}
    return f"[{COLOURS[result.outcome]}]{text.get(result.outcome, result.outcome)}[/]"


def summary(report: Report) -> list[str]:
    """Failures with their smallest inputs and replay lines, what was not run, and the totals."""
    lines = []
    for result in report.failed:
        lines.append(f"{result.case} FAILED: {result.detail}")
        if result.smallest:
            lines.append(f"  at {result.smallest[:SHOWN]}{' ...' * (len(result.smallest) > SHOWN)}")
        lines += [f"  replay: {result.replay}", ""]
    lines += [f"{result.case} is a known failure: {result.detail}" for result in report.having(KNOWN)]
    for outcome in (NOT_SUPPORTED, NOT_RUN):
        lines += [f"{outcome}: {reason} ({cases})" for reason, cases in _grouped(report.having(outcome))]
    counts = {outcome: len(report.having(outcome)) for outcome in COLOURS}
    totals = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    worst = "" if report.worst is None else f"; worst error / bound {report.worst:.3g}"
    return [
        *lines,
        f"{report.target} ({report.kind}, order {report.order}): {totals}{worst}, in {report.seconds:.1f} s.",
    ]


def _grouped(results: Sequence[Result]) -> list[tuple[str, str]]:
    """Reasons, each with the cases that it holds for."""
    groups: dict[str, dict[str, None]] = {}
    for result in results:
        groups.setdefault(result.detail, {})[result.case.partition("/")[0]] = None
    return [(reason, ", ".join(cases)) for reason, cases in groups.items()]
