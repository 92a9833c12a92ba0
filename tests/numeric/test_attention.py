"""Linear attention and its stacks: what they refuse, gradients, and that nothing was found outside their bounds."""

import pytest
import torch

from numeric.attention import descent_stack, linear_attention, self_attention


def uniform(*shape: int) -> torch.Tensor:
    return 2 * torch.rand(shape, dtype=torch.float64) - 1


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"q and k must be \(B, T, f\)"):
        linear_attention(uniform(1, 3, 2), uniform(1, 3, 1), uniform(1, 3, 2))
    with pytest.raises(ValueError, match=r"x must be \(B, N, f\)"):
        descent_stack(uniform(1, 3, 2), uniform(1, 2, 1), uniform(1, 1, 2), uniform(1, 2), uniform(1))
    with pytest.raises(ValueError, match=r"rates \(K,\)"):
        descent_stack(uniform(1, 3, 2), uniform(1, 3, 1), uniform(1, 1, 2), uniform(1, 2), uniform(1)[0])
    with pytest.raises(ValueError, match=r"weights \(p, p\)"):
        self_attention(uniform(1, 3, 2), uniform(1, 3, 2), uniform(2, 2), uniform(2, 2), uniform(1, 2))


def test_no_steps_and_no_layers() -> None:
    assert linear_attention(uniform(2, 0, 3), uniform(2, 0, 3), uniform(2, 0, 1)).shape == (2, 0, 1)
    q, W0 = uniform(2, 4, 3), uniform(2, 3)
    assert torch.equal(descent_stack(uniform(2, 5, 3), uniform(2, 5, 2), q, W0, uniform(0)), q @ W0.mT)


def test_gradients() -> None:
    attention = [x.requires_grad_() for x in (uniform(1, 3, 2), uniform(1, 3, 2), uniform(1, 3, 1))]
    assert torch.autograd.gradcheck(linear_attention, attention)
    stack = (uniform(1, 2, 2), uniform(1, 2, 1), uniform(1, 2, 2), uniform(1, 2), uniform(2))
    assert torch.autograd.gradcheck(descent_stack, [x.requires_grad_() for x in stack])
