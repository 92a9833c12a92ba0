"""Autocast rounds a layer's products to 16 bits; a scan inside it keeps the precision of its inputs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from numeric.scan import delta_scan, matrix_scan, scan, selective_scan

B, T, d, n = 2, 5, 3, 4


def drawn(*shape: int) -> Tensor:
    return 2 * torch.rand(shape) - 1


CALLS: dict[str, Callable[[str], Any]] = {
    "scan": lambda backend: scan(drawn(B, T, d), drawn(B, T, d), backend=backend),
    "matrix": lambda backend: matrix_scan(drawn(B, T, n, n), drawn(B, T, n, d), backend=backend),
    "delta": lambda backend: delta_scan(*(drawn(B, T, x) for x in (n, n, d)), drawn(B, T).abs(), backend=backend),
    "selective": lambda backend: selective_scan(
        drawn(B, T, d), drawn(B, T, d).abs(), -drawn(d, n).abs(), drawn(B, T, n), drawn(B, T, n), backend=backend
    ),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_the_bits_are_those_without_autocast(name: str, backend: str) -> None:
    torch.manual_seed(0)
    plain = CALLS[name](backend)
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = CALLS[name](backend)
    for x, y in zip(plain, cast, strict=True):
        assert torch.equal(x, y)
