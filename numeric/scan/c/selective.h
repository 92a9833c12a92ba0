/* S6: h_t = exp(delta_t A) h_{t-1} + delta_t x_t B_t, y_t = C_t h_t, for each channel on its own.

   x delta y (B, T, d), A (B, d, n), B C (B, T, n), h (B, d, n). The (B, T, d, n) states never leave the cache:
   kept (B, ceil(T / CHUNK), d, n) has those before each CHUNK of steps, and the backward recomputes the rest.
   Gradients of B and C come as one part for each group of LANES, (B, T, groups, n).

   exponential: argument reduction by multiples of ln 2 in two parts, then Taylor's polynomial of degree DEGREE; within
   1.5 ulp of exp (tests/numeric/scan/test_kernels.py measures it), 0 and infinity where exp rounds to them. */

static inline REAL NAME(exponential)(REAL x) {
    x = x < LEAST_EXPONENT ? (REAL)LEAST_EXPONENT : x;
    x = x > LARGEST_EXPONENT ? (REAL)LARGEST_EXPONENT : x;
    REAL k = FMA(x, (REAL)1.4426950408889634074, (REAL)ROUNDER) - (REAL)ROUNDER; /* round(x / ln 2) */
    const REAL r = FMA(-k, (REAL)LN2_LOW, FMA(-k, (REAL)LN2_HIGH, x));
    REAL p = (REAL)1 / FACTORIAL[DEGREE];
    for (int i = DEGREE - 1; i >= 0; i--) p = FMA(p, r, (REAL)1 / FACTORIAL[i]);
    k = k == k ? k : 0; /* a NaN, which p has by now, is no integer */
    const INTEGER whole = (INTEGER)(int32_t)k, half = whole >> 1;
    union { INTEGER bits; REAL value; } first = {(half + BIAS) << MANTISSA}, second = {(whole - half + BIAS) << MANTISSA};
    return p * first.value * second.value; /* in two steps: 2^k alone may be subnormal or infinite */
}

/* One step of the state; gates receives exp(delta A). */
static inline void NAME(selective_step)(NAME(Lanes) *restrict h, NAME(Lanes) *restrict A, const REAL *delta,
                                        const REAL *x, const REAL *B, int64_t n, NAME(Lanes) *restrict gates) {
    REAL input[LANES];
    for (int c = 0; c < LANES; c++) input[c] = delta[c] * x[c];
    for (int64_t j = 0; j < n; j++)
        for (int c = 0; c < LANES; c++) {
            gates[j][c] = NAME(exponential)(delta[c] * A[j][c]);
            h[j][c] = FMA(gates[j][c], h[j][c], input[c] * B[j]);
        }
}

static void NAME(selective_forward)(View x, View delta, View A, View B, View C, View h0, View y, View h_T, View kept,
                                    int64_t i, int64_t first, int64_t count, int64_t T, int64_t n) {
    NAME(Lanes) rates[n], state[n], gates[n];
    REAL in[n], out[n], step[LANES], input[LANES];
    NAME(state_load)(A, i, 0, first, count, n, rates), NAME(state_load)(h0, i, 0, first, count, n, state);
    for (int64_t t = 0; t < T; t++) {
        if (kept.data && t % CHUNK == 0) NAME(state_store)(kept, i, t / CHUNK, first, count, n, state);
        NAME(vector)(B, i, t, n, in), NAME(vector)(C, i, t, n, out);
        NAME(lanes_load)(delta, i, t, first, count, step), NAME(lanes_load)(x, i, t, first, count, input);
        NAME(selective_step)(state, rates, step, input, in, n, gates);
        REAL sum[LANES] = {0};
        for (int64_t j = 0; j < n; j++)
            for (int c = 0; c < LANES; c++) sum[c] = FMA(out[j], state[j][c], sum[c]);
        NAME(lanes_store)(y, i, t, first, count, sum);
    }
    NAME(state_store)(h_T, i, 0, first, count, n, state);
}

static void NAME(selective_backward)(View gy, View gh, View x, View delta, View A, View B, View C, View kept, View dx,
                                     View ddelta, View dA, View dB, View dC, View dh0, NAME(Lanes) *states,
                                     NAME(Lanes) *gates, int64_t i, int64_t first, int64_t count, int64_t T, int64_t n) {
    NAME(Lanes) rates[n], carried[n], d_rates[n]; /* carried: a_{t+1} times the adjoint state of t + 1 */
    REAL in[n], out[n], step[LANES], input[LANES], cotangent[LANES];
    memset(d_rates, 0, (size_t)n * sizeof *d_rates);
    NAME(state_load)(A, i, 0, first, count, n, rates), NAME(state_load)(gh, i, 0, first, count, n, carried);
    for (int64_t start = (T - 1) / CHUNK * CHUNK; start >= 0; start -= CHUNK) {
        const int64_t steps = least(CHUNK, T - start);
        NAME(state_load)(kept, i, start / CHUNK, first, count, n, states);
        for (int64_t s = 0; s < steps; s++) {
            NAME(vector)(B, i, start + s, n, in);
            NAME(lanes_load)(delta, i, start + s, first, count, step);
            NAME(lanes_load)(x, i, start + s, first, count, input);
            memcpy(states + (s + 1) * n, states + s * n, (size_t)n * sizeof *states);
            NAME(selective_step)(states + (s + 1) * n, rates, step, input, in, n, gates + s * n);
        }
        for (int64_t s = steps - 1; s >= 0; s--) {
            const int64_t t = start + s;
            NAME(Lanes) *before = states + s * n, *after = before + n, *gate = gates + s * n;
            REAL d_step[LANES] = {0}, d_input[LANES] = {0};
            NAME(vector)(B, i, t, n, in), NAME(vector)(C, i, t, n, out);
            NAME(lanes_load)(delta, i, t, first, count, step), NAME(lanes_load)(x, i, t, first, count, input);
            NAME(lanes_load)(gy, i, t, first, count, cotangent);
            for (int64_t j = 0; j < n; j++) {
                REAL of_out[LANES], of_in[LANES];
                for (int c = 0; c < LANES; c++) {
                    const REAL adjoint = FMA(out[j], cotangent[c], carried[j][c]);
                    carried[j][c] = gate[j][c] * adjoint;
                    const REAL through_gate = carried[j][c] * before[j][c]; /* the cotangent of delta A */
                    d_rates[j][c] = FMA(through_gate, step[c], d_rates[j][c]);
                    d_step[c] = FMA(through_gate, rates[j][c], d_step[c]);
                    d_input[c] = FMA(adjoint, in[j], d_input[c]);
                    of_in[c] = adjoint * (step[c] * input[c]);
                    of_out[c] = cotangent[c] * after[j][c];
                }
                AT(dB, i, t, first / LANES)[j] = NAME(sum)(of_in);
                AT(dC, i, t, first / LANES)[j] = NAME(sum)(of_out);
            }
            for (int c = 0; c < LANES; c++) {
                d_step[c] = FMA(d_input[c], input[c], d_step[c]);
                d_input[c] *= step[c];
            }
            NAME(lanes_store)(ddelta, i, t, first, count, d_step), NAME(lanes_store)(dx, i, t, first, count, d_input);
        }
    }
    NAME(state_store)(dA, i, 0, first, count, n, d_rates), NAME(state_store)(dh0, i, 0, first, count, n, carried);
}

void NAME(selective_scan)(const View *x, const View *delta, const View *A, const View *B, const View *C, const View *h0,
                          const View *y, const View *h_T, const View *kept, int64_t batch, int64_t T, int64_t d, int64_t n,
                          int64_t threads) {
    const int64_t groups = (d + LANES - 1) / LANES;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t u = 0; u < batch * groups; u++) {
        const unsigned arithmetic = standard_arithmetic();
        const int64_t first = u % groups * LANES;
        NAME(selective_forward)(*x, *delta, *A, *B, *C, *h0, *y, *h_T, *kept, u / groups, first, least(LANES, d - first),
                                T, n);
        restore_arithmetic(arithmetic);
    }
}

/* workspace: (2 CHUNK + 1) n LANES numbers a thread. */
void NAME(selective_scan_backward)(const View *gy, const View *gh, const View *x, const View *delta, const View *A,
                                   const View *B, const View *C, const View *kept, const View *dx, const View *ddelta,
                                   const View *dA, const View *dB, const View *dC, const View *dh0, REAL *workspace,
                                   int64_t batch, int64_t T, int64_t d, int64_t n, int64_t threads) {
    const int64_t groups = (d + LANES - 1) / LANES;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t u = 0; u < batch * groups; u++) {
        const unsigned arithmetic = standard_arithmetic();
        const int64_t first = u % groups * LANES;
        NAME(Lanes) *states = (NAME(Lanes) *)workspace + thread_number() * (2 * CHUNK + 1) * n;
        NAME(selective_backward)(*gy, *gh, *x, *delta, *A, *B, *C, *kept, *dx, *ddelta, *dA, *dB, *dC, *dh0, states,
                                 states + (CHUNK + 1) * n, u / groups, first, least(LANES, d - first), T, n);
        restore_arithmetic(arithmetic);
    }
}
