"""A layer that is to compute what a claim says: its inputs, its exact run and its bound, derived.

The parameters of the function are the claim's symbols, by name (`beta` is β, `h0` is h at 0): a tensor (batch, time,
...) for a family over time, (batch, ...) for its start, no batch for a symbol without index. What the claim's
hypotheses define, by a start and a step or outright, is run over the rationals on the very floats of the inputs. This
is not circular: the exact run comes from the claim, the layer is written by hand, and neither sees the other.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from hypothesis import assume
from hypothesis import strategies as st
from torch import Tensor

from proofs.kernel import Claim, Point, Table, Undecidable, evaluate, holds, position
from proofs.printing import GREEK
from proofs.terms import And, Atom, Eq, ForAll, Formula, Index, Le, Lt, Symbol, Term, free_indices, size, symbols, term
from ssmverify.bounds.layers import layer_bound
from ssmverify.errors import BadInput
from ssmverify.rows import Layer
from ssmverify.strategies import exact, floats, tensors

LONGEST, WIDEST, BATCHES = 6, 3, 2
HERE = size("now")
SPELT = {name: letter for letter, name in GREEK.items()}

Output = Term | Callable[[Index], Term]


@dataclass(frozen=True)
class Computes:
    """That `run` computes `outputs`: a function of the time for one with a time axis, a term for one without.

    takes: symbols, or their values at a constant index, for parameters that are not called like them. first: the time
    of the first step. formulas: the functions whose every sign the harness breaks; `run` itself if not given.
    """

    run: Callable[..., Any]
    outputs: Output | tuple[Output, ...]
    takes: Mapping[str, Symbol | Term] = field(default_factory=dict)
    first: int = 1
    formulas: tuple[Callable[..., Any], ...] | None = None
    bound: Callable[..., tuple[Tensor, ...]] | None = None
    dtypes: tuple[str, ...] = ("float32", "float64")
    reaches: float = 0.1
    loose: str = ""

    def layer(self, claim: Claim) -> Layer:
        """The layer of a row with this claim."""
        return Layer(
            name=f"{self.run.__module__}.{self.run.__name__}",
            run=self._outputs,
            exact=_Exactly(self, claim).run,
            bound=self.bound or layer_bound(self._outputs),
            inputs=lambda dtype: _inputs(self, claim, dtype),
            formulas=(self.run,) if self.formulas is None else self.formulas,
            dtypes=self.dtypes,
            reaches=self.reaches,
            loose=self.loose,
        )

    def _outputs(self, **inputs: Any) -> tuple[Tensor, ...]:
        found = self.run(**inputs)
        return found if isinstance(found, tuple) else (found,)

    def arguments(self, claim: Claim) -> dict[str, Atom]:
        """What of the claim each parameter is: a family at `now`, its start, or a symbol."""
        known = {s.name: s for s in symbols(claim.sequent)}
        found = {}
        for name in inspect.signature(self.run).parameters:
            what = self.takes.get(name) or _named(name, known)
            if what is None:
                raise BadInput(
                    f"{claim.name}: the parameter {name} of {self.run.__name__} is called like no symbol of the claim "
                    f"({', '.join(sorted(known))}): name it in takes={{{name!r}: ...}}."
                )
            found[name] = cast(Atom, what(*(HERE,) * what.arity) if isinstance(what, Symbol) else what)
        return found


def _named(name: str, known: Mapping[str, Symbol]) -> Symbol | Term | None:
    if symbol := known.get(SPELT.get(name, name)):
        return symbol
    base = known.get(SPELT.get(name[:-1], name[:-1])) if name.endswith("0") else None
    return base(0) if base is not None and base.arity == 1 else None


@dataclass(frozen=True)
class Lazy(Table):
    """A family whose members are computed when they are asked for."""

    member: Callable[[tuple[int, ...]], Any] = lambda _: None

    def __getitem__(self, indices: tuple[int, ...]) -> Any:
        return self.member(indices)


class _Exactly:
    """The claim's own computation, over the rationals."""

    def __init__(self, what: Computes, claim: Claim):
        self.what, self.claim, self.arguments = what, claim, what.arguments(claim)
        self.defined = [eq for h in claim.hypotheses.values() for eq in _equations(h)]

    def run(self, **inputs: Any) -> tuple[Any, ...]:
        values = {name: exact(x) for name, x in inputs.items()}
        batched = [len(values[name]) for name, atom in self.arguments.items() if atom.symbol.arity]
        results = [self._one(values, b) for b in range(batched[0])] if batched else [self._one(values, None)]
        stacked = [np.array([r[k] for r in results], dtype=object) for k in range(len(results[0]))]
        return tuple(stacked if batched else [x[0] for x in stacked])

    def _one(self, values: Mapping[str, Any], b: int | None) -> list[Any]:
        """The outputs for one sequence of the batch."""
        point: dict[str, Any] = {}
        starts: dict[str, Any] = {}
        steps = 0
        for name, atom in self.arguments.items():
            symbol, value = atom.symbol, values[name] if atom.symbol.arity == 0 or b is None else values[name][b]
            if atom.indices == (HERE,):
                steps = len(value)
                members = [_shaped(symbol, x) for x in value]
                point[symbol.name] = Table(
                    {(t + self.what.first,): x for t, x in enumerate(members)},
                    members[-1] if members else None,
                )
                _sizes(symbol, np.shape(value)[1:], point)
            elif atom.indices:
                starts[symbol.name] = (atom.indices, _shaped(symbol, value))
                _sizes(symbol, np.shape(value), point)
            else:
                point[symbol.name] = _shaped(symbol, value)
                _sizes(symbol, np.shape(value), point)
        for symbol in symbols(self.claim.sequent):
            if symbol.name not in point:
                point[symbol.name] = self._defined(symbol, point, starts.get(symbol.name))
        return [self._output(out, point, steps) for out in _tuple(self.what.outputs)]

    def _output(self, out: Output, point: Point, steps: int) -> Any:
        if isinstance(out, Term):
            return _bare(evaluate(out, point))
        first = self.what.first
        rows = [_bare(evaluate(out(Index((), t)), point)) for t in range(first, first + steps)]
        return np.array(rows, dtype=object)

    def _defined(self, symbol: Symbol, point: dict[str, Any], start: Any) -> Any:
        """What the hypotheses define a symbol to be: by an equation, or by a start and a step."""
        if not symbol.arity:
            for lhs, rhs, bound in self.defined:
                if lhs.symbol == symbol and not bound:
                    return evaluate(rhs, point)
            return None
        known: dict[tuple[int, ...], Any] = {}

        def member(at: tuple[int, ...]) -> Any:
            if at not in known:
                known[at] = self._member(symbol, at, point, start)
            return known[at]

        return Lazy({}, None, member)

    def _member(self, symbol: Symbol, at: tuple[int, ...], point: dict[str, Any], start: Any) -> Any:
        if start is not None and tuple(i.constant for i in start[0]) == at:
            return start[1]
        for lhs, rhs, bound in self.defined:
            if lhs.symbol == symbol:
                shift = lhs.indices[0]
                if not bound and tuple(position(i, point) for i in lhs.indices) == at:
                    return evaluate(rhs, point)
                if bound and at[0] - shift.constant >= 0:
                    return evaluate(rhs, {**point, HERE.name: at[0] - shift.constant})
        raise Undecidable(f"no hypothesis of {self.claim.name} says what {symbol.name} is at {at}")


def _equations(h: Formula) -> list[tuple[Atom, Term, bool]]:
    """The definitions in a hypothesis: atom = term, and whether for every `now`."""
    bound = isinstance(h, ForAll)
    body = h.at(HERE) if isinstance(h, ForAll) else h
    parts = body.parts if isinstance(body, And) else (body,)
    return [(p.lhs, p.rhs, bound) for p in parts if isinstance(p, Eq) and isinstance(p.lhs, Atom)]


def _tuple(outputs: Output | tuple[Output, ...]) -> tuple[Output, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def _shape(symbol: Symbol, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The axes of one member: none of a scalar, one of a column, two of a matrix."""
    rows, columns = position(symbol.rows, sizes), position(symbol.columns, sizes)
    if symbol.is_scalar:
        return ()
    return (rows,) if symbol.columns == Index((), 1) else (rows, columns)


def _shaped(symbol: Symbol, value: Any) -> Any:
    """A member as the kernel has it: a column is n by 1."""
    if symbol.is_scalar:
        return value if not isinstance(value, np.ndarray) else value[()]
    return value.reshape(-1, 1) if symbol.columns == Index((), 1) else value


def _bare(value: Any) -> Any:
    """A member as the layer has it: a column has one axis."""
    return value[:, 0] if isinstance(value, np.ndarray) and value.shape[1] == 1 else value


def _sizes(symbol: Symbol, shape: tuple[int, ...], point: dict[str, Any]) -> None:
    for side, count in zip((symbol.rows, symbol.columns), shape, strict=False):
        if side.coefficients:
            point[side.name] = count


@st.composite
def _inputs(draw: st.DrawFn, what: Computes, claim: Claim, dtype: torch.dtype) -> dict[str, Tensor]:
    """Inputs of small sizes at which what the hypotheses say of them holds."""
    arguments = what.arguments(claim)
    sizes = {
        name: draw(st.integers(1, WIDEST)) for name in sorted(free_indices(tuple(a.symbol for a in arguments.values())))
    }
    batch, T = draw(st.integers(1, BATCHES)), draw(st.integers(1, LONGEST))
    nonnegative = {s for h in claim.hypotheses.values() for s in _not_negative(h)}
    found = {}
    for name, atom in arguments.items():
        entries = floats(dtype).map(abs) if atom.symbol in nonnegative else floats(dtype)
        lead = () if not atom.symbol.arity else (batch, T) if HERE.name in free_indices(atom.indices) else (batch,)
        found[name] = draw(tensors((*lead, *_shape(atom.symbol, sizes)), dtype, entries))
    assume(_met(claim, arguments, found, sizes, what.first))
    return found


def _not_negative(h: Formula) -> list[Symbol]:
    body = h.at(HERE) if isinstance(h, ForAll) else h
    parts = body.parts if isinstance(body, And) else (body,)
    return [p.rhs.symbol for p in parts if isinstance(p, Le | Lt) and p.lhs == term(0) and isinstance(p.rhs, Atom)]


def _met(claim: Claim, arguments: Mapping[str, Atom], found: Mapping[str, Tensor], sizes: Point, first: int) -> bool:
    """Whether the hypotheses that speak of inputs alone hold, for every sequence of the batch."""
    given = {atom.symbol for atom in arguments.values() if atom.indices in ((), (HERE,))}
    about = [h for h in claim.hypotheses.values() if symbols(h) <= given and not isinstance(h, Eq)]
    values = {name: exact(x) for name, x in found.items()}
    batch = max((len(values[n]) for n, a in arguments.items() if a.symbol.arity), default=1)
    for b in range(batch):
        point = dict(sizes)
        for name, atom in arguments.items():
            if atom.indices == (HERE,):
                members = [_shaped(atom.symbol, x) for x in values[name][b]]
                point[atom.symbol.name] = Table({(t + first,): x for t, x in enumerate(members)}, members[-1])
            elif not atom.indices:
                point[atom.symbol.name] = _shaped(atom.symbol, values[name])
        if not all(holds(h, point) for h in about):
            return False
    return True
