/* The type section (core/binary/modules, core/valid/types). A rec group is read with its members as HEAP_REC | position, given to the registry for
 * its canonical ids, and its declared supertypes are checked, here and not in valid/, because only a sound group can be made canonical and
 * everything behind this section names types by canonical ids. */
#include "binary/type.h"
#include "types/limits.h"

/* What a definition says about other types, as indices of the module or TYPE_NONE: messages speak of these. */
struct clauses {
  uint64_t offset;
  uint32_t super, descriptor, describes;
};

struct section {
  struct module *m;
  struct reader *r;
  mv_error_t *invalid; /* the first thing found invalid; reading goes on */
  struct arena scratch;
  uint32_t cap; /* of m->type_ids */
};

static bool no_memory(struct section *s, size_t n) { return error_no_memory(s->r->err, n); }

static bool too_many(struct section *s, const char *what, uint32_t n, uint32_t most) {
  return error_set(s->r->err, MV_LIMIT, reader_offset(s->r), "too many %s: %u, at most %u", what, n, most);
}

static bool invalid(struct section *s, const struct clauses *c, const char *text) {
  return error_set(s->invalid, MV_INVALID, c->offset, "%s", text);
}

/* ---- reading ---- */

static bool read_list(struct section *s, struct typectx *c, const char *what, uint32_t most, const valtype **types, uint32_t *n) {
  if (!reader_length(s->r, n)) return false;
  if (*n > most) return too_many(s, what, *n, most);
  valtype *list = arena_array(&s->scratch, *n, sizeof *list);
  if (!list) return no_memory(s, *n * sizeof *list);
  for (uint32_t i = 0; i < *n; i++)
    if (!read_valtype(s->r, c, &list[i])) return false;
  *types = list;
  return true;
}

static bool read_fields(struct section *s, struct typectx *c, uint32_t n, struct deftype *t) {
  struct field *fields = arena_array(&s->scratch, n, sizeof *fields);
  if (!fields) return no_memory(s, n * sizeof *fields);
  for (uint32_t i = 0; i < n; i++) {
    uint8_t mut;
    if (!read_storagetype(s->r, c, &fields[i].type) || !reader_byte(s->r, &mut)) return false;
    if (mut > 1) return reader_malformed(s->r, 1, "malformed mutability");
    fields[i].mutable = mut;
  }
  t->u.agg.nfields = n;
  t->u.agg.fields = fields;
  return true;
}

static bool read_func(struct section *s, struct typectx *c, struct deftype *t) {
  if (!read_list(s, c, "parameters", LIMIT_PARAMS, &t->u.func.params, &t->u.func.nparams)) return false;
  if (!read_list(s, c, "results", LIMIT_RESULTS, &t->u.func.results, &t->u.func.nresults)) return false;
  if (t->u.func.nresults > 1 && !(s->m->features & MV_FEATURE(MULTI_VALUE)))
    error_set(s->invalid, MV_INVALID, reader_offset(s->r), "invalid result arity: several results need the feature multi-value");
  return true;
}

static bool read_comptype(struct section *s, struct typectx *c, struct deftype *t) {
  uint8_t b;
  uint32_t n;
  if (!reader_byte(s->r, &b)) return false;
  if (b & 0x80) return reader_malformed(s->r, 1, "integer representation too long");
  bool gc = s->m->features & MV_FEATURE(GC);
  switch (b) {
  case 0x60: t->kind = COMP_FUNC; return read_func(s, c, t);
  case 0x5f:
    if (!gc) break;
    t->kind = COMP_STRUCT;
    if (!reader_length(s->r, &n)) return false;
    if (n > LIMIT_STRUCT_FIELDS) return too_many(s, "fields", n, LIMIT_STRUCT_FIELDS);
    return read_fields(s, c, n, t);
  case 0x5e:
    if (!gc) break;
    t->kind = COMP_ARRAY;
    return read_fields(s, c, 1, t);
  }
  return reader_malformed(s->r, 1, "malformed definition type");
}

static bool peek(struct section *s, mv_features_t feature, uint8_t b) {
  if (s->r->pos >= s->r->end || *s->r->pos != b || !(s->m->features & feature)) return false;
  s->r->pos++;
  return true;
}

static bool read_supers(struct section *s, struct typectx *c, struct clauses *out, struct deftype *t) {
  uint32_t n;
  if (!reader_length(s->r, &n)) return false;
  for (uint32_t i = 0; i < n; i++) {
    uint64_t offset = reader_offset(s->r);
    if (!reader_u32(s->r, &out->super)) return false;
    t->super = typectx_id(c, out->super, offset);
  }
  if (n > 1) invalid(s, out, "sub type has several super types");
  return true;
}

static bool read_subtype(struct section *s, struct typectx *c, struct clauses *out, struct deftype *t) {
  *out = (struct clauses){reader_offset(s->r), TYPE_NONE, TYPE_NONE, TYPE_NONE};
  *t = (struct deftype){.final = true, .super = TYPE_NONE, .descriptor = TYPE_NONE, .describes = TYPE_NONE};
  if (peek(s, MV_FEATURE(GC), 0x50)) {
    t->final = false;
    if (!read_supers(s, c, out, t)) return false;
  } else if (peek(s, MV_FEATURE(GC), 0x4f)) {
    if (!read_supers(s, c, out, t)) return false;
  }
  if (peek(s, MV_FEATURE(DESCRIPTORS), 0x4c) && !reader_u32(s->r, &out->describes)) return false;
  if (peek(s, MV_FEATURE(DESCRIPTORS), 0x4d) && !reader_u32(s->r, &out->descriptor)) return false;
  return read_comptype(s, c, t);
}

/* ---- checking, before ids exist ---- */

/* Clauses `describes` and `descriptor` lie within the group and agree. On success *t has them as positions. */
static bool check_clauses(struct section *s, const struct clauses *all, uint32_t n, uint32_t i, struct deftype *t) {
  const struct clauses *c = &all[i];
  uint32_t base = s->m->ntypes, j;
  if (c->describes != TYPE_NONE) {
    if (c->describes < base || (j = c->describes - base) >= n) return invalid(s, c, "described type is outside rec group");
    if (all[j].descriptor != base + i) return invalid(s, c, "described type is not described by descriptor");
    if (j >= i) return invalid(s, c, "forward use of described type");
    t->describes = HEAP_REC | j;
  }
  if (c->descriptor != TYPE_NONE) {
    if (c->descriptor < base || (j = c->descriptor - base) >= n) return invalid(s, c, "descriptor type is outside rec group");
    if (all[j].describes != base + i) return invalid(s, c, "type is not described by its descriptor");
    t->descriptor = HEAP_REC | j;
  }
  return true;
}

static bool check_super(struct section *s, const struct clauses *all, const struct deftype *group, uint32_t n, uint32_t i) {
  uint32_t base = s->m->ntypes, super = all[i].super;
  if (super == TYPE_NONE || (super >= base && super - base >= n)) return true; /* an unknown one is reported elsewhere */
  if (super >= base + i) return error_set(s->invalid, MV_INVALID, all[i].offset, "forward use of type %u in sub type definition", super);
  bool final = super >= base ? group[super - base].final : types_get(s->m->types, s->m->type_ids[super])->final;
  return !final || error_set(s->invalid, MV_INVALID, all[i].offset, "sub type %u has final super type %u", base + i, super);
}

static bool check_before(struct section *s, const struct clauses *all, struct deftype *group, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (!check_clauses(s, all, n, i, &group[i])) return false;
  for (uint32_t i = 0; i < n; i++) {
    if (group[i].kind == COMP_STRUCT) continue;
    if (all[i].descriptor != TYPE_NONE) return invalid(s, &all[i], "descriptor type must be a struct");
    if (all[i].describes != TYPE_NONE) return invalid(s, &all[i], "described type must be a struct");
  }
  for (uint32_t i = 0; i < n; i++)
    if (!check_super(s, all, group, n, i)) return false;
  return true;
}

/* ---- checking declared supertypes, by canonical ids ---- */

static bool check_match(struct section *s, const struct clauses *c, uint32_t index) {
  const struct types *ts = s->m->types;
  const struct deftype *sub = types_get(ts, s->m->type_ids[index]), *super = types_get(ts, s->m->type_ids[c->super]);
  bool ok = (sub->describes == TYPE_NONE) == (super->describes == TYPE_NONE);
  if (ok && sub->describes != TYPE_NONE && !types_match_def(ts, sub->describes, super->describes))
    return error_set(s->invalid, MV_INVALID, c->offset, "described type %u does not match that of super type %u", c->describes, c->super);
  if (super->descriptor != TYPE_NONE && sub->descriptor == TYPE_NONE) ok = false;
  if (ok && super->descriptor != TYPE_NONE && !types_match_def(ts, sub->descriptor, super->descriptor))
    return error_set(s->invalid, MV_INVALID, c->offset, "descriptor type %u does not match that of super type %u", c->descriptor, c->super);
  if (ok && types_match_comp(ts, sub, super)) return true;
  return error_set(s->invalid, MV_INVALID, c->offset, "sub type %u does not match super type %u", index, c->super);
}

/* ---- groups ---- */

static bool grow_ids(struct section *s, uint32_t n) {
  uint32_t need = s->m->ntypes + n;
  if (n > LIMIT_TYPES || need > LIMIT_TYPES) return too_many(s, "types", need, LIMIT_TYPES);
  if (need <= s->cap) return true;
  uint32_t cap = s->cap * 2 < need ? need : s->cap * 2;
  uint32_t *ids = arena_array(&s->m->arena, cap, sizeof *ids);
  if (!ids) return no_memory(s, cap * sizeof *ids);
  for (uint32_t i = 0; i < s->m->ntypes; i++) ids[i] = s->m->type_ids[i];
  s->m->type_ids = ids;
  s->cap = cap;
  return true;
}

/* In a module known to be invalid the types get no ids: nothing looks at them any more. */
static void skip_ids(struct section *s, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) s->m->type_ids[s->m->ntypes + i] = HEAP_BOT;
  s->m->ntypes += n;
}

static bool define_group(struct section *s, const struct clauses *all, struct deftype *group, uint32_t n) {
  struct module *m = s->m;
  uint32_t base = m->ntypes;
  mv_error_t *err = s->r->err;
  if (s->invalid->kind != MV_OK || !check_before(s, all, group, n)) {
    skip_ids(s, n);
    return true;
  }
  if (!types_define(m->types, group, n, m->type_ids + base, err)) {
    if (err && err->offset == MV_NO_OFFSET) err->offset = all[0].offset;
    return false;
  }
  m->ntypes += n;
  for (uint32_t i = 0; i < n; i++)
    if (all[i].super != TYPE_NONE && !check_match(s, &all[i], base + i)) break;
  return true;
}

static bool read_group(struct section *s) {
  uint32_t n = 1;
  if (peek(s, MV_FEATURE(GC), 0x4e)) {
    if (!reader_length(s->r, &n)) return false;
    if (n > LIMIT_REC_GROUP) return too_many(s, "types in a rec group", n, LIMIT_REC_GROUP);
  }
  if (!grow_ids(s, n)) return false;
  struct typectx c = {.m = s->m, .rec = n};
  size_t room = reader_left(s->r) / 2 + 1; /* the shortest definition has two bytes: reading ends before more are stored */
  if (room > n) room = n;
  struct clauses *all = arena_array(&s->scratch, room, sizeof *all);
  struct deftype *group = arena_array(&s->scratch, room, sizeof *group);
  if (!all || !group) return no_memory(s, room * (sizeof *all + sizeof *group));
  for (uint32_t i = 0; i < n; i++)
    if (!read_subtype(s, &c, &all[i], &group[i])) return false;
  /* An unknown type waits until the clauses, which name types of the group, have been seen. */
  if (c.unknown && s->invalid->kind == MV_OK && check_before(s, all, group, n)) (void)typectx_check(&c, s->invalid);
  return define_group(s, all, group, n);
}

bool read_types(struct module *m, struct reader *r, mv_error_t *invalid_err) {
  struct section s = {.m = m, .r = r, .invalid = invalid_err};
  uint32_t count;
  if (!reader_length(r, &count) || !grow_ids(&s, count)) return false;
  arena_init(&s.scratch);
  bool ok = arena_alloc(&s.scratch, 1) || no_memory(&s, 1); /* the first chunk stays for all groups */
  struct arena_mark mark = arena_save(&s.scratch);
  for (uint32_t i = 0; ok && i < count; i++) {
    ok = read_group(&s);
    arena_restore(&s.scratch, mark);
  }
  arena_fini(&s.scratch);
  return ok;
}
