/* h_t = a_t h_{t-1} + b_t and its gradients: the canonical chain of numeric/scan/reference.py, bit for bit.

   Two ways to walk the same chain, and no other: `rows` where channels lie side by side (one row of channels after the
   other, the state in a buffer that stays in the first-level cache), `columns` where time does (LANES chains at once, a
   TILE of steps transposed so that they lie side by side, and the results back, to leave BLOCK steps together). A
   backward walks memory downwards: a row read upwards while rows go down defeats the prefetcher. */

#define ROW ((int64_t)(8192 / sizeof(ELEM)))   /* channels a piece of work, a state of 8 KB */
#define WIDTH ((int64_t)(256 / sizeof(ELEM)))  /* channels at a time within it */
#define LANES 8
#define BLOCK 64
#define TILE ((int64_t)(64 / sizeof(ELEM)))    /* a line of memory */
#define PITCH (BLOCK + 8)                      /* so that no two rows lie a power of two apart */
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

/* A step of LANES chains, their states in registers from one step to the next: the states take the place of the inputs
   x, and in a backward, the products with the states h before them that of h. By name where there is an instruction, for
   a compiler does not always find it; 32 bytes at a time, for what is stored in two parts is slow to load as one. */
#if defined(PACKED_FMA) && !defined(COMPLEX)
typedef REAL NAME(Part) __attribute__((vector_size(32)));
#define PARTS ((int)(LANES * sizeof(REAL) / 32))
typedef struct {
    NAME(Part) part[LANES * sizeof(REAL) / 32];
} NAME(States);

static inline void NAME(advance)(const NAME(Part) *a, NAME(States) *s, NAME(Part) *x) {
    for (int r = 0; r < PARTS; r++) x[r] = s->part[r] = PACKED_FMA(a[r], s->part[r], x[r]);
}

static inline void NAME(retreat)(const NAME(Part) *a, NAME(States) *s, NAME(Part) *x, NAME(Part) *h) {
    NAME(advance)(a, s, x);
    for (int r = 0; r < PARTS; r++) h[r] *= s->part[r];
}
#undef PARTS
#else
typedef ELEM NAME(Part);
typedef struct {
    ELEM lane[LANES];
} NAME(States);

static inline void NAME(advance)(const ELEM *a, NAME(States) *s, ELEM *x) {
    for (int r = 0; r < LANES; r++) s->lane[r] = NAME(step)(a[r], s->lane[r], x[r]);
    memcpy(x, s, sizeof *s);
}

static inline void NAME(retreat)(const ELEM *a, NAME(States) *s, ELEM *x, ELEM *h) {
    for (int r = 0; r < LANES; r++) s->lane[r] = NAME(step)(NAME(conjugate)(a[r]), s->lane[r], x[r]);
    for (int r = 0; r < LANES; r++) h[r] = NAME(times_conjugate)(s->lane[r], h[r]);
    memcpy(x, s, sizeof *s);
}
#endif

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

/* Steps t .. t + m - 1 <= t + TILE - 1 of the n chains, to one row of LANES a step. Asks for what lies `ahead` of them:
   so many short streams outrun the machine's own prefetcher. */
static inline void NAME(load_tile)(ELEM (*to)[LANES], ELEM *const from[LANES], int64_t stride, int64_t n, int64_t t,
                                   int64_t m, int64_t ahead) {
    if (n == LANES && stride == 1 && m == TILE) {
        for (int64_t r = 0; r < LANES; r++)
            __builtin_prefetch((const void *)((uintptr_t)from[r] + (uintptr_t)(t + ahead) * sizeof(ELEM)), 0, 2);
        for (int64_t k = 0; k < TILE; k += SQUARE)
            for (int64_t r = 0; r < LANES; r += SQUARE) {
                const void *rows[SQUARE];
                for (int64_t i = 0; i < SQUARE; i++) rows[i] = from[r + i] + t + k;
                TURN(rows, &to[k][r], sizeof to[0]);
            }
    } else
        for (int64_t r = 0; r < n; r++)
            for (int64_t k = 0; k < m; k++) to[k][r] = from[r][(t + k) * stride];
}

/* TILE steps to one row a chain: whole lines leave together later, as stores past the caches want it. */
static inline void NAME(unload_tile)(ELEM (*to)[PITCH], ELEM (*from)[LANES]) {
    for (int64_t k = 0; k < TILE; k += SQUARE)
        for (int64_t r = 0; r < LANES; r += SQUARE) {
            const void *rows[SQUARE];
            for (int64_t i = 0; i < SQUARE; i++) rows[i] = &from[k + i][r];
            TURN(rows, &to[r][k], sizeof to[0]);
        }
}

/* Steps t .. t + m - 1 of the n chains, from a block of rows. */
static inline void NAME(unload_block)(ELEM *const to[LANES], ELEM (*from)[PITCH], int64_t n, int64_t t, int64_t stride,
                                      int64_t m, int64_t past_caches) {
    for (int64_t r = 0; r < n; r++) NAME(unload)(to[r] + t * stride, from[r], stride, m, past_caches);
}

/* Chains first .. first + n - 1, 1 <= n <= LANES. */
static void NAME(forward_columns)(View a, View b, View h0, View h, int64_t first, int64_t n, int64_t T, int64_t D,
                                  int64_t past_caches) {
    ALIGNED ELEM A[TILE][LANES], H[TILE][LANES], out[LANES][PITCH], *ap[LANES], *bp[LANES], *hp[LANES], *start[LANES];
    memset(A, 0, sizeof A), memset(H, 0, sizeof H); /* idle lanes compute on zeros */
    NAME(chains)(a, first, n, D, ap), NAME(chains)(b, first, n, D, bp), NAME(chains)(h, first, n, D, hp);
    NAME(chains)(h0, first, n, D, start);
    for (int64_t r = 0; r < n && h0.data; r++) H[0][r] = *start[r];
    NAME(States) s;
    memcpy(&s, H[0], sizeof s);
    for (int64_t t = 0; t < T; t += BLOCK) {
        const int64_t m = least(BLOCK, T - t), more = t + BLOCK < T;
        for (int64_t k = 0; k < m; k += TILE) {
            NAME(load_tile)(A, ap, a.time, n, t + k, least(TILE, m - k), more ? BLOCK : LANES * a.channel - t);
            NAME(load_tile)(H, bp, b.time, n, t + k, least(TILE, m - k), more ? BLOCK : LANES * b.channel - t);
            for (int64_t j = 0; j < TILE; j++) NAME(advance)((NAME(Part) *)A[j], &s, (NAME(Part) *)H[j]);
            NAME(unload_tile)((ELEM (*)[PITCH])&out[0][k], H);
        }
        NAME(unload_block)(hp, out, n, t, h.time, m, past_caches);
    }
}

static void NAME(backward_columns)(View g, View a, View h, View h0, View da, View db, int64_t first, int64_t n,
                                   int64_t T, int64_t D, int64_t past_caches) {
    /* A[j + 1] is the gate after step j, H[j] the state before it. */
    ALIGNED ELEM A[TILE + 1][LANES], G[TILE][LANES], H[TILE + 1][LANES], da_out[LANES][PITCH], db_out[LANES][PITCH];
    ELEM *ap[LANES], *gp[LANES], *hp[LANES], *dap[LANES], *dbp[LANES], *start[LANES];
    NAME(States) s;
    memset(&s, 0, sizeof s), memset(A, 0, sizeof A), memset(G, 0, sizeof G), memset(H, 0, sizeof H);
    NAME(chains)(g, first, n, D, gp), NAME(chains)(a, first, n, D, ap), NAME(chains)(h, first, n, D, hp);
    NAME(chains)(da, first, n, D, dap), NAME(chains)(db, first, n, D, dbp);
    NAME(chains)(h0, first, n, D, start);
    const int64_t last = (T - 1) / BLOCK * BLOCK;
    for (int64_t t = last; t >= 0; t -= BLOCK) {
        const int64_t m = least(BLOCK, T - t), more = t > 0;
        for (int64_t k = (m - 1) / TILE * TILE; k >= 0; k -= TILE) {
            const int64_t steps = least(TILE, m - k);
            memcpy(A[steps], A[0], sizeof A[0]);
            NAME(load_tile)(A, ap, a.time, n, t + k, steps, more ? -BLOCK : last - LANES * a.channel);
            NAME(load_tile)(G, gp, g.time, n, t + k, steps, more ? -BLOCK : last - LANES * g.channel);
            NAME(load_tile)(H + 1, hp, h.time, n, t + k, steps, more ? -BLOCK : last - LANES * h.channel);
            for (int64_t r = 0; r < n; r++)
                if (t + k > 0)
                    H[0][r] = hp[r][(t + k - 1) * h.time];
                else if (start[r])
                    H[0][r] = *start[r];
                else
                    memset(&H[0][r], 0, sizeof(ELEM));
            for (int64_t j = steps - 1; j >= 0; j--)
                NAME(retreat)((NAME(Part) *)A[j + 1], &s, (NAME(Part) *)G[j], (NAME(Part) *)H[j]);
            NAME(unload_tile)((ELEM (*)[PITCH])&db_out[0][k], G);
            NAME(unload_tile)((ELEM (*)[PITCH])&da_out[0][k], H);
        }
        NAME(unload_block)(dbp, db_out, n, t, db.time, m, past_caches);
        NAME(unload_block)(dap, da_out, n, t, da.time, m, past_caches);
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
#undef TILE
#undef PITCH
#undef AT
#undef SQUARE
#undef TURN
