"""Constructed models: the groups' structure behind them, their codes, and how long they last in few bits."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssmverify.theorem import BadInput
from ssmverify.tracking import constructions, named
from ssmverify.tracking.horizon import horizon, sure
from ssmverify.tracking.models import Model
from ssmverify.tracking.solvable import derived_series, solvable


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
    for _ in range(steps):
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
    with pytest.raises(BadInput, match="has 2 layers"):
        horizon(solvable(named.group("S3")), torch.float32, torch.zeros(1, 1, dtype=torch.long))
