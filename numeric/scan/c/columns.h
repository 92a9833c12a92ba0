/* Time side by side: a tile of LANES chains and as many steps is transposed (tiles.h), so that its rows are steps, and the
   results back. They go straight to memory where whole lines fit, else by a block of rows. */

#define LANES ((int64_t)(LINE / sizeof(ELEM)))
#define BLOCK 128             /* steps */
#define PITCH (BLOCK + LANES) /* whole lines, yet no two rows a power of two apart */
#define PARTS ((int)(LINE / sizeof(NAME(Part))))

/* A step of LANES chains. States stay in registers from one step to the next and take the place of the inputs x; a
   backward gives also their products with the states h before them. */
typedef struct {
    NAME(Part) part[PARTS];
} NAME(Row);

INLINED void NAME(advance)(const NAME(Row) *a, NAME(Row) *s, NAME(Row) *x) {
    for (int r = 0; r < PARTS; r++) x->part[r] = s->part[r] = NAME(part_step)(a->part[r], s->part[r], x->part[r]);
}

INLINED void NAME(retreat)(const NAME(Row) *a, NAME(Row) *s, NAME(Row) *x, const NAME(Row) *h, NAME(Row) *products) {
    for (int r = 0; r < PARTS; r++) {
        x->part[r] = s->part[r] = NAME(part_step)(NAME(part_conjugate)(a->part[r]), s->part[r], x->part[r]);
        products->part[r] = NAME(part_times_conjugate)(s->part[r], h->part[r]);
    }
}

/* At most BLOCK elements. */
static inline void NAME(unload)(ELEM *to, const ELEM *restrict from, int64_t stride, int64_t n, int64_t past_caches) {
    ELEM turned[BLOCK];
    if (stride == -1) {
        for (int64_t i = 0; i < n; i++) turned[n - 1 - i] = from[i];
        to -= n - 1, from = turned, stride = 1;
    }
    if (stride == 1)
        store(to, from, n * (int64_t)sizeof(ELEM), past_caches);
    else
        for (int64_t i = 0; i < n; i++) to[i * stride] = from[i];
}

/* Where the n chains first, first + 1, ... lie, counted through batches and channels. Idle lanes repeat the first. */
static inline void NAME(chains)(View x, int64_t first, int64_t n, int64_t D, ELEM *at[LANES]) {
    for (int64_t r = 0; r < LANES; r++) {
        const int64_t chain = first + (r < n ? r : 0);
        at[r] = x.data ? AT(x, chain / D, 0, chain % D) : 0;
    }
}

/* Where a tile of n chains is gathered that do not lie in whole lines. */
typedef struct {
    int64_t n;
    ELEM row[LANES][LANES], *at[LANES];
} NAME(Gathered);

static inline void NAME(gather_for)(NAME(Gathered) *gathered, int64_t n) {
    gathered->n = n;
    for (int64_t r = 0; r < LANES; r++) gathered->at[r] = gathered->row[r < n ? r : 0];
}

/* One step of the chains, zero where there are none. */
INLINED NAME(Row) NAME(row)(ELEM *const *from, int64_t at) {
    ELEM lane[LANES];
    NAME(Row) row;
    memset(lane, 0, sizeof lane);
    for (int64_t r = 0; r < LANES && from[r]; r++) lane[r] = from[r][at];
    memcpy(&row, lane, sizeof row);
    return row;
}

/* From a chain's start to the step `by` after t, or before it; beyond the first and the last, to a step of the chains
   that come next. */
INLINED int64_t NAME(onward)(View x, int64_t t, int64_t by, int64_t T) {
    const int64_t u = t + by;
    return u >= T ? (u - T) * x.time + LANES * x.channel : u < 0 ? (u + T) * x.time - LANES * x.channel : u * x.time;
}

/* So many short streams outrun the machine's own prefetcher, and its memory of where pages are: asks for the lines of a
   tile half a BLOCK ahead, and, for one chain a tile, in time to find the page, for a line far ahead. */
INLINED void NAME(ask)(const ELEM *from, int64_t at) {
    __builtin_prefetch((const void *)((uintptr_t)from + (uintptr_t)at * sizeof(ELEM)));
}

INLINED void NAME(ask_page)(ELEM *const *from, View x, int64_t t, int64_t direction, int64_t T) {
    NAME(ask)(from[t / LANES % LANES], NAME(onward)(x, t, 3 * BLOCK * direction, T));
}

INLINED void NAME(ask_tile)(ELEM *const *from, View x, int64_t t, int64_t direction, int64_t T) {
    const int64_t next = NAME(onward)(x, t, BLOCK / 2 * direction, T);
    for (int64_t r = 0; r < LANES; r++) NAME(ask)(from[r], next);
    NAME(ask_page)(from, x, t, direction, T);
}

/* Steps t .. t + m - 1 <= t + LANES - 1 of the chains, to one row of LANES a step; absent steps are zero. `direction` is
   that of the walk: 1 or -1. */
INLINED void NAME(load_tile)(NAME(Row) *to, ELEM *const *from, View x, int64_t t, int64_t m, int64_t direction,
                             int64_t T, NAME(Gathered) *gathered) {
    if (x.time == 1 || x.time == -1) NAME(ask_tile)(from, x, t, direction, T);
    if (x.time != 1 || m < LANES) {
        if (m < LANES) memset(gathered->row, 0, sizeof gathered->row);
        for (int64_t r = 0; r < gathered->n; r++) NAME(load)(gathered->row[r], from[r] + t * x.time, x.time, m);
        from = gathered->at, t = 0;
    }
    load_columns((char *)to, (const char *const *)from, t * (int64_t)sizeof(ELEM), sizeof(ELEM));
}

INLINED void NAME(store_tile)(ELEM *const to[LANES], int64_t t, NAME(Row) *from, int64_t past_caches) {
    store_columns((char *const *)to, t * (int64_t)sizeof(ELEM), (const char *)from, sizeof(ELEM), past_caches);
}

/* Whether tiles of the n chains may go straight to memory, as whole lines. Others leave through a block of rows. */
static inline int64_t NAME(by_lines)(ELEM *const to[LANES], int64_t stride, int64_t n, int64_t T) {
    uintptr_t places = 0;
    for (int64_t r = 0; r < n; r++) places |= (uintptr_t)to[r];
    return n == LANES && stride == 1 && T % LANES == 0 && places % LINE == 0;
}

typedef struct {
    ALIGNED ELEM row[LANES][PITCH];
    ELEM *at[LANES];
} NAME(Block);

static inline void NAME(block_start)(NAME(Block) *block) {
    for (int64_t r = 0; r < LANES; r++) block->at[r] = block->row[r];
}

/* Steps t .. t + m - 1 of the n chains, from a block of rows: whole lines of a row leave together, as stores past the
   caches want it. */
static inline void NAME(unload_block)(ELEM *const to[LANES], const NAME(Block) *block, int64_t n, int64_t t,
                                      int64_t stride, int64_t m, int64_t past_caches) {
    for (int64_t r = 0; r < n; r++) NAME(unload)(to[r] + t * stride, block->row[r], stride, m, past_caches);
}

/* Chains first .. first + n - 1, 1 <= n <= LANES. */
static void NAME(forward_columns)(View a, View b, View h0, View h, int64_t first, int64_t n, int64_t T, int64_t D,
                                  int64_t past_caches) {
    ELEM *ap[LANES], *bp[LANES], *hp[LANES], *start[LANES];
    NAME(chains)(a, first, n, D, ap), NAME(chains)(b, first, n, D, bp), NAME(chains)(h, first, n, D, hp);
    NAME(chains)(h0, first, n, D, start);
    NAME(Gathered) gathered;
    NAME(gather_for)(&gathered, n);
    NAME(Row) s = NAME(row)(start, 0);
    NAME(Block) block;
    NAME(block_start)(&block);
    const int64_t straight = NAME(by_lines)(hp, h.time, n, T);
    ELEM *const *out = straight ? hp : block.at;
    for (int64_t t = 0; t < T; t += BLOCK) {
        const int64_t m = least(BLOCK, T - t);
        for (int64_t k = 0; k < m; k += LANES) {
            NAME(Row) A[LANES], H[LANES];
            const int64_t steps = least(LANES, m - k);
            NAME(load_tile)(A, ap, a, t + k, steps, 1, T, &gathered);
            NAME(load_tile)(H, bp, b, t + k, steps, 1, T, &gathered);
            for (int64_t j = 0; j < LANES; j++) NAME(advance)(&A[j], &s, &H[j]);
            if (straight) NAME(ask_page)(hp, h, t + k, 1, T);
            NAME(store_tile)(out, straight ? t + k : k, H, straight && past_caches);
        }
        if (!straight) NAME(unload_block)(hp, &block, n, t, h.time, m, past_caches);
    }
}

static void NAME(backward_columns)(View g, View a, View h, View h0, View da, View db, int64_t first, int64_t n,
                                   int64_t T, int64_t D, int64_t past_caches) {
    ELEM *ap[LANES], *gp[LANES], *hp[LANES], *dap[LANES], *dbp[LANES], *start[LANES];
    NAME(Gathered) gathered;
    NAME(gather_for)(&gathered, n);
    NAME(Row) s, gate; /* the adjoint, and the gate after it */
    memset(&s, 0, sizeof s), memset(&gate, 0, sizeof gate);
    NAME(chains)(g, first, n, D, gp), NAME(chains)(a, first, n, D, ap), NAME(chains)(h, first, n, D, hp);
    NAME(chains)(da, first, n, D, dap), NAME(chains)(db, first, n, D, dbp);
    NAME(chains)(h0, first, n, D, start);
    NAME(Block) da_block, db_block;
    NAME(block_start)(&da_block), NAME(block_start)(&db_block);
    const int64_t straight = NAME(by_lines)(dap, da.time, n, T) && NAME(by_lines)(dbp, db.time, n, T);
    ELEM *const *da_out = straight ? dap : da_block.at, *const *db_out = straight ? dbp : db_block.at;
    for (int64_t t = (T - 1) / BLOCK * BLOCK; t >= 0; t -= BLOCK) {
        const int64_t m = least(BLOCK, T - t);
        for (int64_t k = (m - 1) / LANES * LANES; k >= 0; k -= LANES) {
            const int64_t steps = least(LANES, m - k);
            NAME(Row) A[LANES + 1], G[LANES], H[LANES];
            NAME(load_tile)(A, ap, a, t + k, steps, -1, T, &gathered);
            NAME(load_tile)(G, gp, g, t + k, steps, -1, T, &gathered);
            NAME(load_tile)(H, hp, h, t + k, steps, -1, T, &gathered);
            const NAME(Row) before = t + k > 0 ? NAME(row)(hp, (t + k - 1) * h.time) : NAME(row)(start, 0);
            A[LANES] = gate; /* steps after the last have gate and cotangent 0, so the adjoint is still 0 at the last */
            for (int64_t j = LANES - 1; j >= 0; j--) NAME(retreat)(&A[j + 1], &s, &G[j], j ? &H[j - 1] : &before, &H[j]);
            gate = A[0];
            NAME(store_tile)(db_out, straight ? t + k : k, G, straight && past_caches);
            NAME(store_tile)(da_out, straight ? t + k : k, H, straight && past_caches);
        }
        if (!straight) NAME(unload_block)(dbp, &db_block, n, t, db.time, m, past_caches);
        if (!straight) NAME(unload_block)(dap, &da_block, n, t, da.time, m, past_caches);
    }
}
