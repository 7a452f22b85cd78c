/* world.c: world.h. */
#include "world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

struct function {
  char module[32], name[32], sig[16];
  mv_host_fn fn;
  void *env;
};

struct mv_linker {
  struct function functions[128];
  unsigned count;
};

static struct mv_linker linker;
uint32_t world_defences_off;

/* ---- the engine's part ------------------------------------------------------------------------------------ */

bool mv_linker_func(mv_linker_t *l, const char *module, const char *name, const char *sig, mv_host_fn fn, void *env) {
  struct function *f;
  if (l->count >= 128) return false;
  f = &l->functions[l->count++];
  snprintf(f->module, sizeof f->module, "%s", module);
  snprintf(f->name, sizeof f->name, "%s", name);
  snprintf(f->sig, sizeof f->sig, "%s", sig);
  f->fn = fn;
  f->env = env;
  return true;
}

bool mv_caller_memory(mv_caller_t *c, uint8_t **base, uint64_t *size) {
  *base = c->world->memory;
  *size = MEMORY_SIZE;
  return !c->world->no_memory;
}

static bool throw(mv_caller_t *c, mv_kind_t kind, int code, const char *format, va_list args) {
  c->world->kind = kind;
  c->world->code = code;
  vsnprintf(c->world->message, sizeof c->world->message, format, args);
  return false;
}

bool mv_throw_trap(mv_caller_t *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)throw(c, MV_TRAP, 0, format, args);
  va_end(args);
  return false;
}

bool mv_throw(mv_caller_t *c, mv_kind_t kind, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)throw(c, kind, 0, format, args);
  va_end(args);
  return false;
}

bool mv_throw_exit(mv_caller_t *c, int code) {
  c->world->kind = MV_EXIT;
  c->world->code = code;
  return false;
}

bool mv_caller_interrupted(mv_caller_t *c) {
  struct world *t = c->world;
  return ++t->asked >= t->interrupt_after && t->interrupt_after > 0;
}

/* ---- the world -------------------------------------------------------------------------------------------- */

struct world *world_new_bare(void) {
  struct world *t = calloc(1, sizeof *t);
  assert_non_null(t);
  t->caller.world = t;
  t->text = TEXT;
  memset(t->memory + MEMORY_SIZE, CANARY, MEMORY_BEYOND);
  t->wasi = mv_wasi_new();
  assert_non_null(t->wasi);
  t->wasi->defences_off = world_defences_off;
  memset(&linker, 0, sizeof linker);
  assert_true(mv_wasi_define(t->wasi, &linker));
  return t;
}

struct world *world_new(void) {
  struct world *t = world_new_bare();
  char path[512];
  strcpy(t->root, "/tmp/wasi-test-XXXXXX");
  assert_non_null(mkdtemp(t->root));
  world_mkdir(t, "box");
  world_mkdir(t, "ro");
  world_mkdir(t, "outside");
  world_write(t, "outside/secret", "SECRET");
  world_write(t, "ro/file", "fixed");
  world_mkdir(t, "ro/sub");
  world_write(t, "ro/sub/file", "fixed");
  assert_true(mv_wasi_dir(t->wasi, world_path(t, "box", path), "/", false));
  assert_true(mv_wasi_dir(t->wasi, world_path(t, "ro", path), "/ro", true));
  return t;
}

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

void world_delete(struct world *t) {
  mv_wasi_delete(t->wasi);
  if (t->root[0]) assert_int_equal(nftw(t->root, delete_one, 16, FTW_DEPTH | FTW_PHYS), 0);
  free(t);
}

static struct function *find(const char *module, const char *name) {
  for (unsigned i = 0; i < linker.count; i++)
    if (strcmp(linker.functions[i].module, module) == 0 && strcmp(linker.functions[i].name, name) == 0) return &linker.functions[i];
  return NULL;
}

bool world_defines(const char *module, const char *name, const char *sig) {
  struct function *f = find(module, name);
  return f && strcmp(f->sig, sig) == 0;
}

unsigned world_count(void) { return linker.count; }

int world_call(struct world *t, const char *name, const uint64_t *args) {
  struct function *f = find(t->unstable ? "wasi_unstable" : "wasi_snapshot_preview1", name);
  uint64_t cells[16] = {0};
  size_t params;
  assert_non_null(f);
  params = (size_t)(strchr(f->sig, ':') - f->sig);
  memcpy(cells, args, params * sizeof *cells);
  for (size_t i = 0; i < params; i++) /* as an engine passes them */
    if (f->sig[i] == 'i') cells[i] = (uint32_t)cells[i];
  t->kind = MV_OK;
  t->message[0] = '\0';
  t->asked = 0;
  if (!f->fn(&t->caller, f->env, cells)) {
    assert_int_not_equal(t->kind, MV_OK);
    return TRAPPED;
  }
  assert_int_equal(t->kind, MV_OK);
  assert_true(cells[0] <= WASI_ENOTCAPABLE);
  return (int)cells[0];
}

uint32_t world_text(struct world *t, const char *text) {
  uint32_t at = t->text, len = (uint32_t)strlen(text);
  if (at + len > MEMORY_SIZE) at = TEXT;
  assert_true(at + len <= MEMORY_SIZE);
  memcpy(t->memory + at, text, len);
  t->text = at + len;
  return at;
}

const char *world_path(struct world *t, const char *relative, char out[512]) {
  snprintf(out, 512, "%s/%s", t->root, relative);
  return out;
}

void world_write(struct world *t, const char *relative, const char *text) {
  char path[512];
  FILE *f = fopen(world_path(t, relative, path), "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

const char *world_read(struct world *t, const char *relative, char out[512]) {
  char path[512];
  FILE *f = fopen(world_path(t, relative, path), "r");
  size_t n;
  if (!f) return "(none)";
  n = fread(out, 1, 511, f);
  out[n] = '\0';
  fclose(f);
  return out;
}

void world_mkdir(struct world *t, const char *relative) {
  char path[512];
  assert_int_equal(mkdir(world_path(t, relative, path), 0777), 0);
}

void world_symlink(struct world *t, const char *target, const char *relative) {
  char path[512];
  assert_int_equal(symlink(target, world_path(t, relative, path)), 0);
}

bool world_exists(struct world *t, const char *relative) {
  char path[512];
  struct stat st;
  return lstat(world_path(t, relative, path), &st) == 0;
}

int world_open(struct world *t, uint32_t dir, const char *path, uint32_t oflags, uint64_t rights, uint32_t fdflags) {
  int err = CALL(t, path_open, dir, 0, PATH(t, path), oflags, rights, rights, fdflags, OUT);
  return err == 0 ? (int)get32(t, OUT) : err > 0 ? -err : -0x10000;
}

int world_fd_write(struct world *t, uint32_t fd, const char *text) {
  return CALL(t, fd_write, fd, one(t, world_text(t, text), (uint32_t)strlen(text)), 1, OUT);
}

const char *world_fd_read(struct world *t, uint32_t fd) {
  if (CALL(t, fd_read, fd, one(t, BUF, 256), 1, OUT) != 0) return NULL;
  t->memory[BUF + get32(t, OUT)] = 0;
  return (const char *)t->memory + BUF;
}
