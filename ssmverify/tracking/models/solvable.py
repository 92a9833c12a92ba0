"""A solvable group by complex-diagonal layers, as many as its derived series is long.

With G = G_0 > G_1 > ... > 1 and a representative of each coset, an element is σ_1 σ_2 ··· with σ_i in G_{i-1}, which
represents a coset of G_i. The letter x sends the first coset to that of x σ_1, and hands (new σ_1)^-1 x σ_1, which lies
in G_1, on to the next layer, whose letter it is (Kaloujnine and Krasner 1951). Each layer's group is abelian, so a
product of cyclic ones: a channel with roots of unity for each.

That this many layers suffice, and fewer do not, is Theorem 2 of Shakerinava et al. (2026, arXiv 2603.01959), of which
the abstract was read; the construction here is the textbook's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.group import Group
from ssmverify.tracking.models.constructions import roots_of_unity
from ssmverify.tracking.models.models import Exact, Model


def solvable(group: Group, letters: Sequence[int] | None = None) -> Model:
    """The model; its letters are the elements named, or all. Raises BadInput for a group that is not solvable."""
    chosen = range(group.order) if letters is None else letters
    series = derived_series(group)
    quotients = [_quotient(group, big, small) for big, small in pairwise(series)]
    layers = []
    for depth, quotient in enumerate(quotients):
        below = list(product(*(range(len(q.representatives)) for q in quotients[:depth])))
        handed = [[_handed(group, quotients[:depth], x, states) for states in below] for x in chosen]
        field, powers = roots_of_unity(quotient.exponent)
        points = [[powers[e] for e in exponents] for exponents in quotient.exponents]
        gates = [[points[quotient.coset[g]] for g in row] for row in handed]
        layers.append(Exact(field, gates, points, real=quotient.exponent <= 2))
    codes = tuple(_code(group, quotients, g) for g in range(group.order))
    return Model(group.cayley(chosen), tuple(layers), codes)


def derived_series(group: Group) -> list[frozenset[int]]:
    """G, its commutator subgroup, that one's, ... down to the identity. Raises BadInput where it does not get there."""
    series = [frozenset(range(group.order))]
    while len(series[-1]) > 1:
        commutators = {group.commutator(a, b) for a in series[-1] for b in series[-1]}
        derived = _closure(group, commutators)
        if derived == series[-1]:
            raise BadInput(f"{group.name} is not solvable: its derived series stops at {len(derived)} elements")
        series.append(derived)
    return series


def _closure(group: Group, generators: set[int]) -> frozenset[int]:
    found, waiting = {group.identity}, [group.identity]
    while waiting:
        new = {int(group.table[g, waiting[-1]]) for g in generators} - found
        waiting.pop()
        found |= new
        waiting.extend(new)
    return frozenset(found)


@dataclass(frozen=True)
class Quotient:
    """An abelian quotient big / small: the coset of each element of big, a representative of each coset (the identity
    of its own), and each coset as exponents of a root of unity of order `exponent`, one for each cyclic factor."""

    coset: dict[int, int]
    representatives: list[int]
    exponents: list[tuple[int, ...]]
    exponent: int


def _quotient(group: Group, big: frozenset[int], small: frozenset[int]) -> Quotient:
    coset: dict[int, int] = {}
    representatives: list[int] = []
    for g in [group.identity, *sorted(big)]:
        if g not in coset:
            coset |= {int(group.table[g, s]): len(representatives) for s in small}
            representatives.append(g)
    orders = {g: _order(group, g, small) for g in representatives}
    spanned: dict[int, tuple[int, ...]] = {0: ()}  # coset -> its exponents in the basis so far
    basis: list[int] = []
    for g in sorted(representatives, key=lambda g: -orders[g]):  # of largest order first: then they span
        powers = [coset[group.product([g] * e)] for e in range(orders[g])]
        if orders[g] > 1 and not set(powers[1:]) & set(spanned):
            grown = {}
            for c, exponents in spanned.items():
                for e, power in enumerate(powers):
                    grown[coset[int(group.table[representatives[power], representatives[c]])]] = (*exponents, e)
            spanned = grown
            basis.append(orders[g])
    exponent = max(basis)
    scaled = [
        tuple(e * (exponent // order) for e, order in zip(spanned[c], basis, strict=True)) for c in range(len(spanned))
    ]
    return Quotient(coset, representatives, scaled, exponent)


def _order(group: Group, g: int, small: frozenset[int]) -> int:
    """The order of g's coset."""
    power, order = g, 1
    while power not in small:
        power, order = int(group.table[g, power]), order + 1
    return order


def _handed(group: Group, quotients: Sequence[Quotient], x: int, states: Sequence[int]) -> int:
    """What the letter x has become when it reaches the layer above those in these states."""
    for quotient, state in zip(quotients, states, strict=True):
        moved = int(group.table[x, quotient.representatives[state]])
        new = quotient.representatives[quotient.coset[moved]]
        x = int(group.table[group.inverse[new], moved])
    return x


def _code(group: Group, quotients: Sequence[Quotient], g: int) -> tuple[int, ...]:
    """The cosets whose representatives multiply to g."""
    code = []
    for quotient in quotients:
        code.append(quotient.coset[g])
        g = int(group.table[group.inverse[quotient.representatives[code[-1]]], g])
    return tuple(code)
