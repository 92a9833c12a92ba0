"""The canonical chain for GPUs, in Triton: one warp walks time for CHANNELS channels.

    a b h g da db (B, T, D), any strides; complex ones with stride 1 between channels    h0 (B, D)
    STEPS, CHANNELS    the tile that is loaded at a time; time lies in the registers of one thread
    STEPS_ROWS, ROWS   the same where time lies innermost: a sector of memory or two, one row a thread
    CHUNK              steps that a program walks where a sequence is cut into chunks; 0 where it walks the whole of it

With these tiles and one warp, Triton gives each thread a few channels and all steps of time, so that `associative_scan`
is the sequential chain: one fused multiply-add an element, no exchange between threads, and the bits of the reference.
`tests/numeric/scan/test_triton.py` holds the compiled code to that. Where time lies innermost Triton must not know it,
or it would spread time over the threads: those kernels are compiled for time strides of any size. Offsets have 64 bits;
nothing is tuned at run time and no result depends on which program was first. The backward walks time downwards by its
indices.
"""

# mypy: ignore-errors
# (what Triton compiles is not typed Python)

import triton
import triton.language as tl

STEPS = 16
CHANNELS = 128
STAGES = 4
STEPS_BACKWARD = 8
STEPS_ROWS = 8
ROWS = 32


@triton.jit
def _after(a1, b1, a2, b2):
    """The map of the later segment after that of the earlier one."""
    return a2 * a1, tl.fma(a2, b1, b2)


@triton.jit
def _row(x, number, rows):
    """One row of a tile, bit for bit: a sum of floats would turn -0 into +0."""
    integer: tl.constexpr = tl.int32 if x.dtype.primitive_bitwidth == 32 else tl.int64
    bits = tl.where((rows == number)[:, None], x.to(integer, bitcast=True), 0)
    return tl.sum(bits, 0).to(integer).to(x.dtype, bitcast=True)


@triton.jit
def _chain(gates, inputs, carry, rows):
    """All states of a tile after the state `carry`."""
    first = tl.fma(gates, tl.broadcast_to(carry[None, :], gates.shape), inputs)
    inputs = tl.where((rows == 0)[:, None], first, inputs)
    _, states = tl.associative_scan((gates, inputs), 0, _after)
    return states


@triton.jit
def _place(T, D, CHANNELS: tl.constexpr, CHUNK: tl.constexpr):
    """Of the program: its sequence, its chunk and where that ends, and its channels."""
    tiles = tl.cdiv(D, CHANNELS)
    chunks = tl.cdiv(T, CHUNK) if CHUNK else 1
    number = tl.program_id(0) // tiles
    chunk = number % chunks
    end = tl.minimum(T, (chunk + 1) * CHUNK) if CHUNK else T
    d = (tl.program_id(0) % tiles) * CHANNELS + tl.arange(0, CHANNELS)
    return (number // chunks).to(tl.int64), chunk, end, d


@triton.jit
def forward_kernel(
    a, b, h0, h, T, D,
    a_batch, a_time, a_channel, b_batch, b_time, b_channel, h0_batch, h_batch, h_time, h_channel,
    HAS_H0: tl.constexpr, REVERSE: tl.constexpr,
    STEPS: tl.constexpr, CHANNELS: tl.constexpr, STAGES: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """h_t = fma(a_t, h_{t-1}, b_t); one program for each sequence (or chunk, with an h0 each) and CHANNELS channels."""
    i, chunk, end, d = _place(T, D, CHANNELS, CHUNK)
    rows = tl.arange(0, STEPS)
    inside, column = d < D, d.to(tl.int64)[None, :]
    zero = tl.zeros([CHANNELS], h.dtype.element_ty)
    carry = tl.load(h0 + i * h0_batch + chunk * D + d, inside, 0.0) if HAS_H0 else zero
    for start in tl.range(chunk * CHUNK, end, STEPS, num_stages=STAGES):
        step = start + rows
        t = (T - 1 - step if REVERSE else step).to(tl.int64)[:, None]
        mask = (step < T)[:, None] & inside[None, :]
        gates = tl.load(a + i * a_batch + t * a_time + column * a_channel, mask, 0.0)
        inputs = tl.load(b + i * b_batch + t * b_time + column * b_channel, mask, 0.0)
        states = _chain(gates, inputs, carry, rows)
        tl.store(h + i * h_batch + t * h_time + column * h_channel, states, mask)
        carry = _row(states, STEPS - 1, rows)


@triton.jit
def backward_kernel(
    g, a, h, h0, da, db, T, D,
    g_batch, g_time, g_channel, a_batch, a_time, a_channel, h_batch, h_time, h_channel,
    h0_batch, out_batch, out_time, out_channel,
    HAS_H0: tl.constexpr, REVERSE: tl.constexpr,
    STEPS: tl.constexpr, CHANNELS: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """db_t = fma(a_{t+1}, db_{t+1}, g_t) and da_t = db_t h_{t-1}, from the last step to the first."""
    i, _, end, d = _place(T, D, CHANNELS, 0)
    rows = tl.arange(0, STEPS)
    inside, column = d < D, d.to(tl.int64)[None, :]
    earlier = 1 if REVERSE else -1
    carry = tl.zeros([CHANNELS], db.dtype.element_ty)
    before_all = tl.load(h0 + i * h0_batch + d, inside, 0.0) if HAS_H0 else carry
    for start in tl.range(0, end, STEPS, num_stages=STAGES):
        step = start + rows  # counted from the last step of the scan
        t = (step if REVERSE else T - 1 - step).to(tl.int64)[:, None]
        mask = (step < T)[:, None] & inside[None, :]
        has_next = (step > 0)[:, None] & mask
        has_previous = (step < T - 1)[:, None] & mask
        gates = tl.load(a + i * a_batch + (t - earlier) * a_time + column * a_channel, has_next, 0.0)
        inputs = tl.load(g + i * g_batch + t * g_time + column * g_channel, mask, 0.0)
        previous = tl.load(h + i * h_batch + (t + earlier) * h_time + column * h_channel, has_previous, 0.0)
        previous = tl.where((step == T - 1)[:, None], before_all[None, :], previous)
        adjoint = _chain(gates, inputs, carry, rows)
        place = i * out_batch + t * out_time + column * out_channel
        tl.store(db + place, adjoint, mask)
        tl.store(da + place, adjoint * previous, mask)
        carry = _row(adjoint, STEPS - 1, rows)


@triton.jit
def ends_kernel(
    a, b, gates_out, states_out, T, D,
    a_batch, a_time, a_channel, b_batch, b_time, b_channel, out_batch, out_chunk, out_channel,
    REVERSE: tl.constexpr, STEPS: tl.constexpr, CHANNELS: tl.constexpr, STAGES: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """The product of each chunk's gates, and its last state after the state 0: out (B, chunks, D)."""
    i, chunk, end, d = _place(T, D, CHANNELS, CHUNK)
    rows = tl.arange(0, STEPS)
    inside, column = d < D, d.to(tl.int64)[None, :]
    state = tl.zeros([CHANNELS], b.dtype.element_ty)
    product = state + 1
    for start in tl.range(chunk * CHUNK, end, STEPS, num_stages=STAGES):
        step = start + rows
        t = (T - 1 - step if REVERSE else step).to(tl.int64)[:, None]
        mask = (step < T)[:, None] & inside[None, :]
        gates = tl.load(a + i * a_batch + t * a_time + column * a_channel, mask, 0.0)
        inputs = tl.load(b + i * b_batch + t * b_time + column * b_channel, mask, 0.0)
        state = _row(_chain(gates, inputs, state, rows), STEPS - 1, rows)
        product = _row(_chain(gates, tl.zeros_like(gates), product, rows), STEPS - 1, rows)
    place = i * out_batch + chunk * out_chunk + d * out_channel
    tl.store(gates_out + place, product, inside)
    tl.store(states_out + place, state, inside)


@triton.jit
def ends_complex_kernel(
    a, b, gates_out, states_out, T, D,
    a_batch, a_time, b_batch, b_time, out_batch, out_chunk,
    REVERSE: tl.constexpr, STEPS: tl.constexpr, CHANNELS: tl.constexpr, STAGES: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """ends_kernel for complex numbers as pairs."""
    i, chunk, end, d = _place(T, D, CHANNELS, CHUNK)
    rows = tl.arange(0, STEPS)
    inside = d < D
    hr = tl.zeros([CHANNELS // 2], b.dtype.element_ty)
    hi, pr, pi = hr, hr + 1, hr
    for start in tl.range(chunk * CHUNK, end, STEPS, num_stages=STAGES):
        step = start + rows
        t = (T - 1 - step if REVERSE else step).to(tl.int64)[:, None]
        mask = (step < T)[:, None] & inside[None, :]
        ar, ai = _parts(tl.load(a + i * a_batch + t * a_time + d[None, :], mask, 0.0))
        br, bi = _parts(tl.load(b + i * b_batch + t * b_time + d[None, :], mask, 0.0))
        re, im = _chain_complex(ar, ai, br, bi, hr, hi, rows)
        hr, hi = _row(re, STEPS - 1, rows), _row(im, STEPS - 1, rows)
        re, im = _chain_complex(ar, ai, tl.zeros_like(br), tl.zeros_like(bi), pr, pi, rows)
        pr, pi = _row(re, STEPS - 1, rows), _row(im, STEPS - 1, rows)
    place = i * out_batch + chunk * out_chunk + d
    tl.store(gates_out + place, tl.reshape(tl.join(pr, pi), [CHANNELS]), inside)
    tl.store(states_out + place, tl.reshape(tl.join(hr, hi), [CHANNELS]), inside)


_TIMES = "a_time", "b_time", "g_time", "h_time", "out_time"
forward_rows_kernel = triton.jit(
    forward_kernel.fn, do_not_specialize=[x for x in forward_kernel.arg_names if x in _TIMES]
)
backward_rows_kernel = triton.jit(
    backward_kernel.fn, do_not_specialize=[x for x in backward_kernel.arg_names if x in _TIMES]
)
ends_rows_kernel = triton.jit(ends_kernel.fn, do_not_specialize=[x for x in ends_kernel.arg_names if x in _TIMES])


@triton.jit
def _after_complex(a1r, a1i, b1r, b1i, a2r, a2i, b2r, b2i):
    """The same for complex numbers, each product in the order of the reference."""
    br = tl.fma(-a2i, b1i, tl.fma(a2r, b1r, b2r))
    bi = tl.fma(a2i, b1r, tl.fma(a2r, b1i, b2i))
    return a2r * a1r - a2i * a1i, a2r * a1i + a2i * a1r, br, bi


@triton.jit
def _parts(x):
    """The real and imaginary parts of a tile whose pairs lie side by side."""
    return tl.split(tl.reshape(x, [x.shape[0], x.shape[1] // 2, 2]))


@triton.jit
def _pairs(re, im):
    return tl.reshape(tl.join(re, im), [re.shape[0], re.shape[1] * 2])


@triton.jit
def _chain_complex(ar, ai, br, bi, hr, hi, rows):
    """All states of a tile after the state (hr, hi)."""
    hr, hi = tl.broadcast_to(hr[None, :], ar.shape), tl.broadcast_to(hi[None, :], ar.shape)
    first = (rows == 0)[:, None]
    re = tl.where(first, tl.fma(-ai, hi, tl.fma(ar, hr, br)), br)
    im = tl.where(first, tl.fma(ai, hr, tl.fma(ar, hi, bi)), bi)
    _, _, re, im = tl.associative_scan((ar, ai, re, im), 0, _after_complex)
    return re, im


@triton.jit
def forward_complex_kernel(
    a, b, h0, h, T, D,
    a_batch, a_time, b_batch, b_time, h0_batch, h_batch, h_time,
    HAS_H0: tl.constexpr, REVERSE: tl.constexpr,
    STEPS: tl.constexpr, CHANNELS: tl.constexpr, STAGES: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """forward_kernel for complex numbers as pairs: D, the strides and CHANNELS count real numbers."""
    i, chunk, end, d = _place(T, D, CHANNELS, CHUNK)
    rows = tl.arange(0, STEPS)
    inside = d < D
    zero = tl.zeros([CHANNELS], h.dtype.element_ty)
    carry = tl.load(h0 + i * h0_batch + chunk * D + d, inside, 0.0) if HAS_H0 else zero
    hr, hi = tl.split(tl.reshape(carry, [CHANNELS // 2, 2]))
    for start in tl.range(chunk * CHUNK, end, STEPS, num_stages=STAGES):
        step = start + rows
        t = (T - 1 - step if REVERSE else step).to(tl.int64)[:, None]
        mask = (step < T)[:, None] & inside[None, :]
        ar, ai = _parts(tl.load(a + i * a_batch + t * a_time + d[None, :], mask, 0.0))
        br, bi = _parts(tl.load(b + i * b_batch + t * b_time + d[None, :], mask, 0.0))
        re, im = _chain_complex(ar, ai, br, bi, hr, hi, rows)
        tl.store(h + i * h_batch + t * h_time + d[None, :], _pairs(re, im), mask)
        hr, hi = _row(re, STEPS - 1, rows), _row(im, STEPS - 1, rows)


@triton.jit
def backward_complex_kernel(
    g, a, h, h0, da, db, T, D,
    g_batch, g_time, a_batch, a_time, h_batch, h_time, h0_batch, out_batch, out_time,
    HAS_H0: tl.constexpr, REVERSE: tl.constexpr,
    STEPS: tl.constexpr, CHANNELS: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """backward_kernel for complex numbers as pairs, with conj(a_{t+1}) and conj(h_{t-1})."""
    i, _, end, d = _place(T, D, CHANNELS, 0)
    rows = tl.arange(0, STEPS)
    inside = d < D
    earlier = 1 if REVERSE else -1
    zero = tl.zeros([CHANNELS], db.dtype.element_ty)
    before_all = tl.load(h0 + i * h0_batch + d, inside, 0.0) if HAS_H0 else zero
    xr, xi = tl.split(tl.reshape(zero, [CHANNELS // 2, 2]))
    for start in tl.range(0, end, STEPS, num_stages=STAGES):
        step = start + rows
        t = (step if REVERSE else T - 1 - step).to(tl.int64)[:, None]
        mask = (step < T)[:, None] & inside[None, :]
        has_next = (step > 0)[:, None] & mask
        has_previous = (step < T - 1)[:, None] & mask
        ar, ai = _parts(tl.load(a + i * a_batch + (t - earlier) * a_time + d[None, :], has_next, 0.0))
        gr, gi = _parts(tl.load(g + i * g_batch + t * g_time + d[None, :], mask, 0.0))
        previous = tl.load(h + i * h_batch + (t + earlier) * h_time + d[None, :], has_previous, 0.0)
        previous = tl.where((step == T - 1)[:, None], before_all[None, :], previous)
        hr, hi = _parts(previous)
        re, im = _chain_complex(ar, -ai, gr, gi, xr, xi, rows)
        place = i * out_batch + t * out_time + d[None, :]
        tl.store(db + place, _pairs(re, im), mask)
        tl.store(da + place, _pairs(tl.fma(im, hi, re * hr), tl.fma(-re, hi, im * hr)), mask)
        xr, xi = _row(re, STEPS - 1, rows), _row(im, STEPS - 1, rows)
