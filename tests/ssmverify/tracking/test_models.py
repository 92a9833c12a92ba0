"""Constructed models: the groups' structure behind them, their codes, and how long they last in few bits."""

import math
from fractions import Fraction
from itertools import product

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ssmverify.cli import main
from ssmverify.errors import BadInput
from ssmverify.experiments.horizon import FORMATS, horizon, sure
from ssmverify.tracking.automata import named
from ssmverify.tracking.models import constructions
from ssmverify.tracking.models.models import Model
from ssmverify.tracking.models.solvable import derived_series, solvable
from ssmverify.tracking.words import states


def wrong(model: Model) -> str:
    pairs = product(range(len(model.automaton.letters)), range(model.automaton.states))
    return next((found for letter, state in pairs if (found := model.wrong_step(letter, state))), "")


@pytest.mark.parametrize(
    ("name", "orders"),
    [
        ("Z6", [6, 1]),
        ("S3", [6, 3, 1]),
        ("A4", [12, 4, 1]),
        ("S4", [24, 12, 4, 1]),
        ("Q8", [8, 2, 1]),
        ("D4", [8, 2, 1]),
        ("A4xZ5", [60, 4, 1]),
    ],
)
def test_solvable_groups_take_as_many_layers_as_their_derived_series_is_long(name: str, orders: list[int]) -> None:
    group = named.group(name)
    assert [len(part) for part in derived_series(group)] == orders
    model = solvable(group)
    assert len(model.layers) == len(orders) - 1
    assert wrong(model) == ""
    assert len(set(model.codes)) == group.order


@given(st.lists(st.sampled_from(["Z2", "Z3", "Z4", "Z6", "S3"]), min_size=1, max_size=3))
def test_products_of_solvable_groups(parts: list[str]) -> None:
    group = named.group("x".join(parts))
    assert wrong(solvable(group, group.generators)) == ""


def test_a5_is_not_solvable() -> None:
    with pytest.raises(BadInput, match="A5 is not solvable: its derived series stops at 60 elements"):
        solvable(named.group("A5"))


@given(st.integers(1, 6), st.data())
def test_a_permutation_is_the_product_of_its_swaps(n: int, data: st.DataObject) -> None:
    permutation = tuple(data.draw(st.permutations(range(n))))
    swaps = constructions.transpositions(permutation)
    found = list(range(n))
    for i, j in swaps:
        found = [j if p == i else i if p == j else p for p in found]
    assert tuple(found) == permutation
    assert len(swaps) <= max(n - 1, 0)


def test_the_rotations_of_the_icosahedron_are_a5() -> None:
    model = constructions.icosahedral()
    assert model.automaton.states == 60
    assert len({tuple(map(str, point)) for point in model.layers[0].points}) == 60
    assert all(len(keys) == 2 for keys in (model.layers[0].keys or [])[1:])
    delta = model.automaton.delta
    orders = sorted(_order(delta, letter) for letter in range(60))
    assert orders == [1] + [2] * 15 + [3] * 20 + [5] * 24  # of the groups of 60 elements only A5 has these


def _order(delta: tuple[tuple[int, ...], ...], letter: int) -> int:
    state, order = delta[letter][0], 1
    while state:
        state, order = delta[letter][state], order + 1
    return order


def test_the_weights_are_the_floats_nearest_to_the_exact_ones() -> None:
    model = constructions.rotation(8)
    (layer,) = model.weights(torch.float64)
    half = math.sqrt(0.5)
    cosine = [1.0, half, 0.0, -half, -1.0, -half, 0.0, half]
    assert layer.points[:, 0].real.tolist() == cosine
    assert layer.points[:, 0].imag.tolist() == cosine[-2:] + cosine[:-2]
    (sixty,) = constructions.rotation(60).weights(torch.float64)
    assert sixty.points[15, 0] == 1j
    assert model.weights(torch.float32)[0].gates.dtype is torch.complex64


def test_every_perturbed_model_fails() -> None:
    for model in (constructions.parity(), constructions.rotation(5), solvable(named.group("S3"))):
        assert wrong(model.perturbed()) != ""


def test_horizons() -> None:
    words = torch.randint(60, (32, 2000), generator=torch.Generator().manual_seed(0))
    model = constructions.rotation(60)
    narrow, wide = horizon(model, torch.bfloat16, words), horizon(model, torch.float32, words)
    assert wide.first_wrong is None
    assert wide.sure is not None
    assert wide.sure > 10**5
    assert narrow.first_wrong is not None
    assert narrow.sure is not None
    assert narrow.first_wrong > narrow.sure


@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_nothing_is_wrong_while_it_is_sure(m: int, seed: int) -> None:
    model = constructions.rotation(m)
    words = torch.randint(m, (8, 60), generator=torch.Generator().manual_seed(seed))
    for format in (torch.bfloat16, torch.float16):
        found = horizon(model, format, words)
        assert found.first_wrong is None or found.sure is None or found.first_wrong > found.sure


@pytest.mark.parametrize("format", [torch.bfloat16, torch.float16])
def test_words_chosen_for_their_error_are_right_while_it_is_sure(format: torch.dtype) -> None:
    """Each letter is the one after which the state is furthest from its code."""
    model = constructions.rotation(12)
    codes = model.wide[0].points[:, 0]
    ar, ai = torch.view_as_real(model.wide[0].gates[:, 0, 0]).to(format).unbind(-1)
    steps = sure(model.layers[0], format)
    assert steps is not None
    h, state, word = torch.tensor([1.0, 0.0]).to(format), 0, []
    for _ in range(int(steps)):
        hr, hi = h
        nexts = torch.stack((ar * hr - ai * hi, ar * hi + ai * hr), -1)
        there = (torch.arange(12) + state) % 12
        letter = int((torch.view_as_complex(nexts.double()) - codes[there]).abs().argmax())
        word.append(letter)
        h, state = nexts[letter], int(there[letter])
    assert horizon(model, format, torch.tensor([word])).first_wrong is None


def test_the_bound_speaks_of_roots_of_unity_alone() -> None:
    assert sure(constructions.parity().layers[0], torch.float32) is None
    assert sure(constructions.icosahedral().layers[0], torch.float32) is None
    assert sure(constructions.cyclic_reflections(5).layers[1], torch.float32) is None
    assert {sure(layer, torch.bfloat16) for layer in solvable(named.group("D4")).layers} == {math.inf}


@given(st.sampled_from(["S3", "A4", "A4xZ5", "Q8"]), st.sampled_from(FORMATS), st.integers(0, 2**32 - 1))
def test_layers_are_right_while_the_ones_below_are_sure(name: str, format: torch.dtype, seed: int) -> None:
    model = solvable(named.group(name))
    words = torch.randint(len(model.automaton.letters), (8, 60), generator=torch.Generator().manual_seed(seed))
    found = horizon(model, format, words)
    assert found.sure == min(sure(layer, format) or 0 for layer in model.layers)
    assert found.first_wrong is None or found.first_wrong > found.sure


def test_a_horizon_in_float64_is_what_the_layers_find() -> None:
    """A weight moved in the last layer, so that there is something wrong to see."""
    model = solvable(named.group("S3")).perturbed(Fraction(3, 2))
    words = torch.randint(6, (16, 30), generator=torch.Generator().manual_seed(0))
    differs = model.run(words, torch.float64).numpy() != states(model.automaton, words.numpy())
    found = horizon(model, torch.float64, words)
    assert found.first_wrong == differs.any(axis=0).argmax() + 1
    assert found.wrong_words == differs.any(axis=1).sum() > 0


@pytest.mark.parametrize("name", ["cascade-S5", "cascade-Z1", "cascade-Z999", "cascade-Foo", "S9", "reflections-0"])
def test_a_model_that_is_not_there_is_one_sentence(name: str) -> None:
    done = CliRunner().invoke(main, ["horizon", name, "--steps", "2"])
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1


def test_the_command_takes_layers() -> None:
    done = CliRunner().invoke(main, ["horizon", "cascade-D4", "reflections-3", "--steps", "5"])
    assert done.exit_code == 0
    assert done.output.count("every") == len(FORMATS)
