"""The netlists themselves: depth, size, gates that can be spared, evaluators; and the algebra that they rest on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from flint import fmpq, fmpz_mpoly, fmpz_mpoly_ctx
from hypothesis import strategies as st

from proofs.kernel import Claim, Table
from proofs.terms import Eq
from proofs.tracking import circuits as paper
from ssmverify.catalogue.tracking.circuits import OURS, Case, agrees, compiled, each_word, whole
from ssmverify.rows import Broken, Decide, Finite, Source, Theorem
from ssmverify.strategies import points, rationals, tables
from ssmverify.tracking.circuits.circuit import Bits, Circuit, Gate, evaluate, evaluate_naively
from ssmverify.tracking.circuits.compile import compile_model, encode
from ssmverify.tracking.circuits.fixed_point import free, random_words
from ssmverify.tracking.circuits.products import odd_primes


@cache
def circuit_22() -> Circuit:
    return compiled()(whole(free(2), 2))


REDUNDANT = {Gate((2, 3), (-1, -1), 0): "β₁ = 0", Gate((4, 5), (-1, -1), 0): "α₂ = 0"}


def deletion(gate: int) -> str:
    """Wrong if a gate outside of REDUNDANT can be spared, or if one of these cannot."""
    found = list(circuit_22().gates())[gate - circuit_22().inputs]
    missed = agrees(lambda _: circuit_22().without(gate), 6)(whole(free(2), 2))
    if found in REDUNDANT:
        return f"the gate {REDUNDANT[found]} is needed: {missed}" if missed else ""
    return "" if missed else f"nothing changes without the gate {gate}, {found}"


def no_gate_is_redundant(gate: int) -> str:
    spared = not agrees(lambda _: circuit_22().without(gate), 6)(whole(free(2), 2))
    return f"nothing changes without the gate {gate}" if spared else ""


deletions = Finite(
    name="tracking.circuit_deletions",
    says="Of the 56 gates of the circuit for n = 2, p = 2 each is needed but two, [β₁ = 0] and [α₂ = 0]: deleted, it "
    "gives a wrong output on one of the 256 inputs. Without either of those two no output changes, as β₁ α₂ < 4 is "
    "what the floor forgets.",
    decide=deletion,
    mutants=(Broken("no gate is redundant", no_gate_is_redundant),),
    cases=lambda: range(circuit_22().inputs, circuit_22().inputs + circuit_22().size),
    number=56,
    source=OURS,
)


def most_gates(n: int, p: int) -> list[int]:
    """No layer has more; derived by hand from how the circuit is made. Polynomial in n and 2**p, for q = O(p n)."""
    low, high = free(p).bounds(n)
    primes = odd_primes(high - low)
    logarithms = sum((n - j + 1) * (q - 2) + 1 for q in primes for j in range(1, n + 1))
    return [2 * n * 2**p, logarithms, sum(n * (q - 1) for q in primes), len(primes), n * 2**p, (n * 2**p).bit_length()]


def room_for_one_residue(n: int, p: int) -> list[int]:
    """The same, as if the residues of n terms took the room of one."""
    letters, logarithms, residues, *rest = most_gates(n, p)
    return [letters, logarithms, residues // n, *rest]


def layers_are(most: Callable[[int, int], list[int]], **how: Any) -> Decide:
    def decide(n: int) -> str:
        circuit, allowed = compile_model(free(2), n, **how), most(n, 2)
        if circuit.depth != len(allowed):
            return f"depth {circuit.depth} and not {len(allowed)} at n = {n}"
        crowded = [i for i, (gates, at_most) in enumerate(zip(circuit.layers, allowed, strict=True)) if gates > at_most]
        return f"layers {circuit.layers}, not at most {allowed}, at n = {n}" if crowded else ""

    return decide


depths = Finite(
    name="tracking.circuit_depth",
    says="The depth of the circuit for p = 2, found by walking its netlist, is 6 for every n from 2 to 24, and its "
    "layers have at most 2n 2^p, Σ_q Σ_j ((n-j+1)(q-2)+1), Σ_q n(q-1), #q, n 2^p and log2(n 2^p)+1 gates.",
    decide=layers_are(most_gates),
    mutants=(
        Broken("the letters arrive one-hot", layers_are(most_gates, one_hot=True)),
        Broken("three layers merged into one", layers_are(most_gates, method="shallow")),
        Broken("room for one residue in the third layer", layers_are(room_for_one_residue)),
    ),
    cases=lambda: range(2, 25),
    number=23,
    source=OURS,
)


def evaluators(fast: Callable[[Circuit, Bits], Bits]) -> Decide:
    """A word's outputs by the array evaluator and by the one that goes gate by gate."""

    def decide(case: Case) -> str:
        circuit = compiled()(case)
        bits = encode(case.models[0], case.words)
        for row_fast, word in zip(fast(circuit, bits).astype(int).tolist(), bits.astype(int).tolist(), strict=True):
            if row_fast != (naive := evaluate_naively(circuit, word)):
                return f"{row_fast} and not {naive} at the bits {word}"
        return ""

    return decide


def in_16_bits(circuit: Circuit, inputs: Bits) -> Bits:
    """The array evaluator with weights that wrap around at 16 bits."""
    banks = [replace(b, weights=tuple((w + 2**15) % 2**16 - 2**15 for w in b.weights)) for b in circuit.banks]
    return evaluate(replace(circuit, banks=banks), inputs)


def strictly(circuit: Circuit, inputs: Bits) -> Bits:
    """The array evaluator with > for >=."""
    banks = [replace(bank, thresholds=tuple(t + 1 for t in bank.thresholds)) for bank in circuit.banks]
    return evaluate(replace(circuit, banks=banks), inputs)


def evaluated() -> Iterator[Case]:
    yield whole(free(2), 2)
    for n in (6, 10):
        yield Case((free(2),), random_words(free(2), n, 30, np.random.default_rng(n)))


agreement = Finite(
    name="tracking.circuit_evaluators",
    says="The array evaluator and the one that goes gate by gate in Python integers agree: on every input of the "
    "circuit for n = 2, p = 2, and on 30 random ones each for n = 6 and n = 10.",
    decide=evaluators(evaluate),
    mutants=(
        Broken("weights wrap around at 16 bits", evaluators(in_16_bits)),
        Broken("> for >=", evaluators(strictly)),
    ),
    cases=evaluated,
    source=OURS,
    number=316,
    members=each_word,
)


# ----------------------------------------------------------------------------------------- powers of a 2 x 2 matrix
a, b, c, d = fmpz_mpoly_ctx.get(("a", "b", "c", "d"), "degrevlex").gens()
Entries = tuple[fmpz_mpoly, ...]  # row by row


@cache
def multiplied(m: int) -> Entries:
    """A^m, one factor after another."""
    if m == 0:
        return (a**0, 0 * a, 0 * a, a**0)
    w, x, y, z = multiplied(m - 1)
    return (a * w + b * y, a * x + b * z, c * w + d * y, c * x + d * z)


def summed(m: int, choose: Callable[[int, int], int] = math.comb, minus: int = -1) -> fmpz_mpoly:
    """u_m = the sum over k of C(m-1-k, k) t^(m-1-2k) (-D)^k: products of powers, added up."""
    trace, determinant = a + d, a * d - b * c
    parts = (choose(m - 1 - k, k) * trace ** (m - 1 - 2 * k) * (minus * determinant) ** k for k in range((m + 1) // 2))
    return sum(parts, 0 * a)


def is_power(u: Callable[[int], fmpz_mpoly]) -> Callable[[int], str]:
    """Whether A^m = u_m A - D u_{m-1} I, entry by entry."""

    def decide(m: int) -> str:
        constant = (a * d - b * c) * u(m - 1)
        found = (u(m) * a - constant, u(m) * b, u(m) * c, u(m) * d - constant)
        wrong = [(x, y) for x, y in zip(found, multiplied(m), strict=True) if x != y]
        return f"an entry of A^{m} is {wrong[0][1]}, not {wrong[0][0]}" if wrong else ""

    return decide


powering = Finite(
    name="tracking.circuit_powering",
    says="The power of a 2 x 2 matrix A of trace t and determinant D is A^m = u_m A - D u_{m-1} with u_m = "
    "Σ_k C(m-1-k, k) t^(m-1-2k) (-D)^k, as polynomials in its entries, for m <= 24: so for a time-invariant channel "
    "with such a matrix sums of products of powers, and no product of matrices, are needed to write its circuit down.",
    decide=is_power(summed),
    mutants=(
        Broken("D for -D", is_power(lambda m: summed(m, minus=1))),
        Broken("C(m-k, k) for C(m-1-k, k)", is_power(lambda m: summed(m, lambda n, k: math.comb(n + 1, k)))),
        Broken("without the binomials", is_power(lambda m: summed(m, lambda n, k: 1))),
    ),
    cases=lambda: range(1, 25),
    number=24,
    source=Source(
        "Mereghetti and Palano: Threshold circuits for iterated matrix product and powering",
        place="2000, for 2 x 2",
        read="the abstract; the formula is Cayley and Hamilton's, derived here",
    ),
)


# ------------------------------------------------------------------------------------------------ for every length
@st.composite
def functions(draw: st.DrawFn) -> Mapping[str, Any]:
    return draw(points(T=st.integers(0, 4), f=tables(range(6), rationals())))


@st.composite
def scaled_runs(draw: st.DrawFn) -> Mapping[str, Any]:
    """Decays and inputs that end, and the states that they drive from 0 at a scale other than 0."""
    T, s = draw(st.integers(0, 3)), draw(rationals(1, 4))
    a, b = (draw(tables(range(1, T + 3), rationals())) for _ in range(2))
    h = [fmpq(0)]
    for t in range(1, T + 4):
        h.append((a[(t,)] * h[-1] + b[(t,)]) / s)
    return {"T": T, "s": s, "a": a, "b": b, "h": Table({(t,): state for t, state in enumerate(h)}, fmpq(0))}


unary_claim = Theorem(
    paper.circuit_unary,
    instances=functions,
    breaks={"no value at 0": Claim("wrong", Eq(paper.stepwise(paper.T) - paper.f(0), paper.f(paper.T)))},
    source=OURS,
    says="Any function of a number in unary is linear in its wires: f(0), and the step of f at each wire that is on.",
)
numerator_claim = Theorem(
    paper.circuit_numerator,
    instances=scaled_runs,
    breaks={"one power of s less": Eq(paper.power(paper.T - 1) * paper.h(paper.T), paper.N)},
    source=OURS,
    says="The recurrence over numbers with p fraction bits, s = 2^p, has the value N / s^T, N the integer sum of "
    "products that the circuits compute.",
)
