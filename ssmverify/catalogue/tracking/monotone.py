"""Rows for steps that keep the order: claims from `proofs.tracking.monotone`, on channels rounded after every step.

The points are orbits with arbitrary slopes, and orbits of real channels as `ssmverify.tracking.arithmetic` rounds them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq
from hypothesis import strategies as st

from proofs.kernel import Table, rational
from proofs.terms import Eq, Le, product, term
from proofs.tracking import monotone as paper
from ssmverify.rows import Mutant, Source, Theorem
from ssmverify.strategies import columns, matrices, rationals
from ssmverify.tracking.arithmetic.numbers import ROUNDINGS, Fixed

OURS = Source(
    "The Illusion of State in State-Space Models",
    "2404.08819",
    "beside footnote 3",
    read="notes of the whole paper: its theorems are about the convolutional form; this one and its proof are ours",
)
Point = dict[str, Any]
Slopes = list[dict[tuple[int, int], fmpq]]  # for each half of a step, at (t, letter)


# ---------------------------------------------------------------------------------------------- exact instances
def orbit_point(gates: list[fmpq], slopes: Slopes, x: list[fmpq], y: fmpq, steps: int) -> Point:
    """All the families of an orbit that starts at x_0, x_1 (and y_0) and stands still after `steps` steps."""
    differences: list[dict[tuple[int, ...], fmpq]] = [{} for _ in slopes]
    halfway = [y]
    for t in range(steps + 1):
        change = x[t + 1] - x[t]
        for half, of in enumerate(differences):
            of[t, 0] = change
            for letter, gate in enumerate(gates, 1):
                change = slopes[half].get((t, letter), fmpq(0)) * gate * change
                of[t, letter] = change
            halfway += [halfway[-1] + change] if half == 0 else []
        x = [*x, x[-1] + change]
    families: list[tuple[str, Mapping[Any, fmpq], fmpq]] = [
        ("x", dict(enumerate(x)), x[-1]),
        ("y", dict(enumerate(halfway)), halfway[-1]),
        ("a", dict(enumerate(gates, 1)), fmpq(0)),
        *((name, of, fmpq(0)) for name, of in zip("de", differences, strict=False)),
        *((name, of, fmpq(0)) for name, of in zip("rq", slopes, strict=False)),
    ]
    tables = {
        name: Table({key if isinstance(key, tuple) else (key,): v for key, v in of.items()}, rest)
        for name, of, rest in families
    }
    return {"n": len(gates), **tables}


@st.composite
def arbitrary(draw: st.DrawFn, halves: int, returns: bool) -> Point:
    """Any slopes >= 0, for up to three steps."""
    n, steps = draw(st.integers(0 if returns else 1, 2)), draw(st.integers(1, 3))
    gates = draw(st.lists(rationals(0 if halves == 1 else -3, 3), min_size=n, max_size=n))
    places = [(t, letter) for t in range(steps) for letter in range(1, n + 1)]
    slope = st.one_of(rationals(1, 3), rationals(1, 3), rationals(0, 3))
    slopes = [{place: draw(slope) for place in places} for _ in range(halves)]
    start, first = draw(rationals()), fmpq(0) if returns else draw(rationals())
    return orbit_point(gates, slopes, [start, start + first], draw(rationals()), steps)


@st.composite
def rounded(draw: st.DrawFn, halves: int, returns: bool) -> Point:
    """A real channel on -1..1, saturating, under a word of one or two letters."""
    cast = Fixed(-1, 1, rounding=draw(st.sampled_from(list(ROUNDINGS))), flushes=draw(st.booleans()))
    gates = st.integers(0 if halves == 1 else -6, 6).map(lambda k: Fraction(k, 4))
    inputs = st.integers(-4, 4).map(lambda k: Fraction(k, 2))
    letters = draw(st.lists(st.tuples(gates, inputs), min_size=1, max_size=2))
    steps, h = 3, draw(st.sampled_from(list(cast)))  # three numbers, so three steps are enough to come to rest
    for a, b in letters * (2 * steps if returns else 0):
        h = cast(a * h + b)
    starts: list[Fraction] = []
    arguments: list[list[Fraction]] = []  # of the cast, in each pass
    for _ in range(halves * (steps + 1)):
        starts.append(h)
        arguments.append([])
        for a, b in letters:
            arguments[-1].append(a * h + b)
            h = cast(arguments[-1][-1])
    slopes: Slopes = [{} for _ in range(halves)]
    for t in range(steps):
        for half in range(halves):
            now = halves * t + half
            for letter, (z, later) in enumerate(zip(arguments[now], arguments[now + halves], strict=True), 1):
                slopes[half][t, letter] = fmpq(0) if z == later else rational((cast(later) - cast(z)) / (later - z))
    x = [rational(starts[0]), rational(starts[halves])]
    return orbit_point([rational(a) for a, _ in letters], slopes, x, rational(starts[1]), steps)


@st.composite
def orbits(draw: st.DrawFn, halves: int = 1, returns: bool = False) -> Point:
    """Either kind; p and T anywhere. With `returns` the orbit is one that returns, and so has stood still."""
    point = draw(st.one_of(*[arbitrary(halves, returns)] * 2, rounded(halves, returns)))
    if halves == 1:
        del point["y"]
    return {**point, "p": draw(st.integers(0, 3)), "T": draw(st.integers(0, 4))}


@st.composite
def energies(draw: st.DrawFn, returns: bool = False) -> Point:
    """States of which the argument of a rounding is B'B x + c, and a potential that meets its condition, mostly just.

    With `returns`, the states differ only where B does not see it: that is all the theorem leaves.
    """
    m, b = 2, draw(st.integers(1, 2))
    p, T = (draw(st.sampled_from([0, 0, 0, 1, 2])) for _ in "pT")
    B = draw(matrices(b, m))
    x = draw(st.lists(columns(m), min_size=T + p + 3, max_size=T + p + 3))
    if returns:
        B[:, 1] = fmpq(0)
        x = [np.array([x[0][0], later[1]]) for later in x]
        x[-2:] = [x[0], x[0]]
    slack = fmpq(0) if returns else draw(st.sampled_from([fmpq(0), fmpq(0), fmpq(1)]))
    phi = [draw(rationals(-9, 9))]
    for now, later in itertools.pairwise(x):
        phi.append(phi[-1] + (later.T @ B.T @ B @ (later - now))[0, 0] + slack)
    families = {"x": x, "φ": phi}
    tables = {name: Table({(t,): v for t, v in enumerate(of)}, of[-1]) for name, of in families.items()}
    return {"m": m, "b": b, "p": p, "T": T, "B": B, "c": draw(columns(m)), **tables}


# ------------------------------------------------------------------------------------------------- the theorems
unrounded = product(paper.s, 1, paper.n, paper.a(paper.s))
monotone = Theorem(
    paper.monotone_orbits,
    None,
    orbits,
    (
        Mutant(
            "the slope of the gates alone",
            claim=replace(paper.monotone_orbits.claim, conclusion=paper.displaced_by_words(unrounded)),
        ),
    ),
    OURS,
    "Gates >= 0, any monotone rounding: what T passes of a word do to a state is S_T / S_{p+1} times what p + 1 do, "
    "where the S are sums of products of the gates and of the rounding's slopes along the orbit.",
)
monotone_returns = Theorem(
    paper.monotone_orbits_that_return,
    None,
    lambda: orbits(returns=True),
    (
        Mutant(
            "the state is 0",
            claim=replace(paper.monotone_orbits_that_return.claim, conclusion=Eq(paper.x(paper.T), term(0))),
        ),
    ),
    OURS,
    "Real gates >= 0, any monotone rounding after every step: no word has a cycle of states but fixed points, so the "
    "monoid of a channel is aperiodic; so are products and cascades, and what they accept is star-free "
    "(Schützenberger, cited).",
    by_hand=(
        "A monotone rounding has slopes >= 0 between any two arguments.",
        "Each element of the transition monoid is the map of a word, so a monoid no orbit of which returns but a "
        "constant one has no group but the trivial one; nor have those of direct products and cascades.",
    ),
)
any_sign = Theorem(
    paper.monotone_orbits_any_sign,
    None,
    lambda: orbits(2),
    (
        Mutant(
            "one pass for two",
            claim=replace(
                paper.monotone_orbits_any_sign.claim, conclusion=paper.displaced_by_words(paper.word(paper.r, paper.n))
            ),
        ),
    ),
    OURS,
    "Gates of any sign: two passes of a word keep the order.",
)
any_sign_returns = Theorem(
    paper.monotone_orbits_any_sign_that_return,
    None,
    lambda: orbits(2, returns=True),
    (
        Mutant(
            "period 1",
            claim=replace(
                paper.monotone_orbits_any_sign_that_return.claim,
                conclusion=Eq(paper.y(paper.T) - paper.x(paper.T), term(0)),
            ),
        ),
    ),
    OURS,
    "Real gates of any sign, any monotone rounding after every step: cycles of states have one state or two, so groups "
    "in the monoid of a channel have exponent 2, and those of products and cascades are 2-groups: no counting "
    "mod 3.",
    by_hand=(
        "A monotone rounding has slopes >= 0 between any two arguments.",
        "Each element of the transition monoid is the map of a word, so a monoid whose orbits return after one or two "
        "passes has groups of exponent 2 only; direct products and cascades then have 2-groups only.",
    ),
)
semidefinite = Theorem(
    paper.semidefinite_orbits,
    None,
    energies,
    (
        Mutant(
            "the whole of ‖B (x' - x)‖²",
            claim=replace(
                paper.semidefinite_orbits.claim,
                conclusion=Le(paper.change, paper.energy(paper.T + 1 + paper.p) - paper.energy(0)),
            ),
        ),
    ),
    OURS,
    "x -> ρ(B'B x + c), rounded entry by entry on one input: each step adds to an energy half of ‖B (x' - x)‖².",
)
semidefinite_returns = Theorem(
    paper.semidefinite_orbits_that_return,
    None,
    lambda: energies(returns=True),
    (
        Mutant(
            "the state stands still, not only what B sees of it",
            claim=replace(
                paper.semidefinite_orbits_that_return.claim,
                conclusion=Le(paper.squared(paper.X(paper.T + 1) - paper.X(paper.T)), term(0)),
            ),
        ),
    ),
    OURS,
    "Symmetric transitions with eigenvalues >= 0, such as the delta rule's with β in [0, 1] and unit keys, each entry "
    "rounded once by a monotone rounding: on a constant input a state that returns never moved, so parity of 1^k stays "
    "out of reach of one layer.",
    by_hand=("‖v‖² <= 0 only if v = 0.", "A monotone rounding is the derivative of a convex function, its potential."),
)
