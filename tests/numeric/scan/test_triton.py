"""The Triton backend: its arithmetic in the interpreter, its code for sm_90, and its bits where there is a GPU.

The interpreter rounds products before it adds them and is judged by the bound of that order, (2, 1). What makes the
compiled kernel canonical - one fused multiply-add an element in the registers of one thread - is read off the code that
Triton's own assembler makes, which needs no GPU.
"""

import importlib.util
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from numeric.scan import plan, scan
from tests.numeric.scan.triton_code import compiled, stack_bytes

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: not run")

SHAPES = [(2, 7, 3), (1, 16, 2), (1, 33, 5), (2, 1, 1), (1, 17, 130), (0, 3, 2), (2, 0, 2)]

INTERPRETED = """
import sys, torch
from numeric.scan import plan, scan
from numeric.scan.diagonal import chunked
chunked.CHUNK = 32
problems, results, backend = torch.load(sys.argv[1]), [], sys.argv[3]
launched, device_of = [], torch.cuda.device_of
torch.cuda.device_of = lambda x: launched.append(x) or device_of(x)
for a, b, h0, g, reverse in problems:
    inputs = [x.requires_grad_() for x in (a, b, h0) if x is not None]
    made = plan(*inputs, order="any", backend=backend)
    expected = {"triton": ("separate", 2, 1), "chunked": ("reassociated", 2, 2)}
    assert (made.order, made.p, made.q) == expected[backend]
    h = scan(*inputs, reverse=reverse, order="any", backend=backend)
    results.append([h.detach(), *torch.autograd.grad(h, inputs, g)])
assert launched, "Triton launches on the current GPU, which need not be that of the tensors"
torch.save(results, sys.argv[2])
"""


def problems(shapes: list[tuple[int, int, int]]) -> list[tuple[Any, ...]]:
    """(a, b, h0, g, reverse): random numbers, and complex whole ones, on which nothing rounds."""
    made = []
    for shape in shapes:
        for reverse in (False, True):
            a, b, g = (torch.randn(shape) for _ in range(3))
            made.append((a, b, torch.randn(shape[::2]) if reverse else None, g, reverse))
            turned = [x.mT.contiguous().mT for x in (a, b, g)]  # time innermost
            made.append((turned[0], turned[1], None, turned[2], reverse))
            b, g, h0 = (
                torch.view_as_complex(torch.randint(-3, 4, (*size, 2)).float()) for size in (shape, shape, shape[::2])
            )
            units = torch.tensor([1, -1, 1j, -1j, 0])[torch.randint(0, 5, shape)]
            made.append((units, b, h0 if reverse else None, g, reverse))
    return made


def within(a: list[float], b: list[float], h0: float, got: list[float], p: int, q: int) -> bool:
    """Whether one sequence of float32 states is inside the bound of (p, q), in exact rationals."""
    u, n = Fraction(1, 2**24), p * len(b) + q
    state, big_h, w = Fraction(h0), abs(Fraction(h0)), Fraction(0)
    for gate, x, value in zip(map(Fraction, a), map(Fraction, b), map(Fraction, got), strict=True):
        state, w = gate * state + x, abs(gate) * (w + big_h)
        big_h = abs(gate) * big_h + abs(x)
        if abs(value - state) > u / (1 - n * u) * (p * w + q * big_h):
            return False
    return True


def all_within(a: Tensor, b: Tensor, h0: Tensor | None, h: Tensor, p: int, q: int) -> bool:
    start = torch.zeros(b.shape[::2]) if h0 is None else h0
    return all(
        within(a[i, :, d].tolist(), b[i, :, d].tolist(), float(start[i, d]), h[i, :, d].tolist(), p, q)
        for i in range(b.shape[0])
        for d in range(b.shape[2])
    )


@pytest.mark.parametrize(
    ("backend", "shapes", "q"), [("triton", SHAPES, 1), ("chunked", [(1, 70, 1), (2, 33, 1), (2, 0, 2)], 2)]
)
def test_interpreted_forward_and_backward_are_inside_their_bounds(
    backend: str, shapes: list[tuple[int, int, int]], q: int, tmp_path: Path
) -> None:
    given = problems(shapes)
    torch.save(given, tmp_path / "problems")
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-c", INTERPRETED, str(tmp_path / "problems"), str(tmp_path / "results"), backend]
    subprocess.run(command, env=environment, check=True, cwd=Path(__file__).parents[3])
    for (a, b, h0, g, reverse), (h, da, db, *dh0) in zip(given, torch.load(tmp_path / "results"), strict=True):
        if a.is_complex():
            inputs = [x.clone().requires_grad_() for x in (a, b, h0) if x is not None]
            want = scan(*inputs, reverse=reverse, backend="reference")
            expected = [want.detach(), *torch.autograd.grad(want, inputs, g)]
            assert all(torch.equal(x, y) for x, y in zip((h, da, db, *dh0), expected, strict=True))
            continue
        if reverse:
            a, b, g, h, da, db = (x.flip(1) for x in (a, b, g, h, da, db))
        assert all_within(a, b, h0, h, 2, q)
        following = torch.cat([a[:, 1:], torch.zeros_like(a[:, :1])], 1)
        assert all_within(following.flip(1), g.flip(1), None, db.flip(1), 2, q)
        before = torch.zeros(b.shape[::2]) if h0 is None else h0
        previous = torch.cat([before[:, None], h[:, :-1]], 1) if b.shape[1] else h
        assert torch.equal(da, db * previous), "one rounding of the product of what was computed"
        for gradient in dh0:
            assert torch.equal(gradient, a[:, 0] * db[:, 0] if b.shape[1] else torch.zeros_like(gradient))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("along_time", [False, True])
@pytest.mark.parametrize(("has_h0", "reverse", "chunk"), [(False, False, 0), (True, True, 0), (True, False, 1024)])
@pytest.mark.parametrize("element", ["fp32", "fp64"])
def test_compiled_for_sm_90(
    element: str, has_h0: bool, reverse: bool, chunk: int, along_time: bool, tmp_path: Path
) -> None:
    """The fused multiply-adds of the definition and no other sum, no spills; no exchange of states between threads."""
    from numeric.scan.diagonal import triton_kernels as kernels

    rows = "_rows" if along_time else ""
    forward, backward = ("a b h0 h", kernels.STEPS), ("g a h h0 da db", kernels.STEPS_BACKWARD)
    ends = ("a b gates_out states_out", kernels.STEPS)
    # Fused sums and products for each real number, of which a complex one has two.
    whole = (("backward", backward, 1, 1), ("backward_complex", backward, 3, 1))
    chunks = (("ends", ends, 2, 0), ("ends_complex", ends, 4, 0))
    for kind, (pointers, steps), sums, products in (
        ("forward", forward, 1, 0),
        ("forward_complex", forward, 2, 0),
        *(chunks if chunk else whole),
    ):
        if along_time and kind.endswith("_complex"):
            continue
        kernel = getattr(kernels, f"{kind}{rows}_kernel")
        steps, channels = (kernels.STEPS_ROWS, kernels.ROWS) if along_time else (steps, kernels.CHANNELS)
        unit = {} if along_time else {name: 1 for name in kernel.arg_names if name.endswith("_channel")}
        tile = {"STEPS": steps, "CHANNELS": channels, "STAGES": kernels.STAGES, **unit}
        code = compiled(kernel, pointers, element, {"HAS_H0": has_h0, "REVERSE": reverse, "CHUNK": chunk, **tile})
        ptx, each = code.asm["ptx"], steps * channels // 32
        assert "shfl" not in ptx
        assert len(re.findall(r"\bfma\.rn\.f\d\d", ptx)) == sums * each
        assert len(re.findall(r"\bmul(?:\.rn)?\.f\d\d", ptx)) == products * each
        assert not re.findall(r"\b(?:add|sub)(?:\.rn)?\.f\d\d", ptx)
        assert "cp.async" in ptx
        assert stack_bytes(code, tmp_path / "code") == 0


@needs_gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128])
def test_a_gpu_has_the_bits_of_the_cpu(dtype: torch.dtype) -> None:
    for shape in [*SHAPES, (4, 5000, 300)]:
        for reverse in (False, True):
            a, b, h0 = (torch.randn(size, dtype=dtype) for size in (shape, shape, shape[::2]))
            inputs = [a / a.abs().clamp(min=1), b, h0]
            g, results = torch.randn(shape, dtype=dtype), []
            for device in ("cpu", "cuda", "cuda"):
                here = [x.to(device).requires_grad_() for x in inputs]
                h = scan(*here, reverse=reverse)
                results.append([x.cpu() for x in (h.detach(), *torch.autograd.grad(h, here, g.to(device)))])
            for other in results[1:]:
                assert all(torch.equal(x, y) for x, y in zip(results[0], other, strict=True))


@needs_gpu
def test_chunks_on_a_gpu_are_inside_their_bound_and_always_the_same() -> None:
    a, b, h0 = torch.rand(2, 5000, 3) * 2 - 1, torch.randn(2, 5000, 3), torch.randn(2, 3)
    assert plan(a.cuda(), b.cuda(), h0.cuda(), order="any").backend == "chunked"
    h, *again = (scan(a.cuda(), b.cuda(), h0.cuda(), order="any").cpu() for _ in range(3))
    assert all(torch.equal(h, other) for other in again)
    assert all_within(a, b, h0, h, 1, 2)
