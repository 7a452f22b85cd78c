/* alloc.c: everything that can be refused is refused in turn: each allocation, mapping and change of a mapping of a case, first that one alone and then
 * it and all that follow. However it ends, it ends with the right answer or with an error that says so, and nothing is left allocated.
 *
 *   alloc FILE.wat...    each is loaded and its function `run` called; then its text, binary and code are printed
 *
 * Linked with --wrap for what is below. */
#include <minivm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>

static struct {
  bool on, all;       /* refuse; all from there on */
  unsigned at, count; /* the one to refuse, from 1; how many there were */
  long blocks;        /* allocated and not freed */
  long mapped;        /* bytes */
} refuse;

static bool refused(void) {
  if (!refuse.on) return false;
  refuse.count++;
  return refuse.count == refuse.at || (refuse.all && refuse.count > refuse.at);
}

void *__real_malloc(size_t), *__real_calloc(size_t, size_t), *__real_realloc(void *, size_t), *__real_mmap(void *, size_t, int, int, int, long), *__real_mmap64(void *, size_t, int, int, int, int64_t);
void *__real_mremap(void *, size_t, size_t, int, ...);
int __real_munmap(void *, size_t), __real_mprotect(void *, size_t, int), __real_memfd_create(const char *, unsigned);
void __real_free(void *);
char *__real_strdup(const char *);

void *__wrap_malloc(size_t), *__wrap_calloc(size_t, size_t), *__wrap_realloc(void *, size_t), *__wrap_mmap(void *, size_t, int, int, int, long), *__wrap_mmap64(void *, size_t, int, int, int, int64_t);
void *__wrap_mremap(void *, size_t, size_t, int, ...);
int __wrap_munmap(void *, size_t), __wrap_mprotect(void *, size_t, int), __wrap_memfd_create(const char *, unsigned);
void __wrap_free(void *);
char *__wrap_strdup(const char *);

void *__wrap_malloc(size_t n) {
  void *p = refused() ? NULL : __real_malloc(n);
  refuse.blocks += p != NULL;
  return p;
}
void *__wrap_calloc(size_t n, size_t m) {
  void *p = refused() ? NULL : __real_calloc(n, m);
  refuse.blocks += p != NULL;
  return p;
}
void *__wrap_realloc(void *old, size_t n) {
  void *p = refused() ? NULL : __real_realloc(old, n);
  refuse.blocks += p && !old;
  return p;
}
char *__wrap_strdup(const char *s) {
  char *p = refused() ? NULL : __real_strdup(s);
  refuse.blocks += p != NULL;
  return p;
}
void __wrap_free(void *p) {
  refuse.blocks -= p != NULL;
  __real_free(p);
}
static void *mapped(void *p, size_t n, int flags) {
  if (p != MAP_FAILED && !(flags & MAP_FIXED)) refuse.mapped += (long)((n + 4095) / 4096 * 4096);
  return p;
}
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, long offset) {
  return mapped(refused() ? MAP_FAILED : __real_mmap(at, n, prot, flags, fd, offset), n, flags);
}
void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd, int64_t offset) {
  return mapped(refused() ? MAP_FAILED : __real_mmap64(at, n, prot, flags, fd, offset), n, flags);
}
void *__wrap_mremap(void *at, size_t old, size_t n, int flags, ...) {
  void *p = refused() ? MAP_FAILED : __real_mremap(at, old, n, flags);
  if (p != MAP_FAILED) refuse.mapped += (long)((n + 4095) / 4096 * 4096) - (long)((old + 4095) / 4096 * 4096);
  return p;
}
int __wrap_munmap(void *p, size_t n) {
  refuse.mapped -= (long)((n + 4095) / 4096 * 4096);
  return __real_munmap(p, n);
}
int __wrap_mprotect(void *p, size_t n, int prot) { return refused() ? -1 : __real_mprotect(p, n, prot); }
int __wrap_memfd_create(const char *name, unsigned flags) { return refused() ? -1 : __real_memfd_create(name, flags); }

static unsigned passed, failed;
static FILE *null;

static void fail(const char *name, const char *format, ...) {
  va_list ap;
  printf("FAIL alloc: %s: refusal %u%s: ", name, refuse.at, refuse.all ? " and on" : "");
  va_start(ap, format);
  vprintf(format, ap);
  va_end(ap);
  printf("\n");
  failed++;
}

/* ---- cases --------------------------------------------------------------------------------------------- */

struct input {
  const char *path;
  char *text;
  size_t text_size;
  uint8_t *binary;
  size_t binary_size;
  const mv_options_t *options;
};

enum outcome { RIGHT, WRONG, ERROR }; /* an error: *err says which */

static bool add(mv_caller_t *caller, void *env, uint64_t *cells) {
  (void)caller, (void)env;
  cells[0] = (uint32_t)(cells[0] + cells[1]);
  return true;
}

static enum outcome no_memory(mv_error_t *err) {
  if (!err->message[0]) err->kind = MV_NO_MEMORY, strcpy(err->message, "NULL");
  return ERROR;
}

static enum outcome run_case(const struct input *in, mv_error_t *err) {
  enum outcome outcome = ERROR;
  wasm_engine_t *engine = NULL;
  wasm_store_t *store = NULL;
  mv_linker_t *linker = NULL;
  wasm_module_t *module = NULL;
  wasm_instance_t *instance = NULL;
  wasm_extern_t *e = NULL;
  mv_wasi_t *wasi = NULL;
  uint64_t cells[4] = {0};
  wasm_config_t *config = wasm_config_new();
  if (!config) return no_memory(err);
  mv_config_set(config, in->options);
  engine = wasm_engine_new_with_config(config); /* takes the configuration in any case */
  if (!engine || !(store = wasm_store_new(engine)) || !(linker = mv_linker_new(store)) || !(wasi = mv_wasi_new())) {
    outcome = no_memory(err);
    goto end;
  }
  if (in->options->fuel) mv_store_set_fuel(store, 1000000);
  for (int i = 0; i < 3; i++) mv_wasi_stdio(wasi, i, -1);
  if (!mv_wasi_arg(wasi, "program") || !mv_wasi_arg(wasi, "an argument") || !mv_wasi_env(wasi, "NAME", "value") || !mv_wasi_dir(wasi, ".", "/", true) ||
      !mv_linker_func(linker, "host", "add", "ii:i", add, NULL) || !mv_wasi_define(wasi, linker)) {
    outcome = no_memory(err);
    goto end;
  }
  module = mv_module_load(engine, in->binary, in->binary_size, false, err);
  if (!module) goto end;
  instance = mv_linker_instantiate(linker, module, NULL, NULL, err);
  if (!instance) goto end;
  e = mv_instance_export(instance, "run");
  if (!e) {
    outcome = no_memory(err);
    goto end;
  }
  if (mv_func_call(wasm_extern_as_func(e), cells, err)) {
    outcome = (uint32_t)cells[0] == 42 ? RIGHT : WRONG;
  } else {
    if (err->kind == MV_TRAP && strstr(in->path, "names")) outcome = strstr(err->message, "divide by zero") ? RIGHT : WRONG;
    (void)mv_store_backtrace(store);
  }
end:
  if (e) wasm_extern_delete(e);
  if (instance) wasm_instance_delete(instance);
  if (module) wasm_module_delete(module);
  if (linker) mv_linker_delete(linker);
  if (store) wasm_store_delete(store);
  if (wasi) mv_wasi_delete(wasi);
  if (engine) wasm_engine_delete(engine);
  return outcome;
}

static enum outcome parse_case(const struct input *in, mv_error_t *err) {
  uint8_t *binary;
  size_t size;
  mv_wat_map_t *map;
  uint32_t line, column;
  if (!mv_wat_parse(in->text, in->text_size, mv_features_all(), 0, &binary, &size, &map, err)) return ERROR;
  size_t at = 0;
  while (at < size && !mv_wat_map_find(map, at, &line, &column)) at++;
  bool same = size == in->binary_size && !memcmp(binary, in->binary, size) && at < size;
  mv_wat_map_delete(map);
  mv_free(binary);
  return same ? RIGHT : WRONG;
}

static enum outcome print_case(const struct input *in, mv_error_t *err) {
  char *text;
  size_t size;
  if (!mv_wasm2wat(in->binary, in->binary_size, 0, &text, &size, err)) return ERROR;
  mv_free(text);
  if (!mv_wasm2wat(in->binary, in->binary_size, MV_WAT_FLAT, &text, &size, err)) return ERROR;
  mv_free(text);
  return mv_custom_check(in->binary, in->binary_size, mv_features_all(), err) ? RIGHT : ERROR;
}

static enum outcome show_case(const struct input *in, mv_error_t *err) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_module_t *module;
  bool ok;
  if (!engine) return no_memory(err);
  module = mv_module_load(engine, in->binary, in->binary_size, true, err);
  ok = module && mv_module_disasm(module, UINT32_MAX, null, err) && mv_module_inspect(module, false, null, err) && mv_module_inspect(module, true, null, err);
  if (module) wasm_module_delete(module);
  wasm_engine_delete(engine);
  return ok ? RIGHT : ERROR;
}

static enum outcome script_case(const struct input *in, mv_error_t *err) {
  mv_wast_t script;
  bool ok;
  if (!mv_wast_parse(in->text, in->text_size, mv_features_all(), 0, &script, err)) return ERROR;
  ok = script.ncommands == 1 && script.commands[0].kind == MV_WAST_MODULE;
  if (script.ncommands == 1 && script.commands[0].module.error) { /* of the module alone */
    *err = *script.commands[0].module.error;
    mv_wast_free(&script);
    return ERROR;
  }
  mv_wast_free(&script);
  return ok ? RIGHT : WRONG;
}

/* The embedder's own functions of wasm.h: types, vectors, host functions, globals, tables, memories. */
static wasm_trap_t *host(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)env;
  results->data[0] = args->data[0];
  return NULL;
}

static enum outcome embed_case(const struct input *in, mv_error_t *err) {
  (void)in;
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = engine ? wasm_store_new(engine) : NULL;
  bool ok = false;
  if (store) {
    wasm_functype_t *ft = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    wasm_func_t *f = ft ? wasm_func_new_with_env(store, ft, host, NULL, NULL) : NULL;
    wasm_globaltype_t *gt = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
    wasm_val_t v = WASM_I64_VAL(5);
    wasm_global_t *g = gt ? wasm_global_new(store, gt, &v) : NULL;
    wasm_limits_t limits = {1, 4};
    wasm_memorytype_t *mt = wasm_memorytype_new(&limits);
    wasm_memory_t *m = mt ? wasm_memory_new(store, mt) : NULL;
    wasm_tabletype_t *tt = wasm_tabletype_new(wasm_valtype_new(WASM_FUNCREF), &limits);
    wasm_table_t *t = tt ? wasm_table_new(store, tt, NULL) : NULL;
    if (f && g && m && t) {
      wasm_val_t a[1] = {WASM_I32_VAL(42)}, r[1] = {WASM_INIT_VAL};
      wasm_val_vec_t args = WASM_ARRAY_VEC(a), results = WASM_ARRAY_VEC(r);
      wasm_trap_t *trap = wasm_func_call(f, &args, &results);
      ok = !trap && r[0].of.i32 == 42;
      if (trap) wasm_trap_delete(trap);
      (void)wasm_memory_grow(m, 1);
      (void)wasm_table_grow(t, 2, NULL);
    }
    if (t) wasm_table_delete(t);
    if (tt) wasm_tabletype_delete(tt);
    if (m) wasm_memory_delete(m);
    if (mt) wasm_memorytype_delete(mt);
    if (g) wasm_global_delete(g);
    if (gt) wasm_globaltype_delete(gt);
    if (f) wasm_func_delete(f);
    if (ft) wasm_functype_delete(ft);
    wasm_store_delete(store);
  }
  if (engine) wasm_engine_delete(engine);
  return ok ? RIGHT : no_memory(err);
}

/* ---- refusing ------------------------------------------------------------------------------------------ */

static int open_files(void) {
  int n = 0;
  for (int fd = 0; fd < 64; fd++) n += fcntl(fd, F_GETFD) != -1;
  return n;
}

static void inject(const char *what, const struct input *in, enum outcome (*run)(const struct input *, mv_error_t *)) {
  char name[200];
  const unsigned failures = failed;
  unsigned total = 0;
  snprintf(name, sizeof name, "%s %s", what, in->path);
  for (int all = 0; all < 2; all++) {
    for (refuse.all = all, refuse.at = 0;; refuse.at++) { /* nothing is refused at first: refusals are counted from 1 */
      mv_error_t err = {0};
      const long blocks = refuse.blocks, mapped = refuse.mapped;
      const int files = open_files();
      if (refuse.at == 0 && all) continue;
      refuse.count = 0;
      refuse.on = refuse.at != 0;
      enum outcome outcome = run(in, &err);
      refuse.on = false;
      if (outcome == WRONG) fail(name, "the wrong result");
      if (outcome == ERROR && err.kind != MV_NO_MEMORY) fail(name, "%s: %s", mv_kind_name(err.kind), err.message[0] ? err.message : "no message");
      if (refuse.blocks != blocks) fail(name, "%ld blocks are left", refuse.blocks - blocks);
      if (refuse.mapped != mapped) fail(name, "%ld bytes are left mapped", refuse.mapped - mapped);
      if (open_files() != files) fail(name, "%d files are left open", open_files() - files);
      refuse.blocks = blocks, refuse.mapped = mapped;
      if (failed > failures + 4) break;
      if (refuse.at && refuse.count < refuse.at) break; /* there was no such one */
      total = refuse.at;
    }
  }
  if (failed == failures) passed++, printf("ok alloc: %s: %u refusals\n", name, total);
}

static char *read_file(const char *path, size_t *size) {
  FILE *f = fopen(path, "rb");
  char *text = malloc(1 << 16);
  if (!f || !text) exit(2);
  *size = fread(text, 1, 1 << 16, f);
  fclose(f);
  return text;
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    mv_options_t options;
  } ways[] = {{"run", {0}}, {"run eagerly, with fuel", {.eager = true, .fuel = true, .interruptible = true, .max_depth = 1000}}, {"run profiled", {.profile = true, .no_fusion = true}}};
  null = fopen("/dev/null", "w");
  if (!null) return 2;
  for (int i = 1; i < argc; i++) {
    struct input in = {.path = argv[i]};
    mv_error_t err;
    in.text = read_file(argv[i], &in.text_size);
    if (!mv_wat2wasm(in.text, in.text_size, mv_features_default(), &in.binary, &in.binary_size, &err)) {
      printf("FAIL alloc: %s: %s\n", argv[i], err.message);
      failed++;
      continue;
    }
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
      in.options = &ways[w].options;
      inject(ways[w].name, &in, run_case);
    }
    inject("text", &in, parse_case);
    inject("binary", &in, print_case);
    inject("shown", &in, show_case);
    inject("script", &in, script_case);
    mv_free(in.binary);
    free(in.text);
  }
  inject("embedding", &(struct input){.path = ""}, embed_case);
  fclose(null);
  printf("%u passed, %u failed\n", passed, failed);
  return failed != 0;
}
