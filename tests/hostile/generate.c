/* generate.c: makes a valid module from a seed. Instructions are chosen on a model of the operand stack, so that operands come from far away as
 * well as from the instruction before, as no compiler would have it. Rows of vm/ops.def are the plain instructions; all others are written out here.
 * Knows nothing of the engine but that table. */
#include "generate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types/ops.h"

/* ---- bytes and numbers --------------------------------------------------------------------------------- */

void bytes_put(struct bytes *b, const void *data, size_t size) {
  if (b->capacity - b->size < size) {
    b->capacity = (b->size + size) * 2;
    b->data = realloc(b->data, b->capacity);
    if (!b->data) abort();
  }
  if (size) memcpy(b->data + b->size, data, size);
  b->size += size;
}

void bytes_byte(struct bytes *b, unsigned byte) { bytes_put(b, &(uint8_t){(uint8_t)byte}, 1); }

void bytes_unsigned(struct bytes *b, uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_byte(b, (unsigned)value | 0x80);
  bytes_byte(b, (unsigned)value);
}

void bytes_signed(struct bytes *b, int64_t value) {
  while (value < -64 || value > 63) {
    bytes_byte(b, ((unsigned)value & 0x7f) | 0x80);
    value >>= 7;
  }
  bytes_byte(b, (unsigned)value & 0x7f);
}

void bytes_print(struct bytes *b, const char *format, ...) {
  char text[512];
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  bytes_put(b, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void bytes_free(struct bytes *b) {
  free(b->data);
  *b = (struct bytes){0};
}

uint64_t random_next(struct random *r) {
  uint64_t z = r->state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

unsigned random_below(struct random *r, unsigned n) { return (unsigned)(random_next(r) % n); }

/* ---- the module ---------------------------------------------------------------------------------------- */

/* Value types. INDEXED + n is (ref null n). */
typedef unsigned type;
enum { I32, I64, F32, F64, V128, FUNCREF, EXTERNREF, ANYREF, EQREF, I31REF, STRUCTREF, ARRAYREF, EXNREF, PACKED8, PACKED16, INDEXED = 32, NONNULL = 0x8000 };
static const uint8_t type_bytes[] = {0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f, 0x6e, 0x6d, 0x6c, 0x6b, 0x6a, 0x69, 0x78, 0x77};

enum { MAX_TYPES = 2000, MAX_PARAMS = 24, MAX_RESULTS = 24, MAX_FIELDS = 6, MAX_STACK = 400, MAX_LABELS = 12, MAX_LOCALS = 60 };

struct deftype {
  enum { FUNC, STRUCT, ARRAY } kind;
  int super; /* -1: none */
  bool open;
  unsigned nparams, nresults; /* of a struct: fields are params */
  type params[MAX_PARAMS], results[MAX_RESULTS];
};

struct table {
  type type;
  unsigned min, max;
  bool is64;
};

struct memory {
  unsigned min, max;
  bool is64;
};

struct segment {
  type type; /* of an element segment */
  unsigned size;
};

struct gen {
  struct random r;
  bool simd, gc, exceptions, tail, bulk;
  struct deftype types[MAX_TYPES];
  unsigned ntypes, nheap; /* those of structs and arrays come first */
  unsigned funcs[GENERATED_FUNCS], nfuncs; /* their types; the first is imported */
  struct table tables[3];
  unsigned ntables;
  struct memory memories[3];
  unsigned nmemories;
  struct {
    type type;
    bool mutable;
  } globals[GENERATED_GLOBALS];
  unsigned nglobals;
  unsigned tags[2], ntags;
  struct segment data[3], elems[3]; /* passive ones */
  unsigned ndata, nelems;
};

struct label {
  unsigned base, ntypes; /* of the branch */
  type types[MAX_PARAMS];
  bool hidden, dead;
};

struct body {
  struct gen *g;
  struct bytes code;
  type stack[MAX_STACK];
  unsigned height;
  struct label labels[MAX_LABELS];
  unsigned nlabels;
  type locals[MAX_LOCALS];
  unsigned nlocals, nshown; /* counters and scratch come after those shown */
  unsigned scratch[V128 + 1];
  const struct deftype *type;
  unsigned func, loops, steps;
  unsigned floor; /* what is below stays: operands of an instruction to come */
};

static unsigned below(struct gen *g, unsigned n) { return random_below(&g->r, n); }
static bool chance(struct gen *g, unsigned percent) { return below(g, 100) < percent; }

static bool is_ref(type t) { return t >= FUNCREF; }
static bool is_number(type t) { return t <= V128; }

static bool is_sub(const struct gen *g, unsigned a, unsigned b) {
  while (a != b) {
    if (g->types[a].super < 0) return false;
    a = (unsigned)g->types[a].super;
  }
  return true;
}

/* May an `a` stand where a `b` is wanted? */
static bool fits(const struct gen *g, type a, type b) {
  if (a == b) return true;
  if (!is_ref(a) || !is_ref(b) || (b & NONNULL && !(a & NONNULL))) return false;
  a &= ~(unsigned)NONNULL, b &= ~(unsigned)NONNULL;
  if (a == b) return true;
  if (b >= INDEXED) return a >= INDEXED && is_sub(g, a - INDEXED, b - INDEXED);
  if (a >= INDEXED) {
    switch (g->types[a - INDEXED].kind) {
    case FUNC: return b == FUNCREF;
    case STRUCT: return b == STRUCTREF || b == EQREF || b == ANYREF;
    case ARRAY: return b == ARRAYREF || b == EQREF || b == ANYREF;
    }
  }
  return (b == EQREF && (a == I31REF || a == STRUCTREF || a == ARRAYREF)) || (b == ANYREF && (a == EQREF || a == I31REF || a == STRUCTREF || a == ARRAYREF));
}

static void put_heap(struct bytes *out, type t) {
  t &= ~(unsigned)NONNULL;
  if (t >= INDEXED) bytes_signed(out, t - INDEXED);
  else bytes_byte(out, type_bytes[t]);
}

static void put_type(struct bytes *out, type t) {
  if (t & NONNULL || t >= INDEXED) {
    bytes_byte(out, t & NONNULL ? 0x64 : 0x63);
    put_heap(out, t);
  } else {
    bytes_byte(out, type_bytes[t]);
  }
}

static type number_type(struct gen *g) {
  static const type often[] = {I32, I32, I32, I64, I64, F32, F64, F64};
  return g->simd && chance(g, 15) ? (type)V128 : often[below(g, 8)];
}

static type any_type(struct gen *g) {
  if (chance(g, 70)) return number_type(g);
  if (!g->gc) return chance(g, 50) ? FUNCREF : EXTERNREF;
  switch (below(g, 9)) {
  case 0: return FUNCREF;
  case 1: return EXTERNREF;
  case 2: return ANYREF;
  case 3: return EQREF;
  case 4: return I31REF;
  case 5: return chance(g, 50) ? STRUCTREF : ARRAYREF;
  default: return INDEXED + below(g, g->nheap);
  }
}

static bool same_types(const type *a, const type *b, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (a[i] != b[i]) return false;
  return true;
}

static unsigned func_type(struct gen *g, const type *params, unsigned nparams, const type *results, unsigned nresults) {
  for (unsigned i = g->nheap; i < g->ntypes; i++) {
    const struct deftype *t = &g->types[i];
    if (t->nparams == nparams && t->nresults == nresults && same_types(t->params, params, nparams) && same_types(t->results, results, nresults)) return i;
  }
  if (g->ntypes == MAX_TYPES) abort();
  struct deftype *t = &g->types[g->ntypes];
  *t = (struct deftype){.kind = FUNC, .super = -1, .nparams = nparams, .nresults = nresults};
  for (unsigned i = 0; i < nparams; i++) t->params[i] = params[i];
  for (unsigned i = 0; i < nresults; i++) t->results[i] = results[i];
  return g->ntypes++;
}

/* ---- instructions -------------------------------------------------------------------------------------- */

struct row {
  unsigned op;
  const char *text, *sig;
  enum imm imm;
  unsigned align, feature;
  enum rule rule;
};

static const struct row rows[] = {
#define OP(page, code, id, text, imm, sig, align, feature, rule) {OP_##id, text, sig, imm, align, MV_FEATURE_BIT_##feature, rule},
#include "ops.def"
#undef OP
};
enum { NROWS = sizeof rows / sizeof *rows };

static type letter_type(char c) { return c == 'i' ? I32 : c == 'I' ? I64 : c == 'f' ? F32 : c == 'F' ? F64 : V128; }
static char type_letter(type t) { return "iIfFv"[t]; }

static bool row_offered(const struct gen *g, const struct row *w, enum rule rule) {
  if (w->rule != rule || !w->sig) return false;
  switch (w->feature) {
  case MV_FEATURE_BIT_SIMD:
    if (!g->simd) return false;
    break;
  case MV_FEATURE_BIT_MUTABLE_GLOBAL: case MV_FEATURE_BIT_SIGN_EXT: case MV_FEATURE_BIT_SAT_FLOAT: break;
  default: return false;
  }
  return w->imm == IMM_NONE || w->imm == IMM_LANE || w->imm == IMM_SHUFFLE || w->imm == IMM_MEMARG || w->imm == IMM_MEMARG_LANE;
}

/* A row at random; `result` is a letter that it must give, or 0. */
static const struct row *pick_row(struct gen *g, enum rule rule, char result) {
  bool vector = g->simd && chance(g, result == 'v' ? 100 : 35);
  for (unsigned tries = 0;; tries++) {
    const struct row *w = &rows[below(g, NROWS)];
    if (!row_offered(g, w, rule)) continue;
    if (tries < 2000 && (w->feature == MV_FEATURE_BIT_SIMD) != vector) continue;
    if (result && strchr(w->sig, ':')[1] != result) continue;
    if (strstr(w->text, ".trunc_f") && !chance(g, 10)) continue; /* mostly traps */
    return w;
  }
}

static void put_op(struct body *b, unsigned op) {
  static const uint8_t prefixes[] = {0, 0xfb, 0xfc, 0xfd, 0xfd, 0xfe};
  unsigned page = op >> 8;
  if (!page) {
    bytes_byte(&b->code, op);
  } else {
    bytes_byte(&b->code, prefixes[page]);
    bytes_unsigned(&b->code, page == 4 ? op - OP_PAGE_FD : op & 0xff);
  }
}

static void put_index(struct body *b, unsigned op, unsigned index) {
  put_op(b, op);
  bytes_unsigned(&b->code, index);
}

static void put_i32(struct body *b, int32_t value) {
  put_op(b, OP_i32_const);
  bytes_signed(&b->code, value);
}

static void push(struct body *b, type t) {
  if (b->height == MAX_STACK) abort();
  b->stack[b->height++] = t;
}

static struct label *top_label(struct body *b) { return &b->labels[b->nlabels - 1]; }
static unsigned available(struct body *b) { return b->height - (b->floor > top_label(b)->base ? b->floor : top_label(b)->base); }

static void make(struct body *, type, unsigned depth);

/* Brings values of these types to the top, from what is there where that fits. */
static void need(struct body *b, const type *types, unsigned n, unsigned depth) {
  unsigned k = n < available(b) ? n : available(b);
  for (; k > 0; k--) {
    unsigned i = 0;
    while (i < k && fits(b->g, b->stack[b->height - k + i], types[i])) i++;
    if (i == k) break;
  }
  for (; k < n; k++) make(b, types[k], depth);
}

static void took(struct body *b, unsigned n) {
  if (available(b) < n) abort();
  b->height -= n;
}

static const uint8_t nan_vector[2][16] = {{0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f}, {0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}};

/* Makes a NaN on top canonical; a vector's lanes are f32 or, for `wide`, f64. */
static void canonical(struct body *b, type t, bool wide) {
  unsigned s;
  if (t != F32 && t != F64 && t != V128) return;
  s = b->scratch[t];
  put_index(b, OP_local_tee, s);
  if (t == V128) {
    put_op(b, OP_v128_const);
    bytes_put(&b->code, nan_vector[wide], 16);
  } else if (t == F32) {
    put_op(b, OP_f32_const);
    bytes_put(&b->code, nan_vector[0], 4);
  } else {
    put_op(b, OP_f64_const);
    bytes_put(&b->code, nan_vector[1], 8);
  }
  put_index(b, OP_local_get, s);
  put_index(b, OP_local_get, s);
  put_op(b, t == V128 ? (wide ? OP_f64x2_eq : OP_f32x4_eq) : t == F32 ? OP_f32_eq : OP_f64_eq);
  put_op(b, t == V128 ? OP_v128_bitselect : OP_select);
}

static uint64_t interesting(struct gen *g) {
  uint64_t x = random_next(&g->r);
  switch (below(g, 8)) {
  case 0: return x;
  case 1: return x & 0xff;
  case 2: return (uint64_t)1 << (x & 63);
  case 3: return ~(uint64_t)0 << (x & 63);
  case 4: return ((uint64_t)1 << (x & 63)) - 1;
  case 5: return (uint64_t)0 - (x & 15);
  default: return x & 7;
  }
}

static uint64_t interesting_float(struct gen *g, bool wide) {
  static const double values[] = {0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, 3.0, 1e10, -1e10, 2147483648.0, -2147483648.0, 2147483647.0, 4294967296.0,
                                  9223372036854775808.0, -9223372036854775808.0, 18446744073709551616.0, 1e300, -1e300, 1e-300, 16777217.0, 65536.0, 0.1};
  union {
    double d;
    uint64_t u;
  } x;
  union {
    float f;
    uint32_t u;
  } y;
  if (chance(g, 15)) return random_next(&g->r) & (wide ? ~(uint64_t)0 : 0xffffffff);
  if (chance(g, 8)) return wide ? (chance(g, 50) ? 0x7ff0000000000000 : 0xfff8000000000000) : (chance(g, 50) ? 0x7f800000 : 0xffc00000);
  x.d = values[below(g, sizeof values / sizeof *values)];
  if (chance(g, 30)) x.d = (double)(int64_t)interesting(g) / 8;
  if (wide) return x.u;
  /* the conversion is exact enough on every host: round to nearest */
  y.f = x.d > 3e38 || x.d < -3e38 ? 3e38f : (float)x.d;
  return y.u;
}

static void put_const_bits(struct body *b, uint64_t bits, unsigned n) {
  for (unsigned i = 0; i < n; i++) bytes_byte(&b->code, (unsigned)(bits >> 8 * i) & 0xff);
}

static void put_const(struct body *b, type t) {
  struct gen *g = b->g;
  switch (t) {
  case I32: put_i32(b, (int32_t)(uint32_t)interesting(g)); break;
  case I64: put_op(b, OP_i64_const), bytes_signed(&b->code, (int64_t)interesting(g)); break;
  case F32: put_op(b, OP_f32_const), put_const_bits(b, interesting_float(g, false), 4); break;
  case F64: put_op(b, OP_f64_const), put_const_bits(b, interesting_float(g, true), 8); break;
  default:
    put_op(b, OP_v128_const);
    for (unsigned i = 0; i < 2; i++) {
      switch (below(g, 3)) {
      case 0: put_const_bits(b, interesting(g), 8); break;
      case 1: put_const_bits(b, interesting_float(g, true), 8); break;
      default: put_const_bits(b, interesting_float(g, false), 4), put_const_bits(b, interesting_float(g, false), 4);
      }
    }
  }
}

/* A local or global that can give a `t`, or, for `set`, take one. */
static bool pick_local(struct body *b, type t, bool set, unsigned *found) {
  if (!b->nshown) return false;
  for (unsigned i = 0, at = below(b->g, b->nshown); i < b->nshown; i++, at = (at + 1) % b->nshown) {
    if (set ? fits(b->g, t, b->locals[at]) : fits(b->g, b->locals[at], t)) return *found = at, true;
  }
  return false;
}

static bool pick_global(struct body *b, type t, bool set, unsigned *found) {
  struct gen *g = b->g;
  for (unsigned i = 1, at = below(g, g->nglobals); i < g->nglobals; i++, at = at + 1 == g->nglobals ? 1 : at + 1) {
    if (at == 0) at = 1;
    if (set ? g->globals[at].mutable && fits(g, t, g->globals[at].type) : fits(g, g->globals[at].type, t)) return *found = at, true;
  }
  return false;
}

static unsigned new_local(struct body *b, type t) {
  if (b->nlocals == MAX_LOCALS) abort();
  b->locals[b->nlocals] = t;
  return b->nlocals++;
}
static bool locals_left(const struct body *b, unsigned n) { return b->nlocals + n <= MAX_LOCALS; }

static void block_type(struct body *b, const type *params, unsigned nparams, const type *results, unsigned nresults) {
  if (!nparams && !nresults) bytes_byte(&b->code, 0x40);
  else if (!nparams && nresults == 1) put_type(&b->code, results[0]);
  else bytes_signed(&b->code, func_type(b->g, params, nparams, results, nresults));
}

/* A reference that is not null. */
static void make_object(struct body *b, type t, unsigned depth) {
  struct gen *g = b->g;
  unsigned found;
  t &= ~(unsigned)NONNULL;
  if (chance(g, 40) && pick_local(b, t, false, &found) && b->nlabels < MAX_LABELS) { /* what a local has, or a new one */
    put_index(b, OP_local_get, found);
    put_op(b, OP_ref_is_null);
    put_op(b, OP_if);
    put_type(&b->code, t | NONNULL);
    make_object(b, t, 9);
    put_op(b, OP_else);
    took(b, 1);
    put_index(b, OP_local_get, found);
    put_op(b, OP_ref_as_non_null);
    put_op(b, OP_end);
    push(b, t | NONNULL);
    return;
  }
  if (t == FUNCREF) {
    put_index(b, OP_ref_func, below(g, g->nfuncs));
  } else if (t >= INDEXED && g->types[t - INDEXED].kind == FUNC) {
    unsigned n = 0, at = below(g, g->nfuncs);
    while (g->funcs[at] != t - INDEXED && n++ < g->nfuncs) at = (at + 1) % g->nfuncs;
    if (g->funcs[at] == t - INDEXED) put_index(b, OP_ref_func, at);
    else put_op(b, OP_ref_null), put_heap(&b->code, t), put_op(b, OP_ref_as_non_null);
  } else if (t == STRUCTREF || t == ARRAYREF || t >= INDEXED) {
    unsigned index = t - INDEXED;
    if (t < INDEXED) do index = below(g, g->nheap); while (g->types[index].kind != (t == STRUCTREF ? STRUCT : ARRAY));
    const struct deftype *d = &g->types[index];
    if (depth > 3 || chance(g, 40)) {
      if (d->kind == ARRAY) put_i32(b, (int32_t)below(g, 9) + 1);
      put_index(b, d->kind == ARRAY ? OP_array_new_default : OP_struct_new_default, index);
    } else if (d->kind == STRUCT) {
      for (unsigned i = 0; i < d->nparams; i++) make(b, d->params[i] == PACKED8 || d->params[i] == PACKED16 ? I32 : d->params[i], depth + 2);
      put_index(b, OP_struct_new, index);
      took(b, d->nparams);
    } else {
      type element = d->params[0] == PACKED8 || d->params[0] == PACKED16 ? I32 : d->params[0];
      if (chance(g, 50)) {
        unsigned n = 1 + below(g, 5);
        for (unsigned i = 0; i < n; i++) make(b, element, depth + 2);
        put_index(b, OP_array_new_fixed, index);
        bytes_unsigned(&b->code, n);
        took(b, n);
      } else {
        make(b, element, depth + 1);
        make(b, I32, depth + 2);
        put_i32(b, 7), put_op(b, OP_i32_and), put_i32(b, 1), put_op(b, OP_i32_add);
        put_index(b, OP_array_new, index);
        took(b, 2);
      }
    }
  } else if (g->gc && t != EXNREF) { /* any eq i31 extern */
    make(b, I32, depth + 1);
    took(b, 1);
    put_op(b, OP_ref_i31);
    if (t == EXTERNREF) put_op(b, OP_extern_convert_any);
  } else {
    put_op(b, OP_ref_null), put_heap(&b->code, t), put_op(b, OP_ref_as_non_null);
  }
  push(b, t | NONNULL);
}

static void leaf(struct body *b, type t) {
  struct gen *g = b->g;
  unsigned found;
  if (chance(g, 65) && pick_local(b, t, false, &found)) {
    put_index(b, OP_local_get, found);
  } else if (chance(g, 20) && pick_global(b, t, false, &found)) {
    put_index(b, OP_global_get, found);
  } else if (is_number(t)) {
    put_const(b, t);
  } else if (t & NONNULL || (t != EXNREF && chance(g, 60) && (g->gc || t == FUNCREF))) {
    make_object(b, t, 9);
    return;
  } else {
    put_op(b, OP_ref_null);
    put_heap(&b->code, t);
  }
  push(b, t);
}

/* An address below `room`, or anything. */
static void make_address(struct body *b, unsigned memory, unsigned depth) {
  struct gen *g = b->g;
  bool is64 = g->memories[memory].is64;
  type t = is64 ? I64 : I32;
  if (available(b) && fits(g, b->stack[b->height - 1], t) && chance(g, 50)) {
  } else {
    make(b, t, depth + 1);
  }
  if (chance(g, 95)) {
    unsigned mask = chance(g, 90) ? 0xfff : 0xffff;
    if (is64) put_op(b, OP_i64_const), bytes_signed(&b->code, mask), put_op(b, OP_i64_and);
    else put_i32(b, (int32_t)mask), put_op(b, OP_i32_and);
  }
  if (chance(g, 25)) { /* base and index */
    unsigned found;
    if (!pick_local(b, t, false, &found)) return;
    put_index(b, OP_local_get, found);
    if (is64) put_op(b, OP_i64_const), bytes_signed(&b->code, 0x3ff), put_op(b, OP_i64_and), put_op(b, OP_i64_add);
    else put_i32(b, 0x3ff), put_op(b, OP_i32_and), put_op(b, OP_i32_add);
  } else if (chance(g, 20)) {
    if (is64) put_op(b, OP_i64_const), bytes_signed(&b->code, below(g, 2048)), put_op(b, OP_i64_add);
    else put_i32(b, (int32_t)below(g, 2048)), put_op(b, OP_i32_add);
  }
}

static void put_memarg(struct body *b, const struct row *w, unsigned memory) {
  struct gen *g = b->g;
  unsigned align = below(g, w->align + 1);
  bytes_unsigned(&b->code, memory ? align | 0x40 : align);
  if (memory) bytes_unsigned(&b->code, memory);
  unsigned shift = 32 + below(g, 20);
  bytes_unsigned(&b->code, chance(g, 99) ? below(g, chance(g, 70) ? 40 : 3000) : random_next(&g->r) >> shift);
  if (w->imm == IMM_MEMARG_LANE) bytes_byte(&b->code, below(g, 16u >> w->align));
}

/* A load, or the store of what make gives. */
static void memory_access(struct body *b, const struct row *w, unsigned depth) {
  struct gen *g = b->g;
  unsigned memory = below(g, g->nmemories);
  make_address(b, memory, depth);
  if (w->sig[1] != ':') {
    type t = letter_type(w->sig[1]);
    make(b, t, depth + 1);
    if (t != V128) canonical(b, t, false);
    took(b, 1);
  }
  put_op(b, w->op);
  put_memarg(b, w, memory);
  took(b, 1);
  char result = strchr(w->sig, ':')[1];
  if (result) push(b, letter_type(result));
}

/* Of what sees bits that a NaN leaves open, operands are made canonical first, and what a vector operation leaves open afterwards. */
static void plain(struct body *b, const struct row *w, unsigned depth) {
  struct gen *g = b->g;
  type params[3];
  unsigned n = 0;
  for (const char *p = w->sig; *p != ':'; p++) params[n++] = letter_type(*p);
  char result = strchr(w->sig, ':')[1];
  need(b, params, n, depth);
  if (strstr(w->text, ".div_") || strstr(w->text, ".rem_")) {
    if (chance(g, 97)) {
      if (params[1] == I32) put_i32(b, 1), put_op(b, OP_i32_or);
      else put_op(b, OP_i64_const), bytes_signed(&b->code, 1), put_op(b, OP_i64_or);
    }
  }
  if (strstr(w->text, "reinterpret") || strstr(w->text, "copysign")) canonical(b, params[n - 1], false);
  put_op(b, w->op);
  if (w->imm == IMM_LANE) {
    unsigned bits = (unsigned)atoi(w->text + 1);
    bytes_byte(&b->code, below(g, 128 / bits));
  } else if (w->imm == IMM_SHUFFLE) {
    for (unsigned i = 0; i < 16; i++) bytes_byte(&b->code, below(g, 32));
  }
  took(b, n);
  if (result == 'v' && w->text[0] == 'f') {
    bool quiet = strstr(w->text, ".abs") || strstr(w->text, ".neg") || strstr(w->text, ".pm") || strstr(w->text, ".eq") || strstr(w->text, ".ne") ||
                 strstr(w->text, ".l") || strstr(w->text, ".g");
    if (!quiet || strstr(w->text, ".nearest")) canonical(b, V128, w->text[1] == '6');
  }
  if (result) push(b, letter_type(result));
}

static void steps(struct body *, unsigned n);

static void open_label(struct body *b, const type *types, unsigned n, unsigned taken, bool hidden) {
  struct label *l = &b->labels[b->nlabels++];
  *l = (struct label){.base = b->height - taken, .ntypes = n, .hidden = hidden};
  for (unsigned i = 0; i < n; i++) l->types[i] = types[i];
}

/* Gets rid of the top. */
static void sink(struct body *b) {
  struct gen *g = b->g;
  type t = b->stack[b->height - 1];
  unsigned found;
  took(b, 1);
  if (chance(g, 45) && pick_local(b, t, true, &found)) {
    put_index(b, OP_local_set, found);
  } else if (chance(g, 35) && pick_global(b, t, true, &found)) {
    put_index(b, OP_global_set, found);
  } else if (is_number(t) && g->nmemories && chance(g, 50)) {
    const struct row *w;
    unsigned memory = below(g, g->nmemories), s = b->scratch[t];
    do w = pick_row(g, RULE_STORE, 0); while (letter_type(w->sig[1]) != t);
    put_index(b, OP_local_set, s);
    if (g->memories[memory].is64) put_op(b, OP_i64_const), bytes_signed(&b->code, below(g, 60000));
    else put_i32(b, (int32_t)below(g, 60000));
    put_index(b, OP_local_get, s);
    if (t != V128) canonical(b, t, false);
    put_op(b, w->op);
    put_memarg(b, w, memory);
  } else {
    put_op(b, OP_drop);
  }
}

/* Leaves just these types above the label's base. */
static void leave(struct body *b, const type *types, unsigned n) {
  struct label *l = top_label(b);
  for (;;) {
    unsigned have = available(b), i = 0;
    while (i < have && i < n && fits(b->g, b->stack[l->base + i], types[i])) i++;
    if (i == have && have <= n) break;
    sink(b);
  }
  if (l->dead && chance(b->g, 60)) { /* anything fits, but only below what is there */
    while (available(b)) sink(b);
    while (available(b) < n) push(b, types[available(b)]);
  } else {
    for (unsigned i = available(b); i < n; i++) make(b, types[i], 2);
  }
}

static void close_label(struct body *b, const type *results, unsigned n) {
  leave(b, results, n);
  b->height = top_label(b)->base;
  b->nlabels--;
  put_op(b, OP_end);
  for (unsigned i = 0; i < n; i++) push(b, results[i]);
}

static void spend(struct body *b) { /* the budget */
  put_index(b, OP_global_get, 0);
  put_i32(b, 1), put_op(b, OP_i32_sub);
  put_index(b, OP_global_set, 0);
  put_index(b, OP_global_get, 0);
  put_i32(b, 0), put_op(b, OP_i32_lt_s);
  put_op(b, OP_if), bytes_byte(&b->code, 0x40);
  put_op(b, OP_unreachable), put_op(b, OP_end);
}

/* Operands of a block: inside, they have the types that it declares. */
static void enter(struct body *b, const type *params, unsigned n) {
  need(b, params, n, 1);
  for (unsigned i = 0; i < n; i++) b->stack[b->height - n + i] = params[i];
}

static void structured(struct body *b) {
  struct gen *g = b->g;
  type params[3], results[MAX_RESULTS];
  unsigned np = chance(g, 25) ? 1 + below(g, 2) : 0, nr = chance(g, 50) ? 0 : 1 + below(g, 2);
  if (b->nlabels + 3 > MAX_LABELS) return;
  if (chance(g, 4)) nr = 15 + below(g, 6); /* more than one moves one by one */
  for (unsigned i = 0; i < np; i++) params[i] = any_type(g);
  for (unsigned i = 0; i < nr; i++) results[i] = any_type(g);
  if (np && available(b) >= np && chance(g, 70)) /* take what is there */
    for (unsigned i = 0; i < np; i++) params[i] = b->stack[b->height - np + i];
  unsigned n = 2 + below(g, 8), kind = below(g, g->exceptions ? 12 : 9);
  if (kind < 3) {
    enter(b, params, np);
    put_op(b, OP_block);
    block_type(b, params, np, results, nr);
    open_label(b, results, nr, np, false);
    steps(b, n);
    close_label(b, results, nr);
  } else if (kind < 6) {
    bool both = np || nr || chance(g, 60);
    enter(b, params, np);
    make(b, I32, 1);
    took(b, 1);
    put_op(b, OP_if);
    block_type(b, params, np, results, nr);
    open_label(b, results, nr, np, false);
    steps(b, n);
    leave(b, results, nr);
    if (both) {
      b->height = top_label(b)->base;
      top_label(b)->dead = false;
      put_op(b, OP_else);
      for (unsigned i = 0; i < np; i++) push(b, params[i]);
      steps(b, n);
    }
    close_label(b, results, nr);
  } else if (kind < 9) {
    bool counted = b->loops < 2 && locals_left(b, 1) && chance(g, 60);
    unsigned counter = 0;
    if (counted) {
      np = 0;
      counter = new_local(b, I32);
      put_i32(b, (int32_t)below(g, 4) + 1);
      put_index(b, OP_local_set, counter);
    }
    enter(b, params, np);
    put_op(b, OP_loop);
    block_type(b, params, np, results, nr);
    open_label(b, params, np, np, counted);
    b->loops++;
    if (!counted) spend(b);
    steps(b, n);
    if (counted) {
      leave(b, results, nr);
      if (!top_label(b)->dead || available(b) == nr) {
        put_index(b, OP_local_get, counter);
        put_i32(b, 1), put_op(b, OP_i32_sub);
        put_index(b, OP_local_tee, counter);
        put_index(b, OP_br_if, 0);
      }
    } else if (chance(g, 70)) {
      need(b, params, np, 2);
      make(b, I32, 1);
      took(b, 1);
      put_index(b, OP_br_if, 0);
      took(b, np);
      for (unsigned i = 0; i < np; i++) push(b, params[i]);
    }
    b->loops--;
    close_label(b, results, nr);
  } else { /* a block that the handler jumps to */
    unsigned tag = below(g, g->ntags), form = below(g, 4); /* catch, catch_ref, catch_all, catch_all_ref */
    const struct deftype t = g->types[g->tags[tag]];
    type caught[MAX_PARAMS + 1];
    unsigned nc = 0;
    if (form < 2)
      for (unsigned i = 0; i < t.nparams; i++) caught[nc++] = t.params[i];
    if (form & 1) caught[nc++] = EXNREF | NONNULL;
    put_op(b, OP_block);
    block_type(b, NULL, 0, caught, nc);
    open_label(b, caught, nc, 0, false);
    put_op(b, OP_try_table);
    block_type(b, NULL, 0, results, nr);
    bytes_unsigned(&b->code, 1);
    bytes_byte(&b->code, form);
    if (form < 2) bytes_unsigned(&b->code, tag);
    bytes_unsigned(&b->code, 0);
    open_label(b, results, nr, 0, false);
    steps(b, n);
    close_label(b, results, nr);
    /* what the body gave goes away, and the handler's block gets values of its own */
    while (available(b)) sink(b);
    if (form & 1) put_op(b, OP_unreachable), top_label(b)->dead = true;
    close_label(b, caught, nc);
    if (form & 1) { /* nothing else can make an exnref */
      unsigned found;
      if (chance(g, 25)) put_op(b, OP_throw_ref), took(b, nc), b->height = top_label(b)->base, top_label(b)->dead = true;
      else if (pick_local(b, EXNREF, true, &found)) put_index(b, OP_local_set, found), took(b, 1);
      else put_op(b, OP_drop), took(b, 1);
    }
  }
}

static bool pick_label(struct body *b, unsigned *depth) {
  for (unsigned tries = 0; tries < 8; tries++) {
    unsigned d = below(b->g, b->nlabels), i = 0;
    struct label *l = &b->labels[b->nlabels - 1 - d];
    if (l->hidden) continue;
    while (i < l->ntypes && l->types[i] != (EXNREF | NONNULL)) i++;
    if (i == l->ntypes) return *depth = d, true;
  }
  return false;
}

static void stop(struct body *b) {
  b->height = top_label(b)->base;
  top_label(b)->dead = true;
}

static void branch(struct body *b) {
  struct gen *g = b->g;
  unsigned d;
  if (!pick_label(b, &d)) return;
  struct label l = b->labels[b->nlabels - 1 - d];
  unsigned kind = below(g, 12);
  if (kind < 7) {
    need(b, l.types, l.ntypes, 1);
    make(b, I32, 1);
    took(b, 1);
    put_index(b, OP_br_if, d);
    took(b, l.ntypes);
    for (unsigned i = 0; i < l.ntypes; i++) push(b, l.types[i]); /* types are those of the label now */
  } else if (kind < 9) {
    unsigned n = chance(g, 10) ? 40 : below(g, 6), targets[41], at = 0;
    for (unsigned i = 0; i <= n; i++) { /* others with the same types */
      targets[i] = d;
      unsigned other = below(g, b->nlabels);
      const struct label *o = &b->labels[b->nlabels - 1 - other];
      if (!o->hidden && o->ntypes == l.ntypes && same_types(o->types, l.types, l.ntypes)) targets[i] = other;
    }
    need(b, l.types, l.ntypes, 1);
    make(b, I32, 1);
    if (chance(g, 70)) put_i32(b, 7), put_op(b, OP_i32_and);
    put_index(b, OP_br_table, n);
    while (at <= n) bytes_unsigned(&b->code, targets[at++]);
    stop(b);
  } else if (kind < 11) {
    need(b, l.types, l.ntypes, 1);
    put_index(b, OP_br, d);
    stop(b);
  } else {
    need(b, b->type->results, b->type->nresults, 1);
    put_op(b, OP_return);
    stop(b);
  }
}

static void call(struct body *b, unsigned depth) {
  struct gen *g = b->g;
  unsigned callee = chance(g, 12) ? below(g, g->nfuncs) : b->func + below(g, g->nfuncs - b->func), kind = below(g, 10);
  if (callee == b->func && chance(g, 80)) callee = 0;
  unsigned index = g->funcs[callee];
  struct deftype t = g->types[index];
  bool tail = g->tail && depth == 0 && kind < 8 && chance(g, 8) && t.nresults == b->type->nresults && same_types(t.results, b->type->results, t.nresults);
  need(b, t.params, t.nparams, depth + 1);
  if (kind < 5) {
    put_index(b, tail ? OP_return_call : OP_call, callee);
  } else if (kind < 8) {
    unsigned table = 0;
    bool is64 = g->tables[table].is64;
    if (chance(g, 92)) put_i32(b, (int32_t)callee); /* there is such an entry at first */
    else make(b, I32, depth + 1), took(b, 1), put_i32(b, 15), put_op(b, OP_i32_and);
    if (is64) put_op(b, OP_i64_extend_i32_u);
    put_index(b, tail ? OP_return_call_indirect : OP_call_indirect, index);
    bytes_unsigned(&b->code, table);
  } else if (g->gc) {
    put_index(b, OP_ref_func, callee);
    put_index(b, OP_call_ref, index);
  } else {
    put_index(b, OP_call, callee);
  }
  took(b, t.nparams);
  if (tail) {
    stop(b);
    return;
  }
  for (unsigned i = 0; i < t.nresults; i++) push(b, t.results[i]);
}

/* An i32 or i64 below 16, for tables and segments. */
static void make_small(struct body *b, bool is64, unsigned mask) {
  make(b, I32, 3);
  took(b, 1);
  put_i32(b, (int32_t)mask), put_op(b, OP_i32_and);
  if (is64) put_op(b, OP_i64_extend_i32_u);
}

static void bulk(struct body *b) {
  struct gen *g = b->g;
  unsigned m = below(g, g->nmemories), m2 = below(g, g->nmemories), t = chance(g, 10) ? 0 : 1 + below(g, g->ntables - 1); /* table 0 is for calls */
  bool m64 = g->memories[m].is64, m264 = g->memories[m2].is64, t64 = g->tables[t].is64;
  switch (below(g, 13)) {
  case 0: put_index(b, OP_memory_size, m), push(b, m64 ? I64 : I32); break;
  case 1: make_small(b, m64, 1), put_index(b, OP_memory_grow, m), push(b, m64 ? I64 : I32); break;
  case 2: make_address(b, m, 1), took(b, 1), make(b, I32, 2), took(b, 1), make_small(b, m64, 0x7f), put_index(b, OP_memory_fill, m); break;
  case 3:
    make_address(b, m, 1);
    b->floor = b->height; /* there is no floor outside of make */
    make_address(b, m2, 1);
    b->floor = 0;
    took(b, 2);
    make_small(b, m64 && m264, 0xff);
    put_index(b, OP_memory_copy, m), bytes_unsigned(&b->code, m2);
    break;
  case 4:
    if (!g->ndata) break;
    unsigned d = below(g, g->ndata);
    make_address(b, m, 1), took(b, 1), make_small(b, false, 7), make_small(b, false, 7);
    put_index(b, OP_memory_init, d), bytes_unsigned(&b->code, m);
    break;
  case 5:
    if (g->ndata && chance(g, 5)) put_index(b, OP_data_drop, below(g, g->ndata));
    break;
  case 6: make_small(b, t64, 15), put_index(b, OP_table_get, t), push(b, g->tables[t].type); break;
  case 7:
    make_small(b, t64, 15), make(b, g->tables[t].type, 1), took(b, 1);
    put_index(b, OP_table_set, t);
    break;
  case 8: put_index(b, OP_table_size, t), push(b, t64 ? I64 : I32); break;
  case 9:
    make(b, g->tables[t].type, 1), took(b, 1), make_small(b, t64, 3);
    put_index(b, OP_table_grow, t), push(b, t64 ? I64 : I32);
    break;
  case 10:
    make_small(b, t64, 7), make(b, g->tables[t].type, 1), took(b, 1), make_small(b, t64, 3);
    put_index(b, OP_table_fill, t);
    break;
  case 11:
    make_small(b, t64, 7), make_small(b, t64, 7), make_small(b, t64, 7);
    put_index(b, OP_table_copy, t), bytes_unsigned(&b->code, t);
    break;
  default:
    if (!g->nelems) break;
    unsigned e = below(g, g->nelems);
    if (!fits(g, g->elems[e].type, g->tables[t].type)) break;
    if (chance(g, 3)) {
      put_index(b, OP_elem_drop, e);
      break;
    }
    make_small(b, t64, 7), make_small(b, false, 3), make_small(b, false, 3);
    put_index(b, OP_table_init, e), bytes_unsigned(&b->code, t);
  }
}

/* An object of a struct or array type, seldom null. */
static void make_safe(struct body *b, unsigned index) { make(b, (INDEXED + index) | (chance(b->g, 96) ? NONNULL : 0), 2); }

static void objects(struct body *b) {
  struct gen *g = b->g;
  unsigned index = below(g, g->nheap), found, d;
  const struct deftype *t = &g->types[index];
  switch (below(g, 15)) {
  case 0: case 1: case 2:
    if (t->kind == STRUCT) {
      unsigned field = below(g, t->nparams);
      type f = t->params[field];
      make_safe(b, index);
      if (chance(g, 50)) {
        put_index(b, f == PACKED8 || f == PACKED16 ? (chance(g, 50) ? OP_struct_get_s : OP_struct_get_u) : OP_struct_get, index);
        took(b, 1);
        push(b, f == PACKED8 || f == PACKED16 ? I32 : f);
      } else {
        make(b, f == PACKED8 || f == PACKED16 ? I32 : f, 1);
        put_index(b, OP_struct_set, index);
        took(b, 2);
      }
      bytes_unsigned(&b->code, field);
      break;
    }
    /* fall through */
  case 3: case 4:
    if (t->kind == ARRAY) {
      type f = t->params[0], wide = f == PACKED8 || f == PACKED16 ? I32 : f;
      bool ok = locals_left(b, 1) && chance(g, 94);
      make_safe(b, index);
      if (ok) { /* an index below its length */
        unsigned s = new_local(b, INDEXED + index);
        put_index(b, OP_local_tee, s);
        make(b, I32, 2);
        put_index(b, OP_local_get, s), put_op(b, OP_array_len), put_op(b, OP_i32_rem_u);
      } else {
        make(b, I32, 2);
        put_i32(b, 7), put_op(b, OP_i32_and);
      }
      switch (below(g, 4)) {
      case 0:
        make(b, wide, 1);
        put_index(b, OP_array_set, index);
        took(b, 3);
        break;
      case 1:
        make(b, wide, 1);
        put_i32(b, (int32_t)below(g, 3));
        put_index(b, OP_array_fill, index);
        took(b, 3);
        break;
      default:
        put_index(b, f != wide ? (chance(g, 50) ? OP_array_get_s : OP_array_get_u) : OP_array_get, index);
        took(b, 2);
        push(b, wide);
      }
      break;
    }
    make_safe(b, index);
    break;
  case 5:
    if (t->kind == ARRAY) { /* copies, from data, from elements */
      type f = t->params[0];
      unsigned seg;
      make_safe(b, index);
      if (is_ref(f) && f < PACKED8 && g->nelems && (seg = below(g, g->nelems), fits(g, g->elems[seg].type, f)) && chance(g, 60)) {
        put_i32(b, 0), make_small(b, false, 1), make_small(b, false, 1);
        put_index(b, OP_array_init_elem, index), bytes_unsigned(&b->code, seg);
        took(b, 1);
      } else if ((is_number(f) || f == PACKED8 || f == PACKED16) && g->ndata && chance(g, 60)) {
        seg = below(g, g->ndata);
        if (chance(g, 50)) {
          put_op(b, OP_drop), took(b, 1);
          make_small(b, false, 3), make_small(b, false, 1);
          put_index(b, OP_array_new_data, index), bytes_unsigned(&b->code, seg);
          push(b, (INDEXED + index) | NONNULL);
        } else {
          put_i32(b, 0), make_small(b, false, 1), make_small(b, false, 1);
          put_index(b, OP_array_init_data, index), bytes_unsigned(&b->code, seg);
          took(b, 1);
        }
      } else {
        put_i32(b, 0);
        make_safe(b, index);
        took(b, 1);
        put_i32(b, 0), make_small(b, false, 1);
        put_index(b, OP_array_copy, index), bytes_unsigned(&b->code, index);
        took(b, 1);
      }
      break;
    }
    /* fall through */
  case 6:
    make(b, chance(g, 50) ? ANYREF : EQREF, 1);
    put_index(b, chance(g, 50) ? OP_ref_test : OP_ref_test_null, index); /* an index below 64 is one byte */
    took(b, 1);
    push(b, I32);
    break;
  case 7:
    make(b, I31REF | (chance(g, 95) ? NONNULL : 0), 1);
    put_op(b, chance(g, 50) ? OP_i31_get_s : OP_i31_get_u);
    took(b, 1);
    push(b, I32);
    break;
  case 8:
    make(b, EQREF, 1), make(b, EQREF, 1);
    put_op(b, OP_ref_eq);
    took(b, 2);
    push(b, I32);
    break;
  case 9: /* a block around br_on_cast */
    if (b->nlabels + 2 > MAX_LABELS || !pick_local(b, ANYREF, true, &found)) break;
    type target = (INDEXED + index) | NONNULL;
    put_op(b, OP_block);
    block_type(b, NULL, 0, &target, 1);
    open_label(b, &target, 1, 0, true);
    make(b, ANYREF, 1);
    put_op(b, OP_br_on_cast);
    bytes_byte(&b->code, 1); /* from nullable to not */
    bytes_unsigned(&b->code, 0);
    put_heap(&b->code, ANYREF), put_heap(&b->code, target);
    took(b, 1);
    push(b, ANYREF);
    sink(b);
    close_label(b, &target, 1);
    break;
  case 12: /* around br_on_cast_fail */
    if (b->nlabels + 2 > MAX_LABELS) break;
    put_op(b, OP_block);
    type whole = ANYREF;
    block_type(b, NULL, 0, &whole, 1);
    open_label(b, &whole, 1, 0, true);
    make(b, ANYREF, 1);
    put_op(b, OP_br_on_cast_fail);
    bytes_byte(&b->code, 1);
    bytes_unsigned(&b->code, 0);
    put_heap(&b->code, ANYREF), put_heap(&b->code, INDEXED + index);
    took(b, 1);
    push(b, (INDEXED + index) | NONNULL);
    if (chance(g, 50)) sink(b);
    close_label(b, &whole, 1);
    break;
  case 13: /* around br_on_non_null */
    if (b->nlabels + 2 > MAX_LABELS) break;
    type sure = (INDEXED + index) | NONNULL;
    put_op(b, OP_block);
    block_type(b, NULL, 0, &sure, 1);
    open_label(b, &sure, 1, 0, true);
    make(b, INDEXED + index, 1);
    put_index(b, OP_br_on_non_null, 0);
    took(b, 1);
    close_label(b, &sure, 1);
    break;
  case 10:
    if (!pick_label(b, &d)) break;
    struct label l = b->labels[b->nlabels - 1 - d];
    type object = INDEXED + index;
    need(b, l.types, l.ntypes, 1);
    make(b, object, 1);
    put_index(b, OP_br_on_null, d);
    took(b, 1 + l.ntypes);
    for (unsigned i = 0; i < l.ntypes; i++) push(b, l.types[i]);
    push(b, object | NONNULL);
    break;
  default:
    if (chance(g, 50)) {
      make(b, ANYREF, 1), took(b, 1);
      put_op(b, OP_extern_convert_any), push(b, EXTERNREF);
    } else {
      make(b, EXTERNREF, 1), took(b, 1);
      put_op(b, OP_any_convert_extern), push(b, ANYREF);
    }
  }
}

static void make_value(struct body *b, type t, unsigned depth) {
  struct gen *g = b->g;
  unsigned found;
  if (t & NONNULL) {
    make_object(b, t, depth);
    return;
  }
  if (depth > 3 || chance(g, 25 * depth) || b->code.size > 20000) {
    leaf(b, t);
    return;
  }
  if (t == I32 && chance(g, 12)) { /* comparisons and tests, which branches look at */
    const struct row *w;
    do w = pick_row(g, RULE_PLAIN, 'i'); while (!strstr(w->text, ".eq") && !strstr(w->text, ".lt") && !strstr(w->text, ".ge"));
    plain(b, w, depth + 1);
    return;
  }
  if (is_number(t)) {
    unsigned kind = below(g, 20);
    if (kind < 12) {
      const struct row *w = pick_row(g, RULE_PLAIN, type_letter(t));
      for (const char *p = w->sig; *p != ':'; p++) make(b, letter_type(*p), depth + 1);
      plain(b, w, depth + 1);
      return;
    }
    if (kind < 15 && g->nmemories) {
      memory_access(b, pick_row(g, RULE_LOAD, type_letter(t)), depth + 1);
      return;
    }
    if (kind < 16) {
      make(b, t, depth + 1), make(b, t, depth + 1), make(b, I32, depth + 1);
      put_op(b, OP_select);
      took(b, 3), push(b, t);
      return;
    }
    if (kind < 17 && depth < 2 && b->nlabels < MAX_LABELS - 2) {
      make(b, I32, depth + 1);
      took(b, 1);
      put_op(b, OP_if);
      block_type(b, NULL, 0, &t, 1);
      open_label(b, &t, 1, 0, false);
      make(b, t, depth + 1);
      put_op(b, OP_else);
      b->height = top_label(b)->base;
      make(b, t, depth + 1);
      close_label(b, &t, 1);
      return;
    }
    if (kind < 18 && pick_local(b, t, true, &found) && b->locals[found] == t) {
      make(b, t, depth + 1);
      put_index(b, OP_local_tee, found);
      return;
    }
  } else if (chance(g, 20)) {
    make(b, t, depth + 1), make(b, t, depth + 1), make(b, I32, depth + 1);
    put_op(b, OP_select_t), bytes_unsigned(&b->code, 1), put_type(&b->code, t);
    took(b, 3), push(b, t);
    return;
  }
  leaf(b, t);
}

static void make(struct body *b, type t, unsigned depth) {
  unsigned floor = b->floor;
  b->floor = b->height;
  make_value(b, t, depth);
  b->floor = floor;
}

static void step(struct body *b) {
  struct gen *g = b->g;
  unsigned kind = below(g, 100), found;
  if (b->height > 150 && available(b)) {
    sink(b);
  } else if (kind < 28) {
    const struct row *w = pick_row(g, RULE_PLAIN, 0);
    for (unsigned tries = 0; tries < 12 && available(b); tries++) { /* rather one for what is on top */
      size_t n = strcspn(w->sig, ":");
      if (n && letter_type(w->sig[n - 1]) == b->stack[b->height - 1]) break;
      w = pick_row(g, RULE_PLAIN, 0);
    }
    plain(b, w, 1);
  } else if (kind < 42) {
    if (!available(b)) make(b, any_type(g), 0);
    if (chance(g, 70)) {
      sink(b);
    } else if (pick_local(b, b->stack[b->height - 1], true, &found)) {
      put_index(b, OP_local_tee, found);
      b->stack[b->height - 1] = b->locals[found];
    }
  } else if (kind < 48 && g->nmemories) {
    memory_access(b, pick_row(g, RULE_STORE, 0), 0);
  } else if (kind < 52 && g->nmemories) {
    memory_access(b, pick_row(g, RULE_LOAD, 0), 0);
  } else if (kind < 64) {
    structured(b);
  } else if (kind < 71) {
    branch(b);
  } else if (kind < 77) {
    call(b, 0);
  } else if (kind < 80) {
    make(b, any_type(g), 0);
  } else if (kind < 83) { /* constants and locals, for what follows */
    leaf(b, number_type(g)), leaf(b, number_type(g));
  } else if (kind < 88 && g->nmemories && g->bulk) {
    bulk(b);
  } else if (kind < 96 && g->gc) {
    objects(b);
  } else if (kind < 97 && g->exceptions && chance(g, 40)) {
    unsigned tag = below(g, g->ntags);
    const struct deftype t = g->types[g->tags[tag]];
    need(b, t.params, t.nparams, 1);
    put_index(b, OP_throw, tag);
    stop(b);
  } else if (kind == 98 && chance(g, 5)) {
    put_op(b, OP_unreachable);
    stop(b);
  } else {
    make(b, number_type(g), 1);
    sink(b);
  }
}

static void steps(struct body *b, unsigned n) {
  for (unsigned i = 0; i < n && b->steps && b->code.size < 12000; i++) {
    if (top_label(b)->dead && chance(b->g, 75)) return;
    b->steps--;
    step(b);
  }
}

static void put_func(struct gen *g, unsigned func, struct bytes *out) {
  struct body b = {.g = g, .func = func};
  struct deftype t = g->types[g->funcs[func]];
  b.type = &t;
  for (unsigned i = 0; i < t.nparams; i++) new_local(&b, t.params[i]);
  for (unsigned i = 0, n = 1 + below(g, 10); i < n; i++) new_local(&b, any_type(g));
  if (g->exceptions) new_local(&b, EXNREF);
  b.nshown = b.nlocals;
  for (type s = I32; s <= V128; s++) b.scratch[s] = s == V128 && !g->simd ? 0 : new_local(&b, s);
  b.steps = 12 + below(g, 50);
  open_label(&b, t.results, t.nresults, 0, false);
  spend(&b);
  steps(&b, b.steps);
  close_label(&b, t.results, t.nresults);

  struct bytes head = {0};
  bytes_unsigned(&head, b.nlocals - t.nparams);
  for (unsigned i = t.nparams; i < b.nlocals; i++) bytes_unsigned(&head, 1), put_type(&head, b.locals[i]);
  bytes_unsigned(out, head.size + b.code.size);
  bytes_put(out, head.data, head.size);
  bytes_put(out, b.code.data, b.code.size);
  bytes_free(&head);
  bytes_free(&b.code);
}

/* ---- sections ------------------------------------------------------------------------------------------ */

static void choose_types(struct gen *g) {
  g->nheap = g->gc ? 3 + below(g, 4) : 0;
  for (unsigned i = 0; i < g->nheap; i++) {
    struct deftype *t = &g->types[i];
    t->super = -1;
    t->open = true;
    t->kind = i == 0 ? STRUCT : i == 1 ? ARRAY : chance(g, 60) ? STRUCT : ARRAY;
    t->nparams = t->kind == ARRAY ? 1 : 1 + below(g, 3);
    if (i > 1 && t->kind == STRUCT && chance(g, 60)) { /* a subtype has more fields */
      unsigned super = below(g, i);
      if (g->types[super].kind == STRUCT && g->types[super].nparams < MAX_FIELDS) {
        *t = g->types[super];
        t->super = (int)super;
        t->nparams++;
        t->params[t->nparams - 1] = number_type(g);
        continue;
      }
    }
    for (unsigned f = 0; f < t->nparams; f++) {
      unsigned kind = below(g, 10);
      t->params[f] = kind < 2 ? (type)PACKED8 + (kind & 1) : kind < 8 ? number_type(g) : kind == 8 ? (type)(INDEXED + below(g, i + 1)) : chance(g, 50) ? ANYREF : FUNCREF;
    }
  }
  g->ntypes = g->nheap;
  unsigned n = 3 + below(g, 5);
  func_type(g, (type[]){I64, I64}, 2, (type[]){I64}, 1);
  for (unsigned i = 0; i < n; i++) {
    type params[MAX_PARAMS], results[MAX_RESULTS];
    unsigned np = below(g, 7), nr = below(g, 4);
    bool numbers = chance(g, 65);
    for (unsigned k = 0; k < np; k++) params[k] = numbers ? number_type(g) : any_type(g);
    for (unsigned k = 0; k < nr; k++) results[k] = numbers ? number_type(g) : any_type(g);
    func_type(g, params, np, results, nr);
  }
  unsigned ntypes = g->ntypes;
  g->funcs[0] = g->nheap;
  for (unsigned i = g->nheap + 1; i < ntypes; i++) g->funcs[++g->nfuncs] = i;
  for (unsigned i = below(g, 4); i > 0; i--) g->funcs[++g->nfuncs] = g->nheap + 1 + below(g, ntypes - g->nheap - 1);
  g->nfuncs++;
  g->ntags = g->exceptions ? 2 : 0;
  for (unsigned i = 0; i < g->ntags; i++) {
    type params[3];
    unsigned np = below(g, 4);
    for (unsigned k = 0; k < np; k++) params[k] = any_type(g);
    g->tags[i] = func_type(g, params, np, NULL, 0);
  }
}

static void section(struct bytes *out, unsigned id, unsigned count, struct bytes *content) {
  if (count) {
    struct bytes n = {0};
    bytes_unsigned(&n, count);
    bytes_byte(out, id);
    bytes_unsigned(out, n.size + content->size);
    bytes_put(out, n.data, n.size);
    bytes_put(out, content->data, content->size);
    bytes_free(&n);
  }
  content->size = 0;
}

static void put_deftype(struct bytes *out, const struct deftype *t) {
  if (t->super >= 0 || t->open) {
    bytes_byte(out, 0x50);
    bytes_unsigned(out, t->super >= 0);
    if (t->super >= 0) bytes_unsigned(out, (unsigned)t->super);
  }
  if (t->kind == FUNC) {
    bytes_byte(out, 0x60);
    bytes_unsigned(out, t->nparams);
    for (unsigned i = 0; i < t->nparams; i++) put_type(out, t->params[i]);
    bytes_unsigned(out, t->nresults);
    for (unsigned i = 0; i < t->nresults; i++) put_type(out, t->results[i]);
    return;
  }
  bytes_byte(out, t->kind == STRUCT ? 0x5f : 0x5e);
  if (t->kind == STRUCT) bytes_unsigned(out, t->nparams);
  for (unsigned i = 0; i < t->nparams; i++) put_type(out, t->params[i]), bytes_byte(out, 1);
}

static void put_limits(struct bytes *out, unsigned min, unsigned max, bool is64) {
  bytes_byte(out, is64 ? 5 : 1);
  bytes_unsigned(out, min);
  bytes_unsigned(out, max);
}

/* A constant expression. */
static void put_initial(struct gen *g, struct bytes *out, type t) {
  struct body b = {.g = g};
  if (is_number(t)) {
    if ((t == I32 || t == I64) && chance(g, 25)) {
      put_const(&b, t), put_const(&b, t);
      put_op(&b, t == I32 ? OP_i32_add : OP_i64_mul);
    } else {
      put_const(&b, t);
    }
  } else if (t >= INDEXED && chance(g, 70)) {
    if (g->types[t - INDEXED].kind == ARRAY) put_i32(&b, 3);
    put_index(&b, g->types[t - INDEXED].kind == ARRAY ? OP_array_new_default : OP_struct_new_default, t - INDEXED);
  } else if (t == FUNCREF && chance(g, 70)) {
    put_index(&b, OP_ref_func, below(g, g->nfuncs));
  } else if ((t == I31REF || t == ANYREF) && chance(g, 70)) {
    put_i32(&b, (int32_t)below(g, 1000));
    put_op(&b, OP_ref_i31);
  } else {
    put_op(&b, OP_ref_null), put_heap(&b.code, t);
  }
  put_op(&b, OP_end);
  bytes_put(out, b.code.data, b.code.size);
  bytes_free(&b.code);
}

static void put_elem_exprs(struct gen *g, struct bytes *out, type t, unsigned n) {
  put_type(out, t);
  bytes_unsigned(out, n);
  for (unsigned i = 0; i < n; i++) put_initial(g, out, t);
}

void generate(uint64_t seed, struct generated *made) {
  struct gen *g = calloc(1, sizeof *g);
  struct bytes code = {0}, s = {0}, *out = &made->module;
  if (!g) abort();
  memset(made, 0, sizeof *made);
  g->r.state = seed * 0x2545f4914f6cdd1d + 1;
  g->simd = chance(g, 40);
  g->gc = chance(g, 45);
  g->exceptions = chance(g, 35);
  g->tail = chance(g, 50);
  g->bulk = chance(g, 60);
  choose_types(g);
  g->nmemories = chance(g, 25) ? 2 : 1;
  for (unsigned i = 0; i < g->nmemories; i++) g->memories[i].min = 1 + below(g, 2), g->memories[i].max = 3, g->memories[i].is64 = chance(g, 20);
  g->ntables = 2 + below(g, 2);
  for (unsigned i = 0; i < g->ntables; i++) {
    type t = i == 0 ? FUNCREF : any_type(g);
    while (is_number(t)) t = any_type(g);
    g->tables[i] = (struct table){t, 16, 24, chance(g, 15)};
  }
  g->globals[g->nglobals].type = I32, g->globals[g->nglobals++].mutable = true;
  for (unsigned i = 3 + below(g, 8); i > 0; i--) g->globals[g->nglobals].type = any_type(g), g->globals[g->nglobals++].mutable = chance(g, 80);
  g->ndata = below(g, 3);
  for (unsigned i = 0; i < g->ndata; i++) g->data[i].size = 16 + below(g, 32);
  g->nelems = below(g, 3);
  for (unsigned i = 0; i < g->nelems; i++) {
    type t = any_type(g);
    g->elems[i] = (struct segment){is_number(t) ? (type)FUNCREF : t, 4 + below(g, 5)};
  }
  for (unsigned i = 1; i < g->nfuncs; i++) put_func(g, i, &code); /* adds types */

  bytes_put(out, "\0asm\1\0\0\0", 8);
  for (unsigned i = 0; i < g->ntypes; i++) put_deftype(&s, &g->types[i]);
  section(out, 1, g->ntypes, &s);
  bytes_put(&s, "\3env\3mix\0", 9);
  bytes_unsigned(&s, g->funcs[0]);
  section(out, 2, 1, &s);
  for (unsigned i = 1; i < g->nfuncs; i++) bytes_unsigned(&s, g->funcs[i]);
  section(out, 3, g->nfuncs - 1, &s);
  for (unsigned i = 0; i < g->ntables; i++) put_type(&s, g->tables[i].type), put_limits(&s, g->tables[i].min, g->tables[i].max, g->tables[i].is64);
  section(out, 4, g->ntables, &s);
  for (unsigned i = 0; i < g->nmemories; i++) put_limits(&s, g->memories[i].min, g->memories[i].max, g->memories[i].is64);
  section(out, 5, g->nmemories, &s);
  for (unsigned i = 0; i < g->ntags; i++) bytes_byte(&s, 0), bytes_unsigned(&s, g->tags[i]);
  section(out, 13, g->ntags, &s);
  for (unsigned i = 0; i < g->nglobals; i++) {
    put_type(&s, g->globals[i].type);
    bytes_byte(&s, g->globals[i].mutable);
    put_initial(g, &s, g->globals[i].type);
  }
  section(out, 6, g->nglobals, &s);

  unsigned nexports = 0;
  for (unsigned i = 1; i < g->nfuncs; i++) {
    const struct deftype *t = &g->types[g->funcs[i]];
    bool numbers = true;
    char *sig = made->funcs[made->nfuncs].sig;
    for (unsigned k = 0; k < t->nparams; k++) numbers = numbers && is_number(t->params[k]);
    for (unsigned k = 0; k < t->nresults; k++) numbers = numbers && is_number(t->results[k]);
    if (!numbers) continue;
    for (unsigned k = 0; k < t->nparams; k++) *sig++ = type_letter(t->params[k]);
    *sig++ = ':';
    for (unsigned k = 0; k < t->nresults; k++) *sig++ = type_letter(t->results[k]);
    *sig = 0;
    made->funcs[made->nfuncs++].index = i;
    bytes_byte(&s, i < 10 ? 2 : 3), bytes_print(&s, "f%u", i), bytes_byte(&s, 0), bytes_unsigned(&s, i);
    nexports++;
  }
  for (unsigned i = 0; i < g->nmemories; i++, nexports++) bytes_byte(&s, 2), bytes_print(&s, "m%u", i), bytes_byte(&s, 2), bytes_unsigned(&s, i);
  for (unsigned i = 0; i < g->nglobals; i++) {
    if (!is_number(g->globals[i].type)) continue;
    bytes_byte(&s, i < 10 ? 2 : 3), bytes_print(&s, "g%u", i), bytes_byte(&s, 3), bytes_unsigned(&s, i);
    made->globals[i] = type_letter(g->globals[i].type);
    nexports++;
  }
  section(out, 7, nexports, &s);

  for (unsigned i = 0; i < g->nelems; i++) bytes_byte(&s, 5), put_elem_exprs(g, &s, g->elems[i].type, g->elems[i].size);
  bytes_byte(&s, 0); /* table 0 begins with all functions */
  bytes_byte(&s, g->tables[0].is64 ? 0x42 : 0x41), bytes_byte(&s, 0), bytes_byte(&s, 0x0b);
  bytes_unsigned(&s, g->nfuncs);
  for (unsigned i = 0; i < g->nfuncs; i++) bytes_unsigned(&s, i);
  bytes_byte(&s, 3), bytes_byte(&s, 0); /* declares them */
  bytes_unsigned(&s, g->nfuncs);
  for (unsigned i = 0; i < g->nfuncs; i++) bytes_unsigned(&s, i);
  section(out, 9, g->nelems + 2, &s);
  bytes_byte(out, 12), bytes_byte(out, 1), bytes_byte(out, g->ndata + 1); /* the count of data segments */
  section(out, 10, g->nfuncs - 1, &code);
  for (unsigned i = 0; i < g->ndata; i++) {
    bytes_byte(&s, 1);
    bytes_unsigned(&s, g->data[i].size);
    for (unsigned k = 0; k < g->data[i].size; k++) bytes_byte(&s, below(g, 256));
  }
  bytes_byte(&s, 0), bytes_byte(&s, g->memories[0].is64 ? 0x42 : 0x41), bytes_byte(&s, 8), bytes_byte(&s, 0x0b);
  bytes_unsigned(&s, 4096);
  for (unsigned k = 0; k < 4096; k++) bytes_byte(&s, below(g, 3) ? below(g, 4) : below(g, 256));
  section(out, 11, g->ndata + 1, &s);

  made->nmemories = g->nmemories;
  made->nglobals = g->nglobals;
  bytes_free(&s);
  bytes_free(&code);
  free(g);
}

void generated_free(struct generated *made) { bytes_free(&made->module); }

/* ---- what both runners do alike ------------------------------------------------------------------------ */

void generated_args(uint64_t seed, unsigned func, unsigned call, const char *sig, uint64_t args[][2]) {
  struct gen g = {.r = {(seed * 64 + func) * 8 + call}};
  for (; *sig != ':'; sig++, args++) {
    (*args)[0] = *sig == 'f' ? interesting_float(&g, false) : *sig == 'F' ? interesting_float(&g, true) : interesting(&g);
    (*args)[1] = *sig == 'v' ? interesting(&g) : 0;
    if (*sig == 'i' || *sig == 'f') (*args)[0] &= 0xffffffff;
  }
}

uint64_t generated_mix(uint64_t a, uint64_t b) { return (a ^ b >> 7) * 0x9e3779b97f4a7c15u + b; }

void trace_value(struct bytes *out, char letter, const uint64_t value[2]) {
  uint64_t low = value[0];
  if (letter == 'f' && (low & 0x7fffffff) > 0x7f800000) bytes_print(out, " nan");
  else if (letter == 'F' && (low & 0x7fffffffffffffff) > 0x7ff0000000000000) bytes_print(out, " nan");
  else if (letter == 'i' || letter == 'f') bytes_print(out, " %08lx", (unsigned long)(low & 0xffffffff));
  else if (letter == 'v') bytes_print(out, " %08lx%08lx%08lx%08lx", (unsigned long)(value[1] >> 32), (unsigned long)(value[1] & 0xffffffff), (unsigned long)(low >> 32), (unsigned long)(low & 0xffffffff));
  else bytes_print(out, " %08lx%08lx", (unsigned long)(low >> 32), (unsigned long)(low & 0xffffffff));
}

void trace_trap(struct bytes *out, const char *message) {
  static const char *const kinds[][2] = {{"divide by zero", "zero"}, {"integer overflow", "overflow"}, {"out of bounds memory", "memory"}, {"out of bounds table", "table"},
    {"undefined element", "table"}, {"uninitialized element", "uninitialized"}, {"indirect call type mismatch", "signature"}, {"unreachable", "unreachable"},
    {"null ", "null"}, {"out of bounds array", "array"}, {"cast failure", "cast"}, {"invalid conversion", "conversion"}, {"stack exhausted", "exhausted"},
    {"exception", "exception"}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strstr(message, kinds[i][0])) {
      bytes_print(out, " trap %s\n", kinds[i][1]);
      return;
    }
  }
  bytes_print(out, " trap %s\n", message);
}

uint64_t hash_bytes(const void *data, size_t size) {
  const uint8_t *p = data;
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < size; i++) h = (h ^ p[i]) * 0x100000001b3u;
  return h;
}
