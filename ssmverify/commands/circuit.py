"""`ssmverify circuit`: builds the threshold circuits of constant depth, tries them, says how they grow."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from ssmverify.tracking.circuits.growth import Size

WRONG, UNDECIDED = 1, 3


@click.command()
@click.option("--n", "lengths", default="4..24", show_default=True, help="Numbers of tokens: 12, 4..24 or 4,8,16.")
@click.option("--bits", type=click.IntRange(1, 8), default=2, show_default=True, help="Fraction bits p.")
@click.option("--signed", is_flag=True, help="Decays and inputs with a sign.")
@click.option(
    "--method",
    type=click.Choice(["residues", "shallow", "counting"]),
    default="residues",
    show_default=True,
    help="Depth 6 with few wires, depth 4 with more, or depth 4 with p in the exponent.",
)
@click.option("--cast", type=click.Choice(["floor", "nearest-even"]), default="floor", show_default=True)
@click.option("--one-hot", is_flag=True, help="The letters arrive one-hot: one layer less.")
@click.option("--words", type=click.IntRange(0), default=20, show_default=True, help="Random words tried at each n.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the words.")
@click.option("--json", "json_file", metavar="FILE", help="A line of JSON for each circuit; - prints it instead.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the growth into this file.")
def circuit(
    lengths: str,
    bits: int,
    signed: bool,
    method: str,
    cast: str,
    one_hot: bool,
    words: int,
    seed: int,
    json_file: str | None,
    plot: Path | None,
) -> None:
    """Build the threshold circuit of a fixed-point diagonal model for each number of tokens, and say how it grows.

    The model has one channel, h_t = (alpha_t / 2^p) h_{t-1} + beta_t / 2^p; the circuit's output is h_n computed
    exactly and cast once to p bits.

    Exit status 1 if an output is wrong on one of the random words, 3 if Ctrl-C ended it before the last circuit; what
    was built is printed.
    """
    from rich.console import Console

    from ssmverify.tracking.automata.limits import Limits, breaking_off
    from ssmverify.tracking.circuits.growth import draw, sizes, slope
    from ssmverify.tracking.lines import lines_of_json

    asked = _lengths(lengths)
    if plot:
        from ssmverify.errors import BadInput
        from ssmverify.report.picture import require

        require(plot)
        if len(asked) < 3:
            raise BadInput("a plot needs three numbers of tokens or more, such as --n 4..24")
    how = {"signed": signed, "method": method, "cast": cast, "one_hot": one_hot, "words": words, "seed": seed}
    out = sys.stderr if json_file == "-" else sys.stdout
    console = Console(file=out, width=None if out.isatty() else 150, highlight=False, markup=False)
    found: list[Size] = []
    limits = Limits()
    status = Console(stderr=True).status("building; Ctrl-C prints what was built")
    with status, lines_of_json(json_file) as write, breaking_off(limits):
        for size in sizes(asked, bits, **how):  # type: ignore[arg-type]
            found.append(size)
            write({**how, "bits": bits, **size.__dict__})
            status.update(f"built n = {size.n}: {size.gates:,} gates")
            if limits.stopped:
                break
    asked = asked[: len(found)] if limits.interrupted else asked
    console.print(_table(found))
    wrong = sum(size.words - size.right for size in found)
    console.print(f"{wrong} wrong outputs on {sum(s.words for s in found)} random words (seed {seed}).")
    depths = sorted({size.depth for size in found})
    console.print(f"Depth {' and '.join(map(str, depths))} at every n." if len(depths) == 1 else f"Depths {depths}.")
    if len(found) >= 3:
        fit = slope(asked, [size.gates for size in found])
        console.print(
            f"From n = {asked[0]} to {asked[-1]} gates grow like n^{fit.slope:.2f}: 95 % interval of the fit "
            f"{fit.low:.2f} to {fit.high:.2f}; from one n to the next between n^{fit.least:.2f} and "
            f"n^{fit.largest:.2f}. It is a fit and no limit."
        )
        if plot:
            draw(found, fit, f"Threshold circuits of depth {max(depths)}, p = {bits}", plot)
            console.print(f"{plot} shows it.")
    if limits.interrupted:
        console.print("Ctrl-C: not all circuits were built.")
    raise click.exceptions.Exit(WRONG if wrong else UNDECIDED if limits.interrupted else 0)


def _lengths(text: str) -> list[int]:
    """The numbers in '12', '4..24' or '4,8,16', ascending."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,3})\s*(?:\.\.\s*(\d{1,3})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last:
            from ssmverify.errors import BadInput

            raise BadInput(f"--n {text} is no list of numbers of tokens: write 12, 4..24 or 4,8,16")
        found.update(range(first, last + 1))
    return sorted(found)


def _table(found: list[Size]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("n", "depth", "gates", "by layer", "wires", "weight bits", "seconds", "right"):
        table.add_column(head, justify="left" if head == "by layer" else "right", no_wrap=True)
    for size in found:
        table.add_row(
            str(size.n),
            str(size.depth),
            f"{size.gates:,}",
            " ".join(f"{gates:,}" for gates in size.layers),
            f"{size.wires:,}",
            str(size.weight_bits),
            f"{size.seconds:.2f}",
            f"{size.right}/{size.words}",
        )
    return table
