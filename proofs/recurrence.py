"""Linear recurrences, for every length and every size.

Source: standard (for instance Blelloch, "Prefix sums and their applications", 1990, section 1.4, for the operator);
stated here because every layer of the catalogue stands on them.

| symbol | shape | meaning |
| --- | --- | --- |
| n, m | sizes | rows of the state, columns of the state |
| A_t, B_t, H_t | (n, n), (n, m), (n, m) | transition, input and state: H_{t+1} = A_{t+1} H_t + B_{t+1} |
| T, s, p, r | lengths | a number of steps; a start, and the lengths of two segments one after the other |

A product over times has its latest factor on the left. The scalar statements are the matrix ones at n = m = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from flint import fmpq

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    assume,
    congruence,
    conjunction,
    empty,
    identity,
    induction,
    instantiate,
    linear,
    rewrite,
    single,
    split,
)
from proofs.tactics.equations import equal, unfold
from proofs.terms import (
    ONE,
    And,
    Eq,
    Identity,
    Index,
    Mul,
    Sum,
    Term,
    Zero,
    for_all,
    index,
    matrix,
    product,
    sequence,
    size,
    substitute,
    summation,
)

n, m, t, i, l, T, s, p, r = (size(name) for name in ["n", "m", "t", "i", "l", "T", "s", "p", "r"])
A, B, H = sequence("A", n, n), sequence("B", n, m), sequence("H", n, m)


def decay(lo: Index, hi: Index) -> Term:
    """A_hi ... A_lo."""
    return product(l, lo, hi, A(l))


def input_part(lo: Index, hi: Index) -> Term:
    """sum over i = lo..hi of (A_hi ... A_{i+1}) B_i."""
    return summation(i, lo, hi, decay(i + 1, hi) @ B(i))


# ------------------------------------------------------------------------------------------- unrolled, every T
recurrence = for_all(t, Eq(H(t + 1), A(t + 1) @ H(t) + B(t + 1)))


def unrolled_at(t: Index) -> Eq:
    return Eq(H(t), decay(ONE, t) @ H(0) + input_part(ONE, t))


fixed_point = {"A": fmpq(1, 2), "B": fmpq(1), "H": fmpq(2)}


@proves(unrolled_at(T), {"recurrence": recurrence})
def unrolled() -> Fact:
    """By induction on T: one more step puts A_{T+1} before every product, and adds the empty product times B_{T+1}."""
    zero = index(0)
    nothing_yet = [empty(decay(ONE, zero)), empty(input_part(ONE, zero))]
    base = equal(H(0), unrolled_at(zero).rhs, *nothing_yet)
    step = equal(
        H(t + 1),
        unrolled_at(t + 1).rhs,
        assume(Eq(H(t + 1), A(t + 1) @ H(t) + B(t + 1))),
        assume(unrolled_at(t)),
        unfold(decay(ONE, t + 1)),
        input_part_grows(t),
    )
    return instantiate(induction(unrolled_at(t), t, base, step), {"t": T})


def input_part_grows(t: Index) -> Fact:
    """The input part up to t + 1 is A_{t+1} times that up to t, plus B_{t+1}."""
    cut = split(input_part(ONE, t + 1), t)
    last = single(summation(i, t + 1, t + 1, decay(i + 1, t + 1) @ B(i)))
    last = rewrite(last, empty(decay(t + 2, t + 1)))
    earlier = later_factor_moves_out(t, t + 1)
    return equal(input_part(ONE, t + 1), A(t + 1) @ input_part(ONE, t) + B(t + 1), cut, last, earlier)


def later_factor_moves_out(middle: Index, end: Index, start: Index = ONE) -> Fact:
    """sum over i = start..middle of (A_end ... A_{i+1}) B_i, with A_end ... A_{middle+1} in front of the sum."""
    later = single(decay(end, end)) if middle + 1 == end else None
    cut = split(decay(i + 1, end), middle)
    cut = rewrite(cut, later) if later else cut
    front = A(end) if later else decay(middle + 1, end)
    inner = decay(i + 1, middle) @ B(i)
    each = equal(decay(i + 1, end) @ B(i), Mul((front, inner)), cut)
    return rewrite(congruence(each, Sum, i, start, middle), linear(i, start, middle, front, inner))


@proves(
    substitute(unrolled.conclusion, {"n": ONE, "m": ONE}), {"recurrence": substitute(recurrence, {"n": ONE, "m": ONE})}
)
def unrolled_scalar() -> Fact:
    """The matrix statement at n = m = 1."""
    return instantiate(unrolled.fact, {"n": ONE, "m": ONE})


# ---------------------------------------------------------------------------------------------- scan operator
Pair = tuple[Any, Any]


def combine(earlier: Pair, later: Pair) -> Pair:
    """Two steps as ONE: h -> a2 (a1 h + b1) + b2."""
    a1, b1 = earlier
    a2, b2 = later
    return a2 @ a1, a2 @ b1 + b2


def pair(name: str) -> Pair:
    return matrix(f"A{name}", n, n), matrix(f"B{name}", n, m)


def equations(lhs: Pair, rhs: Pair) -> list[Eq]:
    return [Eq(x, y) for x, y in zip(lhs, rhs, strict=True)]


one_step, first, second, third = (Identity(n), Zero(n, m)), pair("₁"), pair("₂"), pair("₃")


def monoid_laws(combine: Callable[[Pair, Pair], Pair]) -> And:
    """Associative, with `one_step` neutral on both sides."""
    associative = equations(combine(combine(first, second), third), combine(first, combine(second, third)))
    neutral = equations(combine(one_step, first), first) + equations(combine(first, one_step), first)
    return And((*associative, *neutral))


@proves(monoid_laws(combine))
def scan_operator() -> Fact:
    """Each equation is one between words in the free algebra, so it holds for matrices of every size."""
    laws = cast(Sequence[Eq], monoid_laws(combine).parts)
    return conjunction(*(identity(law.lhs, law.rhs) for law in laws))


def segment(start: Index, length: Index | int) -> Pair:
    """What the steps start + 1 .. start + length do together."""
    return decay(start + 1, start + length), input_part(start + 1, start + length)


@proves(
    And(
        (
            *equations(segment(s, 0), one_step),
            *equations(segment(s, 1), (A(s + 1), B(s + 1))),
            *equations(segment(s, p + r), combine(segment(s, p), segment(s + p, r))),
        )
    )
)
def any_order() -> Fact:
    """A segment is cut anywhere into an earlier and a later one. So each node of a tree over the steps, in whatever
    bracketing, holds exactly its segment: sequential, tree and chunked evaluation agree in exact arithmetic."""
    step_decay, step_input = segment(s, 1)
    last = rewrite(single(step_input), empty(decay(s + 2, s + 1)))
    whole, middle = s + p + r, s + p
    cut = split(input_part(s + 1, whole), middle)
    return conjunction(
        *(empty(x) for x in segment(s, 0)),
        single(step_decay),
        equal(step_input, B(s + 1), last),
        split(decay(s + 1, whole), middle),
        equal(
            input_part(s + 1, whole),
            combine(segment(s, p), segment(s + p, r))[1],
            cut,
            later_factor_moves_out(middle, whole, s + 1),
        ),
    )


# --------------------------------------------------------------------------------- the recurrence, run exactly
def run(a: Sequence[Any], b: Sequence[Any], h: Any) -> list[Any]:
    """h_1 .. h_T over any arithmetic, from a_1 .. a_T and b_1 .. b_T: numbers, rows of channels, or matrices."""
    states = []
    for a_t, b_t in zip(a, b, strict=True):
        h = (a_t @ h if np.ndim(a_t) == 2 else a_t * h) + b_t
        states.append(h)
    return states


if __name__ == "__main__":
    main(__doc__)
