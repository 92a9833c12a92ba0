"""Arithmetic formulas as products of matrices I + x e_i e_j' of size 3 (Ben-Or and Cleve 1992).

A formula is a leaf (a number), or a pair of formulas that are added or multiplied. Its program is a list of factors
(i, j, x); their product, the first on the left, is I + f e_i e_j'. A leaf is one factor; a sum is both programs; a
product f g, with k the third index, is f at (i, k), g at (k, j), and both backwards with -x: at most 4^depth factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

Factor = tuple[int, int, Fraction]
Matrix = list[list[Fraction]]


@dataclass(frozen=True)
class Leaf:
    value: Fraction


@dataclass(frozen=True)
class Node:
    """sign: "+" or "*"."""

    sign: str
    left: Formula
    right: Formula


Formula = Leaf | Node


def value(formula: Formula) -> Fraction:
    if isinstance(formula, Leaf):
        return formula.value
    left, right = value(formula.left), value(formula.right)
    return left + right if formula.sign == "+" else left * right


def depth(formula: Formula) -> int:
    return 0 if isinstance(formula, Leaf) else 1 + max(depth(formula.left), depth(formula.right))


def program(formula: Formula, i: int = 0, j: int = 2) -> list[Factor]:
    """The factors of I + value e_i e_j', i and j different."""
    if isinstance(formula, Leaf):
        return [(i, j, formula.value)]
    if formula.sign == "+":
        return program(formula.left, i, j) + program(formula.right, i, j)
    k = 3 - i - j
    left, right = program(formula.left, i, k), program(formula.right, k, j)
    return left + right + inverse(left) + inverse(right)


def inverse(factors: list[Factor]) -> list[Factor]:
    return [(i, j, -x) for i, j, x in reversed(factors)]


def multiplied(factors: list[Factor]) -> Matrix:
    """The product, the first factor on the left: each adds x times column i to column j."""
    found = [[Fraction(int(i == j)) for j in range(3)] for i in range(3)]
    for i, j, x in factors:
        for row in found:
            row[j] += x * row[i]
    return found
