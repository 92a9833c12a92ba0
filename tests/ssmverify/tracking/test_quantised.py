"""Quantised layers of a user's: their automata against the layer run by hand, and what is said of bad ones."""

from __future__ import annotations

import random
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from numeric.householder import householder_product
from ssmverify.cli import main
from ssmverify.errors import BadInput
from ssmverify.tracking.arithmetic.states import enumerate_states
from ssmverify.tracking.arithmetic.witnesses import DELTA_RULE, SELECTIVE, matrices
from ssmverify.tracking.automata.automaton import Automaton
from ssmverify.tracking.automata.classify import APERIODIC, NON_SOLVABLE, P_GROUPS, SOLVABLE, classify
from ssmverify.tracking.automata.witness import problems
from ssmverify.tracking.models.quantised import automata, classify_layer, verdict


class Selective:
    """The witness of the catalogue, as a user would write it; its gates as floats, rounded to the nearest."""

    letters = ("a", "b")

    def transition(self, token: str) -> tuple[complex, complex]:
        return (-0.2 + 0.8j, -0.25j) if token == "a" else (-0.8 + 0.6j, -0.25 - 0.75j)


class Trained(torch.nn.Module):
    """Gates in [0, 1], as trained weights are."""

    letters = range(3)

    def __init__(self, low: float = 0.0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.gates = torch.nn.Parameter(low + (1 - low) * torch.rand(3, 5, generator=generator))
        self.inputs = torch.nn.Parameter(torch.randn(3, 5, generator=generator))

    def transition(self, token: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.gates[token], self.inputs[token]


class Dense:
    letters = ("a", "b")

    def transition(self, token: str) -> tuple[torch.Tensor, np.ndarray]:
        k, strength, b = ([1, 2], 0.8, (0.25, -0.75)) if token == "a" else ([1, -1], 0.9, (-0.75, -0.25))
        key = torch.tensor([k], dtype=torch.float64)
        A = householder_product(key / key.norm(), torch.tensor([strength], dtype=torch.float64))
        return A, np.array(b)


class Counter:
    """An own arithmetic: tensors of int8, which wrap."""

    letters = ("1",)
    start = torch.zeros(1, dtype=torch.int8)

    def step(self, state: torch.Tensor, token: str) -> torch.Tensor:
        return state + int(token)


def test_the_witness_is_found_through_a_user_s_layer() -> None:
    (automaton,) = automata(Selective(), "layer", bits=2)
    certificate = classify(automaton, 1000)
    assert certificate.verdict == NON_SOLVABLE
    assert certificate.groups[0].order == 120
    states = SELECTIVE.automaton()[1]
    assert automaton.states <= len(states)


def test_an_automaton_runs_as_the_quantised_layer_does() -> None:
    """Each channel, against floats that hold everything exactly: three bits, and gates cut to multiples of 1/64."""
    layer = Trained(-1.0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_((parameter * 64).round() / 64)
    layer.scale = 3
    found = automata(layer, "layer", bits=3)
    generator = random.Random(1)
    for i, automaton in enumerate(found):
        h, seen, state = 0.0, {automaton.start: 0.0}, automaton.start
        for token in generator.choices(range(3), k=300):
            h = float(np.clip(np.rint(layer.gates[token, i].item() * h + layer.inputs[token, i].item()), -3, 3))
            state = automaton.delta[token][state]
            assert seen.setdefault(state, h) == h
        assert len(set(seen.values())) == len(seen)


def test_trained_gates_in_the_unit_interval_are_aperiodic_and_of_any_sign_make_2_groups() -> None:
    assert {classify(a).verdict for a in automata(Trained(), "layer", bits=4)} == {APERIODIC}
    certificates = [classify(a) for a in automata(Trained(-1.0), "layer", bits=4)]
    assert set().union(*(c.primes for c in certificates)) <= {2}
    assert verdict(certificates) in (APERIODIC, P_GROUPS)


def test_a_dense_layer_is_one_automaton_with_the_groups_of_the_catalogue_s() -> None:
    (automaton,) = automata(Dense(), "layer", bits=2)
    whole = classify(matrices(DELTA_RULE)[0])
    assert classify(automaton).verdict == whole.verdict == P_GROUPS


def test_a_layer_of_its_own_arithmetic() -> None:
    (automaton,) = automata(Counter(), "layer")
    assert automaton.states == 256
    assert automaton.run([0] * 256) == automaton.start


def test_the_channels_together_have_the_groups_of_all() -> None:
    class Rotations:
        """Channel 0 turns by a quarter, channel 1 swaps, channel 2 turns by a third, rounded."""

        letters = ("r",)

        def transition(self, token: str) -> tuple[list[complex], list[complex]]:
            return [1j, -1, complex(-0.5, 3**0.5 / 2)], [1, 1, 1]

    certificates = [classify(a) for a in automata(Rotations(), "layer", bits=4)]
    primes = set().union(*(c.primes for c in certificates))
    assert 2 in primes
    assert verdict(certificates) == (P_GROUPS if primes == {2} else SOLVABLE)


@pytest.mark.parametrize("scale", [Fraction(1, 3), 2, 0.5, torch.tensor(4.0)])
def test_the_scale_is_the_largest_number(scale: Any) -> None:
    class Adder:
        letters = ("+",)

        def transition(self, token: str) -> tuple[int, Any]:
            return 1, Fraction(float(scale)) / 3 if not isinstance(scale, Fraction) else scale / 3

    layer = Adder()
    layer.scale = scale  # type: ignore[attr-defined]
    (automaton,) = automata(layer, "layer", bits=3)
    assert automaton.states == 4  # 0, 1/3, 2/3 and 1 of the scale, where it saturates


def layer_of(transition: Any = None, /, **attributes: Any) -> Any:
    methods = {"transition": lambda self, token: transition} if transition is not None else {}
    return type("Layer", (), {"letters": ("a", "b"), **methods, **attributes})()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layer_of(), "neither transition"),
        (layer_of((1, 1), letters=()), "letters must be one at least"),
        (layer_of((1, 1), letters=("a", "a")), "differ when printed"),
        (type("NoLetters", (), {})(), "has no letters"),
        (layer_of(3), "must return a pair"),
        (layer_of((float("nan"), 1)), "must be finite numbers, .* given nan"),
        (layer_of((1, "x")), "must be finite numbers, .* given 'x'"),
        (layer_of(([1, 2], [1, 2, 3])), "need one size"),
        (layer_of(([[1, 2, 3], [1, 2, 3]], 1)), "need one size"),
        (layer_of(([[1, 2], [1]], 1)), "rows of one length"),
        (layer_of((np.ones((2, 2, 2)), 1)), "need one size"),
        (layer_of((1, 1), scale=-1), "a scale above 0"),
        (layer_of((1, 1), scale=1 + 1j), "a scale above 0"),
        (layer_of((1, 1), scale=property(lambda self: 1 // 0)), "raises ZeroDivisionError"),
        (layer_of((1, 1), letters=property(lambda self: 1 // 0)), "has no letters"),
        (layer_of((torch.ones(1, device="meta"), 1)), "must be finite numbers"),
        (layer_of(step=lambda self, state, token: sys.exit(), start=0), "raises SystemExit"),
        (layer_of(step=lambda self, state, token: state, start=property(lambda self: 1 // 0)), "raises ZeroDivision"),
        (layer_of(step=lambda self, state, token: [state.append(token), state][1], start=[]), "changes the state"),
        (layer_of(step=lambda self, state, token: state), "has step but no start"),
        (layer_of(step=lambda self, state, token: {}, start=0), "given dict"),
        (layer_of(step=lambda self, state, token: float("nan"), start=0), "equals no state"),
        (layer_of(step=lambda self, state, token: 1 // 0, start=0), "raises ZeroDivisionError"),
        (layer_of(step=lambda self, state, token: random.random(), start=0), "step gives two things"),
        (layer_of(transition=lambda self, token: (random.random(), 1)), "transition gives two things"),
        (layer_of(transition=lambda self, token: (1, [0, random.random()])), "transition gives two things"),
    ],
)
def test_what_is_wrong_with_a_layer_is_said(layer: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        automata(layer, "layer")


# --------------------------------------------------------------------------------------------- more states than the cap
class Endless:
    """S5 on the place of one thing, beside a counter without end."""

    letters = ("a", "b", "on")
    start = (0, 0)

    def step(self, state: tuple[int, int], token: str) -> tuple[int, int]:
        place, count = state
        swapped = {0: 1, 1: 0}.get(place, place)
        return {"a": (swapped, count), "b": ((place + 1) % 5, count), "on": (place, count + 1)}[token]


def test_a_group_among_the_first_states_decides() -> None:
    (automaton,) = automata(Endless(), "layer", cap=50)
    certificate = classify(automaton)
    assert automaton.beyond == 50
    assert (certificate.verdict, certificate.decided) == (NON_SOLVABLE, True)
    assert problems(certificate) == []
    assert all(50 not in group.states for group in certificate.groups)


@given(st.data())
def test_groups_among_the_first_states_are_groups_of_the_whole(data: st.DataObject) -> None:
    n, letters = data.draw(st.integers(2, 8)), data.draw(st.integers(1, 3))
    state = st.integers(0, n - 1)
    row = st.permutations(range(n)) | st.lists(state, min_size=n, max_size=n)
    rows = data.draw(st.lists(row, min_size=letters, max_size=letters))
    whole = Automaton(tuple("abc"[:letters]), tuple(map(tuple, rows)))
    part, listed = enumerate_states([0], dict(zip(whole.letters, rows, strict=True)), lambda s, to: to[s], n - 1)
    certificate = classify(part)
    assert (part.beyond is None) == (len(enumerate_states([0], dict(enumerate(rows)), lambda s, to: to[s])[1]) < n)
    assert certificate.decided or part.beyond is not None
    assert set(certificate.primes) <= set(classify(whole).primes)
    for group in certificate.groups:
        for word in group.words:
            ends = [whole.run(word, listed[s]) for s in group.states]
            assert ends == [listed[part.run(word, s)] for s in group.states]
            assert sorted(ends) == sorted(listed[s] for s in group.states)


# ------------------------------------------------------------------------------------------------------ the command
FILE = """
class Selective:
    letters = ("a", "b")

    def transition(self, token):
        return (-0.2 + 0.8j, -0.25j) if token == "a" else (-0.8 + 0.6j, -0.25 - 0.75j)

class Two:
    letters = ("a",)

    def transition(self, token):
        return [-1, 0.5], [1, 0]
"""

UNDECIDED = """
class Layer:
    letters = ("a", "b", "c")

    def transition(self, token):
        return {"a": ([-1, 0.6], [0.3, 0.1]), "b": ([1, 1], [0, 0.2]), "c": ([1, 0.9], [0, -0.4])}[token]
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "my_layer.py"
    path.write_text(FILE)
    return str(path)


def test_the_command_prints_the_certificate(file: str) -> None:
    done = CliRunner().invoke(main, ["classify", f"{file}:Selective", "--bits", "2", "--cap", "1000"])
    assert done.exit_code == 0
    assert "non-solvable" in done.output
    assert "2 bits, nearest-even" in done.output


def test_every_channel_has_its_line(file: str) -> None:
    done = CliRunner().invoke(main, ["classify", f"{file}:Two"])
    assert done.exit_code == 0
    assert "channel 0: 2 states, only 2-groups" in done.output
    assert "channel 1: 1 state, aperiodic" in done.output
    assert "all its channels together: only p-groups" in done.output


def test_channels_beyond_the_cap_leave_the_layer_undecided(tmp_path: Path) -> None:
    """Channel 0 is decided and has the worst groups that are found; channel 1 has more sets of states than the cap."""
    path = tmp_path / "my_layer.py"
    path.write_text(UNDECIDED)
    done = CliRunner().invoke(main, ["classify", f"{path}:Layer", "--bits", "4", "--cap", "30"])
    assert done.exit_code == 3
    lines = {line.partition(": ")[0].rpartition(":")[2]: line for line in done.output.splitlines()}
    assert "not decided" not in lines["Layer, channel 0"]
    assert "not decided within 30 sets" in lines["Layer, channel 1"]
    assert "together: not decided; so far" in done.output


def test_states_beyond_the_cap_are_said(tmp_path: Path) -> None:
    path = tmp_path / "my_layer.py"
    path.write_text("class Up:\n    letters, start = ('a',), 0\n    def step(self, h, x):\n        return h + 1\n")
    done = CliRunner().invoke(main, ["classify", f"{path}:Up"])
    assert done.exit_code == 3
    assert "automaton with more than 10,000 states and 1 letter" in done.output
    assert "not decided within 10,000 states; no group but the trivial one among them" in done.output
    assert "means" not in done.output


def test_rounding_is_an_option(file: str) -> None:
    arguments = [f"{file}:Selective", "--bits", "2", "--cap", "1000", "--rounding", "toward-zero"]
    done = CliRunner().invoke(main, ["classify", *arguments])
    assert "aperiodic" in done.output


@pytest.mark.parametrize(
    ("target", "options", "culprit"),
    [
        ("{file}:Nothing", [], "has no Nothing"),
        ("{file}.py:Layer", [], "there is no file"),
        ("{file}:Selective", ["--rounding", "up"], "'up'"),
        ("S5", ["--bits", "3"], "are for layers"),
    ],
)
def test_a_wrong_target_is_one_sentence(file: str, target: str, options: list[str], culprit: str) -> None:
    done = CliRunner().invoke(main, ["classify", target.format(file=file), *options])
    assert done.exit_code == 2
    assert culprit in done.output
    assert "Traceback" not in done.output


def test_the_certificates_come_back(file: str) -> None:
    certificates = classify_layer(f"{file}:Two")
    assert [c.automaton.name.rpartition(", ")[2] for c in certificates] == ["channel 0", "channel 1"]
