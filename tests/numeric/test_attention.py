"""Linear attention and its stacks: what they refuse, gradients, and that nothing was found outside their bounds."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings, target

from numeric.attention import descent_stack, linear_attention
from ssmverify.catalogue.attention import attention_layer, stack_layer
from ssmverify.catalogue.delta import layer as delta_layer
from ssmverify.checking import ratio
from ssmverify.theorem import Layer

LAYERS = [attention_layer, stack_layer, delta_layer]


def uniform(*shape: int) -> torch.Tensor:
    return 2 * torch.rand(shape, dtype=torch.float64) - 1


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_input_was_found_outside_the_bound(layer: Layer, dtype: torch.dtype) -> None:
    @settings(max_examples=60, deadline=None)
    @given(layer.inputs(dtype))
    def search(drawn: dict[str, Any]) -> None:
        found = ratio(layer, layer.run, drawn)
        assert found is not None
        target(found, label="error / bound")
        assert found <= 1

    search()


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"q and k must be \(B, T, f\)"):
        linear_attention(uniform(1, 3, 2), uniform(1, 3, 1), uniform(1, 3, 2))
    with pytest.raises(ValueError, match=r"x must be \(B, N, f\)"):
        descent_stack(uniform(1, 3, 2), uniform(1, 2, 1), uniform(1, 1, 2), uniform(1, 2), uniform(1))


def test_no_steps_and_no_layers() -> None:
    assert linear_attention(uniform(2, 0, 3), uniform(2, 0, 3), uniform(2, 0, 1)).shape == (2, 0, 1)
    q, W0 = uniform(2, 4, 3), uniform(2, 3)
    assert torch.equal(descent_stack(uniform(2, 5, 3), uniform(2, 5, 2), q, W0, uniform(0)), q @ W0.mT)


def test_gradients() -> None:
    attention = [x.requires_grad_() for x in (uniform(1, 3, 2), uniform(1, 3, 2), uniform(1, 3, 1))]
    assert torch.autograd.gradcheck(linear_attention, attention)
    stack = (uniform(1, 2, 2), uniform(1, 2, 1), uniform(1, 2, 2), uniform(1, 2), uniform(2))
    assert torch.autograd.gradcheck(descent_stack, [x.requires_grad_() for x in stack])
