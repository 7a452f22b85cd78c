/* Globals, tables, memories and externals of wasm.h. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

/* ---- externals ---- */

wasm_externkind_t wasm_extern_kind(const wasm_extern_t *x) {
  static const wasm_externkind_t kinds[] = {[EXTERN_FUNC] = WASM_EXTERN_FUNC, [EXTERN_TABLE] = WASM_EXTERN_TABLE, [EXTERN_MEMORY] = WASM_EXTERN_MEMORY,
                                            [EXTERN_GLOBAL] = WASM_EXTERN_GLOBAL, [EXTERN_TAG] = WASM_EXTERN_TAG};
  return kinds[x->ref.u.ext.kind];
}

wasm_externtype_t *wasm_extern_type(const wasm_extern_t *x) {
  const struct types *types = x->ref.store->s->types;
  const struct extern_ref *e = &x->ref.u.ext;
  switch (e->kind) {
  case EXTERN_FUNC: {
    wasm_functype_t *t = functype_make(types, e->u.func->type);
    return t ? &t->base : NULL;
  }
  case EXTERN_TABLE: return tabletype_make(types, &e->u.table->type, e->u.table->size);
  case EXTERN_MEMORY: return memorytype_make(&e->u.memory->type, e->u.memory->size >> e->u.memory->type.page_shift);
  case EXTERN_GLOBAL: return globaltype_make(types, &e->u.global->type);
  default: return tagtype_make(types, e->u.tag->type);
  }
}

/* ---- globals ---- */

wasm_global_t *wasm_global_new(wasm_store_t *w, const wasm_globaltype_t *type, const wasm_val_t *init) {
  struct globaltype t = {.mutable = type->mutability == WASM_VAR};
  struct extern_ref x = {.kind = EXTERN_GLOBAL};
  mv_error_t err = {0};
  cell c[2] = {0};
  if (!valtype_of(w->s->types, type->content, &t.type) || !val_to_cells(w, t.type, init, c, &err)) return NULL;
  if (!global_new(w->s, &t, c, &x.u.global, &err)) return NULL;
  return (wasm_global_t *)extern_make(w, &x);
}

wasm_globaltype_t *wasm_global_type(const wasm_global_t *g) {
  return wasm_externtype_as_globaltype(globaltype_make(g->ref.store->s->types, &g->ref.u.ext.u.global->type));
}

void wasm_global_get(const wasm_global_t *g, wasm_val_t *out) {
  const struct global_inst *inst = g->ref.u.ext.u.global;
  if (!val_of_cells(g->ref.store, inst->type.type, inst->cell, out, NULL)) *out = (wasm_val_t)WASM_INIT_VAL;
}

/* A constant, or a value of the wrong type, changes nothing. */
void wasm_global_set(wasm_global_t *g, const wasm_val_t *v) {
  const struct global_inst *inst = g->ref.u.ext.u.global;
  cell c[2];
  if (inst->type.mutable && val_to_cells(g->ref.store, inst->type.type, v, c, NULL)) memcpy(inst->cell, c, vt_cells(inst->type.type) * sizeof *c);
}

/* ---- tables: growth changes the type of a table or memory (core/exec/modules#growing-tables): its minimum is its size ---- */

/* A reference as an element of this type. */
static bool elem_of_ref(wasm_store_t *w, valtype type, const wasm_ref_t *r, cell *out) {
  wasm_val_t v = {.kind = valkind_of(w->s->types, type), .of = {.ref = (wasm_ref_t *)(uintptr_t)r}};
  return val_to_cells(w, type, &v, out, NULL);
}

wasm_table_t *wasm_table_new(wasm_store_t *w, const wasm_tabletype_t *type, wasm_ref_t *init) {
  struct tabletype t = {.limits = type->exact};
  struct extern_ref x = {.kind = EXTERN_TABLE};
  mv_error_t err = {0};
  cell c;
  if (!valtype_of(w->s->types, type->element, &t.type) || !vt_is_ref(t.type)) return NULL;
  if (!elem_of_ref(w, t.type, init, &c) || !table_new(w->s, &t, c, &x.u.table, &err)) return NULL;
  return (wasm_table_t *)extern_make(w, &x);
}

wasm_tabletype_t *wasm_table_type(const wasm_table_t *t) {
  const struct table_inst *inst = t->ref.u.ext.u.table;
  return wasm_externtype_as_tabletype(tabletype_make(t->ref.store->s->types, &inst->type, inst->size));
}

wasm_ref_t *wasm_table_get(const wasm_table_t *t, wasm_table_size_t index) {
  const struct table_inst *inst = t->ref.u.ext.u.table;
  wasm_ref_t *r;
  return index < inst->size && ref_of_cell(t->ref.store, inst->type.type, inst->elems[index], &r, NULL) ? r : NULL;
}

bool wasm_table_set(wasm_table_t *t, wasm_table_size_t index, wasm_ref_t *r) {
  const struct table_inst *inst = t->ref.u.ext.u.table;
  cell c;
  if (index >= inst->size || !elem_of_ref(t->ref.store, inst->type.type, r, &c)) return false;
  inst->elems[index] = c;
  return true;
}

wasm_table_size_t wasm_table_size(const wasm_table_t *t) {
  uint64_t n = t->ref.u.ext.u.table->size;
  return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

bool wasm_table_grow(wasm_table_t *t, wasm_table_size_t delta, wasm_ref_t *init) {
  struct table_inst *inst = t->ref.u.ext.u.table;
  cell c;
  if (!elem_of_ref(t->ref.store, inst->type.type, init, &c)) return false;
  return table_grow(t->ref.store->s, inst, delta, c) != UINT64_MAX;
}

/* ---- memories ---- */

wasm_memory_t *wasm_memory_new(wasm_store_t *w, const wasm_memorytype_t *type) {
  struct extern_ref x = {.kind = EXTERN_MEMORY};
  mv_error_t err = {0};
  const struct limits *l = &type->exact.limits;
  if (l->has_max && l->max < l->min) return NULL;
  return memory_new(w->s, &type->exact, &x.u.memory, &err) ? (wasm_memory_t *)extern_make(w, &x) : NULL;
}

wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *m) {
  const struct mem_inst *inst = m->ref.u.ext.u.memory;
  return wasm_externtype_as_memorytype(memorytype_make(&inst->type, inst->size >> inst->type.page_shift));
}

byte_t *wasm_memory_data(wasm_memory_t *m) { return (char *)m->ref.u.ext.u.memory->base; }
size_t wasm_memory_data_size(const wasm_memory_t *m) { return (size_t)m->ref.u.ext.u.memory->size; }

wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *m) {
  const struct mem_inst *inst = m->ref.u.ext.u.memory;
  uint64_t n = inst->size >> inst->type.page_shift;
  return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

bool wasm_memory_grow(wasm_memory_t *m, wasm_memory_pages_t delta) { return memory_grow(m->ref.u.ext.u.memory, delta) != UINT64_MAX; }
