"""The constructed models, one function each, with where the construction comes from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import mpmath
from sympy import QQ, sqrt

from ssmverify.tracking.automata import named
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.group import Group, Permutation, from_permutations
from ssmverify.tracking.models.models import DIGITS, RATIONAL, Column, Exact, Field, Matrix, Model

ONE, ZERO = QQ(1), QQ(0)


def roots_of_unity(order: int) -> tuple[Field, list[Any]]:
    """A field, and ζ^0, ..., ζ^(order - 1) in it, ζ = exp(2πi / order)."""
    if order <= 2:
        return RATIONAL, [ONE, -ONE][:order]
    domain = QQ.cyclotomic_field(order)
    powers = [domain.one]
    while len(powers) < order:
        powers.append(powers[-1] * domain.unit)
    with mpmath.workdps(DIGITS):
        return Field(domain, mpmath.expjpi(mpmath.mpf(2) / order)), powers


def single(automaton: Automaton, layer: Exact) -> Model:
    """A model of one layer, whose states are the automaton's."""
    return Model(automaton, (layer,), tuple((q,) for q in range(automaton.states)))


# ------------------------------------------------------------------------------------------------- one channel
def parity() -> Model:
    """h = -h + 1 at a 1: the state flips between 0 and 1 (Grazzi et al. 2025, after Theorem 1)."""
    layer = Exact(RATIONAL, [[[ONE]], [[-ONE]]], [[ZERO], [ONE]], inputs=[[[ZERO]], [[ONE]]])
    return single(named.parity(), layer)


def flip_flop() -> Model:
    """Gates that are exactly 1, to keep the bit, and exactly 0, to write it (Sarrof, Veitsman, Hahn 2024)."""
    gates, inputs = [[[ONE]], [[ZERO]], [[ZERO]]], [[[ZERO]], [[ZERO]], [[ONE]]]
    return single(named.flip_flop(), Exact(RATIONAL, gates, [[ZERO], [ONE]], inputs=inputs))


def rotation(m: int) -> Model:
    """The sum modulo m by one complex channel: the letter g turns it by 2π g / m."""
    return channels((m,))


def channels(orders: Sequence[int]) -> Model:
    """The sum modulo the product of the orders, coprime, by a channel for each: the Chinese remainder theorem."""
    m = 1
    for order in orders:
        m *= order
    field, powers = roots_of_unity(m)
    codes: list[Column] = [[powers[g * (m // order) % m] for order in orders] for g in range(m)]
    group = named.group(f"Z{m}")
    automaton = group.cayley(range(m))
    return single(automaton, Exact(field, [[code] for code in codes], codes, real=m <= 2))


# ----------------------------------------------------------------------------------------------- reflections
def cyclic_reflections(m: int) -> Model:
    """The sum modulo m by reflections only, in two layers (Grazzi et al. 2025, Theorem 6).

    The first holds whether the time is even. The second, in the plane, reflects in the line at the angle (1 - 2g) π/2m
    at odd times and (1 + 2g) π/2m at even ones, which sends the angle φ to (1 ∓ 2g) π/m - φ: two of them turn by the
    sum of both letters.
    """
    field, turns = roots_of_unity(4 * m)  # 4 for i, 2m for the angles
    i, half = turns[m], field.domain.convert(QQ(1, 2))

    def angle(j: int) -> Column:
        """cos and sin of π j / m."""
        plus, minus = turns[2 * j % (4 * m)], turns[-2 * j % (4 * m)]
        return [(plus + minus) * half, (minus - plus) * i * half]

    def reflection(j: int) -> Matrix:
        cosine, sine = angle(j)
        return [[cosine, sine], [sine, -cosine]]

    time = Exact(RATIONAL, [[[-ONE]]] * m, [[ONE], [-ONE]])
    gates = [[reflection(1 - 2 * g), reflection(1 + 2 * g)] for g in range(m)]
    plane = Exact(field, gates, [angle(j) for j in range(2 * m)])
    # after an even time the sum s stands at the angle 2s π/m, after an odd one at (1 - 2s) π/m
    group = named.group(f"Z{m}")
    delta = tuple(
        tuple((q // m ^ 1) * m + (q + g) % m if q < m else (q - m + g) % m for q in range(2 * m)) for g in range(m)
    )
    automaton = Automaton(group.names, delta, name=f"Z{m} and the parity of time")
    codes = tuple((q // m, 2 * q % (2 * m) if q < m else (1 - 2 * (q - m)) % (2 * m)) for q in range(2 * m))
    return Model(automaton, (time, plane), codes)


def permutations(group: Group, letters: Sequence[int]) -> Model:
    """A permutation group by reflections: k = e_i - e_j swaps i and j, and a permutation is a product of swaps.

    The state is the permuted vector (1, ..., n); one swap for each letter that is one, n - 1 at most (Grazzi et al.
    2025, Theorem 3; Siems et al. 2025, arXiv 2502.10297, read in summary).
    """
    rows = [tuple(map(int, row)) for row in group.permutations]
    points: list[Column] = []
    for row in rows:
        column = [ZERO] * len(row)
        for i, image in enumerate(row):
            column[image] = QQ(i + 1)
        points.append(column)
    keys = [[_swap(i, j, len(rows[g])) for i, j in transpositions(rows[g])] for g in letters]
    gates = [[householder(each, len(rows[0]), QQ)] for each in keys]
    return single(group.cayley(letters), Exact(RATIONAL, gates, points, keys=keys))


def transpositions(permutation: Permutation) -> list[tuple[int, int]]:
    """Swaps whose product, the last on the left, is the permutation: one fewer than the length of each cycle."""
    swaps, seen = [], set[int]()
    for point in range(len(permutation)):
        image = permutation[point]
        while point not in seen and image != point:
            swaps.append((point, image))
            seen.add(image)
            image = permutation[image]
        seen.add(point)
    return swaps


def _swap(i: int, j: int, n: int) -> Column:
    return [ONE if p == i else -ONE if p == j else ZERO for p in range(n)]


def householder(keys: Sequence[Column], n: int, domain: Any) -> Matrix:
    """The product of the reflections I - 2 k k' / k'k, the last on the left."""
    A = [[domain.one if i == j else domain.zero for j in range(n)] for i in range(n)]
    for k in keys:
        scale = domain.convert(QQ(2)) / sum((x * x for x in k), domain.zero)
        read = [sum((k[i] * A[i][j] for i in range(n)), domain.zero) for j in range(n)]
        A = [[A[i][j] - scale * k[i] * read[j] for j in range(n)] for i in range(n)]
    return A


# ---------------------------------------------------------------------------------------------- the icosahedron
@cache
def icosahedral() -> Model:
    """A5 by two reflections in R^3 for each letter: the rotations of the icosahedron, exactly over Q(√5).

    Generated by a rotation of order 3, which permutes the axes, and one of order 5. The state is the rotated vector
    (1, 2, 4), which no rotation but the identity fixes. (Siems et al. 2025, arXiv 2502.10297, read in summary: their
    Theorem has A5 at two reflections and keys in R^3; the matrices are ours.)
    """
    domain = QQ.algebraic_field(sqrt(5))
    one, zero, half = domain.one, domain.zero, domain.convert(QQ(1, 2))
    golden = (one + domain.unit) * half
    third: Matrix = [[zero, zero, one], [one, zero, zero], [zero, one, zero]]
    inverse = golden - one
    fifth = [
        [half * x for x in row] for row in ([one, -golden, inverse], [golden, inverse, -one], [inverse, one, golden])
    ]
    elements, moves = _generated([third, fifth], domain)
    group = from_permutations(moves, "A5, rotations of the icosahedron")
    rotations = [elements[int(p[0])] for p in group.permutations]  # each sends the identity to itself
    seen: Column = [one, domain.convert(QQ(2)), domain.convert(QQ(4))]
    points = [[sum((x * y for x, y in zip(row, seen, strict=True)), zero) for row in M] for M in rotations]
    keys = [_two_keys(M, domain) for M in rotations]
    gates = [[householder(each, 3, domain)] for each in keys]
    with mpmath.workdps(DIGITS):
        field = Field(domain, mpmath.sqrt(5))
    return single(group.cayley(range(group.order)), Exact(field, gates, points, keys=keys))


def _two_keys(M: Matrix, domain: Any) -> list[Column]:
    """Keys of two reflections whose product is the rotation; none for the identity.

    A rotation that moves e to Me is the reflection in Me - e after one that fixes e (Cartan and Dieudonné).
    """
    n = range(len(M))
    moved = next((j for j in n if M[j][j] != domain.one), None)
    if moved is None:
        return []
    second = [M[i][moved] - (domain.one if i == moved else domain.zero) for i in n]
    rest = _multiply(
        householder([second], len(M), domain), M, domain
    )  # a reflection I - 2 k k'/k'k: its key is a column of I - it
    columns = ([(domain.one if i == j else domain.zero) - rest[i][j] for i in n] for j in n)
    return [next(column for column in columns if any(column)), second]


def _generated(generators: Sequence[Matrix], domain: Any) -> tuple[list[Matrix], list[list[int]]]:
    """All products, the identity first; and how each generator permutes them from the left."""
    elements = [householder([], len(generators[0]), domain)]
    place = {_key(elements[0]): 0}
    moves: list[list[int]] = [[] for _ in generators]
    for M in elements:  # grows while it is read
        for generator, move in zip(generators, moves, strict=True):
            new = _multiply(generator, M, domain)
            if _key(new) not in place:
                place[_key(new)] = len(elements)
                elements.append(new)
            move.append(place[_key(new)])
    return elements, moves


def _key(M: Matrix) -> tuple[Any, ...]:
    return tuple(x for row in M for x in row)


def _multiply(a: Matrix, b: Matrix, domain: Any) -> Matrix:
    columns = list(zip(*b, strict=True))
    return [[sum((x * y for x, y in zip(row, column, strict=True)), domain.zero) for column in columns] for row in a]


# -------------------------------------------------------------------------------------------- any automaton
def one_hot(automaton: Automaton) -> Model:
    """Any automaton by column-one-hot transitions: the state is the unit vector of the automaton's."""
    n = automaton.states
    gates = [[[[ONE if row[q] == p else ZERO for q in range(n)] for p in range(n)]] for row in automaton.delta]
    points = [[ONE if p == q else ZERO for p in range(n)] for q in range(n)]
    return single(automaton, Exact(RATIONAL, gates, points))
