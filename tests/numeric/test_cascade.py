"""Layers whose gates the token and the layers below choose, and those that track any automaton."""

import pytest
import torch
from torch import Tensor

from numeric import ids4, pd_ssm, rnn_ssm
from numeric.cascade import Layer, cascade, run, trajectories
from numeric.householder import householder_product

PARITY = Layer(
    gates=torch.tensor([[[1.0]], [[-1.0]]]),
    inputs=torch.tensor([[[0.0]], [[1.0]]]),
    start=torch.tensor([0.0]),
    points=torch.tensor([[0.0], [1.0]]),
)


def whole(*shape: int) -> Tensor:
    """Small whole numbers, with which all sums and products here are exact."""
    return torch.randint(-2, 3, shape).double()


def test_parity_of_a_long_word() -> None:
    words = torch.randint(2, (3, 10_000))
    assert torch.equal(cascade(words, [PARITY]), words.cumsum(1) % 2)


def test_the_upper_layer_sees_what_the_lower_held_before() -> None:
    echo = Layer(
        gates=torch.zeros(2, 2, 1),
        inputs=torch.tensor([[[0.0], [1.0]], [[0.0], [1.0]]]),
        start=torch.tensor([0.0]),
        points=torch.tensor([[0.0], [1.0]]),
    )
    words = torch.tensor([[1, 0, 1, 1]])
    lower, upper = trajectories(words, [PARITY, echo])
    assert lower.flatten().tolist() == [1, 1, 0, 1]
    assert upper.flatten().tolist() == [0, 1, 1, 0]
    assert cascade(words, [PARITY, echo]).tolist() == [[2, 3, 1, 2]]


def test_words_of_no_letters() -> None:
    assert cascade(
        torch.zeros(2, 0, dtype=torch.long),
        [PARITY, PARITY._replace(gates=torch.ones(2, 2, 1), inputs=torch.zeros(2, 2, 1))],
    ).shape == (2, 0)


@pytest.mark.parametrize(
    ("tokens", "layers", "message"),
    [
        (torch.zeros(3), [PARITY], "batch, time"),
        (torch.ones(1, 3, dtype=torch.uint8), [PARITY], "given torch.uint8"),
        (torch.tensor([[-1, 0]]), [PARITY], r"letters 0\.\.1, given -1\.\.0"),
        (torch.tensor([[2]]), [PARITY], r"letters 0\.\.1, given 2"),
        (torch.tensor([[1]]), [PARITY, PARITY], "the gates know 1"),
    ],
)
def test_what_does_not_fit_is_said(tokens: Tensor, layers: list[Layer], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cascade(tokens, layers)


def test_a_matrix_layer_is_the_diagonal_one_where_the_matrix_is() -> None:
    gates, inputs, start = whole(2, 5, 3), whole(2, 5, 3), whole(3)
    assert torch.equal(run(gates, inputs, start), run(torch.diag_embed(gates), inputs, start))


def test_the_last_reflection_stands_on_the_left() -> None:
    k, beta = whole(2, 3), whole(2)
    first, second = (torch.eye(3) - b * torch.outer(v, v) for v, b in zip(k, beta, strict=True))
    assert torch.equal(householder_product(k, beta), second @ first)
    with pytest.raises(ValueError, match="need strengths"):
        householder_product(k, torch.ones(3))


def test_ids4_starts_near_the_identity_and_trains() -> None:
    layer = ids4.IDS4(3, 5)
    x = torch.randn(2, 7, 3)
    still = ids4.IDS4(3, 5, noise=0.0)
    assert torch.equal(ids4.transitions(x, still.offset, still.maps), torch.eye(5).expand(2, 7, 5, 5))
    offset = (layer.offset - torch.eye(5)).abs()
    assert bool((offset > 0).any())
    assert bool((offset < 0.01 * 8).all()), "noise of deviation 0.01: beyond eight of them once in 10^15"
    layer(x).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in layer.parameters())
    with pytest.raises(ValueError, match=r"\(batch, time, 3\)"):
        layer(x[..., :2])


def test_ids4_is_the_recurrence_it_says() -> None:
    layer = ids4.IDS4(2, 3, dtype=torch.float64)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.copy_(whole(*weight.shape))
    x, h = whole(1, 4, 2), torch.zeros(3, dtype=torch.float64)
    states, outputs = layer.states(x), layer(x)
    for t in range(4):
        A = layer.offset + sum(x[0, t, i] * layer.maps[i] for i in range(2))
        h = A @ h + layer.write @ x[0, t]
        assert torch.equal(states[0, t], h)
        assert torch.equal(outputs[0, t], layer.read @ h + layer.skip @ x[0, t])


@pytest.mark.parametrize("delta", [[], [[]], [[0, 1], [0]], [[0, 1], [0, 2]], [[0, -1]]])
def test_a_table_that_is_no_automaton_is_said(delta: list[list[int]]) -> None:
    for layer in (ids4, rnn_ssm):
        with pytest.raises(ValueError, match="each state"):
            layer.automaton(delta, 0)
        with pytest.raises(ValueError, match="each state"):
            layer.automaton([[0, 1]], 2)


def test_rnn_ssm_is_the_recurrence_it_says() -> None:
    A, W, start, x = whole(3, 3), whole(3, 2), torch.sign(whole(3)), whole(1, 6, 2)
    found, h = rnn_ssm.rnn_ssm(x, A, W, start), start
    for t in range(6):
        h = torch.sign(A @ h + W @ x[0, t])
        assert torch.equal(found[0, t], h)


def test_rnn_ssm_says_which_shapes_it_needs() -> None:
    w = rnn_ssm.automaton([[1, 0]], 0)
    with pytest.raises(ValueError, match="must be"):
        rnn_ssm.rnn_ssm(torch.zeros(1, 2, 3), w.A, w.W, w.start)
    assert rnn_ssm.rnn_ssm(torch.zeros(2, 0, 1), w.A, w.W, w.start).shape == (2, 0, 3)


def test_pd_products_are_products_of_their_matrices() -> None:
    def dense(target: Tensor, D: Tensor) -> Tensor:
        return torch.zeros(4, 4, dtype=D.dtype).index_put((target, torch.arange(4)), D)

    later, earlier = ((torch.randint(4, (4,)), whole(4)) for _ in range(2))
    assert torch.equal(dense(*pd_ssm.compose(later, earlier)), dense(*later) @ dense(*earlier))


def test_pd_scan_is_the_dense_recurrence() -> None:
    target, D, b = torch.randint(3, (2, 5, 3)), whole(2, 5, 3), whole(2, 5, 3)
    A = torch.zeros(2, 5, 3, 3).double().scatter(-2, target.unsqueeze(-2), D.unsqueeze(-2))
    h0 = torch.tensor([[1.0, -2.0, 3.0], [-1.0, 4.0, 2.0]], dtype=torch.float64)
    assert torch.equal(pd_ssm.pd_scan(target, D, b), run(A, b, torch.zeros(3).double()))
    assert torch.equal(pd_ssm.pd_scan(target, D, b, h0), run(A, b, h0))
    with pytest.raises(ValueError, match="must be one"):
        pd_ssm.pd_scan(target, D, b[:, :4])
    with pytest.raises(ValueError, match=r"h0 must be \(2, 3\)"):
        pd_ssm.pd_scan(target, D, b, torch.zeros(3))
    with pytest.raises(ValueError, match=r"rows 0\.\.2, given 3\.\."):
        pd_ssm.pd_scan(target * 0 + 3, D, b)
