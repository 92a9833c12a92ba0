"""Generators of the groups that have names, each the images of the points 0, 1, ..., and their orders."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from ssmverify.errors import BadInput

Generators = list[list[int]]


class SmallGroup(NamedTuple):
    """A group of order 60 at most, by GAP's number and name; `derived_series` has the orders of G, G', ... in GAP."""

    order: int
    number: int
    name: str
    derived_series: tuple[int, ...]
    generators: Generators


def cyclic(m: int) -> Generators:
    return [[(i + 1) % m for i in range(m)]]


def symmetric(n: int) -> Generators:
    """The transposition (0 1) and the cycle (0 1 ... n-1)."""
    return [[1, 0, *range(2, n)], [*range(1, n), 0]] if n > 1 else [[0]]


def alternating(n: int) -> Generators:
    """The 3-cycles (0 1 k)."""
    return [[1, k, *(0 if i == k else i for i in range(2, n))] for k in range(2, n)] or [list(range(n))]


def dihedral(n: int) -> Generators:
    """The rotation and a reflection of the n-gon, 2n elements; n > 2."""
    return [[*range(1, n), 0], [-i % n for i in range(n)]]


def quaternion(order: int) -> Generators:
    """⟨a, b: a^2n = 1, b² = a^n, ba = a^-1 b⟩ acts from the left on a^i (0..2n-1) and a^i b (2n..); order 4n, n > 1."""
    m = order // 2
    a = [*((i + 1) % m for i in range(m)), *(m + (i + 1) % m for i in range(m))]
    b = [*(m + -i % m for i in range(m)), *((m // 2 - i) % m for i in range(m))]
    return [a, b]


def frobenius(order: int) -> Generators:
    """x -> x + 1 and x -> g x modulo the prime p, g of the order k: the order p k, k a divisor of p - 1."""
    p = _largest_prime(order)
    k = order // p
    g = next(g for g in range(1, p) if _order_modulo(g, p) == k)
    return [[(x + 1) % p for x in range(p)], [g * x % p for x in range(p)]]


def heisenberg(p: int) -> Generators:
    """Unitriangular 3 x 3 matrices modulo p, p³ of them, as (x, y) -> (x + 1, y) and (x, y + x) on p x + y."""
    points = [(x, y) for x in range(p) for y in range(p)]
    return [[(x + 1) % p * p + y for x, y in points], [x * p + (y + x) % p for x, y in points]]


def projective(q: int) -> Generators:
    """PSL(2, q), q prime: z -> z + 1 and z -> -1/z on 0..q-1 and infinity, which is q."""
    inverse = [q, *(-pow(z, -1, q) % q for z in range(1, q)), 0]
    return [[*((z + 1) % q for z in range(q)), q], inverse]


def special_linear(q: int) -> Generators:
    """SL(2, q), q prime: [[1, 1], [0, 1]] and [[0, -1], [1, 0]] on the vectors (x, y) but 0."""
    vectors = [(x, y) for x in range(q) for y in range(q)][1:]
    return [[(x + y) % q * q + y - 1 for x, y in vectors], [-y % q * q + x - 1 for x, y in vectors]]


MATHIEU: dict[str, tuple[Generators, int]] = {
    "M11": ([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0], [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7]], 7920),
    "M12": (
        [
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 11],
            [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7, 11],
            [11, 10, 5, 7, 8, 2, 9, 3, 4, 6, 1, 0],
        ],
        95040,
    ),
}


class Family(NamedTuple):
    """Groups of one kind: their generators and orders by an index, and which indices there are."""

    generators: Callable[[int], Generators]
    order: Callable[[int], int]
    has: Callable[[int], bool]
    indices: str


def _is_prime(n: int) -> bool:
    return n > 1 and all(n % p for p in range(2, math.isqrt(n) + 1))


def _largest_prime(n: int) -> int:
    return max((p for p in range(2, n + 1) if n % p == 0 and _is_prime(p)), default=1)


def _order_modulo(g: int, p: int) -> int:
    power, order = g, 1
    while power != 1:
        power, order = power * g % p, order + 1
    return order


def _is_frobenius(order: int) -> bool:
    p = _largest_prime(order)
    return order > p > 1 and (p - 1) % (order // p) == 0


FAMILIES: dict[str, Family] = {
    "Z": Family(cyclic, int, lambda m: 1 <= m <= 999, "goes from 1 to 999"),
    "S": Family(symmetric, math.factorial, lambda n: 1 <= n <= 40, "goes from 1 to 40"),
    "A": Family(alternating, lambda n: max(math.factorial(n) // 2, 1), lambda n: 1 <= n <= 40, "goes from 1 to 40"),
    "D": Family(dihedral, lambda n: 2 * n, lambda n: 3 <= n <= 999, "goes from 3 to 999, with D<n> of order 2n"),
    "Q": Family(quaternion, int, lambda n: 8 <= n <= 996 and n % 4 == 0, "is the order: 8, 12, 16, ... 996"),
    "F": Family(
        frobenius, int, lambda n: n <= 9999 and _is_frobenius(n), "is the order p k, p prime, k > 1 a divisor of p - 1"
    ),
    "Heis": Family(heisenberg, lambda p: p**3, lambda p: p <= 31 and _is_prime(p), "is a prime, 31 at most"),
    "PSL(2,": Family(
        projective,
        lambda q: q * (q * q - 1) // math.gcd(2, q - 1),
        lambda q: q <= 199 and _is_prime(q),
        "is a prime, 199 at most",
    ),
    "SL(2,": Family(
        special_linear, lambda q: q * (q * q - 1), lambda q: q <= 19 and _is_prime(q), "is a prime, 19 at most"
    ),
}


@cache
def small_groups() -> dict[tuple[int, int], SmallGroup]:
    """The 312 groups of order 60 at most, by order and GAP's number."""
    text = files("ssmverify.tracking.automata").joinpath("small_groups.tsv").read_text(encoding="utf-8")
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        numbers, name, series, generators = line.split("\t")
        order, number = map(int, numbers.split())
        rows = [[int(x) for x in row.split()] for row in generators.split(";") if row] or [[0]]
        found[order, number] = SmallGroup(order, number, name, tuple(map(int, series.split())), rows)
    return found


def small_group(order: int, number: int) -> SmallGroup:
    """Raises BadInput where there is none of this order and number."""
    if (order, number) not in small_groups():
        many = sum(1 for n, _ in small_groups() if n == order)
        what = f"there are {many} of order {order}" if many else "they are listed to order 60"
        raise BadInput(f"there is no SmallGroup({order},{number}): {what}")
    return small_groups()[order, number]
