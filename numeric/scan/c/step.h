/* One step of the chain and of its adjoint: of one element, and of a Part, as many elements as an instruction takes. Parts
   go by name where there is an instruction, for a compiler does not always find it. */

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

#ifdef PACKED_FMA
typedef REAL NAME(Part) __attribute__((vector_size(sizeof(Wide))));
#ifdef COMPLEX
static inline NAME(Part) NAME(part_signed)(NAME(Part) x, REAL real, REAL imaginary) {
    NAME(Part) signs;
    for (size_t i = 0; i < sizeof x / sizeof(REAL); i++) signs[i] = i % 2 ? imaginary : real;
    return x * signs;
}
static inline NAME(Part) NAME(part_step)(NAME(Part) a, NAME(Part) h, NAME(Part) b) {
    return PACKED_FMA(NAME(part_signed)(IMAGINARIES(a), -1, 1), SWAPPED(h), PACKED_FMA(REALS(a), h, b));
}
static inline NAME(Part) NAME(part_conjugate)(NAME(Part) a) { return NAME(part_signed)(a, 1, -1); }
static inline NAME(Part) NAME(part_times_conjugate)(NAME(Part) x, NAME(Part) h) {
    return PACKED_FMA(SWAPPED(x), NAME(part_signed)(IMAGINARIES(h), 1, -1), x * REALS(h));
}
#else
static inline NAME(Part) NAME(part_step)(NAME(Part) a, NAME(Part) h, NAME(Part) b) { return PACKED_FMA(a, h, b); }
static inline NAME(Part) NAME(part_conjugate)(NAME(Part) a) { return a; }
static inline NAME(Part) NAME(part_times_conjugate)(NAME(Part) x, NAME(Part) h) { return x * h; }
#endif
#else
typedef ELEM NAME(Part);
static inline ELEM NAME(part_step)(ELEM a, ELEM h, ELEM b) { return NAME(step)(a, h, b); }
static inline ELEM NAME(part_conjugate)(ELEM a) { return NAME(conjugate)(a); }
static inline ELEM NAME(part_times_conjugate)(ELEM x, ELEM h) { return NAME(times_conjugate)(x, h); }
#endif
