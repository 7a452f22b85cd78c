/* Values between wasm.h and cells. A reference that the guest holds is a function, or an object of the collected heap; of the host's references,
 * foreign objects are such objects, all others are wrapped in one when they go in, and unwrapped when they come out. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

/* ---- wasm_val_t ---- */

void wasm_val_delete(wasm_val_t *v) {
  if (wasm_valkind_is_ref(v->kind)) wasm_ref_delete(v->of.ref);
  v->of.ref = NULL;
}

void wasm_val_copy(wasm_val_t *out, const wasm_val_t *from) {
  *out = *from;
  if (wasm_valkind_is_ref(from->kind) && from->of.ref) out->of.ref = wasm_ref_copy(from->of.ref);
}

void wasm_val_vec_new_empty(wasm_val_vec_t *out) { *out = (wasm_val_vec_t){0, NULL}; }

void wasm_val_vec_new_uninitialized(wasm_val_vec_t *out, size_t n) {
  wasm_val_t *data = n ? calloc(n, sizeof *data) : NULL;
  *out = (wasm_val_vec_t){data ? n : 0, data};
}

void wasm_val_vec_new(wasm_val_vec_t *out, size_t n, wasm_val_t const from[]) {
  wasm_val_vec_new_uninitialized(out, n);
  if (out->data) memcpy(out->data, from, n * sizeof *from);
  for (size_t i = out->size; i < n; i++) {
    wasm_val_t lost = from[i];
    wasm_val_delete(&lost);
  }
}

void wasm_val_vec_copy(wasm_val_vec_t *out, const wasm_val_vec_t *from) {
  wasm_val_vec_new_uninitialized(out, from->size);
  for (size_t i = 0; i < out->size; i++) wasm_val_copy(&out->data[i], &from->data[i]);
}

void wasm_val_vec_delete(wasm_val_vec_t *v) {
  for (size_t i = 0; i < v->size; i++) wasm_val_delete(&v->data[i]);
  free(v->data);
  wasm_val_vec_new_empty(v);
}

/* ---- wrapping ---- */

/* head.type of a wrapper: 0 is a foreign object. */
static uint32_t wrap_tag(enum refkind kind) { return (uint32_t)kind + 1; }

static void trap_finalize(void *t) { api_trap_release(t); }
static void module_finalize(void *m) { api_module_release(m); }
static void memory_finalize(void *m) { memory_release(m); }

static bool wrap(wasm_store_t *store, const wasm_ref_t *r, cell *out, mv_error_t *err) {
  struct host_object *o = gc_host(store->s, NULL, NULL, err);
  if (!o) return false;
  o->head.type = wrap_tag(r->kind);
  switch (r->kind) {
  case REF_TRAP:
    o->value = r->u.trap;
    o->finalize = trap_finalize;
    atomic_fetch_add_explicit(&r->u.trap->refs, 1, memory_order_relaxed);
    break;
  case REF_MODULE:
    o->value = r->u.module;
    o->finalize = module_finalize;
    atomic_fetch_add_explicit(&r->u.module->refs, 1, memory_order_relaxed);
    break;
  case REF_MEMORY:
    o->value = r->u.ext.u.memory;
    o->finalize = memory_finalize;
    memory_retain(r->u.ext.u.memory);
    break;
  case REF_FUNC: o->value = r->u.ext.u.func; break;
  case REF_TABLE: o->value = r->u.ext.u.table; break;
  case REF_GLOBAL: o->value = r->u.ext.u.global; break;
  case REF_TAG: o->value = r->u.ext.u.tag; break;
  default: o->value = r->u.instance;
  }
  *out = object_ref(&o->head);
  return true;
}

static wasm_ref_t *unwrap(wasm_store_t *store, const struct host_object *o) {
  struct extern_ref x = {.kind = (uint8_t)(o->head.type - 1)};
  switch ((enum refkind)x.kind) {
  case REF_FUNC: x.u.func = o->value; break;
  case REF_TABLE: x.u.table = o->value; break;
  case REF_MEMORY: x.u.memory = o->value; break;
  case REF_GLOBAL: x.u.global = o->value; break;
  case REF_TAG: x.u.tag = o->value; break;
  case REF_INSTANCE: return (wasm_ref_t *)instance_make(store, o->value);
  case REF_MODULE: return (wasm_ref_t *)module_make(store, o->value);
  case REF_TRAP: return (wasm_ref_t *)trap_make(store, o->value);
  default: return object_make(store, object_ref(&o->head));
  }
  return (wasm_ref_t *)extern_make(store, &x);
}

/* ---- conversion ---- */

bool ref_to_cell(wasm_store_t *store, const wasm_ref_t *r, cell *out, mv_error_t *err) {
  *out = REF_NULL;
  if (!r) return true;
  if (r->store != store && r->kind != REF_MODULE && r->kind != REF_TRAP)
    return error_set(err, MV_USAGE, MV_NO_OFFSET, "a reference of another store");
  if (r->kind != REF_FOREIGN && r->kind != REF_OBJECT) return wrap(store, r, out, err);
  *out = r->root.ref;
  return true;
}

bool ref_of_cell(wasm_store_t *store, valtype type, cell c, wasm_ref_t **out, mv_error_t *err) {
  *out = NULL;
  if (c == REF_NULL) return true;
  if (valkind_of(store->s->types, type) == WASM_FUNCREF) {
    struct extern_ref x = {.kind = EXTERN_FUNC, .u.func = (struct func *)(uintptr_t)c};
    *out = (wasm_ref_t *)extern_make(store, &x);
  } else if (!ref_is_i31(c) && ref_object(c)->kind == OBJ_HOST && ref_object(c)->type != 0) {
    *out = unwrap(store, (const struct host_object *)ref_object(c));
  } else {
    *out = object_make(store, c);
  }
  return *out || error_no_memory(err, sizeof **out);
}

static bool func_to_cell(wasm_store_t *store, const wasm_ref_t *r, cell *out, mv_error_t *err) {
  *out = REF_NULL;
  if (!r) return true;
  if (r->kind != REF_FUNC) return error_set(err, MV_USAGE, MV_NO_OFFSET, "a function reference is wanted");
  if (r->store != store) return error_set(err, MV_USAGE, MV_NO_OFFSET, "a reference of another store");
  *out = (cell)(uintptr_t)r->u.ext.u.func;
  return true;
}

static bool kind_error(valtype type, mv_error_t *err) {
  char text[64];
  return error_set(err, MV_USAGE, MV_NO_OFFSET, "a value of type %s is wanted", valtype_print(type, text, sizeof text));
}

bool val_to_cells(wasm_store_t *store, valtype type, const wasm_val_t *v, cell *out, mv_error_t *err) {
  wasm_valkind_t want = valkind_of(store->s->types, type);
  if (want == MV_V128) return error_set(err, MV_USAGE, MV_NO_OFFSET, "vectors pass through mv_func_call only");
  bool refs = wasm_valkind_is_ref(want) && wasm_valkind_is_ref(v->kind) && want != WASM_FUNCREF; /* references other than to functions are interchangeable here */
  if (v->kind != want && !refs) return kind_error(type, err);
  uint32_t bits;
  switch (want) {
  case WASM_I32: *out = (uint32_t)v->of.i32; return true;
  case WASM_I64: *out = (uint64_t)v->of.i64; return true;
  case WASM_F32:
    memcpy(&bits, &v->of.f32, sizeof bits);
    *out = bits;
    return true;
  case WASM_F64: memcpy(out, &v->of.f64, sizeof *out); return true;
  case WASM_FUNCREF:
    if (!func_to_cell(store, v->of.ref, out, err)) return false;
    break;
  default:
    if (!ref_to_cell(store, v->of.ref, out, err)) return false;
  }
  return ref_matches(store->s, *out, type) || kind_error(type, err);
}

bool val_of_cells(wasm_store_t *store, valtype type, const cell *c, wasm_val_t *out, mv_error_t *err) {
  uint32_t bits = (uint32_t)*c;
  *out = (wasm_val_t){.kind = valkind_of(store->s->types, type)};
  switch (out->kind) {
  case WASM_I32: memcpy(&out->of.i32, &bits, sizeof bits); return true;
  case WASM_I64: memcpy(&out->of.i64, c, sizeof *c); return true;
  case WASM_F32: memcpy(&out->of.f32, &bits, sizeof bits); return true;
  case WASM_F64: memcpy(&out->of.f64, c, sizeof *c); return true;
  case MV_V128: return error_set(err, MV_USAGE, MV_NO_OFFSET, "vectors pass through mv_func_call only");
  default: return ref_of_cell(store, type, *c, &out->of.ref, err);
  }
}

/* ---- foreign objects ---- */

wasm_foreign_t *wasm_foreign_new(wasm_store_t *store) {
  mv_error_t err = {0};
  struct host_object *o = gc_host(store->s, NULL, NULL, &err);
  return o ? (wasm_foreign_t *)object_make(store, object_ref(&o->head)) : NULL;
}
