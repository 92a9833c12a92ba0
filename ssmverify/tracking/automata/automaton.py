"""Finite automata: each letter is a transformation of the states 0..n-1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from ssmverify.errors import BadInput

Word = tuple[int, ...]  # indices of letters, in the order in which they are read


@dataclass(frozen=True)
class Automaton:
    """A complete deterministic automaton: `delta[letter][state]` is the next state.

    Words are sequences of letter indices (`word` makes one from the letters' names), read from left to right.
    `accept` is None where no language is meant, only the state itself. `beyond` is None, or the last state where that
    stands for all states that were not enumerated: no letter leads back from it, so a set of the others that words
    permute is one of the whole automaton's too.
    """

    letters: tuple[str, ...]
    delta: tuple[tuple[int, ...], ...]
    start: int = 0
    accept: frozenset[int] | None = None
    name: str = "automaton"
    beyond: int | None = None

    def __post_init__(self) -> None:
        if not self.letters or len(self.letters) != len(self.delta) or not self.delta[0]:
            raise BadInput(
                f"{self.name}: {len(self.letters)} letters and {len(self.delta)} rows of transitions: "
                "give one row for each letter, at least one letter, and at least one state"
            )
        if len(set(self.letters)) != len(self.letters):
            raise BadInput(f"{self.name}: a letter is there twice: letters must differ")
        for letter, row in zip(self.letters, self.delta, strict=True):
            if len(row) != self.states or not all(0 <= state < self.states for state in row):
                raise BadInput(
                    f"{self.name}: the letter {letter!r} must send each of the states 0..{self.states - 1} "
                    "to one of them"
                )
        if not all(0 <= state < self.states for state in chain([self.start], self.accept or ())):
            raise BadInput(f"{self.name}: start and accept must be among the states 0..{self.states - 1}")

    @property
    def states(self) -> int:
        return len(self.delta[0])

    def word(self, text: str | Sequence[str]) -> Word:
        """The letter indices of a word as `spell` writes it, or of a sequence of letters' names."""
        if isinstance(text, str) and any(len(letter) > 1 for letter in self.letters):
            text = text.split(", ")
        names = () if text in ("ε", ["ε"]) else text
        index = {letter: i for i, letter in enumerate(self.letters)}
        for name in names:
            if name not in index:
                raise BadInput(f"{self.name} has no letter {name!r}: its letters are {', '.join(self.letters)}")
        return tuple(index[name] for name in names)

    def spell(self, word: Iterable[int]) -> str:
        """The word's letters, with ", " between if some letter has more than one character; ε if there are none."""
        separator = "" if all(len(letter) == 1 for letter in self.letters) else ", "
        return separator.join(self.letters[i] for i in word) or "ε"

    def run(self, word: Iterable[int], state: int | None = None) -> int:
        """The state after reading the word, from `start` or from `state`."""
        state = self.start if state is None else state
        for letter in word:
            state = self.delta[letter][state]
        return state

    def transformation(self, word: Iterable[int]) -> tuple[int, ...]:
        """What the word does to every state: `delta[last] ∘ ... ∘ delta[first]`."""
        word = tuple(word)
        return tuple(self.run(word, state) for state in range(self.states))

    def accepts(self, word: Iterable[int]) -> bool:
        if self.accept is None:
            raise BadInput(f"{self.name} accepts no language: it has no accepting states, give accept=")
        return self.run(word) in self.accept

    def minimal(self) -> Automaton:
        """The smallest automaton of the same language (Moore's algorithm on the reachable states).

        Its transition monoid is the language's syntactic monoid, so what `classify` says of it is said of the language.
        """
        if self.accept is None:
            raise BadInput(f"{self.name} has no accepting states, so there is no language to keep: give accept=")
        reachable, seen = [self.start], {self.start}
        for state in reachable:  # grows while it is read
            for row in self.delta:
                if row[state] not in seen:
                    seen.add(row[state])
                    reachable.append(row[state])
        block = {state: int(state in self.accept) for state in reachable}
        while True:
            signature = {s: (block[s], *(block[row[s]] for row in self.delta)) for s in reachable}
            numbers = {sign: i for i, sign in enumerate(dict.fromkeys(signature.values()))}
            refined = {s: numbers[signature[s]] for s in reachable}
            if len(numbers) == len(set(block.values())):
                break
            block = refined
        member = {refined[s]: s for s in reversed(reachable)}
        delta = tuple(tuple(refined[row[member[i]]] for i in range(len(member))) for row in self.delta)
        accept = frozenset(i for i, s in member.items() if s in self.accept)
        return Automaton(self.letters, delta, refined[self.start], accept, self.name)
