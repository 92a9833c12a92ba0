"""Rows for real channels rounded after every step, decided by going through whole monoids of small ones, exactly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from ssmverify.rows import Broken, Finite, Source
from ssmverify.tracking.arithmetic.chains import Chain, chain
from ssmverify.tracking.arithmetic.evaluators import unfused
from ssmverify.tracking.arithmetic.numbers import ROUNDINGS, Fixed
from ssmverify.tracking.arithmetic.witnesses import DELTA_RULE, SQUARE, Vector, affine

OURS = Source(
    "The Illusion of State in State-Space Models",
    "2404.08819",
    "beside footnote 3",
    read="notes of the whole paper; the statement is ours, and found here",
)
ONE = Fraction(1)


# ----------------------------------------------------------------------------------- real gates: whole monoids
class Size(NamedTuple):
    """A chain of nine numbers with all its letters, how many elements its monoid has, and its longest period."""

    chain: Chain
    elements: int
    period: int


def nonnegative() -> Iterator[Size]:
    for rounding, elements in {"floor": 1273, "nearest-even": 2508, "half-away": 17312, "toward-zero": 1233}.items():
        yield Size(chain(rounding), elements, 1)
    yield Size(chain("nearest-even", step=unfused), 1932, 1)
    yield Size(chain("nearest-even", flushes=True), 7733, 1)


def any_sign() -> Iterator[Size]:
    for rounding, elements in {"floor": 2551, "nearest-even": 5007, "half-away": 34615, "toward-zero": 2457}.items():
        yield Size(chain(rounding, any_sign=True), elements, 2)
    yield Size(chain("nearest-even", any_sign=True, step=unfused), 3855, 2)
    yield Size(chain("nearest-even", any_sign=True, flushes=True), 15457, 2)


def has_period(size: Size) -> str:
    """The longest period of an element, and how many there are."""
    found = size.chain.period(), len(size.chain.monoid)
    return (
        ""
        if found == (size.period, size.elements)
        else (f"{found[1]:,} elements with the longest period {found[0]}, not {size.elements:,} with {size.period}")
    )


def longest_period(size: Size) -> str:
    return "" if (found := size.chain.period()) <= size.period else f"an element has the period {found}"


def one_letter(a: Fraction, b: Fraction, **changes: bool) -> Callable[[Size], str]:
    """The decision about the monoid of one letter alone, with a change of the cast."""

    def decide(size: Size) -> str:
        cast = replace(size.chain.cast, **changes)  # type: ignore[arg-type]
        return longest_period(size._replace(chain=replace(size.chain, cast=cast, gates=(a,), inputs=(b,))))

    return decide


def elements(size: Size) -> Iterable[bytes]:
    return (element.tobytes() for element in size.chain.monoid.elements)


real_nonnegative = Finite(
    "tracking.rounded_gates_nonnegative",
    "The states -4..4, saturating, every gate in twelfths from 0 to 1 and every input in quarters from -4 to 4, "
    "rounded after every step in six ways: all elements of the whole monoid have period 1.",
    has_period,
    (
        Broken("wrap-around for saturation", one_letter(ONE, ONE, wraps=True)),
        Broken("a gate of -1", one_letter(-ONE, Fraction(0))),
        Broken("one element fewer", lambda size: has_period(size._replace(elements=size.elements - 1))),
    ),
    nonnegative,
    source=OURS,
    number=31_991,
    members=elements,
)
real_any_sign = Finite(
    "tracking.rounded_gates_any_sign",
    "The same with gates from -1 to 1: the longest period in the whole monoid is 2.",
    has_period,
    (
        Broken("wrap-around for saturation", one_letter(ONE, ONE, wraps=True)),
        Broken("period 1", lambda size: longest_period(size._replace(period=1))),
    ),
    any_sign,
    source=OURS,
    number=63_942,
    members=elements,
)


def rings() -> Iterator[Fixed]:
    """Two's complement of 2 to 6 bits, and the nine numbers of the chains above."""
    for rounding in ROUNDINGS:
        yield Fixed(-4, 4, rounding=rounding, wraps=True)
        for bits in range(2, 7):
            yield Fixed(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, rounding=rounding, wraps=True)


def counts(cast: Fixed) -> str:
    """h -> h + 1, from every number."""
    numbers = cast.high - cast.low + 1
    period = Chain(cast, (ONE,), (ONE,)).period()
    return "" if period == numbers else f"h -> h + 1 has the period {period} on {numbers} numbers"


wrapping = Finite(
    "tracking.wrapping_counts",
    "With wrap-around the gate 1 and the input 1 count modulo the number of states, on -4..4 and in two's complement "
    "of 2 to 6 bits, and there so modulo 2: a real gate >= 0 that has parity. Saturation keeps the order, wrapping "
    "does not.",
    counts,
    (Broken("saturation", lambda cast: counts(replace(cast, wraps=False))),),
    rings,
    source=OURS,
    number=532,
    members=lambda cast: range(cast.low, cast.high + 1),
)


# ------------------------------------------------------------------------------- the delta rule with β in [0, 1]
class Swap(NamedTuple):
    """k times the word aab, from one of two states."""

    times: int
    start: Vector


def swap_cases() -> Iterator[Swap]:
    for times, start in itertools.product(range(1, 9), ((-ONE, -ONE), (-ONE, Fraction(0)))):
        yield Swap(times, start)


def swaps(cast: Fixed | None = SQUARE, word: str = "aab") -> Callable[[Swap], str]:
    """Whether an odd number of the word exchanges the two states, and an even one does not; cast=None: no rounding."""

    def decide(case: Swap) -> str:
        h = case.start
        for letter in word * case.times:
            A, b = DELTA_RULE[letter]
            h = affine(A, h, b, cast or (lambda q: q))
        expected = (-ONE, -1 - case.start[1]) if case.times % 2 else case.start
        before, after = (", ".join(map(str, v)) for v in (case.start, h))
        return "" if h == expected else f"{word}, {case.times} times, leads from ({before}) to ({after})"

    return decide


delta_rule = Finite(
    "tracking.rounded_delta_rule",
    "Two transitions I - β k k' with β in [0, 1] and unit keys, so with eigenvalues in [0, 1]; each entry of the state "
    "rounded once a step: the word aab exchanges two states, so parity of its number is tracked, and star-freeness is "
    "lost where the input is not constant.",
    swaps(),
    (
        Broken("rounding floor", swaps(replace(SQUARE, rounding="floor"))),
        Broken("no rounding", swaps(None)),
        Broken("the word ab", swaps(word="ab")),
    ),
    swap_cases,
    source=OURS,
    number=16,
)
