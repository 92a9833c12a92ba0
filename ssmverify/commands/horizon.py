"""`ssmverify horizon`: how long a constructed model tracks in each float format."""

from __future__ import annotations

import math
import secrets
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ssmverify.tracking.models.models import Model


DEFAULT = ("parity", "Z3", "Z60", "Z4xZ3xZ5", "icosahedron", "cascade-S4")
LARGEST = 360  # of a modulus, or of a solvable group: roots of unity are exact numbers


@click.command()
@click.argument("names", nargs=-1, metavar="[parity|flip-flop|Z60|Z4xZ3xZ5|S5|icosahedron|cascade-S4|reflections-5]...")
@click.option("--steps", type=click.IntRange(1), default=10_000, show_default=True, help="Letters of each word.")
@click.option("--words", "many", type=click.IntRange(1), default=64, show_default=True, help="Random words.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Reproduce a run.")
def horizon(names: tuple[str, ...], steps: int, many: int, seed: int | None) -> None:
    """How long constructed models track when every operation is rounded, beside the steps that are proved sure.

    Z<m> turns one complex channel; Z4xZ3xZ5 and the like take a channel for each order; S<n> permutes by reflections,
    the icosahedron is A5. cascade-<G> takes complex-diagonal layers for a solvable group, as many as its derived series
    is long, and reflections-<m> two layers of reflections for Z<m>. Nothing here is asserted: it is measured, on words
    drawn at random.
    """
    import torch
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from ssmverify.experiments.horizon import FORMATS, Horizon
    from ssmverify.experiments.horizon import horizon as measure

    seed = secrets.randbits(32) if seed is None else seed
    models = [(name, _model(name)) for name in names or DEFAULT]
    found: list[tuple[str, Horizon]] = []
    console = Console(width=None if sys.stdout.isatty() else 120)
    runs = [(name, model, format) for name, model in models for format in FORMATS]
    for name, model, format in track(runs, "running", console=console, disable=not console.is_terminal):
        generator = torch.Generator().manual_seed(seed)
        letters = torch.randint(len(model.automaton.letters), (many, steps), generator=generator)
        found.append((name, measure(model, format, letters)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("model", "format", "proved sure", "first wrong", "words wrong", "largest entry"):
        table.add_column(heading, justify="left" if heading in ("model", "format") else "right")
    for name, h in found:
        sure = "-" if h.sure is None else "every" if h.sure == math.inf else f"{h.sure:,}"
        first = f"none in {h.steps:,}" if h.first_wrong is None else f"{h.first_wrong:,}"
        table.add_row(name, h.format, sure, first, f"{h.wrong_words} of {h.words}", f"{h.largest:.4g}")
    console.print(table)
    console.print(
        f"Letters drawn with seed {seed}; a word counts as wrong from its first wrong state on.", highlight=False
    )


def _model(name: str) -> Model:
    import re

    from ssmverify.errors import BadInput
    from ssmverify.tracking.automata import named
    from ssmverify.tracking.models import constructions
    from ssmverify.tracking.models.solvable import solvable

    if name == "parity":
        return constructions.parity()
    if name == "flip-flop":
        return constructions.flip_flop()
    if name == "icosahedron":
        return constructions.icosahedral()
    if re.fullmatch(r"S[2-6]", name):
        return constructions.permutations(named.group(name), named.group(name).generators)
    if name.startswith("cascade-"):
        group = named.group(name.removeprefix("cascade-"))
        if not 2 <= group.order <= LARGEST:
            raise BadInput(f"{name}: the group must have 2 to {LARGEST} elements, and has {group.order:,}")
        return solvable(group)
    if match := re.fullmatch(r"reflections-([1-9]\d?)", name):
        return constructions.cyclic_reflections(int(match[1]))
    if re.fullmatch(r"Z[1-9]\d{0,2}(xZ[1-9]\d{0,2})*", name):
        return constructions.channels(_orders(name))
    raise BadInput(
        f"no model is called {name}: there are parity, flip-flop, Z<m>, Z<m>xZ<n>, S2 to S6, icosahedron, "
        "cascade-<solvable group> and reflections-<m>"
    )


def _orders(name: str) -> list[int]:
    from ssmverify.errors import BadInput

    orders = [int(part.removeprefix("Z")) for part in name.split("x")]
    if math.lcm(*orders) != math.prod(orders):
        raise BadInput(f"{name}: channels add modulo the product of their orders only if these are coprime")
    if not 2 <= math.prod(orders) <= LARGEST:
        raise BadInput(f"{name}: the product of the orders must be 2 to {LARGEST}")
    return orders
