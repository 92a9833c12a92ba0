"""Layers that step by themselves: `step(state, token)`, or a torch module's `forward(x, state)`.

`step` returns the next state, in whatever arithmetic the layer has; the first is its `initial()` or `start`.

    class Counter:
        letters, start = (1,), 0

        def step(self, state, token):
            return (state + token) % 8

`forward(x, state)` returns (output, next state), as torch's recurrent modules do; x is `embed(token)`, or the token
itself where there is no `embed`.

    class Net(torch.nn.Module):
        letters = ("a", "b")

        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.RNN(2, 4)

        def initial(self):
            return torch.zeros(1, 4)

        def embed(self, token):
            return torch.eye(2)[[self.letters.index(token)]]

        def forward(self, x, state):
            return self.rnn(x, state)

        def readout(self, state):
            return state[0, 0]

A state is a number, an array or tensor of any shape, or a tuple or list of states: a stack of layers is one. With
`bits` each number in it is rounded to the grid of `models.quantised` after every step and kept in its own type;
without, states are told apart by their values. Each is called twice for a token and state, and must give the same.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from ssmverify.errors import BadInput
from ssmverify.tracking.arithmetic.numbers import Fixed
from ssmverify.tracking.arithmetic.states import enumerate_states
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.limits import Limits
from ssmverify.tracking.models.user_layers import accepts, asked, same_twice, start_of


def automaton(
    layer: Any, tokens: dict[str, Any], name: str, cast: Fixed | None, cap: int, limits: Limits | None = None
) -> Automaton:
    """The automaton of the states that words reach, at most `cap` of them."""
    method, stepped = _stepper(layer, name)
    start = start_of(layer, name)
    if start is None:
        raise BadInput(f"{name} has {method} but no start: give it an attribute start, its first state")
    start = start if cast is None else _rounded(start, cast, name)
    held = {_key(start, name): start}

    def step(key: Any, token: Any) -> Any:
        following = []
        for _ in range(2):
            state = stepped(held[key], token)
            following.append(state if cast is None else _rounded(state, cast, name))
            if _key(held[key], name) != key:
                raise BadInput(f"{name}: {method} changes the state that it is given: let it return a new one")
        found = _key(following[0], name)
        same_twice(_key(following[1], name) == found, method, name)
        held.setdefault(found, following[0])
        return found

    found, keys = enumerate_states(list(held), tokens, step, cap, name, limits)
    accept = accepts(layer, name, [held[key] for key in keys]) if found.beyond is None else None
    return found if accept is None else Automaton(found.letters, found.delta, 0, accept, name, found.beyond)


def _stepper(layer: Any, name: str) -> tuple[str, Callable[[Any, Any], Any]]:
    """The method's name, and a function of state and token."""
    if hasattr(layer, "step"):
        return "step", lambda state, token: asked(layer.step, name, state, token)
    embed = asked(getattr, name, layer, "embed", None)

    def forward(state: Any, token: Any) -> Any:
        import torch

        x = token if embed is None else asked(embed, name, token)
        with torch.no_grad():
            returned = asked(layer.forward, name, x, state)
        if not (isinstance(returned, tuple) and len(returned) == 2):
            raise BadInput(f"{name}: forward(x, state) must return (output, state), given {type(returned).__name__}")
        return returned[1]

    return "forward", forward


def _rounded(state: Any, cast: Fixed, name: str) -> Any:
    """The state on the grid, in its own type: the grid's numbers rounded to that."""
    if isinstance(state, list | tuple):
        return type(state)(_rounded(part, cast, name) for part in state)
    if hasattr(state, "detach"):
        import torch

        numbers = _rounded(state.detach().cpu().numpy(), cast, name)
        return torch.from_numpy(numbers).to(state.dtype)
    try:
        array = np.asarray(state)
        if array.dtype.kind == "c":
            return _rounded(array.real, cast, name) + 1j * _rounded(array.imag, cast, name)
        values = [float(cast(Fraction(x))) for x in array.reshape(-1).tolist()]
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{name}: with --bits a state is finite numbers, given {type(state).__name__}") from None
    found = np.array(values).reshape(array.shape).astype(array.dtype)
    return found if isinstance(state, np.ndarray) else found.item()


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
