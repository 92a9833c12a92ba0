"""Constructed models: positive controls, exact for words of every length.

A row's cases are every letter in every state, exactly, which by `tracking.simulation` decides every word; and all short
words through the torch layers, in float32 and float64. Its samples are long random words in torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from flint import arb, fmpq
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from torch import Tensor

from proofs.kernel import Table
from proofs.recurrence import run
from proofs.terms import Eq, Le, term
from proofs.tracking import models as proved
from ssmverify.rows import Broken, Decide, Finite, Source, Theorem
from ssmverify.strategies import columns, matrices, points, rationals, tables, zeros
from ssmverify.tracking.automata import named
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.models import constructions
from ssmverify.tracking.models.models import Model
from ssmverify.tracking.models.solvable import solvable

ILLUSION = "The Illusion of State in State-Space Models"
GRAZZI = "Unlocking state-tracking in linear RNNs through negative eigenvalues"
DTYPES = (torch.float32, torch.float64)
SHORT = 4096  # words at most in the exhaustive part of a row, for each precision
BATCH = 2  # words in a sample


class Step(NamedTuple):
    """One letter in one state, exactly."""

    letter: int
    state: int


class Words(NamedTuple):
    """Some words (B, T), in torch."""

    words: Tensor
    dtype: torch.dtype


def cases(automaton: Automaton) -> Iterator[Step | Words]:
    """Every letter in every state; then all words of the greatest length at which there are not too many."""
    letters = len(automaton.letters)
    yield from (Step(letter, state) for letter in range(letters) for state in range(automaton.states))
    yield from (Words(all_words(letters), dtype) for dtype in DTYPES)


def all_words(letters: int, limit: int = SHORT) -> Tensor:
    """All words of one length, which have all shorter ones as their beginnings: (letters^T, T)."""
    length = 1
    while letters ** (length + 1) <= limit and length < 12:
        length += 1
    return torch.tensor(list(product(range(letters), repeat=length)))


def long_words(letters: int, longest: int = 128) -> SearchStrategy[Words]:
    """Random words from a drawn seed."""

    def sample(seed: int, length: int, dtype: torch.dtype) -> Words:
        return Words(torch.from_numpy(np.random.default_rng(seed).integers(letters, size=(BATCH, length))), dtype)

    return st.builds(sample, st.integers(0, 2**32 - 1), st.integers(1, longest), st.sampled_from(DTYPES))


def states(automaton: Automaton, words: Tensor) -> Tensor:
    """What the automaton's table says after each letter: (B, T)."""
    delta = torch.tensor(automaton.delta)
    held, found = torch.full((len(words),), automaton.start), []
    for letter in words.unbind(1):
        held = delta[letter, held]
        found.append(held)
    return torch.stack(found, dim=1)


def first_difference(automaton: Automaton, words: Tensor, found: Tensor) -> str:
    """Empty if the states found are the automaton's; else the first that is not."""
    wanted = states(automaton, words)
    if torch.equal(found, wanted):
        return ""
    word, time = (int(i) for i in (found != wanted).nonzero()[0])
    spelt = automaton.spell(words[word, : time + 1].tolist())
    after = spelt if len(spelt) < 80 else f"{time + 1} letters"
    return f"after {after}: state {int(found[word, time])}, not {int(wanted[word, time])}"


def tracks(model: Callable[[], Model], automaton: Automaton | None = None) -> Decide:
    """Decides whether the model does as the automaton does: its own, or another."""

    def decide(case: Step | Words) -> str:
        tracked = automaton or model().automaton
        if isinstance(case, Step):
            return replace(model(), automaton=tracked).wrong_step(case.letter, case.state)
        return first_difference(tracked, case.words, model().run(case.words, case.dtype))

    return decide


def members(case: Step | Words) -> Iterable[Any]:
    return (case,) if isinstance(case, Step) else (word.tobytes() for word in case.words.numpy())


def other_order(model: Callable[[], Model], group: str) -> Broken:
    """The word problem with each new element on the right."""

    @cache
    def swapped() -> Decide:
        G, automaton = named.group(group), model().automaton
        letters = [G.names.index(name) for name in automaton.letters]
        return tracks(model, replace(automaton, delta=tuple(tuple(G.table[:, g].tolist()) for g in letters)))

    return Broken("each new element multiplied on the right", lambda case: swapped()(case))


def floats_moved(model: Callable[[], Model]) -> Broken:
    """The exact weights right, and one of the floats that the torch layers get moved, up or down."""

    @cache
    def both() -> list[Decide]:
        up, down = (model().perturbed(by) for by in (Fraction(3, 2), Fraction(-3, 2)))
        return [tracks(lambda: up), tracks(lambda: down)]

    def decide(case: Step | Words) -> str:
        return "" if isinstance(case, Step) else next(filter(None, (wrong(case) for wrong in both())), "")

    return Broken("one float weight moved by 3/2, up or down", decide)


def row(name: str, says: str, model: Callable[[], Model], number: int, source: Source, *others: Broken) -> Finite:
    """The row of a constructed model; its mutants are those given, and one weight moved, exact and in floats."""
    moved = Broken("one weight moved by 1/100", tracks(cache(lambda: model().perturbed())))
    return Finite(
        name=f"tracking.{name}",
        says=f"{says} Exactly, over words of every length (tracking.simulation): the cases are each letter in each "
        f"state, and in torch all words of the greatest length of which there are at most {SHORT:,}; longer ones are "
        "sampled there.",
        decide=tracks(model),
        mutants=(moved, floats_moved(model), *others),
        cases=lambda: cases(model().automaton),
        samples=lambda: long_words(len(model().automaton.letters)),
        source=source,
        number=number,
        members=members,
    )


# ------------------------------------------------------------------------------------ one letter, and every word
@st.composite
def runs(draw: st.DrawFn) -> Mapping[str, Any]:
    """A recurrence as long as the transitions are not zero; h and v are its states."""
    n, T = draw(st.integers(1, 2)), draw(st.integers(0, 3))
    times = range(1, T + 3)
    A, b = draw(tables(times, matrices(n, n), zeros(n, n))), draw(tables(times, columns(n), zeros(n, 1)))
    start = draw(columns(n))
    states = run([A[(i,)] for i in times], [b[(i,)] for i in times], start)
    held = Table({(i,): state for i, state in enumerate([start, *states])}, zeros(n, 1))
    return {"n": n, "T": T, "A": A, "b": b, "h": held, "v": held}


simulation = Theorem(
    proved.simulation,
    instances=runs,
    breaks={"the code a letter late": Eq(proved.h(proved.T + 1), proved.v(proved.T))},
    says="What each letter does to the code of a state, a word does: at all times h_t is the code of the automaton's "
    "state.",
    source=Source("stated here, for the constructions below"),
)


def leaks() -> SearchStrategy[Mapping[str, Any]]:
    return points(ε=rationals(-3, 1), T=st.integers(0, 4))


leaky_gate_keeps = Theorem(
    proved.leaky_gate_keeps,
    instances=leaks,
    breaks={"kept without loss": Le(term(1), proved.memory(proved.T))},
    says="A memory behind a gate 1 - ε keeps at least 1 - T ε of what was written: with ε = 2^-k, read at the "
    "threshold 1/2, a bit is safe before step 2^(k-1).",
    source=Source("stated here"),
)

leaky_gate_loses = Theorem(
    proved.leaky_gate_loses,
    instances=leaks,
    breaks={"lost at once": Le(2 * proved.memory(proved.T), term(1))},
    says="It keeps at most 1/(1 + T ε): with ε = 2^-k the bit is lost after 2^k steps.",
    source=Source("stated here"),
)


def horizon_of_gate(k: int, lacking: int | None = None) -> str:
    """Whether (1 - 2^-k)^t > 1/2 ends where 2^k ln 2 says."""
    gate = 1 - fmpq(1, 2 ** (k if lacking is None else lacking))
    kept, steps = gate, 0
    while kept > fmpq(1, 2):
        kept, steps = kept * gate, steps + 1
    law = 2**k * arb(2).log()
    right = law - arb(1.5) < steps < law
    return "" if right else f"k = {k}: right for {steps} steps, while 2^k ln 2 is {law.str(6, radius=False)}"


flip_flop_horizon = Finite(
    name="tracking.flip_flop_horizon",
    says="A bit behind a gate 1 - 2^-k, read at the threshold 1/2, is right for more than 2^k ln 2 - 3/2 and fewer "
    "than 2^k ln 2 steps, for k = 1, ..., 10, exactly.",
    decide=horizon_of_gate,
    mutants=(Broken("a gate that lacks half as much", lambda k: horizon_of_gate(k, k + 1)),),
    cases=lambda: range(1, 11),
    number=10,
    source=Source("stated here"),
)

# ------------------------------------------------------------------------------------------------------ the models
S5 = "S5"


@cache
def parity() -> Model:
    return constructions.parity()


@cache
def rotation() -> Model:
    return constructions.rotation(60)


@cache
def remainders() -> Model:
    return constructions.channels((4, 3, 5))


@cache
def not_coprime() -> Model:
    return constructions.channels((2, 30))


@cache
def flip_flop() -> Model:
    return constructions.flip_flop()


@cache
def reflections() -> Model:
    return constructions.cyclic_reflections(5)


@cache
def swaps() -> Model:
    group = named.group(S5)
    one = [g for g, p in enumerate(group.permutations) if len(constructions.transpositions(tuple(map(int, p)))) == 1]
    return constructions.permutations(group, one)


@cache
def four_householders() -> Model:
    return constructions.permutations(named.group(S5), range(120))


@cache
def cascade(name: str) -> Model:
    return solvable(named.group(name))


def without_last_layer(name: str) -> Broken:
    @cache
    def shorter() -> Model:
        model = cascade(name)
        return replace(model, layers=model.layers[:-1], codes=tuple(code[:-1] for code in model.codes))

    return Broken("without the last layer", tracks(shorter))


def by_layers(name: str, layers: str, number: int) -> Finite:
    """The row of a solvable group; the depth is the length of its derived series."""

    def model() -> Model:
        return cascade(name)

    says = f"{name} by {layers} complex-diagonal layers."
    broken = other_order(model, name), without_last_layer(name)
    return row(f"{name.lower()}_by_{layers}_layers", says, model, number, SERIES, *broken)


SERIES = Source("stated here; the depth is that of Shakerinava et al., Theorem 2", "2603.01959", read="its abstract")
parity_row = row(
    "parity",
    "Parity by one real channel with gates 1 and -1.",
    parity,
    8_196,
    Source(GRAZZI, "2411.12537v5", "after Theorem 1"),
    Broken(
        "a flip at 0, not at 1",
        lambda case: tracks(parity, replace(parity().automaton, delta=((1, 0), (0, 1))))(case),
    ),
)
flip_flop_row = row(
    "flip_flop",
    "One bit by a real channel with gates 0 and 1.",
    flip_flop,
    4_380,
    Source("Sarrof, Veitsman, Hahn", "2405.17394", read="its abstract"),
)
cyclic_rotation = row(
    "cyclic_rotation", "Addition modulo 60 by one complex channel.", rotation, 10_800, Source("stated here")
)
cyclic_remainders = row(
    "cyclic_remainders",
    "Addition modulo 60 by three complex channels, of orders 4, 3 and 5.",
    remainders,
    10_800,
    Source("stated here"),
    Broken("orders 2 and 30, which are not coprime", tracks(not_coprime)),
)
cyclic_reflections = row(
    "cyclic_reflections",
    "Addition modulo 5 by reflections only, in two layers.",
    reflections,
    6_300,
    Source(GRAZZI, "2411.12537v5", "Theorem 6"),
)
swaps_by_one_reflection = row(
    "swaps_by_one_reflection",
    "S5, its letters the ten swaps, by one Householder matrix for each letter.",
    swaps,
    3_200,
    Source(GRAZZI, "2411.12537v5", "Theorem 3"),
    other_order(swaps, S5),
)
s5_by_four_reflections = row(
    "s5_by_four_reflections",
    "S5, its letters all elements, by four Householder matrices for each letter.",
    four_householders,
    14_640,
    Source("DeltaProduct", "2502.10297v7", read="a summary of its theorem"),
    other_order(four_householders, S5),
)
a5_by_two_reflections = row(
    "a5_by_two_reflections",
    "A5 by two reflections in space for each letter: the rotations of the icosahedron, over Q(√5).",
    constructions.icosahedral,
    10_800,
    Source("DeltaProduct", "2502.10297v7", read="a summary of its theorem"),
)
S3 = by_layers("S3", "two", 2_628)
S4 = by_layers("S4", "three", 1_728)
A4xZ5 = by_layers("A4xZ5", "two", 10_800)
