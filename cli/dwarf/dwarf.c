/* dwarf.c: minivm-dwarf.so: source lines from a module's DWARF sections (the WebAssembly tool conventions: custom sections .debug_*, addresses relative
 * to the contents of the code section), read by libdw from elfutils.
 *
 * libdw reads ELF files, so the sections are put into an ELF file in memory that has nothing else. */
#include "dwarf.h"

#include <elf.h>
#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SECTIONS = 32 };

struct section {
  const char *name; /* not terminated */
  size_t name_size;
  const uint8_t *bytes;
  size_t size;
};

struct dwarf_lines {
  uint8_t *image;
  Elf *elf;
  Dwarf *dwarf;
  uint64_t code; /* offset of the code section's contents */
};

/* ---- the module's sections (core/binary/modules) -------------------------------------------------------- */

/* An unsigned LEB128 of 32 bits. false at the end of the bytes. */
static bool read_u32(const uint8_t **p, const uint8_t *end, uint32_t *out) {
  uint32_t value = 0;
  for (unsigned shift = 0; *p < end && shift < 35; shift += 7) {
    uint8_t byte = *(*p)++;
    value |= (uint32_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *out = value;
      return true;
    }
  }
  return false;
}

/* Finds the code section and the .debug_ sections. Returns how many of the latter. */
static size_t find_sections(const uint8_t *bytes, size_t size, struct section *out, uint64_t *code) {
  static const char prefix[] = ".debug_";
  const uint8_t *p = bytes + 8, *end = bytes + size;
  size_t n = 0;
  while (size > 8 && p < end && n < MAX_SECTIONS) {
    uint8_t id = *p++;
    uint32_t length, name;
    const uint8_t *next;
    if (!read_u32(&p, end, &length) || length > (size_t)(end - p)) break;
    next = p + length;
    if (id == 10) *code = (uint64_t)(p - bytes);
    if (id == 0 && read_u32(&p, next, &name) && name <= (size_t)(next - p) && name >= sizeof prefix && !memcmp(p, prefix, sizeof prefix - 1))
      out[n++] = (struct section){(const char *)p, name, p + name, (size_t)(next - p) - name};
    p = next;
  }
  return n;
}

/* ---- the ELF file --------------------------------------------------------------------------------------- */

/* Layout: header, section headers (empty, names, then ours), names, contents. All fields are little-endian like the sections themselves. */
static void put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)v, p[1] = (uint8_t)(v >> 8); }
static void put32(uint8_t *p, uint32_t v) { put16(p, v & 0xffff), put16(p + 2, v >> 16); }

static void put_header(uint8_t *p, size_t sections) {
  static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT};
  memcpy(p, ident, sizeof ident);
  put16(p + offsetof(Elf32_Ehdr, e_type), ET_EXEC);
  put16(p + offsetof(Elf32_Ehdr, e_machine), EM_386); /* some machine of 32 bits that libdw knows */
  put32(p + offsetof(Elf32_Ehdr, e_version), EV_CURRENT);
  put32(p + offsetof(Elf32_Ehdr, e_shoff), sizeof(Elf32_Ehdr));
  put16(p + offsetof(Elf32_Ehdr, e_ehsize), sizeof(Elf32_Ehdr));
  put16(p + offsetof(Elf32_Ehdr, e_shentsize), sizeof(Elf32_Shdr));
  put16(p + offsetof(Elf32_Ehdr, e_shnum), (unsigned)sections);
  put16(p + offsetof(Elf32_Ehdr, e_shstrndx), 1);
}

static void put_section(uint8_t *p, size_t name, uint32_t type, size_t offset, size_t size) {
  put32(p + offsetof(Elf32_Shdr, sh_name), (uint32_t)name);
  put32(p + offsetof(Elf32_Shdr, sh_type), type);
  put32(p + offsetof(Elf32_Shdr, sh_offset), (uint32_t)offset);
  put32(p + offsetof(Elf32_Shdr, sh_size), (uint32_t)size);
  put32(p + offsetof(Elf32_Shdr, sh_addralign), 1);
}

static uint8_t *make_elf(const struct section *s, size_t n, size_t *out_size) {
  static const char own_names[] = "\0.shstrtab";
  size_t names = sizeof own_names, contents = 0, offset, name = sizeof own_names;
  uint8_t *image, *headers;
  for (size_t i = 0; i < n; i++) names += s[i].name_size + 1, contents += s[i].size;
  offset = sizeof(Elf32_Ehdr) + (n + 2) * sizeof(Elf32_Shdr);
  if (contents > UINT32_MAX / 2) return NULL;
  *out_size = offset + names + contents;
  image = calloc(1, *out_size);
  if (!image) return NULL;
  headers = image + sizeof(Elf32_Ehdr);
  put_header(image, n + 2);
  put_section(headers + sizeof(Elf32_Shdr), 1, SHT_STRTAB, offset, names);
  memcpy(image + offset, own_names, sizeof own_names);
  contents = offset + names;
  for (size_t i = 0; i < n; i++) {
    memcpy(image + offset + name, s[i].name, s[i].name_size);
    memcpy(image + contents, s[i].bytes, s[i].size);
    put_section(headers + (i + 2) * sizeof(Elf32_Shdr), name, SHT_PROGBITS, contents, s[i].size);
    name += s[i].name_size + 1;
    contents += s[i].size;
  }
  return image;
}

/* ---- interface ----------------------------------------------------------------------------------------- */

static void lines_close(struct dwarf_lines *l) {
  if (l->dwarf) dwarf_end(l->dwarf);
  if (l->elf) elf_end(l->elf);
  free(l->image);
  free(l);
}

static struct dwarf_lines *lines_open(const uint8_t *bytes, size_t size) {
  struct section sections[MAX_SECTIONS];
  struct dwarf_lines *l = calloc(1, sizeof *l);
  size_t n, image_size = 0;
  if (!l) return NULL;
  n = find_sections(bytes, size, sections, &l->code);
  l->image = make_elf(sections, n, &image_size);
  elf_version(EV_CURRENT);
  if (l->image) l->elf = elf_memory((char *)l->image, image_size);
  if (l->elf) l->dwarf = dwarf_begin_elf(l->elf, DWARF_C_READ, NULL);
  if (l->dwarf) return l;
  lines_close(l);
  return NULL;
}

/* The row of an address, or the nearest one before it in the same sequence that has a line: compilers give line 0 to what they made up. */
static Dwarf_Line *row_of(Dwarf_Die *unit, Dwarf_Addr at) {
  Dwarf_Lines *lines;
  Dwarf_Line *best = NULL;
  size_t n;
  if (dwarf_getsrclines(unit, &lines, &n) != 0) return NULL;
  for (size_t i = 0; i < n; i++) {
    Dwarf_Line *row = dwarf_onesrcline(lines, i);
    Dwarf_Addr address;
    bool end;
    int line;
    if (dwarf_lineaddr(row, &address) != 0 || address > at || dwarf_lineendsequence(row, &end) != 0 || dwarf_lineno(row, &line) != 0) continue;
    if (end) best = NULL;
    else if (line > 0) best = row;
  }
  return best;
}

/* A compilation unit's line table may lack the ranges that dwarf_addrdie wants, so all units are asked; this happens once a frame of a failed run. */
static bool lines_find(struct dwarf_lines *l, uint64_t offset, const char **file, int *line) {
  Dwarf_Off unit = 0, next;
  size_t header;
  if (offset < l->code) return false;
  while (dwarf_nextcu(l->dwarf, unit, &next, &header, NULL, NULL, NULL) == 0) {
    Dwarf_Die die;
    Dwarf_Line *row;
    if (dwarf_offdie(l->dwarf, unit + header, &die) && dwarf_haspc(&die, offset - l->code) > 0 && (row = row_of(&die, offset - l->code)) != NULL &&
        (*file = dwarf_linesrc(row, NULL, NULL)) != NULL && dwarf_lineno(row, line) == 0)
      return true;
    unit = next;
  }
  return false;
}

const struct dwarf_part *mv_part_dwarf(void) {
  static const struct dwarf_part part = {lines_open, lines_find, lines_close};
  return &part;
}
