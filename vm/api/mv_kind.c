/* mv_bytes_kind: what a file that is no core module is, so that an error can name it. */
#include <ctype.h>
#include <string.h>

#include "binary/reader.h"

struct magic {
  const char *bytes;
  size_t size;
  const char *kind;
};

#define MAGIC(bytes, kind) {bytes, sizeof bytes - 1, kind}

static const char *by_magic(const uint8_t *b, size_t size) {
  static const struct magic list[] = {
      MAGIC("\0asm\x0d\0\1\0", "WebAssembly component"),
      MAGIC("\0asm\x0a\0\1\0", "WebAssembly component (an early draft)"),
      MAGIC("\0mvm\r\n\x1a\n", "precompiled module"),
      MAGIC("\x1f\x8b", "gzip file"),
      MAGIC("\x28\xb5\x2f\xfd", "zstd file"),
      MAGIC("\xfd" "7zXZ", "xz file"),
      MAGIC("BZh", "bzip2 file"),
      MAGIC("PK\3\4", "zip file"),
      MAGIC("\x7f" "ELF", "ELF file (native code)"),
      MAGIC("\xcf\xfa\xed\xfe", "Mach-O file (native code)"),
      MAGIC("\xca\xfe\xba\xbe", "Java class or Mach-O file"),
      MAGIC("MZ", "Windows program"),
      MAGIC("BC\xc0\xde", "LLVM bitcode file"),
      MAGIC("!<arch>\n", "static library"),
      MAGIC("#!", "script"),
      MAGIC("<!", "HTML file"),
      MAGIC("<html", "HTML file"),
      MAGIC("%PDF", "PDF file"),
      MAGIC("\x89PNG", "PNG picture"),
      MAGIC("\0aot", "module compiled ahead of time for another engine"),
  };
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (size >= list[i].size && memcmp(b, list[i].bytes, list[i].size) == 0) return list[i].kind;
  return NULL;
}

/* A text module begins with a parenthesis, behind white space and comments. */
static bool is_text(const uint8_t *b, size_t size) {
  size_t i = 0, depth = 0;
  while (i < size) {
    if (depth == 0 && isspace(b[i])) i++;
    else if (depth == 0 && i + 1 < size && b[i] == ';' && b[i + 1] == ';') {
      while (i < size && b[i] != '\n') i++;
    } else if (i + 1 < size && b[i] == '(' && b[i + 1] == ';') {
      depth++;
      i += 2;
    } else if (depth > 0 && i + 1 < size && b[i] == ';' && b[i + 1] == ')') {
      depth--;
      i += 2;
    } else if (depth > 0) i++;
    else return b[i] == '(';
  }
  return false;
}

/* The import section of a core module, as far as names go: "wasi:cli/..." is preview 2. */
static bool imports_preview2(const uint8_t *b, size_t size) {
  struct reader r = {b, b + 8, b + size, NULL};
  uint8_t id;
  uint32_t bytes, count;
  struct name module;
  while (reader_left(&r) > 0) {
    if (!reader_byte(&r, &id) || !reader_u32(&r, &bytes)) return false;
    if (id == 2) break;
    if (!reader_skip(&r, bytes)) return false;
  }
  return reader_left(&r) > 0 && reader_u32(&r, &count) && count > 0 && reader_name(&r, &module) && module.size > 5 && memcmp(module.bytes, "wasi:", 5) == 0;
}

const char *mv_bytes_kind(const void *bytes, size_t size) {
  const uint8_t *b = bytes;
  if (size == 0) return "empty file";
  const char *kind = by_magic(b, size);
  if (kind) return kind;
  if (size >= 8 && memcmp(b, "\0asm\1\0\0\0", 8) == 0) return imports_preview2(b, size) ? "WASI preview 2 module" : NULL;
  return is_text(b, size) ? "text module" : NULL;
}
