"""The gated delta rule by its defects: loop and chunks within their bounds, an adversary near them, faults above."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ssmverify.bounds.adversary import OUTWARDS, UP, Signs, pushed
from ssmverify.bounds.defects import chunk_defect_bound, delta_defects, loop_defect_bound, shown_states
from tests.ssmverify.bounds.programs import examples

C = 8
Given = tuple[Tensor, Tensor, Tensor, Tensor]


def loop(q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor) -> Tensor:
    S, out = torch.zeros(q.shape[0], k.shape[2], v.shape[2]), []
    for t in range(q.shape[1]):
        S = S * g[:, t].exp()[:, None, None]
        target = (v[:, t] - (S * k[:, t, :, None]).sum(1)) * beta[:, t, None]
        S = S + k[:, t, :, None] * target[:, None, :]
        out.append((q[:, t, :, None] * S).sum(1))
    return torch.stack(out, 1)


def chunks(q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor) -> Tensor:
    S, out, seen = torch.zeros(q.shape[0], k.shape[2], v.shape[2]), [], torch.ones(C, C, dtype=torch.bool).tril()
    for s in range(0, q.shape[1], C):
        qc, kc, vc, bc = q[:, s : s + C], k[:, s : s + C], v[:, s : s + C], beta[:, s : s + C, None]
        G = g[:, s : s + C].cumsum(-1)
        decay = (G[:, :, None] - G[:, None]).masked_fill(~seen, -torch.inf).exp()
        mixing = -((bc * kc) @ kc.transpose(1, 2) * decay).masked_fill(~seen.tril(-1), 0)
        for i in range(1, C):
            mixing[:, i, :i] = mixing[:, i, :i] + (mixing[:, i, :i, None].clone() * mixing[:, :i, :i].clone()).sum(1)
        inverse = mixing + torch.eye(C)
        new = inverse @ (bc * vc) - inverse @ (bc * kc * G.exp()[..., None]) @ S
        out.append((qc * G.exp()[..., None]) @ S + (qc @ kc.transpose(1, 2) * decay) @ new)
        left = (G[:, -1:] - G).exp()[..., None]
        S = S * G[:, -1].exp()[:, None, None] + (kc * left).transpose(1, 2) @ new
    return torch.cat(out, 1)


def instance(seed: int, n: int = 4, T: int = 32) -> Given:
    """One sequence: keys at random, positive, alike or clustered; gates absent, mild or strong."""
    r = torch.Generator().manual_seed(seed)
    k = torch.randn(T, n, generator=r)
    kind = seed % 4
    if kind == 1:
        k = k.abs()
    if kind == 2:
        k = torch.ones(T, n) + 1e-3 * k
    if kind == 3:
        k = torch.eye(n)[torch.randint(0, n, (T,), generator=r)] + 0.05 * k
    k = k / k.norm(dim=-1, keepdim=True)
    gate = (0.0, 0.02, 1.0)[seed // 4 % 3]
    g = -torch.empty(T).exponential_(generator=r) * gate
    beta = torch.sigmoid(torch.randn(T, generator=r) * 1.5) * (1 + seed // 12 % 2)
    return k, torch.randn(T, 3, generator=r), g, beta


def worst(kernel: Callable[..., Tensor], of: Given, by_chunks: bool, reading: int = 0) -> float:
    states = shown_states(kernel, *of)
    limit = chunk_defect_bound(*of, states, chunk=C) if by_chunks else loop_defect_bound(*of, states, reading=reading)
    return float((delta_defects(*of, states) / limit).max())


seeds = st.integers(0, 2**31)


@settings(max_examples=examples(10), deadline=None)
@given(seeds)
def test_the_loops_defects_stay_within_their_bound(seed: int) -> None:
    assert worst(loop, instance(seed), False) <= 1


@settings(max_examples=examples(10), deadline=None)
@given(seeds)
def test_the_chunks_defects_stay_within_their_bound(seed: int) -> None:
    assert worst(chunks, instance(seed), True) <= 1


@pytest.mark.parametrize(("kernel", "by_chunks"), [(loop, False), (chunks, True)], ids=["loop", "chunks"])
def test_an_adversary_comes_near_the_bound_and_never_above(kernel: Callable[..., Tensor], by_chunks: bool) -> None:
    found = 0.0
    for seed in range(12):
        of = instance(seed)
        for signs in (UP, OUTWARDS, lambda x: -torch.sign(x)):

            def bad(*z: Tensor, signs: Signs = signs) -> Tensor:
                return pushed(kernel, *z, signs=signs)  # type: ignore[no-any-return]

            found = max(found, worst(bad, of, by_chunks, reading=of[0].shape[1]))  # it rounds 1 x and x + 0 too
    assert 0.4 <= found <= 1


FAULTS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Given]] = {
    "a step lost": lambda k, v, g, b: (k, v, g, b * (torch.arange(len(b)) != 13)),
    "a strength wrong": lambda k, v, g, b: (k, v, g, b * (1 + 0.01 * (torch.arange(len(b)) == 13))),
    "keys in bfloat16": lambda k, v, g, b: (k.bfloat16().float(), v, g, b),
    "decays a step late": lambda k, v, g, b: (k, v, g.roll(1), b),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("by_chunks", [False, True], ids=["loop", "chunks"])
def test_a_wrong_kernel_is_found_by_its_defects(fault: str, by_chunks: bool) -> None:
    kernel = chunks if by_chunks else loop
    for seed in (4, 5, 7, 8, 9, 11):  # with gates
        of = instance(seed)

        def broken(q: Tensor, k: Tensor, v: Tensor, g: Tensor, beta: Tensor) -> Tensor:
            wrong = [FAULTS[fault](*(x[i] for x in (k, v, g, beta))) for i in range(len(q))]
            return kernel(q, *(torch.stack(x) for x in zip(*wrong, strict=True)))

        assert worst(broken, of, by_chunks) > 3
