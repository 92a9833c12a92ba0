"""A theorem by induction, and a layer that is held to it: two exponential moving averages forget where they began."""

import torch

from proofs.derivation import proves
from proofs.kernel import Fact, assume, empty, induction, specialise
from proofs.tactics.equations import equal, unfold
from proofs.terms import Eq, for_all, product, scalar, sequence, size
from ssmverify import Computes, Theorem
from ssmverify.breaks import rhs

t, l, a = size("t"), size("l"), scalar("a")
x, h, g = sequence("x"), sequence("h"), sequence("g")
averages = {of.name: for_all(t, Eq(of(t + 1), a * of(t) + (1 - a) * x(t + 1))) for of in (h, g)}


def distance(t):
    return Eq(h(t) - g(t), product(l, 1, t, a) * (h(0) - g(0)))


@proves(distance(t), averages)
def forgets_its_start() -> Fact:
    """One more step multiplies the distance by a: the input is the same."""
    steps = [specialise(assume(recurrence), t) for recurrence in averages.values()]
    base = equal(distance(0).lhs, distance(0).rhs, empty(product(l, 1, 0, a)))
    grown = unfold(product(l, 1, t + 1, a))
    step = equal(distance(t + 1).lhs, distance(t + 1).rhs, *steps, grown, assume(distance(t)))
    return induction(distance(t), t, base, step)


def ema(x, a, h0):  # x: (batch, time), h0: (batch,)
    states, h = [], h0
    for t in range(x.shape[1]):
        states.append(h := a * h + (1 - a) * x[:, t])
    return torch.stack(states, 1)


row = Theorem(forgets_its_start, layers=[Computes(ema, lambda t: h(t))], breaks={"at once": rhs(0 * a)})
