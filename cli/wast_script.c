/* wast_script.c: runs the commands of one test script on the public API and judges them: the kind of a failure says its stage, its message
 * must begin with the expected text, and what is not understood has failed. The engine never sees what is expected. */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "wast.h"

/* The host module `spectest`: wasm itself says it best. Each text has at most one memory and one table, for feature sets that allow one. */
static const struct { mv_features_t needs; const char *text; } spectest[] = {
    {0, "(global (export \"global_i32\") i32 (i32.const 666)) (global (export \"global_i64\") i64 (i64.const 666))"
        "(global (export \"global_f32\") f32 (f32.const 666.6)) (global (export \"global_f64\") f64 (f64.const 666.6))"
        "(table (export \"table\") 10 20 funcref) (memory (export \"memory\") 1 2)"
        "(func (export \"print\")) (func (export \"print_i32\") (param i32)) (func (export \"print_i64\") (param i64))"
        "(func (export \"print_f32\") (param f32)) (func (export \"print_f64\") (param f64))"
        "(func (export \"print_i32_f32\") (param i32 f32)) (func (export \"print_f64_f64\") (param f64 f64))"},
    {MV_FEATURE(MEMORY64), "(table (export \"table64\") i64 10 20 funcref)"},
    {MV_FEATURE(THREADS), "(memory (export \"shared_memory\") 1 1 shared)"},
};

/* A definition or an instance by its identifier. */
struct named {
  mv_wast_string_t id; /* absent: kept as the last one only */
  wasm_module_t *module;
  wasm_instance_t *instance; /* NULL for what another thread shares */
  char **share_names; /* memories of another thread's instance, by export name */
  wasm_extern_t **shares;
  size_t nshares;
};

/* A precompiled module, which its instances use in place. */
struct compiled {
  struct compiled *next;
  max_align_t bytes[];
};

struct list {
  struct named *at;
  size_t n, cap;
};

/* The state of one thread of a script. */
struct run {
  const struct wast_options *options;
  wasm_engine_t *engine;
  wasm_store_t *store;
  mv_linker_t *linker;
  struct compiled *compiled; /* as long as the store */
  struct list modules, instances; /* the last is the current one */
  struct list_threads {
    struct thread **at;
    size_t n, cap;
  } threads;
  struct wast_result result;
  wast_fail_fn *fail;
  void *fail_env;
  const mv_wast_command_t *command;
};

struct thread {
  struct run run;
  struct wast_options options; /* without `line`, which is for the main thread to set */
  pthread_t handle;
  mv_wast_string_t id;
  const mv_wast_command_t *commands;
  size_t ncommands;
  bool running;
  struct failure { uint32_t line; char *text; } *failures;
  size_t nfailures;
};

/* ---- verdicts ------------------------------------------------------------------------------------------ */

static bool failed(struct run *r, const char *format, ...) MV_PRINTF(2, 3);
static bool failed(struct run *r, const char *format, ...) {
  char text[2048], all[2200];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  snprintf(all, sizeof all, "%s: %s", mv_wast_kind_name(r->command->kind), text);
  r->result.failures++;
  r->fail(r->fail_env, r->command->line, all);
  return false;
}

static bool same_string(mv_wast_string_t a, mv_wast_string_t b) { return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0); }

/* Was the failure of this kind, and does its message begin as the script says? */
static bool judge(struct run *r, mv_kind_t kind, const mv_error_t *err) {
  mv_wast_string_t text = r->command->message;
  if (err->kind != kind) return failed(r, "expected %s \"%.*s\", got %s \"%s\"", mv_kind_name(kind), (int)text.size, text.bytes, mv_kind_name(err->kind), err->message);
  if (strlen(err->message) < text.size || (text.size > 0 && memcmp(err->message, text.bytes, text.size) != 0))
    return failed(r, "expected \"%.*s\", got \"%s\"", (int)text.size, text.bytes, err->message);
  return true;
}

static bool not_failed(struct run *r, mv_kind_t kind, const char *what) {
  return failed(r, "expected %s \"%.*s\", but %s", mv_kind_name(kind), (int)r->command->message.size, r->command->message.bytes, what);
}

/* ---- names --------------------------------------------------------------------------------------------- */

static bool grow(void *array, size_t *cap, size_t need, size_t size) {
  void **at = array;
  size_t n = *cap ? *cap : 8;
  if (need <= *cap) return true;
  while (n < need) n *= 2;
  void *p = realloc(*at, n * size);
  if (!p) return false;
  *at = p;
  *cap = n;
  return true;
}

static void named_fini(struct named *x) {
  wasm_instance_delete(x->instance);
  wasm_module_delete(x->module);
  for (size_t i = 0; i < x->nshares; i++) {
    free(x->share_names[i]);
    wasm_extern_delete(x->shares[i]);
  }
  free(x->share_names);
  free(x->shares);
}

/* Makes *x the last of the list. A last one without a name gives way. */
static bool list_put(struct run *r, struct list *l, struct named x) {
  if (l->n > 0 && !l->at[l->n - 1].id.bytes) named_fini(&l->at[--l->n]);
  if (!grow(&l->at, &l->cap, l->n + 1, sizeof *l->at)) {
    named_fini(&x);
    return failed(r, "out of memory");
  }
  l->at[l->n++] = x;
  return true;
}

/* The newest of that name; without a name the last one. */
static struct named *list_find(const struct list *l, mv_wast_string_t id) {
  for (size_t i = l->n; i-- > 0;)
    if (!id.bytes || (l->at[i].id.bytes && same_string(l->at[i].id, id))) return &l->at[i];
  return NULL;
}

static struct named *find_instance(struct run *r, mv_wast_string_t id) {
  struct named *x = list_find(&r->instances, id);
  if (!x) (void)(id.bytes ? failed(r, "unknown instance $%.*s", (int)id.size, id.bytes) : failed(r, "there is no instance"));
  return x;
}

/* ---- modules ------------------------------------------------------------------------------------------- */

/* The same bytes as another engine precompiles them. */
static struct compiled *compile(const struct run *r, const uint8_t *bytes, size_t size, size_t *compiled_size, mv_error_t *err) {
  struct compiled *c = NULL;
  char *made = NULL;
  wasm_engine_t *engine = engine_open(&r->options->engine);
  wasm_module_t *m = engine ? mv_module_load(engine, bytes, size, true, err) : NULL;
  FILE *out = m ? open_memstream(&made, compiled_size) : NULL;
  bool ok = out && mv_module_serialize(m, out, err);
  if (out && fclose(out) == 0 && ok && (c = malloc(sizeof *c + *compiled_size)) != NULL) memcpy(c->bytes, made, *compiled_size);
  free(made);
  wasm_module_delete(m);
  wasm_engine_delete(engine);
  return c;
}

/* Decoding and validation. NULL with *err. */
static wasm_module_t *load_binary(struct run *r, const uint8_t *bytes, size_t size, bool adopt, mv_error_t *err) {
  if (!r->options->precompile) return mv_module_load(r->engine, bytes, size, adopt, err);
  struct compiled *c = compile(r, bytes, size, &size, err);
  if (!c) return NULL;
  c->next = r->compiled;
  r->compiled = c;
  return mv_module_deserialize(r->engine, c->bytes, size, -1, err);
}

/* Text to binary, decoding, validation. NULL with *err; whose kind tells the stage. */
static wasm_module_t *load(struct run *r, const mv_wast_module_t *m, mv_error_t *err) {
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  if (m->form == MV_WAST_TEXT && m->error) {
    *err = *m->error;
    return NULL;
  }
  if (m->form != MV_WAST_QUOTE) return load_binary(r, m->bytes, m->size, true, err);
  uint8_t *binary;
  size_t size;
  if (!mv_wat2wasm((const char *)m->bytes, m->size, r->options->engine.features, &binary, &size, err)) return NULL;
  wasm_module_t *module = load_binary(r, binary, size, false, err);
  mv_free(binary);
  return module;
}

/* The module that an assertion is about: its own, or the definition it names. *owned: it is to be deleted. */
static wasm_module_t *subject(struct run *r, bool *owned) {
  const mv_wast_command_t *c = r->command;
  mv_error_t err;
  *owned = c->module.form != MV_WAST_NO_MODULE;
  if (*owned) {
    wasm_module_t *m = load(r, &c->module, &err);
    if (!m) (void)failed(r, "%s: %s", mv_kind_name(err.kind), err.message);
    return m;
  }
  struct named *d = list_find(&r->modules, c->of);
  if (!d) (void)failed(r, "unknown module");
  return d ? d->module : NULL;
}

static bool run_definition(struct run *r) {
  mv_error_t err;
  struct named x = {.id = r->command->id, .module = load(r, &r->command->module, &err)};
  if (!x.module) return failed(r, "%s: %s", mv_kind_name(err.kind), err.message);
  return list_put(r, &r->modules, x);
}

static bool run_instance(struct run *r, mv_wast_string_t id, mv_wast_string_t of) {
  struct named *d = list_find(&r->modules, of), x = {.id = id};
  mv_error_t err;
  if (!d) return failed(r, "unknown module");
  x.instance = mv_linker_instantiate(r->linker, d->module, NULL, NULL, &err);
  if (!x.instance) return failed(r, "%s: %s", mv_kind_name(err.kind), err.message);
  return list_put(r, &r->instances, x);
}

static bool run_register(struct run *r) {
  const mv_wast_command_t *c = r->command;
  struct named *x = find_instance(r, c->of);
  if (!x) return false;
  char *name = calloc(c->name.size + 1, 1);
  if (!name) return failed(r, "out of memory");
  memcpy(name, c->name.bytes, c->name.size);
  bool ok = !x->instance || mv_linker_instance(r->linker, name, x->instance);
  for (size_t i = 0; ok && i < x->nshares; i++) ok = mv_linker_extern(r->linker, name, x->share_names[i], x->shares[i]);
  free(name);
  return ok || failed(r, "out of memory");
}

/* ---- actions ------------------------------------------------------------------------------------------- */

/* What an action gave: cells typed by letters, or an error. */
struct outcome {
  char *letters;
  uint64_t *cells;
  mv_error_t err;
  char letters_room[64];
  uint64_t cells_room[64];
};

static void outcome_fini(struct outcome *o) {
  if (o->letters != o->letters_room) free(o->letters);
  if (o->cells != o->cells_room) free(o->cells);
}

static bool outcome_room(struct run *r, struct outcome *o, size_t letters, size_t cells) {
  o->letters = letters < sizeof o->letters_room ? o->letters_room : malloc(letters + 1);
  o->cells = cells <= sizeof o->cells_room / sizeof *o->cells_room ? o->cells_room : malloc(cells * sizeof *o->cells);
  return (o->letters && o->cells) || failed(r, "out of memory");
}

static bool put_arguments(struct run *r, const mv_wast_action_t *a, struct outcome *o) {
  const char *letter = o->letters;
  uint64_t *cell = o->cells;
  for (size_t i = 0; i < a->nargs; i++, letter++) {
    if (*letter == ':' || *letter == 0) return failed(r, "%zu arguments for %zu parameters", a->nargs, i);
    if (!value_argument(r->store, &a->args[i], *letter, cell)) return failed(r, "argument %zu does not fit a parameter of type %c", i, *letter);
    cell += value_cells(*letter);
  }
  if (*letter != ':') return failed(r, "%zu arguments are too few", a->nargs);
  return true;
}

static bool invoke(struct run *r, const wasm_func_t *f, const mv_wast_action_t *a, struct outcome *o) {
  size_t params, results, letters = mv_func_sig(f, o->letters_room, sizeof o->letters_room);
  mv_func_cells(f, &params, &results);
  if (!outcome_room(r, o, letters, params > results ? params : results)) return false;
  if (o->letters != o->letters_room) mv_func_sig(f, o->letters, letters + 1);
  if (!put_arguments(r, a, o)) return false;
  if (mv_func_call(f, o->cells, &o->err)) o->err.kind = MV_OK;
  memmove(o->letters, strchr(o->letters, ':') + 1, strlen(strchr(o->letters, ':'))); /* those of the results, and the terminator */
  return true;
}

/* false: the action could not even be tried, which is reported. */
static bool act(struct run *r, struct outcome *o) {
  const mv_wast_action_t *a = &r->command->action;
  struct named *x = find_instance(r, a->instance);
  o->letters = o->letters_room;
  o->cells = o->cells_room;
  o->err = (mv_error_t){.offset = MV_NO_OFFSET};
  if (!x) return false;
  wasm_extern_t *e = x->instance ? mv_instance_find(x->instance, a->name.bytes, a->name.size) : NULL;
  if (!e) return failed(r, "there is no export \"%.*s\"", (int)a->name.size, a->name.bytes);
  bool ok = true;
  const wasm_func_t *f = wasm_extern_as_func(e);
  const wasm_global_t *g = wasm_extern_as_global(e);
  if (a->kind == MV_WAST_INVOKE && f) {
    ok = invoke(r, f, a, o);
  } else if (a->kind == MV_WAST_GET && g) {
    o->letters[0] = mv_global_cells(g, o->cells);
    o->letters[1] = 0;
  } else {
    ok = failed(r, "the export \"%.*s\" is no %s", (int)a->name.size, a->name.bytes, a->kind == MV_WAST_INVOKE ? "function" : "global");
  }
  wasm_extern_delete(e);
  return ok;
}

static bool check_results(struct run *r, const struct outcome *o) {
  const mv_wast_command_t *c = r->command;
  char expected[900] = "", actual[900] = "";
  const uint64_t *cell = o->cells;
  if (strlen(o->letters) != c->nexpected) return failed(r, "expected %zu results, got %zu", c->nexpected, strlen(o->letters));
  for (size_t i = 0; i < c->nexpected; cell += value_cells(o->letters[i]), i++) {
    if (value_matches(r->store, &c->expected[i], o->letters[i], cell)) continue;
    value_print_expected(&c->expected[i], expected, sizeof expected);
    value_print(r->store, o->letters[i], cell, actual, sizeof actual);
    return failed(r, "expected %s, got %s", expected, actual);
  }
  return true;
}

static bool run_action(struct run *r) {
  struct outcome o;
  bool ok = act(r, &o);
  if (ok && o.err.kind != MV_OK) ok = failed(r, "%s: %s", mv_kind_name(o.err.kind), o.err.message);
  outcome_fini(&o);
  return ok;
}

/* ---- assertions ---------------------------------------------------------------------------------------- */

static bool assert_return(struct run *r) {
  struct outcome o;
  if (r->command->action.kind == MV_WAST_NO_ACTION) return failed(r, "there is no action");
  bool ok = act(r, &o);
  if (ok) ok = o.err.kind == MV_OK ? check_results(r, &o) : failed(r, "%s: %s", mv_kind_name(o.err.kind), o.err.message);
  outcome_fini(&o);
  return ok;
}

/* The module must load, and fail to be linked or initialised. */
static bool assert_instantiation(struct run *r, mv_kind_t kind) {
  bool owned;
  mv_error_t err;
  wasm_module_t *m = subject(r, &owned);
  if (!m) return false;
  wasm_instance_t *i = mv_linker_instantiate(r->linker, m, NULL, NULL, &err);
  bool ok = i ? not_failed(r, kind, "it was instantiated") : judge(r, kind, &err);
  wasm_instance_delete(i);
  if (owned) wasm_module_delete(m);
  return ok;
}

static bool assert_failure(struct run *r, mv_kind_t kind) {
  struct outcome o;
  if (r->command->action.kind == MV_WAST_NO_ACTION) return assert_instantiation(r, kind);
  bool ok = act(r, &o);
  if (ok) ok = o.err.kind == MV_OK ? not_failed(r, kind, "it returned") : judge(r, kind, &o.err);
  outcome_fini(&o);
  return ok;
}

static bool assert_refused(struct run *r, mv_kind_t kind) {
  mv_error_t err;
  if (r->command->module.form == MV_WAST_NO_MODULE) return failed(r, "there is no module");
  wasm_module_t *m = load(r, &r->command->module, &err);
  if (!m) return judge(r, kind, &err);
  wasm_module_delete(m);
  return not_failed(r, kind, "the module was accepted");
}

/* As above, for what only custom sections and annotations have. */
static bool assert_custom(struct run *r, mv_kind_t kind) {
  mv_error_t err;
  const uint8_t *bytes;
  size_t size;
  if (r->command->module.form == MV_WAST_NO_MODULE) return failed(r, "there is no module");
  wasm_module_t *m = load(r, &r->command->module, &err);
  if (!m) return judge(r, kind, &err);
  mv_module_bytes(m, &bytes, &size);
  bool refused = !mv_custom_check(bytes, size, r->options->engine.features, &err);
  wasm_module_delete(m);
  return refused ? judge(r, kind, &err) : not_failed(r, kind, "the custom sections were accepted");
}

/* ---- threads ------------------------------------------------------------------------------------------- */

static bool run_init(struct run *r, const struct wast_options *options, wasm_engine_t *engine, wast_fail_fn *fail, void *env);
static void run_fini(struct run *r);
static void run_commands(struct run *r, const mv_wast_command_t *list, size_t n);

/* A thread keeps its failures until it is waited for: only the script's own thread reports. */
static void keep_failure(void *env, uint32_t line, const char *text) {
  struct thread *t = env;
  struct failure *more = realloc(t->failures, (t->nfailures + 1) * sizeof *more);
  char *copy = malloc(strlen(text) + 1);
  if (more) t->failures = more;
  if (!more || !copy) {
    free(copy);
    return;
  }
  strcpy(copy, text);
  t->failures[t->nfailures++] = (struct failure){line, copy};
}

static void *thread_main(void *arg) {
  struct thread *t = arg;
  run_commands(&t->run, t->commands, t->ncommands);
  return NULL;
}

/* Gives the thread the shared memories that an instance exports, as an instance of the same name. */
static bool share_instance(struct run *from, struct run *to, mv_wast_string_t id) {
  struct named *x = find_instance(from, id), y = {.id = id};
  if (!x || !x->instance) return false;
  wasm_extern_vec_t externs;
  wasm_exporttype_vec_t types = {0};
  wasm_instance_exports(x->instance, &externs);
  struct named *d = list_find(&from->modules, id);
  if (d) wasm_module_exports(d->module, &types);
  y.share_names = calloc(externs.size + 1, sizeof *y.share_names);
  y.shares = calloc(externs.size + 1, sizeof *y.shares);
  bool ok = d && y.share_names && y.shares && types.size == externs.size;
  for (size_t i = 0; ok && i < externs.size; i++) {
    wasm_memory_t *memory = wasm_extern_as_memory(externs.data[i]);
    wasm_extern_t *share = memory ? mv_memory_share(memory, to->store) : NULL;
    if (!share) continue;
    const wasm_name_t *name = wasm_exporttype_name(types.data[i]);
    char *copy = calloc(name->size + 1, 1);
    y.shares[y.nshares] = share;
    y.share_names[y.nshares++] = copy;
    ok = copy != NULL;
    if (copy) memcpy(copy, name->data, name->size);
  }
  wasm_extern_vec_delete(&externs);
  if (d) wasm_exporttype_vec_delete(&types);
  if (ok) return list_put(to, &to->instances, y);
  named_fini(&y);
  return failed(from, "the memories of $%.*s cannot be shared", (int)id.size, id.bytes);
}

static void thread_end(struct run *r, struct thread *t) {
  if (t->running) pthread_join(t->handle, NULL);
  for (size_t i = 0; i < t->nfailures; i++) {
    r->fail(r->fail_env, t->failures[i].line, t->failures[i].text);
    free(t->failures[i].text);
  }
  free(t->failures);
  r->result.commands += t->run.result.commands;
  r->result.assertions += t->run.result.assertions;
  r->result.failures += t->run.result.failures;
  run_fini(&t->run);
  free(t);
}

static bool run_thread(struct run *r) {
  const mv_wast_command_t *c = r->command;
  struct thread *t = calloc(1, sizeof *t);
  if (!t || !grow(&r->threads.at, &r->threads.cap, r->threads.n + 1, sizeof *r->threads.at)) {
    free(t);
    return failed(r, "out of memory");
  }
  t->id = c->id;
  t->commands = c->commands;
  t->ncommands = c->ncommands;
  t->options = *r->options;
  t->options.line = NULL;
  bool ok = run_init(&t->run, &t->options, r->engine, keep_failure, t) || failed(r, "no store for the thread");
  t->run.command = c;
  for (size_t i = 0; ok && i < c->nshared; i++) ok = share_instance(r, &t->run, c->shared[i]);
  if (ok) ok = t->running = pthread_create(&t->handle, NULL, thread_main, t) == 0;
  r->threads.at[r->threads.n++] = t;
  return ok;
}

static bool run_wait(struct run *r) {
  for (size_t i = 0; i < r->threads.n; i++) {
    if (!same_string(r->threads.at[i]->id, r->command->id)) continue;
    thread_end(r, r->threads.at[i]);
    r->threads.at[i] = r->threads.at[--r->threads.n];
    return true;
  }
  return failed(r, "unknown thread $%.*s", (int)r->command->id.size, r->command->id.bytes);
}

/* ---- commands ------------------------------------------------------------------------------------------ */

static bool run_command(struct run *r) {
  const mv_wast_command_t *c = r->command;
  switch (c->kind) {
  case MV_WAST_MODULE: return run_definition(r) && run_instance(r, c->id, c->id);
  case MV_WAST_DEFINITION: return run_definition(r);
  case MV_WAST_INSTANCE: return run_instance(r, c->id, c->of);
  case MV_WAST_REGISTER: return run_register(r);
  case MV_WAST_ACTION: return run_action(r);
  case MV_WAST_ASSERT_RETURN: return assert_return(r);
  case MV_WAST_ASSERT_TRAP: return assert_failure(r, MV_TRAP);
  case MV_WAST_ASSERT_EXHAUSTION: return assert_failure(r, MV_EXHAUSTION);
  case MV_WAST_ASSERT_EXCEPTION: return assert_failure(r, MV_EXCEPTION);
  case MV_WAST_ASSERT_UNLINKABLE: return assert_instantiation(r, MV_UNLINKABLE);
  case MV_WAST_ASSERT_MALFORMED: return assert_refused(r, MV_MALFORMED);
  case MV_WAST_ASSERT_INVALID: return assert_refused(r, MV_INVALID);
  case MV_WAST_ASSERT_MALFORMED_CUSTOM: return assert_custom(r, MV_MALFORMED);
  case MV_WAST_ASSERT_INVALID_CUSTOM: return assert_custom(r, MV_INVALID);
  case MV_WAST_THREAD: return run_thread(r);
  case MV_WAST_WAIT: return run_wait(r);
  case MV_WAST_UNKNOWN: break;
  }
  return failed(r, "%s", c->error ? c->error->message : "");
}

static bool is_assertion(mv_wast_kind_t kind) { return kind >= MV_WAST_ASSERT_RETURN && kind <= MV_WAST_ASSERT_INVALID_CUSTOM; }

static void run_commands(struct run *r, const mv_wast_command_t *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    r->command = &list[i];
    if (r->options->line) *r->options->line = list[i].line;
    r->result.commands++;
    bool ok = run_command(r);
    if (is_assertion(list[i].kind)) r->result.assertions += ok;
  }
}

/* ---- a script ------------------------------------------------------------------------------------------ */

static bool define_spectest(struct run *r) {
  mv_features_t features = r->options->engine.features;
  for (size_t i = 0; i < sizeof spectest / sizeof *spectest; i++) {
    if ((spectest[i].needs & ~features) != 0) continue;
    uint8_t *binary;
    size_t size;
    if (!mv_wat2wasm(spectest[i].text, strlen(spectest[i].text), features, &binary, &size, NULL)) return false;
    wasm_module_t *m = mv_module_load(r->engine, binary, size, false, NULL);
    wasm_instance_t *x = m ? mv_linker_instantiate(r->linker, m, NULL, NULL, NULL) : NULL;
    bool ok = x && mv_linker_instance(r->linker, "spectest", x);
    wasm_instance_delete(x);
    wasm_module_delete(m);
    mv_free(binary);
    if (!ok) return false;
  }
  return true;
}

static bool run_init(struct run *r, const struct wast_options *options, wasm_engine_t *engine, wast_fail_fn *fail, void *env) {
  *r = (struct run){.options = options, .engine = engine, .fail = fail, .fail_env = env};
  r->store = wasm_store_new(engine);
  r->linker = r->store ? mv_linker_new(r->store) : NULL;
  return r->linker && define_spectest(r);
}

static void run_fini(struct run *r) {
  while (r->threads.n > 0) thread_end(r, r->threads.at[--r->threads.n]);
  free(r->threads.at);
  for (size_t i = 0; i < r->instances.n; i++) named_fini(&r->instances.at[i]);
  for (size_t i = 0; i < r->modules.n; i++) named_fini(&r->modules.at[i]);
  free(r->instances.at);
  free(r->modules.at);
  mv_linker_delete(r->linker);
  wasm_store_delete(r->store);
  while (r->compiled) {
    struct compiled *c = r->compiled;
    r->compiled = c->next;
    free(c);
  }
}

struct wast_result wast_run(const char *text, size_t size, const struct wast_options *options, wast_fail_fn *fail, void *env) {
  mv_error_t err;
  mv_wast_t script;
  struct run r = {.result = {.failures = 1}};
  if (!mv_wast_parse(text, size, options->engine.features, 0, &script, &err)) {
    fail(env, err.line, err.message);
    return r.result;
  }
  wasm_engine_t *engine = engine_open(&options->engine);
  if (engine && run_init(&r, options, engine, fail, env)) {
    run_commands(&r, script.commands, script.ncommands);
  } else {
    fail(env, 0, "no engine, or no module spectest");
    r.result.failures = 1;
  }
  while (r.threads.n > 0) thread_end(&r, r.threads.at[--r.threads.n]);
  struct wast_result result = r.result;
  run_fini(&r);
  wasm_engine_delete(engine);
  mv_wast_free(&script);
  return result;
}
