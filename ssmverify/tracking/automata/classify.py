"""What an automaton's transition monoid needs of a circuit, with witnesses that `automata.witness` checks.

The verdict is about the groups inside the monoid, and comes from the first of these that decides:

1. `varieties.by_states`, polynomial tests of classes that hold no group;
2. the group of units: the letters that permute all states;
3. the sets of states that words lead to (`automata.image_sets`), some of them first: a non-solvable group among those
   settles it. So it does not wait for the monoid to be enumerated.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import factorint

from ssmverify.tracking.automata import varieties
from ssmverify.tracking.automata.automaton import Automaton, Word
from ssmverify.tracking.automata.group import Permutation
from ssmverify.tracking.automata.group_witness import GroupWitness, generated
from ssmverify.tracking.automata.image_sets import Generators, groups, image_sets
from ssmverify.tracking.automata.limits import Limits, Stopped
from ssmverify.tracking.automata.monoid import TransitionMonoid, transition_monoid
from ssmverify.tracking.automata.orbit import Orbit
from ssmverify.tracking.automata.varieties import Finer

APERIODIC, P_GROUPS, SOLVABLE, NON_SOLVABLE = "aperiodic", "only p-groups", "solvable", "non-solvable"
FIRST_LOOKS = (300, 3_000, 30_000)  # sets of states, at which the groups among them are looked at


@dataclass(frozen=True)
class Certificate:
    """The verdict on an automaton. `groups` has one witness for each kind of group that is there, the worst first.

    `by` says what decided it, in words; empty where nothing did: the states were not all enumerated, or the sets of
    states stopped early, and those seen hold no non-solvable group. The verdict is then that of the groups found.
    `sets` is how many were seen, and `stopped` what ended them.
    """

    automaton: Automaton
    groups: tuple[GroupWitness, ...]
    sets: int
    by: str
    stopped: str
    monoid: TransitionMonoid  # as far as it was enumerated
    finer: tuple[Finer, ...] = ()

    @property
    def decided(self) -> bool:
        return bool(self.by)

    @property
    def primes(self) -> tuple[int, ...]:
        """The primes that divide the order of some group, of those whose order is known."""
        return tuple(sorted({p for g in self.groups for p in factorint(g.order or 1)}))

    @property
    def derived_length(self) -> int | None:
        """Of the groups, the greatest; 0 if there are none, None if one is not solvable."""
        return max((g.derived_length for g in self.groups), default=0) if all(g.solvable for g in self.groups) else None

    @property
    def verdict(self) -> str:
        if not self.groups:
            return APERIODIC
        if self.derived_length is None:
            return NON_SOLVABLE
        return P_GROUPS if len(self.primes) == 1 else SOLVABLE


def classify(
    automaton: Automaton, cap: int = 10**6, limits: Limits | None = None, monoid_seconds: float | None = None
) -> Certificate:
    """The certificate of the automaton's transition monoid; where it has accepting states, of its language's.

    cap: elements of the monoid, and sets of states, at which the enumeration stops. limits: a time, or Ctrl-C, at
    which all of it does. monoid_seconds: for the monoid, where the verdict is there without it.
    """
    limits = limits or Limits()
    if automaton.accept is not None and automaton.beyond is None:
        automaton = automaton.minimal()
    whole = automaton.beyond is None
    finer = varieties.by_states(automaton) if whole else ()
    holding = next((f.name for f in finer if f.holds), "")
    if holding:
        found, sets, by, stopped = _Groups(automaton, limits), 0, f"the states alone: {holding}", ""
    else:
        found, sets, by, stopped = _by_groups(automaton, cap, limits)
    witnesses = found.worst()
    time = limits if monoid_seconds is None or not by else _for_the_monoid(limits, monoid_seconds)
    monoid = transition_monoid(automaton, cap if whole else 1, time)
    if finer and by and not witnesses:
        finer = varieties.implied((*finer, *varieties.by_monoid(monoid)))
    return Certificate(automaton, witnesses, sets, by, stopped, monoid, finer if by and not witnesses else ())


def _for_the_monoid(limits: Limits, seconds: float) -> Limits:
    return limits.within(seconds, f"the {seconds:g} seconds that it gets once the verdict is there")


def _by_groups(automaton: Automaton, cap: int, limits: Limits) -> tuple[_Groups, int, str, str]:
    """The groups, how many sets of states were seen, what decided (empty: nothing), and what stopped the sets."""
    found = _Groups(automaton, limits)
    try:
        if units := _units(automaton):
            found.add(tuple(s for s in range(automaton.states) if s != automaton.beyond), units)
            if found.non_solvable:
                return found, 0, "the letters that permute all states", ""
        for some in (*(n for n in FIRST_LOOKS if n < cap), cap):
            sets = image_sets(automaton, some, limits)
            if sets.complete or some == cap or limits.stopped or sets.stopped.startswith("memory"):
                break
            if _look(found, automaton, sets, limits):
                return found, len(sets), f"a group among the first {len(sets):,} sets of states that words lead to", ""
        stopped = "" if sets.complete else sets.stopped
        if _look(found, automaton, sets, limits) or (sets.complete and automaton.beyond is None):
            which = "the first" if not sets.complete else "all" if len(sets) > 1 else "the only"
            noun = f"{len(sets):,} sets" if len(sets) > 1 else "set"
            return found, len(sets), f"{which} {noun} of states that words lead to", stopped
        return found, len(sets), "", stopped or "the states that were not enumerated"
    except Stopped as why:
        return found, 0, "", str(why)


def _look(found: _Groups, automaton: Automaton, sets: Orbit, limits: Limits) -> bool:
    """Adds the groups of the sets, until one is not solvable; whether one is."""
    for states, generators in groups(automaton, sets):
        if not limits.interrupted:
            found.add(states, generators)
        if found.non_solvable:
            return True
    return False


def _units(automaton: Automaton) -> Generators:
    """The letters that permute all states, but the identity."""
    everything = tuple(range(automaton.states))
    if automaton.beyond is not None:
        return {}
    permuting: Generators = {row: (i,) for i, row in enumerate(automaton.delta) if tuple(sorted(row)) == everything}
    permuting.pop(everything, None)
    return permuting


class _Groups:
    """One witness for each kind of group, by its derived series."""

    def __init__(self, automaton: Automaton, limits: Limits):
        self.automaton, self.limits = automaton, limits
        self.found: dict[tuple[int, ...], GroupWitness] = {}
        self.seen: set[frozenset[Permutation]] = set()

    @property
    def non_solvable(self) -> bool:
        return any(not witness.solvable for witness in self.found.values())

    def add(self, states: tuple[int, ...], generators: Generators) -> None:
        """Raises Stopped where the limits end it."""
        if (key := frozenset(generators)) not in self.seen:
            for witness in generated(states, generators, self.limits):
                self.found.setdefault(witness.derived_series, witness)
            self.seen.add(key)

    def worst(self) -> tuple[GroupWitness, ...]:
        return tuple(sorted(self.found.values(), key=lambda g: (g.solvable, -g.derived_length, -(g.order or 0))))


def restricted(automaton: Automaton, states: tuple[int, ...], word: Word) -> Permutation:
    """What the word does to a set of states that it permutes, as a permutation of their places."""
    place = {state: i for i, state in enumerate(states)}
    return tuple(place[automaton.run(word, state)] for state in states)
