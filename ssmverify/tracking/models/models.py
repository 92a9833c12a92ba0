"""Models that are constructed to track an automaton: exact weights, and the same weights as floats for `numeric`.

Each layer has, for every letter and every joint state of the layers below, an exact transition and perhaps an input;
and a point for each of its states, the code of that state. The model tracks the automaton, over words of every length,
if each letter moves the code of each state to the code of the next (`tracking.simulation`): `Model.wrong_step` looks at
one such move. Entries are exact numbers in a sympy domain: rationals, Q(√5), cyclotomic fields.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import mpmath
import torch
from sympy import QQ
from torch import Tensor

from numeric.cascade import Layer, cascade
from numeric.householder import householder_product
from ssmverify.tracking.automata.automaton import Automaton

Column = list[Any]  # of elements of the layer's field
Matrix = list[list[Any]]
DIGITS = 40  # in which weights are evaluated before they are rounded to float64


@dataclass(frozen=True)
class Field:
    """A sympy domain, and the value of the root that it adjoins to the rationals, to `DIGITS` digits."""

    domain: Any
    root: Any = 0

    def value(self, element: Any) -> complex:
        """An element as a float; a part below 10^-30 is taken for the 0 that it is, but for the root's digits."""
        if self.domain is QQ:
            return complex(float(Fraction(int(element.numerator), int(element.denominator))))
        with mpmath.workdps(DIGITS):
            coefficients = [mpmath.mpf(int(c.numerator)) / int(c.denominator) for c in element.to_list()]
            return complex(mpmath.chop(mpmath.polyval(coefficients, self.root), mpmath.mpf(10) ** -30))


RATIONAL = Field(QQ)


@dataclass(frozen=True)
class Exact:
    """One layer: `gates[letter][below]` is a diagonal, or a matrix; `inputs` likewise; `points` the code of each state.

    With `keys[letter]`, the transition is the product of the reflections in them, the last on the left. `real` says
    that all entries are.
    """

    field: Field
    gates: list[list[Any]]
    points: list[Column]
    inputs: list[list[Column]] | None = None
    keys: list[list[Column]] | None = None
    real: bool = True

    def moved(self, letter: int, below: int, state: int) -> Column:
        """What the letter makes of the point of `state`, exactly."""
        gate, point, zero = self.gates[letter][below], self.points[state], self.field.domain.zero
        if isinstance(gate[0], list):
            after = [sum((a * x for a, x in zip(row, point, strict=True)), zero) for row in gate]
        else:
            after = [a * x for a, x in zip(gate, point, strict=True)]
        return after if self.inputs is None else [x + b for x, b in zip(after, self.inputs[letter][below], strict=True)]


@dataclass(frozen=True)
class Model:
    """Layers, lowest first; and for each state of the automaton the states of the layers that stand for it."""

    automaton: Automaton
    layers: tuple[Exact, ...]
    codes: tuple[tuple[int, ...], ...]

    def wrong_step(self, letter: int, state: int) -> str:
        """Empty if the letter moves the code of the state to the code of the next; else what it does, exactly."""
        before, after = self.codes[state], self.codes[self.automaton.delta[letter][state]]
        for i, layer in enumerate(self.layers):
            found, wanted = layer.moved(letter, self._joint(before[:i]), before[i]), layer.points[after[i]]
            if found != wanted:
                where = f"layer {i + 1}, state {state}, letter {self.automaton.letters[letter]}"
                return f"{where}: the code becomes {_show(found, layer)}, the next state's is {_show(wanted, layer)}"
        return ""

    def weights(self, dtype: torch.dtype) -> list[Layer]:
        """The weights for `numeric.cascade`, rounded to dtype, float32 or float64; complex where they are."""
        return [Layer(*(x.to(dtype if x.is_floating_point() else dtype.to_complex()) for x in w)) for w in self.wide]

    @cached_property
    def wide(self) -> list[Layer]:
        """The weights in float64, or complex128 where a layer has complex ones."""
        starts = self.codes[self.automaton.start]
        return [as_floats(layer, start) for layer, start in zip(self.layers, starts, strict=True)]

    def run(self, words: Tensor, dtype: torch.dtype) -> Tensor:
        """The automaton's states after each letter, (B, T), as the torch layers find them; -1 where they hold none."""
        return self.decode(cascade(words, self.weights(dtype)))

    def decode(self, joint: Tensor) -> Tensor:
        """The automaton's states of joint states of the layers."""
        table = torch.full((math.prod(len(layer.points) for layer in self.layers),), -1)
        table[[self._joint(code) for code in self.codes]] = torch.arange(len(self.codes))
        return table[joint]

    def _joint(self, states: Sequence[int]) -> int:
        joint = 0
        for state, layer in zip(states, self.layers, strict=False):
            joint = joint * len(layer.points) + state
        return joint

    def perturbed(self, by: Fraction = Fraction(1, 100)) -> Model:
        """The model with one weight moved: the first entry of the last layer's gate for the last letter."""
        layer = self.layers[-1]
        first, *others = layer.gates[-1][0]
        moved = layer.field.domain.convert(QQ(by.numerator, by.denominator))
        first = [first[0] + moved, *first[1:]] if isinstance(first, list) else first + moved
        gates = [*layer.gates[:-1], [[first, *others], *layer.gates[-1][1:]]]
        return replace(self, layers=(*self.layers[:-1], replace(layer, gates=gates, keys=None)))


# ------------------------------------------------------------------------------------------------- exact to float
def as_floats(layer: Exact, start: int) -> Layer:
    """The layer's weights in float64 or complex128, its state at the point `start`."""
    points, n = _tensor(layer.points, layer), len(layer.points[0])
    gates = _tensor(layer.gates, layer) if layer.keys is None else _reflections(layer, n).unsqueeze(1)
    inputs = points.new_zeros(*gates.shape[:2], n) if layer.inputs is None else _tensor(layer.inputs, layer)
    return Layer(gates, inputs, points[start], points)


def _tensor(entries: Any, layer: Exact) -> Tensor:
    def nested(x: Any) -> Any:
        return [nested(y) for y in x] if isinstance(x, list) else layer.field.value(x)

    found = torch.tensor(nested(entries), dtype=torch.complex128)
    return found.real if layer.real else found


def _reflections(layer: Exact, n: int) -> Tensor:
    """The transitions from unit keys of strength 2; letters with fewer keys than others get strength 0 for the rest."""
    assert layer.keys is not None
    most = max(map(len, layer.keys))
    k = torch.zeros(len(layer.keys), most, n, dtype=torch.float64)
    beta = torch.zeros(len(layer.keys), most, dtype=torch.float64)
    for letter, keys in enumerate(layer.keys):
        if keys:
            k[letter, : len(keys)] = torch.nn.functional.normalize(_tensor(keys, layer), dim=-1)
            beta[letter, : len(keys)] = 2
    return householder_product(k, beta)


def _show(column: Column, layer: Exact) -> str:
    values = [layer.field.value(x) for x in column]
    return "(" + ", ".join(f"{v.real:.6g}" if layer.real else f"{v:.6g}" for v in values) + ")"
