"""What a layer of a user's tracks once its state is quantised: its automaton, and that automaton's certificate.

A target is a file and a name in it, `my_layer.py:Layer`: an object, or a class that is called without arguments (a
torch module is one). It has `letters`, the tokens, and one of two methods.

`transition(token)` returns (a, b) of h -> a h + b: a is a number, a vector (a diagonal layer) or a square matrix, b a
number or a vector; Python numbers, fractions, numpy arrays or torch tensors, real or complex, taken exactly as they
are. The state starts at 0 and is quantised after every step: each part of each entry is rounded once to one of the
2**bits - 1 numbers from -scale to scale (`scale` is an attribute, 1 where there is none), and saturates there.

    class Layer:
        letters = ("a", "b")

        def transition(self, token):
            return (-0.2 + 0.8j, -0.25j) if token == "a" else (-0.8 + 0.6j, -0.25 - 0.75j)

`step(state, token)` returns the next state, in whatever arithmetic the layer has; the first is its attribute `start`.

    class Counter:
        letters, start = (1,), 0

        def step(self, state, token):
            return (state + token) % 8

Both are called twice for each token and state, and must give the same twice: what is drawn at random is no automaton.

Only states that words reach from the start are enumerated, so many at most; of a layer with more what is found among
them is said, and that it is not all. The channels of a diagonal layer are classified one by one:
the layer's monoid is a submonoid of the product of theirs that projects onto each, so its groups are trivial, p-groups,
or solvable of some derived length exactly if theirs are.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssmverify.errors import BadInput
from ssmverify.loading import load_file
from ssmverify.tracking.arithmetic.numbers import Fixed, Gaussian, cast_parts, gaussian
from ssmverify.tracking.arithmetic.states import channel, enumerate_states
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import APERIODIC, NON_SOLVABLE, P_GROUPS, SOLVABLE, Certificate, classify

Exact = NDArray[Any]  # of Gaussian numbers
STATES = 10_000


def is_layer(target: str) -> bool:
    """Whether a target names an object in a Python file."""
    file, _, name = target.rpartition(":")
    return file.endswith(".py") and bool(name)


def classify_layer(
    target: str, bits: int = 3, rounding: str = "nearest-even", cap: int = 10**6, states: int = STATES
) -> list[Certificate]:
    """The certificates of a diagonal layer's channels, or the one of another layer.

    bits: of each part of the quantised state, 2 at least. cap: as of `classify`. states: that are enumerated, of each
    automaton; the rest are its state `beyond`. Raises BadInput for a target that is no layer.
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


def load(target: str) -> Any:
    """The object that `file.py:Name` names; an instance, where that is a class."""
    file, _, name = target.rpartition(":")
    module = load_file(Path(file))
    if not hasattr(module, name):
        raise BadInput(f"{file} has no {name}; define it there, or name what it has")
    found = getattr(module, name)
    return _asked(found, target) if isinstance(found, type) else found


def automata(
    layer: Any, name: str, bits: int = 3, rounding: str = "nearest-even", cap: int = STATES
) -> list[Automaton]:
    """The automaton of each channel of a diagonal layer, or the one automaton of another."""
    tokens = _letters(layer, name)
    if hasattr(layer, "step"):
        return [_stepping(layer, tokens, cap, name)]
    if not hasattr(layer, "transition"):
        raise BadInput(f"{name} has neither transition(token) nor step(state, token): give it one of them")
    cast = _grid(bits, rounding, _asked(getattr, name, layer, "scale", 1), name)
    (gates, inputs), again = (
        _affine({letter: _asked(layer.transition, name, token) for letter, token in tokens.items()}, name)
        for _ in range(2)
    )
    _same_twice(all(map(np.array_equal, gates.values(), again[0].values())), "transition", name)
    _same_twice(all(map(np.array_equal, inputs.values(), again[1].values())), "transition", name)
    if any(a.ndim == 2 for a in gates.values()):
        return [_dense(gates, inputs, cast, cap, name)]
    channels = len(next(iter(inputs.values())))
    return [
        channel(
            {letter: (gates[letter][i], inputs[letter][i]) for letter in tokens},
            [gaussian(0)],
            cast,
            name=f"{name}, channel {i}" if channels > 1 else name,
            cap=cap,
        )[0]
        for i in range(channels)
    ]


def _asked(function: Callable[..., Any], name: str, *arguments: Any) -> Any:
    """What the user's function returns; whatever it raises is the user's to mend."""
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        called = f"{getattr(function, '__name__', 'it')}({', '.join(map(repr, arguments))})"
        raise BadInput(f"{name}: {called} raises {type(error).__name__}: {error}") from error


def _same_twice(same: bool, method: str, name: str) -> None:
    """Refuse what is drawn at random, or depends on more than the arguments."""
    if not same:
        raise BadInput(
            f"{name}: {method} gives two things for the same arguments: let it draw nothing and keep nothing"
        )


def _letters(layer: Any, name: str) -> dict[str, Any]:
    """The tokens by their names."""
    try:
        tokens = list(layer.letters)
    except Exception as error:
        what = f"{name} has no letters: give it an attribute letters, the sequence of its tokens ({error})"
        raise BadInput(what) from error
    named = {str(token): token for token in tokens}
    if not tokens or len(named) < len(tokens):
        raise BadInput(f"{name}: letters must be one at least, and differ when printed; given {tokens}")
    return named


def _grid(bits: int, rounding: str, scale: Any, name: str) -> Fixed:
    largest = 2 ** (bits - 1) - 1
    exact = _exactly(scale, f"{name}: scale")
    if largest < 1 or exact.ndim or exact.item().re <= 0 or exact.item().im:
        raise BadInput(f"{name}: quantising needs 2 bits at least and a scale above 0, given {bits} and {scale}")
    return Fixed(-largest, largest, exact.item().re / largest, rounding)


# --------------------------------------------------------------------------------------------- a and b, exactly
def _affine(transitions: dict[str, Any], name: str) -> tuple[dict[str, Exact], dict[str, Exact]]:
    """Gates and inputs of every letter, of one size n: all b (n,), and all a (n,), or all (n, n)."""
    gates: dict[str, Exact] = {}
    inputs: dict[str, Exact] = {}
    for letter, pair in transitions.items():
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise BadInput(f"{name}: transition({letter!r}) must return a pair (a, b), given {type(pair).__name__}")
        gates[letter], inputs[letter] = (
            _exactly(part, f"{name}: {which} of {letter!r}") for which, part in zip("ab", pair, strict=True)
        )
    sizes = {side for part in (*gates.values(), *inputs.values()) for side in part.shape}
    n = sizes.pop() if sizes else 1
    square = {a.ndim for a in gates.values()} == {2}
    if sizes or n == 0 or any(b.ndim > 1 for b in inputs.values()) or any(a.ndim > 1 for a in gates.values()) != square:
        shapes = ", ".join(f"{letter!r}: {gates[letter].shape} and {inputs[letter].shape}" for letter in gates)
        raise BadInput(f"{name}: the a and b of all letters need one size, a (n,) or (n, n) and b (n,); given {shapes}")
    wide = {letter: a if square else np.broadcast_to(a, (n,)) for letter, a in gates.items()}
    return wide, {letter: np.broadcast_to(b, (n,)) for letter, b in inputs.items()}


def _exactly(value: Any, what: str) -> Exact:
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


# ---------------------------------------------------------------------------------------------------- automata
def _dense(gates: dict[str, Exact], inputs: dict[str, Exact], cast: Fixed, cap: int, name: str) -> Automaton:
    """The state is a vector; each part of each entry of A h + b is exact and then rounded."""

    def step(h: tuple[Gaussian, ...], letter: str) -> tuple[Gaussian, ...]:
        return tuple(cast_parts(cast, z) for z in gates[letter] @ np.array(h, dtype=object) + inputs[letter])

    zero = (gaussian(0),) * len(next(iter(inputs.values())))
    return enumerate_states([zero], {letter: letter for letter in gates}, step, cap, name)[0]


def _stepping(layer: Any, tokens: dict[str, Any], cap: int, name: str) -> Automaton:
    """The states are what the layer returns; arrays and tensors are told apart by their values."""
    start = _asked(getattr, name, layer, "start", None)
    if start is None:
        raise BadInput(f"{name} has step but no start: give it an attribute start, its first state")
    held = {_key(start, name): start}

    def step(key: Any, token: Any) -> Any:
        state = _asked(layer.step, name, held[key], token)
        following = _key(state, name)
        if _key(held[key], name) != key:
            raise BadInput(f"{name}: step changes the state that it is given: let it return a new one")
        _same_twice(_key(_asked(layer.step, name, held[key], token), name) == following, "step", name)
        held.setdefault(following, state)
        return following

    return enumerate_states(list(held), tokens, step, cap, name)[0]


def _key(state: Any, name: str) -> Any:
    """The state, or the values in it, as something that can be looked up."""
    plain = state.tolist() if hasattr(state, "tolist") else state
    key = tuple(_key(part, name) for part in plain) if isinstance(plain, list | tuple) else plain
    try:
        hash(key)
    except TypeError:
        raise BadInput(
            f"{name}: a state is a number, a tuple, an array or a tensor, given {type(state).__name__}"
        ) from None
    if key != key:
        raise BadInput(f"{name}: a state is not a number (NaN), which equals no state, itself included")
    return key
