/* generate_value.c: instructions and their operands: a value of a wanted type, out of constants, locals, globals, memory, objects, and rows of vm/ops.def. */
#include <stdlib.h>
#include <string.h>

#include "generate_state.h"

/* ---- instructions -------------------------------------------------------------------------------------- */

static const struct row rows[] = {
#define OP(page, code, id, text, imm, sig, align, feature, rule) {OP_##id, text, sig, imm, align, MV_FEATURE_BIT_##feature, rule},
#include "ops.def"
#undef OP
};
enum { NROWS = sizeof rows / sizeof *rows };

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
const struct row *pick_row(struct gen *g, enum rule rule, char result) {
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

void put_op(struct body *b, unsigned op) {
  static const uint8_t prefixes[] = {0, 0xfb, 0xfc, 0xfd, 0xfd, 0xfe};
  unsigned page = op >> 8;
  if (!page) {
    bytes_byte(&b->code, op);
  } else {
    bytes_byte(&b->code, prefixes[page]);
    bytes_unsigned(&b->code, page == 4 ? op - OP_PAGE_FD : op & 0xff);
  }
}

void put_index(struct body *b, unsigned op, unsigned index) {
  put_op(b, op);
  bytes_unsigned(&b->code, index);
}

void put_i32(struct body *b, int32_t value) {
  put_op(b, OP_i32_const);
  bytes_signed(&b->code, value);
}

void push(struct body *b, type t) {
  if (b->height == MAX_STACK) abort();
  b->stack[b->height++] = t;
}

/* Brings values of these types to the top, from what is there where that fits. */
void need(struct body *b, const type *types, unsigned n, unsigned depth) {
  unsigned k = n < available(b) ? n : available(b);
  for (; k > 0; k--) {
    unsigned i = 0;
    while (i < k && fits(b->g, b->stack[b->height - k + i], types[i])) i++;
    if (i == k) break;
  }
  for (; k < n; k++) make(b, types[k], depth);
}

void took(struct body *b, unsigned n) {
  if (available(b) < n) abort();
  b->height -= n;
}

static const uint8_t nan_vector[2][16] = {{0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f}, {0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}};

/* Makes a NaN on top canonical; a vector's lanes are f32 or, for `wide`, f64. */
void canonical(struct body *b, type t, bool wide) {
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

uint64_t interesting(struct gen *g) {
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

uint64_t interesting_float(struct gen *g, bool wide) {
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

void put_const(struct body *b, type t) {
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
bool pick_local(struct body *b, type t, bool set, unsigned *found) {
  if (!b->nshown) return false;
  for (unsigned i = 0, at = below(b->g, b->nshown); i < b->nshown; i++, at = (at + 1) % b->nshown) {
    if (set ? fits(b->g, t, b->locals[at]) : fits(b->g, b->locals[at], t)) return *found = at, true;
  }
  return false;
}

bool pick_global(struct body *b, type t, bool set, unsigned *found) {
  struct gen *g = b->g;
  for (unsigned i = 1, at = below(g, g->nglobals); i < g->nglobals; i++, at = at + 1 == g->nglobals ? 1 : at + 1) {
    if (at == 0) at = 1;
    if (set ? g->globals[at].mutable && fits(g, t, g->globals[at].type) : fits(g, g->globals[at].type, t)) return *found = at, true;
  }
  return false;
}

unsigned new_local(struct body *b, type t) {
  if (b->nlocals == MAX_LOCALS) abort();
  b->locals[b->nlocals] = t;
  return b->nlocals++;
}

bool locals_left(const struct body *b, unsigned n) { return b->nlocals + n <= MAX_LOCALS; }

void block_type(struct body *b, const type *params, unsigned nparams, const type *results, unsigned nresults) {
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

void leaf(struct body *b, type t) {
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
void make_address(struct body *b, unsigned memory, unsigned depth) {
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

void put_memarg(struct body *b, const struct row *w, unsigned memory) {
  struct gen *g = b->g;
  unsigned align = below(g, w->align + 1);
  bytes_unsigned(&b->code, memory ? align | 0x40 : align);
  if (memory) bytes_unsigned(&b->code, memory);
  unsigned shift = 32 + below(g, 20);
  bytes_unsigned(&b->code, chance(g, 99) ? below(g, chance(g, 70) ? 40 : 3000) : random_next(&g->r) >> shift);
  if (w->imm == IMM_MEMARG_LANE) bytes_byte(&b->code, below(g, 16u >> w->align));
}

/* A load, or the store of what make gives. */
void memory_access(struct body *b, const struct row *w, unsigned depth) {
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
void plain(struct body *b, const struct row *w, unsigned depth) {
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

void make(struct body *b, type t, unsigned depth) {
  unsigned floor = b->floor;
  b->floor = b->height;
  make_value(b, t, depth);
  b->floor = floor;
}
