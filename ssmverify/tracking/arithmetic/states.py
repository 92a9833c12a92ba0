"""The automaton that a rounded layer is: its states are those it can reach, its letters the tokens."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from ssmverify.tracking.arithmetic.evaluators import Step, once
from ssmverify.tracking.arithmetic.numbers import Cast, N
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.limits import Limits

S = TypeVar("S", bound=Hashable)
L = TypeVar("L")


def enumerate_states(
    starts: Iterable[S],
    letters: Mapping[str, L],
    step: Callable[[S, L], S],
    cap: int = 10_000,
    name: str = "layer",
    limits: Limits | None = None,
) -> tuple[Automaton, list[S]]:
    """The automaton of every state that words lead to from the starts, the first of which is its start; and the states.

    Where there are more than `cap` states, or the limits end it, the automaton has one more than are listed: its state
    `beyond`.
    """
    states = list(dict.fromkeys(starts))
    index = {state: i for i, state in enumerate(states)}
    rows: list[list[int]] = [[] for _ in letters]
    for state in states:  # grows while it is read
        stopped = limits is not None and bool(limits.stopped)
        for row, letter in zip(rows, letters.values(), strict=True):
            if stopped:
                row.append(-1)
                continue
            following = step(state, letter)
            if following not in index and len(states) < cap:
                index[following] = len(states)
                states.append(following)
            row.append(index.get(following, -1))
    beyond = len(states) if any(-1 in row for row in rows) else None
    numbered = [[len(states) if target < 0 else target for target in row] for row in rows]
    ends = () if beyond is None else (beyond,)
    return Automaton(tuple(letters), tuple((*row, *ends) for row in numbered), name=name, beyond=beyond), states


def channel(
    letters: Mapping[str, tuple[N, N]],
    starts: Iterable[N],
    cast: Cast,
    step: Step = once,
    name: str = "channel",
    cap: int = 10_000,
) -> tuple[Automaton, list[N]]:
    """One diagonal channel, each letter a pair (a, b), rounded after every step (M2, or M3 with a cast that wraps)."""
    return enumerate_states(starts, letters, lambda h, letter: step(letter[0], h, letter[1], cast), cap, name)
