/* Packing register code. Its words name handlers, functions' codes and canonical types, and all three differ from process to process. Nothing here
 * lists which operands do: a function is translated twice, in two modules of the same bytes that lie in different places and whose types have
 * different numbers, and where the words differ they depend on the place. A difference that cannot be explained leaves the function unpacked.
 *
 * A packed function: its words, with handlers, codes, types and targets of branches as numbers; its catch ranges; the list of places, each
 * (word * 2 + half) * 4 + enum place_kind; and the steps from one operation to the next, in bytes: STEP_MORE goes on in the next one. */
#include "code/packed.h"

#include <stdlib.h>
#include <string.h>

#include "code/code.h"
#include "code/ir.h"
#include "code/module_code.h"

enum place_kind { PLACE_CODE, PLACE_TYPE, PLACE_VALTYPE, PLACE_TARGET };

enum {
  STEP_MORE = 255,
  SHIFT = 61 /* how much further the second module's type ids begin */
};

/* ---- what packed code was made by -------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t x) {
  h = (h ^ x) * 0x9e3779b97f4a7c15u;
  return h ^ h >> 29;
}

/* The operations there are; and where their handlers lie, for a change of one moves those behind it. */
uint64_t packed_build(void) {
  uint64_t h = mix(mix(mix(ROP_COUNT, sizeof(void *)), sizeof(struct catch_range)), (uint64_t)exec_all_forms() << 1 | exec_has_twins()); /* twins: of this processor */
  for (unsigned op = 0; op < IR_COUNT; op++) {
    const struct ropinfo *info = rop_info(op);
    h = mix(h, (uint64_t)info->base << 24 | (uint64_t)info->shape << 16 | (uint64_t)info->in << 8 | info->out);
  }
  for (unsigned rop = 0; rop < ROP_COUNT; rop++) h = mix(h, exec_handler(rop) - exec_handler(0));
  return h;
}

uint32_t packed_options(const mv_options_t *o) {
  return (uint32_t)o->fuel | (uint32_t)o->interruptible << 1 | (uint32_t)o->trace << 2 | (uint32_t)o->no_fusion << 3 | (uint32_t)o->profile << 4 |
         (uint32_t)(o->max_depth != 0) << 5;
}

/* ---- loading ----------------------------------------------------------------------------------------------- */

static void settle(const struct module *m, union word *words, uint32_t place) {
  union word *w = &words[place >> 3];
  uint32_t *half = &w->u32[place >> 2 & 1];
  switch (place & 3) {
  case PLACE_CODE: {
    const struct code *c = &m->code[w->u64];
    w->u64 = 0;
    w->ptr = c;
    break;
  }
  case PLACE_TARGET: {
    const union word *to = words + w->u64;
    w->u64 = 0;
    w->ptr = to;
    break;
  }
  case PLACE_TYPE: *half = m->type_ids[*half]; break;
  default: *half = m->type_ids[*half >> VT_HEAP_SHIFT] << VT_HEAP_SHIFT | (*half & ((1u << VT_HEAP_SHIFT) - 1)); break;
  }
}

bool packed_load(const struct module *m, struct code *c, mv_error_t *err) {
  const struct packed *p = &m->packed[c->func - m->nimported_funcs];
  const union word *words = (const union word *)(const void *)(m->packed_base + p->at);
  const struct catch_range *catches = (const struct catch_range *)(const void *)(words + p->nwords);
  const uint32_t *places = (const uint32_t *)(const void *)(catches + p->ncatches);
  const uint8_t *steps = (const uint8_t *)(places + p->nplaces);
  union word *w = malloc(p->nwords * sizeof *w);
  struct catch_range *r = p->ncatches ? malloc(p->ncatches * sizeof *r) : NULL;
  if (!w || (p->ncatches && !r)) {
    free(w);
    free(r);
    return error_no_memory(err, p->nwords * sizeof *w);
  }
  memcpy(w, words, p->nwords * sizeof *w);
  if (r) memcpy(r, catches, p->ncatches * sizeof *r);
  for (uint32_t k = 0, at = 0; k < p->nsteps; k++) {
    at += steps[k];
    if (steps[k] != STEP_MORE) w[at].u64 = exec_handler((unsigned)w[at].u64);
  }
  for (uint32_t k = 0; k < p->nplaces; k++) settle(m, w, places[k]);
  c->words = w;
  c->nwords = p->nwords;
  c->catches = r;
  c->ncatches = p->ncatches;
  return true;
}

/* ---- packing ----------------------------------------------------------------------------------------------- */

struct handler {
  uint64_t handler;
  uint32_t rop;
};

/* One of the two translations. */
struct site {
  struct types *types;
  struct module *m;
  struct arena scratch;
  struct ircode ir;
  union word *words;
  uint32_t nwords;
};

struct packer {
  mv_options_t opt;
  struct site sites[2];
  uint32_t *index_of; /* canonical id of the first site -> module type index + 1 */
  uint32_t nids;
  uint32_t *places;
  size_t nplaces, places_cap;
  uint8_t *out;
  size_t size, cap;
  struct handler handlers[ROP_COUNT]; /* in order */
};

static int by_handler(const void *a, const void *b) {
  const struct handler *x = a, *y = b;
  return x->handler < y->handler ? -1 : x->handler > y->handler;
}

static bool put(struct packer *p, const void *bytes, size_t size) {
  void *out = p->out;
  const bool ok = array_reserve(&out, &p->cap, p->size + size, 1);
  p->out = out;
  if (ok && size) memcpy(p->out + p->size, bytes, size);
  if (ok) p->size += size;
  return ok;
}

/* Without what is between the fields, so that the same module gives the same bytes. */
static bool put_catch(struct packer *p, const struct catch_range *r) {
  struct catch_range clean;
  memset(&clean, 0, sizeof clean);
  clean.from = r->from, clean.to = r->to, clean.target = r->target, clean.slot = r->slot;
  clean.tag = r->tag, clean.kind = r->kind, clean.exn = r->exn, clean.depth = r->depth;
  return put(p, &clean, sizeof clean);
}

static bool put_step(struct packer *p, uint32_t step) {
  static const uint8_t more = STEP_MORE;
  for (; step >= STEP_MORE; step -= STEP_MORE)
    if (!put(p, &more, 1)) return false;
  return put(p, &(uint8_t){(uint8_t)step}, 1);
}

/* The number of a function whose code one site's word points to. */
static bool code_index(const struct module *m, const union word *w, uint64_t *index) {
  const uintptr_t first = (uintptr_t)m->code, at = (uintptr_t)w->ptr;
  if (w->u64 >> 31 >> 1 && sizeof(void *) == 4) return false;
  *index = (at - first) / sizeof(struct code);
  return at >= first && *index < m->nfuncs - m->nimported_funcs && (at - first) % sizeof(struct code) == 0;
}

/* The number of the word that a branch of one site goes to. */
static bool word_index(const struct site *s, const union word *w, uint64_t *index) {
  const uintptr_t first = (uintptr_t)s->words, at = (uintptr_t)w->ptr;
  *index = (at - first) / sizeof(union word);
  return at >= first && *index < s->nwords && (at - first) % sizeof(union word) == 0;
}

static bool type_index(const struct packer *p, uint32_t id, uint32_t *index) {
  if (id >= p->nids || !p->index_of[id]) return false;
  *index = p->index_of[id] - 1;
  return true;
}

/* Makes a number of the half that differs. */
static bool number_half(const struct packer *p, uint32_t *a, uint32_t b, uint32_t *kind) {
  uint32_t index;
  *kind = PLACE_TYPE;
  if (b - *a == SHIFT && type_index(p, *a, &index)) {
    *a = index;
    return true;
  }
  *kind = PLACE_VALTYPE;
  if (b - *a != (uint32_t)SHIFT << VT_HEAP_SHIFT || !type_index(p, vt_heap(*a), &index)) return false;
  *a = index << VT_HEAP_SHIFT | (*a & ((1u << VT_HEAP_SHIFT) - 1));
  return true;
}

static bool add_place(struct packer *p, uint32_t word, uint32_t half, uint32_t kind) {
  void *places = p->places;
  if (!array_reserve(&places, &p->places_cap, p->nplaces + 1, sizeof *p->places)) return false;
  p->places = places;
  p->places[p->nplaces++] = (word * 2 + half) * 4 + kind;
  return true;
}

/* *known: the difference is explained, and the first site's word is a number now. */
static bool number_word(struct packer *p, uint32_t at, bool *known) {
  union word *a = &p->sites[0].words[at];
  const union word *b = &p->sites[1].words[at];
  uint64_t index, other;
  uint32_t kind;
  *known = true;
  if (code_index(p->sites[0].m, a, &index) && code_index(p->sites[1].m, b, &other) && index == other) {
    a->u64 = index;
    return add_place(p, at, 0, PLACE_CODE);
  }
  if (word_index(&p->sites[0], a, &index) && word_index(&p->sites[1], b, &other) && index == other) {
    a->u64 = index;
    return add_place(p, at, 0, PLACE_TARGET);
  }
  for (unsigned half = 0; half < 2; half++) {
    if (a->u32[half] == b->u32[half]) continue;
    *known = number_half(p, &a->u32[half], b->u32[half], &kind);
    if (!*known || !add_place(p, at, half, kind)) return !*known;
  }
  return true;
}

/* Turns the first site's words into numbers; *known as above. The operations are marked in `starts`. */
static bool number_words(struct packer *p, const uint8_t *starts, bool *known) {
  struct site *a = &p->sites[0], *b = &p->sites[1];
  *known = a->nwords == b->nwords && a->ir.ncatches == b->ir.ncatches && a->nwords < 1u << 28;
  for (uint32_t at = 0; *known && at < a->nwords; at++) {
    if (starts[at]) {
      const struct handler *h = bsearch(&(struct handler){a->words[at].u64, 0}, p->handlers, ROP_COUNT, sizeof *h, by_handler);
      *known = h && b->words[at].u64 == a->words[at].u64;
      if (h) a->words[at].u64 = h->rop;
    } else if (a->words[at].u64 != b->words[at].u64 && !number_word(p, at, known))
      return false;
  }
  return true;
}

static bool pack(struct packer *p, struct packed *out, mv_error_t *err) {
  struct site *s = &p->sites[0];
  uint8_t *starts = arena_alloc(&s->scratch, s->nwords);
  bool known;
  if (!starts) return error_no_memory(err, s->nwords);
  for (size_t k = 0; k < s->ir.n; k++)
    if (s->ir.ir[k].op != IR_NOP && s->ir.ir[k].op != IR_LABEL) starts[s->ir.ir[k].at] = 1;
  p->size = p->nplaces = 0;
  if (!number_words(p, starts, &known)) return error_no_memory(err, p->nplaces * sizeof *p->places);
  if (!known) return true;
  bool ok = put(p, s->words, s->nwords * sizeof *s->words);
  for (size_t k = 0; ok && k < s->ir.ncatches; k++) ok = put_catch(p, &s->ir.catches[k]);
  ok = ok && put(p, p->places, p->nplaces * sizeof *p->places);
  const size_t steps = p->size;
  for (uint32_t at = 0, last = 0; ok && at < s->nwords; at++) {
    if (!starts[at]) continue;
    ok = put_step(p, at - last);
    last = at;
  }
  if (!ok) return error_no_memory(err, p->size);
  *out = (struct packed){0, s->nwords, (uint32_t)s->ir.ncatches, (uint32_t)p->nplaces, (uint32_t)(p->size - steps)};
  return true;
}

bool packer_pack(struct packer *p, uint32_t func, struct packed *out, const void **bytes, size_t *size, mv_error_t *err) {
  bool ok = true;
  *out = (struct packed){0};
  for (struct site *s = p->sites; s < p->sites + 2; s++) {
    arena_init(&s->scratch);
    s->words = NULL;
    s->nwords = 0;
    s->ir = (struct ircode){0};
    ok = ok && ir_of_function(&s->ir, &s->scratch, s->m, func, err) && ir_lower(&s->ir, &s->words, &s->nwords, err);
  }
  ok = ok && pack(p, out, err);
  *bytes = p->out;
  *size = out->nwords ? p->size : 0;
  for (struct site *s = p->sites; s < p->sites + 2; s++) {
    free(s->words);
    ir_fini(&s->ir);
    arena_fini(&s->scratch);
  }
  return ok;
}

/* ---- the packer -------------------------------------------------------------------------------------------- */

/* Types that no module has, for the second site's ids to begin behind them. */
static bool shift_ids(struct types *types, mv_error_t *err) {
  struct deftype group[SHIFT];
  struct field fields[SHIFT];
  uint32_t ids[SHIFT];
  for (uint32_t k = 0; k < SHIFT; k++) {
    fields[k] = (struct field){.type = VT_REFTYPE(HEAP_REC | k, k & 1 ? VT_NULLABLE : 0)};
    group[k] = (struct deftype){.kind = COMP_STRUCT, .super = TYPE_NONE, .descriptor = TYPE_NONE, .describes = TYPE_NONE};
    group[k].u.agg.nfields = k;
    group[k].u.agg.fields = fields;
  }
  return types_define(types, group, SHIFT, ids, err);
}

static bool site_init(struct site *s, const uint8_t *bytes, size_t size, mv_features_t features, const mv_options_t *opt, bool shift,
                      mv_error_t *err) {
  if (!(s->types = types_new())) return error_no_memory(err, 0);
  return (!shift || shift_ids(s->types, err)) && module_decode(s->types, features, bytes, size, true, &s->m, err) && code_init(s->m, opt, err);
}

static bool number_types(struct packer *p, mv_error_t *err) {
  const struct module *m = p->sites[0].m;
  for (uint32_t k = 0; k < m->ntypes; k++)
    if (m->type_ids[k] >= p->nids) p->nids = m->type_ids[k] + 1;
  if (!(p->index_of = calloc(p->nids + 1u, sizeof *p->index_of))) return error_no_memory(err, p->nids * sizeof *p->index_of);
  for (uint32_t k = m->ntypes; k-- > 0;) p->index_of[m->type_ids[k]] = k + 1;
  return true;
}

bool packer_new(const uint8_t *bytes, size_t size, mv_features_t features, const mv_options_t *opt, struct packer **out, mv_error_t *err) {
  struct packer *p = *out = calloc(1, sizeof *p);
  if (!p) return error_no_memory(err, sizeof *p);
  p->opt = *opt;
  p->opt.eager = false;
  for (unsigned rop = 0; rop < ROP_COUNT; rop++) p->handlers[rop] = (struct handler){exec_handler(rop), rop};
  qsort(p->handlers, ROP_COUNT, sizeof *p->handlers, by_handler);
  if (site_init(&p->sites[0], bytes, size, features, &p->opt, false, err) && site_init(&p->sites[1], bytes, size, features, &p->opt, true, err) &&
      number_types(p, err))
    return true;
  packer_delete(p);
  *out = NULL;
  return false;
}

void packer_delete(struct packer *p) {
  if (!p) return;
  for (struct site *s = p->sites; s < p->sites + 2; s++) {
    if (s->m) code_fini(s->m);
    module_delete(s->m);
    types_delete(s->types);
  }
  free(p->index_of);
  free(p->places);
  free(p->out);
  free(p);
}
