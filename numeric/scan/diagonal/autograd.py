"""Gradients of `scan`, of every order, forward mode included.

    h_t = a_t·h_{t-1} + b_t              g, u, v cotangents of h, of da, of db
    λ_t = g_t + conj(a_{t+1})·λ_{t+1}    db = λ, da_t = λ_t·conj(h_{t-1}), dh_0 = conj(a_1)·λ_1

The backward of the backward is a scan in time order again: with G_t = v_t + u_t·h_{t-1},

    μ_t = a_t·μ_{t-1} + G_t,  μ_0 = 0    dg = μ, da_t = λ_t·conj(μ_{t-1}), dh_{t-1} = λ_t·conj(u_t)

so a third and every further order follows from the same two functions. Saved for the backward are a, h and
h_0 alone. No step divides by a gate: h_{t-1} = (h_t - b_t)/a_t would be a rounding disaster at small gates
and wrong at zero.
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from numeric.scan.diagonal import operators

Gradients = tuple[Tensor | None, ...]


def differentiable_scan(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool, backend: str) -> Tensor:
    """The operator ssmverify::scan, differentiable. a b (B, T, D), h0 (B, D) or None."""
    run: Callable[..., Tensor] = operators.scan  # the bookkeeping of a Function costs as much as a short scan
    if torch.compiler.is_compiling():
        run = _Scan.apply  # Dynamo refuses a Function with a jvp of its own, and forward mode needs one
    elif _followed(a, b, h0):
        run = _ScanWithTangent.apply
    return run(a, b, h0, reverse, backend)


class _Scan(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(a: Tensor, b: Tensor, h0: Tensor | None, reverse: bool, backend: str) -> Tensor:
        h: Tensor = operators.scan(a, b, h0, reverse, backend)
        return h

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        a, _, h0, ctx.reverse, ctx.backend = inputs
        ctx.save_for_backward(a, output, h0)
        ctx.save_for_forward(a, output, h0)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Gradients:
        a, h, h0 = ctx.saved_tensors
        if torch.is_grad_enabled() or _forward_mode():
            da, db = _differentiable_backward(g, a, h, h0, ctx.reverse, ctx.backend)
        else:  # nobody asks for a second derivative: spare the call its bookkeeping
            da, db = operators.scan_backward(g, a, h, h0, ctx.reverse, ctx.backend)
        dh0 = None if h0 is None else _first(a, ctx.reverse).conj() * _first(db, ctx.reverse)
        return da, db, dh0, None, None


# Function.apply derives the signature anew at each call, which costs as much as a short scan, unless it is given.
_Scan.forward.__signature__ = inspect.signature(_Scan.forward)  # type: ignore[attr-defined]


class _ScanWithTangent(_Scan):
    @staticmethod
    def jvp(ctx: Any, da: Tensor | None, db: Tensor | None, dh0: Tensor | None, *_: None) -> Tensor:
        a, h, h0 = ctx.saved_tensors
        tangent = torch.zeros_like(h) if db is None else db
        if da is not None:
            tangent = tangent + da * _previous(h, h0, ctx.reverse)
        return differentiable_scan(a, tangent, dh0, ctx.reverse, ctx.backend)


class _ScanBackward(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(
        g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool, backend: str
    ) -> tuple[Tensor, Tensor]:
        da, db = operators.scan_backward(g, a, h, h0, reverse, backend)
        return da, db

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        _, a, h, h0, ctx.reverse, ctx.backend = inputs
        ctx.save_for_backward(a, h, h0, output[1])
        ctx.save_for_forward(a, h, h0, output[1])

    @staticmethod
    def backward(ctx: Any, u: Tensor, v: Tensor) -> Gradients:
        a, h, h0, adjoint = ctx.saved_tensors
        reverse = ctx.reverse
        source = v + u * _previous(h, h0, reverse)
        mu = differentiable_scan(a, source, None, reverse, ctx.backend)
        through_h = adjoint * u.conj()
        dh = _previous(through_h, None, not reverse)
        dh0 = None if h0 is None else _first(through_h, reverse)
        return mu, adjoint * _previous(mu, None, reverse).conj(), dh, dh0, None, None


class _ScanBackwardWithTangent(_ScanBackward):
    @staticmethod
    def jvp(ctx: Any, dg: Tensor | None, da: Tensor | None, dh: Tensor | None, dh0: Tensor | None, *_: None) -> Any:
        a, h, h0, adjoint = ctx.saved_tensors
        reverse = ctx.reverse
        source = torch.zeros_like(h) if dg is None else dg
        if da is not None:
            source = source + _previous(da.conj() * adjoint, None, not reverse)
        da_tangent, db_tangent = _differentiable_backward(source, a, h, h0, reverse, ctx.backend)
        if dh is not None or dh0 is not None:
            dh = torch.zeros_like(h) if dh is None else dh
            da_tangent = da_tangent + adjoint * _previous(dh, dh0, reverse).conj()
        return da_tangent, db_tangent


def _differentiable_backward(
    g: Tensor, a: Tensor, h: Tensor, h0: Tensor | None, reverse: bool, backend: str
) -> tuple[Tensor, Tensor]:
    """The operator ssmverify::scan_backward, differentiable."""
    function = _ScanBackward if torch.compiler.is_compiling() else _ScanBackwardWithTangent
    da, db = function.apply(g, a, h, h0, reverse, backend)  # type: ignore[no-untyped-call]
    return da, db


def _followed(*tensors: Tensor | None) -> bool:
    """Whether anything may ask for derivatives of what is computed from the tensors."""
    recorded = torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in tensors)
    return recorded or _forward_mode() or torch._C._are_functorch_transforms_active()


def _forward_mode() -> bool:
    """Whether tensors may carry tangents, which a raw operator would drop without a word."""
    return forward_ad._current_level >= 0


def _previous(h: Tensor, h0: Tensor | None, reverse: bool) -> Tensor:
    """h_{t-1} at t, with h0 (or zero) at the start; h_{t+1} when the scan runs in reverse."""
    before = torch.zeros_like(h[:, :1]) if h0 is None else h0.unsqueeze(1)
    if h.shape[1] == 0:
        return h
    return torch.cat([h[:, 1:], before] if reverse else [before, h[:, :-1]], 1)


def _first(x: Tensor, reverse: bool) -> Tensor:
    """The step of x (B, T, D) that meets h0; zero when there is none."""
    if x.shape[1] == 0:
        return x.sum(1)
    return x[:, -1] if reverse else x[:, 0]
