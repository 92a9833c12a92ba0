"""HiPPO-Prophecy (arXiv 2407.09375), continued: how large one harmonic of a periodic input, and its error, can be.

These are what `bound.py` adds up. u has period θ and |u^(k)| <= L.

| symbol | meaning |
| --- | --- |
| v_j; c_j, s_j | samples of u^(k); of a cosine and a sine |
| n + 1 | samples |
| ν | frequency of a harmonic beyond the basis |
| k | order of the derivative; k = p + 3 |
| A, e₁, e₂ | square of the harmonic's amplitude in u; amplitudes of cosine and sine in u' - y |
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import main, proves
from proofs.hippo_prophecy.bound import L, cosine, j, n, p, sine, slack, unit_disc, with_sides
from proofs.hippo_prophecy.fout import m, one
from proofs.kernel import Fact, assume, induction, single, specialise
from proofs.tactics.equations import unfold
from proofs.tactics.inequalities import at_most
from proofs.tactics.products import plainly_nonzero, power
from proofs.terms import (
    Add,
    Index,
    Le,
    Lt,
    Mul,
    Nat,
    Symbol,
    Term,
    for_all,
    index,
    scalar,
    sequence,
    substitute,
    summation,
    term,
)

v = sequence("v")
samples = Nat(n + 1)


def correlation(wave: Symbol, last: Index = n + 1) -> Term:
    """The sum of the samples of u^(k) times those of a wave."""
    return summation(j, 1, last, v(j) * wave(j))


def norm(x: Term, y: Term) -> Term:
    return x * x + y * y


@proves(
    Le(norm(correlation(cosine), correlation(sine)), samples * L * (samples * L)),
    {
        "derivative_bound": for_all(m, Le(v(m) * v(m), L * L)),
        "phases": unit_disc["phases"],
    },
)
def amplitude() -> Fact:
    """The sum of n + 1 vectors of length at most L is at most (n + 1) L long, by induction on n.

    Divided by (n + 1)/2 it is the amplitude of a harmonic in u^(k), and so (λm)^k times that in u: by hand, for n + 1
    equidistant samples of a period, as many as twice the degree of u and one more, at which waves are orthogonal.
    """
    size, next_size = Nat(n + 1), Nat(n + 2)
    statement = cast(Le, amplitude.conclusion)
    before, goal, base = (
        assume(statement),
        substitute(statement, {"n": n + 1}),
        substitute(statement, {"n": index(0)}),
    )
    S = correlation(cosine), correlation(sine)
    w = [v(n + 2) * wave(n + 2) for wave in (cosine, sine)]
    room, inside = shorter(n + 2)
    across = norm(S[0] - size * w[0], S[1] - size * w[1])
    gap = [(1 + 1 / size) * slack(before), next_size * room, 1 / size * across]
    step = at_most(norm(S[0] + w[0], S[1] + w[1]), goal.rhs, gap, before, *inside)
    step = with_sides(step, goal.lhs, goal.rhs, *(unfold(correlation(wave, n + 2)) for wave in (cosine, sine)))
    room, inside = shorter(index(1))
    start = at_most(norm(v(1) * cosine(1), v(1) * sine(1)), one * L * (one * L), [room], *inside)
    start = with_sides(start, base.lhs, base.rhs, *(single(correlation(wave, index(1))) for wave in (cosine, sine)))
    return induction(statement, n, start, plainly_nonzero(step))


def shorter(at: Index) -> tuple[Term, list[Fact]]:
    """L² - v²(c² + s²) = (L² - v²) + v² (1 - c² - s²), and why that is not negative."""
    facts = [specialise(assume(hypothesis), at) for hypothesis in amplitude.hypotheses.values()]
    return Add((slack(facts[0]), Mul((v(at) * v(at), slack(facts[1]))))), facts


# ---------------------------------------------------------------------------------------- the error in a harmonic
nu, squared, e1, e2 = scalar("ν"), scalar("A"), scalar("e₁"), scalar("e₂")
most = 2 * L / power(nu, p + 2)


@proves(
    Le(norm(e1, e2), most * most),
    {
        "amplitude": Le(squared * (power(nu, p + 3) * power(nu, p + 3)), 2 * L * (2 * L)),
        "error": Le(norm(e1, e2), nu * nu * squared),
        "oscillates": Lt(term(0), nu),
    },
)
def harmonic_error() -> Fact:
    """From `amplitude`, (ν^k)² A <= (2L)², and from `fout_overtone`, or for exact coefficients where it is an equality,
    e₁² + e₂² <= ν² A: divided by ν^(k-1), the two add up."""
    largest, error, oscillates = (assume(h) for h in harmonic_error.hypotheses.values())
    lower = power(nu, p + 2)
    square = nu * lower * (nu * lower)
    largest = with_sides(largest, squared * square, 2 * L * (2 * L), unfold(power(nu, p + 3)))
    gap = [1 / (lower * lower) * slack(largest), slack(error)]
    goal = cast(Le, harmonic_error.conclusion)
    return plainly_nonzero(at_most(goal.lhs, goal.rhs, gap, largest, error, oscillates), Lt(term(0), nu))


if __name__ == "__main__":
    main(__doc__)
