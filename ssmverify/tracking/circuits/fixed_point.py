"""State-space models over fixed-point numbers, and what they compute: exactly, then cast.

A model reads at each time a token of one or more letters. `Diagonal` is the gated case: channel c has integer tables
over the letters, its decay alpha, its input beta and its readout C. With p fraction bits

    h_t = (alpha_t / 2**p) h_{t-1} + beta_t / 2**p,    y_t = sum over the channels of C_t h_t,

whose convolutional form after n tokens is y_n = N / 2**(p n) with the integer

    N = sum over c, j of  C_n alpha_n ... alpha_{j+1} beta_j 2**(p (j - 1)).

`ComplexDiagonal` has Gaussian integers in the tables and reads the real part; `TimeInvariant` has no gates, and any
matrix A in place of the decays. The output is always y_n cast once, at the end, to p fraction bits: arXiv 2404.08819,
Definitions A.1 and A.2 (sums and products are exact, then cast), in fixed point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Letters = NDArray[np.intp]  # (batch, time, field): a letter is a number from 0 to the size of its alphabet - 1
Integers = NDArray[Any]  # Python integers


class Table(NamedTuple):
    """An integer for each letter of one field of a token."""

    field: int
    values: tuple[int, ...]


class Term(NamedTuple):
    """One product of the convolution: the constant times a table's value at each of some times (from 1 on)."""

    constant: int
    factors: tuple[tuple[int, Table], ...]


class Model(Protocol):
    """What a circuit is made from: p fraction bits, and the sizes of the alphabets of a token's fields."""

    @property
    def p(self) -> int: ...
    @property
    def alphabets(self) -> tuple[int, ...]: ...
    @property
    def step(self) -> int:
        """`terms` serves the primes that are 1 modulo this."""

    def terms(self, n: int, q: int | None) -> Iterator[Term]:
        """Products whose sum is congruent to N after n tokens modulo the prime q; equal to it for q = None."""

    def bounds(self, n: int) -> tuple[int, int]:
        """Integers between which N lies after n tokens."""

    def numerators(self, letters: Letters) -> Integers:
        """N for each word: (batch, time, field) -> (batch,)."""


class Channel(NamedTuple):
    """One coordinate of the state: numerators of its decay and its input, over 2**p, and its integer readout."""

    decay: Table
    input: Table
    readout: Table


@dataclass(frozen=True)
class Diagonal:
    """Channels whose decays, inputs and readouts depend on the token."""

    p: int
    alphabets: tuple[int, ...]
    channels: tuple[Channel, ...]
    step: ClassVar[int] = 2

    def terms(self, n: int, q: int | None = None) -> Iterator[Term]:
        for decay, write, readout in self.channels:
            for j in range(1, n + 1):
                decays = [(k, decay) for k in range(n, j, -1)]
                yield Term(2 ** (self.p * (j - 1)), (*decays, (j, write), (n, readout)))

    def bounds(self, n: int) -> tuple[int, int]:
        lows, highs = [], []
        for decay, write, readout in self.channels:
            state = [0, 0]
            for j in range(n):
                decayed = [a * h for a in decay.values for h in state]
                written = [2 ** (self.p * j) * b for b in write.values]
                state = [min(decayed) + min(written), max(decayed) + max(written)]
            read = [c * h for c in readout.values for h in state]
            lows.append(min(read))
            highs.append(max(read))
        return sum(lows), sum(highs)

    def numerators(self, letters: Letters) -> Integers:
        n = letters.shape[1]

        def read(table: Table, j: int) -> Any:
            return np.array(table.values, dtype=object)[letters[:, j - 1, table.field]]

        total = np.zeros(len(letters), dtype=object)
        for decay, write, readout in self.channels:
            for j in range(1, n + 1):
                kept = math.prod((read(decay, k) for k in range(j + 1, n + 1)), start=1)
                total += read(readout, n) * kept * read(write, j) * 2 ** (self.p * (j - 1))
        return total


def free(p: int, *, signed: bool = False, channels: int = 1) -> Diagonal:
    """Each token gives every channel a decay and an input of its own: p bits, or p + 1 in two's complement.

    The fields of a token are alpha and beta of the first channel, then of the second, and so on; y is their sum.
    """
    values = (*range(2**p), *range(-(2**p), 0)) if signed else tuple(range(2**p))
    one = Table(0, (1,) * len(values))
    parts = [Channel(Table(2 * c, values), Table(2 * c + 1, values), one) for c in range(channels)]
    return Diagonal(p, (len(values),) * (2 * channels), tuple(parts))


def selective(p: int, *channels: tuple[Sequence[int], Sequence[int], Sequence[int]]) -> Diagonal:
    """A token is one letter; each channel is its decays, inputs and readouts over the letters, as in S6."""
    tables = [Channel(*(Table(0, tuple(values)) for values in channel)) for channel in channels]
    return Diagonal(p, (len(tables[0].decay.values),), tuple(tables))


class ComplexTable(NamedTuple):
    """A Gaussian integer (real part, imaginary part) for each letter of one field of a token."""

    field: int
    values: tuple[tuple[int, int], ...]

    def at(self, root: int) -> Table:
        """The table with a number in place of i."""
        return Table(self.field, tuple(re + root * im for re, im in self.values))

    @property
    def largest(self) -> int:
        """The largest squared modulus."""
        return max(re**2 + im**2 for re, im in self.values)


class ComplexChannel(NamedTuple):
    """A `Channel` over the Gaussian integers."""

    decay: ComplexTable
    input: ComplexTable
    readout: ComplexTable


@dataclass(frozen=True)
class ComplexDiagonal:
    """Complex channels whose decays, inputs and readouts depend on the token; y is the real part of the sum of C h."""

    p: int
    alphabets: tuple[int, ...]
    channels: tuple[ComplexChannel, ...]
    step: ClassVar[int] = 4

    def terms(self, n: int, q: int | None = None) -> Iterator[Term]:
        """Modulo q there is a root r of -1, and Re z = (z with r for i + z with -r for i) / 2."""
        if q is None:
            raise ValueError('a product of complex numbers is no product of integers: use method="residues"')
        root = next(r for r in range(q) if (r * r + 1) % q == 0)
        for sign in (1, -1):
            real = [Channel(*(table.at(sign * root) for table in channel)) for channel in self.channels]
            for constant, factors in Diagonal(self.p, self.alphabets, tuple(real)).terms(n):
                yield Term((q + 1) // 2 * constant, factors)

    def bounds(self, n: int) -> tuple[int, int]:
        total = 0
        for decay, write, readout in self.channels:
            modulus = 0  # of the state at most, rounded up
            for j in range(n):
                written = _root_above(2 ** (2 * self.p * j) * write.largest)
                modulus = _root_above(decay.largest * modulus**2) + written
            total += _root_above(readout.largest * modulus**2)
        return -total, total

    def numerators(self, letters: Letters) -> Integers:
        n = letters.shape[1]

        def read(table: ComplexTable, t: int) -> tuple[Any, Any]:
            values = np.array(table.values, dtype=object)[letters[:, t, table.field]]
            return values[:, 0], values[:, 1]

        total = np.zeros(len(letters), dtype=object)
        for decay, write, readout in self.channels:
            re, im = total * 0, total * 0
            for t in range(n):
                (a, b), (c, d) = read(decay, t), read(write, t)
                scale = 2 ** (self.p * t)
                re, im = a * re - b * im + scale * c, a * im + b * re + scale * d
            c, d = read(readout, n - 1)
            total = total + c * re - d * im
        return total


def _root_above(square: int) -> int:
    """The least integer whose square is not below this one."""
    return math.isqrt(square - 1) + 1 if square else 0


@dataclass(frozen=True)
class TimeInvariant:
    """h_t = (A / 2**p) h_{t-1} + B[letter] / 2**p, y_t = C h_t: A (d, d), B (letters, d), C (d,), all of integers."""

    p: int
    A: tuple[tuple[int, ...], ...]
    B: tuple[tuple[int, ...], ...]
    C: tuple[int, ...]
    step: ClassVar[int] = 2

    @property
    def alphabets(self) -> tuple[int, ...]:
        return (len(self.B),)

    def terms(self, n: int, q: int | None = None) -> Iterator[Term]:
        A, B, row = (np.array(x, dtype=object) for x in (self.A, self.B, self.C))
        for j in range(n, 0, -1):  # row = C A^(n - j)
            yield Term(2 ** (self.p * (j - 1)), ((j, Table(0, tuple(B @ row))),))
            row = row @ A

    def bounds(self, n: int) -> tuple[int, int]:
        values = [[scale * value for value in table.values] for scale, ((_, table),) in self.terms(n)]
        return sum(map(min, values)), sum(map(max, values))

    def numerators(self, letters: Letters) -> Integers:
        A, B, C = (np.array(x, dtype=object) for x in (self.A, self.B, self.C))
        state = np.zeros((len(letters), len(C)), dtype=object)
        for t in range(letters.shape[1]):
            state = state @ A.T + 2 ** (self.p * t) * B[letters[:, t, 0]]
        return np.asarray(state @ C)


# ------------------------------------------------------------------------------------------- exactly, then cast
CASTS: dict[str, Callable[[Fraction], int]] = {"floor": math.floor, "nearest-even": round}


def exact_then_cast(model: Model, letters: Letters, cast: str = "floor") -> Integers:
    """y_n * 2**p as an integer: the convolution computed exactly and cast once; (batch, time, field) -> (batch,)."""
    denominator = 2 ** (model.p * (letters.shape[1] - 1))
    rounded = [CASTS[cast](Fraction(N, denominator)) for N in model.numerators(letters)]
    return np.array(rounded, dtype=object)


def recurrent(model: Diagonal, letters: Letters, cast: str = "floor") -> Integers:
    """The same by the recurrence in exact rationals, one word and one token at a time, cast once at the end."""
    outputs = []
    for word in letters:
        state = [Fraction(0)] * len(model.channels)
        for token in word:
            for c, (decay, write, _) in enumerate(model.channels):
                alpha, beta = decay.values[token[decay.field]], write.values[token[write.field]]
                state[c] = (alpha * state[c] + beta) / 2**model.p
        y = sum(c.readout.values[word[-1][c.readout.field]] * h for c, h in zip(model.channels, state, strict=True))
        outputs.append(CASTS[cast](y * 2**model.p))
    return np.array(outputs, dtype=object)


def every_word(model: Model, n: int) -> Letters:
    """All words of n tokens."""
    sizes = model.alphabets * n
    words = np.indices(sizes).reshape(len(sizes), -1).T
    return words.reshape(-1, n, len(model.alphabets))


def random_words(model: Model, n: int, count: int, rng: np.random.Generator) -> Letters:
    """Words of n tokens, uniform."""
    return np.stack([rng.integers(size, size=(count, n)) for size in model.alphabets], axis=2)


def stacked(
    models: Sequence[Model],
    lookups: Sequence[Callable[[int], tuple[int, ...]]],
    letters: Letters,
    cast: str = "floor",
) -> Integers:
    """The last output of layers that read one another: at each time lookup(output of the layer below) is the token."""
    for model, lookup in zip(models[:-1], lookups, strict=True):
        columns = [exact_then_cast(model, letters[:, :t], cast) for t in range(1, letters.shape[1] + 1)]
        letters = np.array([[lookup(O) for O in row] for row in zip(*columns, strict=True)])
    return exact_then_cast(models[-1], letters, cast)
