"""Arguments of the wrong kind: what looks like an argument and is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from proofs.kernel import Fact, Sequent, assume, cases
from proofs.terms import Binder, Eq, Le, Node, scalar, summation, term
from tests.proofs.kernel.fuzz.nodes import Draw, a, i, n


class ListOfAnother(list[Any]):
    """Yields its equation to the first who asks, and nothing afterwards."""

    asked = 0

    def __iter__(self) -> Iterator[Any]:
        self.asked += 1
        return super().__iter__() if self.asked == 1 else iter(())


class TupleOfNone(tuple[Any, ...]):
    def __iter__(self) -> Iterator[Any]:
        return iter(())


class DictOfAnother(dict[Any, Any]):
    def items(self) -> Any:
        return ()


class NumberLikeAll(Fraction):
    """Equal to everything, above nothing."""

    __hash__ = Fraction.__hash__

    def __eq__(self, _: object) -> bool:
        return True

    def __le__(self, _: object) -> bool:
        return True


class TextLikeAll(str):
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, _: object) -> bool:
        return True


class IntOfAnother(int):
    def __add__(self, _: int) -> int:
        return 0


def loose() -> Node:
    """A term whose bound variable has lost its binder."""
    whole = summation(i, 1, n, a(i))
    assert isinstance(whole, Binder)
    body: Node = whole.body
    return body


def instead_of(argument: Any, draw: Draw, facts: Sequence[Fact]) -> Any:
    """Something of another kind, as like the argument as can be."""
    options: list[Any] = [
        None, True, 0, 1.0, np.int64(1), "x", (), [], {}, loose(), a, i, draw.formula(), draw.term(), draw.natural(),
        Le(term(0), term(1)), Sequent(frozenset(), Eq(term(0), term(1))), NumberLikeAll(1), IntOfAnother(1),
        cases(Sequent(frozenset(), Eq(scalar("x"), term(0))), [{"x": Fraction(0)}]), assume(draw.formula()),
    ]  # fmt: skip
    if type(argument) in (list, tuple):
        options += [
            ListOfAnother(argument),
            TupleOfNone(argument),
            iter(argument),
            frozenset(argument),
            [*argument] * 2,
        ]
        options += [[draw.formula()], [Le(term(0), term(1))], np.array(argument, dtype=object)] * 2
    if type(argument) is dict:
        options += [DictOfAnother(argument), list(argument.items()), {TextLikeAll("t"): i}] * 3
    if facts:
        options.append(draw.one(*facts))
    return draw.one(*options)
