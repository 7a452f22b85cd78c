/* generate.c: makes a valid module from a seed: its types, what it defines, and the sections. Instructions are chosen on a model of the operand stack
 * (generate_body.c, generate_value.c), so that operands come from far away as well as from the instruction before, as no compiler would have it. Rows of
 * vm/ops.def are the plain instructions; all others are written out. Knows nothing of the engine but that table. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate_state.h"

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


/* ---- types --------------------------------------------------------------------------------------------- */

static const uint8_t type_bytes[] = {0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f, 0x6e, 0x6d, 0x6c, 0x6b, 0x6a, 0x69, 0x78, 0x77};

static bool is_sub(const struct gen *g, unsigned a, unsigned b) {
  while (a != b) {
    if (g->types[a].super < 0) return false;
    a = (unsigned)g->types[a].super;
  }
  return true;
}

/* May an `a` stand where a `b` is wanted? */
bool fits(const struct gen *g, type a, type b) {
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

void put_heap(struct bytes *out, type t) {
  t &= ~(unsigned)NONNULL;
  if (t >= INDEXED) bytes_signed(out, t - INDEXED);
  else bytes_byte(out, type_bytes[t]);
}

void put_type(struct bytes *out, type t) {
  if (t & NONNULL || t >= INDEXED) {
    bytes_byte(out, t & NONNULL ? 0x64 : 0x63);
    put_heap(out, t);
  } else {
    bytes_byte(out, type_bytes[t]);
  }
}

type number_type(struct gen *g) {
  static const type often[] = {I32, I32, I32, I64, I64, F32, F64, F64};
  return g->simd && chance(g, 15) ? (type)V128 : often[below(g, 8)];
}

type any_type(struct gen *g) {
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

bool same_types(const type *a, const type *b, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (a[i] != b[i]) return false;
  return true;
}

unsigned func_type(struct gen *g, const type *params, unsigned nparams, const type *results, unsigned nresults) {
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

static void choose_definitions(struct gen *g) {
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
}

/* Functions of numbers, all memories, and globals of numbers. */
static void put_exports(struct gen *g, struct generated *made) {
  struct bytes s = {0};
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
  section(&made->module, 7, nexports, &s);
  bytes_free(&s);
}

static void put_elems(struct gen *g, struct bytes *out) {
  struct bytes s = {0};
  for (unsigned i = 0; i < g->nelems; i++) bytes_byte(&s, 5), put_elem_exprs(g, &s, g->elems[i].type, g->elems[i].size);
  bytes_byte(&s, 0); /* table 0 begins with all functions */
  bytes_byte(&s, g->tables[0].is64 ? 0x42 : 0x41), bytes_byte(&s, 0), bytes_byte(&s, 0x0b);
  bytes_unsigned(&s, g->nfuncs);
  for (unsigned i = 0; i < g->nfuncs; i++) bytes_unsigned(&s, i);
  bytes_byte(&s, 3), bytes_byte(&s, 0); /* declares them */
  bytes_unsigned(&s, g->nfuncs);
  for (unsigned i = 0; i < g->nfuncs; i++) bytes_unsigned(&s, i);
  section(out, 9, g->nelems + 2, &s);
  bytes_free(&s);
}

static void put_datas(struct gen *g, struct bytes *out) {
  struct bytes s = {0};
  for (unsigned i = 0; i < g->ndata; i++) {
    bytes_byte(&s, 1);
    bytes_unsigned(&s, g->data[i].size);
    for (unsigned k = 0; k < g->data[i].size; k++) bytes_byte(&s, below(g, 256));
  }
  bytes_byte(&s, 0), bytes_byte(&s, g->memories[0].is64 ? 0x42 : 0x41), bytes_byte(&s, 8), bytes_byte(&s, 0x0b);
  bytes_unsigned(&s, 4096);
  for (unsigned k = 0; k < 4096; k++) bytes_byte(&s, below(g, 3) ? below(g, 4) : below(g, 256));
  section(out, 11, g->ndata + 1, &s);
  bytes_free(&s);
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
  choose_definitions(g);
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
  put_exports(g, made);
  put_elems(g, out);
  bytes_byte(out, 12), bytes_byte(out, 1), bytes_byte(out, g->ndata + 1); /* the count of data segments */
  section(out, 10, g->nfuncs - 1, &code);
  put_datas(g, out);
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
