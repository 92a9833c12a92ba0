"""The delta rule, S6 and matrix recurrences for GPUs, in Triton: one program keeps a tile of the state in registers.

    q k B C (B, T, n)    v r x delta y (B, T, d)    S h (B, d, n)    A (B, d, n) of S6, (B, T, n, n) of matrices
    kept (B, ceil(T / CHUNK), d, n)    the states before each CHUNK of steps; the backward recomputes those in between
    scratch (programs, CHUNK, CHANNELS, N)    where the backward keeps those of one chunk

A program has CHANNELS rows of the state, or COLUMNS of a matrix, and walks time alone: no exchange between programs, no
atomics. Gradients of what the rows share come as one part for each program, and are summed outside, always in the same
order. N is n rounded up to a power of two; what pads a tile stays 0, also beside an infinity, where 0 times it would be
NaN. All tensors are contiguous; offsets have 64 bits.
"""

# mypy: ignore-errors
# (what Triton compiles is not typed Python)

import triton
import triton.language as tl

CHUNK = 32
CHANNELS = 16


@triton.jit
def _place(T, d, n, CHANNELS: tl.constexpr, N: tl.constexpr):
    """The sequence of this program, its rows, the columns, and which of them are there."""
    blocks = tl.cdiv(d, CHANNELS)
    i = (tl.program_id(0) // blocks).to(tl.int64)
    c = (tl.program_id(0) % blocks) * CHANNELS + tl.arange(0, CHANNELS)
    j = tl.arange(0, N)
    return i, tl.program_id(0) % blocks, c, j, (c < d)[:, None] & (j < n)[None, :]


@triton.jit
def delta_forward_kernel(
    q, k, v, r, S0, y, S_T, kept, S, T, d, n,
    KEEP: tl.constexpr, STATES: tl.constexpr, CHUNK: tl.constexpr, CHANNELS: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    """S_t = S_{t-1} + r_t (v_t - S_{t-1} k_t) k_t', y_t = S_t q_t."""
    i, _, c, j, inside = _place(T, d, n, CHANNELS, N)
    tile = c[:, None] * n + j[None, :]
    state = tl.load(S0 + i * d * n + tile, inside, 0.0)
    for t in range(T):
        row = i * T + t
        if KEEP and t % CHUNK == 0:
            tl.store(kept + (i * tl.cdiv(T, CHUNK) + t // CHUNK) * d * n + tile, state, inside)
        key, query = tl.load(k + row * n + j, j < n, 0.0), tl.load(q + row * n + j, j < n, 0.0)
        value, strength = tl.load(v + row * d + c, c < d, 0.0), tl.load(r + row * d + c, c < d, 0.0)
        written = strength * (value - tl.sum(state * key[None, :], 1))
        state = tl.where(inside, state + written[:, None] * key[None, :], 0.0)
        tl.store(y + row * d + c, tl.sum(state * query[None, :], 1), c < d)
        if STATES:
            tl.store(S + row * d * n + tile, state, inside)
    tl.store(S_T + i * d * n + tile, state, inside)


@triton.jit
def delta_backward_kernel(
    gy, gS, q, k, v, r, kept, dq, dk, dv, dr, dS0, scratch, T, d, n,
    CHUNK: tl.constexpr, CHANNELS: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    """The gradients, a chunk at a time from the last: its states forward from the kept one, then back through them."""
    i, block, c, j, inside = _place(T, d, n, CHANNELS, N)
    tile = c[:, None] * n + j[None, :]
    local = tl.program_id(0).to(tl.int64) * CHUNK * CHANNELS * N + tl.arange(0, CHANNELS)[:, None] * N + j[None, :]
    blocks, chunks = tl.cdiv(d, CHANNELS), tl.cdiv(T, CHUNK)
    adjoint = tl.load(gS + i * d * n + tile, inside, 0.0)
    for back in range(chunks):
        first = (chunks - 1 - back) * CHUNK
        steps = tl.minimum(CHUNK, T - first)
        state = tl.load(kept + (i * chunks + chunks - 1 - back) * d * n + tile, inside, 0.0)
        for step in range(steps):
            row = i * T + first + step
            tl.store(scratch + local + step * CHANNELS * N, state)
            key = tl.load(k + row * n + j, j < n, 0.0)
            value, strength = tl.load(v + row * d + c, c < d, 0.0), tl.load(r + row * d + c, c < d, 0.0)
            written = strength * (value - tl.sum(state * key[None, :], 1))
            state = tl.where(inside, state + written[:, None] * key[None, :], 0.0)
        tl.debug_barrier()  # what other threads of this program have stored is read below
        for down in range(steps):
            step = steps - 1 - down
            row = i * T + first + step
            key, query = tl.load(k + row * n + j, j < n, 0.0), tl.load(q + row * n + j, j < n, 0.0)
            value, strength = tl.load(v + row * d + c, c < d, 0.0), tl.load(r + row * d + c, c < d, 0.0)
            cotangent = tl.load(gy + row * d + c, c < d, 0.0)
            before = tl.load(scratch + local + step * CHANNELS * N)
            error = value - tl.sum(before * key[None, :], 1)
            written = strength * error
            after = tl.where(inside, before + written[:, None] * key[None, :], 0.0)
            adjoint = tl.where(inside, adjoint + cotangent[:, None] * query[None, :], 0.0)
            to_written = tl.sum(adjoint * key[None, :], 1)
            to_error = to_written * strength
            shared = (row * blocks + block) * n + j
            tl.store(dq + shared, tl.sum(after * cotangent[:, None], 0), j < n)
            tl.store(dk + shared, tl.sum(adjoint * written[:, None] - before * to_error[:, None], 0), j < n)
            tl.store(dv + row * d + c, to_error, c < d)
            tl.store(dr + row * d + c, to_written * error, c < d)
            adjoint = tl.where(inside, adjoint - to_error[:, None] * key[None, :], 0.0)
        tl.debug_barrier()  # the next chunk writes where this one was read
    tl.store(dS0 + i * d * n + tile, adjoint, inside)


@triton.jit
def selective_forward_kernel(
    x, delta, A, B, C, h0, y, h_T, kept, T, d, n,
    KEEP: tl.constexpr, CHUNK: tl.constexpr, CHANNELS: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    """h_t = exp(delta_t A) h_{t-1} + delta_t x_t B_t, y_t = C_t h_t."""
    i, _, c, j, inside = _place(T, d, n, CHANNELS, N)
    tile = i * d * n + c[:, None] * n + j[None, :]
    rates, state = tl.load(A + tile, inside, 0.0), tl.load(h0 + tile, inside, 0.0)
    for t in range(T):
        row = i * T + t
        if KEEP and t % CHUNK == 0:
            whole = (i * tl.cdiv(T, CHUNK) + t // CHUNK) * d * n
            tl.store(kept + whole + c[:, None] * n + j[None, :], state, inside)
        step, value = tl.load(delta + row * d + c, c < d, 0.0), tl.load(x + row * d + c, c < d, 0.0)
        write, read = tl.load(B + row * n + j, j < n, 0.0), tl.load(C + row * n + j, j < n, 0.0)
        moved = tl.fma(tl.exp(step[:, None] * rates), state, (step * value)[:, None] * write[None, :])
        state = tl.where(inside, moved, 0.0)
        tl.store(y + row * d + c, tl.sum(state * read[None, :], 1), c < d)
    tl.store(h_T + tile, state, inside)


@triton.jit
def selective_backward_kernel(
    gy, gh, x, delta, A, B, C, kept, dx, ddelta, dA, dB, dC, dh0, scratch, T, d, n,
    CHUNK: tl.constexpr, CHANNELS: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    """The gradients, a chunk at a time from the last, as for the delta rule."""
    i, block, c, j, inside = _place(T, d, n, CHANNELS, N)
    within = c[:, None] * n + j[None, :]
    tile = i * d * n + within
    local = tl.program_id(0).to(tl.int64) * CHUNK * CHANNELS * N + tl.arange(0, CHANNELS)[:, None] * N + j[None, :]
    blocks, chunks = tl.cdiv(d, CHANNELS), tl.cdiv(T, CHUNK)
    rates, adjoint = tl.load(A + tile, inside, 0.0), tl.load(gh + tile, inside, 0.0)
    to_rates = tl.zeros([CHANNELS, N], rates.dtype)
    for back in range(chunks):
        first = (chunks - 1 - back) * CHUNK
        steps = tl.minimum(CHUNK, T - first)
        state = tl.load(kept + (i * chunks + chunks - 1 - back) * d * n + within, inside, 0.0)
        for number in range(steps):
            row = i * T + first + number
            tl.store(scratch + local + number * CHANNELS * N, state)
            step, value = tl.load(delta + row * d + c, c < d, 0.0), tl.load(x + row * d + c, c < d, 0.0)
            write = tl.load(B + row * n + j, j < n, 0.0)
            moved = tl.fma(tl.exp(step[:, None] * rates), state, (step * value)[:, None] * write[None, :])
            state = tl.where(inside, moved, 0.0)
        tl.debug_barrier()  # what other threads of this program have stored is read below
        for down in range(steps):
            number = steps - 1 - down
            row = i * T + first + number
            step, value = tl.load(delta + row * d + c, c < d, 0.0), tl.load(x + row * d + c, c < d, 0.0)
            write, read = tl.load(B + row * n + j, j < n, 0.0), tl.load(C + row * n + j, j < n, 0.0)
            cotangent = tl.load(gy + row * d + c, c < d, 0.0)
            before = tl.load(scratch + local + number * CHANNELS * N)
            gate = tl.where(inside, tl.exp(step[:, None] * rates), 0.0)
            after = tl.where(inside, tl.fma(gate, before, (step * value)[:, None] * write[None, :]), 0.0)
            adjoint = tl.where(inside, adjoint + cotangent[:, None] * read[None, :], 0.0)
            to_exponent = adjoint * gate * before
            to_input = tl.sum(adjoint * write[None, :], 1)
            shared = (row * blocks + block) * n + j
            tl.store(dC + shared, tl.sum(after * cotangent[:, None], 0), j < n)
            tl.store(dB + shared, tl.sum(adjoint * (step * value)[:, None], 0), j < n)
            tl.store(dx + row * d + c, to_input * step, c < d)
            tl.store(ddelta + row * d + c, to_input * value + tl.sum(to_exponent * rates, 1), c < d)
            to_rates += to_exponent * step[:, None]
            adjoint *= gate
        tl.debug_barrier()  # the next chunk writes where this one was read
    tl.store(dA + tile, to_rates, inside)
    tl.store(dh0 + tile, adjoint, inside)


@triton.jit
def matrix_forward_kernel(
    A, B, H0, H, T, n, m, HAS_H0: tl.constexpr, REVERSE: tl.constexpr, COLUMNS: tl.constexpr, N: tl.constexpr
):
    """H_t = A_t H_{t-1} + B_t; in reverse, H_t = A_{t+1}' H_{t+1} + B_t, with nothing after the last."""
    blocks = tl.cdiv(m, COLUMNS)
    i = (tl.program_id(0) // blocks).to(tl.int64)
    c = (tl.program_id(0) % blocks) * COLUMNS + tl.arange(0, COLUMNS)
    a, b = tl.arange(0, N), tl.arange(0, N)
    square = (a < n)[:, None] & (b < n)[None, :]
    inside = (b < n)[:, None] & (c < m)[None, :]
    tile = b[:, None] * m + c[None, :]
    state = tl.zeros([N, COLUMNS], H.dtype.element_ty)
    if HAS_H0:
        state = tl.load(H0 + i * n * m + tile, inside, 0.0)
    for step in range(T):
        t = T - 1 - step if REVERSE else step
        row = i * T + t
        if REVERSE:  # the transposed gate of the step after; there is none after the last
            gate = tl.load(A + (row + 1) * n * n + b[None, :] * n + a[:, None], square & (step > 0), 0.0)
        else:
            gate = tl.load(A + row * n * n + a[:, None] * n + b[None, :], square, 0.0)
        moved = tl.sum(gate[:, :, None] * state[None, :, :], 1)
        state = tl.where(inside, moved + tl.load(B + row * n * m + tile, inside, 0.0), 0.0)
        tl.store(H + row * n * m + tile, state, inside)
