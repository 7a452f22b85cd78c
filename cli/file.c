/* file.c: reading modules. A regular file is mapped, not copied; standard input and pipes are read to their end; text becomes binary here. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* ---- bytes --------------------------------------------------------------------------------------------- */

/* Reads `fd` to its end into malloc'ed memory. false: errno says why. */
static bool read_all(struct file *f, int fd) {
  size_t cap = 0;
  for (;;) {
    ssize_t n;
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
  if ((uint64_t)st.st_size > SIZE_MAX) {
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
  close(fd);
  errno = saved;
  return ok;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static bool has_suffix(const char *path, const char *suffix) {
  size_t n = strlen(path), m = strlen(suffix);
  return n >= m && !strcmp(path + n - m, suffix);
}

static bool is_text(const struct file *f) {
  const char *kind;
  if (f->size >= 4 && !memcmp(f->bytes, "\0asm", 4)) return false;
  if (has_suffix(f->path, ".wat")) return true;
  kind = mv_bytes_kind(f->bytes, f->size);
  return kind && strstr(kind, "text");
}

/* ---- interface ----------------------------------------------------------------------------------------- */

bool file_open(struct file *f, const char *path, mv_features_t features) {
  mv_error_t err = {0};
  const char *kind;
  *f = (struct file){.path = path};
  if (!read_path(f)) {
    report("unreadable module", "%s: %s", path, strerror(errno));
    file_close(f);
    return false;
  }
  if (is_text(f)) {
    if (mv_wat_parse((const char *)f->bytes, f->size, features, 0, &f->binary, &f->binary_size, &f->map, &err)) return true;
    file_report(f, &err);
    file_close(f);
    return false;
  }
  kind = f->size >= 4 && !memcmp(f->bytes, "\0asm", 4) ? mv_bytes_kind(f->bytes, f->size) : NULL;
  if (kind && strstr(kind, "component")) {
    report(mv_kind_name(MV_MALFORMED), "%s: this is a %s; minivm runs core modules", path, kind);
    file_close(f);
    return false;
  }
  return true;
}

void file_close(struct file *f) {
  if (f->mapped)
    munmap(f->bytes, f->size);
  else
    free(f->bytes);
  mv_free(f->binary);
  mv_wat_map_delete(f->map);
  *f = (struct file){0};
}

void file_binary(const struct file *f, const uint8_t **bytes, size_t *size) {
  *bytes = f->binary ? f->binary : f->bytes;
  *size = f->binary ? f->binary_size : f->size;
}

void file_report(const struct file *f, const mv_error_t *err) {
  const char *kind = mv_kind_name(err->kind);
  uint32_t line = err->line, column = err->column;
  if (!line && f->map && err->offset != MV_NO_OFFSET && !mv_wat_map_find(f->map, err->offset, &line, &column)) line = 0;
  if (line) {
    report(kind, "%s:%u:%u: %s", f->path, (unsigned)line, (unsigned)column, err->message);
    mv_wat_caret((const char *)f->bytes, f->size, line, column, stderr);
  } else if (err->offset != MV_NO_OFFSET && err->kind <= MV_INVALID) {
    report(kind, "%s: %s (at offset 0x%llx)", f->path, err->message, (unsigned long long)err->offset);
  } else {
    report(kind, "%s: %s", f->path, err->message);
  }
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
