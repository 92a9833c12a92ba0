"""Built-in targets: our backends, and what a user would take instead, each adapted in a few lines.

A builder imports its library when called; ImportError means that it is not installed. An adapter takes a b (B, T, D),
h0 (B, D) and refuses what its library does not do with NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

REAL = ("float32", "float64")
OURS = (*REAL, "complex64", "complex128", "bfloat16", "float16")
Built = Callable[..., Any]


@dataclass(frozen=True)
class Builtin:
    """A target by name. declines: patterns of cases that it documents not to do, each with the reason."""

    build: Callable[[], Built]
    kind: str = "scan"
    order: str = "any"
    dtypes: tuple[str, ...] = REAL
    declines: Mapping[str, str] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------------------ ours
def _ours(backend: str, order: str = "sequential") -> Callable[[], Built]:
    def build() -> Built:
        from numeric.scan import scan

        def ours(a: Tensor, b: Tensor, h0: Tensor | None = None, *, reverse: bool = False) -> tuple[Tensor, Tensor]:
            return scan(a, b, h0, reverse=reverse, order=order, backend=backend, final_state=True)

        return ours

    return build


def _our_matrices(backend: str) -> Callable[[], Built]:
    def build() -> Built:
        from numeric.scan import matrix_scan

        def ours(A: Tensor, B: Tensor, H0: Tensor | None = None) -> Tensor:
            return matrix_scan(A, B, H0, backend=backend)

        return ours

    return build


def _our_delta(backend: str) -> Callable[[], Built]:
    def build() -> Built:
        from numeric.scan import delta_scan

        def ours(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S0: Tensor | None = None) -> Any:
            return delta_scan(q, k, v, beta, S0, backend=backend)

        return ours

    return build


def _our_selective(backend: str) -> Callable[[], Built]:
    def build() -> Built:
        from numeric.scan import selective_scan

        def ours(
            x: Tensor,
            delta: Tensor,
            A: Tensor,
            B: Tensor,
            C: Tensor,
            D: Tensor | None = None,
            h0: Tensor | None = None,
        ) -> Any:
            return selective_scan(x, delta, A, B, C, D, h0=h0, backend=backend)

        return ours

    return build


def _on_triton(build: Callable[[], Built]) -> Callable[[], Built]:
    """The same, where Triton can run: on a GPU, or in its interpreter, which rounds products before it adds them."""

    def checked() -> Built:
        from numeric.scan.diagonal import triton as gpu

        if not (torch.cuda.is_available() or gpu.interpreting()):
            raise ImportError("Triton needs a GPU (--device cuda), or TRITON_INTERPRET=1 and --order loop")
        return build()

    return checked


# ----------------------------------------------------------------------------------------------------------- others
def _torch() -> Built:
    from torch._higher_order_ops import associative_scan

    def combine(x: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return y[0] * x[0], y[0] * x[1] + y[1]

    return lambda a, b: associative_scan(combine, (a, b), dim=1, combine_mode="generic")[1]


def _jax(tree: bool) -> Callable[[], Built]:
    def build() -> Built:
        jax = import_module("jax")
        jax.config.update("jax_enable_x64", True)

        def loop(a: Any, b: Any) -> Any:
            def step(h: Any, ab: Any) -> Any:
                h = ab[0] * h + ab[1]
                return h, h

            start = jax.numpy.zeros(b.shape[:1] + b.shape[2:], b.dtype)
            return jax.lax.scan(step, start, (a.swapaxes(0, 1), b.swapaxes(0, 1)))[1].swapaxes(0, 1)

        def prefix(a: Any, b: Any) -> Any:
            return jax.lax.associative_scan(lambda x, y: (y[0] * x[0], y[0] * x[1] + y[1]), (a, b), axis=1)[1]

        run = jax.jit(prefix if tree else loop)
        function = _through_jax(jax, run)
        return lambda a, b: _Foreign.apply(function, a, b)  # type: ignore[no-untyped-call]

    return build


def _through_jax(jax: Any, run: Callable[[Any, Any], Any]) -> Any:
    """(a, b) -> h and a function from g to (da, db), on tensors."""

    def there(x: Tensor) -> Any:
        return jax.numpy.asarray(x.detach().numpy())

    def back(x: Any) -> Tensor:
        return torch.from_numpy(jax.device_get(x).copy())

    def forward(a: Tensor, b: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor]]]:
        h, pull = jax.vjp(run, there(a), there(b))
        # JAX multiplies a cotangent by the derivative, torch by its conjugate.
        return back(h), lambda g: [back(x).conj() for x in pull(there(g.conj().resolve_conj().contiguous()))]

    return forward


class _Foreign(torch.autograd.Function):
    """A function of another library with its own gradients."""

    @staticmethod
    def forward(ctx: Any, function: Any, a: Tensor, b: Tensor) -> Tensor:
        h, ctx.pull = function(a, b)
        return h  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return None, *ctx.pull(g)


def _mambapy() -> Built:
    pscan = import_module("mambapy.pscan").pscan
    return lambda a, b: pscan(a.unsqueeze(-1), b.unsqueeze(-1)).squeeze(-1)


def _accelerated_scan() -> Built:
    scan = import_module("accelerated_scan.ref").scan
    return lambda a, b: scan(a.mT.contiguous(), b.mT.contiguous()).mT


def _torchlpc() -> Built:
    sample_wise_lpc = import_module("torchlpc").sample_wise_lpc

    def run(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
        batch, length, d = b.shape
        rows = b.mT.reshape(batch * d, length)
        start = None if h0 is None else h0.reshape(-1, 1)
        h: Tensor = sample_wise_lpc(rows, -a.mT.reshape(batch * d, length, 1), start)
        return h.reshape(batch, d, length).mT

    return run


def _scipy() -> Built:
    lfilter = import_module("scipy.signal").lfilter

    def run(a: Tensor, b: Tensor) -> Tensor:
        gate = a.reshape(-1)[:1]
        if a.numel() and not bool((a == gate).all()):
            raise NotImplementedError("lfilter has one gate for all times and channels")
        if b.requires_grad:
            raise NotImplementedError("lfilter has no gradients")
        return torch.from_numpy(lfilter([1.0], [1.0, -gate.item() if gate.numel() else 0.0], b.numpy(), axis=1)).to(
            b.dtype
        )

    return run


_PRODUCTS = {"overflow.gates": "as documented, products of gates may overflow where no state does"}

_SMALL = dict.fromkeys(("sizes.wide", "sizes.large", "sizes.state"), "as documented, matrices go up to n = 32, m = 64")

BUILTIN: dict[str, Builtin] = {
    "ours": Builtin(_ours("auto"), order="sequential", dtypes=OURS),
    "ours:reference": Builtin(_ours("reference"), order="sequential", dtypes=OURS),
    "ours:cpu": Builtin(_ours("cpu"), order="sequential", dtypes=OURS),
    "ours:triton": Builtin(_on_triton(_ours("triton")), order="sequential", dtypes=OURS),
    "ours:chunked": Builtin(_on_triton(_ours("chunked", "any")), dtypes=OURS, declines=_PRODUCTS),
    "ours:associative": Builtin(_ours("associative", "any"), order="tree", dtypes=OURS, declines=_PRODUCTS),
    "ours:matrix": Builtin(_our_matrices("auto"), "matrix", "loop"),
    "ours:matrix-reference": Builtin(_our_matrices("reference"), "matrix", "loop"),
    "ours:matrix-associative": Builtin(_our_matrices("associative"), "matrix", "tree"),
    "ours:matrix-triton": Builtin(_on_triton(_our_matrices("triton")), "matrix", "loop", declines=_SMALL),
    "ours:delta": Builtin(_our_delta("auto"), "delta", "loop"),
    "ours:delta-reference": Builtin(_our_delta("reference"), "delta", "loop"),
    "ours:delta-triton": Builtin(_on_triton(_our_delta("triton")), "delta", "loop"),
    "ours:selective": Builtin(_our_selective("auto"), "selective", "loop"),
    "ours:selective-reference": Builtin(_our_selective("reference"), "selective", "loop"),
    "ours:selective-triton": Builtin(_on_triton(_our_selective("triton")), "selective", "loop"),
    "torch": Builtin(_torch, dtypes=(*REAL, "complex64")),
    "jax": Builtin(_jax(tree=True), dtypes=(*REAL, "complex64")),
    "jax:scan": Builtin(_jax(tree=False), order="loop", dtypes=(*REAL, "complex64")),
    "mambapy": Builtin(_mambapy),
    "accelerated-scan": Builtin(_accelerated_scan),
    "torchlpc": Builtin(_torchlpc, order="loop", dtypes=(*REAL, "complex64", "complex128")),
    "scipy": Builtin(_scipy, order="loop"),
}
