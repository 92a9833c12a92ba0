"""What a layer of a user's tracks once its state is quantised: its automata.

A target is a file and a name in it, `my_layer.py:Layer`: an object, or a class that is called without arguments (a
torch module is one). It has `letters`, the tokens, and one of three methods; see `models.stepping` for the other two.

`transition(token)` returns (a, b) of h -> a h + b: a is a number, a vector (a diagonal layer) or a square matrix, b a
number, a vector, or a matrix whose columns are states side by side; Python numbers, fractions, numpy arrays or torch
tensors, real or complex, taken exactly as they are. The state starts at `initial()` or `start`, 0 where there is
neither, and is quantised after every step: each part of each entry is rounded once to one of the 2**bits - 1 numbers
from -scale to scale (`scale` is an attribute, 1 where there is none), and saturates there.

    class Layer:
        letters = ("a", "b")

        def transition(self, token):
            return (-0.2 + 0.8j, -0.25j) if token == "a" else (-0.8 + 0.6j, -0.25 - 0.75j)

A layer with `accept(state)`, or `readout(state)` that accepts above 0, stands for its language.

Only states that words reach from the start are enumerated, so many at most; of a layer with more what is found among
them is said, and that it is not all. The channels of a diagonal layer are classified one by one (and the columns of a
matrix state), where no language joins them:
the layer's monoid is a submonoid of the product of theirs that projects onto each, so its groups are trivial, p-groups,
or solvable of some derived length exactly if theirs are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssmverify.errors import BadInput
from ssmverify.tracking.arithmetic.numbers import Fixed, Gaussian, cast_parts, gaussian
from ssmverify.tracking.arithmetic.states import enumerate_states
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import APERIODIC, NON_SOLVABLE, P_GROUPS, SOLVABLE, Certificate, classify
from ssmverify.tracking.automata.limits import Limits
from ssmverify.tracking.models import stepping
from ssmverify.tracking.models.user_layers import accepts, asked, letters_of, load, same_twice, start_of

Exact = NDArray[Any]  # of Gaussian numbers
State = tuple[Gaussian, ...]
STATES = 10_000


def classify_layer(
    target: str, bits: int | None = None, rounding: str = "nearest-even", cap: int = 10**6, states: int = STATES
) -> list[Certificate]:
    """The certificates of a diagonal layer's channels, or the one of another layer.

    bits: of each part of the quantised state, 2 at least; 3 for `transition` where it is None, and then none for
    `step`. cap: as of `classify`. states: that are enumerated, of each automaton; the rest are its state `beyond`.
    Raises BadInput for a target that is no layer.
    """
    return [classify(automaton, cap) for automaton in automata(load(target), target, bits, rounding, states)]


def verdict(certificates: list[Certificate]) -> str:
    """The verdict on all the channels together; see the module's docstring. If not all are decided, nor is it."""
    primes = {p for certificate in certificates for p in certificate.primes}
    if any(certificate.verdict == NON_SOLVABLE for certificate in certificates):
        return NON_SOLVABLE
    if not primes:
        return APERIODIC
    return P_GROUPS if len(primes) == 1 else SOLVABLE


def automata(
    layer: Any,
    name: str,
    bits: int | None = None,
    rounding: str = "nearest-even",
    cap: int = STATES,
    limits: Limits | None = None,
    every_state: bool = False,
) -> list[Automaton]:
    """All of `channels`."""
    return list(channels(layer, name, bits, rounding, cap, limits, every_state))


def channels(
    layer: Any,
    name: str,
    bits: int | None = None,
    rounding: str = "nearest-even",
    cap: int = STATES,
    limits: Limits | None = None,
    every_state: bool = False,
) -> Iterator[Automaton]:
    """The automaton of each channel of a diagonal layer, or the one automaton of another.

    every_state: not only those that words reach from the start, but all states of the grid, for diagonal layers.
    """
    tokens = letters_of(layer, name)
    if hasattr(layer, "transition"):
        yield from _affine_automata(layer, tokens, name, bits or 3, rounding, cap, limits, every_state)
    elif hasattr(layer, "step") or hasattr(layer, "forward"):
        if every_state:
            raise BadInput(f"{name} steps by itself: all states of a grid are known for transition(token) only")
        cast = None if bits is None else grid(layer, name, bits, rounding)
        yield stepping.automaton(layer, tokens, name, cast, cap, limits)
    else:
        raise BadInput(f"{name} has neither transition(token) nor step(state, token) nor forward: give it one of them")


def grid(layer: Any, name: str, bits: int, rounding: str) -> Fixed:
    """The numbers that a part of a state is rounded to."""
    largest = 2 ** (bits - 1) - 1
    scale = asked(getattr, name, layer, "scale", 1)
    exact = exactly(scale, f"{name}: scale")
    if largest < 1 or exact.ndim or exact.item().re <= 0 or exact.item().im:
        raise BadInput(f"{name}: quantising needs 2 bits at least and a scale above 0, given {bits} and {scale}")
    return Fixed(-largest, largest, exact.item().re / largest, rounding)


def silent(layer: Any, name: str) -> bool:
    """Whether no letter writes and the state starts at 0, so that it stays there."""
    if not hasattr(layer, "transition"):
        return False
    _, inputs = _asked_affine(layer, letters_of(layer, name), name)
    start = start_of(layer, name)
    zero = gaussian(0)
    parts = [*inputs.values(), *([] if start is None else [exactly(start, f"{name}: start")])]
    return all(z == zero for part in parts for z in part.flat)


def _affine_automata(
    layer: Any,
    tokens: dict[str, Any],
    name: str,
    bits: int,
    rounding: str,
    cap: int,
    limits: Limits | None,
    every_state: bool,
) -> Iterator[Automaton]:
    cast = grid(layer, name, bits, rounding)
    gates, inputs = _asked_affine(layer, tokens, name)
    shape = next(iter(inputs.values())).shape
    start = _start(layer, name, shape, cast)
    square = next(iter(gates.values())).ndim == 2
    parts = _parts(gates, inputs, start, square, joined=any(hasattr(layer, a) for a in ("accept", "readout")))
    kind = "channel" if not square else "column"
    for i, (A, b, h) in enumerate(parts):
        called = f"{name}, {kind} {i}" if len(parts) > 1 else name
        starts = [h] if not every_state else [h, *_everything(len(h), cast, cap, called, A, b)]
        names = {letter: letter for letter in tokens}
        found, states = enumerate_states(starts, names, _step(A, b, cast), cap, called, limits)
        whole = len(parts) == 1 and found.beyond is None
        accept = accepts(layer, name, [_numbers(state, shape, layer) for state in states]) if whole else None
        yield found if accept is None else Automaton(found.letters, found.delta, 0, accept, called, found.beyond)


Part = tuple[dict[str, Exact], dict[str, Exact], State]


def _parts(gates: dict[str, Exact], inputs: dict[str, Exact], start: Exact, square: bool, joined: bool) -> list[Part]:
    """Gates, inputs and start of what is looked at by itself: channels, columns, or the whole where it is joined."""
    flat = {letter: b.reshape(-1) for letter, b in inputs.items()}
    if joined and square:  # all columns at once, row by row
        columns = start.size // len(start)
        wide = {letter: np.kron(A, _identity(columns)) for letter, A in gates.items()}
        return [(wide, flat, tuple(start.reshape(-1)))]
    if joined:
        return [(gates, flat, tuple(start))]
    if square:
        tall = start.reshape(len(start), -1)
        return [
            (gates, {letter: b.reshape(tall.shape)[:, j] for letter, b in inputs.items()}, tuple(tall[:, j]))
            for j in range(tall.shape[1])
        ]
    rows = [slice(i, i + 1) for i in range(len(start))]
    return [
        ({letter: a[i] for letter, a in gates.items()}, {letter: b[i] for letter, b in flat.items()}, tuple(start[i]))
        for i in rows
    ]


def _identity(n: int) -> Exact:
    found = np.full((n, n), gaussian(0), dtype=object)
    np.fill_diagonal(found, gaussian(1))
    return found


def _step(gates: dict[str, Exact], inputs: dict[str, Exact], cast: Fixed) -> Callable[[State, str], State]:
    """Each part of each entry of A h + b is exact and then rounded."""

    def step(h: State, letter: str) -> State:
        A, held = gates[letter], np.array(h, dtype=object)
        moved = A @ held if A.ndim == 2 else A * held
        return tuple(cast_parts(cast, z) for z in moved + inputs[letter])

    return step


def _start(layer: Any, name: str, shape: tuple[int, ...], cast: Fixed) -> Exact:
    given = start_of(layer, name)
    exact = exactly(0 if given is None else given, f"{name}: start")
    try:
        wide = np.broadcast_to(exact, shape)
    except ValueError:
        raise BadInput(f"{name}: start must have the shape of b, {shape}, given {exact.shape}") from None
    found = np.empty(shape, dtype=object)
    for place, z in np.ndenumerate(wide):
        found[place] = cast_parts(cast, z)
    return found


def _everything(
    entries: int, cast: Fixed, cap: int, name: str, gates: dict[str, Exact], inputs: dict[str, Exact]
) -> Iterator[State]:
    """All states of the grid, real ones where all weights are."""
    parts = (z for weights in (gates, inputs) for part in weights.values() for z in part.flat)
    real = all(not z.im for z in parts)
    one = [Gaussian(x, y) for x in cast for y in ([Fraction(0)] if real else cast)]
    if len(one) ** entries > cap:
        many = f"{len(one) ** entries:,}"
        raise BadInput(f"{name}: the grid has {many} states, and {cap:,} are gone through: take fewer --bits")
    return product(one, repeat=entries)


def _numbers(state: State, shape: tuple[int, ...], layer: Any) -> Any:
    """A state as the layer's readout takes it: an array of b's shape, a tensor for a torch module."""
    plain = [complex(z.re, z.im) for z in state]
    array = np.array(plain if any(z.imag for z in plain) else [z.real for z in plain]).reshape(shape)
    if hasattr(layer, "state_dict"):
        import torch

        return torch.from_numpy(array).to(torch.complex64 if array.dtype.kind == "c" else torch.float32)
    return array


# --------------------------------------------------------------------------------------------- a and b, exactly
def _asked_affine(layer: Any, tokens: dict[str, Any], name: str) -> tuple[dict[str, Exact], dict[str, Exact]]:
    """Gates and inputs of every letter, asked twice."""
    (gates, inputs), again = (
        _affine({letter: asked(layer.transition, name, token) for letter, token in tokens.items()}, name)
        for _ in range(2)
    )
    same_twice(all(map(np.array_equal, gates.values(), again[0].values())), "transition", name)
    same_twice(all(map(np.array_equal, inputs.values(), again[1].values())), "transition", name)
    return gates, inputs


def _affine(transitions: dict[str, Any], name: str) -> tuple[dict[str, Exact], dict[str, Exact]]:
    """Gates and inputs of every letter, of one size n: all a (n,) and b (n,), or all a (n, n) and b (n,) or (n, m)."""
    gates: dict[str, Exact] = {}
    inputs: dict[str, Exact] = {}
    for letter, pair in transitions.items():
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise BadInput(f"{name}: transition({letter!r}) must return a pair (a, b), given {type(pair).__name__}")
        gates[letter], inputs[letter] = (
            exactly(part, f"{name}: {which} of {letter!r}") for which, part in zip("ab", pair, strict=True)
        )
    square = {a.ndim for a in gates.values()} == {2}
    n = {side for a in gates.values() for side in a.shape} | {b.shape[0] for b in inputs.values() if b.ndim}
    wide_inputs = {b.shape for b in inputs.values() if b.ndim == 2}
    too_deep = any(a.ndim > 1 for a in gates.values()) != square or any(b.ndim > 1 + square for b in inputs.values())
    if len(n) > 1 or 0 in n or too_deep or len(wide_inputs) > 1:
        shapes = ", ".join(f"{letter!r}: {gates[letter].shape} and {inputs[letter].shape}" for letter in gates)
        raise BadInput(f"{name}: the a and b of all letters need one size, a (n,) or (n, n) and b (n,); given {shapes}")
    size = max(n, default=1)
    shape = next(iter(wide_inputs), (size,))
    if wide_inputs and any(b.ndim == 1 for b in inputs.values()):
        raise BadInput(f"{name}: the b of all letters need one shape, (n,) or (n, m)")
    return (
        {letter: a if square else np.broadcast_to(a, (size,)) for letter, a in gates.items()},
        {letter: np.broadcast_to(b, shape) for letter, b in inputs.items()},
    )


def exactly(value: Any, what: str) -> Exact:
    """A number, or an array or tensor of them, as Gaussian numbers."""
    plain = value
    try:
        plain = value.tolist() if hasattr(value, "tolist") else value
        numbers = np.array(plain, dtype=object)
        found = np.empty(numbers.shape, dtype=object)
        for place, number in np.ndenumerate(numbers):
            found[place] = _number(number)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last from tensors without elements to read
        raise BadInput(f"{what} must be finite numbers, in rows of one length; given {plain!r}") from None
    return found


def _number(value: Any) -> Gaussian:
    if isinstance(value, complex):
        return Gaussian(Fraction(value.real), Fraction(value.imag))
    return value if isinstance(value, Gaussian) else gaussian(Fraction(value))
