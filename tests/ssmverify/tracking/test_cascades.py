"""Layers built for automata: simulated exactly, run in torch, and what `classify` says of them."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ssmverify.errors import BadInput
from ssmverify.tracking.automata import named
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import APERIODIC, classify
from ssmverify.tracking.automata.expressions import from_expression
from ssmverify.tracking.automata.group import from_permutations
from ssmverify.tracking.automata.limits import Limits, Stopped
from ssmverify.tracking.automata.permutation_groups import small_groups
from ssmverify.tracking.automata.sources import load
from ssmverify.tracking.models.cascades import cascaded
from ssmverify.tracking.needs import Needs, needs


def states(automaton: Automaton, words: Tensor) -> Tensor:
    delta, held, found = torch.tensor(automaton.delta), torch.full((len(words),), automaton.start), []
    for letter in words.unbind(1):
        held = delta[letter, held]
        found.append(held)
    return torch.stack(found, dim=1)


def draw(generator: random.Random) -> Automaton:
    """Up to six states and three letters: any maps, maps that keep the order, or ones that move a state or two."""
    n, letters, kind = generator.randint(2, 6), generator.randint(1, 3), generator.randrange(3)
    rows = []
    for _ in range(letters):
        row = [generator.randrange(n) for _ in range(n)]
        if kind == 1:
            row.sort()
        elif kind == 2:
            row = list(range(n))
            row[generator.randrange(n)] = generator.randrange(n)
        rows.append(tuple(row))
    return Automaton(tuple("abc"[:letters]), tuple(rows), generator.randrange(n))


def test_two_hundred_aperiodic_automata_are_tracked_by_gates_0_and_1() -> None:
    """All words of six letters, which begin with all shorter ones, and long random ones, in torch."""
    generator, found = random.Random(11), 0
    while found < 200:
        automaton = draw(generator)
        if classify(automaton, 20_000).verdict != APERIODIC:
            continue
        found += 1
        stack = cascaded(automaton)
        assert stack.wrong_step() == ""
        for layer in stack.layers:
            gates = {g for row in layer.gates for gate in row for g in gate}
            assert gates <= {layer.field.domain.zero, layer.field.domain.one}
        letters = range(len(automaton.letters))
        short = torch.tensor(list(itertools.product(letters, repeat=6)))
        long = torch.tensor([generator.choices(letters, k=300) for _ in range(3)])
        for words in (short, long):
            assert torch.equal(stack.run(words, torch.float32), states(automaton, words))


def test_every_solvable_group_of_order_60_at_most_takes_its_derived_length() -> None:
    """310 groups: built, and each letter in each code right, exactly. The largest are in torch as well."""
    solvable = [g for g in small_groups().values() if g.order > 1 and g.derived_series[-1] == 1]
    assert len(solvable) == 310
    for found in solvable:
        group = from_permutations(found.generators, found.name)
        stack = cascaded(group.cayley())
        assert stack.depth == len(found.derived_series) - 1
        assert len(stack.codes) == found.order
        assert stack.wrong_step() == ""
        if found.order == 48:
            words = torch.randint(len(stack.automaton.letters), (2, 50), generator=torch.Generator().manual_seed(1))
            assert torch.equal(stack.run(words, torch.float64), states(stack.automaton, words))


def test_solvable_automata_that_are_no_groups() -> None:
    generator, found = random.Random(5), 0
    while found < 25:
        automaton = draw(generator)
        certificate = classify(automaton, 20_000)
        if not certificate.groups or certificate.derived_length is None:
            continue
        found += 1
        stack = cascaded(automaton)
        assert stack.wrong_step() == ""
        assert stack.depth >= 1
        words = torch.tensor([generator.choices(range(len(automaton.letters)), k=60) for _ in range(3)])
        assert torch.equal(stack.run(words, torch.float64), states(automaton, words))


def test_a_wrong_code_is_seen() -> None:
    stack = cascaded(from_expression("(ab)*"))
    assert replace(stack, decoded=(*stack.decoded[:-1], stack.decoded[0])).wrong_step() != ""


def test_what_cannot_be_built_is_said() -> None:
    with pytest.raises(BadInput, match="not solvable"):
        cascaded(named.automaton("A5"))
    with pytest.raises(Stopped):
        cascaded(named.automaton("S4"), Limits(0))


def lines(target: str) -> dict[str, str]:
    found = needs(classify(load(target)))
    assert isinstance(found, Needs)
    return {line.family: line.answer for line in found.lines}


@pytest.mark.parametrize("name", ["Z6", "S3", "S4", "Q8", "D4", "A4xZ5", "F20", "SmallGroup(48,29)"])
def test_the_printed_depth_is_the_derived_length(name: str) -> None:
    depth = classify(named.automaton(name)).derived_length
    assert lines(name)["diagonal, complex gates, exact"].startswith(f"least {depth} layer")


def test_cannot_is_said_where_a_row_says_so() -> None:
    """Of each row that is named the catalogue has one."""
    from ssmverify.catalogue import catalogue

    rows = {row.name for row in catalogue()}
    for target in ("S5", "S3", "parity", "(ab)*", "(aa|b)*", "flip-flop", "Z4"):
        found = needs(classify(load(target)))
        assert found is not None
        for line in found.lines:
            assert line.rests_on == "counting" or set(line.rests_on.split(", ")) <= rows
    assert "cannot, at any depth" in lines("S5")["diagonal, complex gates, exact"]
    assert "an element of order 3" in lines("S3")["diagonal, gates floats or dyadic, exact"]
    assert "diagonal, gates floats or dyadic, exact" not in lines("Z4")
    assert "cannot" not in lines("(ab)*")["diagonal, gates ≥ 0, exact"]
    assert "cannot" in lines("parity")["diagonal, gates ≥ 0, exact"]


def test_one_layer_is_excluded_by_two_words() -> None:
    assert "1 layer" in lines("flip-flop")["diagonal, gates ≥ 0, exact"]
    assert lines("(aa|b)*")["diagonal, complex gates, exact"].startswith(
        "between 2 and 3 layers, as one layer does not tell abab from baab"
    )


def test_an_undecided_automaton_has_no_needs() -> None:
    assert needs(classify(load("((aaa)|b)*"), cap=2)) is None
