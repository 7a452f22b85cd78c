/* mv_module_inspect: a module's sections, imports, exports and sizes, as text or as JSON. */
#include <inttypes.h>
#include <string.h>

#include "api/api.h"
#include "base/utf8.h"
#include "binary/reader.h"

enum { TYPE_TEXT = 512 };

static const char *section_name(uint8_t id) {
  static const char names[][12] = {"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count", "tag"};
  return id < sizeof names / sizeof *names ? names[id] : "unknown";
}

static const char *kind_name(uint8_t kind) {
  static const char names[][8] = {"func", "table", "memory", "global", "tag"};
  return kind < 5 ? names[kind] : "unknown";
}

/* ---- strings: what a terminal would obey is shown, in JSON as JSON has it ---- */

/* An escape of the character at s, which is well-formed and none of those that need four bytes. Returns its length. */
static size_t json_escape(FILE *out, const char *s) {
  const uint8_t *b = (const uint8_t *)s;
  size_t n = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : 3;
  unsigned c = n == 1 ? b[0] : n == 2 ? (b[0] & 0x1fu) << 6 | (b[1] & 0x3fu) : (b[0] & 0xfu) << 12 | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu);
  fprintf(out, "\\u%04x", c);
  return n;
}

static void put_string(FILE *out, bool json, const char *s, size_t size) {
  fputc('"', out);
  for (size_t n; size > 0; s += n, size -= n) {
    n = utf8_visible(s, size);
    if (*s == '"' || *s == '\\') fputc('\\', out);
    if (n) fwrite(s, 1, n, out);
    else if (json) n = json_escape(out, s);
    else mv_print_visible(s, n = 1, out);
  }
  fputc('"', out);
}

static void put_name(FILE *out, bool json, const struct name *name) { put_string(out, json, name->bytes, name->size); }

/* ---- sections: walked again over the bytes, which are known to be well-formed ---- */

struct section {
  uint8_t id;
  uint64_t offset, size; /* of the contents */
  uint32_t entries;
  bool counted;
  struct name name; /* custom */
};

static bool next_section(struct reader *r, struct section *s) {
  uint32_t size;
  *s = (struct section){0};
  if (reader_left(r) == 0 || !reader_byte(r, &s->id) || !reader_u32(r, &size)) return false;
  s->offset = reader_offset(r);
  s->size = size;
  struct reader in = *r;
  if (!reader_skip(r, size)) return false;
  in.end = r->pos;
  if (s->id == 0) return reader_name(&in, &s->name);
  s->counted = s->id != 8 && s->id != 12;
  return !s->counted || reader_u32(&in, &s->entries);
}

static void print_sections(const struct module *m, bool json, FILE *out) {
  struct reader r = {m->bytes, m->bytes + 8, m->bytes + m->size, NULL};
  struct section s;
  const char *sep = "";
  fputs(json ? ",\"sections\":[" : "sections:\n", out);
  while (next_section(&r, &s)) {
    if (json) {
      fprintf(out, "%s{\"name\":\"%s\",\"offset\":%" PRIu64 ",\"size\":%" PRIu64, sep, section_name(s.id), s.offset, s.size);
      if (s.counted) fprintf(out, ",\"entries\":%" PRIu32, s.entries);
      if (s.id == 0) {
        fputs(",\"custom\":", out);
        put_name(out, true, &s.name);
      }
      fputc('}', out);
    } else {
      fprintf(out, "  %-10s 0x%08" PRIx64 " %10" PRIu64 " bytes", section_name(s.id), s.offset, s.size);
      if (s.counted) fprintf(out, " %8" PRIu32 " entries", s.entries);
      if (s.id == 0) {
        fputc(' ', out);
        put_name(out, false, &s.name);
      }
      fputc('\n', out);
    }
    sep = ",";
  }
  if (json) fputc(']', out);
}

/* ---- imports and exports ---- */

static void print_imports(const struct module *m, bool json, FILE *out) {
  char type[TYPE_TEXT];
  fputs(json ? ",\"imports\":[" : m->nimports ? "imports:\n" : "", out);
  for (uint32_t i = 0; i < m->nimports; i++) {
    const struct import *im = &m->imports[i];
    import_print(m, im, type, sizeof type);
    if (json) {
      fputs(i ? ",{\"module\":" : "{\"module\":", out);
      put_name(out, true, &im->module);
      fputs(",\"name\":", out);
      put_name(out, true, &im->name);
      fprintf(out, ",\"kind\":\"%s\",\"type\":", kind_name(im->kind));
      put_string(out, true, type, strlen(type));
      fputc('}', out);
    } else {
      fprintf(out, "  %-7s", kind_name(im->kind));
      put_name(out, false, &im->module);
      fputc(' ', out);
      put_name(out, false, &im->name);
      fprintf(out, " %s\n", type);
    }
  }
  if (json) fputc(']', out);
}

static void print_exports(const struct module *m, bool json, FILE *out) {
  char type[TYPE_TEXT];
  fputs(json ? ",\"exports\":[" : m->nexports ? "exports:\n" : "", out);
  for (uint32_t i = 0; i < m->nexports; i++) {
    const struct export *ex = &m->exports[i];
    module_extern_print(m, ex->kind, ex->index, type, sizeof type);
    if (json) {
      fputs(i ? ",{\"name\":" : "{\"name\":", out);
      put_name(out, true, &ex->name);
      fprintf(out, ",\"kind\":\"%s\",\"index\":%" PRIu32 ",\"type\":", kind_name(ex->kind), ex->index);
      put_string(out, true, type, strlen(type));
      fputc('}', out);
    } else {
      fprintf(out, "  %-7s", kind_name(ex->kind));
      put_name(out, false, &ex->name);
      fprintf(out, " %s\n", type);
    }
  }
  if (json) fputc(']', out);
}

/* ---- the whole ---- */

struct count {
  const char *what;
  uint64_t all, imported;
};

static void print_counts(const struct module *m, bool json, FILE *out) {
  uint64_t code = 0, data = 0;
  for (uint32_t i = 0; i < m->nfuncs - m->nimported_funcs; i++) code += m->bodies[i].size;
  for (uint32_t i = 0; i < m->ndatas; i++) data += m->datas[i].size;
  const struct count counts[] = {
      {"types", m->ntypes, 0}, {"functions", m->nfuncs, m->nimported_funcs}, {"tables", m->ntables, m->nimported_tables},
      {"memories", m->nmemories, m->nimported_memories}, {"globals", m->nglobals, m->nimported_globals}, {"tags", m->ntags, m->nimported_tags},
      {"elements", m->nelems, 0}, {"datas", m->ndatas, 0}, {"code_bytes", code, 0}, {"data_bytes", data, 0},
  };
  fputs(json ? ",\"counts\":{" : "counts:\n", out);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    const struct count *c = &counts[i];
    if (json) fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", c->what, c->all);
    else if (c->imported) fprintf(out, "  %-10s %10" PRIu64 " (%" PRIu64 " imported)\n", c->what, c->all, c->imported);
    else if (c->all) fprintf(out, "  %-10s %10" PRIu64 "\n", c->what, c->all);
  }
  if (json) fputc('}', out);
}

static void print_memories(const struct module *m, bool json, FILE *out) {
  for (uint32_t i = 0; !json && i < m->nmemories; i++) {
    char type[TYPE_TEXT];
    fprintf(out, "memory %" PRIu32 ": %s\n", i, module_extern_print(m, EXTERN_MEMORY, i, type, sizeof type));
  }
}

bool mv_module_inspect(const wasm_module_t *module, bool json, FILE *out, mv_error_t *err) {
  const struct module *m = module->ref.u.module->m;
  struct name name = {0};
  bool named = module_name(m, &name);
  if (err) *err = (mv_error_t){.offset = MV_NO_OFFSET};
  if (json) {
    fputs("{\"name\":", out);
    if (named) put_name(out, true, &name);
    else fputs("null", out);
    fprintf(out, ",\"size\":%zu", m->size);
  } else {
    fputs("module", out);
    if (named) fputc(' ', out), put_name(out, false, &name);
    fprintf(out, ": %zu bytes\n", m->size);
  }
  print_sections(m, json, out);
  print_counts(m, json, out);
  print_memories(m, json, out);
  print_imports(m, json, out);
  print_exports(m, json, out);
  if (json) {
    fputs(",\"start\":", out);
    if (m->has_start) fprintf(out, "%" PRIu32, m->start);
    else fputs("null", out);
    fputs("}\n", out);
  } else if (m->has_start) {
    fprintf(out, "start: function %" PRIu32 "\n", m->start);
  }
  return !ferror(out) || error_set(err, MV_USAGE, MV_NO_OFFSET, "the output could not be written");
}
