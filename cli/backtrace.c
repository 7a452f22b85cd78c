/* backtrace.c: prints the guest's frames. Source lines come from a part of the program that reads DWARF with libdw; it is loaded only for a module that
 * has such sections. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "dwarf/dwarf.h"

/* Prints one line of the engine's backtrace, "  #0 0x1234 name", with the source line behind it. */
static void print_frame(const struct dwarf_part *part, struct dwarf_lines *lines, const char *text, size_t size, FILE *out) {
  const char *hex = memchr(text, 'x', size), *file;
  int line;
  print_visible(text, size, out);
  if (lines && hex && hex > text && hex[-1] == '0' && part->find(lines, strtoull(hex + 1, NULL, 16), &file, &line))
    fprintf(out, " (%s:%d)", file, line);
  fputc('\n', out);
}

static bool has_dwarf(const uint8_t *bytes, size_t size) {
  static const char section[] = ".debug_line";
  const uint8_t *end = bytes + size, *p = bytes;
  while ((p = memchr(p, '.', (size_t)(end - p))) && (size_t)(end - p) >= sizeof section) {
    if (!memcmp(p, section, sizeof section - 1)) return true;
    p++;
  }
  return false;
}

static struct dwarf_lines *open_lines(const wasm_module_t *module, const struct dwarf_part **part) {
  const struct dwarf_part *(*entry)(void);
  const uint8_t *bytes;
  const char *why;
  size_t size;
  if (!module) return NULL;
  mv_module_bytes(module, &bytes, &size);
  if (!has_dwarf(bytes, size) || !part_load("dwarf", "mv_part_dwarf", &entry, &why)) return NULL;
  *part = entry();
  return (*part)->open(bytes, size);
}

void backtrace_print(const char *backtrace, const wasm_module_t *module, FILE *out) {
  const struct dwarf_part *part = NULL;
  struct dwarf_lines *lines = *backtrace ? open_lines(module, &part) : NULL;
  while (*backtrace) {
    size_t size = strcspn(backtrace, "\n");
    print_frame(part, lines, backtrace, size, out);
    backtrace += size + (backtrace[size] == '\n');
  }
  if (lines) part->close(lines);
}
