/* generate.h: seeded modules for comparing executions, and what two programs that run them must agree on: arguments, and how results are written.
 *
 * A generated module is valid, ends (a global counts loops and calls down), and is deterministic: wherever bits of a NaN could be seen, the
 * code makes them canonical first. It imports env.mix and exports functions f0…, memories m0…, globals g0…, of which g0 is the budget. */
#ifndef HOSTILE_GENERATE_H
#define HOSTILE_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
  uint8_t *data;
  size_t size, capacity;
};

void bytes_put(struct bytes *, const void *data, size_t size);
void bytes_byte(struct bytes *, unsigned byte);
void bytes_unsigned(struct bytes *, uint64_t value); /* LEB128 */
void bytes_signed(struct bytes *, int64_t value);
void bytes_print(struct bytes *, const char *format, ...); /* text */
void bytes_free(struct bytes *);

/* splitmix64 */
struct random {
  uint64_t state;
};
uint64_t random_next(struct random *);
unsigned random_below(struct random *, unsigned n);

enum { GENERATED_FUNCS = 32, GENERATED_GLOBALS = 32, GENERATED_BUDGET = 400 };

struct generated {
  struct bytes module;
  unsigned nfuncs, nmemories, nglobals;
  struct {
    unsigned index;
    char sig[32]; /* i I f F v, then ':' and the results */
  } funcs[GENERATED_FUNCS];
  char globals[GENERATED_GLOBALS]; /* a letter, or 0 for one that is not exported */
};

void generate(uint64_t seed, struct generated *);
void generated_free(struct generated *);

/* ---- what both runners do alike ------------------------------------------------------------------------ */

enum { GENERATED_CALLS = 3 }; /* of each function */

/* The arguments of call number `call`, two words each. */
void generated_args(uint64_t seed, unsigned func, unsigned call, const char *sig, uint64_t args[][2]);
uint64_t generated_mix(uint64_t a, uint64_t b);
/* Appends a value as text; all NaNs of f and F are one. */
void trace_value(struct bytes *, char letter, const uint64_t value[2]);
/* Appends a trap by its kind, taken from any engine's words. */
void trace_trap(struct bytes *, const char *message);
uint64_t hash_bytes(const void *, size_t);

#endif
