/* Functions: calling them from outside, and callbacks of wasm.h. Numbers in cells, as mv_func_call and mv_host_fn have them, are the engine's own form; wasm_val_t
 * is converted at the border. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

enum { CELLS_INLINE = 16 };

static const struct deftype *func_type(const wasm_func_t *f) { return types_get(f->ref.store->s->types, f->ref.u.ext.u.func->type); }

wasm_functype_t *wasm_func_type(const wasm_func_t *f) { return functype_make(f->ref.store->s->types, f->ref.u.ext.u.func->type); }
size_t wasm_func_param_arity(const wasm_func_t *f) { return func_type(f)->u.func.nparams; }
size_t wasm_func_result_arity(const wasm_func_t *f) { return func_type(f)->u.func.nresults; }

void mv_func_cells(const wasm_func_t *f, size_t *params, size_t *results) {
  *params = func_type(f)->u.func.param_cells;
  *results = func_type(f)->u.func.result_cells;
}

/* ---- calling ---- */

void api_begin(wasm_store_t *w) {
  if (w->pending) api_trap_release(w->pending);
  w->pending = NULL;
  store_trace_clear(w->s);
}

bool mv_func_call(const wasm_func_t *f, uint64_t *cells, mv_error_t *err) {
  mv_error_t own_err;
  if (!err) err = &own_err;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  api_begin(f->ref.store);
  return exec_call(f->ref.store->s, f->ref.u.ext.u.func, cells, err);
}

/* Cells for the larger of parameters and results, zeroed; `small` if they fit. */
static cell *cells_new(const struct deftype *t, cell small[CELLS_INLINE], size_t *n, mv_error_t *err) {
  *n = t->u.func.param_cells > t->u.func.result_cells ? t->u.func.param_cells : t->u.func.result_cells;
  if (*n <= CELLS_INLINE) return memset(small, 0, CELLS_INLINE * sizeof *small);
  cell *cells = calloc(*n, sizeof *cells);
  if (!cells) error_no_memory(err, *n * sizeof *cells);
  return cells;
}

static bool vals_to_cells(wasm_store_t *w, const valtype *types, size_t n, const wasm_val_t *vals, cell *c, mv_error_t *err) {
  for (size_t i = 0; i < n; c += vt_cells(types[i++]))
    if (!val_to_cells(w, types[i], &vals[i], c, err)) return false;
  return true;
}

static bool vals_of_cells(wasm_store_t *w, const valtype *types, size_t n, const cell *c, wasm_val_t *vals, mv_error_t *err) {
  for (size_t i = 0; i < n; c += vt_cells(types[i++])) {
    if (val_of_cells(w, types[i], c, &vals[i], err)) continue;
    while (i-- > 0) wasm_val_delete(&vals[i]);
    return false;
  }
  return true;
}

static bool args_to_cells(wasm_store_t *w, const struct deftype *t, const wasm_val_vec_t *args, cell *c, mv_error_t *err) {
  size_t n = args ? args->size : 0;
  if (n != t->u.func.nparams) return error_set(err, MV_USAGE, MV_NO_OFFSET, "%zu arguments given, %u wanted", n, t->u.func.nparams);
  return n == 0 || vals_to_cells(w, t->u.func.params, n, args->data, c, err);
}

static bool results_of_cells(wasm_store_t *w, const struct deftype *t, const cell *c, wasm_val_vec_t *results, mv_error_t *err) {
  size_t n = t->u.func.nresults, room = results ? results->size : 0;
  if (room < n) return error_set(err, MV_USAGE, MV_NO_OFFSET, "room for %zu results given, %zu wanted", room, n);
  return n == 0 || vals_of_cells(w, t->u.func.results, n, c, results->data, err);
}

/* Room for the results is asked for when there are some: a call that must trap may come without. */
wasm_trap_t *wasm_func_call(const wasm_func_t *f, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  wasm_store_t *w = f->ref.store;
  const struct deftype *t = func_type(f);
  mv_error_t err = {.offset = MV_NO_OFFSET};
  api_begin(w);
  cell small[CELLS_INLINE], *cells;
  size_t n;
  if (!(cells = cells_new(t, small, &n, &err))) return trap_of_error(w, &err);
  struct gc_temp temp;
  gc_temp_push(w->s, &temp, cells, n);
  bool ok = args_to_cells(w, t, args, cells, &err) && exec_call(w->s, f->ref.u.ext.u.func, cells, &err) && results_of_cells(w, t, cells, results, &err);
  gc_temp_pop(w->s);
  if (cells != small) free(cells);
  return ok ? NULL : trap_of_error(w, &err);
}

/* ---- callbacks ---- */

struct callback {
  wasm_store_t *store;
  const struct deftype *type;
  wasm_func_callback_t plain; /* one of both */
  wasm_func_callback_with_env_t with_env;
  void *env;
  void (*finalize)(void *);
};

static void callback_delete(void *env) {
  struct callback *cb = env;
  if (cb->finalize) cb->finalize(cb->env);
  free(cb);
}

/* A callback's trap goes on as the store's pending one, so that the caller outside gets that very trap. */
static bool throw_trap(struct callback *cb, mv_caller_t *caller, wasm_trap_t *trap) {
  struct api_trap *t = trap->ref.u.trap;
  if (cb->store->pending) api_trap_release(cb->store->pending);
  cb->store->pending = t;
  atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
  if (caller->err && caller->err->kind == MV_OK) *caller->err = t->err;
  wasm_trap_delete(trap);
  return false;
}

/* The arguments are the callback's to read, not to keep; the results become ours. */
static bool run_callback(struct callback *cb, mv_caller_t *caller, cell *cells, wasm_val_vec_t *args, wasm_val_vec_t *results) {
  wasm_store_t *w = cb->store;
  const struct deftype *t = cb->type;
  if (!vals_of_cells(w, t->u.func.params, args->size, cells, args->data, caller->err)) return false;
  wasm_trap_t *trap = cb->with_env ? cb->with_env(cb->env, args, results) : cb->plain(args, results);
  if (trap) return throw_trap(cb, caller, trap);
  struct gc_temp temp;
  gc_temp_push(w->s, &temp, cells, t->u.func.result_cells);
  bool ok = vals_to_cells(w, t->u.func.results, t->u.func.nresults, results->data, cells, caller->err);
  gc_temp_pop(w->s);
  return ok;
}

static bool callback_enter(mv_caller_t *caller, void *env, uint64_t *cells) {
  struct callback *cb = env;
  wasm_val_t small[CELLS_INLINE] = {{0}};
  size_t np = cb->type->u.func.nparams, n = np + cb->type->u.func.nresults;
  wasm_val_t *vals = n <= CELLS_INLINE ? small : calloc(n, sizeof *vals);
  if (!vals) return error_no_memory(caller->err, n * sizeof *vals);
  for (size_t i = np; i < n; i++) vals[i] = (wasm_val_t)WASM_INIT_VAL;
  wasm_val_vec_t args = {np, vals}, results = {n - np, vals + np};
  bool ok = run_callback(cb, caller, cells, &args, &results);
  for (size_t i = 0; i < n; i++) wasm_val_delete(&vals[i]);
  if (vals != small) free(vals);
  return ok;
}

static wasm_func_t *func_new(wasm_store_t *w, const wasm_functype_t *type, struct callback from) {
  mv_error_t err = {0};
  uint32_t id;
  struct extern_ref x = {.kind = EXTERN_FUNC};
  if (!functype_id(w->s->types, type, &id, &err)) return NULL;
  struct callback *cb = malloc(sizeof *cb);
  if (!cb) return NULL;
  *cb = from;
  cb->store = w;
  cb->type = types_get(w->s->types, id);
  if (!func_new_host(w->s, id, callback_enter, cb, callback_delete, &x.u.func, &err)) {
    free(cb);
    return NULL;
  }
  return (wasm_func_t *)extern_make(w, &x);
}

wasm_func_t *wasm_func_new(wasm_store_t *w, const wasm_functype_t *type, wasm_func_callback_t plain) {
  return func_new(w, type, (struct callback){.plain = plain});
}

wasm_func_t *wasm_func_new_with_env(wasm_store_t *w, const wasm_functype_t *type, wasm_func_callback_with_env_t fn, void *env, void (*finalize)(void *)) {
  return func_new(w, type, (struct callback){.with_env = fn, .env = env, .finalize = finalize});
}
