/* generate_body.c: function bodies: blocks, branches and calls, and what works on memories, tables and objects, one after the other. */
#include <stdlib.h>
#include <string.h>

#include "generate_state.h"

static void steps(struct body *, unsigned n);

void open_label(struct body *b, const type *types, unsigned n, unsigned taken, bool hidden) {
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

void close_label(struct body *b, const type *results, unsigned n) {
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

void put_func(struct gen *g, unsigned func, struct bytes *out) {
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
