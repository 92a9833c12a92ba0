"""A seeded search for complex channels whose rounded states compose like a non-solvable group.

Gates are multiples of 1/16 in both parts, of modulus 1 at most; inputs are multiples of 1/4. The state is rounded to
the nearest Gaussian integer, ties to even, and clipped. Rates say how often a family of such channels gives what; they
are observations about these distributions, and no theorem is behind them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ssmverify.errors import BadInput
from ssmverify.tracking.arithmetic.numbers import Fixed, Gaussian
from ssmverify.tracking.arithmetic.states import channel
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group_witness import generated
from ssmverify.tracking.automata.image_sets import groups, image_sets

GATES, INPUTS = 16, 4  # denominators
LARGEST = 49  # part of a state that `parse` takes: 10,000 states
KINDS = TRIVIAL, SOLVABLE, NON_SOLVABLE = "no group", "solvable", "non-solvable"


@dataclass(frozen=True)
class Family:
    """Channels of one kind: how many letters, whether they share one gate, and the largest part of a state."""

    name: str
    letters: int
    time_invariant: bool
    largest: int


FAMILIES = (
    Family("lti-3", 3, True, 1),
    Family("selective-3", 3, False, 1),
    Family("selective-2", 2, False, 1),
    Family("selective-2-wide", 2, False, 2),
)

Parts = NDArray[np.int64]  # (batch, letters, 2): numerators of real and imaginary parts


def draw(family: Family, batch: int, generator: np.random.Generator) -> tuple[Parts, Parts]:
    """Gates and inputs of channels of the family: of twice as many as `batch`, those with gates in the unit disc."""
    gates = generator.integers(-GATES, GATES + 1, (batch * 2, 1 if family.time_invariant else family.letters, 2))
    gates = gates[((gates**2).sum(axis=2) <= GATES**2).all(axis=1)]
    inputs = generator.integers(-INPUTS, INPUTS + 1, (len(gates), family.letters, 2))
    return np.broadcast_to(gates, inputs.shape), inputs


def transitions(family: Family, gates: Parts, inputs: Parts) -> NDArray[np.int64]:
    """(batch, letters, states): floats hold multiples of 1/16 of this size exactly, and `rint` ties to even."""
    side = np.arange(-family.largest, family.largest + 1)
    x, y = (part.ravel() for part in np.meshgrid(side, side, indexing="ij"))
    (p, q), (r, s) = (np.moveaxis(parts, 2, 0)[..., None] for parts in (gates, inputs))
    re = (p * x - q * y) / GATES + r / INPUTS
    im = (p * y + q * x) / GATES + s / INPUTS
    rounded = (np.clip(np.rint(part), -family.largest, family.largest) for part in (re, im))
    u, v = (part.astype(np.int64) + family.largest for part in rounded)
    found: Parts = u * len(side) + v
    return found


def kind(automaton: Automaton) -> str:
    """What the groups are that its words generate on sets of states."""
    found = TRIVIAL
    for states, generators in groups(automaton, image_sets(automaton, 10**6)):
        found = SOLVABLE
        if len(states) >= 5 and not all(group.solvable for group in generated(states, generators)):
            return NON_SOLVABLE
    return found


@dataclass(frozen=True)
class Instance:
    """A channel: letters (a, b), and how large the parts of a state get."""

    letters: dict[str, tuple[Gaussian, Gaussian]]
    largest: int

    def automaton(self) -> Automaton:
        """From every state of the grid, in exact rationals."""
        cast = Fixed(-self.largest, self.largest)
        grid: list[Gaussian] = [Gaussian(x, y) for x in cast for y in cast]
        return channel(self.letters, grid, cast, name="rounded channel")[0]

    def __str__(self) -> str:
        """One line that `parse` reads."""
        letters = (f"{name}: {a}, {b}" for name, (a, b) in self.letters.items())
        return f"largest {self.largest}; {'; '.join(letters)}"


def parse(line: str) -> Instance:
    """The instance that a line of `Instance` means; raises BadInput if it means none."""
    try:
        largest, *letters = line.split(";")
        word, number = largest.split()
        if word != "largest" or not letters:
            raise ValueError(word)
        if not 0 <= int(number) <= LARGEST:
            raise BadInput(f"a channel's largest part of a state is from 0 to {LARGEST}, given {number}")
        pairs = (letter.split(":") for letter in letters)
        read = {name.strip(): tuple(map(_gaussian, pair.split(","))) for name, pair in pairs}
        if "" in read or len(read) < len(letters):
            raise ValueError(letters)
        return Instance({name: (a, b) for name, (a, b) in read.items()}, int(number))
    except (ValueError, ZeroDivisionError) as reason:
        example = "largest 1; a: -1/5+4/5i, 0-1/4i; b: -4/5+3/5i, -1/4-3/4i"
        raise BadInput(f"{line!r} is no channel; one is written {example!r}") from reason


def _gaussian(text: str) -> Gaussian:
    text = text.strip()
    middle = max(text.rfind("+"), text.rfind("-"))
    if middle < 1 or not text.endswith("i"):
        raise ValueError(text)
    return Gaussian(Fraction(text[:middle]), Fraction(text[middle:-1]))


@dataclass
class Rates:
    """What a search through one family has found."""

    family: Family
    kinds: Counter[str] = field(default_factory=Counter)
    first: Instance | None = None  # with a non-solvable group
    seconds: float = 0.0

    @property
    def drawn(self) -> int:
        return self.kinds.total()


def instances(family: Family, generator: np.random.Generator, batch: int = 64) -> Iterator[tuple[Automaton, Instance]]:
    """Random channels without end: the automaton by floats that hold everything exactly, and the channel."""
    names = tuple("abcdefgh"[: family.letters])
    while True:
        gates, inputs = draw(family, batch, generator)
        for rows, a, b in zip(transitions(family, gates, inputs), gates, inputs, strict=True):
            parts = [_over(GATES, a), _over(INPUTS, b)]
            letters = dict(zip(names, zip(*parts, strict=True), strict=True))
            yield Automaton(names, tuple(map(tuple, rows.tolist()))), Instance(letters, family.largest)


def _over(denominator: int, parts: Parts) -> list[Gaussian]:
    return [Gaussian(Fraction(x, denominator), Fraction(y, denominator)) for x, y in parts.tolist()]


def search(rates: Rates, seconds: float, seed: int, tell: Callable[[Rates], None] = lambda _: None) -> None:
    """Draw channels for so long; the same seed draws the same ones, as many as there is time for."""
    began = time.monotonic()
    for automaton, instance in instances(rates.family, np.random.default_rng(seed)):
        found = kind(automaton)
        rates.kinds[found] += 1
        if found == NON_SOLVABLE and rates.first is None:
            rates.first = instance
        rates.seconds = time.monotonic() - began
        if rates.drawn % 64 == 0:
            tell(rates)
        if not rates.seconds < seconds:  # NaN too
            return
