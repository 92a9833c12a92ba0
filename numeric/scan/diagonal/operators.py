"""The two raw operators beneath `scan`, and the backends they dispatch to.

ssmverify::scan(a, b, h0, reverse, backend) -> h                          all (B, T, D), h0 (B, D)
ssmverify::scan_backward(g, a, h, h0, reverse, backend) -> da, db
"""

from types import ModuleType

from torch import Tensor

from numeric.scan.diagonal import associative, chunked, cpu
from numeric.scan.diagonal import loop as reference
from numeric.scan.diagonal import triton as gpu
from numeric.scan.machine import library
from numeric.scan.machine.layout import new_states

BACKENDS: dict[str, ModuleType] = {
    "reference": reference,
    "associative": associative,
    "cpu": cpu,
    "triton": gpu,
    "chunked": chunked,
}
"""Each has forward(a, b, h0, reverse) -> h and backward(g, a, h, h0, reverse) -> (da, db)."""


def _scan(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool, backend: str) -> Tensor:
    h: Tensor = BACKENDS[backend].forward(a, b, h0, reverse)
    return _laid_out(h, b)


def _scan_backward(
    g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool, backend: str
) -> tuple[Tensor, Tensor]:
    da, db = BACKENDS[backend].backward(g, a, h, h0, reverse)
    return _laid_out(da, h), _laid_out(db, h)


def _laid_out(values: Tensor, x: Tensor) -> Tensor:
    out = new_states(x)
    return values if values.stride() == out.stride() else out.copy_(values)


def _fake_scan(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool, backend: str) -> Tensor:
    return new_states(b)


def _fake_scan_backward(
    g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool, backend: str
) -> tuple[Tensor, Tensor]:
    return new_states(h), new_states(h)


scan = library.define("scan(Tensor a, Tensor b, Tensor? h0, bool reverse, str backend) -> Tensor", _scan, _fake_scan)
scan_backward = library.define(
    "scan_backward(Tensor g, Tensor a, Tensor h, Tensor? h0, bool reverse, str backend) -> (Tensor, Tensor)",
    _scan_backward,
    _fake_scan_backward,
)
