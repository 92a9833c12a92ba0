"""Mesa and TTT-linear: what they refuse, their gradients, and what they are at their ends."""

import pytest
import torch

from numeric.attention import linear_attention
from numeric.mesa import mesa
from numeric.scan import delta_scan
from numeric.ttt import ttt_linear
from ssmverify.bounds import bound


def uniform(*shape: int) -> torch.Tensor:
    return 2 * torch.rand(shape, dtype=torch.float64) - 1


def test_wrong_shapes_are_named() -> None:
    q, v, one = uniform(1, 3, 2), uniform(1, 3, 1), torch.tensor(1.0).double()
    with pytest.raises(ValueError, match=r"q and k must be \(B, T, n\)"):
        mesa(q, q[:, :2], v, one)
    with pytest.raises(ValueError, match=r"W0 \(d, n\)"):
        ttt_linear(q, q, v, one, uniform(2, 1), batch=1)
    with pytest.raises(ValueError, match="one token at least"):
        ttt_linear(q, q, v, one, uniform(1, 2), batch=0)
    with pytest.raises(ValueError, match="one number lam > 0"):
        mesa(q, q, v, 0 * one)
    with pytest.raises(ValueError, match="one number lam > 0"):
        mesa(q, q, v, one * float("nan"))
    with pytest.raises(ValueError, match="one number lam > 0"):
        mesa(q, q, v, uniform(2))


def test_no_tokens() -> None:
    q, v, one = uniform(2, 0, 3), uniform(2, 0, 1), torch.tensor(1.0).double()
    y, R, F = mesa(q, q, v, one)
    assert (y.shape, R.shape, F.shape) == ((2, 0, 1), (2, 3, 3), (2, 1, 3))
    assert ttt_linear(q, q, v, one, uniform(1, 3), batch=2)[0].shape == (2, 0, 1)


def test_gradients() -> None:
    q, k, v = (x.requires_grad_() for x in (uniform(2, 3, 2), uniform(2, 3, 2), uniform(2, 3, 1)))
    lam = torch.tensor(0.7).double().requires_grad_()
    assert torch.autograd.gradcheck(mesa, (q, k, v, lam))
    W0 = uniform(1, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda *given: ttt_linear(*given, batch=2), (q, k, v, lam, W0))


def test_the_state_goes_on_where_it_was_left() -> None:
    q, k, v, rate, W0 = uniform(1, 6, 2), uniform(1, 6, 2), uniform(1, 6, 3), uniform(1)[0], uniform(3, 2)
    whole, W = ttt_linear(q, k, v, rate, W0, batch=2)
    first, middle = ttt_linear(q[:, :4], k[:, :4], v[:, :4], rate, W0, batch=2)
    second, last = ttt_linear(q[:, 4:], k[:, 4:], v[:, 4:], rate, middle[0], batch=2)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(last, W)


def test_ttt_is_the_delta_rule_or_linear_attention() -> None:
    q, k, v, rate = uniform(2, 5, 3), uniform(2, 5, 3), uniform(2, 5, 2), torch.tensor(0.5).double()
    start = uniform(2, 3)
    ends = ttt_linear(q, k, v, rate, start, batch=1)
    rule = delta_scan(q, k, v, (2 * rate).expand(2, 5), start.expand(2, 2, 3))
    torch.testing.assert_close(ends, rule)
    attention = ttt_linear(q, k, v, rate, 0 * start, batch=5)[0]
    torch.testing.assert_close(attention, linear_attention(q, k, v))


def test_a_later_token_changes_no_earlier_output() -> None:
    q, k, v, one = uniform(1, 4, 2), uniform(1, 4, 2), uniform(1, 4, 1), torch.tensor(1.0).double()
    clean = mesa(q, k, v, one)[0], ttt_linear(q, k, v, one, uniform(1, 2) * 0, batch=3)[0]
    k[0, 1] += 1
    marred = mesa(q, k, v, one)[0], ttt_linear(q, k, v, one, uniform(1, 2) * 0, batch=3)[0]
    for before, after in zip(clean, marred, strict=True):
        assert torch.equal(before[:, :1], after[:, :1])
        assert (before[:, 1:] != after[:, 1:]).all()


def test_the_mesa_layer_s_bound_is_finite_where_it_is_to_say_something() -> None:
    """For keys and λ up to 1 in float32, at the catalogue's sizes."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = (2 * torch.rand(1, 4, n, generator=generator) - 1 for n in (3, 3, 2))
    assert bound(lambda q, k, v: mesa(q, k, v, torch.tensor(1.0))[0], q, k, v).bound.isfinite().all()
