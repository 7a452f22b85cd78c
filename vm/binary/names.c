/* The name section (core/appendix/custom: names). Like every custom section it cannot make a module malformed: whatever is wrong in it is as if it
 * were not there. Where each function's name stands is looked up once per module, at the first question. */
#include <stdlib.h>
#include <string.h>

#include "binary/reader.h"

enum { NAMES_MODULE = 0, NAMES_FUNC = 1, FROM_EXPORT = 1u << 30 };

/* A reader over the contents of subsection `id` of the name section. */
static bool names_subsection(const struct module *m, unsigned id, struct reader *r) {
  for (uint32_t i = 0; i < m->ncustoms; i++) {
    const struct customsec *c = &m->customs[i];
    if (c->name.size != 4 || memcmp(c->name.bytes, "name", 4) != 0) continue;
    const uint8_t *at = m->bytes + c->offset;
    *r = (struct reader){m->bytes, at, at + c->size, NULL};
    uint8_t kind;
    uint32_t size;
    while (reader_byte(r, &kind) && reader_u32(r, &size) && size <= reader_left(r)) {
      if (kind == id) {
        r->end = r->pos + size;
        return true;
      }
      r->pos += size;
    }
  }
  return false;
}

bool module_name(const struct module *m, struct name *out) {
  struct reader r;
  return names_subsection(m, NAMES_MODULE, &r) && reader_name(&r, out);
}

/* For each function: 0, or the offset of its name (length and bytes), or FROM_EXPORT + the number of an export. */
static uint32_t *names_index(const struct module *m) {
  uint32_t *at = calloc(m->nfuncs, sizeof *at), count, func;
  struct reader r;
  struct name name;
  if (!at) return NULL;
  for (uint32_t i = m->nexports; i-- > 0;)
    if (m->exports[i].kind == EXTERN_FUNC && m->exports[i].index < m->nfuncs) at[m->exports[i].index] = FROM_EXPORT + i;
  if (!names_subsection(m, NAMES_FUNC, &r) || !reader_u32(&r, &count)) return at;
  while (count-- > 0 && reader_u32(&r, &func)) {
    uint32_t offset = (uint32_t)reader_offset(&r);
    if (!reader_name(&r, &name)) break;
    if (func < m->nfuncs && name.size) at[func] = offset;
  }
  return at;
}

bool module_func_name(const struct module *m, uint32_t func, struct name *out) {
  if (func >= m->nfuncs) return false;
  struct module *mutable = (struct module *)(uintptr_t)m; /* only for the index, which several threads may make at once */
  uint32_t *at = atomic_load(&mutable->func_names), *none = NULL;
  if (!at) {
    if (!(at = names_index(m))) return false;
    if (!atomic_compare_exchange_strong(&mutable->func_names, &none, at)) {
      free(at);
      at = none;
    }
  }
  if (at[func] == 0) return false;
  if (at[func] >= FROM_EXPORT) {
    *out = m->exports[at[func] - FROM_EXPORT].name;
    return true;
  }
  struct reader r = {m->bytes, m->bytes + at[func], m->bytes + m->size, NULL};
  return reader_name(&r, out);
}
