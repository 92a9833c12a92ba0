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
GRACE = 5.0  # seconds to look at the sets that were found when the time was over
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
    automaton: Automaton,
    cap: int = 10**6,
    limits: Limits | None = None,
    monoid_seconds: float | None = None,
    every_group: bool = False,
) -> Certificate:
    """The certificate of the automaton's transition monoid; where it has accepting states, of its language's.

    cap: elements of the monoid, and sets of states, at which the enumeration stops. limits: a time, or Ctrl-C, at
    which all of it does. monoid_seconds: for the monoid, where the verdict is there without it.
    every_group: look for all kinds of groups, also after one that is not solvable has settled the verdict.
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
        found, sets, by, stopped = _by_groups(automaton, cap, limits, every_group)
    witnesses = found.worst()
    time = limits if monoid_seconds is None or not by else _for_the_monoid(limits, monoid_seconds)
    monoid = transition_monoid(automaton, cap if whole else 1, time)
    if finer and by and not witnesses:
        finer = varieties.implied((*finer, *varieties.by_monoid(monoid)))
    return Certificate(automaton, witnesses, sets, by, stopped, monoid, finer if by and not witnesses else ())


def _for_the_monoid(limits: Limits, seconds: float) -> Limits:
    return limits.within(seconds, f"the {seconds:g} seconds that it gets once the verdict is there")


def _by_groups(automaton: Automaton, cap: int, limits: Limits, every: bool) -> tuple[_Groups, int, str, str]:
    """The groups, how many sets of states were seen, what decided (empty: nothing), and what stopped the sets."""
    found, seen = _Groups(automaton, limits), 0
    try:
        if units := _units(automaton):
            found.add(tuple(range(automaton.states)), units)
            if found.non_solvable and not every:
                return found, 0, "the letters that permute all states", ""
        for some in (*(n for n in FIRST_LOOKS if n < cap and not every), cap):
            sets = image_sets(automaton, some, limits)
            seen = len(sets)
            if limits.stopped:  # what was found till then is still looked at
                found.limits = Limits(GRACE, limits.stopped)
            found.look(sets, every)
            if found.non_solvable or sets.complete or limits.stopped or seen < some:
                break
    except Stopped as why:
        return found, seen, "", str(why)
    stopped = "" if sets.complete else sets.stopped
    if found.non_solvable or (sets.complete and automaton.beyond is None):
        return found, seen, _named(seen, sets.complete), stopped
    return found, seen, "", stopped or "the states that were not enumerated"


def _named(seen: int, complete: bool) -> str:
    """The sets of states that decided, in words."""
    if seen == 1:
        return "the only set of states that words lead to" if complete else "the set of all states"
    return f"{'all' if complete else 'the first'} {seen:,} sets of states that words lead to"


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

    def look(self, sets: Orbit, every: bool) -> None:
        """Adds the groups of the sets, all or until one is not solvable. Raises Stopped where the limits end it."""
        for states, generators in groups(self.automaton, sets):
            self.limits.check()
            self.add(states, generators)
            if self.non_solvable and not every:
                return

    def worst(self) -> tuple[GroupWitness, ...]:
        return tuple(sorted(self.found.values(), key=lambda g: (g.solvable, -g.derived_length, -(g.order or 0))))


def restricted(automaton: Automaton, states: tuple[int, ...], word: Word) -> Permutation:
    """What the word does to a set of states that it permutes, as a permutation of their places."""
    place = {state: i for i, state in enumerate(states)}
    return tuple(place[automaton.run(word, state)] for state in states)
