/* Transposes a tile: a line of memory from each of as many rows as it holds elements. Chains that lie along time become
   rows of chains, and back; first pieces of 16 bytes change places, then the elements within them. Bits are moved, never
   computed with. */

#define LINE 64
#define PIECE 16
#define UNROLLED _Pragma("GCC unroll 16") /* an array stays in registers only if every index is a constant */

#if defined(__AVX512F__)
typedef __m512i Wide;
#define PACKED(f) _mm512_##f
#define LOW_4(x, y) _mm512_unpacklo_epi32(x, y)
#define HIGH_4(x, y) _mm512_unpackhi_epi32(x, y)
#define LOW_8(x, y) _mm512_unpacklo_epi64(x, y)
#define HIGH_8(x, y) _mm512_unpackhi_epi64(x, y)
#elif defined(__AVX2__)
typedef __m256i Wide;
#ifdef __FMA__
#define PACKED(f) _mm256_##f
#endif
#define LOW_4(x, y) _mm256_unpacklo_epi32(x, y)
#define HIGH_4(x, y) _mm256_unpackhi_epi32(x, y)
#define LOW_8(x, y) _mm256_unpacklo_epi64(x, y)
#define HIGH_8(x, y) _mm256_unpackhi_epi64(x, y)
#else
typedef int32_t Wide __attribute__((vector_size(PIECE)));
typedef int64_t Halves __attribute__((vector_size(PIECE)));
#ifdef __clang__
#define PICK(type, x, y, ...) (Wide) __builtin_shufflevector((type)(x), (type)(y), __VA_ARGS__)
#else
#define PICK(type, x, y, ...) (Wide) __builtin_shuffle((type)(x), (type)(y), (type){__VA_ARGS__})
#endif
#define LOW_4(x, y) PICK(Wide, x, y, 0, 4, 1, 5)
#define HIGH_4(x, y) PICK(Wide, x, y, 2, 6, 3, 7)
#define LOW_8(x, y) PICK(Halves, x, y, 0, 2)
#define HIGH_8(x, y) PICK(Halves, x, y, 1, 3)
#endif

enum { PIECES = sizeof(Wide) / PIECE };

/* Exchanges the pieces of PIECES vectors that are `apart` from one another. */
INLINED void exchange_pieces(Wide *x, int apart) {
#if defined(__AVX512F__)
    Wide *y = x + apart, *z = y + apart, *w = z + apart;
    const Wide a = _mm512_shuffle_i32x4(*x, *y, 0x44), b = _mm512_shuffle_i32x4(*z, *w, 0x44);
    const Wide c = _mm512_shuffle_i32x4(*x, *y, 0xee), d = _mm512_shuffle_i32x4(*z, *w, 0xee);
    *x = _mm512_shuffle_i32x4(a, b, 0x88), *y = _mm512_shuffle_i32x4(a, b, 0xdd);
    *z = _mm512_shuffle_i32x4(c, d, 0x88), *w = _mm512_shuffle_i32x4(c, d, 0xdd);
#elif defined(__AVX2__)
    const Wide low = _mm256_permute2x128_si256(x[0], x[apart], 0x20);
    x[apart] = _mm256_permute2x128_si256(x[0], x[apart], 0x31), x[0] = low;
#else
    (void)x, (void)apart;
#endif
}

/* Exchanges, within pieces, the elements of as many vectors as a piece has. */
INLINED void exchange_elements(Wide *x, int elements) {
    if (elements == 2) {
        const Wide low = LOW_8(x[0], x[1]);
        x[1] = HIGH_8(x[0], x[1]), x[0] = low;
    }
    if (elements == 4) {
        const Wide a = LOW_4(x[0], x[1]), b = LOW_4(x[2], x[3]), c = HIGH_4(x[0], x[1]), d = HIGH_4(x[2], x[3]);
        x[0] = LOW_8(a, b), x[1] = HIGH_8(a, b), x[2] = LOW_8(c, d), x[3] = HIGH_8(c, d);
    }
}

/* x with the piece at p in its place k: by a load, without a shuffle. Place 0 comes first. */
INLINED Wide joined(Wide x, int k, const char *p) {
#if defined(__AVX512F__)
    const __m128i piece = _mm_loadu_si128((const __m128i *)p);
    return k ? _mm512_mask_broadcast_i32x4(x, (__mmask16)(15 << 4 * k), piece) : _mm512_castsi128_si512(piece);
#elif defined(__AVX2__)
    const __m128i piece = _mm_loadu_si128((const __m128i *)p);
    return k ? _mm256_inserti128_si256(x, piece, 1) : _mm256_castsi128_si256(piece);
#else
    (void)k, memcpy(&x, p, PIECE);
    return x;
#endif
}

/* A tile of elements of `size` bytes from where its columns lie, `offset` bytes on. */
INLINED void load_columns(char *tile, const char *const *columns, int64_t offset, int size) {
    const int elements = PIECE / size;
    UNROLLED for (int c = 0; c < LINE / size; c += PIECES * elements) {
        Wide x[LINE / PIECE][4] = {0};
        UNROLLED for (int k = 0; k < PIECES; k++)
            UNROLLED for (int i = 0; i < elements; i++)
                UNROLLED for (int r = 0; r < LINE / PIECE; r++)
                    x[r][i] = joined(x[r][i], k, columns[c + k * elements + i] + offset + r * PIECE);
        UNROLLED for (int r = 0; r < LINE / PIECE; r++) {
            exchange_elements(x[r], elements);
            UNROLLED for (int i = 0; i < elements; i++)
                memcpy(tile + (r * elements + i) * LINE + c * size, &x[r][i], sizeof(Wide));
        }
    }
}

INLINED void put(char *to, Wide x, int64_t past_caches) {
#if defined(__AVX512F__)
    if (past_caches) {
        _mm512_stream_si512((void *)to, x);
        return;
    }
#elif defined(__AVX2__)
    if (past_caches) {
        _mm256_stream_si256((void *)to, x);
        return;
    }
#endif
    (void)past_caches;
    memcpy(to, &x, sizeof x);
}

/* And back. Columns that go past the caches must be whole lines. */
INLINED void store_columns(char *const *columns, int64_t offset, const char *tile, int size, int64_t past_caches) {
    const int elements = PIECE / size, side = PIECES * elements;
    UNROLLED for (int c = 0; c < LINE / size; c += side)
        UNROLLED for (int r = 0; r < LINE / size; r += side) {
            Wide x[4 * PIECES];
            UNROLLED for (int i = 0; i < side; i++) memcpy(&x[i], tile + (r + i) * LINE + c * size, sizeof(Wide));
            UNROLLED for (int k = 0; k < PIECES; k++) exchange_elements(x + k * elements, elements);
            UNROLLED for (int i = 0; i < elements; i++) exchange_pieces(x + i, elements);
            UNROLLED for (int i = 0; i < side; i++) put(columns[c + i] + offset + r * size, x[i], past_caches);
        }
}
