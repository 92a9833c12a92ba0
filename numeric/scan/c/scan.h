/* h_t = a_t h_{t-1} + b_t and its gradients: the canonical chain of numeric/scan/diagonal/loop.py, bit for bit.

   Two ways to walk the same chain, and no other: rows.h where channels lie side by side, columns.h where time does. A
   backward walks memory downwards: a row read upwards while rows go down defeats the prefetcher. */

#define AT(view, b, t, d) ((ELEM *)(view).data + (b) * (view).batch + (t) * (view).time + (d) * (view).channel)

/* n elements from memory of any stride. Strides are taken by pieces: what is stored in parts is slow to load as one. */
static inline void NAME(load)(ELEM *restrict to, const ELEM *from, int64_t stride, int64_t n) {
    enum { ELEMENTS = PIECE / sizeof(ELEM) };
    ELEM piece[ELEMENTS];
    int64_t i = 0;
    if (stride == 1)
        memcpy(to, from, (size_t)n * sizeof(ELEM));
    else if (stride == -1)
        for (; i < n; i++) to[i] = from[-i];
    else {
        for (; i + ELEMENTS <= n; i += ELEMENTS) {
            for (int64_t e = 0; e < ELEMENTS; e++) piece[e] = from[(i + e) * stride];
            memcpy(to + i, piece, sizeof piece);
        }
        for (; i < n; i++) to[i] = from[i * stride];
    }
}

#include "step.h"
#include "rows.h"
#include "columns.h"

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

#undef AT
#undef ROW
#undef WIDTH
#undef LANES
#undef BLOCK
#undef PITCH
#undef PARTS
