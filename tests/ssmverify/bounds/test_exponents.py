"""The order `exponents`: right chunked kernels within the bound, an adversary near it, wrong kernels above it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ssmverify.bounds.adversary import OUTWARDS, UP, drawn, pushed
from ssmverify.bounds.exponents import Order, exponents_bound
from tests.ssmverify.bounds.programs import examples


def running_sums(x: Tensor, sums: str) -> Tensor:
    """Along dimension 1: one by one, or by a balanced tree (Hillis and Steele)."""
    if sums == "time":
        total, steps = torch.zeros_like(x[:, 0]), []
        for t in range(x.shape[1]):
            total = total + x[:, t]
            steps.append(total)
        return torch.stack(steps, 1)
    if sums == "tree":
        shift = 1
        while shift < x.shape[1]:
            x = torch.cat([x[:, :shift], x[:, shift:] + x[:, :-shift]], 1)
            shift *= 2
        return x
    return x.cumsum(1)


def decays(g: Tensor, order: Order, wrong: str = "") -> tuple[Tensor, Tensor]:
    """D_ts (B, t, s, d) below the diagonal and e^{G_t} (B, t, d)."""
    C = g.shape[1]
    seen = torch.ones(C, C, dtype=torch.bool).tril(-1 if wrong == "mask" else 0)[None, :, :, None]
    G = running_sums(g, order.sums)
    if wrong == "exclusive":
        G = G - g
    if wrong == "clamp":
        G = G.clamp(min=-2.0)
    if order.form == "products":
        return torch.where(seen, G.exp()[:, :, None] * (-G).exp()[:, None], torch.zeros(())), G.exp()
    if order.form == "segments":
        rows = [
            running_sums(torch.cat([torch.zeros_like(g[:, : s + 1]), g[:, s + 1 :]], 1), order.sums) for s in range(C)
        ]
        D = torch.stack(rows, 2)
    else:
        D = G[:, :, None] - G[:, None]
    D = D.masked_fill(~seen, -math.inf).exp()
    return (D.bfloat16().to(D.dtype) if wrong == "bfloat16" or order.casts else D), G.exp()


def chunked(g: Tensor, b: Tensor, h0: Tensor, order: Order, wrong: str = "") -> Tensor:
    """The states (B, T, d), T a multiple of the chunk."""
    C, h, out, local = order.chunk, h0, [], []
    parts = [slice(s, s + C) for s in range(0, b.shape[1], C)]
    for now in parts:
        D, from_start = decays(g[:, now], order, wrong)
        within = (D * b[:, now][:, None]).sum(2)
        local.append((within, from_start))
        if order.carry == "loop":
            if order.casts:
                from_start = from_start.bfloat16().to(h.dtype)
            states = from_start * h[:, None] + within
            out.append(states)
            h = states[:, -1]
            if wrong == "carry":
                h = within[:, -1] + out[-1][:, -1] - within[:, -1] + (h0 if len(out) == 1 else 0)
            if wrong == "stale":
                h = torch.exp(g[:, now][:, :-1].sum(1)) * (out[-2][:, -1] if len(out) > 1 else h0) + within[:, -1]
    if order.carry == "levels":
        totals = torch.stack([running_sums(g[:, now], order.sums)[:, -1] for now in parts], 1)
        D, from_start = decays(totals, order)
        ends = from_start * h0[:, None] + (D * torch.stack([w[:, -1] for w, _ in local], 1)[:, None]).sum(2)
        entering = [h0, *ends.unbind(1)[:-1]]
        out = [f * x[:, None] + w for (w, f), x in zip(local, entering, strict=True)]
    return torch.cat(out, 1)


def exactly(g: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """The states by balls of 200 bits, to float64."""
    out = torch.empty(b.shape, dtype=torch.float64)
    with ctx.workprec(200):
        for i in range(b.shape[0]):
            for d in range(b.shape[2]):
                h = arb(float(h0[i, d]))
                for t in range(b.shape[1]):
                    h = arb(float(g[i, t, d])).exp() * h + arb(float(b[i, t, d]))
                    out[i, t, d] = float(h.mid())
    return out


def ratio(y: Tensor, exact: Tensor, bound: Tensor) -> float:
    """The worst error over the bound, less what float64 loses of the exact result."""
    error = ((y.double() - exact).abs() - 2.0**-52 * exact.abs()).clamp(min=0)
    assert bool((y.isfinite() | bound.isinf()).all())
    return float(torch.where(bound.isinf(), 0.0, error / bound).max())


ORDERS = {
    "differences, any order": Order(8),
    "differences, time order": Order(8, sums="time"),
    "differences, tree": Order(8, sums="tree"),
    "segments": Order(8, form="segments", sums="time"),
    "products": Order(8, form="products", sums="time"),
    "levels": Order(8, sums="time", carry="levels"),
    "decays cast to bfloat16": Order(8, sums="time", casts=1, cast_to=torch.bfloat16),
}


@st.composite
def inputs(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(draw(st.integers(0, 2**32 - 1)))
    size, T = draw(st.sampled_from([1e-4, 0.1, 1.0, 8.0])), 8 * draw(st.integers(1, 4))
    g = -torch.empty(1, T, 2).exponential_() * size
    b = (
        torch.randn(1, T, 2)
        * draw(st.sampled_from([1.0, 1e-3]))
        * (torch.rand(1, T, 2) < draw(st.sampled_from([1.0, 0.1])))
    )
    return g, b, torch.randn(1, 2) * draw(st.sampled_from([0.0, 1.0, 10.0]))


@pytest.mark.parametrize("name", ORDERS)
def test_a_chunked_kernel_stays_within_the_bound_of_its_order(name: str) -> None:
    order = ORDERS[name]

    @settings(max_examples=examples(8), deadline=None)
    @given(inputs())
    def explore(given_: tuple[Tensor, Tensor, Tensor]) -> None:
        bound = exponents_bound(*given_, order=order)
        assert ratio(chunked(*given_, order), exactly(*given_), bound) <= 1

    explore()


@pytest.mark.parametrize("name", [n for n in ORDERS if "cast" not in n])
def test_an_adversary_comes_near_the_bound_and_never_above(name: str) -> None:
    order, worst = ORDERS[name], 0.0
    for seed in range(12):
        torch.manual_seed(seed)
        T, size = 24, (0.003, 0.1, 1.0, 8.0)[seed % 4]
        g, b, h0 = -torch.empty(1, T, 2).exponential_() * size, torch.randn(1, T, 2).abs(), torch.ones(1, 2)
        bound, exact = exponents_bound(g, b, h0, order=order), exactly(g, b, h0)
        for signs in (UP, OUTWARDS, lambda x: -torch.sign(x), drawn(seed)):
            y = pushed(lambda *z: chunked(*z, order), g, b, h0, signs=signs)
            worst = max(worst, ratio(y, exact, bound))
    assert 0.4 <= worst <= 1


def impulses(seed: int, size: float) -> tuple[Tensor, Tensor, Tensor]:
    """An impulse early in each chunk, and a start: inputs that show the decays one by one."""
    torch.manual_seed(seed)
    g = -torch.empty(1, 24, 2).exponential_() * size / 8
    b = torch.zeros(1, 24, 2)
    b[:, ::8] = 1.0
    return g, b, torch.ones(1, 2)


@pytest.mark.parametrize("wrong", ["exclusive", "mask", "clamp", "carry", "stale", "bfloat16"])
def test_a_wrong_kernel_is_found_by_an_impulse(wrong: str) -> None:
    """By a wrong value: the faults of real kernels are tens to millions of bounds off."""
    order = Order(8, sums="time")
    right, broken = [], []
    for seed in range(5):
        given_ = impulses(seed, 6.0)
        bound, exact = exponents_bound(*given_, order=order), exactly(*given_)
        right.append(ratio(chunked(*given_, order), exact, bound))
        broken.append(ratio(chunked(*given_, order, wrong), exact, bound))
    assert max(right) <= 1
    assert min(broken) > 10


def test_products_that_may_overflow_have_no_bound() -> None:
    g = torch.full((1, 8, 1), -20.0)
    bound = exponents_bound(g, torch.ones(1, 8, 1), order=Order(8, form="products"))
    assert bool(bound.isinf().all())


def test_decays_that_are_off_are_charged() -> None:
    torch.manual_seed(0)
    g, b, h0 = -torch.rand(1, 16, 2), torch.randn(1, 16, 2), torch.randn(1, 2)
    dg, db = torch.full_like(g, 1e-4), torch.full_like(b, 1e-3)
    order = Order(8)
    bound = exponents_bound(g, b, h0, order=order, dg=dg, db=db)
    moves: list[Callable[[Tensor], Tensor]] = [lambda x: x, lambda x: -x, torch.sign]
    worst = 0.0
    for move in moves:
        y = chunked(g + move(torch.ones_like(g)) * 0.99e-4, b + 0.99e-3 * move(b.sign()), h0, order)
        worst = max(worst, ratio(y, exactly(g, b, h0), bound))
    assert 0.3 < worst <= 1


def test_an_order_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="form"):
        Order(8, form="sums")
    with pytest.raises(ValueError, match="cast_to"):
        Order(8, casts=1, cast_to=torch.float32)
