"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ssmverify.commands.bound import bound
from ssmverify.commands.check import check
from ssmverify.commands.circuit import circuit
from ssmverify.commands.classify import classify
from ssmverify.commands.disagreement import disagreement
from ssmverify.commands.horizon import horizon
from ssmverify.commands.new import new
from ssmverify.commands.search_rounding import search_rounding
from ssmverify.commands.status import FELL, UNDECIDED, USAGE
from ssmverify.commands.streams import tolerant
from ssmverify.commands.train import train


class Commands(click.Group):
    """Turns what the user gave wrongly into one sentence and exit status 2; `--traceback` shows where it came from.

    What is written where nobody reads is dropped: a closed pipe does not end a command.
    """

    def main(self, *arguments: Any, **options: Any) -> Any:
        with tolerant() as lost:
            try:
                return super().main(*arguments, **options)
            except SystemExit as end:
                if not end.code and lost():
                    raise SystemExit(USAGE) from None
                raise

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo("ssmverify: interrupted.", err=True)
            raise click.exceptions.Exit(UNDECIDED) from None
        except Exception as error:
            message = None if ctx.params.get("traceback") else _for_the_user(error)
            if message is None:
                raise
            click.echo(f"ssmverify: {message}", err=True)
            raise click.exceptions.Exit(USAGE) from error


def _for_the_user(error: Exception) -> str | None:
    """The sentence for an error that is the user's to mend; None for one that is ours."""
    if isinstance(error, ImportError):
        from ssmverify.doctor import foreign_packages

        return next(iter(foreign_packages()), None)
    from ssmverify.errors import BadInput

    return str(error) if isinstance(error, BadInput | OSError) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, help="Show where an error came from.")
@click.version_option(package_name="ssmverify")
def main(traceback: bool) -> None:
    """Prove theorems about state-space models, run them in torch, and try to tear the two apart."""


@main.command(name="list")
@click.argument("names", nargs=-1, metavar="[NAME|FILE|PATTERN]...")
def list_theorems(names: tuple[str, ...]) -> None:
    """List the theorems of the catalogue, or those named."""
    from ssmverify.checking.processes import Workers
    from ssmverify.errors import one_line

    with Workers(names, jobs=1) as workers:
        rows = workers.rows()
    width = max(len(row.name) for row in rows)
    for row in rows:
        click.echo(f"{row.name:{width}}  {one_line(str(row.source))}")


@main.command()
@click.argument("name")
@click.option("--plot", is_flag=False, flag_value="", metavar="[FILE]", help="Draw a paper's picture (NAME.png).")
def show(name: str, plot: str | None) -> None:
    """Show a theorem, or all of a paper: claim, source, what is so, derivation, layers, mutants, evidence.

    With --plot, `show hippo_prophecy` draws its errors and predictions instead, and compares them with persistence.
    """
    from ssmverify import evidence
    from ssmverify.catalogue import select
    from ssmverify.checking.processes import Workers
    from ssmverify.report import terminal

    if name.endswith(".py"):  # it may end the process that imports it, which is not to be this one
        with Workers([name], jobs=1) as workers:
            workers.rows()
    if plot is not None:
        click.echo("\n".join(_picture(name, Path(plot or f"{name}.png"))))
        return
    for theorem in select([name]):
        current = evidence.sources_hash(theorem)
        click.echo("\n".join(terminal.show(theorem, evidence.latest(theorem.name), current)))


def _picture(name: str, file: Path) -> list[str]:
    from ssmverify.errors import BadInput

    if name != "hippo_prophecy":
        raise BadInput(f"there is no picture of {name}; --plot goes with: ssmverify show hippo_prophecy.")
    from ssmverify.report.hippo import picture

    return picture(file)


@main.command()
@click.option("--ulps", is_flag=True, help="Measure the accuracy of exp, log, ... over every float32, in minutes each.")
@click.option("--every", type=click.IntRange(1), default=1, help="With --ulps: only each so manieth float32.")
def doctor(ulps: bool, every: int) -> None:
    """Say what this machine has: versions, backends, GPU, Rocq, a foreign package in the way."""
    from ssmverify.doctor import findings

    if ulps:
        from ssmverify.bounds.ulps import report

        raise click.exceptions.Exit(0 if report(every, click.echo) else FELL)

    for name, value in findings():
        click.echo(f"{name:16} {value}")


@main.command()
@click.argument("target", metavar="FILE:FUNCTION|MODULE:FUNCTION|NAME")
@click.option("--kind", help="scan (default), selective, delta or matrix.")
@click.option("--order", help="What the kernel declares: sequential, loop, tree or any (default).")
@click.option("--dtypes", help="What it claims, with commas between: float32,float64 by default.")
@click.option("--device", default="cpu", show_default=True, help="Where its inputs are put.")
@click.option("--case", "only", default="*", help="Only this case, or those that a pattern matches.")
@click.option("--quick", is_flag=True, help="Shorter inputs.")
@click.option("--thorough", is_flag=True, help="Also torch.compile, vmap and autocast.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the report here.")
@click.option("--skip", type=click.Path(path_type=Path, dir_okay=False), help="The kernel's known failures.")
def scan(
    target: str,
    kind: str | None,
    order: str | None,
    dtypes: str | None,
    device: str,
    only: str,
    quick: bool,
    thorough: bool,
    seed: int,
    json_file: Path | None,
    skip: Path | None,
) -> None:
    """Put a scan kernel through the conformance suite.

    It is called as (a, b, h0=None) with tensors of shape (batch, time, channel), unless --kind says otherwise. Built-in
    names: ours, ours:cpu, torch, jax, mambapy, accelerated-scan, torchlpc, scipy and more.

    Exit status 0 if nothing failed but what is known to, 1 if something did, 2 if the target cannot be loaded.
    """
    from rich.console import Console

    from ssmverify.conformance import conform, find, read_known_failures
    from ssmverify.conformance.running import plan
    from ssmverify.report.conformance import Progression, summary, table

    known = read_known_failures(skip) if skip else []
    found = find(target, kind=kind, order=order, dtypes=None if dtypes is None else dtypes.split(","), device=device)
    console = Console(width=None if sys.stdout.isatty() else 190)
    with Progression(console, len(plan(found, only, thorough))) as shown:
        how = {"seed": seed, "quick": quick, "thorough": thorough, "only": only, "known": known}
        report = conform(found, **how, tell=shown.tell, add=shown.add)  # type: ignore[arg-type]
    console.print(table(report))
    for line in summary(report):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if json_file:
        report.write(json_file)
    raise click.exceptions.Exit(FELL if report.failed else 0)


main.add_command(check)
main.add_command(bound)
main.add_command(circuit)
main.add_command(classify)
main.add_command(disagreement)
main.add_command(horizon)
main.add_command(new)
main.add_command(search_rounding)
main.add_command(train)
