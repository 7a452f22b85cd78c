/* file.c: reading modules. A regular file is mapped, not copied; standard input and pipes are read to their end; text becomes binary here. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

enum { MODULE_MAX = 1 << 30 }; /* bytes; as other engines have it */

/* ---- bytes --------------------------------------------------------------------------------------------- */

static const uint8_t magic[4] = {0, 'a', 's', 'm'};

static bool is_binary(const struct file *f) { return f->size >= sizeof magic && !memcmp(f->bytes, magic, sizeof magic); }

/* Can the beginning be that of a module? /dev/zero has no end. */
static bool promising(const struct file *f) {
  size_t i = 0;
  if (f->size < sizeof magic || is_binary(f) || mv_bytes_precompiled(f->bytes, f->size)) return true;
  while (i < f->size && f->bytes[i] && strchr(" \t\r\n", f->bytes[i])) i++;
  return i == f->size || f->bytes[i] == '(' || f->bytes[i] == ';';
}

/* Reads `fd` to its end into malloc'ed memory. false: errno says why. */
static bool read_all(struct file *f, int fd) {
  size_t cap = 0;
  while (promising(f)) {
    ssize_t n;
    if (f->size > MODULE_MAX) {
      errno = EFBIG;
      return false;
    }
    if (f->size == cap) {
      uint8_t *more = cap > SIZE_MAX / 2 ? NULL : realloc(f->bytes, cap ? cap * 2 : 65536);
      if (!more) {
        errno = ENOMEM;
        return false;
      }
      f->bytes = more;
      cap = cap ? cap * 2 : 65536;
    }
    n = read(fd, f->bytes + f->size, cap - f->size);
    if (n == 0) return true;
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) f->size += (size_t)n;
  }
  return true;
}

static bool read_fd(struct file *f, int fd) {
  struct stat st;
  void *map;
  if (fstat(fd, &st) != 0) return false;
  if (S_ISDIR(st.st_mode)) {
    errno = EISDIR;
    return false;
  }
  if (!S_ISREG(st.st_mode) || st.st_size <= 0 || lseek(fd, 0, SEEK_CUR) != 0) return read_all(f, fd);
  if (st.st_size > MODULE_MAX) {
    errno = EFBIG;
    return false;
  }
  map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED) return read_all(f, fd);
  f->bytes = map;
  f->size = (size_t)st.st_size;
  f->mapped = true;
  return true;
}

static bool read_path(struct file *f) {
  bool ok;
  int fd, saved;
  if (!strcmp(f->path, "-")) return read_fd(f, STDIN_FILENO);
  fd = open(f->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ok = read_fd(f, fd);
  saved = errno;
  if (ok && f->mapped && mv_bytes_precompiled(f->bytes, f->size)) f->fd = fd;
  else close(fd);
  errno = saved;
  return ok;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

bool has_suffix(const char *path, const char *suffix) {
  size_t n = strlen(path), m = strlen(suffix);
  return n >= m && !strcmp(path + n - m, suffix);
}

static bool is_text(const struct file *f) {
  const char *kind;
  if (is_binary(f) || mv_bytes_precompiled(f->bytes, f->size)) return false;
  if (has_suffix(f->path, ".wat")) return true;
  kind = mv_bytes_kind(f->bytes, f->size);
  return kind && strstr(kind, "text");
}

/* ---- what is wrong with a module ----------------------------------------------------------------------- */

/* Is the file a module with these features? */
static bool accepted(const struct file *f, mv_features_t features) {
  const mv_options_t options = {.features = features};
  const uint8_t *bytes = f->bytes;
  uint8_t *binary = NULL;
  size_t size = f->size;
  wasm_engine_t *engine = engine_open(&options);
  bool ok = engine != NULL;
  if (ok && is_text(f)) {
    ok = mv_wat_parse((const char *)f->bytes, f->size, features, MV_WAT_NO_NAMES, &binary, &size, NULL, NULL);
    bytes = binary;
  }
  ok = ok && mv_module_check(engine, bytes, size, NULL);
  mv_free(binary);
  wasm_engine_delete(engine);
  return ok;
}

/* `needed` without those of `some` that are not. */
static mv_features_t narrowed(const struct file *f, mv_features_t needed, mv_features_t some) {
  for (unsigned bit = 0; bit < MV_FEATURE_COUNT; bit++)
    if (needed & some & 1u << bit && accepted(f, (f->features | needed) & ~(1u << bit))) needed &= ~(1u << bit);
  return needed;
}

/* The features that a refused module needs beyond those it has, rather those that are on by default, as "; it needs --features A,B", or "". */
static const char *needs(const struct file *f, const mv_error_t *err, char *buf, size_t size) {
  mv_features_t off = mv_features_all() & ~f->features, needed = off;
  int n;
  *buf = 0;
  if (!off || (err->kind != MV_MALFORMED && err->kind != MV_INVALID) || !accepted(f, mv_features_all())) return buf;
  needed = narrowed(f, narrowed(f, needed, ~mv_features_default()), mv_features_default());
  n = snprintf(buf, size, "; it needs --features ");
  for (unsigned bit = 0; bit < MV_FEATURE_COUNT; bit++)
    if (needed >> bit & 1) n += snprintf(buf + n, size - (size_t)n, "%s%s", buf[n - 1] == ' ' ? "" : ",", mv_feature_name(bit));
  return needed ? buf : "";
}

void file_report(const struct file *f, const mv_error_t *err) {
  char more[MV_FEATURE_COUNT * 26 + 26];
  const char *kind = mv_kind_name(err->kind), *need;
  uint32_t line = err->line, column = err->column;
  if (f->detail == DETAIL_NONE) return;
  need = needs(f, err, more, sizeof more);
  if (!line && f->map && err->offset != MV_NO_OFFSET && !mv_wat_map_find(f->map, err->offset, &line, &column)) line = 0;
  if (line) {
    report(kind, "%s:%u:%u: %s%s", f->path, (unsigned)line, (unsigned)column, err->message, need);
    if (f->detail == DETAIL_FULL) mv_wat_caret((const char *)f->bytes, f->size, line, column, stderr);
  } else if (err->offset != MV_NO_OFFSET && err->kind <= MV_INVALID && !f->map) {
    report(kind, "%s: %s (at offset 0x%llx)%s", f->path, err->message, (unsigned long long)err->offset, need);
  } else {
    report(kind, "%s: %s%s", f->path, err->message, need);
  }
}

/* Names what is no core module by its first bytes; a preview 2 module fails when it is linked. */
static bool report_kind(const struct file *f) {
  const char *kind = mv_bytes_kind(f->bytes, f->size);
  if (!kind && !is_binary(f) && f->size >= sizeof magic) kind = "unknown";
  if (!kind || strstr(kind, "preview") || mv_bytes_precompiled(f->bytes, f->size)) return true;
  if (f->detail == DETAIL_NONE) return false;
  if (!f->size)
    report(mv_kind_name(MV_MALFORMED), "%s: unexpected end: the file is empty", f->path);
  else if (!strcmp(kind, "unknown"))
    report(mv_kind_name(MV_MALFORMED), "%s: magic header not detected: this is neither a binary module nor a text module", f->path);
  else if (strstr(kind, "component"))
    report(mv_kind_name(MV_MALFORMED), "%s: this is a %s; minivm runs core modules", f->path, kind);
  else
    report(mv_kind_name(MV_MALFORMED), "%s: magic header not detected: this is a%s %s", f->path, strchr("AEHIO", *kind) ? "n" : "", kind);
  return false;
}

/* ---- interface ----------------------------------------------------------------------------------------- */

bool file_read(struct file *f, const char *path, mv_features_t features, enum detail detail) {
  *f = (struct file){.path = path, .features = features, .detail = detail, .fd = -1};
  if (read_path(f)) return true;
  report("unreadable module", "%s: %s", *path ? path : "''", strerror(errno));
  file_close(f);
  return false;
}

bool file_open(struct file *f, const char *path, mv_features_t features, enum detail detail) {
  mv_error_t err = {0};
  if (!file_read(f, path, features, detail)) return false;
  if (is_text(f)) {
    if (mv_wat_parse((const char *)f->bytes, f->size, features, 0, &f->binary, &f->binary_size, &f->map, &err)) return true;
    file_report(f, &err);
  } else if (report_kind(f)) {
    return true;
  }
  file_close(f);
  return false;
}

void file_close(struct file *f) {
  if (f->mapped)
    munmap(f->bytes, f->size);
  else
    free(f->bytes);
  if (f->fd >= 0) close(f->fd);
  mv_free(f->binary);
  mv_wat_map_delete(f->map);
  *f = (struct file){.fd = -1};
}

void file_binary(const struct file *f, const uint8_t **bytes, size_t *size) {
  if (mv_precompiled_source(f->bytes, f->size, bytes, size)) return;
  *bytes = f->binary ? f->binary : f->bytes;
  *size = f->binary ? f->binary_size : f->size;
}

wasm_module_t *file_module(const struct file *f, wasm_engine_t *engine) {
  mv_error_t err = {0};
  const uint8_t *bytes;
  size_t size;
  wasm_module_t *module;
  file_binary(f, &bytes, &size);
  module = mv_module_load(engine, bytes, size, true, &err);
  if (!module) file_report(f, &err);
  return module;
}

wasm_module_t *file_program(const struct file *f, wasm_engine_t *engine, bool trusted) {
  mv_error_t err = {0};
  wasm_module_t *module;
  if (!mv_bytes_precompiled(f->bytes, f->size)) return file_module(f, engine);
  if (!trusted) {
    report("untrusted module", "%s: this is a precompiled module, whose code is run unchecked, as native code is; if you trust whoever made it, "
           "say --allow-precompiled", f->path);
    return NULL;
  }
  module = mv_module_deserialize(engine, f->bytes, f->size, f->fd, &err);
  if (!module) file_report(f, &err);
  return module;
}

wasm_engine_t *engine_open(const mv_options_t *options) {
  wasm_config_t *config = wasm_config_new();
  wasm_engine_t *engine = NULL;
  if (config) {
    mv_config_set(config, options);
    engine = wasm_engine_new_with_config(config);
  }
  if (!engine) report(mv_kind_name(MV_NO_MEMORY), "no engine");
  return engine;
}
