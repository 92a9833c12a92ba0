"""`ssmverify check`: rows in processes of their own, a table, evidence, and an exit status."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ssmverify.commands.status import FELL, UNDECIDED, USAGE

if TYPE_CHECKING:
    from rich.console import Console

    from ssmverify.checking.processes import RowName
    from ssmverify.verdict import Verdict


class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A finite number of seconds above 0."""

    name = "seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = float("nan")
        if not 0 < seconds < float("inf"):
            self.fail(f"{value} is no number of seconds above 0", param, ctx)
        return seconds


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|FILE|PATTERN]...")
@click.option("--quick", is_flag=True, help="A quarter of the examples.")
@click.option(
    "--examples", type=click.IntRange(1), default=100, show_default=True, help="Inputs for each layer and dtype."
)
@click.option("--seed", type=int, help="Reproduce a run.")
@click.option("--budget", type=Seconds(), metavar="SECONDS", help="Stop after this, wherever it is.")
@click.option("--limit", type=Seconds(), metavar="SECONDS", help="Stop each theorem after this, wherever it is.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Append the evidence here.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a test case for each row here.")
@click.option("--failed", is_flag=True, help="Only rows that were not as they should be when last checked here.")
@click.option("--jobs", type=click.IntRange(1), help="Theorems checked at once: as many as there are cores.")
@click.option("--audit", is_flag=True, help="Judge every fact of every proof at exact points instead.")
def check(
    names: tuple[str, ...],
    quick: bool,
    examples: int,
    seed: int | None,
    budget: float | None,
    limit: float | None,
    json_file: Path | None,
    junit: Path | None,
    failed: bool,
    jobs: int | None,
    audit: bool,
) -> None:
    """Check theorems: proofs, exact instances, layers against their bounds, mutants.

    Exit status 0 if all is as it should be; 1 if something fell or a mutant survived; 2 for wrong usage, or if --json
    or --junit could not be written; 3 if time ran out or the run was interrupted.
    """
    from rich.console import Console

    from ssmverify.checking.processes import CHECKING, OutOfBudget, Workers, cores
    from ssmverify.errors import BadInput
    from ssmverify.report.terminal import Board

    if audit and junit:
        raise BadInput("--junit writes what a check found: leave it out, or --audit.")
    started = time.monotonic()
    console = Console(width=None if sys.stdout.isatty() else 240)
    how = {
        "examples": max(examples // 4, 1) if quick else examples,
        "seed": secrets.randbits(32) if seed is None else seed,
    }
    evidence = Evidence(json_file, junit)
    with Workers(names, jobs or cores(), budget, limit) as workers:
        try:
            rows = workers.rows()
        except OutOfBudget as reason:
            click.echo(f"ssmverify: {reason}; raise --budget.", err=True)
            raise click.exceptions.Exit(UNDECIDED) from None
        if failed:
            rows = _failed(rows)
        if audit:
            from ssmverify.report.audit import run

            raise click.exceptions.Exit(run(console, workers, rows, seed))
        interrupted = False
        with Board(console, [row.name for row in rows]) as board:
            try:
                for verdict in workers.results(CHECKING, rows, how, board.tell):
                    evidence.add(verdict)
                    board.add(verdict)
            except KeyboardInterrupt:
                interrupted = True
    seconds = time.monotonic() - started
    evidence.write_junit([row.name for row in rows], board.verdicts, how["seed"], seconds)
    _report(console, board.verdicts, len(rows), seconds, evidence)
    if interrupted:
        raise click.exceptions.Exit(UNDECIDED)
    raise click.exceptions.Exit(_status(board.verdicts, evidence))


def _failed(rows: Sequence[RowName]) -> list[RowName]:
    """The rows whose newest evidence is not green. Raises BadInput where there is none to choose by."""
    from ssmverify.errors import BadInput
    from ssmverify.evidence import STORE, newest

    known = newest()
    found = [row for row in rows if row.name in known and known[row.name].get("green") is not True]
    never = sum(row.name not in known for row in rows)
    if never == len(rows):
        raise BadInput(f"{STORE} has no evidence of these theorems: check them without --failed first.")
    unknown = f"; {never} never checked here: left out" if never else ""
    click.echo(f"{len(found)} of {len(rows)} theorems were not as they should be when last checked{unknown}.")
    return found


class Evidence:
    """Where verdicts are recorded: the store of this folder, and the files that --json and --junit name.

    What cannot be written costs no verdict.
    """

    def __init__(self, json_file: Path | None, junit: Path | None):
        from ssmverify.evidence import STORE

        self.asked, self.junit = (json_file, junit), junit
        self.files = list(dict.fromkeys(file for file in (STORE, json_file) if file))
        self.unwritten: dict[Path, str] = {}

    def add(self, verdict: Verdict) -> None:
        from ssmverify.evidence import append

        for file in self.files:
            if file not in self.unwritten:
                try:
                    append(verdict, file)
                except OSError as reason:
                    self.unwritten[file] = reason.strerror or str(reason)

    def write_junit(self, rows: Sequence[str], verdicts: Sequence[Verdict], seed: int, seconds: float) -> None:
        from ssmverify.report.junit import write

        if self.junit:
            try:
                write(self.junit, rows, verdicts, seed, seconds)
            except OSError as reason:
                self.unwritten[self.junit] = reason.strerror or str(reason)

    @property
    def lost(self) -> bool:
        """Whether a file that was asked for lacks something."""
        return any(file in self.unwritten for file in self.asked)


def _report(console: Console, found: Sequence[Verdict], rows: int, seconds: float, evidence: Evidence) -> None:
    from ssmverify.report.terminal import summary

    lines = summary(found, seconds)
    lines.extend(f"WARNING: {file} could not be written: {reason}." for file, reason in evidence.unwritten.items())
    if len(found) < rows:
        lines.append(f"interrupted: {rows - len(found)} of {rows} theorems were not reached.")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _status(verdicts: Sequence[Verdict], evidence: Evidence) -> int:
    if any(verdict.problems for verdict in verdicts):
        return FELL
    if any(verdict.undecided for verdict in verdicts):
        return UNDECIDED
    return USAGE if evidence.lost else 0
