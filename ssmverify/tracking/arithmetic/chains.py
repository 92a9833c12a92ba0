"""Every real channel on a short chain of numbers, at once: the monoid that all their letters generate."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ssmverify.tracking.arithmetic.evaluators import Step, once
from ssmverify.tracking.arithmetic.numbers import Fixed
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.monoid import TransitionMonoid, transition_monoid

Map = tuple[int, ...]


@dataclass(frozen=True)
class Chain:
    """The maps h -> round(a h + b) of the numbers of `cast`, for all the gates a and inputs b."""

    cast: Fixed
    gates: tuple[Fraction, ...]
    inputs: tuple[Fraction, ...]
    step: Step = once

    @cached_property
    def letters(self) -> list[Map]:
        """The different maps, those with the largest images first."""
        places = {h: i for i, h in enumerate(self.cast)}
        found = {
            tuple(places[self.step(a, h, b, self.cast)] for h in self.cast)
            for a, b in itertools.product(self.gates, self.inputs)
        }
        return sorted(found, key=lambda f: (-len(set(f)), f))

    @cached_property
    def monoid(self) -> TransitionMonoid:
        """All products of the letters. Letters that the others already make are left out, which is faster."""
        chosen = self.letters[:1]
        while True:
            names = tuple(map(str, range(len(chosen))))
            found = transition_monoid(Automaton(names, tuple(chosen), name="chain"))
            missing = [f for f in self.letters if found.find(np.array([f]))[0] < 0]
            if not missing:
                return found
            chosen += missing[: max(1, len(missing) // 8)]

    def period(self) -> int:
        """The largest period of an element: the least p with m^(k + p) = m^k for large k."""
        maps = self.monoid.elements.astype(np.intp)
        settled = maps
        for _ in range(maps.shape[1].bit_length()):  # m^k with k a power of 2, no less than the number of states
            settled = np.take_along_axis(settled, settled, axis=1)
        power, period = np.take_along_axis(maps, settled, axis=1), 1
        while len(moving := np.flatnonzero((power != settled).any(axis=1))):
            maps, settled, power = maps[moving], settled[moving], power[moving]
            power, period = np.take_along_axis(maps, power, axis=1), period + 1
        return period


def chain(rounding: str, *, any_sign: bool = False, step: Step = once, flushes: bool = False) -> Chain:
    """The nine numbers -4..4, saturating; gates in twelfths up to 1, inputs in quarters up to 4."""
    gates = tuple(Fraction(k, 12) for k in range(-12 if any_sign else 0, 13))
    inputs = tuple(Fraction(k, 4) for k in range(-16, 17))
    return Chain(Fixed(-4, 4, rounding=rounding, flushes=flushes), gates, inputs, step)
