"""The canonical chain: every sequential backend returns the same bits, whatever the layout, the batch, the threads."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from torch import Tensor

from numeric.scan import plan, scan
from numeric.scan.diagonal import cpu
from numeric.scan.machine import compiling as native
from numeric.scan.machine.fma import fma

REAL = [torch.float32, torch.float64]
COMPLEX = [torch.complex64, torch.complex128]
NARROW = [torch.bfloat16, torch.float16]

needs_compiler = pytest.mark.skipif(bool(native.missing()), reason=native.missing())
layouts = st.sampled_from(["channels innermost", "time innermost", "expanded", "every other"])


def drawn_values(draw: st.DrawFn, dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    """Random numbers of one of several characters, a few of them replaced by whatever floats hypothesis likes."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**63)))
    real = {torch.complex64: torch.float32, torch.complex128: torch.float64}.get(dtype, dtype)
    parts = (*shape, 2) if dtype.is_complex else shape
    x = torch.randn(parts, generator=generator, dtype=torch.float64)
    character = draw(st.sampled_from(["normal", "near one", "tiny", "huge", "signs"]))
    if character == "near one":
        x = 1 + x * 1e-3
    elif character in ("tiny", "huge"):
        info = torch.finfo(real)
        x = x * (info.tiny if character == "tiny" else info.max**0.5)
    elif character == "signs":
        x = x.sign()
    x = x.to(real)
    for _ in range(draw(st.integers(0, 3)) if x.numel() else 0):
        width = {2: 16, 4: 32, 8: 64}[real.itemsize]
        x.view(-1)[draw(st.integers(0, x.numel() - 1))] = draw(st.floats(width=width))
    return torch.view_as_complex(x) if dtype.is_complex else x


def laid_out(x: Tensor, layout: str) -> Tensor:
    if layout == "time innermost":
        return x.transpose(1, 2).contiguous().transpose(1, 2)
    if layout == "expanded":
        return x[:, :, :1].expand_as(x)
    if layout == "every other":
        return x.repeat_interleave(2, dim=2)[:, :, ::2]
    return x


@st.composite
def problems(draw: st.DrawFn, dtypes: list[torch.dtype]) -> tuple[Tensor, Tensor, Tensor | None, bool]:
    """(a, b, h0, reverse) of one dtype."""
    dtype = draw(st.sampled_from(dtypes))
    shape = draw(
        st.sampled_from([(1, 1, 1), (2, 7, 3), (1, 130, 9), (3, 64, 8), (2, 65, 70), (9, 67, 1), (0, 3, 2), (2, 0, 3)])
    )
    a, b = (laid_out(drawn_values(draw, dtype, shape), draw(layouts)) for _ in range(2))
    h0 = drawn_values(draw, dtype, (shape[0], shape[2])) if draw(st.booleans()) else None
    return a, b, h0, draw(st.booleans())


def assert_same_bits(x: Tensor, y: Tensor) -> None:
    """Equal as bits, signs of zeros included, except that any NaN equals any other."""
    assert x.dtype == y.dtype
    assert x.shape == y.shape
    if x.is_complex():
        x, y = torch.view_as_real(x.resolve_conj()), torch.view_as_real(y.resolve_conj())
    same = (x == y) & (x.signbit() == y.signbit()) | x.isnan() & y.isnan()
    assert bool(same.all()), f"{int((~same).sum())} of {same.numel()} elements differ, first at {(~same).nonzero()[0]}"


@given(problems(REAL))
def test_the_reference_is_one_fma_a_step(problem: tuple[Tensor, Tensor, Tensor | None, bool]) -> None:
    a, b, h0, reverse = problem
    assume(b.shape[1] <= 8)
    h = scan(a, b, h0, reverse=reverse, backend="reference")
    state = torch.zeros(b.shape[::2], dtype=b.dtype).numpy() if h0 is None else h0.numpy()
    for t in reversed(range(b.shape[1])) if reverse else range(b.shape[1]):
        state = fma(a[:, t].numpy(), state, b[:, t].numpy())
        assert_same_bits(h[:, t], torch.from_numpy(state))


@given(problems(COMPLEX))
def test_the_complex_reference_is_four_fmas_a_step(problem: tuple[Tensor, Tensor, Tensor | None, bool]) -> None:
    a, b, h0, reverse = problem
    assume(not reverse and b.shape[1] <= 8)
    h = scan(a, b, h0, backend="reference")
    before = torch.zeros(b.shape[::2], dtype=b.dtype) if h0 is None else h0
    for t in range(b.shape[1]):
        gate, x = a[:, t].numpy(), b[:, t].numpy()
        re, im = before.real.numpy(), before.imag.numpy()
        real = fma(-gate.imag, im, fma(gate.real, re, x.real))
        imag = fma(gate.imag, re, fma(gate.real, im, x.imag))
        assert_same_bits(torch.view_as_real(h[:, t]), torch.from_numpy(np.stack([real, imag], -1)))
        before = h[:, t]


@needs_compiler
@given(problems(REAL + COMPLEX + NARROW))
def test_cpu_has_the_bits_of_the_reference(problem: tuple[Tensor, Tensor, Tensor | None, bool]) -> None:
    a, b, h0, reverse = problem
    want, want_final = scan(a, b, h0, reverse=reverse, backend="reference", final_state=True)
    got, final = scan(a, b, h0, reverse=reverse, backend="cpu", final_state=True)
    assert_same_bits(got, want)
    assert_same_bits(final, want_final)
    out = torch.full_like(b, 7)
    assert scan(a, b, h0, reverse=reverse, backend="cpu", out=out) is out
    assert_same_bits(out, want)


@needs_compiler
@given(problems(REAL + COMPLEX), st.data())
def test_cpu_has_the_gradients_of_the_reference(
    problem: tuple[Tensor, Tensor, Tensor | None, bool], data: st.DataObject
) -> None:
    a, b, h0, reverse = problem
    g = laid_out(drawn_values(data.draw, b.dtype, b.shape), data.draw(layouts))
    inputs = [x.clone().requires_grad_() for x in (a, b, h0) if x is not None]
    gradients = [
        torch.autograd.grad(scan(*inputs, reverse=reverse, backend=backend), inputs, g)
        for backend in ("cpu", "reference")
    ]
    for got, want in zip(*gradients, strict=True):
        assert_same_bits(got, want)


@given(problems(REAL + COMPLEX + NARROW), st.integers(0, 130))
def test_in_two_parts_as_at_once(problem: tuple[Tensor, Tensor, Tensor | None, bool], cut: int) -> None:
    a, b, h0, _ = problem
    cut = min(cut, b.shape[1])
    whole, final = scan(a, b, h0, final_state=True)
    first, carried = scan(a[:, :cut], b[:, :cut], h0, final_state=True)
    if h0 is None and cut == 0:
        carried = None
    second, last = scan(a[:, cut:], b[:, cut:], carried, final_state=True)
    assert_same_bits(torch.cat([first, second], 1), whole)
    assert_same_bits(last, final)


@given(problems(REAL + COMPLEX))
def test_reverse_is_a_scan_of_reversed_time(problem: tuple[Tensor, Tensor, Tensor | None, bool]) -> None:
    a, b, h0, _ = problem
    assert_same_bits(scan(a, b, h0, reverse=True), scan(a.flip(1), b.flip(1), h0).flip(1))


@given(problems(REAL + COMPLEX))
def test_each_sequence_is_on_its_own(problem: tuple[Tensor, Tensor, Tensor | None, bool]) -> None:
    a, b, h0, reverse = problem
    assume(b.numel() > 0)
    whole = scan(a, b, h0, reverse=reverse)
    start = None if h0 is None else h0[-1:, -1:]
    assert_same_bits(whole[-1:, :, -1:], scan(a[-1:, :, -1:], b[-1:, :, -1:], start, reverse=reverse))


@given(problems(REAL + COMPLEX))
def test_time_at_any_dimension(problem: tuple[Tensor, Tensor, Tensor | None, bool]) -> None:
    a, b, h0, reverse = problem
    h = scan(a, b, h0, reverse=reverse)
    moved = scan(a.movedim(1, 2), b.movedim(1, 2), h0, dim=2, reverse=reverse)
    assert_same_bits(moved.movedim(2, 1), h)
    split = scan(a.unsqueeze(2), b.unsqueeze(2), None if h0 is None else h0.unsqueeze(1), reverse=reverse)
    assert_same_bits(split.squeeze(2), h)


@needs_compiler
@pytest.mark.parametrize("dtype", REAL + COMPLEX)
@pytest.mark.parametrize("shape", [(3, 4096, 16), (1, 40, 5000), (7, 9000, 1), (1, 70000, 2)])
def test_any_number_of_threads_and_long_inputs(dtype: torch.dtype, shape: tuple[int, int, int]) -> None:
    a, b, g = (torch.randn(shape, dtype=dtype) for _ in range(3))
    a = a / a.abs()  # keeps the states in range
    threads = torch.get_num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            inputs = [a.clone().requires_grad_(), b.clone().requires_grad_()]
            h = scan(*inputs, backend="cpu")
            results.append([h.detach(), *torch.autograd.grad(h, inputs, g)])
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        for x, y in zip(results[0], other, strict=True):
            assert_same_bits(x, y)
    assert_same_bits(results[0][0], scan(a, b, backend="reference")) if shape[1] < 10000 else None


@pytest.mark.parametrize("backend", ["reference", "auto"])
@pytest.mark.parametrize("dtype", REAL)
def test_bits_do_not_depend_on_flushing_to_zero(backend: str, dtype: torch.dtype) -> None:
    shape = (40, 500, 20)  # enough for a second thread, on which torch does not set the flag
    a, b = torch.rand(shape, dtype=dtype), torch.randn(shape, dtype=dtype) * torch.finfo(dtype).tiny
    few = scan(a[:2, :9], b[:2, :9], backend=backend)
    assert ((few != 0) & (few.abs() < torch.finfo(dtype).tiny)).any()
    size = shape if backend == "auto" else (2, 9, 20)
    a, b = a[: size[0], : size[1]], b[: size[0], : size[1]]
    want = scan(a, b, backend=backend)
    try:
        torch.set_flush_denormal(True)
        got = scan(a, b, backend=backend)
    finally:
        torch.set_flush_denormal(False)
    assert_same_bits(got, want)


@needs_compiler
def test_large_outputs_have_the_same_bits() -> None:
    """Past some size the kernel writes past the caches; chunk by chunk it does not."""
    a, b = torch.rand(2, 30_000, 100), torch.randn(2, 30_000, 100)
    for x, y in ((a, b), (a.mT.contiguous().mT, b.mT.contiguous().mT)):
        whole, state, parts = scan(x, y, backend="cpu"), None, []
        for part_a, part_b in zip(x.split(1000, 1), y.split(1000, 1), strict=True):
            h, state = scan(part_a, part_b, state, backend="cpu", final_state=True)
            parts.append(h)
        assert_same_bits(whole, torch.cat(parts, 1))


def rows_of_time(x: Tensor, offset: int, row: int) -> Tensor:
    """x (1, T, D) as (D, row): T steps of time, then sevens. The first lies `offset` elements off a line of memory."""
    _, length, channels = x.shape
    rows = x.new_full((offset + channels * row,), 7)[offset:].view(channels, row)
    rows[:, :length] = x[0].T
    return rows


@needs_compiler
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("past_caches", [False, True])
@pytest.mark.parametrize("dtype", REAL + COMPLEX)
def test_time_innermost_has_the_bits_of_channels_innermost(
    dtype: torch.dtype, past_caches: bool, reverse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel for it takes whole lines of memory where it can, and stores them at once; else piece by piece."""
    monkeypatch.setattr(cpu, "_PAST_CACHES", 0 if past_caches else 1 << 60)
    for length, channels, offset, row in itertools.product((128, 400, 409), (16, 37), (0, 3), (409, 512)):
        a, b, g = (torch.randn(1, length, channels, dtype=dtype) for _ in range(3))
        a, h0 = a / a.abs(), torch.randn(1, channels, dtype=dtype)
        h = cpu.forward(a, b, h0, reverse)
        assert_same_bits(h, scan(a, b, h0, reverse=reverse, backend="reference"))
        wanted = (h, *cpu.backward(g, a, h, h0, reverse))
        rows = [rows_of_time(x, offset, row) for x in (a, b, g, h, *wanted)]
        a_, b_, g_, h_, *out = (x[:, :length].T[None] for x in rows)
        for x in out:
            x.zero_()
        cpu.forward(a_, b_, h0, reverse, out=out[0])
        cpu.backward(g_, a_, h_, h0, reverse, out=(out[1], out[2]))
        for x, y in zip(rows[4:], wanted, strict=True):
            assert_same_bits(x, rows_of_time(y, 0, row))


@pytest.mark.parametrize("backend", ["reference", "associative", "auto"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@given(where=st.integers(0, 8), reverse=st.booleans())
def test_what_is_not_finite_moves_forward_in_time_only(backend: str, bad: float, where: int, reverse: bool) -> None:
    a, b = torch.rand(2, 9, 3), torch.randn(2, 9, 3)
    b[1, where, 2] = bad
    h = scan(a, b, reverse=reverse, order="any", backend=backend)
    before = h[1, where + 1 :, 2] if reverse else h[1, :where, 2]
    assert before.isfinite().all()
    assert not h[1, where, 2].isfinite()
    assert h[0].isfinite().all()
    assert h[1, :, :2].isfinite().all()


@pytest.mark.parametrize("backend", ["reference", "associative", "auto"])
def test_inputs_are_never_modified(backend: str) -> None:
    a, b, h0 = torch.rand(2, 9, 3), torch.randn(2, 9, 3), torch.randn(2, 3)
    copies = [x.clone() for x in (a, b, h0)]
    scan(a, b, h0, order="any", backend=backend)
    assert all(torch.equal(x, y) for x, y in zip((a, b, h0), copies, strict=True))


@needs_compiler
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("shape", [(3, 70, 20), (20, 130, 1)])
def test_out_may_be_an_input(shape: tuple[int, int, int], reverse: bool) -> None:
    a, b = torch.rand(shape), torch.randn(shape)
    want = scan(a, b, reverse=reverse)
    for place in (0, 1):
        inputs = [a.clone(), b.clone()]
        scan(*inputs, reverse=reverse, out=inputs[place])
        assert_same_bits(inputs[place], want)


@pytest.mark.parametrize("backend", ["reference", "associative", "auto"])
@pytest.mark.parametrize("shape", [(2, 0, 3), (2, 1, 3), (0, 4, 3), (2, 4, 0)])
@pytest.mark.parametrize("reverse", [False, True])
def test_next_to_nothing(backend: str, shape: tuple[int, int, int], reverse: bool) -> None:
    a, b, h0 = (torch.randn(size, requires_grad=True) for size in (shape, shape, shape[::2]))
    for start in (None, h0):
        h, final = scan(a, b, start, reverse=reverse, order="any", backend=backend, final_state=True)
        assert h.shape == shape
        assert final.shape == h0.shape
        if shape[1] == 0 and start is not None:
            assert torch.equal(final, start)
        inputs = [a, b] if start is None else [a, b, h0]
        gradients = torch.autograd.grad(h.sum(), inputs)
        assert [x.shape for x in gradients] == [x.shape for x in inputs]


def test_narrow_inputs_carry_float32() -> None:
    a, b = torch.rand(1, 1000, 1).bfloat16(), torch.rand(1, 1000, 1).bfloat16()
    h, final = scan(a, b, final_state=True)
    wide = scan(a.float(), b.float())
    assert_same_bits(h, wide.bfloat16())
    assert_same_bits(final, wide[:, -1])


def test_the_plan_says_what_happens() -> None:
    a = b = torch.rand(2, 9, 3)
    assert plan(a, b, backend="reference").order == "sequential"
    tree = plan(a, b, order="any", backend="associative")
    assert (tree.order, tree.p, tree.q) == ("reassociated", 1, 7)
    assert plan(a, b).backend == ("reference" if native.missing() else "cpu")
    assert plan(a, b).why
