/* What the delta rule and S6 share: LANES channels are worked on at once, each with a state of n numbers held as
   [n][LANES], so that nothing is summed across a vector but the gradients of what the channels share. */

#define LANES 16
#define CHUNK 32 /* steps between two states that a forward keeps for its backward, which recomputes the rest */
#define AT(view, i, t, c) ((REAL *)(view).data + (i) * (view).batch + (t) * (view).time + (c) * (view).channel)

typedef REAL NAME(Lanes)[LANES];

/* Step t of the channels from `first` on; absent channels are zero. */
static inline void NAME(lanes_load)(View x, int64_t i, int64_t t, int64_t first, int64_t count, REAL *restrict to) {
    const REAL *from = AT(x, i, t, first);
    for (int64_t c = 0; c < LANES; c++) to[c] = c < count ? from[c * x.channel] : 0;
}

static inline void NAME(lanes_store)(View x, int64_t i, int64_t t, int64_t first, int64_t count, const REAL *from) {
    REAL *to = AT(x, i, t, first);
    for (int64_t c = 0; c < count; c++) to[c * x.channel] = from[c];
}

/* A state (channel, n), its n numbers side by side, to and from [n][LANES]. */
static inline void NAME(state_load)(View x, int64_t i, int64_t t, int64_t first, int64_t count, int64_t n,
                                    NAME(Lanes) *restrict to) {
    memset(to, 0, (size_t)n * sizeof *to);
    for (int64_t c = 0; c < count && x.data; c++)
        for (int64_t j = 0; j < n; j++) to[j][c] = AT(x, i, t, first + c)[j];
}

static inline void NAME(state_store)(View x, int64_t i, int64_t t, int64_t first, int64_t count, int64_t n,
                                     NAME(Lanes) *restrict from) {
    for (int64_t c = 0; c < count; c++)
        for (int64_t j = 0; j < n; j++) AT(x, i, t, first + c)[j] = from[j][c];
}

/* The sum of the lanes, always in the same order. Destroys them. */
static inline REAL NAME(sum)(REAL *x) {
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int c = 0; c < width; c++) x[c] += x[c + width];
    return x[0];
}
