"""`ssmverify bound`: how far a program's floats may be from the truth, and how far they are found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from ssmverify.bounds.search import Found

EXCEEDED = 1


@click.command()
@click.argument("target", metavar="FILE.py:FUNCTION")
@click.option("--inputs", "inputs_file", type=click.Path(path_type=Path), help="Tensors, by torch.save or numpy.savez.")
@click.option("--shapes", metavar='"x:2,T,16 w:16,4"', help="Search inputs of these shapes; T is a size to be given.")
@click.option("--over", metavar="T=8..256", help="Sizes of a name in --shapes, doubling: a line for each.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="Of the inputs that are searched.",
)
@click.option(
    "--against",
    type=click.Choice(["exact", "float64"]),
    default="exact",
    show_default=True,
    help="What the error is measured from: the exact result, or the same function of float64 inputs.",
)
@click.option("--examples", type=click.IntRange(1), default=50, show_default=True, help="Inputs tried for each size.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the search.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw bound and error over the sizes here.")
def bound(
    target: str,
    inputs_file: Path | None,
    shapes: str | None,
    over: str | None,
    dtype: str,
    against: str,
    examples: int,
    seed: int,
    plot: Path | None,
) -> None:
    """Bound the rounding error of any torch program, and search for the input that comes nearest to it.

    FUNCTION is a function of tensors, a torch module, or its class. The bound is proved for every order of summation,
    with products fused or not, on the assumptions that are printed. Exit status 1 if an error exceeds its bound.
    """
    from rich.console import Console

    from ssmverify.bounds.model import Refused
    from ssmverify.errors import BadInput

    if (inputs_file is None) == (shapes is None):
        raise BadInput('give either --inputs FILE or --shapes "x:2,T,16"')
    if plot is not None:
        from ssmverify.report.picture import require

        if over is None:
            raise BadInput("--plot draws over sizes: give --over, such as T=8..256")
        require(plot)
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        found = _search(target, inputs_file, shapes, over, dtype, against, examples, seed, console)
    except Refused as error:
        raise BadInput(f"{target}: {error}") from error
    _show(console, found[-1][1], against)
    if plot is not None:
        _draw([(size, f) for size, f in found if size is not None], over or "", plot, target)
        console.print(f"drawn to {plot}", highlight=False)
    raise click.exceptions.Exit(EXCEEDED if any(f.ratio > 1 for _, f in found) else 0)


def _search(
    target: str,
    inputs_file: Path | None,
    shapes: str | None,
    over: str | None,
    dtype: str,
    against: str,
    examples: int,
    seed: int,
    console: Console,
) -> list[tuple[int | None, Found]]:
    """The worst of each size, or of the inputs given; a line each as it is found."""
    import torch

    from ssmverify.bounds.search import judged, load_inputs, parse_range, parse_shapes, sized, worst_input

    fn = _load(target)
    if inputs_file is not None:
        return [(None, judged(fn, load_inputs(inputs_file), against))]
    given, (name, sizes) = parse_shapes(shapes or ""), parse_range(over) if over else ("", [None])
    how: dict[str, Any] = {"examples": examples, "seed": seed, "against": against}
    found: list[tuple[int | None, Found]] = []
    for size in sizes:
        filled = sized(given, {} if size is None else {name: size})
        found.append((size, worst_input(fn, filled, getattr(torch, dtype), **how)))
        if size is not None:
            f = found[-1][1]
            console.print(
                f"{name} = {size:<5}bound {f.relative_bound:.2e}, error {f.relative_error:.2e} of the largest output; "
                f"worst error/bound {f.ratio:.3f}, {f.tried} inputs",
                highlight=False,
            )
    return found


def _load(target: str) -> Any:
    from ssmverify.bounds.search import program
    from ssmverify.errors import BadInput
    from ssmverify.loading import load_file

    file, colon, name = target.rpartition(":")
    if not colon:
        raise BadInput(f"{target!r} names no function: write FILE.py:FUNCTION")
    module = load_file(Path(file))
    if not hasattr(module, name):
        raise BadInput(f"{file} has no {name}: it has {', '.join(x for x in vars(module) if not x.startswith('_'))}")
    return program(getattr(module, name))


def _show(console: Console, f: Found, against: str) -> None:
    """The worst input's error, what its bound is made of, and what that rests on."""
    import torch
    from rich.table import Table

    from ssmverify.bounds.within import short

    place = tuple(int(i) for i in torch.unravel_index(torch.tensor(f.comparison.at), f.comparison.ratio.shape))
    unbounded = f.comparison.unbounded
    lines = [
        f"worst entry  output {f.output}, {place}" + (f", of {f.tried} inputs tried" if f.tried > 1 else ""),
        f"computed     {f.at_worst(f.comparison.actual)!r}",
        f"{against:12} {f.at_worst(f.comparison.exact)!r} ± {f.at_worst(f.comparison.slack):.1e}",
        f"error        {f.error:.3e}",
        f"bound        {f.bound:.3e}   error/bound {f.ratio:.3f}",
    ]
    if unbounded:
        lines.append(f"no bound     for {unbounded} of {f.comparison.bound.numel()} entries: an overflow is possible")
    if f.undecided:
        lines.append(f"not judged   {f.undecided} inputs, at which a comparison may come out either way")
    for text in lines:
        console.print(text, highlight=False, markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold", title="what the bound is due to", title_justify="left")
    for heading in ("share", "operation", "where", "calls"):
        table.add_column(heading, justify="right" if heading in ("share", "calls") else "left")
    for c in f.bounds.contributions((f.output, f.comparison.at))[:12]:
        table.add_row(f"{c.share:.1%}", c.operation, short(c.where), f"{c.calls:,}")
    console.print(table)
    console.print("assumed: " + "; ".join(f.bounds.assumed), highlight=False, markup=False)


def _draw(found: list[tuple[int, Found]], over: str, file: Path, target: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    sizes = [size for size, _ in found]
    axes.plot(sizes, [f.relative_bound for _, f in found], "o-", label="proven bound")
    axes.plot(sizes, [f.relative_error for _, f in found], "s--", label="error found")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=over.partition("=")[0],
        ylabel="largest, relative to the largest output",
        title=target,
    )
    axes.set_xticks(sizes, [str(s) for s in sizes])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=150)
