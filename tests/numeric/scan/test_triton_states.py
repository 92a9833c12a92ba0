"""Triton's kernels for the delta rule, S6 and matrices: in its interpreter, their code for sm_90, and on a GPU.

Small whole numbers are exact in every order of summation, so there each value and gradient equals the loop's.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.numeric.scan.triton_code import compiled, stack_bytes

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: not run")

CHECK = """
import sys, torch
from numeric.scan import delta_scan, matrix_scan, selective_scan

device, generator = sys.argv[1], torch.Generator().manual_seed(int(sys.argv[2]))
launched, device_of = [], torch.cuda.device_of
torch.cuda.device_of = lambda x: launched.append(x) or device_of(x)

def whole(*shape, low=-1, every=1):
    x = torch.randint(low, 2, shape, generator=generator).double().to(device)
    kept = (torch.arange(shape[1], device=device) % every == 0).reshape(1, -1, *[1] * (len(shape) - 2))
    return (x * kept).requires_grad_()

def everything(run, inputs, cotangents, backend):
    values = run(*inputs, backend=backend)
    values = values if isinstance(values, tuple) else (values,)
    gradients = torch.autograd.grad(values, inputs, cotangents, allow_unused=True, materialize_grads=True)
    return [*values, *gradients]

def equal(run, inputs, *shapes):
    cotangents = [whole(*shape).detach() for shape in shapes]
    fused, loop = (everything(run, inputs, cotangents, backend) for backend in ("triton", "reference"))
    assert all(torch.equal(x, y) for x, y in zip(fused, loop, strict=True)), run

def states(*inputs, backend):
    with torch.no_grad():
        return delta_scan(*inputs, states=True, backend=backend)

def s6(x, delta, A, B, C, h0, backend):
    return selective_scan(x, delta, A, B, C, h0=h0, backend=backend)

for batch, length, n, d in ((2, 3, 3, 5), (1, 33, 2, 17), (1, 4, 1, 1), (2, 0, 2, 3)):
    wide, narrow, state = (batch, length, n), (batch, length, d), (batch, d, n)
    delta_rule = [whole(*wide), whole(*wide, every=7), whole(*narrow), whole(batch, length, low=0), whole(*state)]
    equal(delta_scan, delta_rule, narrow, state)
    every = [states(*delta_rule, backend=backend) for backend in ("triton", "reference")]
    assert all(torch.equal(x, y) for x, y in zip(*every, strict=True))
    rates = torch.zeros(d, n, dtype=torch.float64, device=device).requires_grad_()  # so every gate is 1
    steps = whole(*narrow, low=0)
    equal(s6, [whole(*narrow), steps, rates, whole(*wide), whole(*wide), whole(*state)], narrow, state)
    gates = whole(batch, length, n, n, low=0, every=5)
    equal(matrix_scan, [gates, whole(batch, length, n, d), whole(batch, n, d)], (batch, length, n, d))

infinite = torch.tensor([1, torch.inf, 1, 1], dtype=torch.float64, device=device).reshape(1, 4, 1)
for n in (2, 3):  # 3 columns stand in a tile of 4: what pads it must not make NaN of an infinity
    one = torch.ones(1, 4, n, dtype=torch.float64, device=device)
    gates, inputs = one.unsqueeze(-1).expand(-1, -1, -1, n), infinite.unsqueeze(-1).expand(-1, -1, n, 1)
    for backend in ("triton", "reference"):
        assert bool((matrix_scan(gates, inputs, backend=backend)[:, 1:] == torch.inf).all()), backend
        y, _ = delta_scan(one, one, infinite, one[..., 0] / 2, backend=backend)
        assert y[0, 1] == torch.inf, backend
        y, _ = s6(one[..., :1], infinite, -one[0, :1], one, one, None, backend)
        assert bool((y[0, 1:] == torch.inf).all()), backend

shapes = (1, 3, 2), (1, 3, 2), (2, 2), (1, 3, 2), (1, 3, 2), (1, 2, 2)
x = [torch.rand(shape, dtype=torch.float64, generator=generator).to(device).requires_grad_() for shape in shapes]
assert torch.autograd.gradcheck(lambda *x: s6(*x, "triton"), x)
assert launched, "Triton launches on the current GPU, which need not be that of the tensors"
print("equal")
"""


def test_interpreted_kernels_equal_the_loop() -> None:
    run_check("cpu", {**os.environ, "TRITON_INTERPRET": "1"})


@needs_gpu
def test_on_a_gpu_they_equal_the_loop() -> None:
    run_check("cuda", dict(os.environ))


def run_check(device: str, environment: dict[str, str]) -> None:
    seed = torch.randint(2**31, ()).item()
    command = [sys.executable, "-c", CHECK, device, str(seed)]
    done = subprocess.run(command, env=environment, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert done.stdout.endswith("equal\n"), f"seed {seed}: {done.stderr}"


def test_both_devices_keep_the_same_states() -> None:
    from numeric.scan.delta import cpu as delta_cpu
    from numeric.scan.machine import triton_states
    from numeric.scan.selective import cpu as selective_cpu

    assert triton_states.CHUNK == delta_cpu.CHUNK == selective_cpu.CHUNK


KERNELS = {
    "delta_forward": ("q k v r S0 y S_T kept S", {"KEEP": True, "STATES": False, "N": 16}),
    "delta_backward": ("gy gS q k v r kept dq dk dv dr dS0 scratch", {"N": 16}),
    "selective_forward": ("x delta A B C h0 y h_T kept", {"KEEP": True, "N": 16}),
    "selective_backward": ("gy gh x delta A B C kept dx ddelta dA dB dC dh0 scratch", {"N": 16}),
    "matrix_forward": ("A B H0 H", {"HAS_H0": True, "REVERSE": False, "COLUMNS": 4, "N": 16}),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("element", ["fp32", "fp64"])
def test_compiled_for_sm_90(name: str, element: str, tmp_path: Path) -> None:
    """No atomics, so every run has the same bits; and the state stays in registers."""
    from numeric.scan.machine import triton_states as kernels

    pointers, fixed = KERNELS[name]
    tile: dict[str, Any] = {"CHUNK": kernels.CHUNK, "CHANNELS": kernels.CHANNELS, **fixed}
    code = compiled(getattr(kernels, f"{name}_kernel"), pointers, element, tile)
    assert not re.findall(r"\b(?:atom|red)\.", code.asm["ptx"])
    assert stack_bytes(code, tmp_path / "code") == 0
