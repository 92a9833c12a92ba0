"""Moves for signs and boxes: `squares`, `apart`, `enclosure`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs.terms import (
    Le,
    Lt,
    Mul,
    Nat,
    Term,
    product,
    summation,
    symbols,
    term,
)
from tests.proofs.kernel.fuzz.moves import Move, Script
from tests.proofs.kernel.fuzz.nodes import GIVEN, Draw, a, changed, i, x, y


def squares(s: Script) -> Any:
    draw = s.draw
    strict = draw.flip(0.4)
    certificate = draw.plain(draw.one(0, 1, 1, 2), strict)
    if draw.flip(0.3):
        certificate = draw.one(changed(draw, certificate), draw.term(depth=1), draw.atom(), draw.atom() - draw.atom())
    given = [*GIVEN, draw.sign(), draw.one(Le, Lt)(draw.atom(), draw.atom())]
    if strict and draw.flip(0.2):  # what may be 0
        root = draw.atom()
        some = summation(i, draw.natural(), draw.natural(), draw.one(y, a(i)))
        certificate = draw.one(root * root, Mul((root, y, root)), some, some)
    left = draw.term(depth=1)
    return s.do("squares", left, left + certificate, certificate, draw.sample(given, draw.one(3, 5)), strict=strict)


def squares_given(s: Script) -> Any:
    """A difference that an inequality states, or one like it."""
    draw = s.draw
    low, high = draw.atom(), draw.atom()
    given = [draw.one(Le, Lt)(low, high), draw.sign()]
    certificate = draw.one(high - low, high - low, low - high, high, high + low)
    return s.do("squares", low, low + certificate, certificate, given, strict=draw.flip(0.3))


def apart(s: Script) -> Any:
    fact = s.fact(lambda f: isinstance(f.conclusion, Lt))
    if s.draw.flip(0.3):
        return s.do("apart", fact)
    certificate = s.draw.plain(1, True)
    if s.draw.flip(0.5):
        return s.do("apart", s.do("squares", term(0), certificate, certificate, GIVEN, strict=True))
    return s.do("apart", s.assumed(s.draw.one(Lt, Lt, Lt, Le)(term(s.draw.one(0, 0, 0, -1)), s.draw.term(depth=1))))


def _expression(draw: Draw, depth: int) -> Term:
    if depth == 0:
        return draw.one(x, x, y, term(draw.one(1, 2, -1, Fraction(1, 2))))
    u, v = _expression(draw, depth - 1), _expression(draw, depth - 1)
    return draw.one(u + v, u - v, u * v, u * u, u / v, summation(i, 1, 2, u * Nat(i)), product(i, 0, 1, u + Nat(i)), u)


def enclosure(s: Script) -> Any:
    draw = s.draw
    value = _expression(draw, draw.one(1, 2, 2))
    ends = [sorted(Fraction(draw.randint(-6, 6), 4) for _ in range(2)) for _ in range(2)]
    if draw.flip(0.05):
        ends = [pair[::-1] for pair in ends]
    known = symbols(value) if draw.flip(0.9) else {symbol for symbol in symbols(value) if draw.flip(0.5)}
    box = {symbol(): tuple(pair) for symbol, pair in zip(sorted(known, key=repr), ends, strict=False)}
    bound = draw.one(Fraction(draw.randint(-8, 40), 4), Fraction(draw.randint(0, 400), 4))
    return s.do("enclosure", value, box, bound, draw.one(2, 3, 4, 5))


MOVES: dict[str, list[Move]] = {"squares": [squares, squares_given], "apart": [apart], "enclosure": [enclosure]}
