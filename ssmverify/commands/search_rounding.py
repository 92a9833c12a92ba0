"""`ssmverify search-rounding`: rounded complex channels that compose like a non-solvable group."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.progress import TaskID
    from rich.table import Table

    from ssmverify.tracking.arithmetic.search import Family, Rates


@click.command(name="search-rounding")
@click.option("--family", "names", multiple=True, help="Only this family (may be given again); all by default.")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=20, show_default=True, help="For all of it."
)
@click.option("--seed", type=click.IntRange(0), help="Draw the same channels again.")
@click.option("--json", "json_file", metavar="FILE", help="A line of JSON for each family; - prints it instead.")
@click.option("--replay", metavar="CHANNEL", help="No search: a channel, as a search prints it, and its certificate.")
def search_rounding(
    names: tuple[str, ...], seconds: float, seed: int | None, json_file: str | None, replay: str | None
) -> None:
    """Search for complex channels whose rounding after every step makes them compose like a non-solvable group.

    Prints for each family how often that was so, and the first such channel in a line that --replay takes. The rates
    are observations about the distribution drawn from. Exit status 0 whatever is found. The families:

    \b
    lti-3             one gate, three inputs, 3 x 3 states
    selective-3       three letters, each with its gate, 3 x 3 states
    selective-2       two letters, each with its gate, 3 x 3 states
    selective-2-wide  two letters, each with its gate, 5 x 5 states
    """
    from rich.console import Console

    from ssmverify.commands.classify import print_certificate
    from ssmverify.errors import BadInput
    from ssmverify.tracking.arithmetic.search import FAMILIES, parse
    from ssmverify.tracking.lines import lines_of_json

    if replay is not None:
        raise click.exceptions.Exit(print_certificate(parse(replay).automaton()))
    known = {family.name: family for family in FAMILIES}
    if unknown := set(names) - set(known):
        raise BadInput(f"there is no family {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    seed = secrets.randbits(32) if seed is None else seed
    found = _searched([known[name] for name in names or known], seconds, seed)
    with lines_of_json(json_file) as write:
        for rates in found:
            write({**_record(rates), "seed": seed})
    out = sys.stderr if json_file == "-" else sys.stdout
    console = Console(file=out, width=None if out.isatty() else 120, highlight=False, markup=False)
    console.print(_table(found))
    for rates in found:
        if rates.first:
            console.print(f"ssmverify search-rounding --replay '{rates.first}'", soft_wrap=True)
    console.print(f"seed {seed}; rates of these distributions, observed, on which nothing rests")


def _searched(families: Sequence[Family], seconds: float, seed: int) -> list[Rates]:
    """What was found in each family; an interrupt ends the search and keeps what there is."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from ssmverify.tracking.arithmetic.search import NON_SOLVABLE, Rates, search

    found: list[Rates] = []
    each = seconds / len(families)
    columns = (TextColumn("{task.description:18}"), BarColumn(), TextColumn("{task.fields[seen]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for family in families:
            task = progress.add_task(family.name, total=each, seen="")

            def tell(rates: Rates, task: TaskID = task) -> None:
                seen = f"{rates.kinds[NON_SOLVABLE]} in {rates.drawn:,}"
                progress.update(task, completed=rates.seconds, seen=seen)

            rates = Rates(family)
            found.append(rates)
            try:
                search(rates, each, seed, tell)
            except KeyboardInterrupt:
                break
    return found


def _record(rates: Rates) -> dict[str, Any]:
    first = None if rates.first is None else str(rates.first)
    return {"family": rates.family.name, "drawn": rates.drawn, **rates.kinds, "seconds": rates.seconds, "first": first}


def _table(found: Sequence[Rates]) -> Table:
    from rich.table import Table

    from ssmverify.tracking.arithmetic.search import KINDS

    table = Table("family", "drawn", *KINDS, box=None, header_style="bold")
    for rates in found:
        table.add_row(
            rates.family.name,
            f"{rates.drawn:,}",
            *(f"{rates.kinds[kind]:,} ({rates.kinds[kind] / max(rates.drawn, 1):.2%})" for kind in KINDS),
        )
    return table
