/* backtrace.c: prints the guest's frames. Source lines are those of a text module, or come from a part of the program that reads DWARF with libdw; it is
 * loaded only for a module that has such sections. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "dwarf/dwarf.h"

struct sources {
  const struct file *file;
  const struct dwarf_part *part;
  struct dwarf_lines *lines; /* NULL: there are none */
};

/* What is at this offset: " (FILE:LINE)", of a text module with the column. */
static void print_source(const struct sources *s, uint64_t offset, FILE *out) {
  const char *file;
  uint32_t line, column;
  int source_line;
  if (s->lines && s->part->find(s->lines, offset, &file, &source_line)) {
    fputs(" (", out);
    mv_print_visible(file, strlen(file), out);
    fprintf(out, ":%d)", source_line);
  } else if (s->file && s->file->map && mv_wat_map_find(s->file->map, offset, &line, &column)) {
    fputs(" (", out);
    mv_print_visible(s->file->path, strlen(s->file->path), out);
    fprintf(out, ":%u:%u)", (unsigned)line, (unsigned)column);
  }
}

/* Prints one line of the engine's, "  #0 0x1234 name", with the source behind it. */
static void print_frame(const struct sources *s, const char *text, size_t size, FILE *out) {
  const char *hex = memchr(text, 'x', size);
  mv_print_visible(text, size, out);
  if (hex && hex > text && hex[-1] == '0') print_source(s, strtoull(hex + 1, NULL, 16), out);
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

static void open_lines(struct sources *s, const wasm_module_t *module) {
  const struct dwarf_part *(*entry)(void);
  const uint8_t *bytes;
  const char *why;
  size_t size;
  mv_module_bytes(module, &bytes, &size);
  if (!has_dwarf(bytes, size) || !part_load("dwarf", "mv_part_dwarf", &entry, &why)) return;
  s->part = entry();
  s->lines = s->part->open(bytes, size);
}

void backtrace_print(const char *backtrace, const struct file *file, const wasm_module_t *module, FILE *out) {
  struct sources s = {.file = file};
  if (*backtrace && file && module) open_lines(&s, module);
  while (*backtrace) {
    size_t size = strcspn(backtrace, "\n");
    print_frame(&s, backtrace, size, out);
    backtrace += size + (backtrace[size] == '\n');
  }
  if (s.lines) s.part->close(s.lines);
}
