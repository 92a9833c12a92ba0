"""The rules: one function an operation, named as torch names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Rule = Callable[..., Any]
RuleT = TypeVar("RuleT", bound=Rule)

RULES: dict[str, Rule] = {}
MOVES: set[str] = set()
REFUSED: dict[str, str] = {}
HANDLERS: list[Rule] = []  # what answers an operation on balls: `ssmverify.bounds.dispatch` puts itself here


def rule(*names: str) -> Callable[[RuleT], RuleT]:
    """Registers a rule for operations such as "aten::add" or "mylib::op", every overload of them.

    It is called with the operation's own arguments; each float tensor is a `Ball`, numbers and integer tensors are as
    they were. It returns a `Ball`, or a tuple of them. What it must guarantee stands at `rounded`.
    """

    def register(function: RuleT) -> RuleT:
        for name in names:
            if "::" not in name:
                raise ValueError(f"a rule needs the operator's full name, such as 'mylib::{name}'; given: {name!r}")
            RULES[name] = function
        return function

    return register


def named(names: str) -> set[str]:
    """The full names of torch's own operators."""
    return {f"aten::{name}" for name in names.split()}


def moves(names: str) -> None:
    """Operations that only move numbers: they are applied to value and radius alike."""
    MOVES.update(named(names))


def refuse(why: str, *names: str) -> None:
    """Operations that can have no rule, or have none yet, with the sentence that says so."""
    REFUSED.update((f"aten::{name}", why) for name in names)
