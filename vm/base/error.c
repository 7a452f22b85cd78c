/* Reporting a failure. */
#include "base/error.h"

#include <string.h>

#include "base/utf8.h"

bool error_setv(mv_error_t *err, mv_kind_t kind, uint64_t offset, const char *format, va_list args) {
  char text[MV_ERROR_TEXT];
  if (!err || err->kind != MV_OK) return false;
  err->kind = kind;
  err->offset = offset;
  vsnprintf(text, sizeof text, format, args);
  mv_visible(text, strlen(text), err->message, sizeof err->message);
  return false;
}

bool error_set(mv_error_t *err, mv_kind_t kind, uint64_t offset, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)error_setv(err, kind, offset, format, args);
  va_end(args);
  return false;
}

bool error_no_memory(mv_error_t *err, size_t bytes) {
  return error_set(err, MV_NO_MEMORY, MV_NO_OFFSET, "out of memory: %zu bytes could not be allocated", bytes);
}

const char *mv_kind_name(mv_kind_t kind) {
  static const char *const names[] = {
      [MV_OK] = "ok",
      [MV_MALFORMED] = "malformed module",
      [MV_INVALID] = "invalid module",
      [MV_UNLINKABLE] = "unlinkable module",
      [MV_TRAP] = "trap",
      [MV_EXHAUSTION] = "exhaustion",
      [MV_EXCEPTION] = "uncaught exception",
      [MV_OUT_OF_FUEL] = "out of fuel",
      [MV_INTERRUPTED] = "interrupted",
      [MV_NO_MEMORY] = "out of memory",
      [MV_LIMIT] = "limit",
      [MV_EXIT] = "exit",
      [MV_USAGE] = "usage",
  };
  return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}
