"""The suite is checked: each fake has one real bug of a published kernel, or a classic one, and its case must tell.

Where a wrong value is possible the case must show it: a message with "error / bound", not an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from numeric.scan import matrix_scan, scan
from ssmverify.conformance import Report, conform

BY_VALUE = "error / bound"


def right(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """The loop: what the fakes are before they are broken."""
    h = torch.zeros_like(b[:, 0]) if h0 is None and b.shape[1] else h0
    states = []
    for t in range(b.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return torch.stack(states, 1) if states else b.clone()


def failing(kernel: Callable[..., Any], case: str, **how: Any) -> str:
    """What the case says of the kernel, in the first dtype in which it fails."""
    report: Report = conform(kernel, **{"only": case, "quick": True, "dtypes": ("float32",), **how})
    assert report.failed, f"{case} did not catch it: {[(r.case, r.outcome, r.detail) for r in report.results]}"
    assert report.failed[0].replay.startswith("ssmverify scan ")
    return report.failed[0].detail


def test_what_is_not_broken_passes() -> None:
    report = conform(right, quick=True)
    assert not report.failed
    assert report.worst is not None
    assert 0.05 < report.worst <= 1


# --------------------------------------------------------------------------------------------------- in log space
def difference_of_sums(a: Tensor, b: Tensor) -> Tensor:
    """exp of a difference of cumulative sums, which rounds above 0 or loses its digits (mamba #713)."""
    sums = a.clamp(min=1e-38).log().cumsum(1)
    later = torch.ones(b.shape[1], b.shape[1]).tril().bool()[None, :, :, None]
    weights = torch.where(later, sums.unsqueeze(2) - sums.unsqueeze(1), -torch.inf).exp()
    return torch.einsum("bijd,bjd->bid", weights, b)


def split_exponential(a: Tensor, b: Tensor) -> Tensor:
    """exp(x - y) as exp(x) exp(-y), then clamped."""
    sums = a.clamp(min=1e-38).log().cumsum(1)
    return sums.exp() * (b * (-sums).exp().clamp(max=1e30)).cumsum(1)


def products_divided(a: Tensor, b: Tensor) -> Tensor:
    """Cumulative products, and a division by them."""
    products = a.cumprod(1)
    return products * (b / products).cumsum(1)


def heinsen(a: Tensor, b: Tensor) -> Tensor:
    """F. Heinsen's scan by log-cumsum-exp, in complex numbers for the signs."""
    wide = torch.complex64 if a.dtype == torch.float32 else torch.complex128
    sums = a.to(wide).log().cumsum(1)
    terms = b.to(wide).log() - sums
    largest = terms.real.cummax(1).values
    total = torch.zeros_like(terms[:, 0])
    states = []
    for t in range(b.shape[1]):
        if t:
            total = total * (largest[:, t - 1] - largest[:, t]).exp()
        total = total + (terms[:, t] - largest[:, t]).exp()
        states.append(((total.log() + largest[:, t] + sums[:, t]).exp()).real)
    return torch.stack(states, 1).to(a.dtype)


@pytest.mark.parametrize("kernel", [difference_of_sums, split_exponential, heinsen])
def test_log_space(kernel: Callable[..., Any]) -> None:
    assert BY_VALUE in failing(kernel, "decays.strong")


def test_divided_products() -> None:
    assert "is inf, exactly" in failing(products_divided, "decays.strong")


# ------------------------------------------------------------------------------------------------- wrong somewhere
def nan_in_the_last_chunk(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """Chunks of 16 padded with NaN, whose mask forgets the odd one out (mamba #352, #354)."""
    h = right(a, b, h0)
    if b.shape[1] % 16 == 1 and b.shape[1] > 1:
        h = h.clone()
        h[:, -1] = float("nan")
    return h


def short_offsets(a: Tensor, b: Tensor) -> Tensor:
    """Offsets of 16 bits (of 32 bits: mamba #883, #987, #988)."""
    wrapped = torch.arange(b.numel()).to(torch.int16).long() % max(b.numel(), 1)
    return right(a, b.reshape(-1)[wrapped].reshape(b.shape))


class ShortOffsetsBackward(torch.autograd.Function):
    """The same in the backward pass alone: silently corrupt gradients."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        h = scan(a, b)
        ctx.save_for_backward(a, h)
        return h

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        a, h = ctx.saved_tensors
        wrapped = torch.arange(g.numel()).to(torch.int16).long() % max(g.numel(), 1)
        g = g.reshape(-1)[wrapped].reshape(g.shape)
        next_gate = torch.cat([a[:, 1:], torch.zeros_like(a[:, :1])], 1)
        adjoint = scan(next_gate, g, reverse=True)
        before = torch.cat([torch.zeros_like(h[:, :1]), h[:, :-1]], 1)
        return adjoint * before, adjoint


def start_ignored(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    return right(a, b)


def first_channels_only(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """A grid that ends at channel 4,096 (mamba #255)."""
    h = right(a, b, h0).clone()
    h[:, :, 4096:] = 0
    return h


def term_dropped(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """One term of every 1,000."""
    b = b.clone()
    b[:, 999::1000] = 0
    return right(a, b, h0)


def final_at_the_wrong_index(a: Tensor, b: Tensor, h0: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The last state is read at the number of channels, not at the length."""
    h = right(a, b, h0)
    return h, h[:, min(b.shape[2], b.shape[1]) - 1]


def carry_crosses_sequences(a: Tensor, b: Tensor) -> Tensor:
    """The carry is not reset between sequences of a batch."""
    shape = b.shape
    flat = (x.reshape(1, shape[0] * shape[1], shape[2]) for x in (a, b))
    return right(*flat).reshape(shape)


def strides_ignored(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """Memory is read as if it were contiguous."""
    read = (torch.as_strided(x, x.shape, torch.empty(x.shape).stride(), 0) for x in (a, b))
    try:
        return right(*read, h0)
    except RuntimeError:  # past the end
        return right(a, b, h0)


def masked_by_zero(a: Tensor, b: Tensor) -> Tensor:
    """Later inputs are multiplied by 0 instead of left away."""
    h = right(a, b)
    return h + 0 * b.sum(1, keepdim=True)


def written_into(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """The states overwrite the inputs."""
    with torch.no_grad():
        return b.copy_(right(a, b, h0)).clone()


def returns_its_input(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """For one step without a start, the input itself."""
    return b if b.shape[1] == 1 and h0 is None else right(a, b, h0)


def missing_parameter(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """Step by step it reads a parameter that its class does not have."""
    return right(a, b) if h0 is None else right(a, b, h0.carried_scale * h0)  # type: ignore[attr-defined]


def in_the_next_lower_precision(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    low = torch.bfloat16 if a.dtype == torch.float32 else torch.float32
    return right(*(x.to(low) for x in (a, b)), None if h0 is None else h0.to(low)).to(a.dtype)


WRONG = [
    (nan_in_the_last_chunk, "sizes.lengths", "is nan"),
    (short_offsets, "sizes.large", BY_VALUE),
    (start_ignored, "initial-state", BY_VALUE),
    (first_channels_only, "sizes.wide", BY_VALUE),
    (term_dropped, "decays.one", BY_VALUE),
    (final_at_the_wrong_index, "sizes.lengths", "final["),
    (carry_crosses_sequences, "sizes.lengths", BY_VALUE),
    (strides_ignored, "layout.strides", BY_VALUE),
    (masked_by_zero, "invariance.causality", "nan"),
    (written_into, "purity.mutation", "before the call it was"),
    (returns_its_input, "purity.mutation", "shares its memory with b"),
    (missing_parameter, "initial-state", "raised AttributeError"),
    (in_the_next_lower_precision, "sizes.lengths", BY_VALUE),
]


@pytest.mark.parametrize(("kernel", "case", "says"), WRONG, ids=lambda x: getattr(x, "__name__", ""))
def test_wrong_somewhere(kernel: Callable[..., Any], case: str, says: str) -> None:
    assert says in failing(kernel, case)


def test_the_next_lower_precision_of_float64() -> None:
    assert BY_VALUE in failing(in_the_next_lower_precision, "sizes.lengths", dtypes=("float64",))


def test_a_term_dropped_in_a_long_sequence() -> None:
    assert BY_VALUE in failing(term_dropped, "sizes.long", quick=False)


def test_a_step_that_differs_from_run_to_run() -> None:
    noisy = torch.Generator()

    def kernel(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
        h = right(a, b, h0)
        return torch.where(torch.rand(h.shape, generator=noisy) < 0.01, torch.nextafter(h, h + 1), h)

    assert "the first time it was" in failing(kernel, "purity.determinism")


def test_another_dtype_or_shape() -> None:
    assert "the inputs are torch.float32" in failing(lambda a, b: right(a, b).double(), "sizes.lengths")
    assert "has the shape" in failing(lambda a, b: right(a, b)[:, :-1], "sizes.lengths")


def test_a_16_bit_carry() -> None:
    assert BY_VALUE in failing(right, "decays.one", dtypes=("bfloat16",))


def test_reverse_that_is_not() -> None:
    def kernel(a: Tensor, b: Tensor, h0: Tensor | None = None, *, reverse: bool = False) -> Tensor:
        return right(a, b, h0)

    assert BY_VALUE in failing(kernel, "reverse")


def test_overflow_that_is_hidden() -> None:
    assert "pass the largest number" in failing(lambda a, b: right(a, b).clamp(-3e38, 3e38), "overflow.states")


# ------------------------------------------------------------------------------------- bits of the sequential order
def test_two_roundings_are_not_the_canonical_chain() -> None:
    assert "the canonical chain has" in failing(right, "sizes.lengths", order="sequential")


def test_flush_to_zero_is_not_the_canonical_chain() -> None:
    def kernel(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
        h = scan(a, b, h0)
        return torch.where(h.abs() < torch.finfo(h.dtype).tiny, torch.zeros_like(h), h)

    assert "the canonical chain has" in failing(kernel, "values.subnormal", order="sequential")


# -------------------------------------------------------------------------------------------------------- gradients
class Adjoint(torch.autograd.Function):
    """The scan with a backward of its own, which a subclass breaks."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        h = scan(a, b, h0)
        ctx.save_for_backward(a, b, h, h0)
        return h

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        a, _, h, h0 = ctx.saved_tensors
        next_gate = torch.cat([a[:, 1:], torch.zeros_like(a[:, :1])], 1)
        adjoint = scan(next_gate, g, reverse=True)
        before = torch.cat([h0.unsqueeze(1), h[:, :-1]], 1)
        return adjoint * before, adjoint, a[:, 0] * adjoint[:, 0]


class DividesByTheGate(Adjoint):
    """h_{t-1} = (h_t - b_t)/a_t."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        a, b, h, _ = ctx.saved_tensors
        _, adjoint, start = Adjoint.backward(ctx, g)
        return adjoint * torch.where(a == 0, torch.zeros_like(h), (h - b) / a), adjoint, start


class GateOffByOne(Adjoint):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        a, _, h, h0 = ctx.saved_tensors
        adjoint = scan(a, g, reverse=True)
        return adjoint * torch.cat([h0.unsqueeze(1), h[:, :-1]], 1), adjoint, a[:, 0] * adjoint[:, 0]


class NoGradientOfTheStart(Adjoint):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        da, db, start = Adjoint.backward(ctx, g)
        return da, db, torch.zeros_like(start)


class CotangentReadAsContiguous(Adjoint):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return Adjoint.backward(ctx, torch.as_strided(g, g.shape, g.stride(), 0) * (1 if all(g.stride()) else 2))


def with_backward(function: Any) -> Callable[..., Tensor]:
    def kernel(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
        out: Tensor = function.apply(a, b, torch.zeros_like(b[:, 0]) if h0 is None else h0)
        return out

    return kernel


def test_a_right_backward_passes() -> None:
    assert not conform(with_backward(Adjoint), order="sequential", only="gradients.*", quick=True).failed


@pytest.mark.parametrize(
    ("function", "case"),
    [
        (DividesByTheGate, "gradients.resets"),
        (GateOffByOne, "gradients.values"),
        (NoGradientOfTheStart, "gradients.values"),
        (CotangentReadAsContiguous, "gradients.cotangents"),
    ],
)
def test_wrong_gradients(function: Any, case: str) -> None:
    assert BY_VALUE in failing(with_backward(function), case)


def test_gradients_with_short_offsets() -> None:
    assert BY_VALUE in failing(lambda a, b: ShortOffsetsBackward.apply(a, b), "gradients.large")


# ------------------------------------------------------------------------------------------------------ other kinds
def swapped_product(A: Tensor, B: Tensor, H0: Tensor | None = None) -> Tensor:
    """H' A instead of A H: nothing shows it between numbers or diagonals."""
    return matrix_scan(A.mT, B, H0, backend="reference")


def test_a_swapped_product() -> None:
    assert BY_VALUE in failing(swapped_product, "sizes.lengths", kind="matrix")


def delta_loop(erase: float = 1.0, normalise: bool = False) -> Callable[..., Any]:
    def kernel(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, S0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        S = v.new_zeros(v.shape[0], v.shape[2], k.shape[2]) if S0 is None else S0
        outputs = []
        for t in range(k.shape[1]):
            key = k[:, t] / k[:, t].norm(dim=-1, keepdim=True) if normalise else k[:, t]
            w = v[:, t] - erase * (S @ key.unsqueeze(-1)).squeeze(-1)
            S = S + (beta[:, t, None] * w).unsqueeze(-1) * key.unsqueeze(-2)
            outputs.append((S @ q[:, t].unsqueeze(-1)).squeeze(-1))
        return (torch.stack(outputs, 1) if outputs else v.clone()), S

    return kernel


def test_the_delta_rule() -> None:
    assert not conform(delta_loop(), kind="delta", quick=True, dtypes=("float32",)).failed
    assert BY_VALUE in failing(delta_loop(erase=0.999), "sizes.lengths", kind="delta")
    assert BY_VALUE in failing(delta_loop(normalise=True), "sizes.lengths", kind="delta")
    assert "nan" in failing(delta_loop(normalise=True), "keys.zero", kind="delta")


def selective_loop(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None = None) -> Tensor:
    """Laid out as in the field: u (B, d, T)."""
    h = u.new_zeros(u.shape[0], *A.shape)
    outputs = []
    for t in range(u.shape[2]):
        h = torch.exp(delta[:, :, t, None] * A) * h + (delta * u)[:, :, t, None] * B[:, None, :, t]
        outputs.append((h * C[:, None, :, t]).sum(-1))
    y = torch.stack(outputs, 2) if outputs else u.clone()
    return y if D is None else y + D[:, None] * u


def zero_order_hold(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """The paper's discretisation of B where the released code's is asked for."""
    h = u.new_zeros(u.shape[0], *A.shape)
    outputs = []
    for t in range(u.shape[2]):
        gate = torch.exp(delta[:, :, t, None] * A)
        h = gate * h + (gate - 1) / A * u[:, :, t, None] * B[:, None, :, t]
        outputs.append((h * C[:, None, :, t]).sum(-1))
    return torch.stack(outputs, 2) if outputs else u.clone()


def sums_of_steps(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """Gates from differences of cumulative sums of delta A."""
    sums = (delta.unsqueeze(-1) * A[:, None]).cumsum(2)
    later = torch.ones(u.shape[2], u.shape[2]).tril().bool()[None, None, :, :, None]
    gates = torch.where(later, sums.unsqueeze(3) - sums.unsqueeze(2), -torch.inf).exp()
    inputs = (delta * u).unsqueeze(-1) * B.mT.unsqueeze(1)
    return torch.einsum("bdijn,bdjn,bni->bdi", gates, inputs, C)


def test_selective_scans() -> None:
    assert not conform(selective_loop, kind="selective", quick=True, dtypes=("float32",)).failed
    assert BY_VALUE in failing(zero_order_hold, "sizes.lengths", kind="selective")
    assert BY_VALUE in failing(sums_of_steps, "steps.by-turns", kind="selective")
