"""Compiles a fixed-point model into a threshold circuit: its exact-then-cast output, for words of n tokens.

`residues`: depth 6 for every n, size polynomial in n and 2**p, so in n for p = O(log n).

    depth 1  the letters of the tokens, one-hot                              [letter = v]
    depth 2  for each term j and each prime q, its discrete logarithm        [log (2**(p (j-1)) beta_j alpha ...) >= s]
    depth 3  for each q the sum of the residues                              [residues >= u]
    depth 4  which multiple of M, the product of the primes, to take off     [Y >= k M]
    depth 5  the cast output, in unary                                       [N >= least numerator that gives v]
    depth 6  its bits

`shallow`: depth 4. The sums of residues are not reduced, and the output is read off from Y at once: layers 3, 4 and 5
in one, of polynomially many gates still, with more and heavier wires.

`counting`: depth 4, without residues. One counter for each value a product can take: few when the decays are powers of
two (a product is a shift), polynomially many in n for any fixed tables, but 2**p is in the exponent. A term with one
varying factor needs no counter, so a time-invariant model has depth 3.

Tokens that arrive one-hot save the first layer. Stacked layers share what is in between: each further one adds two
less than its depth, for its letters are functions of an output in unary, not of bits.

A gate or an input is any table over the letters. Outputs are in fixed point: floats, with exponents of their own, are
not compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ssmverify.tracking.circuits.circuit import Bits, Circuit, Linear, Unary, constant, wire
from ssmverify.tracking.circuits.fixed_point import CASTS, Letters, Model, Term
from ssmverify.tracking.circuits.products import Factor, Letter, Product, by_counting, congruent, odd_primes, remainder

METHODS = ("residues", "shallow", "counting")
Lookup = Callable[[int], tuple[int, ...]]


def compile_model(
    model: Model, n: int, *, method: str = "residues", cast: str = "floor", one_hot: bool = False
) -> Circuit:
    """The circuit of one layer; see `compile_stack`."""
    return compile_stack([model], [], n, method=method, cast=cast, one_hot=one_hot)


def compile_stack(
    models: Sequence[Model],
    lookups: Sequence[Lookup],
    n: int,
    *,
    method: str = "residues",
    cast: str = "floor",
    one_hot: bool = False,
) -> Circuit:
    """The circuit for the last output of stacked layers on words of n tokens.

    models: from the lowest layer up; lookups: between two of them, from the cast output to the letters of the token
    that the upper layer reads at that time. method: one of METHODS. cast: one of CASTS. one_hot: tokens arrive one-hot,
    not in binary. The inputs are as `encode` gives them; the outputs are the bits of y_n * 2**p, lowest first, with a
    sign bit of two's complement if the upper layer's bounds allow a negative N. Raises ValueError.
    """
    if method not in METHODS or cast not in CASTS or n < 1:
        raise ValueError(
            f"no circuit with method {method!r}, cast {cast!r} and {n} tokens: {METHODS}, {(*CASTS,)}, n >= 1"
        )
    circuit, tokens = _inputs(models[0].alphabets, n, one_hot)
    for model, lookup, above in zip(models[:-1], lookups, models[1:], strict=True):
        outputs = [_output(circuit, model, tokens[:t], method, cast) for t in range(1, n + 1)]
        tokens = [_translated(output, lookup, above.alphabets) for output in outputs]
    output = _output(circuit, models[-1], tokens, method, cast)
    width = max(value.bit_length() for value in output.values) + (models[-1].bounds(n)[0] < 0) or 1
    bits = [output.map(lambda value, i=i: value >> i & 1) for i in range(width)]  # type: ignore[misc]
    circuit.outputs = tuple(circuit.compare(bit, [1])[0] for bit in bits)
    return circuit.trimmed()  # of the letters that no term asks for


def encode(model: Model, letters: Letters, *, one_hot: bool = False) -> Bits:
    """The input bits of words: (batch, time, field) -> (batch, inputs)."""
    columns = []
    for t in range(letters.shape[1]):
        for field, size in enumerate(model.alphabets):
            codes = np.array(_codes(size, one_hot), bool)
            columns.append(codes[letters[:, t, field]])
    return np.concatenate(columns, axis=1)


def decode(bits: Bits, signed: bool) -> list[int]:
    """The integers that rows of output bits stand for."""
    weights = [2**i for i in range(bits.shape[1])]
    if signed:
        weights[-1] *= -1
    return [sum(w for w, bit in zip(weights, row, strict=True) if bit) for row in bits.tolist()]


def _codes(size: int, one_hot: bool) -> list[list[bool]]:
    width = size if one_hot else max((size - 1).bit_length(), 1)
    return [[v == i if one_hot else bool(v >> i & 1) for i in range(width)] for v in range(size)]


def _inputs(alphabets: Sequence[int], n: int, one_hot: bool) -> tuple[Circuit, list[list[Letter]]]:
    """A circuit that has read n tokens letter by letter; in binary, a letter is a gate on its bits."""
    widths = [len(_codes(size, one_hot)[0]) for size in alphabets]
    circuit = Circuit(n * sum(widths))
    tokens, first = [], 0
    for _ in range(n):
        token = []
        for size, width in zip(alphabets, widths, strict=True):
            wires, first = range(first, first + width), first + width
            if one_hot:
                token.append(tuple(wire(w) for w in wires))
            else:
                token.append(tuple(_minterm(circuit, wires, code) for code in _codes(size, False)))
        tokens.append(token)
    return circuit, tokens


def _minterm(circuit: Circuit, wires: Sequence[int], code: Sequence[bool]) -> Linear:
    """Whether the wires carry exactly this code."""
    form = Linear({w: 1 if bit else -1 for w, bit in zip(wires, code, strict=True)})
    return wire(*circuit.compare(form, [sum(code)]))


def _translated(output: Unary, lookup: Lookup, alphabets: Sequence[int]) -> list[Letter]:
    """The token that the layer above reads: no gates, for a letter is a function of the output."""
    return [
        tuple(output.map(lambda value, f=f, v=v: lookup(value)[f] == v) for v in range(size))  # type: ignore[misc]
        for f, size in enumerate(alphabets)
    ]


# ---------------------------------------------------------------------------------------- one layer, one output
def _output(circuit: Circuit, model: Model, tokens: Sequence[Sequence[Letter]], method: str, cast: str) -> Unary:
    """y_n * 2**p after the tokens, in unary."""
    low, high = model.bounds(len(tokens))

    def products(q: int | None = None) -> list[Product]:
        return [_product(term, tokens) for term in model.terms(len(tokens), q)]

    steps = _steps(low, high, 2 ** (model.p * (len(tokens) - 1)), cast)
    if method == "counting":
        N = by_counting(circuit, products())
    else:
        primes = odd_primes(high - low, model.step)
        Y = congruent(circuit, products, primes, low, reduce=method == "residues")
        if method == "shallow":  # the steps again for each multiple of M
            return circuit.unary(Y.form, [(v, k + N - low) for k in range(0, Y.top + 1, Y.M) for v, N in steps])
        N = remainder(circuit, Y) + constant(low)
    return circuit.unary(N, steps)


def _steps(low: int, high: int, d: int, cast: str) -> list[tuple[int, int]]:
    """The integers that numerators from low to high over d are cast to, each with the least numerator for it."""
    least = {v: LEAST[cast](v, d) for v in range(low // d, high // d + 2)}
    lowest = max(v for v in least if least[v] <= low)
    return [(lowest, low), *((v, N) for v, N in least.items() if low < N <= high)]


def _product(term: Term, tokens: Sequence[Sequence[Letter]]) -> Product:
    """The term, with the factors that do not vary multiplied into its constant."""
    fixed = [table.values[0] for _, table in term.factors if len(set(table.values)) == 1]
    varying = [
        Factor(tokens[time - 1][table.field], table.values)
        for time, table in term.factors
        if len(set(table.values)) > 1
    ]
    return Product(term.constant * math.prod(fixed), tuple(varying))


def _nearest_even(v: int, d: int) -> int:
    half = (2 * v - 1) * d  # twice the numerator of v - 1/2, where v begins if it is even
    return half // 2 + (v % 2) if half % 2 == 0 else (half + 1) // 2


LEAST: dict[str, Callable[[int, int], int]] = {  # the least numerator over d that is cast to v or more
    "floor": lambda v, d: v * d,
    "nearest-even": _nearest_even,
}
