"""S4D (arXiv 2206.11893): what its diagonals are eigenvalues of; those of LegS made normal, for every size.

What was read: the abstract. The diagonals are remembered, S4D-LegS being the eigenvalues of A + P P', P_n =
sqrt(n + 1/2); what they are eigenvalues of is derived here.

| symbol | meaning |
| --- | --- |
| N, n | states; number of a state |
| R_nj | the coefficient of r^j in P_n(2r - 1), n = j + q, over that in P_j |
| ρ, μ_n, V_N | as in `proofs/hippo_prophecy/legs.py`: LegS's states of t^ρ are μ_n in the scale c_n/√(2n+1) |
| h_i | i + 1/2, i = 0..N-1 |
| κ | rπ/2, r = 1, 3, 5, ... |
| y | a frequency |
| X | N² |
| z, τ | κ²/X and 1/κ² |

μ is an eigenvector of A + P P' for ρ if V_N(ρ) = -1 (`spectrum`), and V_N(-1/2 + iy) = ∏ (y + i h)/(y - i h), which is
e^(2i) to the power of the sum of arctan(h_i/y). So the eigenvalues are the -1/2 ± iy for which that sum is rπ/2, r odd,
and -1/2 if N is odd: the sum falls from Nπ/2 to 0 as y grows, which makes N of them, so these are all. Where
x - x³/3 + x⁵/5 - x⁷/7 adds up to more than rπ/2, y is too small (`at_least`), and where x - x³/3 + x⁵/5 adds up to
less, too large (`at_most`), for arctan is between them: so the r-th frequency is N²/(rπ) - rπ/6 and less than
π³r³/(32 N²) more, for every N >= 8r. By hand: polar coordinates, Taylor's bounds of arctan (its derivative is
1/(1 + x²)), 3 < π < 22/7, and that what is rational in ρ and holds for real ρ holds for complex.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import cast

from sympy import QQ
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import ring

from proofs.derivation import main, proves
from proofs.hippo.weights import written
from proofs.hippo_prophecy.kernels import j, l, legendre_ratio, legs_kernel, q
from proofs.hippo_prophecy.legs import N, V, above_zero, below, integrable, k, legs_powers, moment, n, odd, rho
from proofs.kernel import (
    Claim,
    Fact,
    additive,
    apart,
    assume,
    component,
    congruence,
    discharge,
    enclosure,
    identity,
    instantiate,
    linear,
    rewrite,
    squares,
)
from proofs.tactics.equations import equal
from proofs.tactics.inequalities import backwards, settle
from proofs.tactics.products import grow, inductively, less, plainly_nonzero
from proofs.terms import (
    Add,
    Atom,
    Eq,
    Le,
    Lt,
    Mul,
    Nat,
    Sum,
    Term,
    scalar,
    size,
    summation,
    term,
)

zero, one, half = term(0), term(1), term(1) / 2

# -------------------------------------------------------------------------------------- the characteristic equation
of_A = -below(n, odd * moment(k)) - Nat(n + 1) * moment(n)
of_P = half * below(N, odd * moment(k))


@proves(Eq(of_A + of_P, rho * moment(n) - half * (1 + V(N))), {"integrable": integrable})
def legs_spectrum() -> Fact:
    """A μ = ρ μ - B, line by line, and B'μ = 1 - V_N, in the scale of μ; both from `legs_powers`."""
    powers = legs_powers.fact
    line, value = instantiate(component(powers, 0), {"N": n}), component(powers, 1)
    goal = cast(Eq, legs_spectrum.conclusion)
    return settle(equal(goal.lhs, goal.rhs, line, value), above_zero(n))


# ------------------------------------------------------------------------------- S4D-Real, for every N; S4D-Lin, N by N


@proves(
    Eq(
        -Nat(j + q + 1) * legendre_ratio(j, q) - summation(l, 0, q - 1, Nat(2 * j + 2 * l + 1) * legendre_ratio(j, l)),
        -Nat(j + 1) * legendre_ratio(j, q),
    ),
)
def real() -> Fact:
    """`legs_kernel`, from which each power of e^-t in e^(At) B is an eigenvector."""
    goal = cast(Eq, real.conclusion)
    return equal(goal.lhs, goal.rhs, legs_kernel.fact)


def check_lin(M: int, window: int = 2) -> str:
    """Whether FouT's normal part A + 2gg' for that window has the characteristic polynomial s ∏ (s² + π²m²).

    Empty if so, else what is wrong. π is a variable; what is rational in the table of A is -2 g_n g_k.
    """
    coefficients, pi = ring("π", QQ)
    N, zero = 2 * M + 1, coefficients(0)
    turns = [[zero] * N for _ in range(N)]
    expected = [coefficients(1), zero]  # s, highest power first
    for place, (square, power) in enumerate(written("fout", N)["A"]):
        if power:
            turns[place // N][place % N] = pi * QQ(math.isqrt(abs(int(square))), window) * (1 if square > 0 else -1)
    for m in range(1, M + 1):
        padded, moved = [*expected, zero, zero], [zero, zero, *expected]
        expected = [a + m**2 * pi**2 * b for a, b in zip(padded, moved, strict=True)]
    found = DomainMatrix(turns, (N, N), coefficients.to_domain()).charpoly()
    return "" if found == expected else f"N = {N}: the characteristic polynomial is {found}, not {expected}"


# ------------------------------------------------------------------------------------------------- the power sums
i = size("i")
kappa, y = scalar("κ"), scalar("y")
X = Nat(N) * Nat(N)
totals = {
    1: X,
    3: X * (2 * X - 1),
    5: X * (16 * X * X - 20 * X + 7) / 3,
    7: X * (48 * X * X * X - 112 * X * X + 98 * X - 31) / 3,
}


def powers(y: Term, p: int) -> Term:
    """y^p."""
    return Mul((y,) * p) if p > 1 else y


def odd_power(p: int) -> Term:
    """(2i + 1)^p."""
    return powers(Nat(2 * i + 1), p)


def power_sum(p: int) -> Fact:
    """1^p + 3^p + ... + (2N - 1)^p in closed form, by induction on N."""
    body = odd_power(p)
    return inductively(Eq(summation(i, 0, N - 1, body), totals[p]), N, grow(summation(i, 0, N, body)))


def added(y: Term, order: int) -> Term:
    """The sum of x - x³/3 + x⁵/5 - ..., up to x^order, over x = h_i/y."""
    x = Nat(2 * i + 1) / (2 * y)
    terms = [x if p == 1 else Mul((term((-1) ** (p // 2)), powers(x, p) / p)) for p in range(1, order + 1, 2)]
    return summation(i, 0, N - 1, Add(tuple(terms)))


def added_up(y: Term, order: int) -> Fact:
    """That, by its power sums."""
    whole = cast(Sum, added(y, order))
    outer = {p: term((-1) ** (p // 2)) / (p * powers(2 * y, p)) for p in range(1, order + 1, 2)}
    products = [Mul((left, odd_power(p))) for p, left in outer.items()]
    fact = congruence(identity(cast(Term, whole.at(i)), Add(tuple(products))), Sum, i, 0, N - 1)
    fact = rewrite(fact, additive(i, 0, N - 1, products))
    for p, left in outer.items():
        fact = rewrite(rewrite(fact, linear(i, 0, N - 1, left, odd_power(p))), power_sum(p))
    return fact


# ------------------------------------------------------------------------------------------- the law, for every N
low = X / (2 * kappa) - kappa / 3
rise = powers(kappa, 3) / 4 / X
high = low + rise
enough = {"at_least_one_turn": Le(term(3) / 2, kappa), "states_enough": Le(25 * kappa * kappa, X)}


@proves(Lt(kappa, added(y, 7)), {"frequency": Eq(y, low), **enough})
def legs_frequencies_at_least() -> Fact:
    """Divided by κ, what the sum exceeds 1 by is z² times a polynomial in z and τ, over (κ y/X)⁷. Ball arithmetic
    encloses the polynomial for z <= 1/25 and τ <= 4/9: it is positive."""
    return bracketed(legs_frequencies_at_least.claim, low, 7, spare)


@proves(Lt(added(y, 5), kappa), {"frequency": Eq(y, high), **enough})
def legs_frequencies_at_most() -> Fact:
    """As before: so is what it falls short of 1 by, times (κ y/X)⁵."""
    return bracketed(legs_frequencies_at_most.claim, high, 5, lack)


z, tau = (cast(Atom, scalar(name)) for name in "zτ")
BOX = {z: (Fraction(0), Fraction(1, 25)), tau: (Fraction(0), Fraction(4, 9))}
x = z * tau  # 1/X
quintic, septic = 16 - 20 * x + 7 * x * x, 48 - 112 * x + 98 * x * x - 31 * x * x * x
w = half - z / 3  # κ low/X
spare = w * w * w * w * (tau / 24 - one / 9 + z / 27) + w * w * quintic / 480 - z * septic / 2688
v = w + z * z / 4  # κ high/X
fall = -one / 3 + z * (one / 9 + one / 4) - z * z / 6 + z * z * z / 16  # (v² - 1/4)/z
lack = v * v * v * v / 4 - v * v * fall / 3 - tau * v * v / 24 - quintic / 480


def bracketed(claim: Claim, at: Term, order: int, polynomial: Term) -> Fact:
    """The claim, at the frequency, for terms up to the order, and with the polynomial that is left."""
    frequency, large, many = (assume(h) for h in claim.hypotheses.values())
    room, excess = X - 25 * kappa * kappa, kappa - term(3) / 2
    turn = less(zero, kappa, Add((excess, term(3) / 2)), large)
    states = less(zero, X, Add((room, 25 * kappa * kappa)), turn, many)
    known = [large, many, turn, states]
    known.append(less(zero, low, Add((3 * room, 73 * kappa * kappa)) / (6 * kappa), *known))
    known.append(less(zero, high, Add((low, rise)), *known))
    share, rate = kappa * kappa / X, 1 / (kappa * kappa)
    over = 4 * excess * Add((excess, term(3))) / (9 * kappa * kappa)
    within = [
        less(lhs, rhs, gap, *known, strict=False)
        for lhs, rhs, gap in (
            (zero, share, share),
            (share, term(BOX[z][1]), room / 25 / X),
            (zero, rate, rate),
            (rate, term(BOX[tau][1]), over),
        )
    ]
    left = settle(instantiate(enclosed(polynomial), families={z.symbol: share, tau.symbol: rate}), *within)
    gap = Mul((kappa * share * share / powers(kappa * at / X, order), cast(Lt, left.conclusion).rhs))
    total = added_up(at, order)
    closed = cast(Eq, total.conclusion).rhs
    lhs, rhs = (kappa, closed) if cast(Lt, claim.conclusion).lhs == kappa else (closed, kappa)
    bound = less(lhs, rhs, gap, *known, left)
    bound = rewrite(rewrite(bound, backwards(total)), backwards(frequency))
    defined = [apart(less(zero, value, value, turn, states)) for value in (2 * kappa, X)]
    return settle(plainly_nonzero(bound, *(fact.conclusion for fact in known)), *known, *defined)


def enclosed(polynomial: Term) -> Fact:
    """0 < the polynomial, in the box."""
    least = Fraction(1, 2000)
    inside = enclosure(-polynomial, BOX, -least)
    gap = Add((term(-least) - -polynomial, term(least)))
    return discharge(squares(zero, polynomial, gap, [inside.conclusion], strict=True), inside)


if __name__ == "__main__":
    main(__doc__)
