"""HiPPO-Prophecy (arXiv 2407.09375): with HiPPO's weights a state-space model predicts the next state of its input.

What was read: the abstract and the authors' code and notebook (repository FedeArang/In-Context-SSM). The body was not
at hand, so no theorem number or wording of it is quoted; what the statements below say is derived here. This file has
the Fourier basis (FouT); `bound.py` has its error bound, `steady.py` its steady state,
`legs.py` LegS, and `predictors.py` the discrete predictors.

| symbol | meaning |
| --- | --- |
| M, N | harmonics of the basis; N = 2M + 1 states |
| θ | length of the window |
| u, d | the input now; the innovation, u less the recomposed input C + sum of P_m |
| C, P_m, Q_m | states: the mean, and the coefficients of cos ω_m σ and sin ω_m σ, σ the time since |
| ω_m | 2πm/θ; any numbers, where no more is said |
| s | rate of growth of e^(st), real; both sides are rational in s, so what holds for real s holds for complex s |
| J | u(t) - u(t - θ), what the input's periodic continuation jumps by |

The states are those of the orthonormal basis times √2, where the basis has a √2: so nothing is irrational but ω.
FouT is then C' = (2/θ) d, P_m' = (4/θ) d - ω_m Q_m, Q_m' = ω_m P_m, and its read-out for u' is y = - sum of ω_m Q_m,
the recomposed input differentiated at lag 0.
"""

from __future__ import annotations

from typing import cast

from flint import fmpq
from sympy import QQ
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import ring

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    additive,
    apart,
    assume,
    component,
    congruence,
    conjunction,
    discharge,
    generalise,
    identity,
    instantiate,
    linear,
    rewrite,
    specialise,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import Bounded, at_most, backwards, positive_gap, settle
from proofs.tactics.products import inductively
from proofs.terms import (
    Add,
    And,
    Eq,
    Formula,
    Index,
    Le,
    Lt,
    Mul,
    Nat,
    Nonzero,
    Sum,
    Symbol,
    Term,
    absolute_le,
    family,
    for_all,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
)

m, M = size("m"), size("M")
N = Nat(2 * M + 1)
one = term(1)
s, theta, u, d, mean, moved_mean = (scalar(name) for name in ("s", "θ", "u", "d", "C", "C'"))
omega, P, Q, moved = (sequence(name) for name in ("ω", "P", "Q", "P'"))
Parts = list[tuple[Term, Term]]


def over(body: Term) -> Term:
    """The sum over the harmonics m = 1..M."""
    return summation(m, 1, M, body)


def count() -> Fact:
    """The sum of M ones is M."""
    return inductively(Eq(over(one), Nat(M)), M, [unfold(summation(m, 1, M + 1, one))])


def distribute(body: Term, parts: Parts, *by: Fact) -> Fact:
    """The sum of `body` as the sum of left * (sum of inner), for body = sum of left * inner, harmonic by harmonic.

    That is by the equations among the facts; the others show denominators not to be zero.
    """
    products = [Mul((left, inner)) for left, inner in parts]
    whole = products[0] if len(products) == 1 else Add(tuple(products))
    if body == whole and len(parts) == 1:
        return linear(m, 1, M, *parts[0])
    each = equal(body, whole, *(fact for fact in by if isinstance(fact.conclusion, Eq)))
    fact = congruence(settle(each, *by), Sum, m, 1, M)
    if len(products) > 1:
        fact = rewrite(fact, additive(m, 1, M, products))
    for left, inner in parts:
        fact = rewrite(fact, linear(m, 1, M, left, inner))
    return fact


# -------------------------------------------------------------- the static read-out is the dynamic one, less 2N/θ d
readout = -over(omega(m) * Q(m))


@proves(
    Eq(moved_mean + over(moved(m)), readout + 2 / theta * (N * d)),
    {
        "mean_moves": Eq(moved_mean, 2 / theta * d),
        "cosines_move": for_all(m, Eq(moved(m), 4 / theta * d - omega(m) * Q(m))),
        "window_not_empty": Nonzero(theta),
    },
)
def fout_innovation() -> Fact:
    """The equations of the mean and of the M cosines, added up: 2/θ + M · 4/θ = 2N/θ."""
    given = fout_innovation.hypotheses
    parts = [(4 / theta * d, one), (term(-1), omega(m) * Q(m))]
    cosines = distribute(moved(m), parts, specialise(assume(given["cosines_move"]), m))
    goal = cast(Eq, fout_innovation.conclusion)
    return equal(goal.lhs, goal.rhs, cosines, count(), assume(given["mean_moves"]))


# ----------------------------------------------------------------------------------------- the transfer function
frequency = s * s + omega(m) * omega(m)
G = scalar("G")
gain = 1 + 2 * G
steady: dict[str, Formula] = {
    "resolvent": Eq(G, 1 / theta * (1 / s + over(2 * s / frequency))),
    "innovation": Eq(d, u - (mean + over(P(m)))),
    "mean_steady": Eq(s * mean, 2 / theta * d),
    "cosines_steady": for_all(m, Eq(s * P(m), 4 / theta * d - omega(m) * Q(m))),
    "sines_steady": for_all(m, Eq(s * Q(m), omega(m) * P(m))),
    "window_not_empty": Nonzero(theta),
    "not_constant": Nonzero(s),
    "no_resonance": for_all(m, Nonzero(frequency)),
    "no_pole": Nonzero(gain),
}


@proves(
    And(
        (
            Eq(readout, 2 * (s * G - N / theta) / gain * u),
            Eq(readout - s * u, -((s + 2 * N / theta) / gain) * u),
            Eq(s * (mean + over(P(m))), 2 * s * G / gain * u),
        )
    ),
    steady,
)
def fout_transfer() -> Fact:
    """C + sum of P_m = 2 G d, so d = u/(1 + 2 G); and y = s (u - d) - (2N/θ) d, by `fout_innovation`."""
    given = {name: assume(h) for name, h in steady.items()}
    cosine, sine = specialise(given["cosines_steady"], m), specialise(given["sines_steady"], m)
    waves = distribute(P(m), [(2 * d / theta, 2 * s / frequency)], cosine, sine)
    written_out = cast(Eq, steady["resolvent"]).rhs
    recomposed = equal((1 + 2 * written_out) * d, u, given["innovation"], given["mean_steady"], waves)
    recomposed = rewrite(recomposed, backwards(given["resolvent"]))
    solved = settle(equal(d, u / gain, recomposed), given["no_pole"])
    families = {Symbol("C'", *s.shape, 0): s * mean, Symbol("P'", *s.shape, 1): family((m,), s * P(m))}
    read = instantiate(fout_innovation.fact, families=families)
    read = discharge(read, given["mean_steady"], given["cosines_steady"])
    read = rewrite(read, distribute(s * P(m), [(s, P(m))]))
    goals = [cast(Eq, part) for part in cast(And, fout_transfer.conclusion).parts]
    static = equal(readout, s * (u - d) - 2 / theta * (N * d), read, given["innovation"])
    dynamic = equal(goals[2].lhs, s * (u - d), given["innovation"])
    y, r = (followed(rewrite(fact, solved), goal.rhs) for fact, goal in ((static, goals[0]), (dynamic, goals[2])))
    return settle(conjunction(y, equal(goals[1].lhs, goals[1].rhs, y), r), *given.values())


def followed(fact: Fact, rhs: Term) -> Fact:
    """x = rhs from x = y, as y = rhs by normal form."""
    return rewrite(fact, identity(cast(Eq, fact.conclusion).rhs, rhs))


# ------------------------------------------------------------------------------------ a sinusoid, in steady state
# A complex amplitude is a pair: x₁ + i x₂; its rate of growth is iν, which takes (x₁, x₂) to (-ν x₂, ν x₁).
nu = scalar("ν")
(u1, u2), (d1, d2), (C1, C2) = ((scalar(f"{name}₁"), scalar(f"{name}₂")) for name in "udC")
(P1, P2), (Q1, Q2) = ((sequence(f"{name}₁"), sequence(f"{name}₂")) for name in "PQ")
readouts = [-over(omega(m) * Q(m)) for Q in (Q1, Q2)]
errors = [readouts[0] + nu * u2, readouts[1] - nu * u1]  # y - iν u


def always(*equations: Eq) -> Formula:
    return for_all(m, And(equations))


oscillating: dict[str, Formula] = {
    "innovation": And((Eq(d1, u1 - (C1 + over(P1(m)))), Eq(d2, u2 - (C2 + over(P2(m)))))),
    "mean_steady": And((Eq(-nu * C2, 2 / theta * d1), Eq(nu * C1, 2 / theta * d2))),
    "cosines_steady": always(
        Eq(-nu * P2(m), 4 / theta * d1 - omega(m) * Q1(m)), Eq(nu * P1(m), 4 / theta * d2 - omega(m) * Q2(m))
    ),
    "sines_steady": always(Eq(-nu * Q2(m), omega(m) * P1(m)), Eq(nu * Q1(m), omega(m) * P2(m))),
    "window_not_empty": Lt(term(0), theta),
    "oscillates": Lt(term(0), nu),
}
still = {name: fmpq(0) for name in ("u₁", "u₂", "d₁", "d₂", "C₁", "C₂", "P₁", "P₂", "Q₁", "Q₂")}
above = for_all(m, Lt(omega(m) * omega(m), nu * nu))


@proves(
    Le(errors[0] * errors[0] + errors[1] * errors[1], nu * nu * (u1 * u1 + u2 * u2)),
    {**oscillating, "above_the_basis": above},
)
def fout_overtone() -> Fact:
    """With W = sum of ω_m²/(ν² - ω_m²) >= 0 and κ = 2(N + 2W)/(θν) the input is (1 - iκ) d, so that
    ν²|u|² - |y - iν u|² = (ν²(1 + κ²) - ν² - 4N²/θ²)|d|² = (16/θ²) W (N + W) |d|²."""
    positive = [assume(fout_overtone.hypotheses[name]) for name in ("window_not_empty", "oscillates")]
    higher = specialise(assume(above), m)
    products = [at_most(term(0), x, [x], *positive, strict=True) for x in (theta * nu, theta * theta)]
    known = [*map(apart, [*positive, *products]), apart(positive_gap(higher))]
    excess = omega(m) * omega(m) / (nu * nu - omega(m) * omega(m))
    W, norm = over(excess), d1 * d1 + d2 * d2
    kappa = 2 / (theta * nu) * (N + 2 * W)
    inputs = []
    for k, (u_k, P_k, inside) in enumerate(((u1, P1, d1 + kappa * d2), (u2, P2, d2 - kappa * d1))):
        share = (4 / (theta * nu) * d2, -4 / (theta * nu) * d1)[k]
        pair = both("cosines_steady", m)[1 - k], both("sines_steady", m)[k]
        waves = distribute(P_k(m), [(share, one), (share, excess)], *pair, *known)
        inputs.append(equal(u_k, inside, both("innovation")[k], both("mean_steady")[1 - k], waves, count()))
    read = read_errors()
    e, v = ([cast(Eq, fact.conclusion).rhs for fact in facts] for facts in (read, inputs))
    gap = 16 / (theta * theta) * (W * (N + W)) * norm
    bound = at_most(e[0] * e[0] + e[1] * e[1], nu * nu * (v[0] * v[0] + v[1] * v[1]), [gap], *positive, assume(above))
    for fact in (*read, *inputs):
        bound = rewrite(bound, backwards(fact))
    return settle(bound, *known)


def both(name: str, at: Index | None = None) -> tuple[Fact, Fact]:
    """The two parts of a hypothesis, for real and imaginary parts."""
    fact = assume(oscillating[name])
    fact = fact if at is None else specialise(fact, at)
    return component(fact, 0), component(fact, 1)


def read_errors() -> list[Fact]:
    """y - iν u = -(iν + 2N/θ) d, by `fout_innovation`."""
    growth = [(-nu, C2, P2, Q1, d1), (nu, C1, P1, Q2, d2)]
    found = []
    for k, (rate, mean_k, P_k, Q_k, d_k) in enumerate(growth):
        families = {
            Symbol("C'", *s.shape, 0): rate * mean_k,
            Symbol("P'", *s.shape, 1): family((m,), rate * P_k(m)),
            Q: family((m,), Q_k(m)),
            Symbol("d", *s.shape, 0): d_k,
        }
        read = instantiate(fout_innovation.fact, families=families)
        cosine = generalise(both("cosines_steady", m)[k], m)
        read = settle(read, both("mean_steady")[k], cosine)
        read = rewrite(read, distribute(rate * P_k(m), [(rate, P_k(m))]))
        inside = (nu * d2, -nu * d1)[k] - 2 / theta * (N * d_k)
        found.append(equal(errors[k], inside, read, both("innovation")[1 - k]))
    return found


j, r = size("j"), size("r")


@proves(
    substitute(And((Eq(readouts[0], -nu * u2), Eq(readouts[1], nu * u1))), {"M": j + 1 + r}),
    {name: substitute(h, {"M": j + 1 + r}) for name, h in oscillating.items()} | {"in_the_basis": Eq(omega(j + 1), nu)},
)
def fout_harmonic() -> Fact:
    """The equations of the resonant pair, s² = -ω_j², leave no innovation; and y = iν u - (iν + 2N/θ) d."""
    resonant = assume(fout_harmonic.hypotheses["in_the_basis"])
    defined = apart(assume(oscillating["oscillates"])), apart(assume(oscillating["window_not_empty"]))
    none = []
    for k, d_k in enumerate((d1, d2)):
        cosine, sine = both("cosines_steady", j + 1)[k], both("sines_steady", j + 1)[1 - k]
        none.append(equal(d_k, term(0), cosine, sine, resonant))
    sides = zip(readouts, (-nu * u2, nu * u1), read_errors(), strict=True)
    facts = [equal(y, goal, followed(rewrite(rewrite(read, none[0]), none[1]), term(0))) for y, goal, read in sides]
    return settle(instantiate(conjunction(*facts), {"M": j + 1 + r}), *defined)


# ---------------------------------------------------------------- what the closed loop u' = y generates, N by N
def check_closed_loop(M: int, jump: int = 2) -> str:
    """Whether the loop of the layer with window 1 has the characteristic polynomial s (s + 2N) ∏ (s² + 4π²m²).

    Empty if so, else what is wrong. π is a variable; `jump` is what the innovation enters the mean with.
    """
    coefficients, pi = ring("π", QQ)
    domain = coefficients.to_domain()
    N, zero = 2 * M + 1, coefficients(0)
    loop = [[zero] * (N + 1) for _ in range(N + 1)]  # C, P_1, Q_1, P_2, ..., u
    for row, weight in [(0, jump), *((2 * m - 1, 2 * jump) for m in range(1, M + 1))]:
        for column in (0, *range(1, N, 2)):
            loop[row][column] -= weight
        loop[row][N] += weight
    expected = [coefficients(1), coefficients(2 * N), zero]  # s² + 2N s, highest power first
    for m in range(1, M + 1):
        loop[2 * m - 1][2 * m] -= 2 * m * pi
        loop[2 * m][2 * m - 1] += 2 * m * pi
        loop[N][2 * m] -= 2 * m * pi
        padded, moved = [*expected, zero, zero], [zero, zero, *expected]
        expected = [a + 4 * m**2 * pi**2 * b for a, b in zip(padded, moved, strict=True)]
    found = DomainMatrix(loop, (N + 1, N + 1), domain).charpoly()
    return "" if found == expected else f"N = {N}: the characteristic polynomial is {found}, not {expected}"


# ------------------------------------------------------------- exact coefficients: the jump of the window's ends
X, Y, J = sequence("X"), sequence("Y"), scalar("J")
partial_sum = Y(0) + 2 * over(Y(m))  # the M-th Fourier partial sum of u' on the window, at lag 0


@proves(
    Eq(-2 * over(omega(m) * X(m)), -(N / theta) * J + partial_sum),
    {
        "by_parts": for_all(m, Eq(omega(m) * X(m), J / theta - Y(m))),
        "constant": Eq(omega(0), term(0)),
        "window_not_empty": Nonzero(theta),
    },
)
def fout_jump() -> Fact:
    """Q_m = 2 X_m, where X_m and Y_m are the means over the window of u(t - σ) sin ω_m σ and u'(t - σ) cos ω_m σ.

    One integration by parts, as cos ω_m θ = 1 and sin ω_m θ = 0, is ω_m X_m = J/θ - Y_m: a hypothesis here, which the
    tests check on exponentials and polynomials, by exact integration.
    """
    given = [assume(h) for h in fout_jump.hypotheses.values()]
    waves = distribute(omega(m) * X(m), [(J / theta, one), (term(-1), Y(m))], specialise(given[0], m))
    goal = cast(Eq, fout_jump.conclusion)
    return settle(equal(goal.lhs, goal.rhs, waves, count(), specialise(given[0], 0), given[1]), given[2])


# -------------------------------------------------------------------------------------- from derivative to next state
delta, slope, read, after, E, S = (scalar(name) for name in ("δ", "u'", "y", "v", "E", "S"))


@proves(
    absolute_le(after - (u + delta * read), delta * E + delta * delta / 2 * S),
    {
        "taylor": absolute_le(after - u - delta * slope, delta * delta / 2 * S),
        "read_error": absolute_le(slope - read, E),
        "step_nonnegative": Le(term(0), delta),
    },
)
def next_state() -> Fact:
    """v - u - δ y = (v - u - δ u') + δ (u' - y): Taylor's remainder, S a bound of |u''|, and δ times the error of y."""
    remainder, error = (Bounded.of(assume(next_state.hypotheses[name])) for name in ("taylor", "read_error"))
    facts = [*remainder.facts, *error.facts, assume(next_state.hypotheses["step_nonnegative"])]
    goal = cast(And, next_state.conclusion)
    bounds = [cast(Le, part) for part in goal.parts]
    gaps = [[remainder.gaps[side], delta * error.gaps[side]] for side in (1, 0)]
    return conjunction(*(at_most(b.lhs, b.rhs, gap, *facts) for b, gap in zip(bounds, gaps, strict=True)))


if __name__ == "__main__":
    main(__doc__)
