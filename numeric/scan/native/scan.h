/* h_t = a_t h_{t-1} + b_t and its gradients: the canonical chain of numeric/scan/reference.py, bit for bit.

   Two ways to walk the same chain, and no other: `rows` where channels lie side by side (one row of channels after the
   other, the state in a buffer that stays in the first-level cache), `columns` where time does (LANES chains at once, to
   hide the latency of the fused multiply-add, BLOCK steps at a time through buffers, since LANES rows a power of two
   apart would evict one another). A backward walks memory downwards in everything it does: a row read upwards while rows
   go down defeats the prefetcher. */

#define ROW ((int64_t)(8192 / sizeof(ELEM)))   /* channels a piece of work, a state of 8 KB */
#define WIDTH ((int64_t)(256 / sizeof(ELEM)))  /* channels at a time within it */
#define LANES 8
#define BLOCK 64
#define PITCH (BLOCK + 8) /* so that no two buffers lie a multiple of 4096 bytes apart */
#define AT(view, b, t, d) ((ELEM *)(view).data + (b) * (view).batch + (t) * (view).time + (d) * (view).channel)

#ifdef COMPLEX
static inline ELEM NAME(step)(ELEM a, ELEM h, ELEM b) {
    ELEM r = {FMA(-a.im, h.im, FMA(a.re, h.re, b.re)), FMA(a.im, h.re, FMA(a.re, h.im, b.im))};
    return r;
}
static inline ELEM NAME(conjugate)(ELEM a) {
    a.im = -a.im;
    return a;
}
static inline ELEM NAME(times_conjugate)(ELEM x, ELEM h) {
    ELEM r = {FMA(x.im, h.im, x.re * h.re), FMA(-x.re, h.im, x.im * h.re)};
    return r;
}
#else
static inline ELEM NAME(step)(ELEM a, ELEM h, ELEM b) { return FMA(a, h, b); }
static inline ELEM NAME(conjugate)(ELEM a) { return a; }
static inline ELEM NAME(times_conjugate)(ELEM x, ELEM h) { return x * h; }
#endif

/* n elements from memory of any stride: where they are, or gathered into `to`. */
static inline const ELEM *NAME(gathered)(const ELEM *from, int64_t stride, int64_t n, ELEM *to) {
    if (stride == 1) return from;
    for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
    return to;
}

static inline void NAME(load)(ELEM *restrict to, const ELEM *from, int64_t stride, int64_t n) {
    if (stride == 1)
        memcpy(to, from, (size_t)n * sizeof(ELEM));
    else if (stride == -1)
        for (int64_t i = 0; i < n; i++) to[i] = from[-i];
    else
        for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
}

static inline void NAME(unload)(ELEM *to, const ELEM *restrict from, int64_t stride, int64_t n, int64_t past_caches) {
    if (stride == 1)
        store(to, from, n * (int64_t)sizeof(ELEM), past_caches);
    else if (stride == -1)
        for (int64_t i = 0; i < n; i++) to[-i] = from[i];
    else
        for (int64_t i = 0; i < n; i++) to[i * stride] = from[i];
}

static inline void NAME(steps)(const ELEM *restrict a, ELEM *restrict s, const ELEM *restrict b, int64_t n) {
    for (int64_t i = 0; i < n; i++) s[i] = NAME(step)(a[i], s[i], b[i]);
}

static inline void NAME(adjoint_steps)(const ELEM *restrict a, ELEM *restrict s, const ELEM *restrict g,
                                       const ELEM *restrict h, ELEM *restrict da, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        s[i] = NAME(step)(NAME(conjugate)(a[i]), s[i], g[i]);
        da[i] = NAME(times_conjugate)(s[i], h[i]);
    }
}

static inline void NAME(products)(const ELEM *restrict x, ELEM *restrict h, int64_t n) {
    for (int64_t i = 0; i < n; i++) h[i] = NAME(times_conjugate)(x[i], h[i]);
}

static void NAME(forward_rows)(View a, View b, View h0, View h, int64_t i, int64_t first, int64_t n, int64_t T,
                               int64_t past_caches) {
    ELEM s[ROW], a_block[WIDTH], b_block[WIDTH];
    memset(s, 0, sizeof s);
    if (h0.data) NAME(load)(s, AT(h0, i, 0, first), h0.channel, n);
    const int64_t blocks = (n + WIDTH - 1) / WIDTH;
    for (int64_t t = 0; t < T; t++)
        for (int64_t k = 0; k < blocks; k++) {
            const int64_t d = (h.time < 0 ? blocks - 1 - k : k) * WIDTH, width = least(WIDTH, n - d);
            const ELEM *ap = NAME(gathered)(AT(a, i, t, first + d), a.channel, width, a_block);
            const ELEM *bp = NAME(gathered)(AT(b, i, t, first + d), b.channel, width, b_block);
            if (width == WIDTH)
                NAME(steps)(ap, s + d, bp, WIDTH);
            else
                NAME(steps)(ap, s + d, bp, width);
            store(AT(h, i, t, first + d), s + d, width * (int64_t)sizeof(ELEM), past_caches);
        }
}

static void NAME(backward_rows)(View g, View a, View h, View h0, View da, View db, int64_t i, int64_t first, int64_t n,
                                int64_t T, int64_t past_caches) {
    ELEM s[ROW], zero[WIDTH], a_block[WIDTH], g_block[WIDTH], h_block[WIDTH], da_block[WIDTH];
    memset(s, 0, sizeof s);
    memset(zero, 0, sizeof zero);
    const int64_t blocks = (n + WIDTH - 1) / WIDTH;
    for (int64_t t = T - 1; t >= 0; t--)
        for (int64_t k = 0; k < blocks; k++) {
            const int64_t d = (db.time > 0 ? blocks - 1 - k : k) * WIDTH, width = least(WIDTH, n - d), at = first + d;
            const ELEM *gp = NAME(gathered)(AT(g, i, t, at), g.channel, width, g_block), *ap = zero, *hp = zero;
            if (t < T - 1) ap = NAME(gathered)(AT(a, i, t + 1, at), a.channel, width, a_block);
            if (t > 0)
                hp = NAME(gathered)(AT(h, i, t - 1, at), h.channel, width, h_block);
            else if (h0.data)
                hp = NAME(gathered)(AT(h0, i, 0, at), h0.channel, width, h_block);
            if (width == WIDTH)
                NAME(adjoint_steps)(ap, s + d, gp, hp, da_block, WIDTH);
            else
                NAME(adjoint_steps)(ap, s + d, gp, hp, da_block, width);
            store(AT(db, i, t, at), s + d, width * (int64_t)sizeof(ELEM), past_caches);
            store(AT(da, i, t, at), da_block, width * (int64_t)sizeof(ELEM), past_caches);
        }
}

/* Where the n chains first, first + 1, ... lie, counted through batches and channels. */
static inline void NAME(chains)(View x, int64_t first, int64_t n, int64_t D, ELEM *at[LANES]) {
    for (int64_t r = 0; r < n; r++) at[r] = x.data ? AT(x, (first + r) / D, 0, (first + r) % D) : 0;
}

/* Steps t .. t + m - 1 of the n chains, from a place in the buffer on. Asks ahead for the block that comes next, `ahead`
   steps and `skip` chains on: so many short streams outrun the machine's own prefetcher. */
static inline void NAME(load_block)(ELEM to[LANES][PITCH], int64_t place, ELEM *const from[LANES], View x, int64_t n,
                                    int64_t t, int64_t m, int64_t ahead, int64_t skip) {
    const int64_t distance = t + ahead + skip * x.channel;
    for (int64_t r = 0; r < n; r++)
        if (m == BLOCK && x.time == 1) {
            const uintptr_t next = (uintptr_t)from[r] + (uintptr_t)(distance * (int64_t)sizeof(ELEM));
            for (uintptr_t byte = 0; byte < BLOCK * sizeof(ELEM); byte += 64)
                __builtin_prefetch((const void *)(next + byte), 0, 2);
            memcpy(to[r] + place, from[r] + t, BLOCK * sizeof(ELEM));
        } else
            NAME(load)(to[r] + place, from[r] + t * x.time, x.time, m);
}

static inline void NAME(unload_block)(ELEM *const to[LANES], ELEM from[LANES][PITCH], int64_t n, int64_t t,
                                      int64_t stride, int64_t m, int64_t past_caches) {
    for (int64_t r = 0; r < n; r++)
        if (m == BLOCK && stride == 1)
            store(to[r] + t, from[r], BLOCK * (int64_t)sizeof(ELEM), past_caches);
        else
            NAME(unload)(to[r] + t * stride, from[r], stride, m, past_caches);
}

/* Chains first .. first + n - 1, 1 <= n <= LANES. */
static void NAME(forward_columns)(View a, View b, View h0, View h, int64_t first, int64_t n, int64_t T, int64_t D,
                                  int64_t past_caches) {
    ELEM A[LANES][PITCH], H[LANES][PITCH], s[LANES], *ap[LANES], *bp[LANES], *hp[LANES], *start[LANES];
    memset(s, 0, sizeof s), memset(A, 0, sizeof A), memset(H, 0, sizeof H); /* idle lanes compute on zeros */
    NAME(chains)(a, first, n, D, ap), NAME(chains)(b, first, n, D, bp), NAME(chains)(h, first, n, D, hp);
    NAME(chains)(h0, first, n, D, start);
    for (int64_t r = 0; r < n && h0.data; r++) s[r] = *start[r];
    for (int64_t t = 0; t < T; t += BLOCK) {
        const int64_t m = least(BLOCK, T - t), more = t + BLOCK < T;
        const int64_t ahead = more ? BLOCK : -t, skip = more ? 0 : LANES;
        NAME(load_block)(A, 0, ap, a, n, t, m, ahead, skip);
        NAME(load_block)(H, 0, bp, b, n, t, m, ahead, skip);
        for (int64_t k = 0; k < m; k++)
            for (int r = 0; r < LANES; r++) H[r][k] = s[r] = NAME(step)(A[r][k], s[r], H[r][k]);
        NAME(unload_block)(hp, H, n, t, h.time, m, past_caches);
    }
}

static void NAME(backward_columns)(View g, View a, View h, View h0, View da, View db, int64_t first, int64_t n,
                                   int64_t T, int64_t D, int64_t past_caches) {
    ELEM A[LANES][PITCH], G[LANES][PITCH], H[LANES][PITCH], s[LANES], next[LANES];
    ELEM *ap[LANES], *gp[LANES], *hp[LANES], *dap[LANES], *dbp[LANES], *start[LANES];
    memset(s, 0, sizeof s), memset(next, 0, sizeof next); /* idle lanes compute on zeros */
    memset(A, 0, sizeof A), memset(G, 0, sizeof G), memset(H, 0, sizeof H);
    NAME(chains)(g, first, n, D, gp), NAME(chains)(a, first, n, D, ap), NAME(chains)(h, first, n, D, hp);
    NAME(chains)(da, first, n, D, dap), NAME(chains)(db, first, n, D, dbp);
    NAME(chains)(h0, first, n, D, start);
    const int64_t last = (T - 1) / BLOCK * BLOCK;
    for (int64_t t = last; t >= 0; t -= BLOCK) {
        const int64_t m = least(BLOCK, T - t), ahead = t > 0 ? -BLOCK : last, skip = t > 0 ? 0 : -LANES;
        NAME(load_block)(A, 0, ap, a, n, t, m, ahead, skip);
        NAME(load_block)(G, 0, gp, g, n, t, m, ahead, skip);
        /* one place on, so that H[r][k] is h_{t+k-1} */
        NAME(load_block)(H, 1, hp, h, n, t, m, ahead, skip);
        for (int r = 0; r < LANES; r++) s[r] = NAME(step)(NAME(conjugate)(next[r]), s[r], G[r][m - 1]), next[r] = A[r][0];
        for (int64_t k = m - 1; k > 0; k--)
            for (int r = 0; r < LANES; r++) {
                const ELEM cotangent = G[r][k - 1];
                G[r][k] = s[r];
                s[r] = NAME(step)(NAME(conjugate)(A[r][k]), s[r], cotangent);
            }
        for (int64_t r = 0; r < n; r++) {
            const ELEM *before = t > 0 ? hp[r] + (t - 1) * h.time : start[r];
            G[r][0] = s[r];
            if (before)
                H[r][0] = *before;
            else
                memset(&H[r][0], 0, sizeof(ELEM));
            NAME(products)(G[r], H[r], m);
        }
        NAME(unload_block)(dbp, G, n, t, db.time, m, past_caches);
        NAME(unload_block)(dap, H, n, t, da.time, m, past_caches);
    }
}

/* Rows where the output's channels lie side by side and a row of them outweighs a step's overhead, else columns. */
static inline int NAME(in_rows)(View out, int64_t D) { return out.channel == 1 && D >= 6; }

void NAME(scan)(const View *a, const View *b, const View *h0, const View *h, int64_t B, int64_t T, int64_t D,
                int64_t past_caches, int64_t threads) {
    const int rows = NAME(in_rows)(*h, D);
    const int64_t pieces = rows ? (D + ROW - 1) / ROW : 1, all = rows ? B * pieces : (B * D + LANES - 1) / LANES;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t w = 0; w < all; w++) {
        const unsigned arithmetic = standard_arithmetic();
        if (rows) {
            const int64_t i = w / pieces, d = w % pieces * ROW;
            NAME(forward_rows)(*a, *b, *h0, *h, i, d, least(ROW, D - d), T, past_caches);
        } else
            NAME(forward_columns)(*a, *b, *h0, *h, w * LANES, least(LANES, B * D - w * LANES), T, D, past_caches);
        if (past_caches) finish_stores();
        restore_arithmetic(arithmetic);
    }
}

void NAME(scan_backward)(const View *g, const View *a, const View *h, const View *h0, const View *da, const View *db,
                         int64_t B, int64_t T, int64_t D, int64_t past_caches, int64_t threads) {
    const int rows = NAME(in_rows)(*db, D);
    const int64_t pieces = rows ? (D + ROW - 1) / ROW : 1, all = rows ? B * pieces : (B * D + LANES - 1) / LANES;
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t w = all - 1; w >= 0; w--) {
        const unsigned arithmetic = standard_arithmetic();
        if (rows) {
            const int64_t i = w / pieces, d = w % pieces * ROW;
            NAME(backward_rows)(*g, *a, *h, *h0, *da, *db, i, d, least(ROW, D - d), T, past_caches);
        } else
            NAME(backward_columns)(*g, *a, *h, *h0, *da, *db, w * LANES, least(LANES, B * D - w * LANES), T, D,
                                   past_caches);
        if (past_caches) finish_stores();
        restore_arithmetic(arithmetic);
    }
}

#undef ROW
#undef WIDTH
#undef LANES
#undef BLOCK
#undef PITCH
#undef AT
