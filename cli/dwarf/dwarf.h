/* dwarf.h: what minivm-dwarf.so offers: source lines for offsets in a module. */
#ifndef CLI_DWARF_DWARF_H
#define CLI_DWARF_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dwarf_lines;
struct dwarf_part {
  /* NULL when the module has no line table that libdw understands. The bytes must stay. */
  struct dwarf_lines *(*open)(const uint8_t *bytes, size_t size);
  /* The line of the instruction at a byte offset of the module. *file lives until close. */
  bool (*find)(struct dwarf_lines *, uint64_t offset, const char **file, int *line);
  void (*close)(struct dwarf_lines *);
};

const struct dwarf_part *mv_part_dwarf(void);

#endif
