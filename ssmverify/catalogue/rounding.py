"""Rows for the rounding bounds: claims from `proofs.rounding`. Their layers are the scans of `catalogue/recurrence.py`,
which are judged by these very bounds, and `tests/numeric` holds the evaluated copy against them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from unicodedata import normalize

from flint import fmpq
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs import rounding as paper
from proofs.derivation import Derivation
from proofs.kernel import Table
from proofs.terms import Eq, Formula, Le, Nat, absolute_le, product
from ssmverify.rows import Mutant, Source, Theorem
from ssmverify.strategies import columns, points, rationals, tables

MODEL = Source(
    "Higham: Accuracy and Stability of Numerical Algorithms",
    place="2002, sections 2.2 and 3.1",
    read="remembered; the model of rounding is stated as hypotheses, everything else is derived",
)
Point = Mapping[str, Any]
units = st.sampled_from([fmpq(1, 4), fmpq(1, 16), fmpq(1, 256)])
shares = st.sampled_from([fmpq(1), fmpq(-1), fmpq(0), fmpq(1, 2)])  # of an error in its bound: mostly all of it
slacks = st.sampled_from([fmpq(0), fmpq(0), fmpq(1)])


# ---------------------------------------------------------------------------------------------- exact instances
@st.composite
def approximations(draw: st.DrawFn) -> Point:
    """x and y with their sizes, and approximations with their majorants; every letter that the lemmas use.

    Every other point is a worst case: all errors are as large as they may be, and all of one sign, so that each term of
    a bound is needed.
    """
    worst = draw(st.booleans())
    share, slack, number = (
        (st.just(fmpq(1)), st.just(fmpq(0)), rationals(0)) if worst else (shares, slacks, rationals())
    )
    point: dict[str, Any] = {"u": draw(units), "η": draw(slacks)}
    point |= {"δ": draw(share) * point["u"], "ε": draw(share) * point["η"]}
    for x, X in ("xX", "yY"):
        value, error = draw(number), draw(number)
        hat, Hat = (normalize("NFC", letter + "\u0302") for letter in (x, X))
        point |= {x: value, X: abs(value) + draw(slack), hat: value + error}
        point[Hat] = point[X] + abs(error) + draw(slack)
    return point


@st.composite
def chains(draw: st.DrawFn) -> Point:
    """A run of T steps, every rounding error a chosen share of its bound; gates and inputs are 0 thereafter.

    Three runs of four are worst cases: nothing cancels, every error is as large as it may be, and all of it comes from
    the start, from the inputs or from underflow.
    """
    origin = draw(st.sampled_from(["", "start", "inputs", "underflow"]))
    worst = origin != ""
    share, number = (st.just(fmpq(1)), rationals(1, 3)) if worst else (shares, rationals())
    p, q, T = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(2 if worst else 0, 3))
    N, u = fmpq(p * T + q), draw(st.sampled_from([fmpq(1, 16), fmpq(1, 32)]))
    P, Q = (1 + u) ** p - 1, (1 + u) ** q - 1
    eta = fmpq(1, 64) if origin == "underflow" else draw(slacks) / 64
    times = range(1, T + 1)
    a = {t: draw(number) for t in times}
    b = {t: draw(number) if origin in ("inputs", "") else fmpq(0) for t in times}
    h = {0: draw(number) if origin in ("start", "") else fmpq(0)}
    alpha, beta = ({t: draw(share) * bound for t in times} for bound in (P, Q))
    eps = {t: draw(share) * eta for t in times}
    g, H, W, U = {0: h[0]}, {0: abs(h[0])}, {0: fmpq(0)}, {0: fmpq(0)}
    for t in times:
        h[t] = a[t] * h[t - 1] + b[t]
        g[t] = a[t] * g[t - 1] * (1 + alpha[t]) + b[t] * (1 + beta[t]) + eps[t]
        H[t] = abs(a[t]) * H[t - 1] + abs(b[t])
        W[t] = abs(a[t]) * (W[t - 1] + H[t - 1])
        U[t] = (1 + P) * abs(a[t]) * U[t - 1] + eta
    families = {"a": a, "b": b, "h": h, "g": g, "α": alpha, "β": beta, "ε": eps, "H": H, "W": W}
    families |= {"A": _absolute(a), "B": _absolute(b)}
    scalars = {"p": p, "q": q, "T": T, "u": u, "N": N, "P": P, "Q": Q, "η": eta}
    return {**scalars, **{name: _table(x) for name, x in families.items()}, "U": _table(U, eta)}


def _absolute(x: dict[int, fmpq]) -> dict[int, fmpq]:
    return {t: abs(value) for t, value in x.items()}


def _table(x: dict[int, fmpq], default: Any = None) -> Table:
    return Table({(t,): value for t, value in x.items()}, fmpq(0) if default is None else default)


@st.composite
def nodes(draw: st.DrawFn) -> Point:
    s, p, r = (draw(st.integers(0, 2)) for _ in "spr")
    times = range(s + p + r + 3)
    families = {"w": tables(times, rationals()), "b": tables(times, rationals())}
    return draw(points(s=s, p=p, r=r, u=units, V=rationals(1, 3), **families))


@st.composite
def old_errors(draw: st.DrawFn) -> Point:
    """Errors, keys, and strengths up to the limit r k'k = 2."""
    n = draw(st.integers(1, 3))
    k = draw(columns(n))
    size = sum(entry**2 for entry in k.flat)
    r = draw(st.sampled_from([fmpq(0), fmpq(1, 3), fmpq(1), fmpq(2)])) / (size or 1)
    return draw(points(n=n, e=columns(n), k=k, r=r))


@st.composite
def quotients(draw: st.DrawFn) -> Point:
    D, kappa, u = draw(rationals(1, 3)), draw(units), draw(units)
    D_error = draw(shares) * kappa * D
    return {"x": draw(rationals(0, 3)), "D": D, "D\u0302": D + D_error, "κ": kappa, "u": u, "δ": draw(shares) * u}


# ------------------------------------------------------------------------------------------------- the theorems
def row(
    claim: Derivation,
    instances: Callable[[], SearchStrategy[Point]],
    says: str,
    broken: str,
    conclusion: Formula,
) -> Theorem:
    """A row whose author's mutant is the claim with another conclusion."""
    mutant = Mutant(broken, claim=replace(claim.claim, conclusion=conclusion))
    return Theorem(claim, None, instances, (mutant,), MODEL, says)


P = paper
one_rounding_fewer = P.c * (P.p * P.W(P.T) + (P.q - 1) * P.H(P.T)) + P.U(P.T)
growing = P.error + P.strength * (P.key.T @ P.error) * P.key
first, second = P.node.conclusion.parts  # type: ignore[attr-defined]

product_row = row(
    P.product,
    approximations,
    "The error of a product is at most the product of the majorants less the product of the sizes.",
    "only the first-order terms",
    absolute_le(P.xc * P.yc - P.x * P.y, (P.Xm - P.X) * P.Y + P.X * (P.Ym - P.Y)),
)
rounded = row(
    P.rounded,
    approximations,
    "Rounding multiplies a majorant by 1 + u and adds η.",
    "the size rounded, not the majorant",
    absolute_le(P.xc * (1 + P.d) + P.e - P.x, P.Xm + P.u * P.X + P.eta - P.X),
)
gradient = row(
    P.gradient,
    approximations,
    "Rounding a product of two computed numbers, such as the gradient of a gate.",
    "the errors of the factors alone",
    absolute_le(P.xc * P.yc * (1 + P.d) + P.e - P.x * P.y, P.Xm * P.Ym + P.eta - P.X * P.Y),
)
chain = row(
    P.chain,
    chains,
    "|g_T - h_T| <= u/(1 - Nu) (p W_T + q H_T) + U_T: the tolerance of every sequential scan.",
    "one rounding fewer on the inputs",
    absolute_le(P.g(P.T) - P.h(P.T), one_rounding_fewer),
)
distance = row(P.distance, chains, "W_T <= T H_T.", "W_T <= H_T", Le(P.W(P.T), P.H(P.T)))
node = replace(
    row(
        P.node,
        nodes,
        "In any order of association the term of b_j in h_t collects (t - j) + depth(j) roundings.",
        "the product of the gates alone is rounded",
        replace(P.node.conclusion, parts=(first, Eq(second.lhs, P.V * P.inputs(*P.whole)))),  # type: ignore[call-arg]
    ),
    by_hand=("By induction over the tree what each node collects adds up so in any order: the kernel knows no trees.",),
)
gamma = row(
    P.gamma,
    lambda: points(T=st.integers(0, 6), u=units),
    "(1 + u)^T - 1 <= T u/(1 - T u).",
    "the denominator one rounding short",
    Le((1 - (Nat(P.T) - 1) * P.u) * product(P.i, 1, P.T, 1 + P.u), 1 + P.u * P.u * 0),
)
delta_step = row(
    P.delta_step,
    old_errors,
    "One step of the delta rule does not enlarge an old error while 0 <= r k'k <= 2.",
    "the step with the other sign",
    Le(growing.T @ growing, P.error.T @ P.error),
)
quotient = row(
    P.quotient,
    quotients,
    "A quotient by a denominator that is off by a factor 1 ± κ.",
    "1 + κ for 1/(1 - κ)",
    absolute_le(P.x_ * (1 + P.d) / P.Dc - P.x_ / P.D, ((1 + P.u) * (1 + P.kappa) - 1) * (P.x_ / P.D)),
)
