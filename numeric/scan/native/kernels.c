/* The sequential kernels, once for each element type. Each header is a template over

       REAL      float or double                ELEM     an element: REAL, or a pair of them
       NAME(f)   f with the type's suffix       FMA      the correctly rounded fused multiply-add of REAL

   __builtin_fma is fused by the definition of C, with or without an instruction for it; compile with
   -ffp-contract=off so that nothing else is. No kernel reads the clock, allocates, or knows how many threads run:
   bits depend on the numbers alone. */

#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
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
static inline void store(void *to, const void *from, int64_t bytes, int past_caches) {
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

/* Asks for large pages beneath a fresh output: faulting 4 KB at a time costs more than the scan itself. */
void advise_large_pages(void *data, int64_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const uintptr_t page = 4096, start = ((uintptr_t)data + page - 1) & ~(page - 1);
    const uintptr_t end = ((uintptr_t)data + (uintptr_t)bytes) & ~(page - 1);
    if (end > start) madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
    (void)data, (void)bytes;
#endif
}

#define REAL float
#define FMA __builtin_fmaf
#define ELEM float
#define NAME(f) f##_f32
#include "scan.h"
#undef ELEM
#undef NAME
#define COMPLEX
#define ELEM Complex_f32
#define NAME(f) f##_c64
typedef struct { float re, im; } Complex_f32;
#include "scan.h"
#undef COMPLEX
#undef ELEM
#undef NAME
#undef REAL
#undef FMA

#define REAL double
#define FMA __builtin_fma
#define ELEM double
#define NAME(f) f##_f64
#include "scan.h"
#undef ELEM
#undef NAME
#define COMPLEX
#define ELEM Complex_f64
#define NAME(f) f##_c128
typedef struct { double re, im; } Complex_f64;
#include "scan.h"
