"""What an automaton needs of a model: families of layers, how many of them or how large, or that they cannot, and why.

Every answer names what it rests on: a row of the catalogue, or what was built here and checked. "Cannot" stands only
where a row says so. Layers read the layers below late: what these held before the letter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from ssmverify.errors import BadInput
from ssmverify.tracking.automata.automaton import Automaton, Word
from ssmverify.tracking.automata.classify import Certificate, classify
from ssmverify.tracking.automata.group import cycle_lengths, from_permutations
from ssmverify.tracking.automata.limits import Limits, Stopped
from ssmverify.tracking.models.cascades import cascaded
from ssmverify.tracking.models.one_layer import indistinguishable, periods
from ssmverify.tracking.models.stacks import Stack

MOST_ELEMENTS = 5_000  # of a monoid whose periods are looked at
MOST_STATES = 200  # of an automaton for which layers are built
CAYLEY = 400  # elements of a group whose multiplication is tracked
FORMATS = (torch.float32, torch.bfloat16)


NOTE = (
    "exact: nothing is rounded, finitely many states; layers read what those below held before the letter. Rounded "
    "after every step other things hold: tracking.rounded_complex_channel tracks S5."
)


@dataclass(frozen=True)
class Need:
    """One line: a family of layers, what it needs, and what that rests on."""

    family: str
    answer: str
    rests_on: str


@dataclass(frozen=True)
class Needs:
    """What is to be tracked, in words; and a line for each family."""

    tracked: str
    lines: tuple[Need, ...]


def needs(certificate: Certificate, limits: Limits | None = None) -> Needs | None:
    """None where the verdict is open, or there is one state only, so that nothing is to be tracked."""
    limits = limits or Limits()
    if not certificate.decided or certificate.automaton.beyond is not None:
        return None
    given = certificate.automaton
    automaton, tracked, product = _tracked(given)
    if automaton.delta != given.delta and not product:
        certificate = classify(replace(automaton, accept=None), 20_000, limits)
        if not certificate.decided:
            return None
    if automaton.states == 1:
        return None
    stack, why = _built(certificate, automaton, limits)
    one = _one_layer(certificate, automaton, limits)
    lines = [_nonnegative(certificate, stack, why, one), *_diagonal(certificate, stack, why, one), *_firm(certificate)]
    lines += [*_reflections(given), _dense(given if product else automaton, product)]
    lines += _any(certificate, automaton, product)
    return Needs(tracked, tuple(lines))


def _tracked(automaton: Automaton) -> tuple[Automaton, str, bool]:
    """The automaton to track, in words, and whether it is the product of permutations: where there is no language.

    That is a group's multiplication, where the group is small; else its action on the states stands for it.
    """
    everything = list(range(automaton.states))
    if automaton.accept is not None:
        return automaton, "the state of the minimal automaton, which any readout of the language determines", False
    if any(sorted(row) != everything for row in automaton.delta):
        return _reachable(automaton), "the state that words lead to from the start", False
    try:
        group = from_permutations(automaton.delta, automaton.name)
    except BadInput:
        return automaton, "the product of the letters, a permutation of the states", True
    if group.order > CAYLEY:
        return automaton, "the product of the letters, a permutation of the states", True
    return group.cayley(), f"the product of the letters, one of {group.order}", True


def _reachable(automaton: Automaton) -> Automaton:
    states, seen = [automaton.start], {automaton.start}
    for state in states:  # grows while it is read
        new = {row[state] for row in automaton.delta} - seen
        seen |= new
        states.extend(sorted(new))
    place = {state: i for i, state in enumerate(states)}
    rows = tuple(tuple(place[row[state]] for state in states) for row in automaton.delta)
    return Automaton(automaton.letters, rows, 0, None, automaton.name)


def _built(certificate: Certificate, automaton: Automaton, limits: Limits) -> tuple[Stack | None, str]:
    """A stack of diagonal layers, checked; or why there is none."""
    if certificate.derived_length is None:
        return None, ""
    if automaton.states > MOST_STATES:
        return None, f"more than {MOST_STATES} states"
    try:
        stack = cascaded(automaton, limits)
    except BadInput as error:
        return None, str(error)
    except Stopped as error:
        return None, f"{error} ended it"
    if wrong := stack.wrong_step():
        raise AssertionError(f"the compiled layers do not track {automaton.name}: {wrong}")
    return stack, ""


def _one_layer(certificate: Certificate, automaton: Automaton, limits: Limits) -> tuple[str, str] | bool | None:
    """True if one layer tracks it, two words that none tells apart, None where that was not decided."""
    if not certificate.monoid.complete or len(certificate.monoid) > MOST_ELEMENTS:
        return None
    try:
        found = indistinguishable(automaton, periods(certificate.monoid), limits)
    except Stopped:
        return None
    if found is True:
        return None
    if found is False:
        return True
    return _spelled(automaton, found[0]), _spelled(automaton, found[1])


def _spelled(automaton: Automaton, word: Word) -> str:
    spelled = automaton.spell(word)
    return spelled if len(spelled) <= 40 else f"{spelled[:37]}..."


def _nonnegative(certificate: Certificate, stack: Stack | None, why: str, one: tuple[str, str] | bool | None) -> Need:
    family = "diagonal, gates ≥ 0, exact"
    if certificate.groups:
        return Need(family, f"cannot, at any depth: {_group(certificate)}", "tracking.nonnegative_gates")
    if stack is None:
        return Need(family, f"can; no layers built: {why}", "tracking.aperiodic_by_gates_0_1")
    return Need(family, _depth(1, stack, one), _rows("tracking.aperiodic_by_gates_0_1", one))


def _diagonal(
    certificate: Certificate, stack: Stack | None, why: str, one: tuple[str, str] | bool | None
) -> list[Need]:
    family, machine = "diagonal, complex gates, exact", "diagonal, gates floats or dyadic, exact"
    if certificate.derived_length is None:
        no = f"cannot, at any depth: {_group(certificate)}"
        return [Need(family, no, "tracking.diagonal_depth"), Need(machine, no, "tracking.diagonal_depth")]
    least = max(certificate.derived_length, 1)
    if stack is None:
        found = [Need(family, f"{_layers(least)} at least; none built: {why}", "tracking.diagonal_depth")]
    else:
        found = [Need(family, _depth(least, stack, one), _rows("tracking.diagonal_depth", one))]
    odd = [p for p in certificate.primes if p > 2]
    if odd:
        no = f"cannot, at any depth: an element of order {odd[0]} occurs"
        found.append(Need(machine, no, "tracking.machine_gates"))
    return found


def _depth(least: int, stack: Stack, one: tuple[str, str] | bool | None) -> str:
    if one is True:
        least = 1
    elif isinstance(one, tuple):
        least = max(least, 2)
    built = stack.depth
    size = f"{stack.channels} channel{'s' * (stack.channels != 1)} in all"
    if one is True and built > 1:
        return f"1 layer; built: {built} layers, {size}; {_sure(stack)}"
    if least == built:
        return f"least {_layers(built)}, built, {size}; {_sure(stack)}"
    told = f", as one layer does not tell {one[0]} from {one[1]}" if isinstance(one, tuple) and least == 2 else ""
    return f"between {least} and {_layers(built)}{told}; built: {built}, {size}; {_sure(stack)}"


def _layers(n: int) -> str:
    return f"{n} layer{'s' * (n != 1)}"


def _sure(stack: Stack) -> str:
    """How long the built layers are right in floats, by the proven bound."""
    parts = []
    for format in FORMATS:
        steps = stack.sure_steps(format)
        name = str(format).removeprefix("torch.")
        parts.append(
            f"{name} {'no bound' if steps is None else 'for ever' if steps == math.inf else f'{steps:,} steps'}"
        )
    return "sure in " + ", ".join(parts)


def _rows(row: str, one: tuple[str, str] | bool | None) -> str:
    return f"{row}, tracking.one_layer" if one is True or isinstance(one, tuple) else row


def _group(certificate: Certificate) -> str:
    worst = certificate.groups[0]
    if not worst.solvable:
        return "a non-solvable group occurs"
    return f"a group of order {worst.order} occurs"


def _firm(certificate: Certificate) -> list[Need]:
    if not certificate.groups:
        return []
    family = "one layer of DeltaNet (β|k|² ≤ 1), Gated DeltaNet, KDA, exact"
    return [Need(family, f"cannot: {_group(certificate)}", "tracking.firm_letters")]


def _reflections(automaton: Automaton) -> list[Need]:
    """Of permutations: n - cycles reflections a letter, on permutation matrices."""
    n = automaton.states
    if any(sorted(row) != list(range(n)) for row in automaton.delta):
        return []
    most = max(n - len(cycle_lengths(row)) for row in automaton.delta)
    answer = f"1 layer, state of {n}, up to {most} reflections a letter (least on permutation matrices of this size)"
    return [Need("products of reflections (DeltaProduct, β = 2)", answer, "tracking.householder_counts")]


def _dense(automaton: Automaton, product: bool) -> Need:
    n = automaton.states
    if product:
        return Need(
            "permutation matrices (PD-SSM), exact", f"1 layer, state of {n} different entries", "tracking.pd_ssm"
        )
    return Need("column-one-hot matrices (PD-SSM), exact", f"1 layer, state of {n}", "tracking.pd_ssm")


def _any(certificate: Certificate, automaton: Automaton, product: bool) -> list[Need]:
    """Each thing to be told apart needs a state of its own; nothing where their number is not known."""
    many: int | None = automaton.states
    if product:
        whole = [g.order for g in certificate.groups if len(g.states) == certificate.automaton.states]
        many = whole[0] if whole else None
    if many is None:
        return []
    bits = (many - 1).bit_length()
    count = f"{many:,}" if many < 10**9 else f"about 10^{len(str(many)) - 1}"
    return [Need("any model", f"{bits} bit{'s' * (bits != 1)} of state at least, to tell {count} apart", "counting")]
