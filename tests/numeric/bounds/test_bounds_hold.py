"""Try to break the bound of every layer of the catalogue: hypothesis climbs towards the largest error / bound.

And ask that it is tight: `check_layer` finds nothing to say.

Decays near 1, cancellation, subnormals and long sequences come from the layers' own strategies.
"""

from typing import Any

import pytest
import torch
from hypothesis import given, settings, target

from ssmverify.catalogue import catalogue
from ssmverify.checking.layer import check_layer, ratio
from ssmverify.checking.search import Effort
from ssmverify.rows import Layer
from ssmverify.verdict import FELL, Verdict

LAYERS = {layer.name: layer for theorem in catalogue() for layer in theorem.layers}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_no_input_is_found_outside_the_bound(layer: Layer, dtype: torch.dtype) -> None:
    if str(dtype).removeprefix("torch.") not in layer.dtypes:
        pytest.skip(f"{layer.name} does not claim {dtype}")

    @settings(max_examples=60, deadline=None)
    @given(layer.inputs(dtype))
    def climb(inputs: dict[str, Any]) -> None:
        found = ratio(layer, layer.run, inputs)
        assert found is not None, "the output is not finite"
        target(found, label="error / bound")
        assert found <= 1

    climb()


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_the_bound_is_tight(layer: Layer) -> None:
    verdict = Verdict(layer.name, FELL, "-", "-", "")
    check_layer(layer, verdict, Effort(seed=torch.seed() % 2**32))
    assert verdict.problems == []
