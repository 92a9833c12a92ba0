"""`ssmverify disagreement`: how often the arithmetics of one recurrence differ."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--lengths", default="8,32,128", show_default=True, help="Steps, with commas between.")
@click.option("--bits", type=click.IntRange(1, 64), default=8, show_default=True, help="Fraction bits of the state.")
@click.option("--words", type=click.IntRange(1), default=100, show_default=True, help="Random words of each length.")
@click.option("--rounding", default="nearest-even", show_default=True, help="floor, half-away or toward-zero.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the words.")
def disagreement(lengths: str, bits: int, words: int, rounding: str, seed: int) -> None:
    """Compare the last state under each arithmetic with exact-then-cast, on the same random words.

    One real fixed-point channel, gates in [3/4, 1), inputs in [-1, 1). What is printed is observed, not stated: the
    theorems about the convolutional form are about exact-then-cast, and scans and recurrences are other functions.
    """
    from rich.console import Console
    from rich.table import Table

    from ssmverify.theorem import BadInput
    from ssmverify.tracking.arithmetic.disagreement import disagreements

    steps = lengths.split(",")
    if not all(length.strip().isdecimal() and int(length) > 0 for length in steps):
        raise BadInput(f"--lengths {lengths!r} must be numbers from 1 on, with commas between, such as 8,32")
    table = Table("arithmetic", *(f"{length.strip()} steps" for length in steps), box=None, header_style="bold")
    columns = [disagreements(int(length), bits=bits, words=words, rounding=rounding, seed=seed) for length in steps]
    for row in zip(*columns, strict=True):
        cells = (f"{float(d.share):.0%}, at most {float(d.largest):g} ulp" for d in row)
        table.add_row(row[0].arithmetic, *cells)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False)
    console.print(table)
    console.print(f"share of {words} words on which the last state is not M1's; {bits} bits, {rounding}, seed {seed}")
