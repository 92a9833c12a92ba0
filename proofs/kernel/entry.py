"""What a rule takes, checked at its door by the annotations that it is written with.

Part of the trusted base, which `proofs.kernel` lists. A rule cannot forget to check an argument: one whose annotation
is not in the table below does not even load. Sequences become tuples and mappings dicts of their own, once, so that
what a rule decides about is what it makes a fact of.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, cast

from proofs.kernel.evaluation import Frozen, frozen
from proofs.kernel.terms import (
    FORMULAS,
    TERMS,
    Atom,
    Eq,
    Index,
    Lambda,
    Prod,
    Sequent,
    Sum,
    Symbol,
    UniqueMinimiser,
    loose,
)

Check = Callable[[Any], Any]  # gives the argument as the rule sees it; raises TypeError


def exactly(what: str, *classes: type) -> Check:
    """Takes what is an instance of one of these very classes."""

    def check(x: Any) -> Any:
        if type(x) not in classes:
            raise TypeError(f"{what} is needed, given {_shown(x)}")
        return x

    return check


def _closed(what: str, *classes: type) -> Check:
    """A node of one of the classes, no bound variable of which has lost its binder."""
    exact = exactly(what, *classes)

    def check(x: Any) -> Any:
        if loose(exact(x)):
            raise TypeError("a bound variable has lost its binder; open a binder with `at`")
        return x

    return check


def _each(check: Check) -> Check:
    def every(xs: Any) -> Any:
        if type(xs) not in (list, tuple):
            raise TypeError(f"a list or a tuple is needed, given {_shown(xs)}")
        return tuple(check(x) for x in tuple(xs))

    return every


def _map(key: Check, value: Check) -> Check:
    def every(xs: Any) -> Any:
        if type(xs) not in (dict, Frozen):
            raise TypeError(f"a dict is needed, given {_shown(xs)}")
        return {key(k): value(v) for k, v in dict(xs).items()}

    return every


def _maybe(check: Check) -> Check:
    return lambda x: None if x is None else check(x)


def _as_index(x: Any) -> Index:
    return Index((), x) if type(x) is int else cast(Index, _INDEX(x))


def _interval(x: Any) -> tuple[Fraction, Fraction]:
    if type(x) is not tuple or len(x) != 2 or any(type(side) not in (int, Fraction) for side in x):
        raise TypeError(f"an interval is a pair of Fractions, given {_shown(x)}")
    return Fraction(x[0]), Fraction(x[1])


def _big_kind(x: Any) -> Any:
    if x is not Sum and x is not Prod:
        raise TypeError(f"Sum or Prod is needed, given {_shown(x)}")
    return x


def _shown(x: Any) -> str:
    """What was given, without asking a stranger's object to print itself."""
    plain = type(x) in (int, float, str, bool, type(None))
    return f"{type(x).__name__} {x!r:.80}" if plain else f"a {type(x).__name__}"


_INDEX = _closed("an Index", Index)
_TERM = _closed("a term", *TERMS)
_FORMULA = _closed("a formula", *FORMULAS)
_SYMBOL = _closed("a Symbol", Symbol)
_EQ = _closed("an Eq", Eq)

CHECKS: dict[str, Check] = {
    "Term": _TERM,
    "Term | None": _maybe(_TERM),
    "Formula": _FORMULA,
    "Sequent": _closed("a Sequent", Sequent),
    "Index": _INDEX,
    "Index | int": _as_index,
    "Symbol": _SYMBOL,
    "UniqueMinimiser": _closed("a UniqueMinimiser", UniqueMinimiser),
    "type[Big]": _big_kind,
    "int": exactly("an int", int),
    "bool": exactly("True or False", bool),
    "Fraction": exactly("a Fraction", Fraction),
    "Sequence[Term]": _each(_TERM),
    "Sequence[Eq]": _each(_EQ),
    "Sequence[Formula]": _each(_FORMULA),
    "Mapping[str, Index] | None": _maybe(_map(exactly("a str", str), _INDEX)),
    "Mapping[Symbol, Node] | None": _maybe(_map(_SYMBOL, _closed("a term or a family", *TERMS, Lambda))),
    "Mapping[Atom, Interval]": _map(_closed("an Atom", Atom), _interval),
    "Point": frozen,
    "Sequence[Point]": _each(frozen),
}


def checked(rule: Callable[..., Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What turns a rule's arguments, by name, into those that it takes; it raises TypeError in one sentence."""
    parameters = inspect.signature(rule).parameters
    checks = {
        name: _each(CHECKS[p.annotation]) if p.kind is p.VAR_POSITIONAL else CHECKS[p.annotation]
        for name, p in parameters.items()
    }

    def check(given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _named(rule.__name__, name, checks[name], value) for name, value in given.items()}

    return check


def _named(rule: str, name: str, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except TypeError as reason:
        raise TypeError(f"{rule}: for {name}, {reason}") from None
