"""Rounded layers whose states compose like a group that their gates alone would not let them track.

Each is a layer together with a set of states and words that permute the set. Derived here; no paper that was read has
them. They need rounding after every step: over the rationals one diagonal channel only ever scales and shifts.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce

from ssmverify.tracking.arithmetic.evaluators import Step, exact, once, unfused
from ssmverify.tracking.arithmetic.numbers import FLOAT32, Cast, Fixed, Format, Gaussian, gaussian
from ssmverify.tracking.arithmetic.states import channel, enumerate_states
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import Permutation, closure

SQUARE = Fixed(-1, 1)  # three values: a complex state rounded to it is one of nine


def square(cast: Fixed = SQUARE) -> list[Gaussian]:
    """The complex numbers both of whose parts are of the cast's numbers."""
    return [Gaussian(x, y) for x, y in itertools.product(cast, cast)]


@dataclass(frozen=True)
class Witness:
    """A complex channel: letters (a, b), the states it starts from, its arithmetic; and words that permute `places`."""

    name: str
    letters: Mapping[str, tuple[Gaussian, Gaussian]]
    starts: Sequence[Gaussian]
    places: Sequence[Gaussian]
    words: Sequence[str]
    cast: Format = SQUARE
    step: Step = once
    unit: Fraction = Fraction(1)  # in which states are shown

    def show(self, state: Gaussian) -> str:
        """The state in its unit, such as 2+3i."""
        return str(Gaussian(state.re / self.unit, state.im / self.unit))

    def automaton(self) -> tuple[Automaton, list[Gaussian]]:
        return channel(self.letters, self.starts, self.cast, self.step, self.name)

    def ends(self, word: str) -> list[Gaussian]:
        """Where the word leads from each of the places."""
        letters = [self.letters[letter] for letter in word]
        return [reduce(lambda h, ab: self.step(ab[0], h, ab[1], self.cast), letters, place) for place in self.places]

    @cached_property
    def generators(self) -> list[Permutation]:
        """What the words do to the places; empty where one does not permute them, or a place is not reached."""
        ends = [self.ends(word) for word in self.words]
        if any(set(end) != set(self.places) for end in ends) or not set(self.places) <= set(self.automaton()[1]):
            return []
        return [tuple(self.places.index(z) for z in end) for end in ends]

    @cached_property
    def group(self) -> set[Permutation]:
        """All products of the generators; empty where there are none."""
        return closure(self.generators, 1000, self.name) if self.generators else set()

    def margin(self, letter: str, state: Gaussian) -> Fraction:
        """How near the parts of a h + b come to a tie between two integers."""
        a, b = self.letters[letter]
        end = exact([a], [b], state)[0]
        return min(abs(part % 1 - Fraction(1, 2)) for part in (end.re, end.im))


def scaled(parts: Sequence[tuple[int, int]], unit: Fraction = Fraction(1)) -> list[Gaussian]:
    """The Gaussian numbers with these integer parts, times the unit."""
    return [Gaussian(x * unit, y * unit) for x, y in parts]


SELECTIVE = Witness(
    "two input-dependent letters on nine states",
    {
        "a": (gaussian("-1/5", "4/5"), gaussian(0, "-1/4")),
        "b": (gaussian("-4/5", "3/5"), gaussian("-1/4", "-3/4")),
    },
    square(),
    scaled([(-1, -1), (0, -1), (0, 0), (0, 1), (1, -1)]),
    ("b", "ababaaabababb"),
)

TIME_INVARIANT = Witness(
    "one gate and three inputs on nine states",
    {
        name: (gaussian("-7/8", "5/16"), b)
        for name, b in zip("abc", scaled([(1, -1), (-4, -1), (0, 1)], Fraction(1, 4)), strict=True)
    },
    square(),
    scaled([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0)]),
    ("cab", "caaacab"),
)

TINY = FLOAT32.smallest  # 2**-149
CONTRACTION = gaussian("1/2", "5/16")
SUBNORMAL = Witness(
    "one contraction and three inputs in float32",
    {name: (CONTRACTION, b) for name, b in zip("012", scaled([(2, 0), (1, 0), (1, 1)], TINY), strict=True)},
    [gaussian(0)],
    scaled([(0, 2), (0, 3), (1, 1), (2, 2), (3, 2)], TINY),
    ("020012", "0012020012"),
    FLOAT32,
    unfused,
    TINY,
)


# ----------------------------------------------------------------------- real 2 x 2 matrices with eigenvalues in [0, 1]
Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]


def affine(A: Matrix, h: Vector, b: Vector, cast: Cast) -> Vector:
    """A h + b, each entry exact and then rounded."""
    return tuple(
        cast(sum((x * y for x, y in zip(row, h, strict=True)), start)) for row, start in zip(A, b, strict=True)
    )


def householder(beta: Fraction, k: tuple[int, ...]) -> Matrix:
    """I - beta k k' / k'k."""
    norm = sum(x * x for x in k)
    return tuple(tuple(Fraction(int(i == j)) - beta * x * y / norm for j, y in enumerate(k)) for i, x in enumerate(k))


DELTA_RULE: dict[str, tuple[Matrix, Vector]] = {
    "a": (householder(Fraction(4, 5), (1, 2)), (Fraction(1, 4), Fraction(-3, 4))),
    "b": (householder(Fraction(9, 10), (1, -1)), (Fraction(-3, 4), Fraction(-1, 4))),
}


def matrices(letters: Mapping[str, tuple[Matrix, Vector]], cast: Fixed = SQUARE) -> tuple[Automaton, list[Vector]]:
    """The automaton of a two-dimensional real state, from every state of the grid."""
    grid = list(itertools.product(cast, cast))
    return enumerate_states(grid, letters, lambda h, letter: affine(letter[0], h, letter[1], cast), name="matrices")
