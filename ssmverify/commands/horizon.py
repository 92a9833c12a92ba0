"""`ssmverify horizon`: how long a constructed model tracks in each float format."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ssmverify.experiments.horizon import Horizon
    from ssmverify.tracking.models.models import Model


DEFAULT = ("parity", "Z3", "Z60", "Z4xZ3xZ5", "icosahedron", "cascade-S4")
LARGEST = 360  # of a modulus, or of a solvable group: roots of unity are exact numbers


@click.command()
@click.argument("names", nargs=-1, metavar="[parity|flip-flop|Z60|Z4xZ3xZ5|S5|icosahedron|cascade-S4|reflections-5]...")
@click.option("--steps", type=click.IntRange(1), default=10_000, show_default=True, help="Letters of each word.")
@click.option("--words", "many", type=click.IntRange(1), default=64, show_default=True, help="Random words.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Reproduce a run.")
@click.option("--budget", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Begin no run after this.")
@click.option("--json", "json_file", metavar="FILE", help="A line of JSON for each run; - prints it instead.")
def horizon(
    names: tuple[str, ...], steps: int, many: int, seed: int | None, budget: float | None, json_file: str | None
) -> None:
    """How long constructed models track when every operation is rounded, beside the steps that are proved sure.

    Z<m> turns one complex channel; Z4xZ3xZ5 and the like take a channel for each order; S<n> permutes by reflections,
    the icosahedron is A5. cascade-<G> takes complex-diagonal layers for a solvable group, as many as its derived series
    is long, and reflections-<m> two layers of reflections for Z<m>. Nothing here is asserted: it is measured, on words
    drawn at random. Each run is printed as it ends. Exit status 3 if --budget or Ctrl-C ended it before the last.
    """
    import torch

    from ssmverify.experiments.horizon import FORMATS
    from ssmverify.experiments.horizon import horizon as measure
    from ssmverify.tracking.automata.limits import Limits, breaking_off
    from ssmverify.tracking.lines import lines_of_json

    seed = secrets.randbits(32) if seed is None else seed
    models = [(name, _model(name)) for name in names or DEFAULT]
    runs = [(name, model, format) for name, model in models for format in FORMATS]
    limits, done = Limits(budget, f"--budget {budget}"), 0
    quiet = json_file == "-"
    if not quiet:
        click.echo(_line(*HEADINGS))
    with lines_of_json(json_file) as write, breaking_off(limits):
        for name, model, format in runs:
            if limits.stopped:
                break
            generator = torch.Generator().manual_seed(seed)
            letters = torch.randint(len(model.automaton.letters), (many, steps), generator=generator)
            h = measure(model, format, letters)
            write({"model": name, "seed": seed, **h.__dict__, "sure": "every" if h.sure == math.inf else h.sure})
            done += 1
            if not quiet:
                click.echo(_row(name, h))
    click.echo(f"Letters drawn with seed {seed}; a word counts as wrong from its first wrong state on.", err=quiet)
    if done < len(runs):
        click.echo(f"{limits.stopped}: {len(runs) - done} of {len(runs)} runs were not made", err=quiet)
        raise click.exceptions.Exit(UNDECIDED)


HEADINGS = ("model", "format", "proved sure", "first wrong", "words wrong", "largest entry")
UNDECIDED = 3


def _line(*parts: str) -> str:
    model, format, sure, *numbers = parts
    return f"{model:<14} {format:<9}{sure:>22}" + "".join(f" {number:>15}" for number in numbers)


def _row(name: str, h: Horizon) -> str:
    sure = "-" if h.sure is None else "every" if h.sure == math.inf else f"{h.sure:,}"
    first = f"none in {h.steps:,}" if h.first_wrong is None else f"{h.first_wrong:,}"
    return _line(name, h.format, sure, first, f"{h.wrong_words} of {h.words}", f"{h.largest:.4g}")


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
