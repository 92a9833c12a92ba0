"""How often the arithmetics differ on the same inputs: observations, not statements.

One real channel in fixed point with p fraction bits, gates uniform in [3/4, 1), inputs in [-1, 1), and a state wide
enough never to overflow, so that M3 is M2.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

from ssmverify.tracking.arithmetic.evaluators import (
    TREES,
    Distribution,
    exact,
    exact_then_cast,
    per_step,
    runs_then_cast,
    scan_tree,
    stochastic,
    unfused,
)
from ssmverify.tracking.arithmetic.numbers import Fixed, cast_parts, gaussian
from ssmverify.tracking.arithmetic.witnesses import Witness

Fractions = list[Fraction]


@dataclass(frozen=True)
class Disagreement:
    """Of the final state of an arithmetic with that of M1: on which share of the words, and the largest in units.

    Of M5, which is random, the share is the expected one, and the largest is over all that has a probability.
    """

    arithmetic: str
    share: Fraction
    largest: Fraction


def disagreements(
    length: int, *, bits: int = 8, words: int = 200, rounding: str = "nearest-even", seed: int = 0
) -> list[Disagreement]:
    """How far each arithmetic is from exact-then-cast after `length` steps, over random words; bits: 2 at least."""
    generator = random.Random(seed)
    scale = 2**bits
    cast = Fixed(-(length + 1) * scale, (length + 1) * scale, Fraction(1, scale), rounding)
    shares: dict[str, Fractions] = {}
    largest: dict[str, Fractions] = {}
    for _ in range(words):
        a: Fractions = [Fraction(generator.randrange(3 * scale // 4, scale), scale) for _ in range(length)]
        b: Fractions = [Fraction(generator.randrange(-scale, scale), scale) for _ in range(length)]
        reference = exact_then_cast(a, b, Fraction(0), cast)[-1]
        for name, states in final_states(a, b, cast).items():
            wrong = {state: weight for state, weight in states.items() if state != reference}
            shares.setdefault(name, []).append(sum(wrong.values(), Fraction(0)))
            largest.setdefault(name, []).extend(abs(state - reference) * scale for state in (reference, *wrong))
    return [Disagreement(name, sum(found, Fraction(0)) / words, max(largest[name])) for name, found in shares.items()]


def final_states(a: Fractions, b: Fractions, cast: Fixed) -> dict[str, Distribution[Fraction]]:
    """The last state under each arithmetic but M1, as a distribution."""
    zero = Fraction(0)
    trees = {f"M4 {tree}": scan_tree(a, b, zero, cast, cast, tree)[-1] for tree in TREES}
    functions = {
        "M2 per step": per_step(a, b, zero, cast)[-1],
        "M2n per step, products rounded": per_step(a, b, zero, cast, unfused)[-1],
        **trees,
        "M6 runs, then cast": runs_then_cast(a, b, zero, cast)[-1],
    }
    return {name: {state: Fraction(1)} for name, state in functions.items()} | {
        "M5 stochastic": stochastic(a, b, zero, cast)[-1]
    }


def witness_disagreement(witness: Witness, length: int, *, words: int = 200, seed: int = 0) -> Fraction:
    """On which share of random words, from h_0 = 0, a witness's recurrence ends elsewhere than exact-then-cast."""
    generator = random.Random(seed)
    names, zero = list(witness.letters), gaussian(0)
    differ = 0
    for _ in range(words):
        a, b = zip(*(witness.letters[generator.choice(names)] for _ in range(length)), strict=True)
        recurrence = per_step(a, b, zero, witness.cast, witness.step)[-1]
        differ += recurrence != cast_parts(witness.cast, exact(a, b, zero)[-1])
    return Fraction(differ, words)
