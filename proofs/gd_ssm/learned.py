"""GD-SSM (arXiv 2410.11687), continued: what training can find. The best rate, and weights that no data tells apart.

What was read: see `proofs/gd_ssm/one_step.py`. The task is that of the authors' code: entries of x independent and
symmetric, entries of W independent with variance 1, y = W x without noise; the loss is half the squared error of one
entry.

| symbol | meaning |
| --- | --- |
| f + 1, N + 1 | entries of an input; pairs in the context: counted so that there is one at least |
| σ, μ | variance and fourth moment of an entry of x |
| A | for x uniform on (-a, a): a², so that σ = A/3 and μ = A²/5 |
| κ | rate of one step from zero on the sum of the losses; γ* the best one |
| z, s_t, B, D | the layer on constructed tokens, as in `gd_ssm.one_step_constructed_tokens` |
| R, Q | a change of coordinates of its state, R'Q = I |
| B̂, D̂ | weights of another such layer |
| B⁺, D⁺, ... | right inverses, which the weights have if their rows are independent |
| α, β | factors of a layer's mixing and of its pick |
| C, Z_t, Ẑ_t | the layer on raw tokens: its read-out, the construction's state, and that of a scaled layer |

The loss as a polynomial in κ. With S the sum of the N + 1 outer products x x', a step from zero predicts κ W S q, and
one entry of W (I - κ S) q has the mean square E ‖(I - κ S) q‖² = σ E tr (I - κ S)². By hand, for the kernel has no
expectations: E tr S = (N + 1)(f + 1) σ; and E tr S², summed over pairs i, j and entries a, b, gets μ where i = j and
a = b, σ² where one of the two holds, 0 elsewhere: (N + 1)(f + 1)(μ + (f + N) σ²). The tests enumerate it, and compare
it with the correlations of `proofs/gd_ssm/optimal.py`, which show that nothing of degree 3 in the tokens is better.
"""

from __future__ import annotations

from typing import cast

from flint import fmpq

from proofs.derivation import main, proves
from proofs.gd_ssm.one_step import Z, gate, modulo, query, recurrence, t, target_gate, transposed
from proofs.kernel import (
    Fact,
    apart,
    assume,
    conjunction,
    evaluate,
    identity,
    induction,
    instantiate,
    minimiser,
    rewrite,
    specialise,
    squares,
)
from proofs.tactics.equations import equal
from proofs.tactics.inequalities import backwards, settle
from proofs.terms import (
    ONE,
    Add,
    And,
    Eq,
    Identity,
    Lt,
    Nat,
    Nonzero,
    Symbol,
    Term,
    UniqueMinimiser,
    add,
    matrix,
    scalar,
    sequence,
    size,
    term,
    vector,
)

f, N, T, p = (size(name) for name in ("f", "N", "T", "p"))
sigma, mu, area = scalar("σ"), scalar("μ"), scalar("A")
kappa, one = Symbol("κ", ONE, ONE), term(1)
entries, pairs = Nat(f + 1), Nat(N + 1)
positive = {"variance_positive": Lt(term(0), sigma), "fourth_moment_positive": Lt(term(0), mu)}


# ------------------------------------------------------------------------------------------------ the best rate
def spread(sigma: Term, mu: Term) -> Term:
    """E tr S² for each pair and entry: μ + (f + N) σ², for f + 1 entries and N + 1 pairs."""
    return mu + Nat(f + N) * (sigma * sigma)


def population_loss(rate: Term, sigma: Term = sigma, mu: Term = mu) -> Term:
    """(σ/2) E tr (I - κ S)²."""
    square = pairs * entries * spread(sigma, mu) * (rate * rate)
    return term(1) / 2 * sigma * (square - 2 * (pairs * entries * sigma) * rate + entries)


def best_rate(sigma: Term = sigma, mu: Term = mu) -> Term:
    """γ* = σ / (μ + (f + N) σ²)."""
    return sigma / spread(sigma, mu)


curvature = term(1) / 2 * sigma * (pairs * entries * spread(sigma, mu))
least = UniqueMinimiser(kappa, (), population_loss(kappa()) / curvature, best_rate())


@proves(least, positive)
def optimal_rate() -> Fact:
    """The loss over its curvature is (κ - γ*)² and a constant."""
    change = Symbol("δ", ONE, ONE)
    before, after = (population_loss(rate) / curvature for rate in (best_rate(), best_rate() + change()))
    known = list(positive.values())
    defined = [is_positive(value, *known) for value in (curvature, spread(sigma, mu))]
    square, gap = change().T @ change(), term(0)
    fact = settle(identity(after, before + Add((square, gap))), *defined)
    return minimiser(least, fact, change, gap)


def is_positive(value: Term, *known: Lt) -> Fact:
    """value != 0, from what makes it plainly positive."""
    return apart(squares(term(0), value, value, list(known), strict=True))


best_loss = term(1) / 2 * entries * sigma * (1 - best_rate() * (pairs * sigma))


@proves(Eq(population_loss(best_rate()), best_loss), positive)
def optimal_loss() -> Fact:
    """The best rate, put into the loss."""
    fact = identity(population_loss(best_rate()), best_loss)
    return settle(fact, is_positive(spread(sigma, mu), *positive.values()))


uniform = area / 3, area * area / 5
total = 5 * (entries + pairs) - 1


@proves(
    And(
        (
            Eq(best_rate(*uniform), 15 / (area * total)),
            Eq(
                population_loss(best_rate(*uniform), *uniform),
                area / 6 * entries * ((5 * entries - 1) / total),
            ),
        )
    ),
    {"area_positive": Lt(term(0), area)},
)
def optimal_rate_uniform() -> Fact:
    """σ = A/3 and μ = A²/5, put in; 5(f + 1 + N + 1) - 1 = 5 f + 5 N + 9 is not 0."""
    known = Lt(term(0), area)
    written_out = 5 * Nat(f) + 5 * Nat(N) + 9
    not_zero = apart(squares(term(0), total, written_out, strict=True))
    below = area * written_out
    scaled = apart(squares(term(0), area * total, below, [known], strict=True))
    defined = [not_zero, scaled, is_positive(spread(*uniform), known)]
    parts = [cast(Eq, part) for part in cast(And, optimal_rate_uniform.conclusion).parts]
    return conjunction(*(settle(identity(part.lhs, part.rhs), *defined) for part in parts))


def optimum(entries: int, pairs: int, variance: fmpq, fourth: fmpq) -> tuple[fmpq, fmpq]:
    """γ* and the loss at γ*, exactly."""
    point = {"f": entries - 1, "N": pairs - 1, "σ": variance, "μ": fourth}
    return evaluate(best_rate(), point), evaluate(best_loss, point)


# ------------------------------------------------------------------------------- what no data can tell apart
token = sequence("s", p)
B, D, R, Q = matrix("B", f, p), matrix("D", f, p), matrix("R", f, f), matrix("Q", f, f)
z, turned = sequence("z", f), sequence("ẑ", f)


@proves(
    Eq(turned(T).T @ (Q @ D @ token(T)), z(T).T @ (D @ token(T))),
    {
        "turned_back": Eq(R.T @ Q, Identity(f)),
        **recurrence(z, B @ token(t + 1)),
        **recurrence(turned, R @ B @ token(t + 1)),
    },
)
def identifiability() -> Fact:
    """The turned state is R z_t, by induction on t; it is read by Q D, and R'Q = I."""
    given = {name: assume(h) for name, h in identifiability.hypotheses.items()}
    statement = Eq(turned(t), R @ z(t))
    starts = given["z_starts_empty"], given["ẑ_starts_empty"]
    base = equal(turned(0), R @ z(0), *starts)
    moves = [specialise(given[name], t) for name in ("z_recurrence", "ẑ_recurrence")]
    grown = equal(turned(t + 1), R @ z(t + 1), *moves, assume(statement))
    state = instantiate(induction(statement, t, base, grown), {"t": T})
    read = transposed(state, z(T).T @ R.T)
    goal = cast(Eq, identifiability.conclusion)
    return modulo(goal.lhs, goal.rhs, read, given["turned_back"])


# ----------------------------------------------------------------------------- and what two layers alike have alike
B_2, D_2 = matrix("B̂", f, p), matrix("D̂", f, p)
first, second = vector("r", p), vector("s'", p)


def output(B: Term, D: Term, *tokens: Term) -> Term:
    """The layer's output after the last of the tokens."""
    return add(*(B @ token for token in tokens)).T @ D @ tokens[-1]


agree = {
    "agree_on_one_token": Eq(output(B, D, second), output(B_2, D_2, second)),
    "agree_on_two_tokens": Eq(output(B, D, first, second), output(B_2, D_2, first, second)),
}


@proves(Eq(first.T @ (B.T @ D) @ second, first.T @ (B_2.T @ D_2) @ second), agree)
def outputs_fix_the_product() -> Fact:
    """What the two tokens give beyond the second alone is r'B'D s."""
    sides = [(B, D), (B_2, D_2)]
    beyond = [output(*side, first, second) - output(*side, second) for side in sides]
    left, right = (cast(Eq, outputs_fix_the_product.conclusion).lhs, cast(Eq, outputs_fix_the_product.conclusion).rhs)
    both = identity(left, beyond[0])
    for equation in agree.values():
        both = rewrite(both, assume(equation))
    return rewrite(both, identity(beyond[1], right))


inverses = {name: matrix(f"{name}⁺", p, f) for name in ("B", "D", "B̂", "D̂")}
weights = {"B": B, "D": D, "B̂": B_2, "D̂": D_2}
full_rank = {f"{name}_full_rank": Eq(weights[name] @ inverse, Identity(f)) for name, inverse in inverses.items()}
turn, turn_back = (D @ inverses["D̂"]).T, (B @ inverses["B̂"]).T


@proves(
    And((Eq(B_2, turn @ B), Eq(D_2, turn_back @ D), Eq(turn.T @ turn_back, Identity(f)))),
    {"same_product": Eq(B.T @ D, B_2.T @ D_2), **full_rank},
)
def product_fixes_the_weights() -> Fact:
    """B̂ = (D̂⁺)'D̂'B̂ = (D̂⁺)'D'B, and likewise for D̂; R'Q = I, as D D̂⁺ = (B⁺)'B̂' and B' = B̂'D̂ D⁺."""
    same = assume(product_fixes_the_weights.hypotheses["same_product"])
    right = {name: assume(full_rank[f"{name}_full_rank"]) for name in weights}
    left = {name: _from_the_left(weights[name], inverse, right[name]) for name, inverse in inverses.items()}
    turned_same = transposed(same, D_2.T @ B_2)
    B_found = modulo(turn @ B, B_2, turned_same, left["D̂"])
    D_found = modulo(turn_back @ D, D_2, same, left["B̂"])

    whole = inverses["B"].T @ B.T @ D @ inverses["D̂"]
    across = rewrite(modulo(whole, inverses["B"].T @ B_2.T, same, right["D̂"]), modulo(whole, turn.T, left["B"]))
    whole = B.T @ D @ inverses["D"]
    down = rewrite(modulo(whole, B_2.T @ D_2 @ inverses["D"], same), modulo(whole, B.T, right["D"]))
    again = modulo(inverses["B"].T @ B_2.T @ D_2 @ inverses["D"], Identity(f), backwards(same), left["B"], right["D"])
    inverse = modulo(turn.T @ turn_back, Identity(f), across, down, left["B̂"], again)
    return conjunction(backwards(B_found), backwards(D_found), inverse)


def _from_the_left(B: Term, inverse: Term, right: Fact) -> Fact:
    """(B⁺)'B' = I from B B⁺ = I."""
    turned = rewrite(identity(inverse.T @ B.T, (B @ inverse).T), right)
    return rewrite(turned, identity(Identity(f).T, Identity(f)))


# ------------------------------------------------------------------------------ scales of the layer on raw tokens
alpha, beta, Z_2, C_any = scalar("α"), scalar("β"), sequence("Ẑ", f, f), matrix("C", f, f)
scaled_output = (one / (alpha * beta)) * C_any @ Z_2(T).T @ (beta * query)


@proves(
    Eq(scaled_output, C_any @ Z(T).T @ query),
    {
        "factors_not_zero": Nonzero(alpha * beta),
        **recurrence(Z, gate(target_gate, t)),
        **recurrence(Z_2, alpha * gate(target_gate, t)),
    },
)
def scalings() -> Fact:
    """The state is α Z_t, by induction on t."""
    given = {name: assume(h) for name, h in scalings.hypotheses.items()}
    statement = Eq(Z_2(t), alpha * Z(t))
    base = equal(Z_2(0), alpha * Z(0), given["Z_starts_empty"], given["Ẑ_starts_empty"])
    moves = [specialise(given[name], t) for name in ("Z_recurrence", "Ẑ_recurrence")]
    grown = equal(Z_2(t + 1), alpha * Z(t + 1), *moves, assume(statement))
    state = instantiate(induction(statement, t, base, grown), {"t": T})
    goal = cast(Eq, scalings.conclusion)
    return equal(goal.lhs, goal.rhs, transposed(state, alpha * Z(T).T))


if __name__ == "__main__":
    main(__doc__)
