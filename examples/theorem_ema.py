"""A theorem by induction, and a layer that is held to it: an exponential moving average of a constant c."""

from proofs.derivation import proves
from proofs.kernel import Fact, assume, empty, induction
from proofs.tactics.equations import equal, unfold
from proofs.terms import Eq, for_all, product, scalar, sequence, size
from ssmverify import Layer, Mutant, Theorem
from ssmverify.bounds.layers import layer_bound
from ssmverify.strategies import exact, gates, points, tensors

t, l, a, c, h = size("t"), size("l"), scalar("a"), scalar("c"), sequence("h")
power = [product(l, 1, steps, a) for steps in (0, t, t + 1)]  # a^0, a^t, a^(t+1)
average = Eq(h(t + 1), a * h(t) + (1 - a) * c)
closed = Eq(h(t), c + power[1] * (h(0) - c))


@proves(closed, {"average": for_all(t, average)})
def step_response() -> Fact:
    """One more step multiplies the distance from c by a."""
    base = equal(h(0), c + power[0] * (h(0) - c), empty(power[0]))
    step = equal(h(t + 1), c + power[2] * (h(0) - c), assume(average), assume(closed), unfold(power[2]))
    return induction(closed, t, base, step)


def ema(a, c, h):  # in torch: the states of eight steps
    return [(h := a * h + (1 - a) * c) for _ in range(8)]


def claimed(a, c, h):  # over the rationals: what the theorem says that they are
    return [exact(c) + exact(a) ** steps * (exact(h) - exact(c)) for steps in range(1, 9)]


def inputs(dtype):
    return points(**dict.fromkeys("ach", tensors((1,), dtype, gates(dtype))))


layer = Layer("ema", ema, claimed, layer_bound(ema), inputs, formulas=(ema,))
row = Theorem(step_response, layers=[layer], mutants=[Mutant("no input", run=lambda a, c, h: ema(a, 0 * c, h))])
