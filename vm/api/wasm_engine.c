/* Configuration, engine and store, and what minivm.h adds to them: options, fuel, interrupts, statistics. An engine is a registry of types and its options; it
 * lives as long as a store or module of it. */
#include <stdlib.h>

#include "api/api.h"
#include "code/code.h"

#define TABLE_DEFAULT 10000000u
#define HEAP_DEFAULT ((uint64_t)1 << 30)
#define STACK_DEFAULT ((size_t)8 << 20)

wasm_config_t *wasm_config_new(void) { return calloc(1, sizeof(wasm_config_t)); }
void wasm_config_delete(wasm_config_t *c) { free(c); }
void mv_config_set(wasm_config_t *c, const mv_options_t *options) { c->options = *options; }
void mv_config_get(const wasm_config_t *c, mv_options_t *options) { *options = c->options; }

static void fill_defaults(mv_options_t *o) {
  if (!o->features) o->features = mv_features_default();
  if (!o->max_table) o->max_table = TABLE_DEFAULT;
  if (!o->max_heap) o->max_heap = HEAP_DEFAULT;
  if (!o->max_stack) o->max_stack = STACK_DEFAULT;
}

wasm_engine_t *wasm_engine_new_with_config(wasm_config_t *config) {
  wasm_engine_t *e = config ? calloc(1, sizeof *e) : NULL;
  if (e && (e->types = types_new()) != NULL) {
    atomic_init(&e->refs, 1);
    e->options = config->options;
    fill_defaults(&e->options);
  } else {
    free(e);
    e = NULL;
  }
  wasm_config_delete(config);
  return e;
}

wasm_engine_t *wasm_engine_new(void) { return wasm_engine_new_with_config(wasm_config_new()); }

wasm_engine_t *engine_retain(wasm_engine_t *e) {
  atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
  return e;
}

void wasm_engine_delete(wasm_engine_t *e) {
  if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1) return;
  types_delete(e->types);
  free(e);
}

const mv_options_t *mv_engine_options(const wasm_engine_t *e) { return &e->options; }

/* ---- store ---- */

wasm_store_t *wasm_store_new(wasm_engine_t *engine) {
  mv_error_t err = {0};
  wasm_store_t *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  if (!store_new(engine->types, &engine->options, &w->s, &err)) goto fail;
  w->s->api = w;
  if (!exec_new(w->s, &err)) goto fail;
  w->engine = engine_retain(engine);
  return w;
fail:
  store_delete(w->s);
  free(w);
  return NULL;
}

static void infos_finalize(struct info_map *map) {
  for (size_t i = 0; i < map->cap; i++) host_info_set(&map->slots[i].info, NULL, NULL);
  free(map->slots);
}

void wasm_store_delete(wasm_store_t *w) {
  if (!w) return;
  infos_finalize(&w->infos);
  w->infos = (struct info_map){0};
  if (w->pending) api_trap_release(w->pending);
  for (struct numbered_ref *n; (n = w->numbers) != NULL;) {
    w->numbers = n->next;
    gc_root_remove(&n->root);
    free(n);
  }
  exec_delete(w->s);
  store_delete(w->s);
  infos_finalize(&w->infos); /* a finalizer may have set new ones */
  for (struct module_use *u; (u = w->modules) != NULL;) {
    w->modules = u->next;
    api_module_release(u->module);
    free(u);
  }
  wasm_engine_delete(w->engine);
  free(w);
}

/* The list is short: it holds each module once, the latest first. */
bool store_use_module(wasm_store_t *w, struct api_module *m, mv_error_t *err) {
  for (struct module_use *u = w->modules; u; u = u->next)
    if (u->module == m) return true;
  struct module_use *u = malloc(sizeof *u);
  if (!u) return error_no_memory(err, sizeof *u);
  *u = (struct module_use){m, w->modules};
  w->modules = u;
  atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
  return true;
}

/* ---- fuel, interrupts, trace ---- */

void mv_store_set_fuel(wasm_store_t *w, uint64_t fuel) {
  w->fuel_spent += w->fuel_given - exec_fuel(w->s);
  w->fuel_given = fuel;
  exec_set_fuel(w->s, fuel);
}

uint64_t mv_store_fuel(const wasm_store_t *w) { return exec_fuel(w->s); }
void mv_store_interrupt(wasm_store_t *w) { exec_interrupt(w->s, true); }
void mv_store_clear_interrupt(wasm_store_t *w) { exec_interrupt(w->s, false); }
bool mv_store_interrupted(const wasm_store_t *w) { return exec_interrupted(w->s); }
void mv_store_set_trace(wasm_store_t *w, FILE *out) { exec_set_trace(w->s, out); }

void mv_store_stats(const wasm_store_t *w, mv_stats_t *out) {
  gc_stats(w->s);
  *out = w->s->stats;
  if (w->engine->options.fuel) out->instructions = w->fuel_spent + w->fuel_given - exec_fuel(w->s);
  out->functions_translated = out->code_bytes = out->memory_bytes = 0;
  for (const struct module_use *u = w->modules; u; u = u->next) {
    uint64_t bytes, functions;
    code_stats(u->module->m, &bytes, &functions);
    out->code_bytes += bytes;
    out->functions_translated += functions;
  }
  for (const struct mem_inst *m = w->s->memories; m; m = m->next) out->memory_bytes += m->size;
}
