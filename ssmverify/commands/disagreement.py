"""`ssmverify disagreement`: how often the arithmetics of one recurrence differ."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

UNDECIDED = 3


@click.command()
@click.option("--lengths", default="8,32,128", show_default=True, help="Steps, with commas between.")
@click.option("--bits", type=click.IntRange(2, 64), default=8, show_default=True, help="Fraction bits of the state.")
@click.option("--words", type=click.IntRange(1), default=100, show_default=True, help="Random words of each length.")
@click.option("--rounding", default="nearest-even", show_default=True, help="floor, half-away or toward-zero.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the words.")
@click.option("--json", "json_file", metavar="FILE", help="A line of JSON for each number; - prints it instead.")
def disagreement(lengths: str, bits: int, words: int, rounding: str, seed: int, json_file: str | None) -> None:
    """Compare the last state under each arithmetic with exact-then-cast, on the same random words.

    First one real fixed-point channel, gates in [3/4, 1), inputs in [-1, 1); then the complex channels of the catalogue
    whose rounded states follow S5. Of M5, which rounds at random, the share is the expected one; nothing overflows, so
    M3 is M2. What is printed is observed, not stated: the theorems about the convolutional form are about
    exact-then-cast, and scans and recurrences are other functions. Exit status 3 if Ctrl-C ended it; the lengths that
    were done are printed.
    """
    from rich.console import Console

    from ssmverify.errors import BadInput
    from ssmverify.tracking.arithmetic.disagreement import disagreements, witness_disagreement
    from ssmverify.tracking.arithmetic.witnesses import SELECTIVE, SUBNORMAL, TIME_INVARIANT
    from ssmverify.tracking.automata.limits import Limits, breaking_off
    from ssmverify.tracking.lines import lines_of_json

    if not all(re.fullmatch(r"\s*0*[1-9]\d{0,5}\s*", length) for length in lengths.split(",")):
        raise BadInput(f"--lengths {lengths} must be numbers from 1 to 999999, with commas between, such as 8,32")
    steps = [int(length) for length in lengths.split(",")]
    out = sys.stderr if json_file == "-" else sys.stdout
    console = Console(file=out, width=None if out.isatty() else 120, highlight=False, markup=False)
    witnesses = (SELECTIVE, TIME_INVARIANT, SUBNORMAL)
    columns, shares, limits = [], [], Limits()
    status = Console(stderr=True).status("running; Ctrl-C prints what was done")
    with status, lines_of_json(json_file) as write, breaking_off(limits):
        for length in steps:
            if limits.stopped:
                break
            status.update(f"words of {length:,} steps; Ctrl-C prints what was done")
            columns.append(disagreements(length, bits=bits, words=words, rounding=rounding, seed=seed))
            shares.append([witness_disagreement(w, length, words=words, seed=seed) for w in witnesses])
            for d in columns[-1]:
                share, largest = float(d.share), float(d.largest)
                write({"channel": "real", "steps": length, "arithmetic": d.arithmetic, "share": share, "ulps": largest})
            for w, part in zip(witnesses, shares[-1], strict=True):
                write({"channel": w.name, "steps": length, "arithmetic": "M2", "share": float(part)})
    done, steps = steps, steps[: len(columns)]
    if not columns:
        raise click.exceptions.Exit(UNDECIDED)
    rows = zip(*columns, strict=True)
    real = [
        [row[0].arithmetic, *(f"{float(d.share):.0%}, at most {float(d.largest):g} ulp" for d in row)] for row in rows
    ]
    console.print(_table(f"real, {bits} bits, {rounding}", steps, real))
    by_witness = zip(witnesses, zip(*shares, strict=True), strict=True)
    complex_ = [[w.name, *(f"{float(share):.0%}" for share in row)] for w, row in by_witness]
    console.print(_table("complex, M2", steps, complex_))
    console.print(f"how many of {words} words end in another state than by exact-then-cast (M1); seed {seed}")
    if len(steps) < len(done):
        console.print(f"Ctrl-C: {len(done) - len(steps)} of {len(done)} lengths were not run")
        raise click.exceptions.Exit(UNDECIDED)


def _table(head: str, steps: Sequence[int], rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table

    table = Table(head, *(f"{length} steps" for length in steps), box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    return table
