"""HiPPO-Prophecy (arXiv 2407.09375), continued: what FouT's read-out is in steady state, with nothing left to a limit.

What was read: see `proofs/hippo_prophecy/fout.py`; the statements here are ours. Where `fout_jump` has the exact
coefficients of a window, here are the states that the layer's own equation leads to.

| symbol | meaning |
| --- | --- |
| M, N, θ, ω_m, u, s, G | as in `fout.py` |
| E | e^(-sθ): E u is u(t - θ), and E s u is u'(t - θ) |
| R | (1/θ) times the sum of 2s/(s² + ω_m²) over the harmonics m > M, which the basis does not have |
| λ, σ | 2π/θ and s²: negative for a sinusoid |
| n; μ | how many of those harmonics are summed; M = μ + 1 |

With all harmonics G + R = coth(sθ/2)/2 = (1 + E)/(2 (1 - E)), which is classical and a hypothesis here. As N grows R
falls like 1/N (`fout_tail`), and N R tends to sθ/π². So

    y = (u'(t) + u'(t - θ))/2 - (N/θ)(u(t) - u(t - θ)) + R [(y - u')(t) - (y - u')(t - θ)]

has the last term -(u'(t) - 2u'(t - θ) + u'(t - 2θ))/π² + O(1/N) for every fixed s. The limits are by hand. (Where u
has the period θ, E is 1 and there is no such R: see `error_bound_periodic`.)
"""

from __future__ import annotations

from typing import cast

from proofs.derivation import main, proves
from proofs.hippo_prophecy.bound import M_, half, j, lam, mu, n, slack, tail, with_sides
from proofs.hippo_prophecy.fout import G as resolvent
from proofs.hippo_prophecy.fout import N, fout_transfer, gain, readout, s, steady, theta, u
from proofs.kernel import Fact, assume, component, congruence, instantiate, linear, rewrite, single
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import settle
from proofs.tactics.products import less, power, put_in, zero
from proofs.terms import Add, Eq, Le, Lt, Mul, Nat, Sum, index, scalar, summation

E, R, sigma = scalar("E"), scalar("R"), scalar("σ")
missed = readout - s * u


@proves(
    Eq(readout, half * (s * u + E * (s * u)) - N / theta * (u - E * u) + R * (missed - E * missed)),
    {**steady, "all_harmonics": Eq(2 * (resolvent + R) * (1 - E), 1 + E)},
)
def fout_two_ends() -> Fact:
    """(1 + 2G) y = 2 (s G - N/θ) u, times 1 - E: there 1 + 2G and 2G become 2 - 2R (1 - E) and 1 + E - 2R (1 - E)."""
    read = component(fout_transfer.fact, 0)
    scaled = put_in(gain * readout, 2 * (s * resolvent - N / theta) * u, [read])
    goal = cast(Eq, fout_two_ends.conclusion)
    fact = equal(goal.lhs, goal.rhs, scaled, assume(fout_two_ends.hypotheses["all_harmonics"]))
    return settle(fact, *(assume(h) for h in steady.values()))


# ------------------------------------------------------------------------------------------- how fast R falls with N
x = Nat(mu + 1 + j)
square = lam * lam * power(x, 2)  # (λm)², m = M + j
lowest = 2 * sigma + lam * lam * (M_ * M_)
rest = summation(j, 1, n, 1 / (sigma + square))


@proves(Le(rest, 2 / (lam * lam * M_)), {"window_not_empty": Lt(zero, lam), "slow": Le(zero, lowest)})
def fout_tail() -> Fact:
    """Each is at most 2/(λm)², as 2s² is at least -(λm)²; and 1/m², summed beyond M, is at most 1/M, by
    `bound.tail`."""
    window, slow = (assume(h) for h in fout_tail.hypotheses.values())
    higher = Add((lowest, lam * lam * (Nat(j) * Nat(2 * mu + 2 + j))))
    slow = less(zero, higher, higher, slow, window, strict=False)
    slow = with_sides(slow, zero, 2 * sigma + square, unfold(power(x, 2)), single(power(x, 1)))
    positive = less(zero, sigma + square, half * Add((2 * sigma + square, square)), slow, window)
    share, each = 2 / (lam * lam), 1 / power(x, 2)
    gap = (2 * sigma + square) / (square * (sigma + square))
    bound = less(1 / (sigma + square), Mul((share, each)), gap, slow, window, positive, strict=False)
    bound = rewrite(congruence(bound, Sum, j, 1, n), linear(j, 1, n, share, each))
    falls = instantiate(tail(), {"p": index(0)})
    for end in (M_, Nat(mu + 1 + n)):
        falls = rewrite(falls, single(power(end, 1)))
    goal, last = cast(Le, fout_tail.conclusion), share * (1 / Nat(mu + 1 + n))
    gap = Add((slack(bound), share * slack(falls), last))
    return less(goal.lhs, goal.rhs, gap, bound, falls, window, strict=False)


if __name__ == "__main__":
    main(__doc__)
