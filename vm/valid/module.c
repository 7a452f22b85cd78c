/* Modules (core/valid/modules). The order of the checks is that of the specification's rule, so that the first failure is the one that others report. */
#include <stdlib.h>
#include <string.h>

#include "binary/type.h"
#include "types/limits.h"
#include "valid/valid.h"

enum { SECTION_MEMORY = 5, SECTION_START = 8, SECTION_TAG = 13 };

static void place(struct validator *v, const char *where, uint32_t index, uint64_t offset) {
  v->where = where;
  v->index = index;
  v->offset = offset;
}

/* ---- types ---- */

static bool check_limits(struct validator *v, const struct limits *l, uint64_t most, const char *text) {
  if (l->min > most || (l->has_max && l->max > most)) return invalid(v, "%s", text);
  return !l->has_max || l->min <= l->max || invalid(v, "size minimum must not be greater than maximum");
}

static bool check_memory(struct validator *v, const struct memtype *t) {
  if (t->page_shift != 0 && t->page_shift != 16) return invalid(v, "invalid custom page size: 2^%u", t->page_shift);
  if (t->limits.shared && !t->limits.has_max) return invalid(v, "shared memory must have maximum");
  if (t->page_shift == 0)
    return check_limits(v, &t->limits, t->limits.is64 ? UINT64_MAX : UINT32_MAX, "memory size must be at most what an address can reach");
  return t->limits.is64 ? check_limits(v, &t->limits, (uint64_t)1 << 48, "memory size must be at most 2^48 pages (256 TiB)")
                        : check_limits(v, &t->limits, 65536, "memory size must be at most 65536 pages (4GiB)");
}

static bool check_table(struct validator *v, const struct tabletype *t) {
  return check_limits(v, &t->limits, t->limits.is64 ? UINT64_MAX : UINT32_MAX, "table size must be at most 2^32-1");
}

static bool check_func(struct validator *v, uint32_t id) { return types_get(v->m->types, id)->kind == COMP_FUNC || invalid(v, "non-function type"); }

static bool check_tag(struct validator *v, uint32_t id) {
  return check_func(v, id) && (types_get(v->m->types, id)->u.func.nresults == 0 || invalid(v, "non-empty tag result type"));
}

static bool check_import(struct validator *v, const struct import *i) {
  const struct module *m = v->m;
  switch (i->kind) {
  case EXTERN_FUNC: return check_func(v, m->func_types[i->index]);
  case EXTERN_TABLE: return check_table(v, &m->tables[i->index].type);
  case EXTERN_MEMORY: return check_memory(v, &m->memories[i->index]);
  case EXTERN_GLOBAL:
    return !m->globals[i->index].type.mutable || (m->features & MV_FEATURE(MUTABLE_GLOBAL)) || invalid(v, "mutable globals cannot be imported");
  default: return check_tag(v, m->tags[i->index]);
  }
}

/* ---- definitions ---- */

static bool check_imports(struct validator *v) {
  for (uint32_t i = 0; i < v->m->nimports; i++) {
    place(v, "import", i, v->m->imports[i].offset);
    if (!check_import(v, &v->m->imports[i])) return false;
  }
  return true;
}

/* The entries of a section that is there, which are read again for their offsets. */
static struct reader entries(struct validator *v, unsigned section) {
  const uint8_t *start = v->m->bytes + v->m->sections[section].offset;
  struct reader r = {v->m->bytes, start, start + v->m->sections[section].size, v->err};
  uint32_t n;
  (void)!reader_u32(&r, &n);
  return r;
}

static bool check_tags(struct validator *v) {
  const struct module *m = v->m;
  if (m->ntags == m->nimported_tags) return true;
  struct reader r = entries(v, SECTION_TAG);
  for (uint32_t i = m->nimported_tags, type; i < m->ntags; i++) {
    place(v, "tag", i, reader_offset(&r));
    if (!check_tag(v, m->tags[i]) || !reader_skip(&r, 1) || !reader_u32(&r, &type)) return false;
  }
  return true;
}

static bool check_funcs(struct validator *v) {
  const struct module *m = v->m;
  for (uint32_t i = m->nimported_funcs; i < m->nfuncs; i++) {
    place(v, "function", i, m->bodies[i - m->nimported_funcs].offset);
    if (!check_func(v, m->func_types[i])) return false;
  }
  return true;
}

static bool skip_memory(struct reader *r) {
  uint8_t flags;
  uint32_t page_shift;
  uint64_t min, max;
  return reader_byte(r, &flags) && reader_u64(r, &min) && (!(flags & 1) || reader_u64(r, &max)) && (!(flags & 8) || reader_u32(r, &page_shift));
}

/* Of the second import of this kind, which there is. */
static uint64_t second_import(const struct module *m, uint8_t kind) {
  uint32_t i = 0;
  for (uint32_t seen = 0; m->imports[i].kind != kind || !seen++; i++) continue;
  return m->imports[i].offset;
}

static bool check_memories(struct validator *v) {
  const struct module *m = v->m;
  uint64_t second = 0;
  if (m->nmemories > m->nimported_memories) {
    struct reader r = entries(v, SECTION_MEMORY);
    for (uint32_t i = m->nimported_memories; i < m->nmemories; i++) {
      place(v, "memory", i, reader_offset(&r));
      if (i == 1) second = v->offset;
      if (!check_memory(v, &m->memories[i]) || !skip_memory(&r)) return false;
    }
  }
  if (m->nmemories < 2 || (m->features & MV_FEATURE(MULTI_MEMORY))) return true;
  place(v, "memory", 1, m->nimported_memories > 1 ? second_import(m, EXTERN_MEMORY) : second);
  return invalid(v, "multiple memories need the feature multi-memory");
}

static bool check_tables(struct validator *v) {
  struct module *m = v->m;
  for (uint32_t i = m->nimported_tables; i < m->ntables; i++) {
    const struct table *t = &m->tables[i];
    place(v, "table", i, t->offset);
    if (!check_table(v, &t->type)) return false;
    if (t->init.size == 0 && !vt_is_defaultable(t->type.type)) return invalid(v, "type mismatch: a table of non-null references needs an initial value");
    if (t->init.size && !validate_const(v, &t->init, t->type.type)) return false;
  }
  if (m->ntables < 2 || (m->features & MV_FEATURE(MULTI_TABLE))) return true;
  place(v, "table", 1, m->nimported_tables > 1 ? second_import(m, EXTERN_TABLE) : m->tables[1].offset);
  return invalid(v, "multiple tables need the feature multi-table");
}

/* An initialiser sees the globals before it; before GC, only the imported ones. */
static bool check_globals(struct validator *v) {
  struct module *m = v->m;
  bool gc = m->features & MV_FEATURE(GC);
  for (uint32_t i = m->nimported_globals; i < m->nglobals; i++) {
    place(v, "global", i, m->globals[i].init.offset);
    v->nglobals = gc ? i : m->nimported_globals;
    if (!validate_const(v, &m->globals[i].init, m->globals[i].type.type)) return false;
  }
  v->nglobals = gc ? m->nglobals : m->nimported_globals;
  return true;
}

static bool check_datas(struct validator *v) {
  for (uint32_t i = 0; i < v->m->ndatas; i++) {
    const struct data *d = &v->m->datas[i];
    if (d->mode != SEG_ACTIVE) continue;
    place(v, "data segment", i, d->offset.offset);
    const struct memtype *mem = memory_at(v, d->memory);
    if (!mem || !validate_const(v, &d->offset, addr_type(&mem->limits))) return false;
  }
  return true;
}

/* Functions that a segment names by index. */
static bool check_elem_funcs(struct validator *v, const struct elem *e) {
  struct reader r = {v->m->bytes, v->m->bytes + e->items.offset, v->m->bytes + e->items.offset + e->items.size, v->err};
  uint32_t func;
  for (uint32_t i = 0; i < e->count; i++) {
    v->offset = reader_offset(&r);
    if (!reader_u32(&r, &func)) return false;
    if (func >= v->m->nfuncs) return invalid(v, "unknown function %u", func);
    declare_ref(v->m, func);
  }
  return true;
}

static bool check_elem(struct validator *v, const struct elem *e) {
  if (!(e->uses_exprs ? validate_consts(v, &e->items, e->count, e->type) : check_elem_funcs(v, e))) return false;
  if (e->mode != SEG_ACTIVE) return true;
  v->offset = e->offset.offset;
  const struct tabletype *t = table_at(v, e->table);
  return t && match_lists(v, "table", &t->type, 1, "element segment", &e->type, 1) && validate_const(v, &e->offset, addr_type(&t->limits));
}

static bool check_elems(struct validator *v) {
  for (uint32_t i = 0; i < v->m->nelems; i++) {
    place(v, "elem segment", i, v->m->elems[i].items.offset);
    if (!check_elem(v, &v->m->elems[i])) return false;
  }
  return true;
}

static bool check_start(struct validator *v) {
  if (!v->m->has_start) return true;
  place(v, NULL, 0, v->m->sections[SECTION_START].offset);
  const struct deftype *t = func_at(v, v->m->start);
  return t && ((t->u.func.nparams == 0 && t->u.func.nresults == 0) || invalid(v, "start function must not have parameters or results"));
}

/* ---- exports ---- */

static bool check_export(struct validator *v, const struct export *e) {
  const struct module *m = v->m;
  switch (e->kind) {
  case EXTERN_FUNC: return func_at(v, e->index) != NULL;
  case EXTERN_TABLE: return table_at(v, e->index) != NULL;
  case EXTERN_MEMORY: return memory_at(v, e->index) != NULL;
  case EXTERN_TAG: return tag_at(v, e->index) != NULL;
  default: break;
  }
  if (e->index >= m->nglobals) return invalid(v, "unknown global %u", e->index);
  return !m->globals[e->index].type.mutable || (m->features & MV_FEATURE(MUTABLE_GLOBAL)) || invalid(v, "mutable globals cannot be exported");
}

static uint64_t hash_name(const struct name *n, uint64_t seed) {
  uint64_t h = seed;
  for (uint32_t i = 0; i < n->size; i++) h = (h ^ (uint8_t)n->bytes[i]) * 0x100000001b3u;
  h *= 0x9e3779b97f4a7c15u;
  return h ^ h >> 32;
}

/* No two exports have one name: a table of numbers of exports, by a hash that the module cannot foresee. */
static bool check_export_names(struct validator *v) {
  const struct module *m = v->m;
  size_t cap = 16, mask, at;
  while (cap < (size_t)m->nexports * 2) cap *= 2;
  mask = cap - 1;
  uint32_t *table = calloc(cap, sizeof *table);
  if (!table) return error_no_memory(v->err, cap * sizeof *table);
  uint64_t seed = (uint64_t)(uintptr_t)table * 0x9e3779b97f4a7c15u;
  bool ok = true;
  for (uint32_t i = 0; ok && i < m->nexports; i++) {
    const struct name *n = &m->exports[i].name;
    for (at = (size_t)hash_name(n, seed) & mask; ok && table[at]; at = (at + 1) & mask) {
      const struct name *other = &m->exports[table[at] - 1].name;
      if (n->size != other->size || memcmp(n->bytes, other->bytes, n->size) != 0) continue;
      v->offset = (uint64_t)((const uint8_t *)n->bytes - m->bytes);
      ok = invalid(v, "duplicate export name \"%.*s\"", (int)(n->size < 200 ? n->size : 200), n->bytes);
    }
    table[at] = i + 1;
  }
  free(table);
  return ok;
}

static bool check_exports(struct validator *v) {
  const struct module *m = v->m;
  for (uint32_t i = 0; i < m->nexports; i++) {
    place(v, "export", i, (uint64_t)((const uint8_t *)m->exports[i].name.bytes - m->bytes));
    if (!check_export(v, &m->exports[i])) return false;
  }
  place(v, NULL, 0, MV_NO_OFFSET);
  return m->nexports < 2 || check_export_names(v);
}

/* ---- the module ---- */

static bool check_bodies(struct validator *v) {
  for (uint32_t i = v->m->nimported_funcs; i < v->m->nfuncs; i++)
    if (!validate_body(v, i)) return false;
  v->func = TYPE_NONE;
  return true;
}

/* Room for the functions that ref.func may name (C.refs) and those that are named by exports. Constant expressions and segments add theirs. */
static bool collect_refs(struct validator *v) {
  struct module *m = v->m;
  size_t size = (size_t)m->nfuncs / 8 + 1;
  if (!(m->declared_refs = arena_alloc(&m->arena, size))) return error_no_memory(v->err, size);
  for (uint32_t i = 0; i < m->nexports; i++)
    if (m->exports[i].kind == EXTERN_FUNC && m->exports[i].index < m->nfuncs) declare_ref(m, m->exports[i].index);
  return true;
}

static bool collect_exact(struct validator *v) {
  const struct module *m = v->m;
  if (!(m->features & MV_FEATURE(DESCRIPTORS))) return true;
  v->exact = VT_EXACT;
  if (!(v->exact_imports = calloc((size_t)m->nimported_funcs + 1, 1))) return error_no_memory(v->err, m->nimported_funcs);
  for (uint32_t i = 0; i < m->nimports; i++)
    if (m->imports[i].kind == EXTERN_FUNC) v->exact_imports[m->imports[i].index] = m->imports[i].exact;
  return true;
}

static bool validate(struct validator *v) {
  return collect_refs(v) && collect_exact(v) && check_imports(v) && check_tags(v) && check_funcs(v) && check_memories(v) && check_tables(v) &&
         check_globals(v) && check_datas(v) && check_elems(v) && check_bodies(v) && check_start(v) && check_exports(v);
}

bool module_validate(struct module *m, mv_error_t *err) {
  mv_error_t local;
  local.kind = MV_OK;
  struct validator *v = calloc(1, sizeof *v);
  if (!v) return error_no_memory(err, sizeof *v);
  v->m = m;
  v->err = &local;
  v->func = TYPE_NONE;
  v->nglobals = m->nimported_globals;
  v->mem0 = m->nmemories == 0 ? MEM0_NONE : m->memories[0].limits.is64 ? VT_I64 : VT_I32;
  bool ok = validate(v);
  free(v->stack);
  free(v->frames);
  free(v->locals);
  free(v->groups);
  free(v->inits);
  free(v->stamps);
  free(v->exact_imports);
  free(v);
  if (ok) return true;
  /* What is malformed counts before what is invalid, wherever it stands. */
  return (local.kind != MV_INVALID || module_scan_bodies(m, m->nfuncs - m->nimported_funcs, true, err)) && error_set(err, local.kind, local.offset, "%s", local.message);
}
