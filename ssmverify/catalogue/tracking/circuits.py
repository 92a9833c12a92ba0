"""Threshold circuits of constant depth that equal fixed-point state-space models, evaluated exactly and cast once.

A case is a model, a number of tokens and words; it is right if the compiled circuit has the depth that is claimed and
its outputs are those of the convolution in Python integers. Words are all there are, where that can be gone through,
and random ones beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from hypothesis import strategies as st

from ssmverify.rows import Broken, Decide, Finite, Source
from ssmverify.tracking.circuits.circuit import Circuit, Linear, Unary, evaluate
from ssmverify.tracking.circuits.compile import compile_stack, decode, encode
from ssmverify.tracking.circuits.fixed_point import (
    CASTS,
    ComplexChannel,
    ComplexDiagonal,
    ComplexTable,
    Diagonal,
    Letters,
    Model,
    TimeInvariant,
    every_word,
    free,
    random_words,
    selective,
    stacked,
)
from ssmverify.tracking.circuits.products import Units, odd_primes, units_modulo

OURS = Source("stated here", read="nothing: the circuits, and that they have this depth, are ours")


class Case(NamedTuple):
    """Stacked models (one, mostly) on words (batch, time, field)."""

    models: tuple[Model, ...]
    words: Letters
    cast: str = "floor"

    @property
    def n(self) -> int:
        return int(self.words.shape[1])

    @property
    def signed(self) -> bool:
        low, _ = self.models[-1].bounds(self.n)
        return low < 0

    def at(self, i: int) -> str:
        return f"the word {self.words[i].tolist()}, cast {self.cast}, {len(self.models)} of {self.models[0]}"


def whole(model: Model, n: int, cast: str = "floor", layers: int = 1) -> Case:
    """All words of n tokens."""
    return Case((model,) * layers, every_word(model, n), cast)


def some(draw: st.DrawFn, model: Model, n: int, count: int = 10, layers: int = 1) -> Case:
    """Random words."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Case((model,) * layers, random_words(model, n, count, rng), draw(st.sampled_from(sorted(CASTS))))


def lookup(output: int) -> tuple[int, ...]:
    """The token of two fields of two bits that a stacked layer reads: no linear function of the output below."""
    return output * output % 4, (3 * output + 1) // 2 % 4


# -------------------------------------------------------------------------------------------------- the decisions
Compile = Callable[[Case], Circuit]


def compiled(method: str = "residues", one_hot: bool = False) -> Compile:
    """The compiler of this suite."""

    def build(case: Case) -> Circuit:
        lookups = [lookup] * (len(case.models) - 1)
        return compile_stack(case.models, lookups, case.n, method=method, cast=case.cast, one_hot=one_hot)

    return build


def agrees(build: Compile, depth: int, one_hot: bool = False) -> Decide:
    """The circuit is at most so deep, two less for each further layer, and gives what the convolution gives."""
    circuits: dict[Any, Circuit] = {}

    def decide(case: Case) -> str:
        key = case.models, case.n, case.cast
        circuit = circuits[key] = circuits.get(key) or build(case)
        if circuit.depth > (allowed := depth + (depth - 2) * (len(case.models) - 1)):
            return f"depth {circuit.depth} at n = {case.n}, not {allowed}"
        got = decode(evaluate(circuit, encode(case.models[0], case.words, one_hot=one_hot)), case.signed)
        expected = stacked(case.models, [lookup] * (len(case.models) - 1), case.words, case.cast)
        wrong = [i for i, (a, b) in enumerate(zip(got, expected, strict=True)) if a != b]
        return "" if not wrong else f"{got[wrong[0]]} and not {expected[wrong[0]]} at {case.at(wrong[0])}"

    return decide


# ---------------------------------------------------------------------------------------------------- the mutants
def patched(build: Compile, place: str, replacement: Any) -> Compile:
    """The compiler with one of its functions broken."""

    def build_broken(case: Case) -> Circuit:
        with mock.patch(f"ssmverify.tracking.circuits.{place}", replacement):
            return build(case)

    return build_broken


def without_a_gate(build: Compile, layer: int) -> Compile:
    """The circuit without the middle gate of a layer; -1 is the last."""

    def build_broken(case: Case) -> Circuit:
        circuit = build(case)
        gates = [number for number, depth in enumerate(circuit.depths()) if depth == (layer % (circuit.depth + 1) or 1)]
        return circuit.without(gates[len(gates) // 2])

    return build_broken


def other_generator(q: int) -> Units:
    """Logarithms to the least generator modulo q, powers of the largest."""
    powers, logs = units_modulo(q)
    generators = [g for g in powers if len({pow(g, s, q) for s in range(q - 1)}) == q - 1]
    return Units(tuple(pow(max(generators), s, q) for s in range(q - 1)), logs)


def one_prime_less(limit: int, step: int) -> list[int]:
    return odd_primes(limit, step)[:-1]


unary = Circuit.unary


def a_step_late(circuit: Circuit, form: Linear, steps: Sequence[tuple[int, int]]) -> Unary:
    """Every threshold one too high."""
    return unary(circuit, form, [(value, threshold + 1) for value, threshold in steps])


def each_word(case: Case) -> Iterator[bytes]:
    return (word.tobytes() for word in case.words)


def row(
    name: str,
    says: str,
    depth: int,
    *,
    cases: Callable[[], Iterable[Case]] | None = None,
    samples: Callable[[], st.SearchStrategy[Case]] | None = None,
    number: int | None = None,
    method: str = "residues",
    one_hot: bool = False,
) -> Finite:
    build = compiled(method, one_hot)
    mutants = {
        "a gate of the first layer deleted": without_a_gate(build, 1),
        "a gate of the last layer but one deleted": without_a_gate(build, -2),
        "every counter one too late": patched(build, "circuit.Circuit.unary", a_step_late),
    }
    if method != "counting":
        mutants |= {
            "powers of another generator": patched(build, "products.units_modulo", other_generator),
            "one prime too few": patched(build, "compile.odd_primes", one_prime_less),
        }
    return Finite(
        name=f"tracking.{name}",
        says=says,
        decide=agrees(build, depth, one_hot),
        mutants=tuple(Broken(what, agrees(mutant, depth, one_hot)) for what, mutant in mutants.items()),
        cases=cases,
        samples=samples,
        source=OURS,
        number=number,
        members=each_word,
    )


# ------------------------------------------------------------------------------------------------------ the cases
def unsigned() -> Iterator[Case]:
    for cast in CASTS:
        yield from (whole(free(p), n, cast) for n, p in ((2, 2), (3, 2), (4, 2), (2, 3)))


def signed() -> Iterator[Case]:
    for cast in CASTS:
        yield from (whole(free(p, signed=True), n, cast) for n, p in ((2, 1), (3, 1), (2, 2)))


def two_channels() -> Iterator[Case]:
    for cast in CASTS:
        yield from (whole(free(p, channels=2), n, cast) for n, p in ((2, 1), (3, 1), (2, 2)))


def shifts(p: int) -> Diagonal:
    """Decays 0, 2**-p, ..., 1/2, 1 and inputs of either sign."""
    decays = (0, *(2**i for i in range(p + 1)))
    return selective(p, (decays, tuple(range(-1, p + 1)), (1,) * (p + 2)))


def powers_of_two() -> Iterator[Case]:
    yield from (whole(shifts(p), n, cast) for n, p in ((3, 2), (6, 2), (5, 3)) for cast in CASTS)


JORDAN = TimeInvariant(2, ((4, 1), (0, 4)), ((1, 0), (0, 1), (-1, 2)), (1, -1))  # no basis of eigenvectors
ROTATION = TimeInvariant(2, ((2, -3), (3, 2)), ((1, 0), (0, 1), (-1, 2)), (1, 0))  # eigenvalues (2 ± 3i)/4


def matrices() -> Iterator[Case]:
    yield from (whole(model, n, cast) for model in (JORDAN, ROTATION) for n in range(1, 9) for cast in CASTS)


TURNING = ComplexDiagonal(
    3,
    (3,),
    (
        ComplexChannel(
            ComplexTable(0, ((3, 4), (-2, 5), (0, 0))),
            ComplexTable(0, ((1, 2), (-3, 1), (2, -2))),
            ComplexTable(0, ((1, 0), (1, 1), (0, -1))),
        ),
    ),
)


def rotations() -> Iterator[Case]:
    yield from (whole(TURNING, n, cast) for n in range(1, 5) for cast in CASTS)


def two_layers() -> Iterator[Case]:
    yield from (whole(free(2), n, layers=2) for n in (2, 3))


@st.composite
def free_words(draw: st.DrawFn, signs: bool = False, channels: int = 1, longest: int = 10) -> Case:
    model = free(draw(st.integers(1, 3)), signed=signs, channels=channels)
    return some(draw, model, draw(st.integers(2, longest)))


@st.composite
def long_words(draw: st.DrawFn) -> Case:
    return some(draw, free(2), draw(st.sampled_from([11, 16, 24])), count=5)


@st.composite
def shift_words(draw: st.DrawFn) -> Case:
    return some(draw, shifts(draw(st.integers(1, 4))), draw(st.integers(2, 16)))


@st.composite
def stacked_words(draw: st.DrawFn) -> Case:
    return some(draw, free(2), draw(st.integers(2, 5)), layers=draw(st.integers(2, 3)))


@st.composite
def selective_words(draw: st.DrawFn, channels: int = 2, largest: int = 8) -> Case:
    """Any tables, zeros and multiples of the primes among them; decays of size 1 too."""
    tables = st.lists(st.integers(-largest, largest), min_size=3, max_size=3)
    model = selective(3, *draw(st.lists(st.tuples(tables, tables, tables), min_size=1, max_size=channels)))
    return some(draw, model, draw(st.integers(2, 5)))


@st.composite
def complex_words(draw: st.DrawFn) -> Case:
    disc = [(a, b) for a in range(-8, 9) for b in range(-8, 9) if a * a + b * b <= 64]
    table = st.lists(st.sampled_from(disc), min_size=3, max_size=3).map(lambda values: ComplexTable(0, tuple(values)))
    channels = draw(st.lists(st.builds(ComplexChannel, table, table, table), min_size=1, max_size=2))
    return some(draw, ComplexDiagonal(3, (3,), tuple(channels)), draw(st.integers(2, 5)))


@st.composite
def matrix_words(draw: st.DrawFn) -> Case:
    d = draw(st.integers(1, 3))
    vector = st.tuples(*[st.integers(-4, 4)] * d)
    A = tuple(draw(vector) for _ in range(d))
    return some(draw, TimeInvariant(2, A, tuple(draw(vector) for _ in range(3)), draw(vector)), draw(st.integers(2, 8)))


circuit = row(
    "circuit",
    "The circuit of depth 6 for one real channel, α and β of p bits each, equals the exact convolution, cast once, "
    "downwards or to the nearest with ties to even: for (n, p) = (2,2), (3,2), (4,2) and (2,3) on every input, for "
    "n <= 10 and p <= 3, and n <= 24 and p = 2, on samples.",
    6,
    cases=unsigned,
    number=147_968,
    samples=lambda: st.one_of(*[free_words()] * 9, long_words()),
)
circuit_signed = row(
    "circuit_signed",
    "The same with signs, in two's complement: (n, p) = (2,1), (3,1), (2,2) on every input, both casts; n <= 10 "
    "and p <= 3 on samples.",
    6,
    cases=signed,
    number=16_896,
    samples=lambda: free_words(signs=True),
)
circuit_channels = row(
    "circuit_channels",
    "The same for the sum of two channels: (n, p) = (2,1), (3,1), (2,2) on every input, both casts; n <= 6 and "
    "p <= 3 on samples.",
    6,
    cases=two_channels,
    number=139_776,
    samples=lambda: free_words(channels=2, longest=6),
)
circuit_selective = row(
    "circuit_selective",
    "The same for up to two channels with any tables of decay, input and readout over three letters, of integers "
    "from -8 to 8, n <= 5.",
    6,
    samples=selective_words,
)
circuit_complex = row(
    "circuit_complex",
    "A complex channel over the Gaussian integers needs no more, depth 6, with primes that are 1 modulo 4: one "
    "model for n <= 4 on every input; any tables of modulus 8 at most, for one or two channels and n <= 5, on "
    "samples.",
    6,
    cases=rotations,
    number=240,
    samples=complex_words,
)
circuit_shallow = row(
    "circuit_shallow",
    "Depth 4 is enough for a real channel, for the residues' sums need not be reduced, nor the multiple of M be "
    "taken off before the cast: on the inputs of tracking.circuit; n <= 6, and any tables of integers from -4 to 4 "
    "for n <= 5, on samples.",
    4,
    cases=unsigned,
    number=147_968,
    samples=lambda: st.one_of(free_words(longest=6), selective_words(channels=1, largest=4)),
    method="shallow",
)
circuit_shallow_one_hot = row(
    "circuit_shallow_one_hot",
    "Depth 3, if the letters arrive one-hot: on the inputs of tracking.circuit_signed; n <= 6 on samples.",
    3,
    cases=signed,
    number=16_896,
    samples=lambda: free_words(longest=6),
    method="shallow",
    one_hot=True,
)
circuit_powers_of_two = row(
    "circuit_powers_of_two",
    "For decays that are 0 or powers of two depth 4 is enough without residues, by one counter for each shift: "
    "(n, p) = (3,2), (6,2) and (5,3) on every input; n <= 16 and p <= 4 on samples.",
    4,
    cases=powers_of_two,
    number=14_570,
    samples=shift_words,
    method="counting",
)
circuit_time_invariant = row(
    "circuit_time_invariant",
    "For a time-invariant model depth 2 is enough from one-hot letters, for the state is one linear form: a Jordan "
    "block and a rotation for n <= 8 on every input; any A up to 3 x 3 for n <= 8 on samples.",
    2,
    cases=matrices,
    number=39_360,
    samples=matrix_words,
    method="counting",
    one_hot=True,
)
circuit_stacked = row(
    "circuit_stacked",
    "Two layers, the upper of which reads a table of the lower's outputs, have depth 10, cast downwards: for "
    "(n, p) = (2,2) and (3,2) on every input. Two, and three with depth 14, for n <= 5 on samples.",
    6,
    cases=two_layers,
    number=4_352,
    samples=stacked_words,
)
