/* Channels side by side: one row of them after the other, the state in a buffer that stays in the first cache. */

#define ROW ((int64_t)(8192 / sizeof(ELEM)))   /* channels a piece of work, a state of 8 KB */
#define WIDTH ((int64_t)(256 / sizeof(ELEM)))  /* channels at a time within it */

/* n elements from memory of any stride: where they are, or gathered into `to`. */
static inline const ELEM *NAME(gathered)(const ELEM *from, int64_t stride, int64_t n, ELEM *to) {
    if (stride == 1) return from;
    NAME(load)(to, from, stride, n);
    return to;
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
