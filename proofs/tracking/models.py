"""The Illusion of State (arXiv 2404.08819), continued: constructed models, for words of every length.

What was read: see `proofs/tracking/monotone.py`. That a model tracks an automaton is a statement about single letters:
if each letter moves the code of each state to the code of the next state, then so does every word. The codes, and the
letters one by one, are finite; `ssmverify/tracking/models/models.py` has them and goes through all.

| symbol | shape | meaning |
| --- | --- | --- |
| A_t, b_t | (n, n), (n, 1) | transition and input of the letter at time t |
| h_t | (n, 1) | the state of the layer |
| v_t | (n, 1) | the code of the automaton's state at time t |
| ε | scalar | what a gate lacks of 1 |
"""

from __future__ import annotations

from typing import cast

from flint import fmpq

from proofs.derivation import main, proves
from proofs.kernel import (
    Fact,
    assume,
    component,
    conjunction,
    empty,
    induction,
    instantiate,
    rewrite,
    specialise,
)
from proofs.tactics.equations import equal, unfold
from proofs.tactics.inequalities import at_most, backwards
from proofs.terms import And, Eq, Formula, Index, Le, Nat, Term, for_all, index, product, scalar, sequence, size, term

n, T, t, i = (size(name) for name in ("n", "T", "t", "i"))
A, b, h, v = sequence("A", n, n), sequence("b", n), sequence("h", n), sequence("v", n)
epsilon = scalar("ε")


# ------------------------------------------------------------------------------------- one letter, and every word
fixed_point = {"A": fmpq(-1), "b": fmpq(1), "h": fmpq(1, 2), "v": fmpq(1, 2)}


@proves(
    Eq(h(T), v(T)),
    {
        "recurrence": for_all(t, Eq(h(t + 1), A(t + 1) @ h(t) + b(t + 1))),
        "each_letter_moves_the_code": for_all(t, Eq(v(t + 1), A(t + 1) @ v(t) + b(t + 1))),
        "starts_with_the_code": Eq(h(0), v(0)),
    },
)
def simulation() -> Fact:
    """By induction on T: both take the same step."""
    given = {name: assume(formula) for name, formula in simulation.hypotheses.items()}
    statement = Eq(h(t), v(t))
    steps = [specialise(given[name], t) for name in ("recurrence", "each_letter_moves_the_code")]
    onwards = equal(h(t + 1), v(t + 1), *steps, assume(statement))
    return instantiate(induction(statement, t, given["starts_with_the_code"], onwards), {"t": T})


# --------------------------------------------------------------------------------- a gate that is not quite open
def memory(t: Index | int) -> Term:
    """(1 - ε)^t: what is left after t steps of a 1 that was written."""
    return product(i, 1, t, 1 - epsilon)


def kept(t: Index, m: Term) -> Formula:
    """1 - t ε <= m, 0 <= m, (1 + t ε) m <= 1."""
    lost = Nat(t) * epsilon
    return And((Le(1 - lost, m), Le(term(0), m), Le((1 + lost) * m, term(1))))


gate = {"gate_not_negative": Le(epsilon, term(1))}
keeps, _, loses = cast(And, kept(T, memory(T))).parts


@proves(keeps, gate)
def leaky_gate_keeps() -> Fact:
    """Bernoulli's inequality, by induction on T."""
    return component(prove_kept(), 0)


@proves(loses, gate)
def leaky_gate_loses() -> Fact:
    """Bernoulli's inequality from the other side: (1 + T ε)(1 - ε)^T <= 1, by induction on T."""
    return component(prove_kept(), 2)


def prove_kept() -> Fact:
    before, nothing = kept(t, memory(t)), empty(memory(0))
    facts = [*(component(assume(before), part) for part in range(3)), assume(gate["gate_not_negative"])]
    m, lost, square = memory(t), Nat(t) * epsilon, epsilon * epsilon
    after = cast(Eq, unfold(memory(t + 1)).conclusion).rhs
    low, sign, high = (cast(Le, part) for part in cast(And, kept(t + 1, after)).parts)
    step = conjunction(
        at_most(low.lhs, low.rhs, [(1 - epsilon) * (m - (1 - lost)), Nat(t) * square], *facts),
        at_most(sign.lhs, sign.rhs, [(1 - epsilon) * m], *facts),
        at_most(high.lhs, high.rhs, [1 - (1 + lost) * m, Nat(t + 1) * square * m], *facts),
    )
    one = term(1) * term(1)
    start = cast(list[Le], cast(And, kept(index(0), one)).parts)
    gaps = [term(0)], [one], [term(0)]
    base = conjunction(*(at_most(le.lhs, le.rhs, gap) for le, gap in zip(start, gaps, strict=True)))
    base = rewrite(base, equal(one, memory(0), nothing))
    return instantiate(induction(before, t, base, rewrite(step, backwards(unfold(memory(t + 1))))), {"t": T})


if __name__ == "__main__":
    main(__doc__)
