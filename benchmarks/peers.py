"""What a user would take instead: each installed peer as a function from (a, b) to a call that is timed.

    a b (B, T, D) float32 or float64, contiguous

A peer that wants time innermost is given (B, D, T) copies, made outside the timing. A peer that is not installed, or
cannot serve, has no entry. JAX calls wait for their result.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

Call = Callable[[], Any]
TorchScan = Callable[[Tensor, Tensor], Tensor]
Peer = tuple[str, Callable[[Tensor, Tensor], Call]]


def forward(device: str, length: int) -> Iterator[Peer]:
    """The peers that compute the states of so many steps there."""
    if device == "cpu":  # on a GPU each of the millions of steps would be a launch
        yield "torch: loop of addcmul(out=)", _addcmul_loop
    yield "torch: associative_scan (HOP, eager)", lambda a, b: lambda: _hop(a, b)
    for name, given, function in _torch_peers(device, length):
        yield name, lambda a, b, given=given, function=function: _without_gradients(function, given(a), given(b))
    if device == "cpu":
        yield from _jax(training=False)
        yield from _lfilter()


def vehicles() -> Iterator[Peer]:
    """What the kernels might have been written in instead of C."""
    yield from _numba()


def training(device: str, length: int) -> Iterator[Peer]:
    """The peers that compute the states and, from a cotangent of ones, the gradients of a and b."""
    hop = ("torch: associative_scan (HOP, eager)", torch.clone, _hop)
    for name, given, function in [hop, *_torch_peers(device, length)]:
        yield name, lambda a, b, given=given, function=function: _with_gradients(function, given(a), given(b))
    if device == "cpu":
        yield from _jax(training=True)


def _without_gradients(function: TorchScan, a: Tensor, b: Tensor) -> Call:
    return lambda: function(a, b)


def _with_gradients(function: TorchScan, a: Tensor, b: Tensor) -> Call:
    a, b = a.requires_grad_(), b.requires_grad_()
    g = torch.ones_like(function(a, b))
    return lambda: torch.autograd.grad(function(a, b), (a, b), g)


def _addcmul_loop(a: Tensor, b: Tensor) -> Call:
    h = torch.empty_like(b)

    def call() -> None:
        h[:, 0] = b[:, 0]
        for t in range(1, b.shape[1]):
            torch.addcmul(b[:, t], a[:, t], h[:, t - 1], out=h[:, t])

    return call


def _hop(a: Tensor, b: Tensor) -> Tensor:
    from torch._higher_order_ops import associative_scan

    def combine(x: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return y[0] * x[0], y[0] * x[1] + y[1]

    return associative_scan(combine, (a, b), dim=1, combine_mode="generic")[1]


def _torch_peers(device: str, length: int) -> list[tuple[str, Callable[[Tensor], Tensor], TorchScan]]:
    """Name, what makes of (B, T, D) the layout that the peer wants, and the peer."""
    found: list[tuple[str, Callable[[Tensor], Tensor], TorchScan]] = []
    if device == "cuda" and length <= 65536 and length.bit_count() == 1:  # all that its kernel takes
        try:
            from accelerated_scan.warp import scan as warp

            found.append(("accelerated-scan warp (B,D,T)", lambda x: x.mT.contiguous(), warp))
        except ImportError:
            pass
    try:
        from mambapy.pscan import pscan

        found.append(("mambapy pscan", lambda x: x.unsqueeze(-1).clone(), lambda a, b: pscan(a, b)))
    except ImportError:
        pass
    try:
        from accelerated_scan.ref import scan as reference

        found.append(("accelerated-scan ref (B,D,T)", lambda x: x.mT.contiguous(), reference))
    except ImportError:
        pass
    try:
        from torchlpc import sample_wise_lpc

        found.append(
            (
                "torchlpc (B·D,T)",
                lambda x: x.mT.reshape(-1, x.shape[1]).clone(),
                lambda a, b: sample_wise_lpc(b, -a.unsqueeze(-1)),
            )
        )
    except ImportError:
        pass
    return found


def _numba() -> Iterator[Peer]:
    """The vehicle that was weighed against C: one row after the other, fused by LLVM's leave."""
    try:
        import numba
    except ImportError:
        return

    @numba.njit(nogil=True, fastmath={"contract"})
    def rows(a: Any, b: Any, h: Any) -> None:
        for i in range(b.shape[0]):
            for d in range(b.shape[2]):
                h[i, 0, d] = b[i, 0, d]
            for t in range(1, b.shape[1]):
                gate, x, before, after = a[i, t], b[i, t], h[i, t - 1], h[i, t]
                for d in range(b.shape[2]):
                    after[d] = gate[d] * before[d] + x[d]

    def prepare(a: Tensor, b: Tensor) -> Call:
        arrays = a.numpy(), b.numpy(), torch.empty_like(b).numpy()
        return lambda: rows(*arrays)

    yield "numba row loop, warm output", prepare


def _jax(training: bool) -> Iterator[Peer]:
    try:
        import jax
    except ImportError:
        return
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")

    def tree(a: Any, b: Any) -> Any:
        return jax.lax.associative_scan(lambda x, y: (y[0] * x[0], y[0] * x[1] + y[1]), (a, b), axis=1)[1]

    def loop(a: Any, b: Any) -> Any:
        def step(h: Any, ab: Any) -> Any:
            h = ab[0] * h + ab[1]
            return h, h

        gates, inputs = a.swapaxes(0, 1), b.swapaxes(0, 1)
        return jax.lax.scan(step, jax.numpy.zeros_like(inputs[0]), (gates, inputs), unroll=4)[1].swapaxes(0, 1)

    def prepare(function: Any) -> Callable[[Tensor, Tensor], Call]:
        def with_gradients(a: Any, b: Any) -> Any:
            h, pull = jax.vjp(function, a, b)
            return pull(jax.numpy.ones_like(h))

        compiled = jax.jit(with_gradients if training else function)

        def bound(a: Tensor, b: Tensor) -> Call:
            arrays = jax.numpy.asarray(a.numpy()), jax.numpy.asarray(b.numpy())
            return lambda: jax.block_until_ready(compiled(*arrays))

        return bound

    yield "jax.lax.associative_scan", prepare(tree)
    yield "jax.lax.scan, unroll 4", prepare(loop)


def _lfilter() -> Iterator[Peer]:
    try:
        from scipy.signal import lfilter
    except ImportError:
        return

    def prepare(_: Tensor, b: Tensor) -> Call:
        x = b.numpy()
        return lambda: lfilter([1.0], [1.0, -0.9], x, axis=1)

    yield "scipy lfilter (constant gate)", prepare
