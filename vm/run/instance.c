/* Instantiation (core/exec/modules#instantiation). Imports are checked and everything is allocated and evaluated before the first write that
 * somebody else could see, so that a failed link leaves no trace; from the segments on, what was written stays.
 *
 * An instance is one block: its struct, the cells of its own globals, the index spaces, its own globals and tags, the segments' state. A
 * memory's initial contents are copied, or taken from the module's image (run/image.c). */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "run/gc.h"
#include "run/image.h"

static const struct mem_inst no_memory; /* what mem0 points to in an instance without memories: nobody writes it */

/* ---- imports ---- */

static bool report_import(struct store *s, const struct module *m, const struct import *i, const struct extern_ref *have, mv_error_t *err) {
  char want[160], offer[160];
  import_print(m, i, want, sizeof want);
  if (!have->u.func)
    return error_set(err, MV_UNLINKABLE, i->offset, "unknown import: \"%.*s\" \"%.*s\" of type %s", (int)i->module.size, i->module.bytes,
                     (int)i->name.size, i->name.bytes, want);
  return error_set(err, MV_UNLINKABLE, i->offset, "incompatible import type for \"%.*s\" \"%.*s\": wanted %s, offered %s", (int)i->module.size,
                   i->module.bytes, (int)i->name.size, i->name.bytes, want, extern_print(s, have, offer, sizeof offer));
}

static bool check_imports(struct store *s, const struct module *m, const struct extern_ref *imports, mv_error_t *err) {
  for (uint32_t k = 0; k < m->nimports; k++)
    if (!imports[k].u.func || !extern_matches(s, &imports[k], m, &m->imports[k])) return report_import(s, m, &m->imports[k], &imports[k], err);
  return true;
}

static void take_imports(struct instance *inst, const struct extern_ref *imports) {
  const struct module *m = inst->module;
  for (uint32_t k = 0; k < m->nimports; k++) {
    const struct extern_ref *x = &imports[k];
    uint32_t i = m->imports[k].index;
    switch (x->kind) {
    case EXTERN_FUNC: inst->funcs[i] = x->u.func; break;
    case EXTERN_TABLE: inst->tables[i] = x->u.table; break;
    case EXTERN_MEMORY:
      inst->memories[i] = x->u.memory;
      if (!x->u.memory->store) memory_retain(x->u.memory); /* another store may own it */
      break;
    case EXTERN_GLOBAL: inst->globals[i] = x->u.global; break;
    default: inst->tags[i] = x->u.tag;
    }
  }
}

/* ---- the block ---- */

/* Lays out arrays one after the other; run twice, first to measure (base NULL), then to place. Everything is a multiple of 8 bytes. */
struct layout {
  uint8_t *base;
  size_t size;
  bool ok;
};

static void *place(struct layout *l, size_t n, size_t elem) {
  void *p = l->base ? l->base + l->size : NULL;
  size_t bytes;
  l->ok = l->ok && checked_mul(n, elem, &bytes) && checked_add(bytes, 7, &bytes) && checked_add(l->size, bytes & ~(size_t)7, &l->size);
  return p;
}

static void lay_out(struct instance *inst, struct layout *l, const struct module *m, size_t ncells) {
  place(l, 1, sizeof(struct instance));
  place(l, ncells, sizeof(cell)); /* inst->cells */
  inst->own_globals = place(l, m->nglobals - m->nimported_globals, sizeof(struct global_inst));
  inst->own_tags = place(l, m->ntags - m->nimported_tags, sizeof(struct tag_inst));
  inst->funcs = place(l, m->nfuncs, sizeof *inst->funcs);
  inst->tables = place(l, m->ntables, sizeof *inst->tables);
  inst->memories = place(l, m->nmemories, sizeof *inst->memories);
  inst->globals = place(l, m->nglobals, sizeof *inst->globals);
  inst->tags = place(l, m->ntags, sizeof *inst->tags);
  inst->elem_values = place(l, m->nelems, sizeof *inst->elem_values);
  inst->elem_dropped = place(l, (m->nelems + 7u) / 8, 1);
  inst->data_flips = place(l, (m->ndatas + 7u) / 8, 1);
}

static struct instance *instance_alloc(struct store *s, struct module *m, mv_error_t *err) {
  size_t ncells = 0;
  for (uint32_t i = m->nimported_globals; i < m->nglobals; i++) ncells += vt_cells(m->globals[i].type.type);
  struct instance measure;
  struct layout l = {NULL, 0, true};
  lay_out(&measure, &l, m, ncells);
  struct instance *inst = l.ok ? calloc(1, l.size) : NULL;
  if (!inst) {
    error_no_memory(err, l.size);
    return NULL;
  }
  l = (struct layout){(uint8_t *)inst, 0, true};
  lay_out(inst, &l, m, ncells);
  inst->store = s;
  inst->exec = s->exec;
  inst->stack_limit = s->stack_limit;
  inst->module = m;
  inst->mem0 = (struct mem_inst *)(uintptr_t)&no_memory;
  return inst;
}

/* ---- definitions ---- */

static bool make_memories(struct instance *inst, mv_error_t *err) {
  const struct module *m = inst->module;
  for (uint32_t i = m->nimported_memories; i < m->nmemories; i++)
    if (!memory_new(inst->store, &m->memories[i], &inst->memories[i], err)) return false;
  if (m->nmemories) inst->mem0 = inst->memories[0];
  return true;
}

static void make_tags(struct instance *inst) {
  const struct module *m = inst->module;
  for (uint32_t i = m->nimported_tags; i < m->ntags; i++) {
    struct tag_inst *t = &inst->own_tags[i - m->nimported_tags];
    t->type = m->tags[i];
    inst->tags[i] = t;
  }
}

/* In order: an initialiser may read the globals before it. All cells exist, as null, before the first is evaluated, for the collector to see. */
static bool make_globals(struct instance *inst, mv_error_t *err) {
  const struct module *m = inst->module;
  cell *c = inst->cells;
  for (uint32_t i = m->nimported_globals; i < m->nglobals; i++) {
    struct global_inst *g = &inst->own_globals[i - m->nimported_globals];
    g->type = m->globals[i].type;
    g->cell = c;
    c += vt_cells(g->type.type);
    inst->globals[i] = g;
  }
  for (uint32_t i = m->nimported_globals; i < m->nglobals; i++) {
    cell v[2];
    if (!constexpr_eval(inst, &m->globals[i].init, v, err)) return false;
    memcpy(inst->globals[i]->cell, v, vt_cells(m->globals[i].type.type) * sizeof(cell));
  }
  return true;
}

static bool make_tables(struct instance *inst, mv_error_t *err) {
  const struct module *m = inst->module;
  for (uint32_t i = m->nimported_tables; i < m->ntables; i++) {
    cell v[2] = {REF_NULL, 0};
    if (m->tables[i].init.size && !constexpr_eval(inst, &m->tables[i].init, v, err)) return false;
    if (!table_new(inst->store, &m->tables[i].type, v[0], &inst->tables[i], err)) return false;
  }
  return true;
}

/* ---- segments ---- */

/* A bit tells what is not as usual: a passive data segment that is dropped, an active one that is not. */
static bool data_dropped(const struct instance *inst, uint32_t data) {
  return (inst->data_flips[data / 8] >> data % 8 & 1) != (inst->module->datas[data].mode == SEG_ACTIVE);
}
static void data_flip(struct instance *inst, uint32_t data) { inst->data_flips[data / 8] ^= (uint8_t)(1u << data % 8); }

static bool segment_offset(struct instance *inst, const struct constexpr_ *e, bool is64, uint64_t *offset, mv_error_t *err) {
  cell v[2];
  if (!constexpr_eval(inst, e, v, err)) return false;
  *offset = is64 ? v[0] : (uint32_t)v[0];
  return true;
}

static bool run_elems(struct instance *inst, mv_error_t *err) {
  const struct module *m = inst->module;
  for (uint32_t i = 0; i < m->nelems; i++) {
    const struct elem *e = &m->elems[i];
    uint64_t offset;
    if (e->mode == SEG_ACTIVE) {
      if (!segment_offset(inst, &e->offset, m->tables[e->table].type.limits.is64, &offset, err)) return false;
      if (!table_init(inst, e->table, i, offset, 0, e->count, err))
        return error_set(err, MV_TRAP, e->offset.offset, "out of bounds table access: element segment %u of %u elements at %llu, table size %llu", i,
                         e->count, (unsigned long long)offset, (unsigned long long)inst->tables[e->table]->size);
    }
    if (e->mode != SEG_PASSIVE) elem_drop(inst, i);
  }
  return true;
}

/* *next: the segment that is being copied. */
static bool copy_data(struct instance *inst, uint32_t *next, mv_error_t *err) {
  const struct module *m = inst->module;
  for (uint32_t i = 0; i < m->ndatas; i++) {
    const struct data *d = &m->datas[i];
    *next = i;
    uint64_t offset;
    if (d->mode != SEG_ACTIVE) continue;
    if (!segment_offset(inst, &d->offset, m->memories[d->memory].limits.is64, &offset, err)) return false;
    const struct mem_inst *mem = inst->memories[d->memory];
    if (!range_ok(offset, d->size, mem->size))
      return error_set(err, MV_TRAP, d->offset.offset, "out of bounds memory access: data segment %u of %llu bytes at %llu, memory size %llu", i,
                       (unsigned long long)d->size, (unsigned long long)offset, (unsigned long long)mem->size);
    if (d->size) memcpy(mem->base + offset, m->bytes + d->start, (size_t)d->size);
  }
  return true;
}

static bool fill_memories(struct instance *inst, uint32_t *next, mv_error_t *err) {
  const struct image *image = image_of_module(inst->module);
  return image ? image_map(image, inst->memories[inst->module->nimported_memories], err) : copy_data(inst, next, err);
}

/* Active data segments count as dropped from the start; after a trap those from `next` on do not. */
static void keep_data(struct instance *inst, uint32_t next) {
  for (uint32_t i = next; i < inst->module->ndatas; i++)
    if (inst->module->datas[i].mode == SEG_ACTIVE) data_flip(inst, i);
}

bool instance_new(struct store *s, struct module *m, const struct extern_ref *imports, struct instance **out, mv_error_t *err) {
  *out = NULL;
  if (s->options->max_instances && s->ninstances >= s->options->max_instances)
    return error_set(err, MV_LIMIT, MV_NO_OFFSET, "instance limit: %llu instances in this store", (unsigned long long)s->ninstances);
  if (!check_imports(s, m, imports, err)) return false;
  struct store_mark before = store_save(s);
  struct instance *inst = instance_alloc(s, m, err);
  if (!inst) return false;
  take_imports(inst, imports);
  inst->next = s->instances;
  s->instances = inst;
  s->ninstances++;
  make_tags(inst);
  if (!make_memories(inst, err) || !make_globals(inst, err) || !make_tables(inst, err)) {
    store_restore(s, before);
    return false;
  }
  *out = inst;
  uint32_t next = 0;
  if (run_elems(inst, err) && fill_memories(inst, &next, err)) return true;
  keep_data(inst, next);
  return false;
}

/* ---- data segments at run time ---- */

void data_bytes(const struct instance *inst, uint32_t data, const uint8_t **bytes, uint64_t *n) {
  const struct data *d = &inst->module->datas[data];
  *bytes = inst->module->bytes + d->start;
  *n = data_dropped(inst, data) ? 0 : d->size;
}

void data_drop(struct instance *inst, uint32_t data) {
  if (!data_dropped(inst, data)) data_flip(inst, data);
}

bool memory_init(struct instance *inst, uint32_t memory, uint32_t data, uint64_t dst, uint64_t src, uint64_t n) {
  struct mem_inst *mem = inst->memories[memory];
  const uint8_t *bytes;
  uint64_t size;
  data_bytes(inst, data, &bytes, &size);
  if (!range_ok(dst, n, mem->size) || !range_ok(src, n, size)) return false;
  if (n) memcpy(mem->base + dst, bytes + src, (size_t)n);
  return true;
}
