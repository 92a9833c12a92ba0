"""What training is held against, exactly: the best K steps of gradient descent from zero on the linear task.

| symbol | meaning |
| --- | --- |
| f, N | entries of an input; pairs in the context |
| a | inputs are uniform on (-a, a), of variance σ = a²/3 |
| S, m_k | the sum of the N outer products x x'; E tr S^k |
| γ_k | rate of step k, on the sum of the losses |

K steps from zero leave the error W p(S) q, with p(s) the product of the 1 - γ_k s. The entries of W are independent
with variance 1, so half the mean square of one entry of the error is (σ/2) E tr p(S)²: a quadratic form in the
coefficients of p, made of the m_k. For K = 1 this is `gd_ssm.optimal_rate`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from math import comb, perm

from flint import fmpq, fmpq_mat, fmpq_poly

Moment = Callable[[int], fmpq]  # of a random number, n -> E u^n


@dataclass(frozen=True)
class Descent:
    """The best steps of their kind. `exact` is the loss where it is rational."""

    rates: tuple[float, ...]
    loss: float
    exact: fmpq | None = None


def partitions(k: int) -> Iterator[tuple[int, ...]]:
    """The set partitions of k things: for each thing its block, blocks numbered as they appear."""
    if k == 0:
        yield ()
        return
    for blocks in partitions(k - 1):
        for block in range(max(blocks, default=-1) + 2):
            yield (*blocks, block)


def uniform(a: fmpq) -> Moment:
    """The moments of a number uniform on (-a, a)."""
    return lambda n: a**n / (n + 1) if n % 2 == 0 else fmpq(0)


def trace_moment(k: int, f: int, N: int, moment: Moment) -> fmpq:
    """m_k: the sum over pairs i_1 ... i_k and entries c_1 ... c_k, c_{k+1} = c_1, of E of the product of all
    x_{i_l, c_l} x_{i_l, c_{l+1}}. A term depends on which indices are equal alone, so the sum goes over partitions.
    `moment` gives those of an entry of x.
    """
    if k == 0:
        return fmpq(f)
    total = fmpq(0)
    for pair, entry in product(partitions(k), repeat=2):
        powers = Counter((pair[l], entry[m % k]) for l in range(k) for m in (l, l + 1))
        term = fmpq(perm(N, max(pair) + 1) * perm(f, max(entry) + 1))
        for power in powers.values():
            term *= moment(power)
        total += term
    return total


def free_rates(K: int, f: int, N: int, a: fmpq) -> Descent:
    """The best rate for each step: exact but for the rates, which are roots of a polynomial.

    Raises ArithmeticError where the best polynomial p is not a product of real steps.
    """
    m = [trace_moment(k, f, N, uniform(a)) for k in range(2 * K + 1)]
    gram = fmpq_mat(K, K, [m[i + j] for i in range(1, K + 1) for j in range(1, K + 1)])
    best = gram.solve(fmpq_mat(K, 1, [-m[i] for i in range(1, K + 1)])).entries()
    roots = fmpq_poly([*reversed(best), 1]).complex_roots()
    if any(root.imag != 0 for root, _ in roots):
        raise ArithmeticError(f"the best polynomial of degree {K} is not a product of real steps")
    rates = sorted(float(root.real) for root, multiplicity in roots for _ in range(multiplicity))
    loss = a**2 / 6 * (m[0] + sum((c * m[i] for i, c in enumerate(best, 1)), fmpq(0)))
    return Descent(tuple(rates), _float(loss), loss)


def shared_rate(K: int, f: int, N: int, a: fmpq) -> Descent:
    """The best rate that all K steps share: the least value of a polynomial in it, at a root of its derivative."""
    loss = (
        a**2 / 6 * fmpq_poly([(-1) ** k * comb(2 * K, k) * trace_moment(k, f, N, uniform(a)) for k in range(2 * K + 1)])
    )
    stationary = [float(root.real) for root, _ in loss.derivative().complex_roots() if root.imag == 0]
    least, rate = min((_float(loss(fmpq(*rate.as_integer_ratio()))), rate) for rate in stationary)
    return Descent((rate,) * K, least)


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)
