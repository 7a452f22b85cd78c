/* The type representations of wasm.h: plain values made by the embedder, or from the types of a module or object. wasm.h has no words for vectors and
 * for most reference types: they keep the exact type beside their kind. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

/* ---- vectors ---- */

/* The functions of a vector of pointers; `copy` and `delete` are those of an element. */
#define POINTER_VEC(name) \
  void wasm_##name##_vec_new_empty(wasm_##name##_vec_t *out) { *out = (wasm_##name##_vec_t){0, NULL}; } \
  void wasm_##name##_vec_new_uninitialized(wasm_##name##_vec_t *out, size_t n) { \
    wasm_##name##_t **data = n ? calloc(n, sizeof *data) : NULL; \
    *out = (wasm_##name##_vec_t){data ? n : 0, data}; \
  } \
  void wasm_##name##_vec_new(wasm_##name##_vec_t *out, size_t n, wasm_##name##_t *const from[]) { \
    wasm_##name##_vec_new_uninitialized(out, n); \
    for (size_t i = 0; i < out->size; i++) out->data[i] = from[i]; \
    for (size_t i = out->size; i < n; i++) wasm_##name##_delete(from[i]); \
  } \
  void wasm_##name##_vec_copy(wasm_##name##_vec_t *out, const wasm_##name##_vec_t *from) { \
    wasm_##name##_vec_new_uninitialized(out, from->size); \
    for (size_t i = 0; i < out->size; i++) { \
      if (!from->data[i] || (out->data[i] = wasm_##name##_copy(from->data[i])) != NULL) continue; \
      wasm_##name##_vec_delete(out); \
      break; \
    } \
  } \
  void wasm_##name##_vec_delete(wasm_##name##_vec_t *v) { \
    for (size_t i = 0; i < v->size; i++) wasm_##name##_delete(v->data[i]); \
    free(v->data); \
    wasm_##name##_vec_new_empty(v); \
  }

POINTER_VEC(valtype)
POINTER_VEC(functype)
POINTER_VEC(globaltype)
POINTER_VEC(tabletype)
POINTER_VEC(memorytype)
POINTER_VEC(tagtype)
POINTER_VEC(externtype)
POINTER_VEC(importtype)
POINTER_VEC(exporttype)
POINTER_VEC(frame)
POINTER_VEC(extern)

/* An empty vector has data NULL; one of bytes is not zeroed. */
void wasm_byte_vec_new_empty(wasm_byte_vec_t *out) { *out = (wasm_byte_vec_t){0, NULL}; }

void wasm_byte_vec_new_uninitialized(wasm_byte_vec_t *out, size_t n) {
  char *data = n ? malloc(n) : NULL;
  *out = (wasm_byte_vec_t){data ? n : 0, data};
}

void wasm_byte_vec_new(wasm_byte_vec_t *out, size_t n, const wasm_byte_t from[]) {
  wasm_byte_vec_new_uninitialized(out, n);
  if (out->data) memcpy(out->data, from, n);
}

void wasm_byte_vec_copy(wasm_byte_vec_t *out, const wasm_byte_vec_t *from) { wasm_byte_vec_new(out, from->size, from->data); }

void wasm_byte_vec_delete(wasm_byte_vec_t *v) {
  free(v->data);
  wasm_byte_vec_new_empty(v);
}

/* ---- value types ---- */

wasm_valkind_t valkind_of(const struct types *types, valtype t) {
  switch (vt_code(t)) {
  case VT_I32: return WASM_I32;
  case VT_I64: return WASM_I64;
  case VT_F32: return WASM_F32;
  case VT_F64: return WASM_F64;
  case VT_V128: return MV_V128;
  default: break;
  }
  switch (types_top(types, vt_heap(t))) {
  case HEAP_FUNC: return WASM_FUNCREF;
  case HEAP_EXTERN: return WASM_EXTERNREF;
  case HEAP_EXN: return MV_EXNREF;
  default: return MV_ANYREF;
  }
}

static valtype type_of_kind(wasm_valkind_t kind) {
  switch (kind) {
  case WASM_I32: return VT_I32;
  case WASM_I64: return VT_I64;
  case WASM_F32: return VT_F32;
  case WASM_F64: return VT_F64;
  case MV_V128: return VT_V128;
  case WASM_EXTERNREF: return VT_EXTERNREF;
  case WASM_FUNCREF: return VT_FUNCREF;
  case MV_ANYREF: return VT_ANYREF;
  case MV_EXNREF: return VT_EXNREF;
  default: return VT_BOT;
  }
}

bool valtype_of(const struct types *types, const wasm_valtype_t *t, valtype *out) {
  *out = t->type;
  return t->type != VT_BOT && (!t->types || t->types == types);
}

wasm_valtype_t *wasm_valtype_new(wasm_valkind_t kind) {
  wasm_valtype_t *t = malloc(sizeof *t);
  if (t) *t = (wasm_valtype_t){kind, type_of_kind(kind), NULL};
  return t;
}

wasm_valtype_t *valtype_make(const struct types *types, valtype type) {
  wasm_valtype_t *t = malloc(sizeof *t);
  bool has_id = vt_is_ref(type) && vt_heap(type) < HEAP_MAX_ID;
  if (t) *t = (wasm_valtype_t){valkind_of(types, type), type, has_id ? types : NULL};
  return t;
}

wasm_valtype_t *wasm_valtype_copy(const wasm_valtype_t *from) {
  wasm_valtype_t *t = malloc(sizeof *t);
  if (t) *t = *from;
  return t;
}

void wasm_valtype_delete(wasm_valtype_t *t) { free(t); }
wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *t) { return t->kind; }

/* ---- function types ---- */

static bool vec_complete(const wasm_valtype_vec_t *v) {
  for (size_t i = 0; i < v->size; i++)
    if (!v->data[i]) return false;
  return true;
}

wasm_functype_t *wasm_functype_new(wasm_valtype_vec_t *params, wasm_valtype_vec_t *results) {
  wasm_functype_t *t = vec_complete(params) && vec_complete(results) ? malloc(sizeof *t) : NULL;
  if (!t) {
    wasm_valtype_vec_delete(params);
    wasm_valtype_vec_delete(results);
    return NULL;
  }
  *t = (wasm_functype_t){.base = {WASM_EXTERN_FUNC}, .params = *params, .results = *results, .id = TYPE_NONE};
  wasm_valtype_vec_new_empty(params);
  wasm_valtype_vec_new_empty(results);
  return t;
}

void wasm_functype_delete(wasm_functype_t *t) {
  if (!t) return;
  wasm_valtype_vec_delete(&t->params);
  wasm_valtype_vec_delete(&t->results);
  free(t);
}

wasm_functype_t *wasm_functype_copy(const wasm_functype_t *from) {
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_copy(&params, &from->params);
  wasm_valtype_vec_copy(&results, &from->results);
  bool ok = params.size == from->params.size && results.size == from->results.size;
  wasm_functype_t *t = wasm_functype_new(&params, &results);
  if (t && !ok) {
    wasm_functype_delete(t);
    return NULL;
  }
  if (t) {
    t->types = from->types;
    t->id = from->id;
  }
  return t;
}

const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *t) { return &t->params; }
const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *t) { return &t->results; }

static bool types_make(const struct types *types, const valtype *from, uint32_t n, wasm_valtype_vec_t *out) {
  wasm_valtype_vec_new_uninitialized(out, n);
  for (size_t i = 0; i < out->size; i++) out->data[i] = valtype_make(types, from[i]);
  return out->size == n;
}

wasm_functype_t *functype_make(const struct types *types, uint32_t id) {
  const struct deftype *d = types_get(types, id);
  wasm_valtype_vec_t params, results;
  bool ok = types_make(types, d->u.func.params, d->u.func.nparams, &params);
  ok = types_make(types, d->u.func.results, d->u.func.nresults, &results) && ok;
  wasm_functype_t *t = wasm_functype_new(&params, &results);
  if (t && !ok) {
    wasm_functype_delete(t);
    return NULL;
  }
  if (t) {
    t->types = types;
    t->id = id;
  }
  return t;
}

bool functype_id(struct types *types, const wasm_functype_t *t, uint32_t *id, mv_error_t *err) {
  if (t->types == types) {
    *id = t->id;
    return true;
  }
  size_t np = t->params.size, n = np + t->results.size;
  if (np > UINT32_MAX || n > UINT32_MAX) return error_set(err, MV_LIMIT, MV_NO_OFFSET, "too many parameters or results");
  valtype *list = malloc((n + 1) * sizeof *list);
  if (!list) return error_no_memory(err, n * sizeof *list);
  bool ok = true;
  for (size_t i = 0; i < n; i++) ok = valtype_of(types, i < np ? t->params.data[i] : t->results.data[i - np], &list[i]) && ok;
  if (!ok) error_set(err, MV_USAGE, MV_NO_OFFSET, "a value type of another engine");
  ok = ok && types_func(types, list, (uint32_t)np, list + np, (uint32_t)(n - np), id, err);
  free(list);
  return ok;
}

/* ---- global, table, memory and tag types ---- */

wasm_globaltype_t *wasm_globaltype_new(wasm_valtype_t *content, wasm_mutability_t mutability) {
  wasm_globaltype_t *t = content ? malloc(sizeof *t) : NULL;
  if (t) *t = (wasm_globaltype_t){{WASM_EXTERN_GLOBAL}, content, mutability};
  else wasm_valtype_delete(content);
  return t;
}

void wasm_globaltype_delete(wasm_globaltype_t *t) {
  if (t) wasm_valtype_delete(t->content);
  free(t);
}

wasm_globaltype_t *wasm_globaltype_copy(const wasm_globaltype_t *from) {
  return wasm_globaltype_new(wasm_valtype_copy(from->content), from->mutability);
}

const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *t) { return t->content; }
wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *t) { return t->mutability; }

wasm_externtype_t *globaltype_make(const struct types *types, const struct globaltype *g) {
  wasm_globaltype_t *t = wasm_globaltype_new(valtype_make(types, g->type), g->mutable ? WASM_VAR : WASM_CONST);
  return t ? &t->base : NULL;
}

static uint32_t clamp32(uint64_t x) { return x < UINT32_MAX ? (uint32_t)x : UINT32_MAX; }

static wasm_limits_t limits_of(const struct limits *l) {
  return (wasm_limits_t){clamp32(l->min), l->has_max ? clamp32(l->max) : wasm_limits_max_default};
}

static struct limits limits_exact(const wasm_limits_t *l) {
  bool has_max = l->max != wasm_limits_max_default;
  return (struct limits){.min = l->min, .max = has_max ? l->max : 0, .has_max = has_max};
}

wasm_tabletype_t *wasm_tabletype_new(wasm_valtype_t *element, const wasm_limits_t *limits) {
  wasm_tabletype_t *t = element ? malloc(sizeof *t) : NULL;
  if (t) *t = (wasm_tabletype_t){{WASM_EXTERN_TABLE}, element, *limits, limits_exact(limits)};
  else wasm_valtype_delete(element);
  return t;
}

void wasm_tabletype_delete(wasm_tabletype_t *t) {
  if (t) wasm_valtype_delete(t->element);
  free(t);
}

wasm_tabletype_t *wasm_tabletype_copy(const wasm_tabletype_t *from) {
  wasm_tabletype_t *t = wasm_tabletype_new(wasm_valtype_copy(from->element), &from->limits);
  if (t) t->exact = from->exact;
  return t;
}

const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *t) { return t->element; }
const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *t) { return &t->limits; }

wasm_externtype_t *tabletype_make(const struct types *types, const struct tabletype *from, uint64_t min) {
  struct limits exact = from->limits;
  exact.min = min;
  wasm_limits_t limits = limits_of(&exact);
  wasm_tabletype_t *t = wasm_tabletype_new(valtype_make(types, from->type), &limits);
  if (!t) return NULL;
  t->exact = exact;
  return &t->base;
}

wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *limits) {
  wasm_memorytype_t *t = malloc(sizeof *t);
  if (t) *t = (wasm_memorytype_t){{WASM_EXTERN_MEMORY}, *limits, {limits_exact(limits), 16}};
  return t;
}

void wasm_memorytype_delete(wasm_memorytype_t *t) { free(t); }

wasm_memorytype_t *wasm_memorytype_copy(const wasm_memorytype_t *from) {
  wasm_memorytype_t *t = malloc(sizeof *t);
  if (t) *t = *from;
  return t;
}

const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *t) { return &t->limits; }

wasm_externtype_t *memorytype_make(const struct memtype *from, uint64_t min) {
  struct memtype exact = *from;
  exact.limits.min = min;
  wasm_limits_t limits = limits_of(&exact.limits);
  wasm_memorytype_t *t = wasm_memorytype_new(&limits);
  if (!t) return NULL;
  t->exact = exact;
  return &t->base;
}

wasm_tagtype_t *wasm_tagtype_new(wasm_functype_t *functype) {
  wasm_tagtype_t *t = functype ? malloc(sizeof *t) : NULL;
  if (t) *t = (wasm_tagtype_t){{WASM_EXTERN_TAG}, functype};
  else wasm_functype_delete(functype);
  return t;
}

void wasm_tagtype_delete(wasm_tagtype_t *t) {
  if (t) wasm_functype_delete(t->functype);
  free(t);
}

wasm_tagtype_t *wasm_tagtype_copy(const wasm_tagtype_t *from) { return wasm_tagtype_new(wasm_functype_copy(from->functype)); }
const wasm_functype_t *wasm_tagtype_functype(const wasm_tagtype_t *t) { return t->functype; }

wasm_externtype_t *tagtype_make(const struct types *types, uint32_t id) {
  wasm_tagtype_t *t = wasm_tagtype_new(functype_make(types, id));
  return t ? &t->base : NULL;
}

/* ---- extern types ---- */

/* `base` is the first member of each: a cast there and back. */
#define EXTERN_CAST(name, KIND) \
  wasm_externtype_t *wasm_##name##_as_externtype(wasm_##name##_t *t) { return &t->base; } \
  const wasm_externtype_t *wasm_##name##_as_externtype_const(const wasm_##name##_t *t) { return &t->base; } \
  wasm_##name##_t *wasm_externtype_as_##name(wasm_externtype_t *t) { \
    return t && t->kind == WASM_EXTERN_##KIND ? (wasm_##name##_t *)t : NULL; \
  } \
  const wasm_##name##_t *wasm_externtype_as_##name##_const(const wasm_externtype_t *t) { \
    return t && t->kind == WASM_EXTERN_##KIND ? (const wasm_##name##_t *)t : NULL; \
  }

EXTERN_CAST(functype, FUNC)
EXTERN_CAST(globaltype, GLOBAL)
EXTERN_CAST(tabletype, TABLE)
EXTERN_CAST(memorytype, MEMORY)
EXTERN_CAST(tagtype, TAG)

wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *t) { return t->kind; }

#define BASE_OF(t) ((t) ? &(t)->base : NULL)

static wasm_externtype_t *global_base(wasm_globaltype_t *t) { return BASE_OF(t); }
static wasm_externtype_t *table_base(wasm_tabletype_t *t) { return BASE_OF(t); }
static wasm_externtype_t *memory_base(wasm_memorytype_t *t) { return BASE_OF(t); }
static wasm_externtype_t *tag_base(wasm_tagtype_t *t) { return BASE_OF(t); }
static wasm_externtype_t *func_base(wasm_functype_t *t) { return BASE_OF(t); }

wasm_externtype_t *wasm_externtype_copy(const wasm_externtype_t *t) {
  switch (t->kind) {
  case WASM_EXTERN_FUNC: return func_base(wasm_functype_copy((const wasm_functype_t *)t));
  case WASM_EXTERN_GLOBAL: return global_base(wasm_globaltype_copy((const wasm_globaltype_t *)t));
  case WASM_EXTERN_TABLE: return table_base(wasm_tabletype_copy((const wasm_tabletype_t *)t));
  case WASM_EXTERN_MEMORY: return memory_base(wasm_memorytype_copy((const wasm_memorytype_t *)t));
  default: return tag_base(wasm_tagtype_copy((const wasm_tagtype_t *)t));
  }
}

void wasm_externtype_delete(wasm_externtype_t *t) {
  if (!t) return;
  switch (t->kind) {
  case WASM_EXTERN_FUNC: wasm_functype_delete((wasm_functype_t *)t); break;
  case WASM_EXTERN_GLOBAL: wasm_globaltype_delete((wasm_globaltype_t *)t); break;
  case WASM_EXTERN_TABLE: wasm_tabletype_delete((wasm_tabletype_t *)t); break;
  case WASM_EXTERN_MEMORY: wasm_memorytype_delete((wasm_memorytype_t *)t); break;
  default: wasm_tagtype_delete((wasm_tagtype_t *)t);
  }
}

wasm_externtype_t *module_externtype(const struct module *m, uint8_t kind, uint32_t index) {
  switch (kind) {
  case EXTERN_FUNC: return func_base(functype_make(m->types, m->func_types[index]));
  case EXTERN_TABLE: return tabletype_make(m->types, &m->tables[index].type, m->tables[index].type.limits.min);
  case EXTERN_MEMORY: return memorytype_make(&m->memories[index], m->memories[index].limits.min);
  case EXTERN_GLOBAL: return globaltype_make(m->types, &m->globals[index].type);
  default: return tagtype_make(m->types, m->tags[index]);
  }
}

/* ---- import and export types ---- */

struct wasm_importtype_t {
  wasm_name_t module, name;
  wasm_externtype_t *type;
};

struct wasm_exporttype_t {
  wasm_name_t name;
  wasm_externtype_t *type;
};

wasm_importtype_t *wasm_importtype_new(wasm_name_t *module, wasm_name_t *name, wasm_externtype_t *type) {
  wasm_importtype_t *t = type ? malloc(sizeof *t) : NULL;
  if (!t) {
    wasm_name_delete(module);
    wasm_name_delete(name);
    wasm_externtype_delete(type);
    return NULL;
  }
  *t = (wasm_importtype_t){*module, *name, type};
  wasm_name_new_empty(module);
  wasm_name_new_empty(name);
  return t;
}

void wasm_importtype_delete(wasm_importtype_t *t) {
  if (!t) return;
  wasm_name_delete(&t->module);
  wasm_name_delete(&t->name);
  wasm_externtype_delete(t->type);
  free(t);
}

wasm_importtype_t *wasm_importtype_copy(const wasm_importtype_t *from) {
  wasm_name_t module, name;
  wasm_name_copy(&module, &from->module);
  wasm_name_copy(&name, &from->name);
  wasm_importtype_t *t = wasm_importtype_new(&module, &name, wasm_externtype_copy(from->type));
  if (t && (t->module.size != from->module.size || t->name.size != from->name.size)) {
    wasm_importtype_delete(t);
    return NULL;
  }
  return t;
}

const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *t) { return &t->module; }
const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *t) { return &t->name; }
const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *t) { return t->type; }

wasm_exporttype_t *wasm_exporttype_new(wasm_name_t *name, wasm_externtype_t *type) {
  wasm_exporttype_t *t = type ? malloc(sizeof *t) : NULL;
  if (!t) {
    wasm_name_delete(name);
    wasm_externtype_delete(type);
    return NULL;
  }
  *t = (wasm_exporttype_t){*name, type};
  wasm_name_new_empty(name);
  return t;
}

void wasm_exporttype_delete(wasm_exporttype_t *t) {
  if (!t) return;
  wasm_name_delete(&t->name);
  wasm_externtype_delete(t->type);
  free(t);
}

wasm_exporttype_t *wasm_exporttype_copy(const wasm_exporttype_t *from) {
  wasm_name_t name;
  wasm_name_copy(&name, &from->name);
  wasm_exporttype_t *t = wasm_exporttype_new(&name, wasm_externtype_copy(from->type));
  if (t && t->name.size != from->name.size) {
    wasm_exporttype_delete(t);
    return NULL;
  }
  return t;
}

const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *t) { return &t->name; }
const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *t) { return t->type; }
