"""Threshold circuits: gates [w_1 x_1 + ... + w_m x_m >= theta] with integer weights of any size.

A circuit is grown from its inputs upwards. Wires are numbered: first the inputs, then the gates in the order in which
they were added. Gates that compare one linear form with several thresholds are stored together, as a `Bank`; size,
wires and depth count each of them as a gate of its own.

Two evaluators that share nothing: `evaluate` pushes many inputs at once through numpy arrays, `evaluate_naively` pulls
one input through one gate after another in Python integers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]
LIMB = 31  # bits of a limb: fewer than 2**32 of them add up in an int64
CHUNK = 2**25  # wire values held at once


@dataclass(frozen=True)
class Linear:
    """A linear form: an integer for each of some wires, and a constant."""

    weights: Mapping[int, int] = field(default_factory=dict)
    constant: int = 0

    def __add__(self, other: Linear) -> Linear:
        return combination([(1, self), (1, other)])


def wire(number: int) -> Linear:
    """The form that is the value of one wire."""
    return Linear({number: 1})


def constant(value: int) -> Linear:
    """The form without wires."""
    return Linear({}, value)


def combination(parts: Iterable[tuple[int, Linear]]) -> Linear:
    """The sum of the forms, each times its integer. Wires of weight 0 drop out."""
    weights: Counter[int] = Counter()
    total = 0
    for factor, form in parts:
        total += factor * form.constant
        for source, weight in form.weights.items():
            weights[source] += factor * weight
    return Linear({source: weight for source, weight in weights.items() if weight}, total)


class Gate(NamedTuple):
    """One gate: it fires if the weighted sum of its sources is at least the threshold."""

    sources: tuple[int, ...]
    weights: tuple[int, ...]
    threshold: int


@dataclass(frozen=True)
class Bank:
    """Gates that share their sources and weights: one for each threshold."""

    sources: tuple[int, ...]
    weights: tuple[int, ...]
    thresholds: tuple[int, ...]

    @property
    def bound(self) -> int:
        """No weighted sum exceeds it in size."""
        return sum(map(abs, self.weights))


@dataclass(frozen=True)
class Unary:
    """A number held by wires that come on one after another: it is values[i] when the first i of them are on."""

    values: tuple[int, ...]
    wires: tuple[int, ...]

    def map(self, function: Callable[[int], int]) -> Linear:
        """f of the number, as a linear form and so without a gate: f(values[0]), and a step for each wire."""
        images = [int(function(value)) for value in self.values]
        steps = {w: new - old for w, (old, new) in zip(self.wires, pairwise(images), strict=True)}
        return Linear({w: step for w, step in steps.items() if step}, images[0])

    @property
    def form(self) -> Linear:
        """The number itself, as a linear form."""
        return self.map(int)


@dataclass
class Circuit:
    """A netlist over `inputs` bits; `outputs` are the wires read off at the end."""

    inputs: int
    banks: list[Bank] = field(default_factory=list)
    outputs: tuple[int, ...] = ()
    size: int = 0

    def compare(self, form: Linear, thresholds: Iterable[int]) -> tuple[int, ...]:
        """Add a gate [form >= threshold] for each threshold; returns their wires."""
        shifted = tuple(threshold - form.constant for threshold in thresholds)
        if shifted:
            self.banks.append(Bank(tuple(form.weights), tuple(form.weights.values()), shifted))
        first = self.inputs + self.size
        self.size += len(shifted)
        return tuple(range(first, first + len(shifted)))

    def unary(self, form: Linear, steps: Sequence[tuple[int, int]]) -> Unary:
        """The value of the last of the steps (value, threshold) that the form reaches; it must always reach the first.

        The thresholds ascend.
        """
        values, thresholds = zip(*steps, strict=True)
        return Unary(values, self.compare(form, thresholds[1:]))

    def gates(self) -> Iterator[Gate]:
        """Every gate, in the order of the wires."""
        for bank in self.banks:
            for threshold in bank.thresholds:
                yield Gate(bank.sources, bank.weights, threshold)

    def depths(self) -> list[int]:
        """For each wire, the gates on the longest path from an input: the netlist is walked."""
        found = [0] * self.inputs
        for bank in self.banks:
            depth = 1 + max((found[source] for source in bank.sources), default=0)
            found.extend([depth] * len(bank.thresholds))
        return found

    @property
    def depth(self) -> int:
        """The gates on the longest path from an input to an output."""
        found = self.depths()
        return max(found[output] for output in self.outputs)

    @property
    def layers(self) -> list[int]:
        """How many gates there are at depth 1, 2, ..."""
        found = Counter(self.depths()[self.inputs :])
        return [found[depth] for depth in range(1, max(found) + 1)]

    @property
    def wires(self) -> int:
        """The connections into gates."""
        return sum(len(bank.sources) * len(bank.thresholds) for bank in self.banks)

    @property
    def weight_bits(self) -> int:
        """The bits of the largest weight or threshold, without its sign."""
        return max(value.bit_length() for bank in self.banks for value in (*bank.weights, *bank.thresholds))

    def trimmed(self) -> Circuit:
        """The circuit without the gates that no output reads, directly or through others."""
        read = set(self.outputs)
        last, kept = self.inputs + self.size, []
        for bank in reversed(self.banks):
            first = last - len(bank.thresholds)
            needed = [gate for gate in range(first, last) if gate in read]
            if needed:
                read.update(bank.sources)
                kept.append((bank, needed, [bank.thresholds[gate - first] for gate in needed]))
            last = first
        circuit, place = Circuit(self.inputs), {number: number for number in range(self.inputs)}
        for bank, needed, thresholds in reversed(kept):
            form = Linear({place[source]: w for source, w in zip(bank.sources, bank.weights, strict=True)})
            place.update(zip(needed, circuit.compare(form, thresholds), strict=True))
        circuit.outputs = tuple(place[output] for output in self.outputs)
        return circuit

    def without(self, gate: int) -> Circuit:
        """The circuit with one gate deleted: whatever read it reads 0. The wires keep their numbers."""
        banks, first = list(self.banks), self.inputs
        for i, bank in enumerate(banks):
            if first <= gate < first + len(bank.thresholds):
                changed = list(bank.thresholds)
                changed[gate - first] = bank.bound + 1
                banks[i] = Bank(bank.sources, bank.weights, tuple(changed))
                return Circuit(self.inputs, banks, self.outputs, self.size)
            first += len(bank.thresholds)
        raise ValueError(f"{gate} is not the wire of a gate of this circuit")


# ---------------------------------------------------------------------------------------------- the fast evaluator
def evaluate(circuit: Circuit, inputs: Bits) -> Bits:
    """The outputs for many inputs: (batch, inputs) -> (batch, outputs), exactly."""
    if inputs.shape[1] != circuit.inputs:
        raise ValueError(f"the circuit reads {circuit.inputs} bits, not {inputs.shape[1]}")
    many = max(CHUNK // (circuit.inputs + circuit.size), 1)
    parts = [_evaluate(circuit, inputs[i : i + many]) for i in range(0, len(inputs), many)]
    return np.concatenate(parts) if parts else np.zeros((0, len(circuit.outputs)), bool)


def _evaluate(circuit: Circuit, inputs: Bits) -> Bits:
    values = np.empty((circuit.inputs + circuit.size, len(inputs)), bool)
    values[: circuit.inputs] = inputs.T
    first = circuit.inputs
    for bank in circuit.banks:
        last = first + len(bank.thresholds)
        values[first:last] = _fires(bank, values[list(bank.sources)])
        first = last
    return values[list(circuit.outputs)].T


def _fires(bank: Bank, values: Bits) -> Bits:
    """Which gates fire: (sources, batch) -> (thresholds, batch).

    The sums are taken limb by limb, in two's complement with a signed top limb. One limb suffices if no sum leaves
    int64; else each limb's sum stays below 2**63, for there are fewer than 2**32 sources.
    """
    bound = bank.bound
    limbs = 1 if bound < 2**62 else bound.bit_length() // LIMB + 1
    sums = [weights @ values for weights in _limbs(bank.weights, limbs)]
    for low, high in pairwise(sums):
        high += low >> LIMB
        low &= 2**LIMB - 1
    thresholds = [min(max(threshold, -bound), bound + 1) for threshold in bank.thresholds]
    fires = np.ones((len(thresholds), values.shape[1]), bool)
    for total, threshold in zip(sums, _limbs(thresholds, limbs), strict=True):  # the top limb decides, so it comes last
        fires = (total > threshold[:, None]) | ((total == threshold[:, None]) & fires)
    return fires


def _limbs(numbers: Sequence[int], limbs: int) -> list[NDArray[np.int64]]:
    """The numbers' limbs, lowest first; the top limb is signed and takes all that is left."""
    low = [[number >> (LIMB * i) & (2**LIMB - 1) for number in numbers] for i in range(limbs - 1)]
    top = [number >> (LIMB * (limbs - 1)) for number in numbers]
    return [np.array(limb, dtype=np.int64) for limb in (*low, top)]


# --------------------------------------------------------------------------------------------- the naive evaluator
def evaluate_naively(circuit: Circuit, inputs: Sequence[int]) -> list[int]:
    """The outputs for one input, gate by gate in Python integers."""
    gates = list(circuit.gates())

    @cache
    def value(number: int) -> int:
        if number < circuit.inputs:
            return int(inputs[number])
        sources, weights, threshold = gates[number - circuit.inputs]
        return int(sum(w * value(source) for w, source in zip(weights, sources, strict=True)) >= threshold)

    return [value(output) for output in circuit.outputs]
