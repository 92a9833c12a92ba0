/* The delta rule, S_t = S_{t-1} + r (v - S_{t-1} k) k', y_t = S_t q_t: each channel (row of S) on its own.

   q k (B, T, n), v r y (B, T, d), S (B, d, n). Products over n run upwards through fused multiply-adds.
   kept (B, ceil(T / CHUNK), d, n): the states before each CHUNK of steps, for the backward, which recomputes the others.
   Gradients of q and k, which all channels share, come as one part for each group of LANES, (B, T, groups, n): the
   caller adds them up, so that no result depends on which thread was first. */

static inline void NAME(delta_write)(NAME(Lanes) *restrict S, const REAL *k, const REAL *v, const REAL *r, int64_t n,
                                     REAL *restrict w) {
    REAL held[LANES] = {0};
    for (int64_t j = 0; j < n; j++)
        for (int c = 0; c < LANES; c++) held[c] = FMA(S[j][c], k[j], held[c]);
    for (int c = 0; c < LANES; c++) w[c] = v[c] - held[c];
    for (int64_t j = 0; j < n; j++)
        for (int c = 0; c < LANES; c++) S[j][c] = FMA(r[c] * w[c], k[j], S[j][c]);
}

static inline const REAL *NAME(vector)(View x, int64_t i, int64_t t, int64_t n, REAL *to) {
    for (int64_t j = 0; j < n; j++) to[j] = *AT(x, i, t, j);
    return to;
}

static void NAME(delta_forward)(View q, View k, View v, View r, View S0, View y, View S_T, View S, View kept, int64_t i,
                                int64_t first, int64_t count, int64_t T, int64_t n) {
    NAME(Lanes) state[n];
    REAL key[n], query[n], value[LANES], strength[LANES], w[LANES];
    NAME(state_load)(S0, i, 0, first, count, n, state);
    for (int64_t t = 0; t < T; t++) {
        if (kept.data && t % CHUNK == 0) NAME(state_store)(kept, i, t / CHUNK, first, count, n, state);
        NAME(vector)(k, i, t, n, key), NAME(vector)(q, i, t, n, query);
        NAME(lanes_load)(v, i, t, first, count, value), NAME(lanes_load)(r, i, t, first, count, strength);
        NAME(delta_write)(state, key, value, strength, n, w);
        REAL out[LANES] = {0};
        for (int64_t j = 0; j < n; j++)
            for (int c = 0; c < LANES; c++) out[c] = FMA(state[j][c], query[j], out[c]);
        NAME(lanes_store)(y, i, t, first, count, out);
        if (S.data) NAME(state_store)(S, i, t, first, count, n, state);
    }
    NAME(state_store)(S_T, i, 0, first, count, n, state);
}

/* With g the cotangent of S_t, y's included, and e = g k:  dv = r e,  dr = w e,  dS_{t-1} = g - r e k',
   dq = S_t' dy  and  dk = g' (r w) - S_{t-1}' (r e). */
static void NAME(delta_backward)(View gy, View gS, View q, View k, View v, View r, View kept, View dq, View dk, View dv,
                                 View dr, View dS0, NAME(Lanes) *states, int64_t i, int64_t first, int64_t count,
                                 int64_t T, int64_t n) {
    NAME(Lanes) g[n];
    REAL key[n], query[n], value[LANES], strength[LANES], w[CHUNK][LANES], cotangent[LANES];
    NAME(state_load)(gS, i, 0, first, count, n, g);
    for (int64_t start = (T - 1) / CHUNK * CHUNK; start >= 0; start -= CHUNK) {
        const int64_t steps = least(CHUNK, T - start);
        NAME(state_load)(kept, i, start / CHUNK, first, count, n, states);
        for (int64_t s = 0; s < steps; s++) {
            NAME(vector)(k, i, start + s, n, key);
            NAME(lanes_load)(v, i, start + s, first, count, value);
            NAME(lanes_load)(r, i, start + s, first, count, strength);
            memcpy(states + (s + 1) * n, states + s * n, (size_t)n * sizeof *states);
            NAME(delta_write)(states + (s + 1) * n, key, value, strength, n, w[s]);
        }
        for (int64_t s = steps - 1; s >= 0; s--) {
            const int64_t t = start + s;
            NAME(Lanes) *before = states + s * n, *after = before + n;
            REAL e[LANES] = {0}, dw[LANES];
            NAME(vector)(k, i, t, n, key), NAME(vector)(q, i, t, n, query);
            NAME(lanes_load)(gy, i, t, first, count, cotangent), NAME(lanes_load)(r, i, t, first, count, strength);
            for (int64_t j = 0; j < n; j++) {
                REAL part[LANES];
                for (int c = 0; c < LANES; c++) {
                    g[j][c] = FMA(cotangent[c], query[j], g[j][c]);
                    e[c] = FMA(g[j][c], key[j], e[c]);
                    part[c] = cotangent[c] * after[j][c];
                }
                AT(dq, i, t, first / LANES)[j] = NAME(sum)(part);
            }
            for (int c = 0; c < LANES; c++) dw[c] = strength[c] * e[c], e[c] *= w[s][c];
            NAME(lanes_store)(dv, i, t, first, count, dw), NAME(lanes_store)(dr, i, t, first, count, e);
            for (int64_t j = 0; j < n; j++) {
                REAL part[LANES];
                for (int c = 0; c < LANES; c++) {
                    part[c] = FMA(strength[c] * w[s][c], g[j][c], -dw[c] * before[j][c]);
                    g[j][c] = FMA(-dw[c], key[j], g[j][c]);
                }
                AT(dk, i, t, first / LANES)[j] = NAME(sum)(part);
            }
        }
    }
    NAME(state_store)(dS0, i, 0, first, count, n, g);
}

void NAME(delta_scan)(const View *q, const View *k, const View *v, const View *r, const View *S0, const View *y,
                      const View *S_T, const View *S, const View *kept, int64_t batch, int64_t T, int64_t d, int64_t n,
                      int64_t threads) {
    const int64_t groups = (d + LANES - 1) / LANES;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t u = 0; u < batch * groups; u++) {
        const unsigned arithmetic = standard_arithmetic();
        const int64_t first = u % groups * LANES;
        NAME(delta_forward)(*q, *k, *v, *r, *S0, *y, *S_T, *S, *kept, u / groups, first, least(LANES, d - first), T, n);
        restore_arithmetic(arithmetic);
    }
}

/* workspace: (CHUNK + 1) n LANES numbers a thread. */
void NAME(delta_scan_backward)(const View *gy, const View *gS, const View *q, const View *k, const View *v, const View *r,
                               const View *kept, const View *dq, const View *dk, const View *dv, const View *dr,
                               const View *dS0, REAL *workspace, int64_t batch, int64_t T, int64_t d, int64_t n,
                               int64_t threads) {
    const int64_t groups = (d + LANES - 1) / LANES;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t u = 0; u < batch * groups; u++) {
        const unsigned arithmetic = standard_arithmetic();
        const int64_t first = u % groups * LANES;
        NAME(Lanes) *states = (NAME(Lanes) *)workspace + thread_number() * (CHUNK + 1) * n;
        NAME(delta_backward)(*gy, *gS, *q, *k, *v, *r, *kept, *dq, *dk, *dv, *dr, *dS0, states, u / groups, first,
                             least(LANES, d - first), T, n);
        restore_arithmetic(arithmetic);
    }
}
