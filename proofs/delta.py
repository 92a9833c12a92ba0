"""The delta rule as online gradient descent, its implicit form, and the Mesa layer as recursive ridge regression.

Sources: Schlag, Irie and Schmidhuber, "Linear Transformers Are Secretly Fast Weight Programmers" (ICML 2021, equation
25), remembered; Longhorn (arXiv 2407.14207), see `proofs/longhorn/update.py`; von Oswald et al., "Uncovering
mesa-optimization algorithms in Transformers" (arXiv 2309.05858), for the Mesa layer, remembered. All of it is derived
here.

| symbol | shape | meaning |
| --- | --- | --- |
| n, d, T | sizes, length | entries of a key, of a value; steps |
| k_t, v_t | (n,), (d,) | key and value of step t |
| S, β | (d, n), scalar | the state before a step, and its write strength |
| λ | scalar | inverse weight of the ridge penalty |
| Σ_t, M_t | (n, n), (d, n) | the sums of k_i k_i' and of v_i k_i' up to t |
| R_t, F_t | (n, n), (d, n) | the inverse of I/λ + Σ_t, and the weights, as the layer updates them |
| W_t, η | (d, n), scalar | state of TTT-linear t tokens after a minibatch began; its rate |

TTT-linear (Sun et al., "Learning to (Learn at Test Time)", arXiv 2407.04620, remembered) steps on ‖S k - v‖², without
the factor 1/2: with rate η it is the delta rule with β = 2η.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import modulo, t, transposed
from proofs.kernel import (
    Fact,
    additive,
    apart,
    assume,
    component,
    congruence,
    conjunction,
    discharge,
    empty,
    identity,
    induction,
    instantiate,
    linear,
    minimiser,
    rewrite,
    specialise,
    squares,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import backwards, settle
from proofs.terms import (
    ONE,
    Add,
    And,
    Eq,
    Formula,
    Identity,
    Index,
    Le,
    Lt,
    Mul,
    Sum,
    Symbol,
    Term,
    UniqueMinimiser,
    Zero,
    for_all,
    index,
    matrix,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
    vector,
)

n, d, i, T = (size(name) for name in ("n", "d", "i", "T"))
one, half = term(1), term(1) / 2
S, k, v, beta = matrix("S", d, n), vector("k", n), vector("v", d), scalar("β")
a, b = vector("a", d), vector("b", n)


def loss(S: Term) -> Term:
    """(1/2) ‖S k - v‖²."""
    return half * ((S @ k - v).T @ (S @ k - v))


# ----------------------------------------------------------------------------- the delta rule is online descent
gradient = (S @ k - v) @ k.T


@proves(
    And(
        (
            Eq(loss(S + a @ b.T), loss(S) + a.T @ gradient @ b + half * (a.T @ a) * ((k.T @ b) * (k.T @ b))),
            Eq(S @ (Identity(n) - beta * (k @ k.T)) + beta * (v @ k.T), S - beta * gradient),
        )
    )
)
def online_gradient() -> Fact:
    """What is linear in a b' is the gradient (S k - v) k'; a step of β along it is the delta rule, multiplied out."""
    parts = [cast(Eq, part) for part in cast(And, online_gradient.conclusion).parts]
    return conjunction(*(identity(part.lhs, part.rhs) for part in parts))


# ----------------------------------------------------------------------------------------- the implicit step
epsilon = beta / (1 + beta * (k.T @ k))
new = S - epsilon * gradient


@proves(Eq(new, S - beta * ((new @ k - v) @ k.T)), {"beta_nonnegative": Le(term(0), beta)})
def implicit_step() -> Fact:
    """The error after the step is the error before, divided by 1 + β k'k: the gradient at the new state times β is the
    gradient at the old one times β/(1 + β k'k)."""
    goal = cast(Eq, implicit_step.conclusion)
    below = 1 + beta * (k.T @ k)
    defined = apart(squares(term(0), below, below, [Le(term(0), beta)], strict=True))
    return discharge(identity(goal.lhs, goal.rhs), defined)


# ------------------------------------------------------------------------------------- Mesa: recursive ridge
keys, values = sequence("k", n), sequence("v", d)
lam = scalar("λ")
R, F = sequence("R", n, n), sequence("F", d, n)
penalty = one / lam


def scatter(T: Index) -> Term:
    """Σ_T."""
    return summation(i, 1, T, keys(i) @ keys(i).T)


def memory(T: Index) -> Term:
    """M_T."""
    return summation(i, 1, T, values(i) @ keys(i).T)


direction = R(t) @ keys(t + 1)
gain = one / (1 + keys(t + 1).T @ direction)
updates: dict[str, Formula] = {
    "lambda_positive": Lt(term(0), lam),
    "R_starts": Eq(R(0), lam * Identity(n)),
    "R_updated": for_all(t, Eq(R(t + 1), R(t) - gain * (direction @ direction.T))),
    "F_starts_at_zero": Eq(F(0), Zero(d, n)),
    "F_updated": for_all(t, Eq(F(t + 1), F(t) + gain * ((values(t + 1) - F(t) @ keys(t + 1)) @ direction.T))),
}


def conclusions_at(t: Index) -> And:
    """R_t is the inverse of I/λ + Σ_t, and symmetric; F_t = M_t R_t."""
    inverse = Eq(R(t) @ scatter(t), Identity(n) - penalty * R(t))
    return And((inverse, Eq(R(t).T, R(t)), Eq(F(t), memory(t) @ R(t))))


@proves(conclusions_at(T), updates)
def mesa() -> Fact:
    """Sherman and Morrison, by induction on T. 1 + k'R k is positive, as k'R k = ‖R k‖²/λ + sum of (k_i'R k)² for a
    symmetric R with R (I/λ + Σ) = I, so nothing is divided by 0."""
    given = {name: assume(h) for name, h in updates.items()}
    statement = conclusions_at(t)
    now = [component(assume(statement), j) for j in range(3)]
    positive = apart(given["lambda_positive"])
    defined = denominator_is_not_zero(now[:2], positive)

    def proved(lhs: Term, rhs: Term, *by: Fact) -> Fact:
        return settle(modulo(lhs, rhs, *by), defined, positive)

    recurs, updated = specialise(given["R_updated"], t), specialise(given["F_updated"], t)
    next_R = cast(Eq, recurs.conclusion).rhs
    symmetric = rewrite(proved(next_R.T, next_R, now[1]), settle(backwards(recurs), defined))
    goals = [cast(Eq, part) for part in conclusions_at(t + 1).parts]
    sums = [unfold(total(t + 1)) for total in (scatter, memory)]
    inverse = proved(goals[0].lhs, goals[0].rhs, recurs, sums[0], *now[:2])
    weights = proved(goals[2].lhs, goals[2].rhs, recurs, updated, sums[1], *now[1:])
    step = conjunction(inverse, symmetric, weights)
    return instantiate(induction(statement, t, start_of_mesa(given), step), {"t": T})


def start_of_mesa(given: dict[str, Fact]) -> Fact:
    """At the start R Σ = 0 = I - λ I/λ, and F = 0 = M R."""
    goals = [cast(Eq, part) for part in conclusions_at(index(0)).parts]
    positive, R_starts = apart(given["lambda_positive"]), given["R_starts"]
    inverse = modulo(goals[0].lhs, goals[0].rhs, R_starts, empty(scatter(index(0))))
    weights = modulo(goals[2].lhs, goals[2].rhs, given["F_starts_at_zero"], empty(memory(index(0))))
    return conjunction(settle(inverse, positive), transposed(R_starts, lam * Identity(n)), weights)


def denominator_is_not_zero(now: Sequence[Fact], positive: Fact) -> Fact:
    """1 + k'R k != 0 from R Σ = I - R/λ and R' = R."""
    w, outer = direction, keys(i) @ keys(i).T
    each = equal((w.T @ keys(i)) * (w.T @ keys(i)), Mul((w.T, outer, w)))
    squared = rewrite(congruence(each, Sum, i, 1, t), linear(i, 1, t, w.T, outer, w))
    squares_of_keys, form = (cast(Eq, squared.conclusion).lhs, cast(Eq, squared.conclusion).rhs)
    norm = penalty * (w.T @ w)
    certificate = 1 + norm + squares_of_keys
    above = squares(term(0), certificate, certificate, [Lt(term(0), lam)], strict=True)
    shorter = modulo(1 + norm + form, 1 + keys(t + 1).T @ w, *now)
    return settle(apart(rewrite(rewrite(above, squared), shorter)), positive)


# --------------------------------------------------------------------------------------- what Mesa minimises
inverse_R, phi, target = matrix("R", n, n), sequence("φ", n, arity=0), sequence("v")
ridge_at = inverse_R @ summation(i, 1, T, target(i) * keys(i))


def ridge_loss(w: Term) -> Term:
    """‖w‖² + λ sum of (w'k_i - v_i)²: 2 λ times the ridge loss of one row of the weights."""
    error = w.T @ keys(i) - target(i)
    return w.T @ w + lam * summation(i, 1, T, error * error)


@proves(
    UniqueMinimiser(phi, (), ridge_loss(phi()), ridge_at),
    {
        "lambda_positive": Lt(term(0), lam),
        "R_is_the_inverse": Eq(scatter(T) @ inverse_R, Identity(n) - penalty * inverse_R),
    },
)
def ridge() -> Fact:
    """Moving the row by δ adds ‖δ‖² + λ sum of (δ'k_i)², and 2 δ'(w + λ(Σ w - M)), which is 0 for w = R M."""
    change = Symbol("δ", n, ONE)
    delta, w = change(), ridge_at
    error, turn = w.T @ keys(i) - target(i), delta.T @ keys(i)
    outer, cross = keys(i) @ keys(i).T, target(i) * keys(i)
    parts = [error * error, Mul((2 * delta.T, outer, w)), Mul((-2 * delta.T, cross)), turn * turn]
    moved = (w + delta).T @ keys(i) - target(i)
    summed = congruence(identity(moved * moved, Add(tuple(parts))), Sum, i, 1, T)
    summed = rewrite(summed, additive(i, 1, T, parts))
    summed = rewrite(rewrite(summed, linear(i, 1, T, 2 * delta.T, outer, w)), linear(i, 1, T, -2 * delta.T, cross))
    gap = lam * summation(i, 1, T, turn * turn)
    raised = cast(Eq, summed.conclusion).rhs
    inverse = assume(ridge.hypotheses["R_is_the_inverse"])
    grown = ridge_loss(w) + Add((delta.T @ delta, gap))
    expanded = modulo((w + delta).T @ (w + delta) + lam * raised, grown, inverse)
    expanded = settle(rewrite(expanded, backwards(summed)), apart(assume(Lt(term(0), lam))))
    return minimiser(cast(UniqueMinimiser, ridge.conclusion), expanded, change, gap, [Lt(term(0), lam)])


# --------------------------------------------------------------------------------------------- TTT, a minibatch
W, eta, q = sequence("W", d, n), scalar("η"), vector("q", n)
error = W(0) @ keys(i) - values(i)
descends = for_all(t, Eq(W(t + 1), W(t) - (2 * eta) * ((W(0) @ keys(t + 1) - values(t + 1)) @ keys(t + 1).T)))
dual_sum = summation(i, 1, T, (keys(i).T @ q) * error)


@proves(Eq(W(T) @ q, W(0) @ q - (2 * eta) * dual_sum), {"W_descends": descends})
def ttt_dual() -> Fact:
    """W_T = W_0 - 2η sum of (W_0 k_i - v_i) k_i', by induction on T: every gradient is one at W_0. Read at q, each
    outer product leaves the number k_i'q."""
    outer = one * (error @ keys(i).T)
    total = summation(i, 1, t, outer)
    statement = Eq(W(t), W(0) - (2 * eta) * total)
    start = equal(W(0), substitute(statement.rhs, {"t": index(0)}), empty(substitute(total, {"t": index(0)})))
    after = substitute(total, {"t": t + 1})
    recurs = specialise(assume(descends), t)
    goal = substitute(statement, {"t": t + 1})
    grown = equal(goal.lhs, goal.rhs, recurs, assume(statement), unfold(after))
    state = instantiate(induction(statement, t, start, grown), {"t": T})
    each = equal((keys(i).T @ q) * error, Mul((one, outer, q)))
    read = rewrite(congruence(each, Sum, i, 1, T), linear(i, 1, T, one, outer, q))
    moved = cast(Eq, ttt_dual.conclusion)
    return equal(moved.lhs, moved.rhs, state, read)


if __name__ == "__main__":
    main(__doc__)
