/* Transposes squares of SQUARE by SQUARE elements, 32 bytes wide: chains that lie along time become rows of chains, and
   back. The rows come from anywhere and go to places `pitch` bytes apart. Bits are moved, never computed with. */

#ifdef __clang__
#define PICK(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define PICK(x, y, ...) __builtin_shuffle(x, y, (Places){__VA_ARGS__})
#endif

typedef int32_t Eight __attribute__((vector_size(32)));
typedef int64_t Four __attribute__((vector_size(32)));

static inline void turn_4_bytes(const void *const rows[8], void *to, size_t pitch) {
    typedef Eight Places;
    Eight x[8], y[8];
    for (int i = 0; i < 8; i++) memcpy(&x[i], rows[i], 32);
    for (int i = 0; i < 8; i += 2) {
        y[i] = PICK(x[i], x[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        y[i + 1] = PICK(x[i], x[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            x[i + 2 * j] = PICK(y[i + j], y[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            x[i + 2 * j + 1] = PICK(y[i + j], y[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        y[i] = PICK(x[i], x[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        y[i + 4] = PICK(x[i], x[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int i = 0; i < 8; i++) memcpy((char *)to + (size_t)i * pitch, &y[i], 32);
}

static inline void turn_8_bytes(const void *const rows[4], void *to, size_t pitch) {
    typedef Four Places;
    Four x[4], y[4];
    for (int i = 0; i < 4; i++) memcpy(&x[i], rows[i], 32);
    for (int i = 0; i < 4; i += 2) {
        y[i] = PICK(x[i], x[i + 1], 0, 4, 2, 6);
        y[i + 1] = PICK(x[i], x[i + 1], 1, 5, 3, 7);
    }
    for (int i = 0; i < 2; i++) {
        x[i] = PICK(y[i], y[i + 2], 0, 1, 4, 5);
        x[i + 2] = PICK(y[i], y[i + 2], 2, 3, 6, 7);
    }
    for (int i = 0; i < 4; i++) memcpy((char *)to + (size_t)i * pitch, &x[i], 32);
}

static inline void turn_16_bytes(const void *const rows[1], void *to, size_t pitch) {
    (void)pitch; /* one element */
    memcpy(to, rows[0], 16);
}
