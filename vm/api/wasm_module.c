/* Modules: loading is decoding, validating and preparing the (still empty) register code. A loaded module is shared by all its handles, instances and stores,
 * of one engine; it serialises to the bytes that it was made from. */
#include <stdlib.h>

#include "api/api.h"
#include "code/code.h"
#include "run/image.h"

static struct module *load(const wasm_engine_t *e, const void *bytes, size_t size, bool adopt, mv_error_t *err) {
  struct module *m = NULL;
  if (mv_bytes_precompiled(bytes, size)) {
    error_set(err, MV_MALFORMED, 0, "magic header not detected: this is a precompiled module, which is trusted as native code is and must be loaded as such");
    return NULL;
  }
  if (!module_decode(e->types, e->options.features, bytes, size, adopt, &m, err)) return NULL;
  if (module_validate(m, err)) return m;
  module_delete(m);
  return NULL;
}

static void discard(struct module *m) {
  code_fini(m);
  image_delete(m);
  module_delete(m);
}

static struct api_module *api_module_new(wasm_engine_t *e, struct module *m, mv_error_t *err) {
  struct api_module *a = calloc(1, sizeof *a);
  if (!a || !code_init(m, &e->options, err)) {
    if (!a) error_no_memory(err, sizeof *a);
    discard(m);
    free(a);
    return NULL;
  }
  atomic_init(&a->refs, 0);
  a->engine = engine_retain(e);
  a->m = m;
  m->owner = a;
  return a;
}

void api_module_release(struct api_module *a) {
  if (atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1) return;
  host_info_set(&a->info, NULL, NULL);
  discard(a->m);
  wasm_engine_delete(a->engine);
  free(a);
}

wasm_module_t *api_module_of(wasm_engine_t *e, wasm_store_t *store, struct module *decoded, mv_error_t *err) {
  struct api_module *a = api_module_new(e, decoded, err);
  if (!a) return NULL;
  wasm_module_t *m = module_make(store, a);
  if (m) return m;
  atomic_store(&a->refs, 1);
  api_module_release(a);
  error_no_memory(err, sizeof *m);
  return NULL;
}

static wasm_module_t *module_load(wasm_engine_t *e, wasm_store_t *store, const void *bytes, size_t size, bool adopt, mv_error_t *err) {
  mv_error_t own_err = {0};
  if (!err) err = &own_err;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  struct module *m = load(e, bytes, size, adopt, err);
  return m ? api_module_of(e, store, m, err) : NULL;
}

wasm_module_t *mv_module_load(wasm_engine_t *e, const void *bytes, size_t size, bool adopt, mv_error_t *err) {
  return module_load(e, NULL, bytes, size, adopt, err);
}

bool mv_module_check(wasm_engine_t *e, const void *bytes, size_t size, mv_error_t *err) {
  mv_error_t own_err;
  if (!err) err = &own_err;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  struct module *m = load(e, bytes, size, true, err);
  if (m) module_delete(m);
  return m != NULL;
}

wasm_module_t *wasm_module_new(wasm_store_t *store, const wasm_byte_vec_t *binary) {
  return module_load(store->engine, store, binary->data, binary->size, false, NULL);
}

bool wasm_module_validate(wasm_store_t *store, const wasm_byte_vec_t *binary) {
  return mv_module_check(store->engine, binary->data, binary->size, NULL);
}

void wasm_module_serialize(const wasm_module_t *m, wasm_byte_vec_t *out) {
  const struct module *mod = m->ref.u.module->m;
  wasm_byte_vec_new(out, mod->size, (const char *)mod->bytes);
}

wasm_module_t *wasm_module_deserialize(wasm_store_t *store, const wasm_byte_vec_t *bytes) { return wasm_module_new(store, bytes); }

/* ---- imports and exports ---- */

static void name_vec(wasm_name_t *out, const struct name *n) { wasm_name_new(out, n->size, n->bytes); }

void wasm_module_imports(const wasm_module_t *module, wasm_importtype_vec_t *out) {
  const struct module *m = module->ref.u.module->m;
  wasm_importtype_vec_new_uninitialized(out, m->nimports);
  for (size_t i = 0; i < out->size; i++) {
    const struct import *im = &m->imports[i];
    wasm_name_t mod, name;
    name_vec(&mod, &im->module);
    name_vec(&name, &im->name);
    out->data[i] = wasm_importtype_new(&mod, &name, module_externtype(m, im->kind, im->index));
    if (out->data[i]) continue;
    wasm_importtype_vec_delete(out);
    return;
  }
}

void wasm_module_exports(const wasm_module_t *module, wasm_exporttype_vec_t *out) {
  const struct module *m = module->ref.u.module->m;
  wasm_exporttype_vec_new_uninitialized(out, m->nexports);
  for (size_t i = 0; i < out->size; i++) {
    const struct export *ex = &m->exports[i];
    wasm_name_t name;
    name_vec(&name, &ex->name);
    out->data[i] = wasm_exporttype_new(&name, module_externtype(m, ex->kind, ex->index));
    if (out->data[i]) continue;
    wasm_exporttype_vec_delete(out);
    return;
  }
}

/* ---- sharing: a shared module is a handle without a store ---- */

struct wasm_shared_module_t {
  struct api_module *module;
};

wasm_shared_module_t *wasm_module_share(const wasm_module_t *m) {
  wasm_shared_module_t *s = malloc(sizeof *s);
  if (!s) return NULL;
  s->module = m->ref.u.module;
  atomic_fetch_add_explicit(&s->module->refs, 1, memory_order_relaxed);
  return s;
}

void wasm_shared_module_delete(wasm_shared_module_t *s) {
  if (s) api_module_release(s->module);
  free(s);
}

wasm_module_t *wasm_module_obtain(wasm_store_t *store, const wasm_shared_module_t *s) {
  if (s->module->engine == store->engine) return module_make(store, s->module);
  return module_load(store->engine, store, s->module->m->bytes, s->module->m->size, false, NULL); /* types belong to an engine */
}

/* ---- what minivm.h tells of a module ---- */

void mv_module_bytes(const wasm_module_t *m, const uint8_t **bytes, size_t *size) {
  *bytes = m->ref.u.module->m->bytes;
  *size = m->ref.u.module->m->size;
}

void mv_module_func_name(const wasm_module_t *m, uint32_t index, char *buf, size_t cap) {
  struct name n;
  if (module_func_name(m->ref.u.module->m, index, &n)) snprintf(buf, cap, "%.*s", (int)n.size, n.bytes);
  else snprintf(buf, cap, "func[%u]", index);
}

bool mv_module_disasm(const wasm_module_t *m, uint32_t index, FILE *out, mv_error_t *err) {
  struct module *mod = m->ref.u.module->m;
  if (err) *err = (mv_error_t){.offset = MV_NO_OFFSET};
  if (index != UINT32_MAX) {
    if (index >= mod->nimported_funcs && index < mod->nfuncs) return code_dump(mod, index, out, err);
    return error_set(err, MV_USAGE, MV_NO_OFFSET, index < mod->nfuncs ? "function %u is imported" : "there is no function %u", index);
  }
  for (uint32_t i = mod->nimported_funcs; i < mod->nfuncs; i++)
    if (!code_dump(mod, i, out, err)) return false;
  return true;
}
