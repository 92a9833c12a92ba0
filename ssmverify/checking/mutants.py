"""Breaking a construction on purpose: each sign, index, term and product in turn.

On the claim's side the mutants are terms; on the layer's side they are versions of a function's source. A mutated
function is tried in place: its code object is swapped, so that every caller sees it, and put back.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from types import CodeType
from typing import Any, cast

from proofs.kernel import Claim
from proofs.printing import text
from proofs.terms import (
    Add,
    And,
    Atom,
    Binder,
    Eq,
    Formula,
    Index,
    Le,
    Lt,
    Mul,
    Node,
    Num,
    Prod,
    Sum,
    Term,
    Transpose,
    UniqueMinimiser,
    absolute_le,
    bind,
    children,
    fresh,
)

Variant = tuple[str, Any]


# ---------------------------------------------------------------------------------------------------- of claims


def claim_mutants(claim: Claim) -> Iterator[tuple[str, Claim]]:
    """The claim with one thing broken in its construction: the right sides, bounds, or the claimed minimiser."""
    for what, conclusion in _formula_variants(claim.conclusion):
        if conclusion != claim.conclusion:
            yield what, replace(claim, conclusion=conclusion)


def _formula_variants(formula: Formula) -> Iterator[tuple[str, Formula]]:
    match formula:
        case Eq(lhs, rhs) | Le(lhs, rhs) | Lt(lhs, rhs):
            yield from ((what, type(formula)(lhs, new)) for what, new in _variants(rhs) if new.shape == lhs.shape)
        case And((Le(_, x), Le(y, bound))) if x == y:
            yield from ((what, absolute_le(x, new)) for what, new in _variants(bound))
        case And(parts):
            for i, part in enumerate(parts):
                for what, new in _formula_variants(part):
                    yield what, And((*parts[:i], new, *parts[i + 1 :]))
        case UniqueMinimiser():
            yield from ((what, replace(formula, at=new)) for what, new in _variants(formula.at))


def _variants(x: Any) -> Iterator[Variant]:
    """x with one thing broken anywhere inside; what does not fit together is no mutant."""
    yield from _local(x)
    if isinstance(x, Binder):
        variable = fresh(x)
        rest = list(children(x))[1:]
        for what, body in _variants(x.at(variable)):
            yield what, bind(type(x), variable, body, *rest)
    elif isinstance(x, Node) and not isinstance(x, Index | Atom):
        parts = list(children(x))
        for i, part in enumerate(parts):
            for what, new in _tuple_variants(part) if isinstance(part, tuple) else _variants(part):
                try:
                    yield what, type(x)(*parts[:i], new, *parts[i + 1 :])  # type: ignore[call-arg]
                except TypeError:
                    continue


def _tuple_variants(parts: tuple[Any, ...]) -> Iterator[Variant]:
    for i, part in enumerate(parts):
        for what, new in _variants(part):
            yield what, (*parts[:i], new, *parts[i + 1 :])


def _local(x: Any) -> Iterator[Variant]:
    """x itself broken."""
    match x:
        case Add(terms):
            for i, t in enumerate(terms):
                yield f"sign of {text(t)}", Add((*terms[:i], _negative(t), *terms[i + 1 :]))
                yield f"without {text(t)}", Add((*terms[:i], *terms[i + 1 :]))
        case Mul(factors):
            for i in range(len(factors) - 1):
                left, right = factors[i : i + 2]
                if not (left.is_scalar or right.is_scalar) and _fits(right, left):
                    yield f"{text(right)} before {text(left)}", Mul((*factors[:i], right, left, *factors[i + 2 :]))
        case Atom(symbol, indices):
            for i, index in enumerate(indices):
                moved = Atom(symbol, (*indices[:i], index + 1, *indices[i + 1 :]))
                yield f"{text(moved)} for {text(x)}", moved
        case Transpose(of) if of.shape == x.shape:
            yield f"no transpose of {text(of)}", of
        case Sum() | Prod():
            yield f"one index fewer at the start of {text(x)}", replace(x, lo=x.lo + 1)
            yield f"one index more at the end of {text(x)}", replace(x, hi=x.hi + 1)


def _fits(left: Term, right: Term) -> bool:
    return left.shape[1] == right.shape[0] and left.shape[0] == right.shape[1]


def _negative(t: Term) -> Term:
    minus = Num(Fraction(-1))
    if isinstance(t, Mul) and t.factors[0] == minus and len(t.factors) > 1:
        return t.factors[1] if len(t.factors) == 2 else Mul(t.factors[1:])
    return Mul((minus, t))


# ---------------------------------------------------------------------------------------------------- of layers
def source_mutants(function: Callable[..., Any]) -> Iterator[tuple[str, CodeType]]:
    """The function's code with one sign, one term or the order of one product broken in its source."""
    source = textwrap.dedent(inspect.getsource(function))
    for i, site in enumerate(_arithmetic(ast.parse(source))):
        for j, (what, _) in enumerate(_broken(site)):
            tree = ast.parse(source)
            old = list(_arithmetic(tree))[i]
            _Swap(old, list(_broken(old))[j][1]).visit(tree)
            yield f"{function.__name__}: {what}", _compiled(tree, function)


def _compiled(tree: ast.Module, function: Callable[..., Any]) -> CodeType:
    definition = cast(ast.FunctionDef, tree.body[0])
    definition.decorator_list = []
    namespace = dict(function.__globals__)
    exec(compile(ast.fix_missing_locations(tree), f"<mutant of {function.__name__}>", "exec"), namespace)
    return cast(CodeType, namespace[definition.name].__code__)


@contextmanager
def swapped(function: Callable[..., Any], code: CodeType) -> Iterator[None]:
    """Within the block, every caller of the function runs `code` instead."""
    original = function.__code__
    function.__code__ = code
    try:
        yield
    finally:
        function.__code__ = original


def _arithmetic(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of arithmetic on values, not on positions: subscripts, annotations and keywords are left alone."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("slice", "annotation", "returns", "keywords", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_position(child):
                yield from _arithmetic(child)


def _is_position(node: ast.AST) -> bool:
    """-1 and the like, which name a dimension."""
    return isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)


def _broken(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            for new in (ast.BinOp(left, other, right), left, right):
                yield f"{ast.unparse(new)} for {ast.unparse(node)}", new
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            new = ast.BinOp(right, ast.MatMult(), left)
            yield f"{ast.unparse(new)} for {ast.unparse(node)}", new
        case ast.Call(func=ast.Name(id="product"), args=[left, right]):
            new = ast.Call(node.func, [right, left], [])
            yield f"{ast.unparse(new)} for {ast.unparse(node)}", new
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield f"{ast.unparse(operand)} for {ast.unparse(node)}", operand


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)
