"""`ssmverify new`: a small theorem to begin with, which holds, and says what each of its parts is for."""

from __future__ import annotations

import re
from pathlib import Path

import click

THEOREM = '''"""Two inputs at once: a leaky state that is fed a sum is the sum of the states that are fed its parts.

Check it:   ssmverify check {file}
As tests:   pytest {file}
Read it:    ssmverify show {file}
Then break it, say a sign in the claim, and read what the check says.
"""
{torch}
from proofs.derivation import proves
from proofs.kernel import Fact, assume, induction, specialise
from proofs.tactics.equations import equal
from proofs.terms import Eq, for_all, scalar, sequence, size
from ssmverify import {names}
from ssmverify.breaks import rhs

# What the claim speaks of: a length, a number, and sequences of numbers. `vector` and `matrix` take sizes as well.
t, a = size("t"), scalar("a")
x, y = sequence("x"), sequence("y")  # the inputs
h, g, s = sequence("h"), sequence("g"), sequence("s")  # the states

# The hypotheses, by names: how each state is computed, and where the last one begins.
recurrences = {{
    "h": for_all(t, Eq(h(t + 1), a * h(t) + x(t + 1))),
    "g": for_all(t, Eq(g(t + 1), a * g(t) + y(t + 1))),
    "s": for_all(t, Eq(s(t + 1), a * s(t) + x(t + 1) + y(t + 1))),
}}
start = Eq(s(0), h(0) + g(0))


def claim(t):
    return Eq(s(t), h(t) + g(t))


# The proof is a program. What it returns is a Fact, which only the rules of the kernel make; it must be the claim.
@proves(claim(t), {{**recurrences, "start": start}})
def superposition() -> Fact:
    """By induction on t: one more step multiplies all three states by a, and adds the inputs."""
    steps = [specialise(assume(each), t) for each in recurrences.values()]
    step = equal(claim(t + 1).lhs, claim(t + 1).rhs, *steps, assume(claim(t)))
    return induction(claim(t), t, assume(start), step)


# What you break on purpose: the check must find a point where it is wrong, or it fails. It breaks more by itself.
breaks = {{"the difference": rhs(h(t) - g(t))}}
{layer}'''
ALONE = """
row = Theorem(superposition, breaks=breaks)
"""
LAYER = """

# The layer, as you would run it. It is held to the recurrence of h: its arguments are called as there, h0 is h(0).
# The bound on its rounding errors is derived, in float32 and float64; each of its signs and terms is broken in turn.
def leaky(x, a, h0):  # x: (batch, time), h0: (batch,)
    states, h = [], h0
    for t in range(x.shape[1]):
        states.append(h := a * h + x[:, t])
    return torch.stack(states, 1)


row = Theorem(superposition, layers=[Computes(leaky, lambda t: h(t))], breaks=breaks)
"""


@click.command()
@click.argument("name")
@click.option("--layer", is_flag=True, help="With a layer in torch that is held to the claim's recurrence.")
def new(name: str, layer: bool) -> None:
    """Write theorem_NAME.py here: a small theorem that holds, to be made yours. No file is overwritten."""
    from ssmverify.errors import BadInput

    if not re.fullmatch("[a-z0-9_]+", name):
        raise BadInput(f"{name!r} is no name for a theorem: use small letters, digits and _.")
    file = Path(f"theorem_{name}.py")
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(content(file.name, layer))
    except FileExistsError:
        raise BadInput(f"there is a file {file} already: choose another name.") from None
    click.echo(f"{file} is written; check it with: ssmverify check {file}")


def content(file: str, layer: bool) -> str:
    """The text of a file of that name."""
    if layer:
        return THEOREM.format(file=file, torch="\nimport torch", names="Computes, Theorem", layer=LAYER)
    return THEOREM.format(file=file, torch="", names="Theorem", layer=ALONE)
