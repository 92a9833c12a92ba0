"""The same recurrence under seven arithmetics, M0 to M6: h_t = a_t h_{t-1} + b_t for one real or complex channel.

Every evaluator takes a_1 .. a_T, b_1 .. b_T and h_0 (all real or all complex, exact) and gives what it holds after each
step. A `cast` rounds a real number; complex numbers are rounded part by part.

| | name | is |
| --- | --- | --- |
| M0 | `exact` | the recurrence over the rationals |
| M1 | `exact_then_cast` | the convolution computed exactly, each output cast once: the arithmetic of the TC0 theorems |
| M2 | `per_step` | the state cast after every step: `once`, or like machines `fused` (M2m) or `unfused` (M2n) |
| M3 | `per_step`, `Fixed(..., wraps=True)` | the same with two's complement overflow |
| M4 | `scan_tree` | a parallel scan that rounds at every node; the result depends on the tree |
| M5 | `stochastic` | the state rounded up or down at random: a distribution, no function |
| M6 | `runs_then_cast` | runs of one letter by their closed form with exact powers, cast once |

Over the rationals the convolution equals the recurrence (`recurrence.unrolled_scalar`), so M1 casts what M0 gives.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Protocol

from ssmverify.errors import BadInput
from ssmverify.tracking.arithmetic.numbers import Cast, Fixed, Gaussian, N, cast_parts


# --------------------------------------------------------------------------------- one step: a h + b, with roundings
class Step(Protocol):
    """a h + b in some arithmetic."""

    def __call__(self, a: N, h: N, b: N, cast: Cast, /) -> N: ...


def once(a: N, h: N, b: N, cast: Cast) -> N:
    """a h + b, exact, then rounded; for real numbers that is the fused multiply-add."""
    return cast_parts(cast, a * h + b)


def fused(a: N, h: N, b: N, cast: Cast) -> N:
    """Fused multiply-adds. Complex: re = fma(-a_i, h_i, fma(a_r, h_r, b_r)), im = fma(a_i, h_r, fma(a_r, h_i, b_i))."""
    if isinstance(a, Gaussian):
        re, im = cast(a.re * h.re + b.re), cast(a.re * h.im + b.im)
        return Gaussian(cast(re - a.im * h.im), cast(im + a.im * h.re))
    return once(a, h, b, cast)


def unfused(a: N, h: N, b: N, cast: Cast) -> N:
    """Every product and every sum is rounded. Complex: (a_r h_r - a_i h_i) + b_r and (a_r h_i + a_i h_r) + b_i."""
    if isinstance(a, Gaussian):
        re = cast(cast(a.re * h.re) - cast(a.im * h.im))
        im = cast(cast(a.re * h.im) + cast(a.im * h.re))
        return Gaussian(cast(re + b.re), cast(im + b.im))
    return cast(cast(a * h) + b)


STEPS: dict[str, Step] = {"once": once, "fused": fused, "unfused": unfused}


# ------------------------------------------------------------------------------------------------------ M0 to M3, M6
def exact(a: Sequence[N], b: Sequence[N], h0: N) -> list[N]:
    """M0: no rounding at all."""
    return per_step(a, b, h0, lambda q: q)


def exact_then_cast(a: Sequence[N], b: Sequence[N], h0: N, cast: Cast) -> list[N]:
    """M1: the exact states, each cast by itself; no cast enters what follows."""
    return [cast_parts(cast, h) for h in exact(a, b, h0)]


def per_step(a: Sequence[N], b: Sequence[N], h0: N, cast: Cast, step: Step = once) -> list[N]:
    """M2: the state is cast after every step, and the next step reads the cast state. M3: with a cast that wraps."""
    states = []
    for a_t, b_t in zip(a, b, strict=True):
        h0 = step(a_t, h0, b_t, cast)
        states.append(h0)
    return states


def runs_then_cast(a: Sequence[N], b: Sequence[N], h0: N, cast: Cast) -> list[N]:
    """M6: k steps of one letter (a, b) are a^k h + (1 + a + ... + a^{k-1}) b with exact powers, cast once.

    h is the cast state before the run. On constant inputs this is the finite precision of the lower bounds of Grazzi et
    al. (arXiv 2411.12537); it is M1 there, and M2 where no letter comes twice in a row.
    """
    states: list[N] = []
    for _, run in itertools.groupby(zip(a, b, strict=True)):
        letters = list(run)
        start = states[-1] if states else h0
        states += exact_then_cast([x for x, _ in letters], [y for _, y in letters], start, cast)
    return states


# ------------------------------------------------------------------------------------------------------ M4: scan trees
Pair = tuple[N, N]  # h -> a h + b


def scan_tree(
    a: Sequence[N], b: Sequence[N], h0: N, cast: Cast, gate_cast: Cast, tree: str = "hillis-steele", step: Step = once
) -> list[N]:
    """M4: prefixes (A_t, B_t) of the pairs by a tree, each node rounded, then h_t = A_t h_0 + B_t, rounded.

    A node joins (a1, b1) and the later (a2, b2) to (a2 a1, a2 b1 + b2): products of gates are cast by `gate_cast`,
    inputs by `step` and `cast`. Trees: see `TREES`.
    """
    if tree not in TREES:
        raise BadInput(f"there is no scan tree {tree!r}: take one of {', '.join(TREES)}")

    def join(first: Pair[N], later: Pair[N]) -> Pair[N]:
        return cast_parts(gate_cast, later[0] * first[0]), step(later[0], first[1], later[1], cast)

    pairs = list(zip(a, b, strict=True))
    return [step(A, h0, B, cast) for A, B in TREES[tree](pairs, join)]


Join = Callable[[Pair[N], Pair[N]], Pair[N]]


def hillis_steele(pairs: Sequence[Pair[N]], join: Join[N]) -> list[Pair[N]]:
    """In round k every element takes in the one 2^k places before it."""
    found, reach = list(pairs), 1
    while reach < len(found):
        found = found[:reach] + [join(found[t - reach], found[t]) for t in range(reach, len(found))]
        reach *= 2
    return found


def blelloch(pairs: Sequence[Pair[N]], join: Join[N]) -> list[Pair[N]]:
    """Neighbours are joined, the halved sequence is scanned, and the places between are filled in."""
    if len(pairs) < 2:
        return list(pairs)
    halved = blelloch([join(*two) for two in zip(pairs[::2], pairs[1::2], strict=False)], join)
    found = [pairs[0]]
    for t in range(1, len(pairs)):
        found.append(halved[t // 2] if t % 2 else join(halved[t // 2 - 1], pairs[t]))
    return found


def chunked(pairs: Sequence[Pair[N]], join: Join[N], chunk: int = 4) -> list[Pair[N]]:
    """Chunks of four in sequence, each from its own start; then what precedes a chunk is joined to each of it."""
    found: list[Pair[N]] = []
    for begin in range(0, len(pairs), chunk):
        inside = list(itertools.accumulate(pairs[begin : begin + chunk], join))
        found += [join(found[begin - 1], pair) for pair in inside] if begin else inside
    return found


class Tree(Protocol):
    """All prefixes of a sequence of pairs."""

    def __call__(self, pairs: Sequence[Pair[N]], join: Join[N], /) -> list[Pair[N]]: ...


TREES: dict[str, Tree] = {
    "hillis-steele": hillis_steele,
    "blelloch": blelloch,
    "chunked": chunked,
}


# --------------------------------------------------------------------------------------------------- M5: at random
Distribution = dict[N, Fraction]


def stochastic(a: Sequence[N], b: Sequence[N], h0: N, grid: Fixed) -> list[Distribution[N]]:
    """M5: each part of the state is rounded up with the probability of its fractional part, down otherwise.

    What comes out after each step is the exact distribution of the state, not a state.
    """
    found: list[Distribution[N]] = []
    current: Distribution[N] = {h0: Fraction(1)}
    for a_t, b_t in zip(a, b, strict=True):
        following: Distribution[N] = {}
        for h, weight in current.items():
            for value, share in _roundings(a_t * h + b_t, grid):
                following[value] = following.get(value, Fraction(0)) + weight * share
        found.append(current := following)
    return found


def _roundings(z: N, grid: Fixed) -> list[tuple[N, Fraction]]:
    if isinstance(z, Gaussian):
        parts = itertools.product(_up_or_down(z.re, grid), _up_or_down(z.im, grid))
        return [(Gaussian(x, y), p * q) for (x, p), (y, q) in parts]
    return _up_or_down(z, grid)


def _up_or_down(q: Fraction, grid: Fixed) -> list[tuple[Fraction, Fraction]]:
    below = q // grid.unit
    up = q / grid.unit - below
    choices = [(grid.within(below) * grid.unit, 1 - up), (grid.within(below + 1) * grid.unit, up)]
    return [(value, share) for value, share in choices if share]
