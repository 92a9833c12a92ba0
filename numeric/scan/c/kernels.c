/* The sequential kernels, once for each element type. Each header is a template over

       REAL      float or double                ELEM     an element: REAL, or a pair of them
       NAME(f)   f with the type's suffix       FMA      the correctly rounded fused multiply-add of REAL
       PACKED_FMA, where there is one: FMA of vectors as long as a Wide (tiles.h); then also, for vectors of pairs,
       REALS, IMAGINARIES    one half of each pair, twice
       SWAPPED               the halves of each pair changed about

   __builtin_fma is fused by the definition of C, with or without an instruction for it; compile with
   -ffp-contract=off so that nothing else is. No kernel reads the clock, allocates, or knows how many threads run:
   bits depend on the numbers alone. */

#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#ifdef __SSE__
#include <immintrin.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#endif

/* A tensor (batch, time, channel) of some element type, strides counted in elements. Time runs as the scan does: a scan
   in reverse starts at the last step and has a negative stride. */
typedef struct {
    void *data;
    int64_t batch, time, channel;
} View;

/* The least of both. */
static inline int64_t least(int64_t x, int64_t y) { return x < y ? x : y; }

/* Copies a multiple of 4 bytes; past the caches for outputs too large to be found there again. Then every byte goes past
   them, ragged ends too: a line written half through a cache and half around it costs more than either. */
static inline void store(void *to, const void *from, int64_t bytes, int64_t past_caches) {
#ifdef __AVX__
    if (past_caches) {
        char *p = to;
        const char *q = from, *end = q + bytes;
        int word;
        for (; q < end && ((uintptr_t)p & 31); p += 4, q += 4) memcpy(&word, q, 4), _mm_stream_si32((int *)p, word);
        for (; q + 32 <= end; p += 32, q += 32) _mm256_stream_si256((__m256i *)p, _mm256_loadu_si256((const __m256i *)q));
        for (; q < end; p += 4, q += 4) memcpy(&word, q, 4), _mm_stream_si32((int *)p, word);
        return;
    }
#endif
    (void)past_caches;
    memcpy(to, from, (size_t)bytes);
}

static inline void finish_stores(void) {
#ifdef __AVX__
    _mm_sfence();
#endif
}

/* Asks for large pages beneath a fresh output: faulting 4 KB at a time costs more than the scan itself. Memory that the
   allocator had recycled is there already, and is left alone. */
void advise_large_pages(void *data, int64_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const uintptr_t page = 4096, start = ((uintptr_t)data + page - 1) & ~(page - 1);
    const uintptr_t end = ((uintptr_t)data + (uintptr_t)bytes) & ~(page - 1);
    unsigned char present = 1;
    if (end > start && mincore((void *)((start + end) / 2 & ~(page - 1)), page, &present) == 0 && !(present & 1))
        madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
    (void)data, (void)bytes;
#endif
}

/* Sets the arithmetic that the definition asks for - to nearest, subnormals kept - whatever the caller's thread has set
   (torch.set_flush_denormal does not reach the other threads, so that bits would depend on their number). Returns what
   `restore_arithmetic` needs. */
static inline unsigned standard_arithmetic(void) {
#ifdef __SSE__
    const unsigned before = _mm_getcsr();
    _mm_setcsr(0x1f80);
    return before;
#else
    return 0;
#endif
}

static inline void restore_arithmetic(unsigned before) {
#ifdef __SSE__
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

#define ALIGNED __attribute__((aligned(64)))
#define INLINED static inline __attribute__((always_inline)) /* what loses its point, and half its speed, as a call */
#include "tiles.h"

static inline int64_t thread_number(void) {
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

static const double FACTORIAL[] = {1,     1,      2,       6,        24,        120,        720,
                                   5040,  40320,  362880,  3628800,  39916800,  479001600,  6227020800};

#define REAL float
#define FMA __builtin_fmaf
#define ELEM float
#define NAME(f) f##_f32
#ifdef PACKED
#define PACKED_FMA PACKED(fmadd_ps)
#define REALS(x) PACKED(moveldup_ps)(x)
#define IMAGINARIES(x) PACKED(movehdup_ps)(x)
#define SWAPPED(x) PACKED(permute_ps)(x, 0xb1)
#endif
#define INTEGER int32_t
#define MANTISSA 23
#define BIAS 127
#define DEGREE 7
#define ROUNDER 12582912.0 /* 1.5 * 2^23: adding it rounds to an integer */
#define LN2_HIGH 0x1.62e4p-1
#define LN2_LOW 0x1.7f7d1cf79abcap-20
#define LEAST_EXPONENT -104.0
#define LARGEST_EXPONENT 89.0
#include "scan.h"
#include "matrix.h"
#include "lanes.h"
#include "delta.h"
#include "selective.h"
#include "undefine.h"
#undef ELEM
#undef NAME

#define COMPLEX
#define ELEM Complex_f32
#define NAME(f) f##_c64
typedef struct {
    float re, im;
} Complex_f32;
#include "scan.h"
#undef COMPLEX
#undef ELEM
#undef NAME
#undef REAL
#undef FMA
#undef PACKED_FMA
#undef REALS
#undef IMAGINARIES
#undef SWAPPED

#define REAL double
#define FMA __builtin_fma
#define ELEM double
#define NAME(f) f##_f64
#ifdef PACKED
#define PACKED_FMA PACKED(fmadd_pd)
#define REALS(x) PACKED(movedup_pd)(x)
#define IMAGINARIES(x) PACKED(permute_pd)(x, (1 << sizeof(Wide) / 8) - 1)
#define SWAPPED(x) PACKED(permute_pd)(x, ((1 << sizeof(Wide) / 8) - 1) / 3)
#endif
#define INTEGER int64_t
#define MANTISSA 52
#define BIAS 1023
#define DEGREE 13
#define ROUNDER 6755399441055744.0
#define LN2_HIGH 0x1.62e42fefa38p-1
#define LN2_LOW 0x1.ef35793c7673p-45
#define LEAST_EXPONENT -746.0
#define LARGEST_EXPONENT 710.0
#include "scan.h"
#include "matrix.h"
#include "lanes.h"
#include "delta.h"
#include "selective.h"
#include "undefine.h"
#undef ELEM
#undef NAME

#define COMPLEX
#define ELEM Complex_f64
#define NAME(f) f##_c128
typedef struct {
    double re, im;
} Complex_f64;
#include "scan.h"
