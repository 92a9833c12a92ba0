"""GD-SSM (arXiv 2410.11687), continued: no predictor of degree 3 in the tokens beats one step.

What was read: see `proofs/gd_ssm/one_step.py`. The task is that of `proofs/gd_ssm/learned.py`: entries of x and of the
query independent, of one symmetric law; entries of W independent, symmetric, with variance 1; y = W x without noise.

| symbol | shape | meaning |
| --- | --- | --- |
| n, d | sizes | outcomes of a finite law; monomials |
| ω_s, r_s, m_s | scalars, (d,) | probability of outcome s; a predictor's residual there; the monomials' values there |
| δ | (d,) | coefficients of another predictor, less those of the first: it leaves r_s - δ'm_s |
| f, N | sizes | entries of an input; pairs in the context |
| σ, μ | scalars | variance and fourth moment of an entry of x |

Why one step is best. Its residual r = (W q)_c - γ* (M q)_c is uncorrelated with every monomial p of degree 3 or less in
the entries of x_1, y_1, ..., x_N, y_N, q: `left_over` computes E[r p] for each pattern of a monomial, as a polynomial
in f, N and the moments, and it is 0. So a polynomial of that degree which is added to the step adds its mean square to
the loss (`gd_ssm.optimal_excess`, here for finite laws), and whatever agrees with the step with probability 1, and
nothing else, is best. A GD-SSM layer is such a polynomial, whatever its weights. (Degree 4 changes nothing: the
tests go through it. Degree 5 does.)

By hand: that the mean of a monomial is the product of the moments of its variables, which are independent; that E[r p]
depends on the pattern of p alone, as the law does not change when pairs, entries or targets change their names; and
that a sum over indices is the sum over their patterns, each times the number of its choices (`ways`). So f, N, the
number of targets and the law are any.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sympy import QQ
from sympy.polys.rings import ring

from proofs.derivation import main, proves
from proofs.kernel import Fact, additive, assume, congruence, identity, linear, rewrite
from proofs.tactics.equations import equal
from proofs.terms import ONE, Add, Eq, Mul, Sum, Term, Zero, sequence, size, summation, term, vector

# --------------------------------------------------------------------------------- what another predictor adds
n, d, s = size("n"), size("d"), size("s")
probability, residual, monomials = sequence("ω"), sequence("r"), sequence("m", d)
delta, one = vector("δ", d), term(1)


def mean_square(error: Term) -> Term:
    """The mean of error², over the outcomes."""
    return summation(s, 1, n, probability(s) * (error * error))


covariance = (probability(s) * residual(s)) * monomials(s)
normal_equations = Eq(summation(s, 1, n, covariance), Zero(d, ONE))


@proves(
    Eq(
        mean_square(residual(s) - delta.T @ monomials(s)),
        mean_square(residual(s)) + mean_square(delta.T @ monomials(s)),
    ),
    {"residual_uncorrelated": normal_equations},
)
def optimal_excess() -> Fact:
    """Outcome by outcome the square is expanded; the cross term sums to -2 δ' times the residual's covariance with the
    monomials, which is 0."""
    error, change = residual(s), delta.T @ monomials(s)
    parts = [probability(s) * (error * error), Mul((-2 * delta.T, covariance)), probability(s) * (change * change)]
    moved = error - change
    each = equal(probability(s) * (moved * moved), Add(tuple(parts)))
    summed = rewrite(congruence(each, Sum, s, 1, n), additive(s, 1, n, parts))
    summed = rewrite(summed, linear(s, 1, n, -2 * delta.T, covariance))
    summed = rewrite(summed, assume(normal_equations))
    goal = cast(Eq, optimal_excess.conclusion)
    return rewrite(summed, identity(cast(Eq, summed.conclusion).rhs, goal.rhs))


# ------------------------------------------------------------------------------------ expectations of monomials
Letter = tuple[Any, ...]  # ("x", pair, entry), ("y", pair, target) or ("q", entry): a factor of a monomial in tokens
Monomial = tuple[Letter, ...]
Variable = tuple[Any, ...]  # ("x", pair, entry), ("q", entry) or ("W", target, entry): what is drawn independently

polynomials, f, N, sigma, mu, x6, x8, w4, w6 = ring("f N σ μ μ_6 μ_8 ν_4 ν_6", QQ)
entry, weight = (sigma, mu, x6, x8), (polynomials.one, w4, w6)
MOMENTS = {
    kind: {2 * k: moment for k, moment in enumerate(even, 1)}
    for kind, even in (("x", entry), ("q", entry), ("W", weight))
}
spread = mu + (f + N - 2) * sigma**2


def expectation(variables: Sequence[Variable], moments: Any) -> Any:
    """The mean of a product of independent variables: the product of their moments; odd ones are 0 unless given."""
    powers = [(kind, power) for (kind, *_), power in Counter(variables).items()]
    if any(power % 2 and power not in moments[kind] for kind, power in powers):
        return 0
    return math.prod((moments[kind][power] for kind, power in powers), start=polynomials.one)


@cache
def choices(count: int, named: int) -> tuple[tuple[int, ...], ...]:
    """The patterns of `count` indices, each one of 0 .. named - 1 or of the new ones so far, or the next new one."""
    if count == 0:
        return ((),)
    return tuple((i, *rest) for i in range(named + 1) for rest in choices(count - 1, max(named, i + 1)))


def ways(indices: Sequence[int], named: int, out_of: Any) -> Any:
    """How many choices out of `out_of` indices, `named` of which are named already, have the pattern."""
    return math.prod((out_of - k for k in range(named, max(indices, default=-1) + 1)), start=polynomials.one)


@dataclass(frozen=True)
class Answer:
    """A prediction for target 0: a sum over so many pairs and entries of a product of variables."""

    pairs: int
    entries: int
    product: Callable[[Sequence[int], Sequence[int]], Sequence[Variable]]


truth = Answer(0, 1, lambda _, e: [("W", 0, e[0]), ("q", e[0])])
step = Answer(1, 2, lambda i, e: [("W", 0, e[0]), ("x", i[0], e[0]), ("x", i[0], e[1]), ("q", e[1])])


def correlation(answer: Answer, monomial: Monomial, moments: Any = MOMENTS) -> Any:
    """E[answer * monomial] as a polynomial in f, N and the moments; indices of the monomial are named 0, 1, ..."""
    named_pairs = len({letter[1] for letter in monomial if letter[0] != "q"})
    named_entries = len({letter[-1] for letter in monomial if letter[0] != "y"})
    inner = answer.entries + sum(letter[0] == "y" for letter in monomial)
    total = polynomials.zero
    for pairs, entries in itertools.product(choices(answer.pairs, named_pairs), choices(inner, named_entries)):
        own = iter(entries[answer.entries :])
        variables = [*answer.product(pairs, entries), *(v for x in monomial for v in _variables(x, own))]
        if mean := expectation(variables, moments):
            total += ways(pairs, named_pairs, N) * ways(entries, named_entries, f) * mean
    return total


def _variables(letter: Letter, inner: Iterator[int]) -> Sequence[Variable]:
    """The letter in what is drawn; a target's entry is a sum over the next inner index."""
    if letter[0] != "y":
        return [letter]
    _, pair, target = letter
    e = next(inner)
    return [("W", target, e), ("x", pair, e)]


# ------------------------------------------------------------------------------------------------ the patterns
def patterns(degree: int) -> Iterator[Monomial]:
    """Every monomial of that degree in the tokens, once, up to the names of its pairs, entries and targets; target 0 is
    the predicted one."""
    seen: set[Monomial] = set()
    for nx, ny, nq in itertools.product(range(degree + 1), repeat=3):
        if nx + ny + nq != degree:
            continue
        for pairs, entries, targets in itertools.product(choices(nx + ny, 0), choices(nx + nq, 0), choices(ny, 1)):
            xs = [("x", pairs[k], entries[k]) for k in range(nx)]
            ys = [("y", pairs[nx + k], targets[k]) for k in range(ny)]
            monomial = (*xs, *ys, *(("q", entries[nx + k]) for k in range(nq)))
            seen.add(pattern(monomial))
    yield from sorted(seen)


def pattern(monomial: Monomial) -> Monomial:
    """The same for all monomials that differ in the names of pairs, entries and targets, or the order of factors."""
    return min(_renamed(order) for order in itertools.permutations(monomial))


def _renamed(letters: Sequence[Letter]) -> Monomial:
    """Pairs and entries named in the order in which they come, targets after 0."""
    pairs: dict[int, int] = {}
    entries: dict[int, int] = {}
    targets = {0: 0}

    def new(letter: Letter) -> Letter:
        kind, *places = letter
        kept = {"x": (pairs, entries), "y": (pairs, targets), "q": (entries,)}[kind]
        return (kind, *(names.setdefault(place, len(names)) for names, place in zip(kept, places, strict=True)))

    return tuple(new(letter) for letter in letters)


def shown(monomial: Monomial) -> str:
    """A monomial, its indices counted from 1."""
    return " ".join(f"{kind}_{','.join(str(place + 1) for place in places)}" for kind, *places in monomial) or "1"


def left_over(monomial: Monomial, spread: Any = spread, moments: Any = MOMENTS) -> Any:
    """(μ + (f + N - 2) σ²) E[r p] for the residual r of the step of rate γ* = σ/(μ + (f + N - 2) σ²)."""
    return spread * correlation(truth, monomial, moments) - sigma * correlation(step, monomial, moments)


if __name__ == "__main__":
    main(__doc__)
