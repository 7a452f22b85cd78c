/* Instances: instantiation with imports given in order, exports in order. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

bool api_instantiate(wasm_store_t *w, struct api_module *m, const struct extern_ref *imports, struct instance **out, mv_error_t *err) {
  *out = NULL;
  if (m->engine != w->engine) return error_set(err, MV_USAGE, MV_NO_OFFSET, "a module of another engine");
  if (!store_use_module(w, m, err) || !instance_new(w->s, m->m, imports, out, err)) return false;
  if (!m->m->has_start) return true;
  struct func *start = instance_func(*out, m->m->start);
  if (!start) return error_no_memory(err, sizeof *start);
  cell none[1] = {0};
  return exec_call(w->s, start, none, err);
}

static bool collect_imports(wasm_store_t *w, const struct module *m, const wasm_extern_vec_t *imports, struct extern_ref *list, mv_error_t *err) {
  size_t n = imports ? imports->size : 0;
  if (n < m->nimports) return error_set(err, MV_USAGE, MV_NO_OFFSET, "%zu imports given, %u wanted", n, m->nimports);
  for (uint32_t i = 0; i < m->nimports; i++) {
    const wasm_extern_t *x = imports->data[i];
    list[i] = x ? x->ref.u.ext : (struct extern_ref){.kind = m->imports[i].kind};
    if (x && x->ref.store != w) return error_set(err, MV_USAGE, MV_NO_OFFSET, "import %u belongs to another store", i);
  }
  return true;
}

wasm_instance_t *wasm_instance_new(wasm_store_t *w, const wasm_module_t *module, const wasm_extern_vec_t *imports, wasm_trap_t **trap) {
  struct api_module *m = module->ref.u.module;
  mv_error_t err = {.offset = MV_NO_OFFSET};
  struct instance *inst = NULL;
  wasm_instance_t *handle = NULL;
  if (trap) *trap = NULL;
  api_begin(w);
  struct extern_ref *list = calloc(m->m->nimports + (size_t)1, sizeof *list);
  if (!list) error_no_memory(&err, m->m->nimports * sizeof *list);
  if (list && collect_imports(w, m->m, imports, list, &err) && api_instantiate(w, m, list, &inst, &err) && !(handle = instance_make(w, inst)))
    error_no_memory(&err, sizeof *handle);
  free(list);
  if (!handle && trap) *trap = trap_of_error(w, &err);
  return handle;
}

void wasm_instance_exports(const wasm_instance_t *handle, wasm_extern_vec_t *out) {
  struct instance *inst = handle->ref.u.instance;
  const struct module *m = inst->module;
  wasm_extern_vec_new_uninitialized(out, m->nexports);
  for (size_t i = 0; i < out->size; i++) {
    struct extern_ref x;
    if (instance_extern(inst, m->exports[i].kind, m->exports[i].index, &x) && (out->data[i] = extern_make(handle->ref.store, &x)) != NULL) continue;
    wasm_extern_vec_delete(out);
    return;
  }
}

wasm_extern_t *mv_instance_find(const wasm_instance_t *handle, const char *name, size_t size) {
  struct extern_ref x;
  return instance_export(handle->ref.u.instance, name, size, &x) ? extern_make(handle->ref.store, &x) : NULL;
}

wasm_extern_t *mv_instance_export(const wasm_instance_t *handle, const char *name) { return mv_instance_find(handle, name, strlen(name)); }
