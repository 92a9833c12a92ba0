"""State tracking after "The Illusion of State": what exact layers cannot do, for every size and length.

| symbol | shape | meaning |
| --- | --- | --- |
| A, C | (n, n) | gates of two words; they commute, as diagonal ones do |
| b, d | (n, 1) | inputs of the two words |
| u_t, y_t | (n, 1) | y_t is what "A, then C" makes of u_t, y_{t+1} what "C, then A" makes of it |
| A_t, b_t | (n, n), (n, 1) | transition and input of the letter at time t |
| c_{i,t}, h_t | (n, 1) | the i-th code after t letters; a state that started beside the codes |
| α_i | scalar | how far the start lies in the direction of code i |
| d_t, v | (n, 1) | a difference of two states |
| k, β | (n, 1), scalar | key and strength of a delta rule's step |

Two words whose maps both permute a finite set of states: with f = "A, then C" and g = "C, then A" the orbit of y_0
under g f^-1 is y_0, y_1, ..., and it returns. Then f = g (`commuting_letters`): the group of such words is abelian.

A letter is firmly non-expansive if |A v|² + |v - A v|² <= |v|². A word that permutes finitely many states returns each
difference after some power; then no letter of it moved the difference (`firm_letters`), and it permutes nothing.
(Statements and proofs are ours, after Shakerinava et al., arXiv 2603.01959, and arXiv 2605.07755, of which the
abstracts were read, and Grazzi et al., arXiv 2411.12537.)
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    apart,
    assume,
    congruence,
    empty,
    identity,
    induction,
    instantiate,
    linear,
    rewrite,
    specialise,
    squares,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import at_most, backwards, settle
from proofs.terms import (
    Add,
    Eq,
    Identity,
    Index,
    Le,
    Mul,
    Nat,
    Sum,
    Term,
    for_all,
    index,
    matrix,
    scalar,
    sequence,
    size,
    summation,
    term,
    vector,
)

n, N, p, T, t, s, i = (size(name) for name in ("n", "N", "p", "T", "t", "s", "i"))


# ------------------------------------------------------------------------------------------- commuting letters
A, C = matrix("A", n, n), matrix("C", n, n)
b, d = vector("b", n), vector("d", n)
u, y = sequence("u", n), sequence("y", n)
tau = (A @ d + b) - (C @ b + d)


@proves(
    Eq(A @ d + b, C @ b + d),
    {
        "gates_commute": Eq(A @ C, C @ A),
        "one_order": for_all(t, Eq(y(t), C @ (A @ u(t) + b) + d)),
        "the_other": for_all(t, Eq(y(t + 1), A @ (C @ u(t) + d) + b)),
        "orbit_returns": Eq(y(p + 1), y(0)),
    },
)
def commuting_letters() -> Fact:
    """y_{t+1} - y_t is one vector, as A C u_t = C A u_t; (p + 1) times it is y_{p+1} - y_0 = 0."""
    commute, one_order, other, returns = (assume(formula) for formula in commuting_letters.hypotheses.values())
    step = equal(y(t + 1), y(t) + tau, specialise(other, t), specialise(one_order, t), commute)
    along = Eq(y(t), y(0) + Nat(t) * tau)
    base = identity(y(0), y(0) + Nat(index(0)) * tau)
    run = induction(along, t, base, equal(y(t + 1), y(0) + Nat(t + 1) * tau, step, assume(along)))
    positive = apart(squares(term(0), Nat(p + 1), Nat(p + 1), strict=True))
    share = C @ b + d + term(1) / Nat(p + 1) * (y(p + 1) - y(0))
    moved = settle(equal(A @ d + b, share, instantiate(run, {"t": p + 1})), positive)
    still = rewrite(moved, returns)
    return rewrite(still, settle(identity(cast(Eq, still.conclusion).rhs, C @ b + d), positive))


# ----------------------------------------------------------------------------------------- no error correction
At, bt, h = sequence("A", n, n), sequence("b", n), sequence("h", n)
c, alpha = sequence("c", n, arity=2), sequence("α")


def mixed(t: Index | int) -> Term:
    """Σ α_i (c_{i,t} - c_{0,t}), i = 1 .. N."""
    return summation(i, 1, N, alpha(i) * (c(i, t) - c(index(0), t)))


@proves(
    Eq(h(T), c(0, T) + mixed(T)),
    {
        "codes": for_all(i, for_all(t, Eq(c(i, t + 1), At(t + 1) @ c(i, t) + bt(t + 1)))),
        "recurrence": for_all(t, Eq(h(t + 1), At(t + 1) @ h(t) + bt(t + 1))),
        "starts_beside_the_codes": Eq(h(0), c(0, 0) + mixed(0)),
    },
)
def no_error_correction() -> Fact:
    """By induction on T: what is affine keeps the coefficients."""
    codes, recurrence, start = (assume(formula) for formula in no_error_correction.hypotheses.values())
    along = Eq(h(t), c(0, t) + mixed(t))

    def code(j: Index) -> Fact:
        return specialise(specialise(codes, j), t)

    def part(t: Index | int) -> Term:
        return alpha(i) * (c(i, t) - c(index(0), t))

    each = equal(part(t + 1), Mul((At(t + 1), part(t))), code(i), code(index(0)))
    moved = rewrite(congruence(each, Sum, i, 1, N), linear(i, 1, N, At(t + 1), part(t)))
    onwards = equal(
        h(t + 1), c(0, t + 1) + mixed(t + 1), specialise(recurrence, t), code(index(0)), assume(along), moved
    )
    return instantiate(induction(along, t, start, onwards), {"t": T})


# ------------------------------------------------------------------------------------------------ firm letters
def square(x: Term) -> Term:
    return x.T @ x


k, v, beta = vector("k", n), vector("v", n), scalar("β")
delta_gate = Identity(n) - beta * (k @ k.T)


@proves(
    Le(square(delta_gate @ v) + square(v - delta_gate @ v), square(v)),
    {"writes_forwards": Le(term(0), beta), "at_most_all": Le(beta * (k.T @ k), term(1))},
)
def firm_delta_rule() -> Fact:
    """What is missing is 2 β (1 - β k'k) (k'v)²."""
    claimed = cast(Le, firm_delta_rule.conclusion)
    gap = Mul((term(2), beta, 1 - beta * (k.T @ k), k.T @ v, k.T @ v))
    return squares(claimed.lhs, claimed.rhs, gap, list(firm_delta_rule.hypotheses.values()))


e = sequence("d", n)


def moves(t: Index | int) -> Term:
    """Σ |d_{s+1} - d_s|², s = 0 .. t - 1."""
    return summation(s, 0, t - 1, square(e(s + 1) - e(s)))


@proves(
    Le(square(e(T)) + moves(T), square(e(0))),
    {"firm": for_all(t, Le(square(e(t + 1)) + square(e(t + 1) - e(t)), square(e(t))))},
)
def firm_letters() -> Fact:
    """By induction on T. If d_T = d_0, all moves are 0."""
    along = Le(square(e(t)) + moves(t), square(e(0)))
    start = square(e(0))
    base = at_most(start + term(0), start, [term(0)])
    base = rewrite(base, equal(start + term(0), start + moves(index(0)), empty(moves(index(0)))))
    one, before = specialise(assume(firm_letters.hypotheses["firm"]), t), assume(along)
    gaps = [cast(Le, fact.conclusion).rhs - cast(Le, fact.conclusion).lhs for fact in (before, one)]
    after = Add((square(e(t + 1)), Add((moves(t), square(e(t + 1) - e(t))))))
    step = rewrite(at_most(after, start, gaps, before, one), backwards(unfold(moves(t + 1))))
    return instantiate(induction(along, t, base, step), {"t": T})


if __name__ == "__main__":
    main(__doc__)
