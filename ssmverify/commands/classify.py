"""`ssmverify classify`: what an automaton needs of a circuit, with its witnesses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from string import ascii_lowercase
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ssmverify.tracking.automata.automaton import Automaton, Word
    from ssmverify.tracking.automata.classify import Certificate, GroupWitness

WRONG, UNDECIDED = 1, 3


@click.command()
@click.argument("target", metavar="NAME|FILE.json|REGEX|FILE.py:LAYER")
@click.option(
    "--cap",
    type=click.IntRange(1),
    default=10**6,
    show_default=True,
    help="Stop at so many elements or sets of states.",
)
@click.option("--bits", type=click.IntRange(2, 32), help="Of a layer's quantised state; 3 if not given.")
@click.option("--rounding", help="Of a layer's state: nearest-even (if not given), floor, half-away or toward-zero.")
def classify(target: str, cap: int, bits: int | None, rounding: str | None) -> None:
    """Say what tracking an automaton needs: star-free, only p-groups, solvable, or non-solvable.

    Names are Z<m>, S<n>, A<n>, D<n>, Q8, products such as A4xZ5, parity, flip-flop and mod-<k>. A file holds
    permutations, a Cayley table or an automaton; a regular expression, such as "(aa|b)*", stands for its language.
    A layer of yours, my_layer.py:Layer, is quantised after every step, unless it steps by itself; what it needs is in
    `python -c 'help("ssmverify.tracking.models.quantised")'`.

    Exit status 0 with a verdict, 2 if the target cannot be read, 3 if the cap, or 10,000 states of a layer, came first:
    then what was found till there is printed.
    """
    from ssmverify.errors import BadInput
    from ssmverify.tracking.automata.sources import load
    from ssmverify.tracking.models.quantised import is_layer

    if is_layer(target):
        raise click.exceptions.Exit(_print_layer(target, cap, bits or 3, rounding or "nearest-even"))
    if bits or rounding:
        raise BadInput(f"--bits and --rounding are for layers, FILE.py:LAYER, and {target} is none")
    raise click.exceptions.Exit(print_certificate(load(target), cap))


def _print_layer(target: str, cap: int, bits: int, rounding: str) -> int:
    """A line for each channel of a layer, and the certificate of the worst; returns the exit status."""
    from rich.console import Console

    from ssmverify.tracking.automata import witness
    from ssmverify.tracking.automata.classify import NON_SOLVABLE
    from ssmverify.tracking.models.quantised import STATES, classify_layer, verdict

    with Console(stderr=True).status(f"{target}: its states, and their groups"):
        certificates = classify_layer(target, bits, rounding, cap)
    worst = min(certificates, key=lambda c: (c.derived_length is not None, -(c.derived_length or 0)))
    status = _print(worst)
    for certificate in certificates if len(certificates) > 1 else ():
        if problems := witness.problems(certificate):
            status = WRONG
        found = "; ".join(problems) or _found(certificate)
        click.echo(f"{certificate.automaton.name}: {_states(certificate.automaton)}, {found}")
    if len(certificates) > 1:
        together = verdict(certificates)
        if together != NON_SOLVABLE and not all(certificate.decided for certificate in certificates):
            status, together = status or UNDECIDED, f"not decided; so far {together}"
        click.echo(f"the layer, all its channels together: {together}")
    click.echo(
        f"states: those that words reach from the first, {STATES:,} at most; {bits} bits, {rounding}, saturating"
    )
    click.echo("        (those of a layer with step() are what it returns)")
    return status


def print_certificate(automaton: Automaton, cap: int = 10**6) -> int:
    """Classify, check the certificate, print it; returns the exit status."""
    from rich.console import Console

    from ssmverify.tracking.automata.classify import classify as certify

    with Console(stderr=True).status(f"{automaton.name}: its sets of states, groups and monoid"):
        certificate = certify(automaton, cap)
    return _print(certificate)


def _print(certificate: Certificate) -> int:
    from rich.console import Console
    from rich.table import Table

    from ssmverify.tracking.automata import witness

    problems = witness.problems(certificate)
    table = Table.grid(padding=(0, 2))
    for head, text in _lines(certificate):
        table.add_row(head, text)
    if checked := "; ".join(problems) or _checked(certificate):
        table.add_row("checked", checked)
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False, markup=False)
    console.print(_title(certificate.automaton), soft_wrap=True)
    console.print(table)
    return WRONG if problems else 0 if certificate.decided else UNDECIDED


def _title(automaton: Automaton) -> str:
    kind = "minimal automaton of the language" if automaton.accept is not None else "automaton"
    sizes = f"{_states(automaton)} and {_count(len(automaton.letters), 'letter')}"
    return f"{automaton.name}: {kind} with {sizes}"


def _lines(certificate: Certificate) -> Iterator[tuple[str, str]]:
    automaton = certificate.automaton
    if len(automaton.letters) <= len(ascii_lowercase) and any(len(letter) > 1 for letter in automaton.letters):
        short = tuple(ascii_lowercase[: len(automaton.letters)])
        yield "letters", "; ".join(f"{a} = {_elided(name)}" for a, name in zip(short, automaton.letters, strict=True))
        automaton = replace(automaton, letters=short)
    yield "verdict", _found(certificate)
    if certificate.decided:
        yield "means", _meaning(certificate)
    for group in certificate.groups[:3]:
        yield "group", _group(automaton, group)
        if group.coprime:
            yield "", _coprime(automaton, group.states, group.coprime)
    if len(certificate.groups) > 3:
        rest = ", ".join(_order(group.order) for group in certificate.groups[3:])
        yield "", f"and groups of other kinds, of the orders {rest}"
    if certificate.automaton.beyond is None:
        yield "monoid", _monoid(certificate)


def _found(certificate: Certificate) -> str:
    if certificate.decided:
        return _verdict(certificate)
    beyond = certificate.automaton.beyond
    within = f"{certificate.sets:,} sets of states" if beyond is None else f"{beyond:,} states"
    found = f"among them {_verdict(certificate)}" if certificate.groups else "no group but the trivial one among them"
    return f"not decided within {within}; {found}"


def _verdict(certificate: Certificate) -> str:
    from ssmverify.tracking.automata.classify import APERIODIC, NON_SOLVABLE, P_GROUPS

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
    from ssmverify.tracking.automata.classify import APERIODIC, P_GROUPS, SOLVABLE

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
    series = " > ".join(map(_order, group.derived_series))
    ending = "" if group.solvable else ", which is its own derived group"
    words = ", ".join(_spell(automaton, word) for word in group.words[:6]) + ", ..." * (len(group.words) > 6)
    return (
        f"order {_order(group.order)}, derived series {series}{ending}\n"
        f"generated on the states {_few(group.states)} by {'the words' if len(group.words) > 1 else 'the word'} {words}"
    )


def _coprime(automaton: Automaton, states: tuple[int, ...], words: tuple[Word, Word]) -> str:
    from ssmverify.tracking.automata.classify import restricted
    from ssmverify.tracking.automata.group import order

    x, y = words
    orders = [order(restricted(automaton, states, word)) for word in (x, y, x + y)]
    return (
        f"x = {_spell(automaton, x)} has the order {orders[0]}, y = {_spell(automaton, y)} the order {orders[1]}, "
        f"xy the order {orders[2]}: pairwise coprime, which no solvable group allows"
    )


def _monoid(certificate: Certificate) -> str:
    from ssmverify.tracking.automata.witness import largest_index

    size = len(certificate.monoid)
    if not certificate.monoid.complete:
        basis = f"the verdict rests on the sets of states that words lead to, {certificate.sets:,} and no more"
        return (
            f"more than {_count(size, 'element')}, where --cap or memory stopped it"
            + f"; {basis}" * certificate.decided
        )
    k = largest_index(certificate.monoid)
    if certificate.groups and k == 1:
        return f"{_count(size, 'element')}, each in a group"
    power = "m" if k == 1 else f"m^{k}"
    powers = f"{power} is in a group" if certificate.groups else f"{power} = m^{k + 1}"
    return f"{_count(size, 'element')}; for each of them, m, {powers}"


def _checked(certificate: Certificate) -> str:
    from ssmverify.tracking.automata.classify import NON_SOLVABLE
    from ssmverify.tracking.automata.witness import LARGEST

    checked = "the words, by running them" if certificate.groups else ""
    if any(group.order > LARGEST for group in certificate.groups):
        checked += f"; not checked a second way: the series of groups of more than {LARGEST:,} elements"
    if certificate.verdict == NON_SOLVABLE or not certificate.decided:
        return checked
    if certificate.monoid.complete:
        others = "that there is no other kind of group, by taking the monoid's elements one by one"
    else:
        others = "not checked a second way: that there is no other kind of group"
    return "; ".join(filter(None, (checked, others)))


def _states(automaton: Automaton) -> str:
    return _count(automaton.states, "state") if automaton.beyond is None else f"more than {automaton.beyond:,} states"


def _elided(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _spell(automaton: Automaton, word: Word) -> str:
    return automaton.spell(word[:24]) + f" ... ({len(word)} letters)" * (len(word) > 24)


def _few(states: tuple[int, ...]) -> str:
    return " ".join(map(str, states[:12])) + f" ... ({len(states)})" * (len(states) > 12)


def _order(order: int) -> str:
    return str(order) if order < 10**15 else f"about 10^{len(str(order)) - 1}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + "s" * (number != 1)
