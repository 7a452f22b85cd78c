/* Tables and element segments (core/exec/runtime#table-instances): allocation, growth and the bulk operations. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "binary/reader.h"
#include "run/run.h"

static uint64_t type_max(const struct limits *l) {
  if (l->has_max) return l->max;
  return l->is64 ? UINT64_MAX : UINT32_MAX;
}

static void fill(struct table_inst *t, uint64_t from, cell v, uint64_t n) {
  for (uint64_t i = from; n > 0; i++, n--) t->elems[i] = v;
}

bool table_new(struct store *s, const struct tabletype *type, cell init, struct table_inst **out, mv_error_t *err) {
  uint64_t limit = SIZE_MAX / sizeof(cell) / 2, n = type->limits.min;
  if (s->options->max_table && limit > s->options->max_table) limit = s->options->max_table;
  if (limit > type_max(&type->limits)) limit = type_max(&type->limits);
  if (n > limit)
    return error_set(err, MV_LIMIT, MV_NO_OFFSET, "table size limit: %llu elements wanted, %llu allowed", (unsigned long long)n,
                     (unsigned long long)limit);
  struct table_inst *t = calloc(1, sizeof *t);
  if (!t) return error_no_memory(err, sizeof *t);
  if (n && !(t->elems = calloc((size_t)n, sizeof(cell)))) {
    free(t);
    return error_no_memory(err, (size_t)n * sizeof(cell));
  }
  if (init != REF_NULL) fill(t, 0, init, n);
  t->size = t->cap = n;
  t->max = limit;
  t->type = *type;
  t->next = s->tables;
  s->tables = t;
  *out = t;
  return true;
}

uint64_t table_grow(struct store *s, struct table_inst *t, uint64_t delta, cell init) {
  (void)s;
  uint64_t old = t->size, n;
  if (!checked_add64(old, delta, &n) || n > t->max) return UINT64_MAX;
  if (n > t->cap) {
    uint64_t cap = t->cap < t->max / 2 ? t->cap * 2 : t->max;
    if (cap < n) cap = n;
    cell *elems = realloc(t->elems, (size_t)cap * sizeof(cell));
    if (!elems && cap > n) elems = realloc(t->elems, (size_t)(cap = n) * sizeof(cell));
    if (!elems) return UINT64_MAX;
    t->elems = elems;
    t->cap = cap;
  }
  fill(t, old, init, delta);
  t->size = n;
  return old;
}

bool table_copy(struct table_inst *dst, struct table_inst *src, uint64_t d, uint64_t s, uint64_t n) {
  if (!range_ok(d, n, dst->size) || !range_ok(s, n, src->size)) return false;
  if (n) memmove(dst->elems + d, src->elems + s, (size_t)n * sizeof(cell));
  return true;
}

bool table_fill(struct table_inst *t, uint64_t i, cell v, uint64_t n) {
  if (!range_ok(i, n, t->size)) return false;
  fill(t, i, v, n);
  return true;
}

static bool bit_get(const uint8_t *bits, uint32_t i) { return bits[i / 8] >> i % 8 & 1; }
static void bit_set(uint8_t *bits, uint32_t i) { bits[i / 8] |= (uint8_t)(1u << i % 8); }

void elem_drop(struct instance *inst, uint32_t elem) {
  bit_set(inst->elem_dropped, elem);
  free(inst->elem_values[elem]);
  inst->elem_values[elem] = NULL;
}

/* Evaluates all items into `values`, which the collector already sees. */
static bool elem_eval(struct instance *inst, const struct elem *e, cell *values, mv_error_t *err) {
  const struct module *m = inst->module;
  uint64_t pos = e->items.offset, end = pos + e->items.size;
  struct reader r = {m->bytes, m->bytes + pos, m->bytes + end, err};
  for (uint32_t i = 0; i < e->count; i++) {
    if (e->uses_exprs) {
      cell result[2];
      if (!constexpr_next(inst, &pos, end, result, err)) return false;
      values[i] = result[0];
    } else {
      uint32_t index;
      if (!reader_u32(&r, &index)) return false;
      struct func *f = instance_func(inst, index);
      if (!f) return error_no_memory(err, sizeof *f);
      values[i] = (cell)(uintptr_t)f;
    }
  }
  return true;
}

bool elem_items(struct instance *inst, uint32_t elem, const cell **items, uint64_t *n, mv_error_t *err) {
  const struct elem *e = &inst->module->elems[elem];
  *items = NULL;
  *n = 0;
  if (bit_get(inst->elem_dropped, elem) || e->count == 0) return true;
  if (!inst->elem_values[elem]) {
    cell *values = calloc(e->count, sizeof(cell));
    if (!values) return error_no_memory(err, e->count * sizeof(cell));
    inst->elem_values[elem] = values;
    if (!elem_eval(inst, e, values, err)) {
      free(values);
      inst->elem_values[elem] = NULL;
      return false;
    }
  }
  *items = inst->elem_values[elem];
  *n = e->count;
  return true;
}

bool table_init(struct instance *inst, uint32_t table, uint32_t elem, uint64_t dst, uint64_t src, uint64_t n, mv_error_t *err) {
  struct table_inst *t = inst->tables[table];
  uint64_t count = bit_get(inst->elem_dropped, elem) ? 0 : inst->module->elems[elem].count;
  const cell *items;
  if (!range_ok(dst, n, t->size) || !range_ok(src, n, count)) return false;
  if (n == 0) return true;
  if (!elem_items(inst, elem, &items, &count, err)) return false;
  memcpy(t->elems + dst, items + src, (size_t)n * sizeof(cell));
  return true;
}
