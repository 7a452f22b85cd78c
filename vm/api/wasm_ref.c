/* Handles: making, copying, comparing and deleting references, host info, and conversions between their types. */
#include <stdlib.h>

#include "api/api.h"

/* ---- making and deleting ---- */

static struct wasm_ref_t *handle_new(wasm_store_t *store, enum refkind kind) {
  struct wasm_ref_t *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  r->kind = kind;
  r->store = store;
  return r;
}

wasm_extern_t *extern_make(wasm_store_t *store, const struct extern_ref *x) {
  struct wasm_ref_t *r = handle_new(store, (enum refkind)x->kind);
  if (!r) return NULL;
  r->u.ext = *x;
  if (x->kind == EXTERN_MEMORY) memory_retain(x->u.memory); /* a shared one may outlive its store */
  return (wasm_extern_t *)r;
}

wasm_instance_t *instance_make(wasm_store_t *store, struct instance *inst) {
  struct wasm_ref_t *r = handle_new(store, REF_INSTANCE);
  if (r) r->u.instance = inst;
  return (wasm_instance_t *)r;
}

/* Takes a reference to the module of its own. */
wasm_module_t *module_make(wasm_store_t *store, struct api_module *m) {
  struct wasm_ref_t *r = handle_new(store, REF_MODULE);
  if (!r) return NULL;
  r->u.module = m;
  atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
  return (wasm_module_t *)r;
}

wasm_trap_t *trap_make(wasm_store_t *store, struct api_trap *t) {
  struct wasm_ref_t *r = handle_new(store, REF_TRAP);
  if (!r) return NULL;
  r->u.trap = t;
  atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
  return (wasm_trap_t *)r;
}

static bool is_foreign(cell ref) {
  const struct object *o = ref_object(ref);
  return !ref_is_i31(ref) && o->kind == OBJ_HOST && o->type == 0;
}

wasm_ref_t *object_make(wasm_store_t *store, cell ref) {
  struct wasm_ref_t *r = handle_new(store, is_foreign(ref) ? REF_FOREIGN : REF_OBJECT);
  if (r) gc_root_add(store->s, &r->root, ref);
  return r;
}

static struct wasm_ref_t *handle_copy(const struct wasm_ref_t *r) {
  if (!r) return NULL;
  switch (r->kind) {
  case REF_INSTANCE: return (wasm_ref_t *)instance_make(r->store, r->u.instance);
  case REF_MODULE: return (wasm_ref_t *)module_make(r->store, r->u.module);
  case REF_TRAP: return (wasm_ref_t *)trap_make(r->store, r->u.trap);
  case REF_FOREIGN: case REF_OBJECT: return object_make(r->store, r->root.ref);
  default: return (wasm_ref_t *)extern_make(r->store, &r->u.ext);
  }
}

void wasm_ref_delete(wasm_ref_t *r) {
  if (!r) return;
  switch (r->kind) {
  case REF_MEMORY: memory_release(r->u.ext.u.memory); break;
  case REF_MODULE: api_module_release(r->u.module); break;
  case REF_TRAP: api_trap_release(r->u.trap); break;
  case REF_FOREIGN: case REF_OBJECT: gc_root_remove(&r->root); break;
  default: break;
  }
  free(r);
}

wasm_ref_t *wasm_ref_copy(const wasm_ref_t *r) { return handle_copy(r); }

/* What identifies the object behind a handle. */
static const void *identity(const struct wasm_ref_t *r) {
  switch (r->kind) {
  case REF_INSTANCE: return r->u.instance;
  case REF_MODULE: return r->u.module;
  case REF_TRAP: return r->u.trap;
  case REF_FOREIGN: case REF_OBJECT: return (const void *)(uintptr_t)r->root.ref;
  case REF_FUNC: return r->u.ext.u.func;
  case REF_TABLE: return r->u.ext.u.table;
  case REF_MEMORY: return r->u.ext.u.memory;
  case REF_GLOBAL: return r->u.ext.u.global;
  default: return r->u.ext.u.tag;
  }
}

bool wasm_ref_same(const wasm_ref_t *a, const wasm_ref_t *b) {
  if (!a || !b) return a == b;
  return a->kind == b->kind && identity(a) == identity(b);
}

/* ---- host info ---- */

void host_info_set(struct host_info *info, void *value, void (*finalize)(void *)) {
  struct host_info old = *info;
  *info = (struct host_info){value, finalize};
  if (old.finalize) old.finalize(old.value);
}

static size_t info_slot(const struct info_map *map, const void *key) {
  size_t i = (size_t)((uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u >> 32) & (map->cap - 1);
  while (map->slots[i].key && map->slots[i].key != key) i = (i + 1) & (map->cap - 1);
  return i;
}

static struct host_info *info_find(struct info_map *map, const void *key) {
  if (map->cap == 0) return NULL;
  struct info_slot *slot = &map->slots[info_slot(map, key)];
  return slot->key ? &slot->info : NULL;
}

static struct host_info *info_add(struct info_map *map, const void *key) {
  if (map->count * 2 >= map->cap) {
    struct info_map bigger = {.cap = map->cap ? map->cap * 2 : 16, .count = map->count};
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    if (!bigger.slots) return NULL;
    for (size_t i = 0; i < map->cap; i++)
      if (map->slots[i].key) bigger.slots[info_slot(&bigger, map->slots[i].key)] = map->slots[i];
    free(map->slots);
    *map = bigger;
  }
  struct info_slot *slot = &map->slots[info_slot(map, key)];
  if (!slot->key) map->count++;
  slot->key = key;
  return &slot->info;
}

void *wasm_ref_get_host_info(const wasm_ref_t *r) {
  struct host_info *info = NULL;
  switch (r->kind) {
  case REF_MODULE: return r->u.module->info.value;
  case REF_TRAP: return r->u.trap->info.value;
  case REF_FOREIGN: return ((struct host_object *)ref_object(r->root.ref))->value;
  case REF_OBJECT: return NULL; /* the guest's own objects have none */
  default: info = info_find(&r->store->infos, identity(r));
  }
  return info ? info->value : NULL;
}

static void foreign_set(struct host_object *o, void *value, void (*finalize)(void *)) {
  struct host_info info = {o->value, o->finalize};
  o->value = value;
  o->finalize = finalize;
  host_info_set(&info, NULL, NULL);
}

void wasm_ref_set_host_info_with_finalizer(wasm_ref_t *r, void *value, void (*finalize)(void *)) {
  struct host_info *info = NULL;
  switch (r->kind) {
  case REF_MODULE: info = &r->u.module->info; break;
  case REF_TRAP: info = &r->u.trap->info; break;
  case REF_FOREIGN: foreign_set((struct host_object *)ref_object(r->root.ref), value, finalize); return;
  case REF_OBJECT: break;
  default: info = info_add(&r->store->infos, identity(r));
  }
  if (info) host_info_set(info, value, finalize);
  else if (finalize) finalize(value); /* it could not be kept: its owner must not wait for the end in vain */
}

void wasm_ref_set_host_info(wasm_ref_t *r, void *value) { wasm_ref_set_host_info_with_finalizer(r, value, NULL); }

/* ---- the families of functions, one per type of reference ---- */

#define REF_FAMILY(name, is_kind) \
  void wasm_##name##_delete(wasm_##name##_t *r) { wasm_ref_delete((wasm_ref_t *)r); } \
  wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *r) { return (wasm_##name##_t *)handle_copy((const wasm_ref_t *)r); } \
  bool wasm_##name##_same(const wasm_##name##_t *a, const wasm_##name##_t *b) { \
    return wasm_ref_same((const wasm_ref_t *)a, (const wasm_ref_t *)b); \
  } \
  void *wasm_##name##_get_host_info(const wasm_##name##_t *r) { return wasm_ref_get_host_info(&r->ref); } \
  void wasm_##name##_set_host_info(wasm_##name##_t *r, void *value) { wasm_ref_set_host_info(&r->ref, value); } \
  void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *r, void *value, void (*finalize)(void *)) { \
    wasm_ref_set_host_info_with_finalizer(&r->ref, value, finalize); \
  } \
  wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *r) { return (wasm_ref_t *)r; } \
  const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *r) { return (const wasm_ref_t *)r; } \
  wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *r) { return r && (is_kind) ? (wasm_##name##_t *)r : NULL; } \
  const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *r) { return r && (is_kind) ? (const wasm_##name##_t *)r : NULL; }

REF_FAMILY(trap, r->kind == REF_TRAP)
REF_FAMILY(foreign, r->kind == REF_FOREIGN)
REF_FAMILY(module, r->kind == REF_MODULE)
REF_FAMILY(func, r->kind == REF_FUNC)
REF_FAMILY(global, r->kind == REF_GLOBAL)
REF_FAMILY(table, r->kind == REF_TABLE)
REF_FAMILY(memory, r->kind == REF_MEMORY)
REF_FAMILY(extern, r->kind <= REF_TAG)
REF_FAMILY(instance, r->kind == REF_INSTANCE)

#define EXTERN_FAMILY(name, KIND) \
  wasm_extern_t *wasm_##name##_as_extern(wasm_##name##_t *x) { return (wasm_extern_t *)x; } \
  const wasm_extern_t *wasm_##name##_as_extern_const(const wasm_##name##_t *x) { return (const wasm_extern_t *)x; } \
  wasm_##name##_t *wasm_extern_as_##name(wasm_extern_t *x) { return x && x->ref.kind == REF_##KIND ? (wasm_##name##_t *)x : NULL; } \
  const wasm_##name##_t *wasm_extern_as_##name##_const(const wasm_extern_t *x) { \
    return x && x->ref.kind == REF_##KIND ? (const wasm_##name##_t *)x : NULL; \
  }

EXTERN_FAMILY(func, FUNC)
EXTERN_FAMILY(global, GLOBAL)
EXTERN_FAMILY(table, TABLE)
EXTERN_FAMILY(memory, MEMORY)
