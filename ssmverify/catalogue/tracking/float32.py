"""Rows for one complex channel in float32, as machines run it: numpy, torch and `numeric.scan`, and in int8."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import torch

from ssmverify.catalogue.tracking.arithmetic import OURS
from ssmverify.rows import Broken, Finite
from ssmverify.tracking.arithmetic.evaluators import STEPS, Step, fused, unfused
from ssmverify.tracking.arithmetic.machines import MACHINES, Shift, in_int8, nearest_even, run
from ssmverify.tracking.arithmetic.numbers import FLOAT32, Format, Gaussian
from ssmverify.tracking.arithmetic.witnesses import SUBNORMAL
from ssmverify.tracking.automata.classify import classify


class Executed(NamedTuple):
    """One step of float32, on a machine."""

    machine: str
    letter: str
    state: Gaussian


def executed() -> Iterator[Executed]:
    for name, (_, step) in MACHINES.items():
        for letter, state in itertools.product(SUBNORMAL.letters, replace(SUBNORMAL, step=step).automaton()[1]):
            yield Executed(name, letter, state)


def bit_for_bit(step: Step | None = None, cast: Format = FLOAT32) -> Callable[[Executed], str]:
    """Whether the machine gives what the exact evaluator gives: its own, or another one."""

    def decide(case: Executed) -> str:
        machine, own = MACHINES[case.machine]
        a, b = SUBNORMAL.letters[case.letter]
        expected, found = (step or own)(a, case.state, b, cast), run(machine, a, b, case.state)
        if found == expected:
            return ""
        before, after, due = (SUBNORMAL.show(z) for z in (case.state, found, expected))
        return f"in units of 2^-149, {case.machine} makes {after} of {before} by the letter {case.letter}, not {due}"

    return decide


def flushed() -> str:
    """Whether this process has another arithmetic, one without subnormals."""
    tiny = torch.tensor(torch.finfo(torch.float32).tiny)
    return "" if bool(tiny / 2 > 0) else "this machine flushes subnormals to 0"


machines = Finite(
    "tracking.float32_machines",
    "From each of these states and by each letter, numpy and torch on a CPU, written out so that nothing is fused, "
    "and `numeric.scan`, which is fused, give exactly what the evaluators M2n and M2m say.",
    bit_for_bit(),
    (
        Broken("numpy and torch fused", bit_for_bit(fused)),
        Broken("the scan unfused", bit_for_bit(unfused)),
        Broken("subnormals flushed to 0", bit_for_bit(cast=replace(FLOAT32, flushes=True))),
        Broken("rounding half-away", bit_for_bit(cast=replace(FLOAT32, rounding="half-away"))),
    ),
    executed,
    number=132,
    source=OURS,
    missing=flushed,
)


def as_int8(shift: Shift = nearest_even) -> Callable[[Executed], str]:
    """Whether small integers, in units of 2^-149, move as the float32 states do."""

    def integers(z: Gaussian) -> tuple[int, int]:
        return int(z.re / SUBNORMAL.unit), int(z.im / SUBNORMAL.unit)

    def decide(case: Executed) -> str:
        a, b = SUBNORMAL.letters[case.letter]
        expected = integers(unfused(a, case.state, b, FLOAT32))
        found = in_int8((8, 5), integers(case.state), integers(b), shift)
        moved = f"the letter {case.letter} moves {integers(case.state)} to {found}, not {expected}"
        return "" if found == expected else moved

    return decide


int8 = Finite(
    "tracking.int8_channel",
    "The same channel with a state in int8 and wider products, shifted back to the nearest integer, moves its 16 "
    "states as float32 does: subnormal numbers are fixed point, and quantised states are such. In Python integers.",
    as_int8(),
    (Broken("a shift without rounding", as_int8(lambda v: v >> 4)), Broken("ties up", as_int8(lambda v: (v + 8) >> 4))),
    lambda: (case for case in executed() if case.machine == "numpy"),
    number=48,
    source=OURS,
)


class Variant(NamedTuple):
    """What the channel of `float32_channel` becomes under a variant of float32: states reached, and groups' orders."""

    step: str
    flushes: bool
    states: int
    orders: tuple[int, ...]


VARIANTS = (
    Variant("unfused", False, 16, (120, 24, 6, 2)),
    Variant("fused", False, 12, (3, 2)),
    Variant("once", False, 9, (2,)),
    *(Variant(step, True, 1, ()) for step in STEPS),
)


def becomes(variant: Variant) -> str:
    witness = replace(SUBNORMAL, step=STEPS[variant.step], cast=replace(FLOAT32, flushes=variant.flushes))
    automaton, states = witness.automaton()
    orders = tuple(group.order for group in classify(automaton, 10_000, every_group=True).groups)
    if (len(states), orders) == (variant.states, variant.orders):
        return ""
    return f"{len(states)} states and groups of the orders {orders}, not {variant.states} and {variant.orders}"


def swapped(one: str, other: str) -> Callable[[Variant], str]:
    names = {one: other, other: one}
    return lambda variant: becomes(variant._replace(step=names.get(variant.step, variant.step)))


variants = Finite(
    "tracking.float32_variants",
    "The same weights and tokens in four arithmetics are four automata: S5 on 16 states without fused multiply-adds, "
    "only groups of order 2 and 3 on 12 with them, of order 2 on 9 with one rounding a step, and a single state where "
    "subnormals are flushed.",
    becomes,
    (
        Broken("fused for unfused", swapped("fused", "unfused")),
        Broken("one rounding for fused", swapped("once", "fused")),
        Broken("flushing changes nothing", lambda variant: becomes(variant._replace(flushes=False))),
    ),
    lambda: VARIANTS,
    number=6,
    source=OURS,
)
