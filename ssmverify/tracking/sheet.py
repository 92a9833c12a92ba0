"""What `classify` says of a certificate: lines for a reader, and a record for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import Any

from ssmverify.tracking.automata import witness
from ssmverify.tracking.automata.automaton import Automaton, Word
from ssmverify.tracking.automata.classify import APERIODIC, NON_SOLVABLE, P_GROUPS, SOLVABLE, Certificate, restricted
from ssmverify.tracking.automata.group import order
from ssmverify.tracking.automata.group_witness import GroupWitness
from ssmverify.tracking.needs import Needs

WRONG, UNDECIDED = 1, 3


@dataclass(frozen=True)
class Sheet:
    """A certificate, what its check found wrong, and what a model needs, where that was asked."""

    certificate: Certificate
    problems: tuple[str, ...]
    needs: Needs | None = None

    @property
    def status(self) -> int:
        """The exit status."""
        return WRONG if self.problems else 0 if self.certificate.decided else UNDECIDED

    def record(self, target: str, seconds: float) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        c = self.certificate
        return {
            "target": target,
            "name": c.automaton.name,
            "states": c.automaton.states,
            "more_states": c.automaton.beyond is not None,
            "letters": list(c.automaton.letters),
            "language": c.automaton.accept is not None,
            "verdict": c.verdict if c.decided else None,
            "verdict_so_far": c.verdict,
            "decided_by": c.by,
            "stopped_by": c.stopped,
            "primes": list(c.primes),
            "derived_length": c.derived_length,
            "groups": [_group_record(c.automaton, group) for group in c.groups],
            "monoid": {"elements": len(c.monoid), "complete": c.monoid.complete},
            "finer": {f.name: f.holds for f in c.finer},
            "needs": self.needs and [line.__dict__ for line in self.needs.lines],
            "problems": list(self.problems),
            "seconds": round(seconds, 3),
        }


def _group_record(automaton: Automaton, group: GroupWitness) -> dict[str, Any]:
    return {
        "order": group.order,
        "derived_series": list(group.derived_series),
        "states": list(group.states),
        "words": [automaton.spell(word) for word in group.words],
        "coprime": group.coprime and [automaton.spell(word) for word in group.coprime],
        "jordan": None if group.jordan is None else automaton.spell(group.jordan),
    }


def title(automaton: Automaton) -> str:
    language = automaton.accept is not None and automaton.beyond is None
    kind = "minimal automaton of the language" if language else "automaton"
    return f"{automaton.name}: {kind} with {states(automaton)} and {_count(len(automaton.letters), 'letter')}"


def lines(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """Heads and texts, in the order in which they are read."""
    certificate = sheet.certificate
    automaton = certificate.automaton
    if len(automaton.letters) <= len(ascii_lowercase) and any(len(letter) > 1 for letter in automaton.letters):
        short = tuple(ascii_lowercase[: len(automaton.letters)])
        yield "letters", "; ".join(f"{a} = {_elided(name)}" for a, name in zip(short, automaton.letters, strict=True))
        automaton = replace(automaton, letters=short)
    yield "verdict", found(certificate)
    if certificate.decided:
        yield "means", _meaning(certificate)
        yield "by", certificate.by
    if certificate.finer:
        yield "finer", _finer(certificate)
    for group in certificate.groups[:3]:
        yield "group", _group(automaton, group)
        if group.coprime:
            yield "", _coprime(automaton, group.states, group.coprime)
        if group.jordan is not None:
            yield "", _jordan(automaton, group)
    if len(certificate.groups) > 3:
        rest = ", ".join(_order(group.order) for group in certificate.groups[3:])
        yield "", f"and groups of other kinds, of the orders {rest}"
    if certificate.automaton.beyond is None:
        yield "monoid", _monoid(certificate)
    if checked := "; ".join(sheet.problems) or _checked(certificate):
        yield "checked", checked


def found(certificate: Certificate) -> str:
    if certificate.decided:
        return _verdict(certificate)
    beyond = certificate.automaton.beyond
    within = f"{_count(certificate.sets, 'set')} of states" if beyond is None else f"{beyond:,} states"
    so_far = f"among them {_verdict(certificate)}" if certificate.groups else "no group but the trivial one among them"
    ended = f", where {certificate.stopped} ended it" if beyond is None else ""
    return f"not decided within {within}{ended}; {so_far}"


def _finer(certificate: Certificate) -> str:
    """The classes it is in, those it is not in, and those that were not decided."""
    said = {True: "in", False: "not in", None: "not decided"}
    parts = [
        f"{word}: {', '.join(names)}"
        for holds, word in said.items()
        if (names := [f.name for f in certificate.finer if f.holds is holds])
    ]
    return "; ".join(parts)


def _jordan(automaton: Automaton, group: GroupWitness) -> str:
    n = len(group.states)
    return (
        f"x = {_spell(automaton, group.jordan or ())} has a cycle of a prime length between {n}/2 and {n} - 2, and the "
        f"words lead from each state to each: the alternating group of {n} is there (Jordan 1873)"
    )


def _verdict(certificate: Certificate) -> str:
    if certificate.verdict == APERIODIC:
        return "aperiodic (star-free): it has no group but the trivial one"
    if certificate.verdict == NON_SOLVABLE:
        return NON_SOLVABLE
    length = f"derived length {certificate.derived_length}"
    if certificate.verdict == P_GROUPS:
        return f"only {certificate.primes[0]}-groups, {length}"
    return f"solvable, {length}; the primes of its groups are {', '.join(map(str, certificate.primes))}"


def _meaning(certificate: Certificate) -> str:
    """What the literature draws from the verdict; none of it is proved here, and the line says so."""
    p = certificate.primes[0] if certificate.primes else 0
    complete = "complete" if certificate.automaton.beyond is None else "hard"
    hard = "Barrington 1989" + "; Barrington, Compton, Straubing, Thérien 1992" * (
        certificate.automaton.accept is not None
    )
    return {
        APERIODIC: "in AC0: star-free (Schützenberger 1965) is first-order with < (McNaughton, Papert 1971)",
        P_GROUPS: f"not star-free; in AC0[{p}] (Barrington, Thérien 1988), "
        "strictly below TC0 (Razborov, Smolensky 1987)",
        SOLVABLE: "not star-free; in ACC0, and so in TC0 (Barrington, Thérien 1988)",
    }.get(
        certificate.verdict,
        f"NC1-{complete} ({hard}), so not in TC0 unless TC0 = NC1",
    ) + " [cited]"


def _group(automaton: Automaton, group: GroupWitness) -> str:
    if not group.derived_series:
        return f"of order not computed, {_generated(automaton, group)}"
    series = " > ".join(map(_order, group.derived_series))
    ending = "" if group.solvable else ", which is its own derived group"
    return f"order {_order(group.order)}, derived series {series}{ending}\n{_generated(automaton, group)}"


def _generated(automaton: Automaton, group: GroupWitness) -> str:
    words = ", ".join(_spell(automaton, word) for word in group.words[:6]) + ", ..." * (len(group.words) > 6)
    noun = "words" if len(group.words) > 1 else "word"
    return f"generated on the states {_few(group.states)} by the {noun} {words}"


def _coprime(automaton: Automaton, states: tuple[int, ...], words: tuple[Word, Word]) -> str:
    x, y = words
    orders = [order(restricted(automaton, states, word)) for word in (x, y, x + y)]
    return (
        f"x = {_spell(automaton, x)} has the order {orders[0]}, y = {_spell(automaton, y)} the order {orders[1]}, "
        f"xy the order {orders[2]}: pairwise coprime, which no solvable group allows"
    )


def _monoid(certificate: Certificate) -> str:
    size = len(certificate.monoid)
    if not certificate.monoid.complete:
        ended = f"more than {_count(size, 'element')}, where {certificate.monoid.stopped} ended it"
        return ended + "; the verdict does not rest on them" * certificate.decided
    k = witness.largest_index(certificate.monoid)
    if certificate.groups and k == 1:
        return f"{_count(size, 'element')}, each in a group"
    power = "m" if k == 1 else f"m^{k}"
    powers = f"{power} is in a group" if certificate.groups else f"{power} = m^{k + 1}"
    return f"{_count(size, 'element')}; for each of them, m, {powers}"


def _checked(certificate: Certificate) -> str:
    checked = "the words, by running them" if certificate.groups else ""
    if any(group.order is None or group.order > witness.LARGEST for group in certificate.groups if not group.jordan):
        checked += f"; not checked a second way: the series of groups of more than {witness.LARGEST:,} elements"
    if certificate.verdict == NON_SOLVABLE or not certificate.decided:
        return checked
    if witness.checks_all(certificate):
        others = "that there is no other kind of group, by taking the monoid's elements one by one"
    else:
        others = "not checked a second way: that there is no other kind of group"
    return "; ".join(filter(None, (checked, others)))


def states(automaton: Automaton) -> str:
    return _count(automaton.states, "state") if automaton.beyond is None else f"more than {automaton.beyond:,} states"


def _elided(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _spell(automaton: Automaton, word: Word) -> str:
    return automaton.spell(word[:24]) + f" ... ({len(word)} letters)" * (len(word) > 24)


def _few(states: tuple[int, ...]) -> str:
    return " ".join(map(str, states[:12])) + f" ... ({len(states)})" * (len(states) > 12)


def _order(order: int | None) -> str:
    if order is None:
        return "not computed"
    return str(order) if order < 10**15 else f"about 10^{len(str(order)) - 1}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + "s" * (number != 1)
