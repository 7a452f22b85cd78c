/* The store (core/exec/runtime#store): owns everything that lives in it until it goes itself. Functions come in chunks; memories, tables,
 * host-made globals and tags, and instances in lists, newest first, so that a failed instantiation can be taken back. */
#include <stdlib.h>
#include <string.h>

#include "code/encoding.h"
#include "run/gc.h"

enum { FUNC_CHUNK_FIRST = 16, FUNC_CHUNK_MOST = 1024, TRACE_MOST = 32 };

struct func_chunk {
  struct func_chunk *next;
  size_t count, cap;
  struct func funcs[];
};

bool store_new(struct types *types, const mv_options_t *options, struct store **out, mv_error_t *err) {
  struct store *s = calloc(1, sizeof *s);
  *out = NULL;
  if (!s) return error_no_memory(err, sizeof *s);
  s->types = types;
  s->options = options;
  if (!(s->heap = gc_new(s))) {
    free(s);
    return error_no_memory(err, 0);
  }
  *out = s;
  return true;
}

static void table_delete(struct table_inst *t) {
  free(t->elems);
  free(t);
}

/* The tables and memories that it made are in the store's lists. */
static void instance_delete(struct instance *inst) {
  const struct module *m = inst->module;
  for (uint32_t i = 0; i < m->nelems; i++) free(inst->elem_values[i]);
  for (uint32_t i = 0; i < m->nimported_memories; i++)
    if (inst->memories[i] && !inst->memories[i]->store) memory_release(inst->memories[i]);
  free(inst);
}

static void chunk_truncate(struct func_chunk *c, size_t count) {
  while (c->count > count) {
    struct func *f = &c->funcs[--c->count];
    if (f->kind == FUNC_HOST && f->env_free) f->env_free(f->env);
  }
}

struct store_mark store_save(const struct store *s) {
  return (struct store_mark){s->instances, s->memories, s->tables, s->funcs, s->funcs ? s->funcs->count : 0};
}

void store_restore(struct store *s, struct store_mark to) {
  while (s->instances != to.instances) {
    struct instance *inst = s->instances;
    s->instances = inst->next;
    s->ninstances--;
    instance_delete(inst);
  }
  while (s->memories != to.memories) {
    struct mem_inst *m = s->memories;
    s->memories = m->next;
    memory_release(m);
  }
  while (s->tables != to.tables) {
    struct table_inst *t = s->tables;
    s->tables = t->next;
    table_delete(t);
  }
  while (s->funcs != to.funcs) {
    struct func_chunk *c = s->funcs;
    s->funcs = c->next;
    chunk_truncate(c, 0);
    free(c);
  }
  if (s->funcs) chunk_truncate(s->funcs, to.nfuncs);
}

void store_delete(struct store *s) {
  if (!s) return;
  for (struct func_chunk *c = s->funcs; c; c = c->next) chunk_truncate(c, 0); /* the host's functions may own references to the heap's objects */
  gc_delete(s->heap);
  store_restore(s, (struct store_mark){0});
  while (s->globals) {
    struct global_inst *g = s->globals;
    s->globals = g->next;
    free(g);
  }
  while (s->tags) {
    struct tag_inst *t = s->tags;
    s->tags = t->next;
    free(t);
  }
  free(s->trace);
  free(s->backtrace);
  free(s);
}

void store_trace_clear(struct store *s) {
  s->ntrace = 0;
  s->trace_lost = 0;
  free(s->backtrace);
  s->backtrace = NULL;
}

void store_trace_add(struct store *s, struct instance *inst, uint32_t func, uint64_t offset) {
  void *trace = s->trace;
  if (s->ntrace >= TRACE_MOST || !array_reserve(&trace, &s->trace_cap, s->ntrace + 1, sizeof *s->trace)) {
    s->trace_lost++;
    return;
  }
  s->trace = trace;
  s->trace[s->ntrace++] = (struct trace_frame){inst, func, offset};
}

/* Functions never move: references to them are their addresses. */
static struct func *func_alloc(struct store *s) {
  struct func_chunk *c = s->funcs;
  if (!c || c->count == c->cap) {
    size_t cap = c ? c->cap * 2 : FUNC_CHUNK_FIRST;
    if (cap > FUNC_CHUNK_MOST) cap = FUNC_CHUNK_MOST;
    c = malloc(sizeof *c + cap * sizeof(struct func));
    if (!c) return NULL;
    c->next = s->funcs;
    c->count = 0;
    c->cap = cap;
    s->funcs = c;
  }
  return &c->funcs[c->count++];
}

struct func *instance_func(struct instance *inst, uint32_t index) {
  struct func *f = inst->funcs[index];
  if (likely(f != NULL)) return f;
  const struct module *m = inst->module;
  f = func_alloc(inst->store);
  if (!f) return NULL;
  *f = (struct func){.type = m->func_types[index], .kind = FUNC_WASM, .index = index, .instance = inst,
                     .code = m->code ? &m->code[index - m->nimported_funcs] : NULL};
  return inst->funcs[index] = f;
}

bool func_new_host(struct store *s, uint32_t type, mv_host_fn host, void *env, void (*env_free)(void *), struct func **out, mv_error_t *err) {
  struct func *f = func_alloc(s);
  if (!f) return error_no_memory(err, sizeof *f);
  *f = (struct func){.type = type, .kind = FUNC_HOST, .host = host, .env = env, .env_free = env_free};
  *out = f;
  return true;
}

bool global_new(struct store *s, const struct globaltype *type, const cell *init, struct global_inst **out, mv_error_t *err) {
  struct global_inst *g = calloc(1, sizeof *g);
  if (!g) return error_no_memory(err, sizeof *g);
  g->type = *type;
  g->cell = g->value;
  memcpy(g->value, init, vt_cells(type->type) * sizeof(cell));
  g->next = s->globals;
  s->globals = g;
  *out = g;
  return true;
}

bool tag_new(struct store *s, uint32_t type, struct tag_inst **out, mv_error_t *err) {
  struct tag_inst *t = calloc(1, sizeof *t);
  if (!t) return error_no_memory(err, sizeof *t);
  t->type = type;
  t->next = s->tags;
  s->tags = t;
  *out = t;
  return true;
}
