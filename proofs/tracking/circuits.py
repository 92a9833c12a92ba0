"""What the threshold circuits of `ssmverify.tracking.circuits.compile` compute, for every number of tokens.

Source: stated here; for the route by iterated products see arXiv 2404.08819, Theorem 4.4 and Appendix A.

| symbol | meaning |
| --- | --- |
| s | the scale 2^p of fixed-point numbers with p fraction bits |
| a_t, b_t, h_t | numerators of decay and input, and the state: s h_{t+1} = a_{t+1} h_t + b_{t+1}, h_0 = 0 |
| T | the number of tokens; or the number that a unary counter holds |
| f | any function of that number |

That a circuit adds up its products right, residue by residue, is not proved here but gone through on inputs.
"""

from __future__ import annotations

from proofs.derivation import main, proves
from proofs.kernel import Fact, assume, discharge, empty, generalise, induction, instantiate, specialise
from proofs.recurrence import unrolled_scalar
from proofs.tactics.equations import equal, unfold
from proofs.terms import (
    ONE,
    Eq,
    Index,
    Symbol,
    Term,
    family,
    for_all,
    index,
    product,
    scalar,
    sequence,
    size,
    summation,
    term,
)

t, i, l, T = (size(name) for name in ["t", "i", "l", "T"])
f, a, b, h, s = sequence("f"), sequence("a"), sequence("b"), sequence("h"), scalar("s")


# ------------------------------------------------------------------------------------------- any function is linear
def stepwise(t: Index) -> Term:
    """f(0), and for each counter that fires, those for 1 to t, the step of f there."""
    return f(0) + summation(i, 1, t, f(i) - f(i - 1))


@proves(Eq(stepwise(T), f(T)))
def circuit_unary() -> Fact:
    """By induction on T: one more counter fires, and adds the last step."""
    base = equal(stepwise(index(0)), f(0), empty(summation(i, 1, 0, f(i) - f(i - 1))))
    grown = unfold(summation(i, 1, t + 1, f(i) - f(i - 1)))
    step = equal(stepwise(t + 1), f(t + 1), assume(Eq(stepwise(t), f(t))), grown)
    return instantiate(induction(Eq(stepwise(t), f(t)), t, base, step), {"t": T})


# ---------------------------------------------------------------------------------------------- the integer N
def power(t: Index) -> Term:
    """s^t."""
    return product(l, 1, t, s)


recurrence = for_all(t, Eq(s * h(t + 1), a(t + 1) * h(t) + b(t + 1)))
start = Eq(h(0), term(0))
N = summation(i, 1, T, product(l, i + 1, T, a(l)) * (power(i - 1) * b(i)))


@proves(Eq(power(T) * h(T), N), {"recurrence": recurrence, "start": start})
def circuit_numerator() -> Fact:
    """s^t h_t satisfies the recurrence whose inputs are s^(t-1) b_t; unroll it."""
    scaled = {
        Symbol("A", ONE, ONE, 1): family((t,), a(t)),
        Symbol("B", ONE, ONE, 1): family((t,), power(t - 1) * b(t)),
        Symbol("H", ONE, ONE, 1): family((t,), power(t) * h(t)),
    }
    unrolled = instantiate(unrolled_scalar.fact, families=scaled)
    step = equal(
        power(t + 1) * h(t + 1),
        a(t + 1) * (power(t) * h(t)) + power(t) * b(t + 1),
        specialise(assume(recurrence), t),
        unfold(power(t + 1)),
    )
    unrolled = discharge(unrolled, generalise(step, t))
    return equal(power(T) * h(T), N, unrolled, assume(start))


if __name__ == "__main__":
    main(__doc__)
