"""HiPPO for one N, exactly: characteristic polynomials, determinants, and eigenvalues in balls.

What `proofs/hippo/window.py` and `proofs/hippo/pade.py` prove for every N without determinants is computed here with
them.

| symbol | meaning |
| --- | --- |
| A, B | LegT with the scale d_n = 1: A_nk = -(2k+1) for k <= n, -(-1)^(n-k) (2k+1) for k > n; B_n = 1: integers |
| g₀, g₁ | the rows that read the reconstruction now, 2k+1, and at the far end, (-1)^k (2k+1) |
| K | [[A, B], [C, D]], the closed loop, with the read-out C = g₀A, D = g₀B |
| Q_N | sum over i <= N of N (N+i-1)! / ((N-i)! i!) s^(N-i) |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from math import factorial
from typing import Any

from flint import arb, fmpq, fmpq_mat, fmpq_poly, fmpz_mpoly_ctx, fmpz_poly

Entry = Callable[[int, int], int]


def legt_entry(n: int, k: int) -> int:
    """A_nk of LegT, unscaled."""
    return -(2 * k + 1) * (1 if k <= n else (-1) ** (k - n))


def square_matrix(N: int, entry: Entry) -> fmpq_mat:
    """The N by N matrix with these entries."""
    return fmpq_mat(N, N, [entry(n, k) for n in range(N) for k in range(N)])


def rows_of(N: int) -> tuple[fmpq_mat, fmpq_mat, fmpq_mat]:
    """g₀ and g₁ (1, N), and B (N, 1)."""
    odd = [2 * k + 1 for k in range(N)]
    far = [(-1) ** k * value for k, value in enumerate(odd)]
    return fmpq_mat(1, N, odd), fmpq_mat(1, N, far), fmpq_mat(N, 1, [1] * N)


def closed_loop(A: fmpq_mat) -> fmpq_mat:
    """K."""
    N = A.nrows()
    now, _, B = rows_of(N)
    C, D = now * A, now * B
    rows = [[*(A[n, k] for k in range(N)), B[n, 0]] for n in range(N)]
    return fmpq_mat([*rows, [*(C[0, k] for k in range(N)), D[0, 0]]])


def pade_denominator(N: int) -> fmpq_poly:
    """Q_N, monic of degree N."""
    return fmpq_poly([N * factorial(2 * N - 1 - j) // (factorial(j) * factorial(N - j)) for j in range(N + 1)])


def far_end_numerator(A: fmpq_mat) -> fmpq_poly:
    """g₁ adj(sI - A) B = det(sI - A + B g₁) - det(sI - A)."""
    _, far, B = rows_of(A.nrows())
    return (A - B * far).charpoly() - A.charpoly()


def times_exponential(p: fmpq_poly, terms: int) -> list[fmpq]:
    """The first coefficients of p(s) e^(-s)."""
    series = [fmpq((-1) ** i, factorial(i)) for i in range(terms)]
    return [sum((p[j] * series[i - j] for j in range(i + 1)), fmpq(0)) for i in range(terms)]


# ----------------------------------------------------------------------------------- determinants of any entries
def bordered(N: int) -> tuple[Any, Any, Any, Any]:
    """det(sI - K), s - D, det(sI - A) and C adj(sI - A) B: polynomials in s and the entries of A, B, C and D."""
    names = ["s", "d", *(f"{letter}{i}" for letter in "bc" for i in range(N))]
    ring = fmpz_mpoly_ctx.get((*names, *(f"a{i}_{j}" for i in range(N) for j in range(N))), "lex")
    s, d, *rest = ring.gens()
    b, c, a = rest[:N], rest[N : 2 * N], rest[2 * N :]
    inner = [[(s if i == j else 0 * s) - a[N * i + j] for j in range(N)] for i in range(N)]
    whole = [[*row, -b[i]] for i, row in enumerate(inner)] + [[*(-x for x in c), s - d]]
    adjugate = [(i, j, (-1) ** (i + j) * determinant(minor(inner, j, i))) for i in range(N) for j in range(N)]
    through = sum((c[i] * cofactor * b[j] for i, j, cofactor in adjugate), 0 * s)
    return determinant(whole), s - d, determinant(inner), through


def minor(rows: Sequence[Sequence[Any]], i: int, j: int) -> list[list[Any]]:
    """The matrix without row i and column j."""
    return [[x for k, x in enumerate(row) if k != j] for l, row in enumerate(rows) if l != i]


def determinant(rows: Sequence[Sequence[Any]]) -> Any:
    """By expansion along rows, each minor of the last rows once."""

    @cache
    def below(i: int, columns: tuple[int, ...]) -> Any:
        if not columns:
            return 1
        parts = ((-1) ** p * rows[i][j] * below(i + 1, columns[:p] + columns[p + 1 :]) for p, j in enumerate(columns))
        total = next(parts)
        for part in parts:
            total = total + part
        return total

    return below(0, tuple(range(len(rows))))


# -------------------------------------------------------------------------------------------- S4D: eigenvalues
def legs_skew(n: int, k: int) -> int:
    """Twice A + P P' + I/2 of LegS, P_n = sqrt(n + 1/2), in the scale where it is -(2k+1) below and 2k+1 above."""
    return 0 if n == k else (2 * k + 1) * (1 if k > n else -1)


def imaginary_parts(N: int, entry: Entry = legs_skew) -> list[arb]:
    """Of the eigenvalues of A + P P', all with the real part -1/2: the positive ones, the largest first.

    Twice the skew part is similar to a matrix of integers. Of its characteristic polynomial only every second
    coefficient is not 0, so its roots are half-turned square roots of real ones. Raises ArithmeticError where the balls
    do not tell them apart.
    """
    p = square_matrix(N, entry).charpoly().numer()
    squares = fmpz_poly([p[N % 2 + 2 * i] for i in range(N // 2 + 1)])
    roots = [(-root.real).sqrt() / 2 for root, _ in squares.complex_roots()]
    roots.sort(key=lambda root: float(root.mid()), reverse=True)
    if not all(larger > smaller for larger, smaller in pairwise(roots)):
        raise ArithmeticError(f"the eigenvalues for N = {N} are not told apart")
    return roots
