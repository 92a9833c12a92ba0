/* Clears what one element type defined, for the next. */
#undef INTEGER
#undef MANTISSA
#undef BIAS
#undef DEGREE
#undef ROUNDER
#undef LN2_HIGH
#undef LN2_LOW
#undef LEAST_EXPONENT
#undef LARGEST_EXPONENT
#undef LANES
#undef CHUNK
#undef AT
