"""GD-SSM (arXiv 2410.11687), continued: features of the inputs, classes for targets, and a preconditioned step.

What was read: see `proofs/gd_ssm.py`; of v3 the abstract, which names non-linear regression by an MLP and
classification with the cross-entropy, and not how either is done.

| symbol | shape | meaning |
| --- | --- | --- |
| p, m | sizes | features of an input; entries of a target, or classes |
| φ_i, ψ | (p,) | features of input i and of the query: any function of them, such as an MLP's |
| y_i | (m,) | target of pair i; for classes the unit vector of its class |
| o, c | (m,), scalar | the vector of ones; what is taken off each entry of a target, 1/m for m classes |
| γ | scalar | rate of the step on the sum of the losses |
| A | (f, f) | what the gradient is multiplied by on the inputs' side |

Cross-entropy, by hand, for the kernel has no exp: its gradient at W is the sum of (softmax(W x_i) - y_i) x_i', and
softmax(0) = o/m. So from zero one step is that of least squares on the targets y_i - o/m. A second step needs
softmax(W_1 x_i), which is no polynomial: nothing is claimed of it.
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import Derivation, main
from proofs.gd_ssm import (
    D,
    T,
    c_token,
    column,
    constructed_tokens,
    f,
    gamma,
    i,
    m,
    modulo,
    q_next,
    rate,
    slope,
    slope_is,
    step,
    vector_state,
    y,
    z,
)
from proofs.kernel import Claim, Fact, additive, congruence, instantiate, linear, rewrite
from proofs.tactics import equal
from proofs.terms import (
    ONE,
    Eq,
    Mul,
    Sum,
    Symbol,
    Term,
    add,
    family,
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
features = Claim(
    "gd_ssm.features",
    Eq(gamma * summation(i, 1, T, (phi(i).T @ query) * y(i)), on_features(step(None, T, gamma)) @ query),
)


def similar(targets: Term) -> Fact:
    """sum of (φ_i'ψ) target_i, as a product with ψ."""
    outer = one * (targets @ phi(i).T)
    each = equal((phi(i).T @ query) * targets, Mul((one, outer, query)))
    return rewrite(congruence(each, Sum, i, 1, T), linear(i, 1, T, one, outer, query))


def prove_features() -> Fact:
    """The layer on φ_1, y_1, ..., ψ weighs each target by the kernel φ_i'ψ, which is what the step does."""
    slope = instantiate(instantiate(slope_is(None, T), {"f": p}), families=as_inputs)
    goal = cast(Eq, features.conclusion)
    return equal(goal.lhs, goal.rhs, similar(y(i)), slope)


# -------------------------------------------------------------------------------------------------- classes
centred = y(i) - c * ones
classes = Claim(
    "gd_ssm.cross_entropy",
    Eq(
        gamma * summation(i, 1, T, (phi(i).T @ query) * y(i)),
        gamma * summation(i, 1, T, (phi(i).T @ query) * centred)
        + gamma * c * summation(i, 1, T, phi(i).T @ query) * ones,
    ),
)


def prove_classes() -> Fact:
    """Target by target, y = (y - c o) + c o. What is added to each logit is one number, which softmax does not see."""
    weight = phi(i).T @ query
    parts = [weight * centred, Mul((c, weight, ones))]
    each = equal(weight * y(i), add(*parts))
    fact = rewrite(congruence(each, Sum, i, 1, T), additive(i, 1, T, parts))
    fact = rewrite(fact, linear(i, 1, T, c, weight, ones))
    goal = cast(Eq, classes.conclusion)
    return equal(goal.lhs, goal.rhs, fact)


# --------------------------------------------------------------------------------------------- preconditioning
A = matrix("A", f, f)
change = rate * substitute(slope(None, T + 1), {"m": ONE})
preconditioned = Claim(
    "gd_ssm.preconditioned",
    Eq(-(z(T + 1).T @ A @ D @ c_token(T + 1)), -change @ A @ q_next),
    constructed_tokens.hypotheses,
    witness={**constructed_tokens.witness, "A": column(1)},
)


def prove_preconditioned() -> Fact:
    """The state is that of the construction, -γ M_T; what reads it is A x_{T+1}."""
    goal = cast(Eq, preconditioned.conclusion)
    return modulo(goal.lhs, goal.rhs, *vector_state(), instantiate(slope_is(None, T + 1), {"m": ONE}))


derivations = (
    Derivation(features, prove_features),
    Derivation(classes, prove_classes),
    Derivation(preconditioned, prove_preconditioned),
)

if __name__ == "__main__":
    main(__doc__, derivations)
