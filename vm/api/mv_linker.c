/* The linker: externals by module and name, in a hash table with the names in an arena. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

struct entry {
  struct name module, name;
  struct extern_ref ext;
};

struct mv_linker {
  wasm_store_t *store;
  struct arena arena;    /* the names */
  struct entry *entries; /* in the order of definition */
  size_t count, cap;
  uint32_t *slots; /* entry + 1, or 0; open addressing */
  size_t nslots;
};

mv_linker_t *mv_linker_new(wasm_store_t *store) {
  mv_linker_t *l = calloc(1, sizeof *l);
  if (!l) return NULL;
  l->store = store;
  arena_init(&l->arena);
  return l;
}

void mv_linker_delete(mv_linker_t *l) {
  if (!l) return;
  for (size_t i = 0; i < l->count; i++)
    if (l->entries[i].ext.kind == EXTERN_MEMORY) memory_release(l->entries[i].ext.u.memory);
  arena_fini(&l->arena);
  free(l->entries);
  free(l->slots);
  free(l);
}

/* ---- the table ---- */

static bool name_equal(const struct name *a, const struct name *b) {
  return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

static uint32_t name_hash(uint32_t h, const struct name *n) {
  for (uint32_t i = 0; i < n->size; i++) h = (h ^ (uint8_t)n->bytes[i]) * 16777619u;
  return (h ^ 0xffu) * 16777619u;
}

static size_t find_slot(const mv_linker_t *l, const struct name *module, const struct name *name) {
  size_t i = name_hash(name_hash(2166136261u, module), name) & (l->nslots - 1);
  for (; l->slots[i]; i = (i + 1) & (l->nslots - 1)) {
    const struct entry *e = &l->entries[l->slots[i] - 1];
    if (name_equal(&e->module, module) && name_equal(&e->name, name)) break;
  }
  return i;
}

static const struct entry *find(const mv_linker_t *l, const struct name *module, const struct name *name) {
  if (l->nslots == 0) return NULL;
  uint32_t k = l->slots[find_slot(l, module, name)];
  return k ? &l->entries[k - 1] : NULL;
}

static bool grow_slots(mv_linker_t *l) {
  if (l->count * 2 < l->nslots) return true;
  size_t n = l->nslots ? l->nslots * 2 : 64;
  uint32_t *slots = calloc(n, sizeof *slots);
  if (!slots) return false;
  free(l->slots);
  l->slots = slots;
  l->nslots = n;
  for (size_t i = 0; i < l->count; i++) l->slots[find_slot(l, &l->entries[i].module, &l->entries[i].name)] = (uint32_t)i + 1;
  return true;
}

static bool copy_name(mv_linker_t *l, const struct name *from, struct name *to) {
  char *bytes = arena_alloc(&l->arena, from->size + (size_t)1);
  if (!bytes) return false;
  if (from->size) memcpy(bytes, from->bytes, from->size);
  *to = (struct name){bytes, from->size};
  return true;
}

static void entry_set(struct entry *e, const struct extern_ref *ext) {
  if (ext->kind == EXTERN_MEMORY) memory_retain(ext->u.memory);
  if (e->ext.kind == EXTERN_MEMORY && e->ext.u.memory) memory_release(e->ext.u.memory);
  e->ext = *ext;
}

static bool define(mv_linker_t *l, const struct name *module, const struct name *name, const struct extern_ref *ext) {
  void *entries = l->entries;
  if (!grow_slots(l) || !array_reserve(&entries, &l->cap, l->count + 1, sizeof *l->entries)) return false;
  l->entries = entries;
  size_t slot = find_slot(l, module, name);
  if (l->slots[slot] == 0) {
    struct entry *e = &l->entries[l->count];
    *e = (struct entry){.ext = {.kind = EXTERN_FUNC}};
    /* Definitions come module by module: the name is often the last one's. */
    if (l->count > 0 && name_equal(&e[-1].module, module)) e->module = e[-1].module;
    else if (!copy_name(l, module, &e->module)) return false;
    if (!copy_name(l, name, &e->name)) return false;
    l->slots[slot] = (uint32_t)++l->count;
  }
  entry_set(&l->entries[l->slots[slot] - 1], ext);
  return true;
}

static struct name name_of(const char *s) { return (struct name){s, (uint32_t)strlen(s)}; }

/* ---- definitions ---- */

static valtype type_of_letter(char c) {
  switch (c) {
  case 'i': return VT_I32;
  case 'I': return VT_I64;
  case 'f': return VT_F32;
  case 'F': return VT_F64;
  case 'v': return VT_V128;
  case 'r': return VT_EXTERNREF;
  case 'c': return VT_FUNCREF;
  case 'a': return VT_ANYREF;
  case 'x': return VT_EXNREF;
  default: return VT_BOT;
  }
}

static bool parse_sig(struct types *types, const char *sig, uint32_t *id) {
  enum { SIG_MOST = 64 };
  valtype list[SIG_MOST];
  uint32_t n = 0, nparams = UINT32_MAX;
  mv_error_t err = {0};
  for (; *sig; sig++) {
    if (*sig == ':') {
      if (nparams != UINT32_MAX) return false;
      nparams = n;
    } else if (n == SIG_MOST || (list[n++] = type_of_letter(*sig)) == VT_BOT) {
      return false;
    }
  }
  if (nparams == UINT32_MAX) nparams = n;
  return types_func(types, list, nparams, list + nparams, n - nparams, id, &err);
}

bool mv_linker_func(mv_linker_t *l, const char *module, const char *name, const char *sig, mv_host_fn fn, void *env) {
  struct name m = name_of(module), n = name_of(name);
  struct extern_ref x = {.kind = EXTERN_FUNC};
  mv_error_t err = {0};
  uint32_t id;
  if (!parse_sig(l->store->s->types, sig, &id)) return false;
  return func_new_host(l->store->s, id, fn, env, NULL, &x.u.func, &err) && define(l, &m, &n, &x);
}

bool mv_linker_extern(mv_linker_t *l, const char *module, const char *name, const wasm_extern_t *x) {
  struct name m = name_of(module), n = name_of(name);
  return x->ref.store == l->store && define(l, &m, &n, &x->ref.u.ext);
}

bool mv_linker_instance(mv_linker_t *l, const char *module, const wasm_instance_t *handle) {
  struct name m = name_of(module);
  struct instance *inst = handle->ref.u.instance;
  if (handle->ref.store != l->store) return false;
  for (uint32_t i = 0; i < inst->module->nexports; i++) {
    const struct export *e = &inst->module->exports[i];
    struct extern_ref x;
    if (!instance_extern(inst, e->kind, e->index, &x) || !define(l, &m, &e->name, &x)) return false;
  }
  return true;
}

/* ---- instantiation ---- */

/* A line of a report, cut where it gets too long. */
struct line {
  char text[MV_ERROR_TEXT];
  size_t n;
};

static void line_add(struct line *l, const char *format, ...) MV_PRINTF(2, 3);
static void line_add(struct line *l, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int k = vsnprintf(l->text + l->n, sizeof l->text - l->n, format, args);
  va_end(args);
  if (k > 0) l->n += (size_t)k;
  if (l->n >= sizeof l->text) l->n = sizeof l->text - 1;
}

/* A name as it may be shown. */
static void line_name(struct line *l, const struct name *name) {
  mv_visible(name->bytes, name->size, l->text + l->n, sizeof l->text - l->n);
  l->n += strlen(l->text + l->n);
}

/* What there is instead: the names of that module, or else the modules. */
static void line_offer(struct line *line, const mv_linker_t *l, const struct name *module) {
  const char *sep = " (on offer there: ";
  for (size_t i = 0; i < l->count; i++) {
    if (!name_equal(&l->entries[i].module, module)) continue;
    line_add(line, "%s", sep);
    line_name(line, &l->entries[i].name);
    sep = ", ";
  }
  if (*sep == ',') {
    line_add(line, ")");
    return;
  }
  sep = " (no such module; on offer: ";
  for (size_t i = 0; i < l->count; i++) {
    const struct name *m = &l->entries[i].module;
    if (i > 0 && name_equal(&l->entries[i - 1].module, m)) continue;
    line_add(line, "%s", sep);
    line_name(line, m);
    sep = ", ";
  }
  line_add(line, l->count ? ")" : " (nothing is on offer)");
}

static void describe(const mv_linker_t *l, const struct module *m, const struct import *im, const struct entry *e, struct line *line) {
  char want[160], have[160];
  import_print(m, im, want, sizeof want);
  line->n = 0;
  line_add(line, "%s: \"", e ? "incompatible import type" : "unknown import");
  line_name(line, &im->module);
  line_add(line, "\" \"");
  line_name(line, &im->name);
  line_add(line, "\": wanted %s", want);
  if (e) line_add(line, ", on offer %s", extern_print(l->store->s, &e->ext, have, sizeof have));
  else line_offer(line, l, &im->module);
}

static bool resolve(const mv_linker_t *l, const struct module *m, struct extern_ref *list, void (*report)(void *, const char *), void *env, mv_error_t *err) {
  bool ok = true;
  for (uint32_t i = 0; i < m->nimports; i++) {
    const struct import *im = &m->imports[i];
    const struct entry *e = find(l, &im->module, &im->name);
    if (e && extern_matches(l->store->s, &e->ext, m, im)) {
      list[i] = e->ext;
      continue;
    }
    struct line line;
    describe(l, m, im, e, &line);
    if (report) report(env, line.text);
    ok = error_set(err, MV_UNLINKABLE, im->offset, "%s", line.text);
  }
  return ok;
}

wasm_instance_t *mv_linker_instantiate(mv_linker_t *l, const wasm_module_t *module, void (*report)(void *, const char *), void *env, mv_error_t *err) {
  struct api_module *m = module->ref.u.module;
  struct instance *inst = NULL;
  wasm_instance_t *handle = NULL;
  mv_error_t own_err;
  if (!err) err = &own_err;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  api_begin(l->store);
  struct extern_ref *list = calloc(m->m->nimports + (size_t)1, sizeof *list);
  if (!list) error_no_memory(err, m->m->nimports * sizeof *list);
  if (list && resolve(l, m->m, list, report, env, err) && api_instantiate(l->store, m, list, &inst, err) && !(handle = instance_make(l->store, inst)))
    error_no_memory(err, sizeof *handle);
  free(list);
  return handle;
}
