/* Checks of the custom sections that have a meaning (appendix/custom; the branch hinting proposal): loading a module ignores them, as it must. */
#include <string.h>

#include "binary/instr.h"

struct check {
  const struct module *m;
  struct reader r;
  mv_error_t *err;
};

static bool bad(struct check *c, mv_kind_t kind, const char *message) {
  return error_set(c->err, kind, reader_offset(&c->r), "%s", message);
}

/* ---- branch hints -------------------------------------------------------------------------------------- */

static bool ignore_locals(void *env, uint32_t count, valtype type) {
  (void)env, (void)count, (void)type;
  return true;
}

/* Walks the body to `offset`, from which the next hint goes on: there must be an instruction that may branch. */
static bool check_target(struct check *c, struct reader *body, uint64_t offset) {
  struct instr i;
  while (reader_left(body) > 0 && reader_offset(body) < offset)
    if (!instr_read(body, c->m, &i)) return false;
  if (reader_left(body) == 0 || reader_offset(body) != offset || !instr_read(body, c->m, &i) || (i.op != OP_if && i.op != OP_br_if))
    return error_set(c->err, MV_INVALID, offset, "@metadata.code.branch_hint annotation: invalid target");
  return true;
}

static bool check_hints_of(struct check *c, uint32_t func) {
  const struct module *m = c->m;
  uint32_t n, offset, size, last = 0;
  uint8_t value;
  if (func < m->nimported_funcs || func >= m->nfuncs) return bad(c, MV_INVALID, "@metadata.code.branch_hint annotation: unknown function");
  const struct body *b = &m->bodies[func - m->nimported_funcs];
  struct reader body = {m->bytes, m->bytes + b->offset, m->bytes + b->offset + b->size, c->err};
  if (!reader_u32(&c->r, &n) || !reader_locals(&body, m, ignore_locals, NULL)) return false;
  for (uint32_t i = 0; i < n; i++, last = offset) {
    if (!reader_u32(&c->r, &offset) || !reader_u32(&c->r, &size) || !reader_byte(&c->r, &value)) return false;
    if (size != 1 || value > 1) return bad(c, MV_MALFORMED, "@metadata.code.branch_hint annotation: malformed hint");
    if (i > 0 && offset <= last) return bad(c, MV_MALFORMED, "@metadata.code.branch_hint annotation: duplicate annotation, or out of order");
    if (!check_target(c, &body, b->offset + offset)) return false;
  }
  return true;
}

static bool check_hints(struct check *c) {
  uint32_t n, func, last = 0;
  if (!reader_u32(&c->r, &n)) return false;
  for (uint32_t i = 0; i < n; i++, last = func) {
    if (!reader_u32(&c->r, &func)) return false;
    if (i > 0 && func <= last) return bad(c, MV_MALFORMED, "@metadata.code.branch_hint annotation: functions out of order");
    if (!check_hints_of(c, func)) return false;
  }
  return reader_left(&c->r) == 0 || bad(c, MV_MALFORMED, "@metadata.code.branch_hint annotation: section size mismatch");
}

/* ---- names --------------------------------------------------------------------------------------------- */

/* Indices that rise, each with a name, or with such a list of its own. */
static bool check_map(struct check *c, bool nested) {
  struct name name;
  uint32_t n, index, last = 0;
  if (!reader_u32(&c->r, &n)) return false;
  for (uint32_t i = 0; i < n; i++, last = index) {
    if (!reader_u32(&c->r, &index)) return false;
    if (i > 0 && index <= last) return bad(c, MV_MALFORMED, "@name annotation: multiple names, or indices out of order");
    if (!(nested ? check_map(c, false) : reader_name(&c->r, &name))) return false;
  }
  return true;
}

static bool check_names(struct check *c) {
  const uint8_t *end = c->r.end;
  int last = -1;
  while (reader_left(&c->r) > 0) {
    uint8_t id;
    uint32_t size;
    struct name name;
    if (!reader_byte(&c->r, &id) || !reader_u32(&c->r, &size)) return false;
    if (size > reader_left(&c->r)) return bad(c, MV_MALFORMED, "@name annotation: subsection size mismatch");
    if ((int)id <= last) return bad(c, MV_MALFORMED, "@name annotation: subsections out of order");
    last = id;
    c->r.end = c->r.pos + size;
    if (id > 11) c->r.pos = c->r.end; /* some later kind of names */
    else if (id == 0 ? !reader_name(&c->r, &name) : !check_map(c, id == 2 || id == 3 || id == 10)) return false;
    if (reader_left(&c->r) > 0) return bad(c, MV_MALFORMED, "@name annotation: subsection size mismatch");
    c->r.end = end;
  }
  return true;
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static bool is_named(const struct customsec *s, const char *name) {
  return s->name.size == strlen(name) && memcmp(s->name.bytes, name, s->name.size) == 0;
}

bool mv_custom_check(const uint8_t *bytes, size_t size, mv_features_t features, mv_error_t *err) {
  mv_error_t unused;
  struct module *m = NULL;
  if (!err) err = &unused;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  struct types *types = types_new();
  bool ok = types ? module_decode(types, features, bytes, size, true, &m, err) : error_no_memory(err, 0);
  for (uint32_t i = 0; ok && i < m->ncustoms; i++) {
    const struct customsec *s = &m->customs[i];
    struct check c = {m, {m->bytes, m->bytes + s->offset, m->bytes + s->offset + s->size, err}, err};
    if (is_named(s, "metadata.code.branch_hint")) ok = check_hints(&c);
    else if (is_named(s, "name")) ok = check_names(&c);
  }
  if (m) module_delete(m);
  if (types) types_delete(types);
  return ok;
}
