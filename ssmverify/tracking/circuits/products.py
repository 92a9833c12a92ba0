"""Sums of products by threshold gates: N = sum of constant * factor * ... * factor, each factor read from a letter.

What carries both ways is that any function of a number held in unary is linear in its wires (`Unary.map`), so that a
power of a generator, a residue, and N = Y - M #{k: Y >= k M} cost no gates: they are weights of the next layer.

`congruent` and `remainder` take the Chinese remainders (the route of Hesse, Allender and Barrington 2002): modulo an
odd prime a product is a power of a generator of the units, so that counting discrete logarithms gives its residue.
`by_counting` has one counter for each value that a product can take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from ssmverify.tracking.circuits.circuit import Circuit, Linear, combination, constant

Letter = tuple[Linear, ...]  # for each letter of an alphabet, a form that is 1 if it is read and else 0


class Factor(NamedTuple):
    """An integer that depends on one letter."""

    letter: Letter
    values: tuple[int, ...]


class Product(NamedTuple):
    """constant * the factors."""

    constant: int
    factors: tuple[Factor, ...]


# ------------------------------------------------------------------------------------------- Chinese remainders
class Congruent(NamedTuple):
    """A form with values in 0..top, congruent modulo M to a number in 0..M-1."""

    form: Linear
    M: int
    top: int


def congruent(
    circuit: Circuit, products: Callable[[int], list[Product]], primes: Sequence[int], low: int, *, reduce: bool
) -> Congruent:
    """N - low, where the sum of products(q) is N modulo each of the primes, and 0 <= N - low < M, their product.

    One layer above the letters; two with `reduce`, which makes the form's values fewer.
    """
    M = math.prod(primes)
    parts, top = [(1, constant(-low % M))], -low % M
    for q in primes:
        inverse = pow(M // q, -1, q)
        shares = [Product(p.constant * inverse % q, p.factors) for p in products(q)]
        form, values = _residue(circuit, shares, q)  # N / (M / q) modulo q
        if reduce:
            form, values = circuit.unary(form, [(r % q, r) for r in values]).form, range(q)
        parts.append((M // q, form))
        top += M // q * values[-1]
    return Congruent(combination(parts), M, top)


def remainder(circuit: Circuit, Y: Congruent) -> Linear:
    """The number itself; one more layer, which finds the multiple of M to take off."""
    multiple = circuit.unary(Y.form, [(k, k) for k in range(0, Y.top + 1, Y.M)])
    return combination([(1, Y.form), (-1, multiple.form)])


def _residue(circuit: Circuit, products: Sequence[Product], q: int) -> tuple[Linear, Sequence[int]]:
    """The sum of the products' residues modulo q, and the values it can take."""
    units = units_modulo(q)

    def log(value: int) -> int | None:
        return units.logs.get(value % q)

    def antilog(total: int) -> int:
        return units.powers[total % (q - 1)]

    residues = [_counted(circuit, product, log, antilog) for product in products]
    values = sums(tuple(possible for _, possible in residues))
    return combination((1, form) for form, _ in residues), sorted(values)


class Units(NamedTuple):
    """The units modulo a prime as the powers of a generator, and their logarithms."""

    powers: tuple[int, ...]
    logs: dict[int, int]


@cache
def units_modulo(q: int) -> Units:
    """By the least generator."""
    for g in range(1, q):
        powers = tuple(pow(g, s, q) for s in range(q - 1))
        if len(set(powers)) == q - 1:
            return Units(powers, {unit: s for s, unit in enumerate(powers)})
    raise ValueError(f"{q} is not a prime")


def odd_primes(limit: int, step: int = 2) -> list[int]:
    """The first primes that are 1 modulo the step, as many as it takes for their product to exceed the limit."""
    primes: list[int] = []
    q = 1
    while math.prod(primes) <= limit:
        q += step
        if all(q % r for r in range(3, math.isqrt(q) + 1, 2)):
            primes.append(q)
    return primes


# --------------------------------------------------------------------------------------------------- counting
def by_counting(circuit: Circuit, products: Sequence[Product]) -> Linear:
    """The sum of the products as a linear form; one layer above the letters, none if each has at most one factor.

    A product is known by how often each prime divides it and how many of its factors are negative; these counts are
    added as the digits of one number.
    """
    linear = [(p.constant, _read(*p.factors, p.factors[0].values)) for p in products if len(p.factors) == 1]
    products = [product for product in products if len(product.factors) != 1]
    values = {v for product in products for f in product.factors for v in f.values if v}
    primes = sorted({q for v in values for q in _prime_divisors(abs(v))})
    largest = max((_multiplicity(v, q) for v in values for q in primes), default=1)
    radix = max((len(product.factors) for product in products), default=1) * max(largest, 1) + 1

    def code(value: int) -> int | None:
        if value == 0:
            return None
        total = int(value < 0)
        for q in primes:
            total = total * radix + _multiplicity(value, q)
        return total

    def decoded(total: int) -> int:
        size = 1
        for q in reversed(primes):
            total, multiplicity = divmod(total, radix)
            size *= q**multiplicity
        return -size if total % 2 else size

    counted = [(p.constant, _counted(circuit, Product(1, p.factors), code, decoded)[0]) for p in products]
    return combination([*linear, *counted])


def _prime_divisors(value: int) -> set[int]:
    return {q for q in range(2, value + 1) if value % q == 0 and all(q % r for r in range(2, q))}


def _multiplicity(value: int, q: int) -> int:
    count = 0
    while value % q == 0:
        value, count = value // q, count + 1
    return count


# ------------------------------------------------------------------------------------- one counter for a product
def _counted(
    circuit: Circuit, product: Product, code: Callable[[int], int | None], decode: Callable[[int], int]
) -> tuple[Linear, frozenset[int]]:
    """A product as a linear form, with the values it can take, by counters that add the codes of its factors.

    code: adds up over products, is not negative, and None for zero; decode: the value of a product from its code.
    """
    start = code(product.constant)
    codes = [[code(value) for value in factor.values] for factor in product.factors]
    choices = tuple(frozenset(c for c in row if c is not None) for row in codes)
    if start is None or not all(choices):
        return constant(0), frozenset([0])
    totals = sorted(start + total for total in sums(choices))
    steps = [(0, -1)] * any(None in row for row in codes) + [(decode(total), total) for total in totals]
    possible = frozenset(value for value, _ in steps)
    if len(codes) == 1:  # linear in its letter as it is
        return _read(product.factors[0], [0 if c is None else decode(start + c) for c in codes[0]]), possible
    off = totals[-1] + 1  # what a zero factor takes away: then no counter fires
    added = [
        _read(factor, [-off if c is None else c for c in row])
        for factor, row in zip(product.factors, codes, strict=True)
    ]
    form = combination((1, part) for part in (*added, constant(start)))
    return circuit.unary(form, steps).form, possible


def _read(factor: Factor, images: Sequence[int]) -> Linear:
    """The image of the letter that is read."""
    return combination(zip(images, factor.letter, strict=True))


@lru_cache(maxsize=2**12)
def sums(choices: tuple[frozenset[int], ...]) -> frozenset[int]:
    """Every sum of one number from each set."""
    if not choices:
        return frozenset([0])
    return frozenset(a + b for a in sums(choices[:-1]) for b in choices[-1])
