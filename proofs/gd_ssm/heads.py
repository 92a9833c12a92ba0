"""GD-SSM (arXiv 2410.11687), continued: features of the inputs, classes for targets, preconditioned steps.

What was read: see `proofs/gd_ssm/one_step.py`; of v3 the abstract, which names non-linear regression by an MLP and
classification with the cross-entropy, and not how either is done.

| symbol | shape | meaning |
| --- | --- | --- |
| p, m | sizes | features of an input; entries of a target, or classes |
| φ_i, ψ | (p,) | features of input i and of the query: any function of them, such as an MLP's |
| y_i | (m,) | target of pair i; for classes the unit vector of its class |
| o, c | (m,), scalar | the vector of ones; what is taken off each entry of a target, 1/m for m classes |
| γ | scalar | rate of the step on the sum of the losses |
| A | (f, f) | what the gradient is multiplied by on the inputs' side |
| n, ω_s, S_s | length, scalar, (f, f) | contexts that there may be; probability of context s, the sum of its x x' |
| ν, P, δ, q | scalar, (f, f), (f, f), (f,) | variance of the noise in targets; a preconditioner; its change; a query |
| N, Σ, τ | length, (f, f), scalar | pairs of a context; covariance of an input; its trace |

Cross-entropy, by hand, for the kernel has no exp: its gradient at W is the sum of (softmax(W x_i) - y_i) x_i', and
softmax(0) = o/m. So from zero one step is that of least squares on the targets y_i - o/m. A second step needs
softmax(W_1 x_i), which is no polynomial: nothing is claimed of it.

The best preconditioner, by hand: if y_i = w'x_i with noise, the entries of w and the noise independent of all else, of
mean 0 and variances 1 and ν, then M P q - w'q = w'(S P - I) q + noise, and its mean square over both is
‖(S P - I) q‖² + ν (P q)'S (P q). For N independent inputs x ~ N(0, Σ), E S = N Σ and, by Isserlis' theorem,
E S² = N (N + 1) Σ² + N τ Σ; the instances have a law of these moments.
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import (
    D,
    T,
    c_token,
    f,
    gamma,
    i,
    m,
    modulo,
    one_step_constructed_tokens,
    q_next,
    rate,
    slope,
    slope_is,
    step,
    vector_state,
    y,
    z,
)
from proofs.kernel import Fact, additive, assume, congruence, identity, instantiate, linear, rewrite, specialise
from proofs.tactics.equations import equal
from proofs.terms import (
    ONE,
    Eq,
    Formula,
    Identity,
    Mul,
    Nat,
    Sum,
    Symbol,
    Term,
    add,
    family,
    for_all,
    matrix,
    scalar,
    sequence,
    size,
    substitute,
    summation,
    term,
    vector,
)

p = size("p")
one = term(1)
phi, query, ones, c = sequence("φ", p), vector("ψ", p), vector("o", m), scalar("c")
as_inputs = {Symbol("x", p, ONE, 1): family((i,), phi(i))}


def on_features(statement: Term) -> Term:
    """The statement with the features for inputs."""
    return substitute(substitute(statement, {"f": p}), families=as_inputs)


# ------------------------------------------------------------------------------------------------- features


@proves(Eq(gamma * summation(i, 1, T, (phi(i).T @ query) * y(i)), on_features(step(None, T, gamma)) @ query))
def features() -> Fact:
    """The layer on φ_1, y_1, ..., ψ weighs each target by the kernel φ_i'ψ, which is what the step does."""
    slope = instantiate(instantiate(slope_is(None, T), {"f": p}), families=as_inputs)
    goal = cast(Eq, features.conclusion)
    return equal(goal.lhs, goal.rhs, similar(y(i)), slope)


def similar(targets: Term) -> Fact:
    """sum of (φ_i'ψ) target_i, as a product with ψ."""
    outer = one * (targets @ phi(i).T)
    each = equal((phi(i).T @ query) * targets, Mul((one, outer, query)))
    return rewrite(congruence(each, Sum, i, 1, T), linear(i, 1, T, one, outer, query))


# -------------------------------------------------------------------------------------------------- classes
centred = y(i) - c * ones


@proves(
    Eq(
        gamma * summation(i, 1, T, (phi(i).T @ query) * y(i)),
        gamma * summation(i, 1, T, (phi(i).T @ query) * centred)
        + gamma * c * summation(i, 1, T, phi(i).T @ query) * ones,
    )
)
def cross_entropy() -> Fact:
    """Target by target, y = (y - c o) + c o. What is added to each logit is one number, which softmax does not see."""
    weight = phi(i).T @ query
    parts = [weight * centred, Mul((c, weight, ones))]
    each = equal(weight * y(i), add(*parts))
    fact = rewrite(congruence(each, Sum, i, 1, T), additive(i, 1, T, parts))
    fact = rewrite(fact, linear(i, 1, T, c, weight, ones))
    goal = cast(Eq, cross_entropy.conclusion)
    return equal(goal.lhs, goal.rhs, fact)


# --------------------------------------------------------------------------------------------- preconditioning
A = matrix("A", f, f)
change = rate * substitute(slope(None, T + 1), {"m": ONE})


@proves(Eq(-(z(T + 1).T @ A @ D @ c_token(T + 1)), -change @ A @ q_next), one_step_constructed_tokens.hypotheses)
def preconditioned() -> Fact:
    """The state is that of the construction, -γ M_T; what reads it is A x_{T+1}."""
    goal = cast(Eq, preconditioned.conclusion)
    return modulo(goal.lhs, goal.rhs, *vector_state(), instantiate(slope_is(None, T + 1), {"m": ONE}))


# --------------------------------------------------------------------------------- the best preconditioner
n, N, at = size("n"), size("N"), size("s")
probability, S, nu = sequence("ω"), sequence("S", f, f), scalar("ν")
P, delta, asked = matrix("P", f, f), matrix("δ", f, f), vector("q", f)


def mean(value: Term) -> Term:
    """The mean over the contexts of a matrix or number of context s."""
    return summation(at, 1, n, probability(at) * value)


def regretted(P: Term) -> Term:
    """The mean square of the error at q, over the weights and the noise, in context s."""
    error, moved = (Identity(f) - S(at) @ P) @ asked, P @ asked
    return error.T @ error + nu * (moved.T @ S(at) @ moved)


added = delta @ asked
normal_equations = Eq(P.T @ (mean(S(at) @ S(at)) + nu * mean(S(at))), mean(S(at)))


@proves(
    Eq(
        mean(regretted(P + delta)),
        mean(regretted(P)) + mean((S(at) @ added).T @ (S(at) @ added)) + nu * mean(added.T @ S(at) @ added),
    ),
    {"S_symmetric": for_all(at, Eq(S(at).T, S(at))), "normal_equations": normal_equations},
)
def best_preconditioner() -> Fact:
    """Context by context the squares are expanded; what is linear in δ sums to twice
    q'(P'(E S² + ν E S) - E S) δ q, which is 0."""
    single, square, read = probability(at) * S(at), probability(at) * (S(at).T @ S(at)), (P @ asked).T
    kept = [probability(at) * regretted(P), probability(at) * ((S(at) @ added).T @ (S(at) @ added))]
    moved = [(nu, probability(at) * (added.T @ S(at) @ added), one)]
    moved += [(2 * read, square, added), (-2 * asked.T, single, added)]
    moved += [(nu * read, part, added) for part in (single, probability(at) * S(at).T)]
    parts = [*kept, *(Mul(each) for each in moved)]
    each = identity(probability(at) * regretted(P + delta), add(*parts))
    summed = rewrite(congruence(each, Sum, at, 1, n), additive(at, 1, n, parts))
    for factors in moved:
        summed = rewrite(summed, linear(at, 1, n, *factors))
    symmetric = specialise(assume(best_preconditioner.hypotheses["S_symmetric"]), at)
    for turned, plain in ((square, S(at) @ S(at)), (probability(at) * S(at).T, S(at))):
        summed = rewrite(summed, congruence(equal(turned, probability(at) * plain, symmetric), Sum, at, 1, n))
    read_square = P.T @ mean(S(at) @ S(at))
    balanced = identity(read_square, normal_equations.lhs - nu * (P.T @ mean(S(at))))
    balanced = rewrite(balanced, assume(normal_equations))
    goal = cast(Eq, best_preconditioner.conclusion)
    return rewrite(summed, modulo(cast(Eq, summed.conclusion).rhs, goal.rhs, balanced))


Sigma, tau, count = matrix("Σ", f, f), scalar("τ"), Nat(N)
gaussian: dict[str, Formula] = {
    "mean_of_S": Eq(mean(S(at)), count * Sigma),
    "mean_of_its_square": Eq(mean(S(at) @ S(at)), count * ((count + 1) * (Sigma @ Sigma) + tau * Sigma)),
    "P_is_the_inverse": Eq(P.T @ ((count + 1) * Sigma + (tau + nu) * Identity(f)), Identity(f)),
}


@proves(normal_equations, gaussian)
def best_preconditioner_gaussian() -> Fact:
    """E S² + ν E S = N ((N + 1) Σ + (τ + ν) I) Σ."""
    moments = [assume(gaussian[name]) for name in ("mean_of_S", "mean_of_its_square")]
    inverse, goal = assume(gaussian["P_is_the_inverse"]), normal_equations
    factored = modulo(goal.lhs, cast(Eq, inverse.conclusion).lhs @ (count * Sigma), *moments)
    return rewrite(rewrite(factored, inverse), modulo(Identity(f) @ (count * Sigma), goal.rhs, moments[0]))


if __name__ == "__main__":
    main(__doc__)
