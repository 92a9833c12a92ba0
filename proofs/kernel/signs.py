"""When the sign of a scalar term is plain as written, and when ball arithmetic bounds one.

Part of the trusted base, which `proofs.kernel` lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import cast

from flint import arb

from proofs.kernel.arithmetic import ball, rational
from proofs.kernel.evaluation import evaluate
from proofs.kernel.terms import (
    Add,
    Div,
    ForAll,
    Formula,
    Index,
    Le,
    Lt,
    Mul,
    Nat,
    Num,
    Prod,
    Sum,
    Term,
    Transpose,
    walk,
)

ZERO = Num(Fraction(0))


def plain(t: Term, given: Sequence[Formula], strict: bool = False, opened: int = 0) -> set[Formula] | None:
    """The inequalities of `given` that t >= 0 (strict: t > 0) needs, if that is plain as written; else None.

    Plain are: a non-negative number; an index; a given 0 <= t or a <= b with t = b - a (perhaps quantified); x*x;
    v'v; sums, products and quotients of what is plain, and `Sum`s and `Prod`s over natural numbers of such. When one of
    these is opened its variable becomes the position -1 - opened, which no closed term has: it is any natural number.
    """
    for hypothesis in given:
        if any(_states(instance, t, strict) for instance in _instances(hypothesis, t)):
            return {hypothesis}
    match t:
        case Num(value):
            return set() if value > 0 or (value == 0 and not strict) else None
        case Nat(i):
            return set() if (i - strict).surely_nonnegative() else None
        case Add(terms) if not strict:
            return _all([plain(x, given, False, opened) for x in terms])
        case Add(terms):
            positive = [plain(x, given, True, opened) for x in terms]
            kept = next((i for i, p in enumerate(positive) if p is not None), None)
            if kept is None:
                return None
            return _all([positive[i] if i == kept else plain(x, given, False, opened) for i, x in enumerate(terms)])
        case Mul((Transpose(v), w)) if v == w:
            return None if strict else set()
        case Mul():
            factors = _unpaired(t, strict)
            return None if factors == [t] else _all([plain(x, given, strict, opened) for x in factors])
        case Div(numerator, denominator):
            return _all([plain(numerator, given, strict, opened), plain(denominator, given, True, opened)])
        case Sum(lo=lo) | Prod(lo=lo) if lo.surely_nonnegative() and not (strict and isinstance(t, Sum)):
            body = t.at(Index(((-1 - opened, 1),), 0))  # a Sum may be empty, so it shows no > 0
            return plain(cast(Term, body), given, strict, opened + 1)
    return None


def _all(parts: Sequence[set[Formula] | None]) -> set[Formula] | None:
    return None if None in parts else set().union(*cast(list[set[Formula]], parts))


def _unpaired(t: Mul, strict: bool) -> list[Term]:
    """The scalar factors of t, less the pairs x*x where >= 0 is enough."""
    factors: list[Term] = []
    stack: list[Term] = [t]
    while stack:
        x = stack.pop()
        if isinstance(x, Mul) and all(f.is_scalar for f in x.factors):
            stack.extend(x.factors)
        elif x in factors and not strict:
            factors.remove(x)
        else:
            factors.append(x)
    return factors


def _states(inequality: Formula, t: Term, strict: bool) -> bool:
    """Whether the inequality is one about t = b - a, or about t itself against 0."""
    if not isinstance(inequality, Lt if strict else Le | Lt):
        return False
    a, b = inequality.lhs, inequality.rhs
    return (a == ZERO and t == b) or t == b - a


def _instances(hypothesis: Formula, t: Term) -> Iterator[Formula]:
    """The hypothesis; if quantified, its instances at the indices that are free in t and natural numbers."""
    if not isinstance(hypothesis, ForAll):
        yield hypothesis
        return
    for i in {x for x in walk(t) if type(x) is Index and x.surely_nonnegative() and _is_free(x)}:
        yield from _instances(hypothesis.at(i), t)


def _is_free(i: Index) -> bool:
    """Whether no variable of i is bound by a binder that is still closed."""
    return all(type(v) is str or v < 0 for v in i.variables)  # type: ignore[operator]


Interval = tuple[Fraction, Fraction]


def bounded(value: Term, box: Mapping[str, Interval], bound: Fraction, depth: int) -> bool:
    """Whether value <= bound on the whole box: ball arithmetic, bisecting the widest side up to `depth` times."""
    balls = {name: ball(*side) for name, side in box.items()}
    try:
        if evaluate(value, balls, arb) <= arb(rational(bound)):
            return True
    except ZeroDivisionError:
        pass
    if depth == 0 or not box:
        return False
    widest = max(box, key=lambda name: box[name][1] - box[name][0])
    lo, hi = box[widest]
    middle = (lo + hi) / 2
    halves = ((lo, middle), (middle, hi))
    return all(bounded(value, {**box, widest: half}, bound, depth - 1) for half in halves)
