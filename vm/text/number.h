/* Number literals to values (core/text/values): exact, rounded once, and independent of the host's locale, floating point and libc. */
#ifndef TEXT_NUMBER_H
#define TEXT_NUMBER_H

#include "base/error.h"

/* All take a literal that the lexer has accepted; false: out of range. */

/* NAT, at most `max`. */
MV_MUST_USE bool number_nat(const char *p, size_t n, uint64_t max, uint64_t *out);
/* NAT or INT of 8, 16, 32 or 64 bits, signed or unsigned; the result is its two's complement in the low bits. */
MV_MUST_USE bool number_int(const char *p, size_t n, unsigned bits, uint64_t *out);
/* NAT, INT or FLOAT as the bits of an f32 or f64. */
MV_MUST_USE bool number_float(const char *p, size_t n, unsigned bits, uint64_t *out);

#endif
