/* Linking: which externals an import accepts (core/valid/matching#import-subtyping), exports by name, and external types as text for messages. */
#include <stdio.h>
#include <string.h>

#include "run/run.h"

static bool limits_match(const struct limits *have, uint64_t size, const struct limits *want) {
  if (have->is64 != want->is64 || have->shared != want->shared || size < want->min) return false;
  return !want->has_max || (have->has_max && have->max <= want->max);
}

static bool global_matches(const struct types *types, const struct globaltype *have, const struct globaltype *want) {
  if (have->mutable != want->mutable) return false;
  if (want->mutable) return have->type == want->type;
  return types_match(types, have->type, want->type);
}

bool extern_matches(const struct store *s, const struct extern_ref *have, const struct module *m, const struct import *want) {
  if (have->kind != want->kind) return false;
  switch (want->kind) {
  case EXTERN_FUNC: {
    uint32_t type = m->func_types[want->index];
    return want->exact ? have->u.func->type == type : types_match_def(s->types, have->u.func->type, type);
  }
  case EXTERN_TABLE: {
    const struct tabletype *type = &m->tables[want->index].type;
    const struct table_inst *t = have->u.table;
    return t->type.type == type->type && limits_match(&t->type.limits, t->size, &type->limits);
  }
  case EXTERN_MEMORY: {
    const struct memtype *type = &m->memories[want->index];
    const struct mem_inst *mem = have->u.memory;
    return mem->type.page_shift == type->page_shift && limits_match(&mem->type.limits, mem->size >> type->page_shift, &type->limits);
  }
  case EXTERN_GLOBAL: return global_matches(s->types, &have->u.global->type, &m->globals[want->index].type);
  default: return have->u.tag->type == m->tags[want->index];
  }
}

bool instance_export(struct instance *inst, const char *name, size_t size, struct extern_ref *out) {
  const struct module *m = inst->module;
  for (uint32_t i = 0; i < m->nexports; i++) {
    const struct export *e = &m->exports[i];
    if (e->name.size != size || memcmp(e->name.bytes, name, size) != 0) continue;
    return instance_extern(inst, e->kind, e->index, out);
  }
  return false;
}

bool instance_extern(struct instance *inst, uint8_t kind, uint32_t index, struct extern_ref *out) {
  out->kind = kind;
  switch (kind) {
  case EXTERN_FUNC: return (out->u.func = instance_func(inst, index)) != NULL;
  case EXTERN_TABLE: out->u.table = inst->tables[index]; return true;
  case EXTERN_MEMORY: out->u.memory = inst->memories[index]; return true;
  case EXTERN_GLOBAL: out->u.global = inst->globals[index]; return true;
  default: out->u.tag = inst->tags[index]; return true;
  }
}

/* ---- as text ---- */

enum { TYPE_TEXT = 256 };

static void print_limits(const struct limits *l, uint64_t min, char *buf, size_t cap) {
  char max[24] = "";
  if (l->has_max) snprintf(max, sizeof max, " %llu", (unsigned long long)l->max);
  snprintf(buf, cap, "%s%llu%s%s", l->is64 ? "i64 " : "", (unsigned long long)min, max, l->shared ? " shared" : "");
}

static char *print_func(const struct types *types, uint32_t id, char *buf, size_t cap) {
  return functype_print(types_get(types, id), buf, cap);
}

static char *print_table(const struct tabletype *t, uint64_t min, char *buf, size_t cap) {
  char limits[64], type[TYPE_TEXT];
  print_limits(&t->limits, min, limits, sizeof limits);
  snprintf(buf, cap, "(table %s %s)", limits, valtype_print(t->type, type, sizeof type));
  return buf;
}

static char *print_memory(const struct memtype *t, uint64_t min, char *buf, size_t cap) {
  char limits[64];
  print_limits(&t->limits, min, limits, sizeof limits);
  snprintf(buf, cap, "(memory %s%s)", limits, t->page_shift ? "" : " (pagesize 1)");
  return buf;
}

static char *print_global(const struct globaltype *t, char *buf, size_t cap) {
  char type[TYPE_TEXT];
  snprintf(buf, cap, t->mutable ? "(global (mut %s))" : "(global %s)", valtype_print(t->type, type, sizeof type));
  return buf;
}

static char *print_tag(const struct types *types, uint32_t id, char *buf, size_t cap) {
  char type[TYPE_TEXT];
  snprintf(buf, cap, "(tag%s", print_func(types, id, type, sizeof type) + strlen("(func"));
  return buf;
}

char *extern_print(const struct store *s, const struct extern_ref *x, char *buf, size_t cap) {
  switch (x->kind) {
  case EXTERN_FUNC: return print_func(s->types, x->u.func->type, buf, cap);
  case EXTERN_TABLE: return print_table(&x->u.table->type, x->u.table->size, buf, cap);
  case EXTERN_MEMORY: return print_memory(&x->u.memory->type, x->u.memory->size >> x->u.memory->type.page_shift, buf, cap);
  case EXTERN_GLOBAL: return print_global(&x->u.global->type, buf, cap);
  default: return print_tag(s->types, x->u.tag->type, buf, cap);
  }
}

char *module_extern_print(const struct module *m, uint8_t kind, uint32_t index, char *buf, size_t cap) {
  switch (kind) {
  case EXTERN_FUNC: return print_func(m->types, m->func_types[index], buf, cap);
  case EXTERN_TABLE: return print_table(&m->tables[index].type, m->tables[index].type.limits.min, buf, cap);
  case EXTERN_MEMORY: return print_memory(&m->memories[index], m->memories[index].limits.min, buf, cap);
  case EXTERN_GLOBAL: return print_global(&m->globals[index].type, buf, cap);
  default: return print_tag(m->types, m->tags[index], buf, cap);
  }
}

char *import_print(const struct module *m, const struct import *i, char *buf, size_t cap) {
  return module_extern_print(m, i->kind, i->index, buf, cap);
}
