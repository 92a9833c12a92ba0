"""What a user's layer has, asked so that whatever goes wrong there is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ssmverify.errors import BadInput
from ssmverify.loading import load_file


def is_layer(target: str) -> bool:
    """Whether a target names an object in a Python file."""
    file, _, name = target.rpartition(":")
    return file.endswith(".py") and bool(name)


@cache
def load(target: str) -> Any:
    """The object that `file.py:Name` names; an instance, where that is a class, the same each time."""
    file, _, name = target.rpartition(":")
    module = load_file(Path(file))
    if not hasattr(module, name):
        raise BadInput(f"{file} has no {name}; define it there, or name what it has")
    found = getattr(module, name)
    return asked(found, target) if isinstance(found, type) else found


def asked(function: Callable[..., Any], name: str, *arguments: Any) -> Any:
    """What the user's function returns; whatever it raises is the user's to mend."""
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        called = f"{getattr(function, '__name__', 'it')}({', '.join(map(_short, arguments))})"
        raise BadInput(f"{name}: {called} raises {type(error).__name__}: {error}") from error


def _short(argument: Any) -> str:
    text = repr(argument)
    return text if len(text) <= 60 else f"{text[:57]}..."


def same_twice(same: bool, method: str, name: str) -> None:
    """Refuse what is drawn at random, or depends on more than the arguments."""
    if not same:
        raise BadInput(
            f"{name}: {method} gives two things for the same arguments: let it draw nothing and keep nothing"
        )


def letters_of(layer: Any, name: str) -> dict[str, Any]:
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


def start_of(layer: Any, name: str) -> Any:
    """The state before the first token, from `initial()` or `start`; None where there is neither."""
    if callable(asked(getattr, name, layer, "initial", None)):
        return asked(layer.initial, name)
    return asked(getattr, name, layer, "start", None)


def accepts(layer: Any, name: str, states: list[Any]) -> frozenset[int] | None:
    """Which of the states `accept(state)` says yes to, or `readout(state)` gives more than 0; None without both."""
    accept = asked(getattr, name, layer, "accept", None)
    readout = asked(getattr, name, layer, "readout", None)
    if accept is not None:
        return frozenset(i for i, state in enumerate(states) if bool(asked(accept, name, state)))
    if readout is not None:
        return frozenset(i for i, state in enumerate(states) if bool(asked(readout, name, state) > 0))
    return None
