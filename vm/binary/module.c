/* Modules (core/binary/modules): one pass over the sections, linear in the size. Function bodies are only ranged, constant expressions walked
 * for their ends. Sections are read against the end of the module and compared with their size afterwards, as the specification's
 * grammar has it: what a section lacks shows as what stands in its place.
 *
 * What is malformed ends decoding at once. What is merely invalid (an unknown type index) is noted and decoding goes on, for a module that is also
 * malformed further on counts as malformed. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "binary/type.h"
#include "types/limits.h"

struct decoder {
  struct module *m;
  struct reader r;
  mv_error_t invalid;
  uint8_t rank, id; /* of the last section that is not a custom one */
  uint32_t nbodies;
  const struct module_tables *tables; /* of module_restore, or NULL */
  uint32_t cap_imports, cap_customs, cap_funcs, cap_tables, cap_memories, cap_globals, cap_tags;
};

/* ---- helpers ---- */

static bool grow(struct decoder *d, void *array, uint32_t n, uint32_t *cap, uint32_t need, size_t size) {
  void *old, *new;
  if (need <= *cap) return true;
  uint32_t want = n && *cap * 2 > need ? *cap * 2 : need;
  if (!(new = arena_array(&d->m->arena, want, size))) return error_no_memory(d->r.err, want * size);
  memcpy(&old, array, sizeof old);
  if (n) memcpy(new, old, n * size);
  memcpy(array, &new, sizeof new);
  *cap = want;
  return true;
}

/* What a section lists: the shortest entry in bytes, and the limit of their number. */
struct listing {
  const char *what;
  uint32_t shortest, most;
};

/* The number of entries of a section, with room for them behind `have` in the array that `array` points to: never more than the bytes that are left
 * can hold, and one, where reading ends for want of bytes. */
static bool count(struct decoder *d, struct listing l, void *array, uint32_t have, uint32_t *cap, size_t size, uint32_t *n) {
  uint64_t offset = reader_offset(&d->r);
  if (!reader_length(&d->r, n)) return false;
  if (*n > l.most) return error_set(d->r.err, MV_LIMIT, offset, "too many %s: %u, at most %u", l.what, *n, l.most);
  size_t room = reader_left(&d->r) / l.shortest + 1;
  return grow(d, array, have, cap, have + (*n < room ? *n : (uint32_t)room), size);
}

static bool has(const struct decoder *d, mv_features_t feature) { return (d->m->features & feature) != 0; }

static bool unknown_type(struct decoder *d, const struct typectx *c) {
  (void)typectx_check(c, &d->invalid);
  return true;
}

static bool typeidx(struct decoder *d, uint32_t *id) {
  struct typectx c = {.m = d->m};
  uint64_t offset = reader_offset(&d->r);
  uint32_t index;
  if (!reader_u32(&d->r, &index)) return false;
  *id = typectx_id(&c, index, offset);
  return unknown_type(d, &c);
}

static bool valtype_(struct decoder *d, valtype *t) {
  struct typectx c = {.m = d->m};
  return read_valtype(&d->r, &c, t) && unknown_type(d, &c);
}

static bool reftype(struct decoder *d, valtype *t) {
  struct typectx c = {.m = d->m};
  return read_reftype(&d->r, &c, t) && unknown_type(d, &c);
}

static bool zero(struct decoder *d) {
  uint8_t b;
  if (!reader_byte(&d->r, &b)) return false;
  return b == 0 || reader_malformed(&d->r, 1, "zero byte expected");
}

static bool expr(struct decoder *d, struct constexpr_ *e) {
  bool is64;
  uint64_t value;
  e->offset = reader_offset(&d->r);
  if (!const_read(&d->r, &is64, &value) && !expr_skip(&d->r, d->m, false, &d->invalid)) return false;
  e->size = reader_offset(&d->r) - e->offset;
  return true;
}

/* ---- types of imports and definitions ---- */

static bool limits(struct decoder *d, unsigned allowed, struct limits *l, uint8_t *flags) {
  if (has(d, MV_FEATURE(MEMORY64))) allowed |= 4;
  if (!reader_byte(&d->r, flags)) return false;
  if (*flags & ~allowed) return reader_malformed(&d->r, 1, "malformed limits flags");
  l->has_max = *flags & 1;
  l->shared = *flags & 2;
  l->is64 = *flags & 4;
  l->max = UINT64_MAX;
  return reader_u64(&d->r, &l->min) && (!l->has_max || reader_u64(&d->r, &l->max));
}

static bool memtype(struct decoder *d, struct memtype *t) {
  unsigned allowed = 1u | (has(d, MV_FEATURE(THREADS)) ? 2u : 0) | (has(d, MV_FEATURE(PAGE_SIZES)) ? 8u : 0);
  uint8_t flags;
  uint32_t shift = 16;
  uint64_t offset = 0;
  if (!limits(d, allowed, &t->limits, &flags)) return false;
  if (flags & 8) {
    offset = reader_offset(&d->r);
    if (!reader_u32(&d->r, &shift)) return false;
  }
  if (shift >= 64) return error_set(d->r.err, MV_MALFORMED, offset, "invalid custom page size: 2^%u", shift);
  t->page_shift = (uint8_t)shift;
  return true;
}

static bool tabletype(struct decoder *d, struct tabletype *t) {
  uint8_t flags;
  return reftype(d, &t->type) && limits(d, 1, &t->limits, &flags);
}

static bool globaltype(struct decoder *d, struct globaltype *t) {
  uint8_t mut;
  if (!valtype_(d, &t->type) || !reader_byte(&d->r, &mut)) return false;
  if (mut > 1) return reader_malformed(&d->r, 1, "malformed mutability");
  t->mutable = mut;
  return true;
}

static bool tagtype(struct decoder *d, uint32_t *id) { return zero(d) && typeidx(d, id); }

/* ---- imports ---- */

/* Appends what an import of this kind brings to its index space. The type is read by the caller. */
static bool import_func(struct decoder *d, uint32_t id) {
  struct module *m = d->m;
  if (!grow(d, &m->func_types, m->nfuncs, &d->cap_funcs, m->nfuncs + 1, sizeof *m->func_types)) return false;
  m->func_types[m->nfuncs++] = id;
  m->nimported_funcs++;
  return true;
}

static bool import_table(struct decoder *d, const struct tabletype *t) {
  struct module *m = d->m;
  if (!grow(d, &m->tables, m->ntables, &d->cap_tables, m->ntables + 1, sizeof *m->tables)) return false;
  m->tables[m->ntables++].type = *t;
  m->nimported_tables++;
  return true;
}

static bool import_memory(struct decoder *d, const struct memtype *t) {
  struct module *m = d->m;
  if (!grow(d, &m->memories, m->nmemories, &d->cap_memories, m->nmemories + 1, sizeof *m->memories)) return false;
  m->memories[m->nmemories++] = *t;
  m->nimported_memories++;
  return true;
}

static bool import_global(struct decoder *d, const struct globaltype *t) {
  struct module *m = d->m;
  if (!grow(d, &m->globals, m->nglobals, &d->cap_globals, m->nglobals + 1, sizeof *m->globals)) return false;
  m->globals[m->nglobals++].type = *t;
  m->nimported_globals++;
  return true;
}

static bool import_tag(struct decoder *d, uint32_t id) {
  struct module *m = d->m;
  if (!grow(d, &m->tags, m->ntags, &d->cap_tags, m->ntags + 1, sizeof *m->tags)) return false;
  m->tags[m->ntags++] = id;
  m->nimported_tags++;
  return true;
}

/* The type of an import. Compact imports may share one type among many names. */
struct externtype {
  uint8_t kind;
  bool exact;
  uint32_t id;
  struct tabletype table;
  struct memtype memory;
  struct globaltype global;
};

static bool externtype(struct decoder *d, uint8_t kind, struct externtype *t) {
  t->kind = kind;
  t->exact = false;
  switch (kind) {
  case 0x20:
    if (!has(d, MV_FEATURE(DESCRIPTORS))) break;
    t->kind = EXTERN_FUNC;
    t->exact = true;
    return typeidx(d, &t->id);
  case EXTERN_FUNC: return typeidx(d, &t->id);
  case EXTERN_TABLE: return tabletype(d, &t->table);
  case EXTERN_MEMORY: return memtype(d, &t->memory);
  case EXTERN_GLOBAL: return globaltype(d, &t->global);
  case EXTERN_TAG:
    if (!has(d, MV_FEATURE(EXCEPTIONS) | MV_FEATURE(LEGACY_EXCEPTIONS))) break;
    return tagtype(d, &t->id);
  }
  return reader_malformed(&d->r, 1, "malformed import kind");
}

static bool add_import(struct decoder *d, uint64_t offset, struct name module, struct name name, const struct externtype *t) {
  struct module *m = d->m;
  if (m->nimports >= LIMIT_IMPORTS) return error_set(d->r.err, MV_LIMIT, offset, "too many imports: at most %d", LIMIT_IMPORTS);
  if (!grow(d, &m->imports, m->nimports, &d->cap_imports, m->nimports + 1, sizeof *m->imports)) return false;
  struct import *i = &m->imports[m->nimports++];
  *i = (struct import){.module = module, .name = name, .kind = t->kind, .exact = t->exact, .offset = offset};
  switch (t->kind) {
  case EXTERN_FUNC: i->index = m->nfuncs; return import_func(d, t->id);
  case EXTERN_TABLE: i->index = m->ntables; return import_table(d, &t->table);
  case EXTERN_MEMORY: i->index = m->nmemories; return import_memory(d, &t->memory);
  case EXTERN_GLOBAL: i->index = m->nglobals; return import_global(d, &t->global);
  default: i->index = m->ntags; return import_tag(d, t->id);
  }
}

/* Compact imports: several names of one module, each with its type (0x7f) or all with one type (0x7e). */
static bool import_group(struct decoder *d, uint8_t kind, struct name module) {
  struct externtype t;
  struct name name;
  uint32_t n;
  uint8_t k;
  bool shared = kind == 0x7e;
  if (shared && (!reader_byte(&d->r, &k) || !externtype(d, k, &t))) return false;
  if (!reader_length(&d->r, &n)) return false;
  for (uint32_t i = 0; i < n; i++) {
    uint64_t offset = reader_offset(&d->r);
    if (!reader_name(&d->r, &name)) return false;
    if (!shared && (!reader_byte(&d->r, &k) || !externtype(d, k, &t))) return false;
    if (!add_import(d, offset, module, name, &t)) return false;
  }
  return true;
}

static bool import(struct decoder *d) {
  struct externtype t;
  struct name module, name;
  uint8_t kind;
  uint64_t offset = reader_offset(&d->r);
  if (!reader_name(&d->r, &module) || !reader_name(&d->r, &name) || !reader_byte(&d->r, &kind)) return false;
  if (name.size == 0 && (kind == 0x7f || kind == 0x7e) && has(d, MV_FEATURE(COMPACT_IMPORTS))) return import_group(d, kind, module);
  return externtype(d, kind, &t) && add_import(d, offset, module, name, &t);
}

static bool imports(struct decoder *d) {
  uint32_t n;
  if (!count(d, (struct listing){"imports", 4, LIMIT_IMPORTS}, &d->m->imports, 0, &d->cap_imports, sizeof *d->m->imports, &n)) return false;
  for (uint32_t i = 0; i < n; i++)
    if (!import(d)) return false;
  return true;
}

/* ---- sections of definitions ---- */

static bool funcs(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n;
  if (!count(d, (struct listing){"functions", 1, LIMIT_FUNCS}, &m->func_types, m->nfuncs, &d->cap_funcs, sizeof *m->func_types, &n)) return false;
  for (uint32_t i = 0; i < n; i++)
    if (!typeidx(d, &m->func_types[m->nfuncs++])) return false;
  return true;
}

static bool table(struct decoder *d, struct table *t) {
  t->offset = reader_offset(&d->r);
  if (d->r.pos < d->r.end && *d->r.pos == 0x40 && has(d, MV_FEATURE(FUNC_REFS))) {
    d->r.pos++;
    return zero(d) && tabletype(d, &t->type) && expr(d, &t->init);
  }
  return tabletype(d, &t->type);
}

static bool tables(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n;
  if (!count(d, (struct listing){"tables", 3, LIMIT_TABLES}, &m->tables, m->ntables, &d->cap_tables, sizeof *m->tables, &n)) return false;
  for (uint32_t i = 0; i < n; i++)
    if (!table(d, &m->tables[m->ntables++])) return false;
  return true;
}

static bool memories(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n;
  if (!count(d, (struct listing){"memories", 2, LIMIT_MEMORIES}, &m->memories, m->nmemories, &d->cap_memories, sizeof *m->memories, &n)) return false;
  for (uint32_t i = 0; i < n; i++)
    if (!memtype(d, &m->memories[m->nmemories++])) return false;
  return true;
}

static bool tags(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n;
  if (!count(d, (struct listing){"tags", 2, LIMIT_TAGS}, &m->tags, m->ntags, &d->cap_tags, sizeof *m->tags, &n)) return false;
  for (uint32_t i = 0; i < n; i++)
    if (!tagtype(d, &m->tags[m->ntags++])) return false;
  return true;
}

static bool globals(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n;
  if (!count(d, (struct listing){"globals", 3, LIMIT_GLOBALS}, &m->globals, m->nglobals, &d->cap_globals, sizeof *m->globals, &n)) return false;
  for (uint32_t i = 0; i < n; i++) {
    struct global *g = &m->globals[m->nglobals++];
    if (!globaltype(d, &g->type) || !expr(d, &g->init)) return false;
  }
  return true;
}

static bool exports(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n, cap = 0;
  uint8_t most = has(d, MV_FEATURE(EXCEPTIONS) | MV_FEATURE(LEGACY_EXCEPTIONS)) ? EXTERN_TAG : EXTERN_GLOBAL;
  if (!count(d, (struct listing){"exports", 3, LIMIT_EXPORTS}, &m->exports, 0, &cap, sizeof *m->exports, &n)) return false;
  for (; m->nexports < n; m->nexports++) {
    struct export *e = &m->exports[m->nexports];
    if (!reader_name(&d->r, &e->name) || !reader_byte(&d->r, &e->kind)) return false;
    if (e->kind > most) return reader_malformed(&d->r, 1, "malformed export kind");
    if (!reader_u32(&d->r, &e->index)) return false;
  }
  return true;
}

static bool start(struct decoder *d) {
  d->m->has_start = true;
  return reader_u32(&d->r, &d->m->start);
}

/* ---- segments ---- */

static bool elem_items(struct decoder *d, struct elem *e) {
  uint64_t offset = reader_offset(&d->r);
  uint32_t index;
  if (!reader_length(&d->r, &e->count)) return false;
  if (e->count > LIMIT_ELEM_ITEMS) return error_set(d->r.err, MV_LIMIT, offset, "too many elements in a segment: %u, at most %d", e->count, LIMIT_ELEM_ITEMS);
  e->items.offset = reader_offset(&d->r);
  for (uint32_t i = 0; i < e->count; i++)
    if (!(e->uses_exprs ? expr_skip(&d->r, d->m, false, &d->invalid) : reader_u32(&d->r, &index))) return false;
  e->items.size = reader_offset(&d->r) - e->items.offset;
  return true;
}

/* Flags: bit 0 not active, bit 1 explicit table (active) or declarative (not active), bit 2 expressions. */
static bool elem(struct decoder *d, struct elem *e) {
  uint32_t flags;
  uint8_t kind;
  if (!reader_u32(&d->r, &flags)) return false;
  if (flags > 7 || (flags && !has(d, MV_FEATURE(BULK)))) return reader_malformed(&d->r, 1, "malformed elements segment kind");
  e->mode = (uint8_t)(flags & 1 ? flags & 2 ? SEG_DECLARATIVE : SEG_PASSIVE : SEG_ACTIVE);
  e->uses_exprs = flags & 4;
  e->type = VT_REFTYPE(HEAP_FUNC, e->uses_exprs ? VT_NULLABLE : 0);
  if (e->mode == SEG_ACTIVE && (flags & 2) && !reader_u32(&d->r, &e->table)) return false;
  if (e->mode == SEG_ACTIVE && !expr(d, &e->offset)) return false;
  if ((flags & 3) && e->uses_exprs && !reftype(d, &e->type)) return false;
  if ((flags & 3) && !e->uses_exprs) {
    if (!reader_byte(&d->r, &kind)) return false;
    if (kind != 0) return reader_malformed(&d->r, 1, "malformed element kind");
  }
  return elem_items(d, e);
}

static bool elems(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n, cap = 0;
  if (!count(d, (struct listing){"element segments", 3, LIMIT_ELEM_SEGMENTS}, &m->elems, 0, &cap, sizeof *m->elems, &n)) return false;
  for (; m->nelems < n; m->nelems++)
    if (!elem(d, &m->elems[m->nelems])) return false;
  return true;
}

static bool data_count(struct decoder *d) {
  d->m->has_data_count = true;
  return reader_u32(&d->r, &d->m->data_count);
}

static bool data(struct decoder *d, struct data *s) {
  uint32_t flags, n;
  if (!reader_u32(&d->r, &flags)) return false;
  if (flags > 2 || (flags && !has(d, MV_FEATURE(BULK)))) return reader_malformed(&d->r, 1, "malformed data segment kind");
  s->mode = flags == 1 ? SEG_PASSIVE : SEG_ACTIVE;
  if (flags == 2 && !reader_u32(&d->r, &s->memory)) return false;
  if (flags != 1 && !expr(d, &s->offset)) return false;
  if (!reader_length(&d->r, &n)) return false;
  s->start = reader_offset(&d->r);
  s->size = n;
  return reader_skip(&d->r, n);
}

static bool datas(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n, cap = 0;
  if (!count(d, (struct listing){"data segments", 2, LIMIT_DATA_SEGMENTS}, &m->datas, 0, &cap, sizeof *m->datas, &n)) return false;
  for (; m->ndatas < n; m->ndatas++)
    if (!data(d, &m->datas[m->ndatas])) return false;
  return true;
}

/* ---- code ---- */

static bool code(struct decoder *d) {
  struct module *m = d->m;
  uint32_t n, cap = 0;
  if (!count(d, (struct listing){"functions", 1, LIMIT_FUNCS}, &m->bodies, 0, &cap, sizeof *m->bodies, &n)) return false;
  for (; d->nbodies < n; d->nbodies++) {
    struct body *b = &m->bodies[d->nbodies];
    if (!reader_length(&d->r, &b->size)) return false;
    b->offset = reader_offset(&d->r);
    if (b->size > LIMIT_BODY_SIZE)
      return error_set(d->r.err, MV_LIMIT, b->offset, "function body too large: %u bytes, at most %d", b->size, LIMIT_BODY_SIZE);
    if (!reader_skip(&d->r, b->size)) return false;
  }
  return true;
}

/* ---- sections ---- */

static bool custom(struct decoder *d, uint32_t size) {
  struct module *m = d->m;
  uint64_t start_at = reader_offset(&d->r);
  struct name name;
  if (!reader_name(&d->r, &name)) return false;
  uint64_t head = reader_offset(&d->r) - start_at, offset = reader_offset(&d->r);
  if (head > size) return error_set(d->r.err, MV_MALFORMED, offset, "unexpected end of section or function");
  if (m->ncustoms >= LIMIT_CUSTOM_SECTIONS) return error_set(d->r.err, MV_LIMIT, offset, "too many custom sections: at most %d", LIMIT_CUSTOM_SECTIONS);
  if (!grow(d, &m->customs, m->ncustoms, &d->cap_customs, m->ncustoms + 1, sizeof *m->customs)) return false;
  m->customs[m->ncustoms++] = (struct customsec){name, offset, size - head, d->id};
  return reader_skip(&d->r, size - head);
}

enum { SECTION_CODE = 10, SECTION_DATA = 11, SECTION_DATA_COUNT = 12, SECTION_TAG = 13, SECTION_COUNT = 14 };

/* The place of each section in the required order, by its id. */
static const uint8_t ranks[SECTION_COUNT] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6};

static bool restored(struct decoder *d, uint8_t id, uint32_t size) {
  if (id == SECTION_CODE) {
    d->m->bodies = (struct body *)(uintptr_t)d->tables->bodies;
    d->nbodies = d->tables->nbodies;
  } else {
    d->m->datas = (struct data *)(uintptr_t)d->tables->datas;
    d->m->ndatas = d->tables->ndatas;
  }
  return reader_skip(&d->r, size);
}

static bool contents(struct decoder *d, uint8_t id, uint32_t size) {
  if (d->tables && (id == SECTION_CODE || id == SECTION_DATA)) return restored(d, id, size);
  switch (id) {
  case 0: return custom(d, size);
  case 1: return read_types(d->m, &d->r, &d->invalid);
  case 2: return imports(d);
  case 3: return funcs(d);
  case 4: return tables(d);
  case 5: return memories(d);
  case 6: return globals(d);
  case 7: return exports(d);
  case 8: return start(d);
  case 9: return elems(d);
  case 10: return code(d);
  case 11: return datas(d);
  case 12: return data_count(d);
  default: return tags(d);
  }
}

/* A section that claims more bytes than there are: what is wrong in it tells more than its size does, unless that is the end. */
static bool oversized(struct decoder *d, uint8_t id, uint32_t size) {
  uint64_t offset = reader_offset(&d->r);
  size_t left = reader_left(&d->r);
  mv_error_t *err = d->r.err, one;
  one.kind = MV_OK;
  d->r.err = &one;
  bool ok = contents(d, id, size);
  d->r.err = err;
  if (!ok && one.offset != d->m->size) return error_set(err, one.kind, one.offset, "%s", one.message);
  return error_set(err, MV_MALFORMED, offset, "length out of bounds: section %u of %u bytes with %zu bytes left", id, size, left);
}

static bool known_section(const struct decoder *d, uint8_t id) {
  if (id == SECTION_TAG) return has(d, MV_FEATURE(EXCEPTIONS) | MV_FEATURE(LEGACY_EXCEPTIONS));
  return id < SECTION_COUNT && (id != SECTION_DATA_COUNT || has(d, MV_FEATURE(BULK)));
}

static bool section(struct decoder *d) {
  uint32_t size;
  uint8_t id;
  if (!reader_byte(&d->r, &id)) return false;
  if (!known_section(d, id)) return reader_malformed(&d->r, 1, "malformed section id");
  if (id != 0 && ranks[id] <= d->rank) return reader_malformed(&d->r, 1, "unexpected content after last section");
  if (id != 0) d->rank = ranks[d->id = id];
  if (!reader_u32(&d->r, &size)) return false;
  const uint8_t *at = d->r.pos;
  if (id != 0) {
    d->m->sections[id].offset = reader_offset(&d->r);
    d->m->sections[id].size = size;
  }
  if (size > reader_left(&d->r)) return oversized(d, id, size);
  if (!contents(d, id, size)) return false;
  if ((size_t)(d->r.pos - at) == size) return true;
  return error_set(d->r.err, MV_MALFORMED, (uint64_t)(at - d->r.base), "section size mismatch: section %u has %u bytes, its contents take %zu", id, size,
                   (size_t)(d->r.pos - at));
}

static bool header(struct decoder *d) {
  static const uint8_t magic[4] = {0, 'a', 's', 'm'}, version[4] = {1, 0, 0, 0};
  const uint8_t *at = d->r.pos;
  if (!reader_skip(&d->r, 4)) return false;
  if (memcmp(at, magic, 4) != 0) return error_set(d->r.err, MV_MALFORMED, 0, "magic header not detected");
  if (!reader_skip(&d->r, 4)) return false;
  return memcmp(at + 4, version, 4) == 0 || error_set(d->r.err, MV_MALFORMED, 4, "unknown binary version");
}

static bool decode(struct decoder *d) {
  struct module *m = d->m;
  if (!header(d)) return false;
  while (reader_left(&d->r))
    if (!section(d)) return false;
  if (m->nfuncs - m->nimported_funcs != d->nbodies)
    return error_set(d->r.err, MV_MALFORMED, m->size, "function and code section have inconsistent lengths: %u and %u", m->nfuncs - m->nimported_funcs,
                     d->nbodies);
  if (m->has_data_count && m->data_count != m->ndatas)
    return error_set(d->r.err, MV_MALFORMED, m->size, "data count and data section have inconsistent lengths: %u and %u", m->data_count, m->ndatas);
  if (d->invalid.kind == MV_OK) return true;
  return module_scan_bodies(m, d->nbodies, true, d->r.err) && error_set(d->r.err, d->invalid.kind, d->invalid.offset, "%s", d->invalid.message);
}

static struct module *module_new(struct types *types, mv_features_t features, const uint8_t *bytes, size_t size, bool adopt) {
  struct module *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  arena_init(&m->arena);
  atomic_init(&m->func_names, NULL);
  atomic_init(&m->image, NULL);
  atomic_init(&m->ninstances, 0);
  m->bytes = bytes;
  m->size = size;
  m->features = features;
  m->types = types;
  if (adopt) return m;
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy) {
    free(m);
    return NULL;
  }
  if (size) memcpy(copy, bytes, size);
  m->bytes = copy;
  m->own_bytes = true;
  return m;
}

static bool module_read(struct types *types, mv_features_t features, const uint8_t *bytes, size_t size, bool adopt, const struct module_tables *tables,
                        struct module **out, mv_error_t *err) {
  *out = NULL;
  if (size > LIMIT_MODULE_SIZE) return error_set(err, MV_LIMIT, 0, "module too large: %zu bytes, at most %d", size, LIMIT_MODULE_SIZE);
  struct decoder d = {.m = module_new(types, features, bytes, size, adopt), .tables = tables};
  mv_error_t local;
  local.kind = MV_OK;
  if (!d.m) return error_no_memory(err, sizeof *d.m + size);
  const uint8_t *first = size ? d.m->bytes : (const uint8_t *)"";
  d.r = (struct reader){first, first, first + size, &local};
  if (decode(&d)) {
    *out = d.m;
    return true;
  }
  /* The first thing that is malformed counts; bodies, which were passed over, come before what stands behind them. */
  if (local.kind != MV_MALFORMED || module_scan_bodies(d.m, d.nbodies, false, err)) error_set(err, local.kind, local.offset, "%s", local.message);
  module_delete(d.m);
  return false;
}

bool module_decode(struct types *types, mv_features_t features, const uint8_t *bytes, size_t size, bool adopt, struct module **out, mv_error_t *err) {
  return module_read(types, features, bytes, size, adopt, NULL, out, err);
}

bool module_restore(struct types *types, mv_features_t features, const uint8_t *bytes, size_t size, const struct module_tables *tables, struct module **out,
                    mv_error_t *err) {
  return module_read(types, features, bytes, size, true, tables, out, err);
}

void module_delete(struct module *m) {
  if (!m) return;
  free(atomic_load(&m->func_names));
  arena_fini(&m->arena);
  if (m->own_bytes) free((void *)(uintptr_t)m->bytes);
  free(m);
}
