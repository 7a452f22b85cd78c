/* Printing the sections of a module as text (core/text/modules); see print.h. */
#include "text/print.h"

#include <stdlib.h>

bool print_no_memory(struct printer *p) { return error_no_memory(p->err, 0); }

bool print_malformed(struct printer *p, const char *message) { return error_set(p->err, MV_MALFORMED, reader_offset(&p->r), "%s", message); }

void print_line(struct printer *p) {
  enum { DEEP = 40 }; /* deeper nesting is not indented further, lest the text grow by its square */
  buf_byte(&p->out, '\n');
  for (unsigned i = 0; i < p->indent && i < DEEP; i++) buf_text(&p->out, "  ");
}

/* ---- finding the sections ------------------------------------------------------------------------------ */

/* The order in which sections must come. */
static int rank_of(uint8_t id) {
  static const uint8_t ranks[SEC_COUNT] = {[SEC_TYPE] = 1, [SEC_IMPORT] = 2, [SEC_FUNC] = 3, [SEC_TABLE] = 4, [SEC_MEMORY] = 5, [SEC_TAG] = 6,
                                           [SEC_GLOBAL] = 7, [SEC_EXPORT] = 8, [SEC_START] = 9, [SEC_ELEM] = 10, [SEC_DATACOUNT] = 11, [SEC_CODE] = 12,
                                           [SEC_DATA] = 13};
  return id < SEC_COUNT ? ranks[id] : 0;
}

static bool scan_custom(struct printer *p, const uint8_t *end) {
  if (!array_reserve((void **)&p->customs, &p->cap_customs, p->ncustoms + 1, sizeof *p->customs)) return print_no_memory(p);
  struct reader r = p->r;
  struct custom_section *c = &p->customs[p->ncustoms];
  r.end = end;
  *c = (struct custom_section){.end = end};
  if (!reader_name(&r, &c->name)) return false;
  c->start = r.pos;
  p->ncustoms++;
  return true;
}

static bool scan_sections(struct printer *p) {
  struct reader *r = &p->r;
  size_t placed = 0; /* custom sections that know what follows them */
  int last = 0;
  if (reader_left(r) < 8 || memcmp(r->pos, "\0asm", 4) != 0) return print_malformed(p, "magic header not detected");
  if (memcmp(r->pos + 4, "\1\0\0\0", 4) != 0) return print_malformed(p, "unknown binary version");
  r->pos += 8;
  while (reader_left(r) > 0) {
    uint8_t id;
    uint32_t size;
    if (!reader_byte(r, &id) || !reader_u32(r, &size)) return false;
    if (size > reader_left(r)) return print_malformed(p, "length out of bounds");
    const uint8_t *end = r->pos + size;
    if (id == SEC_CUSTOM) {
      if (!scan_custom(p, end)) return false;
    } else {
      int rank = rank_of(id);
      if (rank == 0) return print_malformed(p, "malformed section id");
      if (rank <= last) return print_malformed(p, "unexpected content after last section");
      last = rank;
      p->sections[id] = (struct section){r->pos, end};
      for (; placed < p->ncustoms; placed++) p->customs[placed].before = id;
    }
    r->pos = end;
  }
  return true;
}

/* A reader over a section, behind the number of its entries; n is 0 when it is absent. */
static bool enter(struct printer *p, unsigned id, struct reader *r, uint32_t *n) {
  const struct section *s = &p->sections[id];
  *r = p->r;
  *n = 0;
  if (!s->start) {
    r->pos = r->end;
    return true;
  }
  r->pos = s->start;
  r->end = s->end;
  return reader_u32(r, n);
}

static bool leave(struct printer *p, const struct reader *r) { return reader_left(r) == 0 || print_malformed(p, "section size mismatch"); }

/* ---- imports ------------------------------------------------------------------------------------------- */

static bool add_index(struct printer *p, uint32_t **array, size_t *n, size_t *cap, uint32_t x) {
  if (!array_reserve((void **)array, cap, *n + 1, sizeof **array)) return print_no_memory(p);
  (*array)[(*n)++] = x;
  return true;
}

/* "(kind $id type)". While scanning, only the indices are counted. */
static bool print_externtype(struct printer *p, struct reader *r, uint8_t kind, bool scan, bool named) {
  static const struct { const char *word; uint8_t space; } kinds[] = {
      {"func", SPACE_FUNC}, {"table", SPACE_TABLE}, {"memory", SPACE_MEMORY}, {"global", SPACE_GLOBAL}, {"tag", SPACE_TAG}};
  uint32_t type;
  uint8_t zero;
  bool exact = kind == 0x20;
  if (exact) kind = EXTERN_FUNC;
  if (kind > EXTERN_TAG) return print_malformed(p, "malformed import kind");
  enum space space = (enum space)kinds[kind].space;
  uint32_t index = p->count[space]++;
  buf_printf(&p->out, "(%s", kinds[kind].word);
  if (!scan && named) print_definition(p, space, index);
  if (kind == EXTERN_FUNC || kind == EXTERN_TAG) {
    if (kind == EXTERN_TAG && !reader_byte(r, &zero)) return false;
    if (!reader_u32(r, &type)) return false;
    if (scan) return kind == EXTERN_FUNC ? add_index(p, &p->func_types, &p->nfuncs, &p->cap_funcs, type) : add_index(p, &p->tag_types, &p->ntags, &p->cap_tags, type);
    if (exact) buf_text(&p->out, " (exact");
    if (!print_typeuse(p, type, false)) return false;
    if (exact) buf_byte(&p->out, ')');
  } else {
    buf_byte(&p->out, ' ');
    bool ok = kind == EXTERN_TABLE ? print_tabletype(p, r) : kind == EXTERN_MEMORY ? print_limits(p, r) : print_globaltype(p, r);
    if (!ok) return false;
  }
  buf_byte(&p->out, ')');
  return true;
}

static void print_name_text(struct printer *p, struct name name) {
  buf_byte(&p->out, ' ');
  print_string(&p->out, name.bytes, name.size, true);
}

/* The compact encodings: names with a type each (0x7f), or with one type for all (0x7e). */
static bool print_items(struct printer *p, struct reader *r, uint8_t form, bool scan) {
  uint32_t n;
  uint8_t kind;
  struct name name;
  if (form == 0x7f) {
    if (!reader_u32(r, &n)) return false;
    for (; n > 0; n--) {
      if (!reader_name(r, &name) || !reader_byte(r, &kind)) return false;
      buf_text(&p->out, " (item");
      print_name_text(p, name);
      buf_byte(&p->out, ' ');
      if (!print_externtype(p, r, kind, scan, true)) return false;
      buf_byte(&p->out, ')');
    }
    return true;
  }
  struct reader type = *r;
  size_t start = p->out.size;
  uint32_t count[SPACE_COUNT];
  memcpy(count, p->count, sizeof count);
  size_t nfuncs = p->nfuncs, ntags = p->ntags;
  if (!reader_byte(r, &kind) || !print_externtype(p, r, kind, true, false) || !reader_u32(r, &n)) return false; /* skipped */
  p->out.size = start;
  memcpy(p->count, count, sizeof count);
  p->nfuncs = nfuncs;
  p->ntags = ntags;
  for (uint32_t i = 0; i < n; i++) {
    if (!reader_name(r, &name)) return false;
    buf_text(&p->out, " (item");
    print_name_text(p, name);
    buf_byte(&p->out, ')');
  }
  for (uint32_t i = 0; i < n; i++) { /* one type, as often as there are names; it is printed once */
    struct reader again = type;
    size_t one = p->out.size;
    buf_byte(&p->out, ' ');
    if (!reader_byte(&again, &kind) || !print_externtype(p, &again, kind, scan, false)) return false;
    if (i > 0) p->out.size = one;
  }
  return true;
}

static bool print_imports(struct printer *p, bool scan) {
  struct reader r;
  uint32_t n;
  if (!enter(p, SEC_IMPORT, &r, &n)) return false;
  for (; n > 0; n--) {
    struct name module, name;
    uint8_t kind;
    size_t start = p->out.size;
    if (!reader_name(&r, &module) || !reader_name(&r, &name) || !reader_byte(&r, &kind)) return false;
    print_line(p);
    buf_text(&p->out, "(import");
    print_name_text(p, module);
    if (name.size == 0 && (kind == 0x7f || kind == 0x7e)) {
      if (!print_items(p, &r, kind, scan)) return false;
    } else {
      print_name_text(p, name);
      buf_byte(&p->out, ' ');
      if (!print_externtype(p, &r, kind, scan, true)) return false;
    }
    buf_byte(&p->out, ')');
    if (scan) p->out.size = start;
  }
  return leave(p, &r);
}

/* ---- counting ------------------------------------------------------------------------------------------ */

static bool scan_funcs(struct printer *p) {
  struct reader r;
  uint32_t n, type;
  uint8_t zero;
  if (!enter(p, SEC_FUNC, &r, &n)) return false;
  for (; n > 0; n--)
    if (!reader_u32(&r, &type) || !add_index(p, &p->func_types, &p->nfuncs, &p->cap_funcs, type)) return false;
  if (!leave(p, &r) || !enter(p, SEC_TAG, &r, &n)) return false;
  for (; n > 0; n--)
    if (!reader_byte(&r, &zero) || !reader_u32(&r, &type) || !add_index(p, &p->tag_types, &p->ntags, &p->cap_tags, type)) return false;
  return leave(p, &r);
}

/* Of the other spaces only the number is needed, which bounds their names. */
static bool scan_counts(struct printer *p) {
  static const struct { uint8_t section, space; } spaces[] = {
      {SEC_TABLE, SPACE_TABLE}, {SEC_MEMORY, SPACE_MEMORY}, {SEC_GLOBAL, SPACE_GLOBAL}, {SEC_ELEM, SPACE_ELEM}, {SEC_DATA, SPACE_DATA}};
  struct reader r;
  uint32_t n;
  for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
    if (!enter(p, spaces[i].section, &r, &n)) return false;
    if (n > reader_left(&r)) return print_malformed(p, "length out of bounds");
    p->count[spaces[i].space] += n;
  }
  return true;
}

/* ---- definitions --------------------------------------------------------------------------------------- */

static bool print_tables(struct printer *p) {
  struct reader r;
  uint32_t n;
  if (!enter(p, SEC_TABLE, &r, &n)) return false;
  for (; n > 0; n--) {
    print_line(p);
    buf_text(&p->out, "(table");
    print_definition(p, SPACE_TABLE, p->count[SPACE_TABLE]++);
    buf_byte(&p->out, ' ');
    bool init = reader_left(&r) > 1 && r.pos[0] == 0x40;
    if (init) r.pos += 2;
    if (!print_tabletype(p, &r)) return false;
    if (init) {
      buf_byte(&p->out, ' ');
      if (!print_constexpr(p, &r, NULL)) return false;
    }
    buf_byte(&p->out, ')');
  }
  return leave(p, &r);
}

static bool print_memories(struct printer *p) {
  struct reader r;
  uint32_t n;
  if (!enter(p, SEC_MEMORY, &r, &n)) return false;
  for (; n > 0; n--) {
    print_line(p);
    buf_text(&p->out, "(memory");
    print_definition(p, SPACE_MEMORY, p->count[SPACE_MEMORY]++);
    buf_byte(&p->out, ' ');
    if (!print_limits(p, &r)) return false;
    buf_byte(&p->out, ')');
  }
  return leave(p, &r);
}

static bool print_tags(struct printer *p) {
  for (uint32_t i = p->count[SPACE_TAG]; i < p->ntags; i++) {
    print_line(p);
    buf_text(&p->out, "(tag");
    print_definition(p, SPACE_TAG, i);
    if (!print_typeuse(p, p->tag_types[i], false)) return false;
    buf_byte(&p->out, ')');
  }
  return true;
}

static bool print_globals(struct printer *p) {
  struct reader r;
  uint32_t n;
  if (!enter(p, SEC_GLOBAL, &r, &n)) return false;
  for (; n > 0; n--) {
    print_line(p);
    buf_text(&p->out, "(global");
    print_definition(p, SPACE_GLOBAL, p->count[SPACE_GLOBAL]++);
    buf_byte(&p->out, ' ');
    if (!print_globaltype(p, &r)) return false;
    buf_byte(&p->out, ' ');
    if (!print_constexpr(p, &r, NULL)) return false;
    buf_byte(&p->out, ')');
  }
  return leave(p, &r);
}

static bool print_exports(struct printer *p) {
  static const struct { const char *word; uint8_t space; } kinds[] = {
      {"func", SPACE_FUNC}, {"table", SPACE_TABLE}, {"memory", SPACE_MEMORY}, {"global", SPACE_GLOBAL}, {"tag", SPACE_TAG}};
  struct reader r;
  uint32_t n, index;
  uint8_t kind;
  struct name name;
  if (!enter(p, SEC_EXPORT, &r, &n)) return false;
  for (; n > 0; n--) {
    if (!reader_name(&r, &name) || !reader_byte(&r, &kind) || !reader_u32(&r, &index)) return false;
    if (kind > EXTERN_TAG) return print_malformed(p, "malformed export kind");
    print_line(p);
    buf_text(&p->out, "(export");
    print_name_text(p, name);
    buf_printf(&p->out, " (%s ", kinds[kind].word);
    print_index(p, (enum space)kinds[kind].space, index);
    buf_text(&p->out, "))");
  }
  return leave(p, &r);
}

static bool print_start(struct printer *p) {
  struct reader r;
  uint32_t func;
  if (!p->sections[SEC_START].start) return true;
  if (!enter(p, SEC_START, &r, &func)) return false;
  print_line(p);
  buf_text(&p->out, "(start ");
  print_index(p, SPACE_FUNC, func);
  buf_byte(&p->out, ')');
  return leave(p, &r);
}

static bool print_elem(struct printer *p, struct reader *r) {
  uint32_t flags, table = 0, n, index;
  uint8_t kind;
  if (!reader_u32(r, &flags)) return false;
  if (flags > 7) return print_malformed(p, "malformed elements segment kind");
  bool active = !(flags & 1), exprs = flags & 4, is_short = !(flags & 3);
  print_line(p);
  buf_text(&p->out, "(elem");
  print_definition(p, SPACE_ELEM, p->count[SPACE_ELEM]++);
  if ((flags & 3) == 3) buf_text(&p->out, " declare");
  if (active && (flags & 2) && !reader_u32(r, &table)) return false;
  if (table) {
    buf_text(&p->out, " (table ");
    print_index(p, SPACE_TABLE, table);
    buf_byte(&p->out, ')');
  }
  buf_byte(&p->out, ' ');
  if (active && !print_constexpr(p, r, "offset")) return false;
  if (active) buf_byte(&p->out, ' ');
  if (!exprs) {
    if (!is_short && !reader_byte(r, &kind)) return false;
    buf_text(&p->out, "func");
  } else if (is_short) {
    buf_text(&p->out, "funcref");
  } else if (!print_reftype(p, r)) {
    return false;
  }
  if (!reader_u32(r, &n)) return false;
  for (; n > 0; n--) {
    buf_byte(&p->out, ' ');
    if (exprs) {
      if (!print_constexpr(p, r, "item")) return false;
    } else {
      if (!reader_u32(r, &index)) return false;
      print_index(p, SPACE_FUNC, index);
    }
  }
  buf_byte(&p->out, ')');
  return true;
}

static bool print_elems(struct printer *p) {
  struct reader r;
  uint32_t n;
  if (!enter(p, SEC_ELEM, &r, &n)) return false;
  for (; n > 0; n--)
    if (!print_elem(p, &r)) return false;
  return leave(p, &r);
}

static bool print_datas(struct printer *p) {
  struct reader r;
  uint32_t n, flags, memory, size;
  if (!enter(p, SEC_DATA, &r, &n)) return false;
  for (; n > 0; n--) {
    memory = 0;
    if (!reader_u32(&r, &flags)) return false;
    if (flags > 2) return print_malformed(p, "malformed data segment kind");
    print_line(p);
    buf_text(&p->out, "(data");
    print_definition(p, SPACE_DATA, p->count[SPACE_DATA]++);
    if (flags == 2 && !reader_u32(&r, &memory)) return false;
    if (memory) {
      buf_text(&p->out, " (memory ");
      print_index(p, SPACE_MEMORY, memory);
      buf_byte(&p->out, ')');
    }
    buf_byte(&p->out, ' ');
    if (flags != 1 && !print_constexpr(p, &r, "offset")) return false;
    if (flags != 1) buf_byte(&p->out, ' ');
    if (!reader_u32(&r, &size)) return false;
    if (size > reader_left(&r)) return print_malformed(p, "unexpected end of section or function");
    print_string(&p->out, r.pos, size, false);
    r.pos += size;
    buf_byte(&p->out, ')');
  }
  return leave(p, &r);
}

/* ---- functions ----------------------------------------------------------------------------------------- */

/* The local declarations of a body. The text has no short form for many of a type, so that there must be a limit. */
static bool print_locals(struct printer *p, struct reader *r) {
  enum { MOST_LOCALS = 50000, MOST_OF_MODULE = 1 << 24 };
  uint32_t groups, n;
  uint64_t total = 0;
  if (!reader_u32(r, &groups)) return false;
  p->indent++;
  for (; groups > 0; groups--) {
    if (!reader_u32(r, &n)) return false;
    total += n;
    if (total > UINT32_MAX) return print_malformed(p, "too many locals");
    p->nlocals += n;
    if (total > MOST_LOCALS || p->nlocals > MOST_OF_MODULE)
      return error_set(p->err, MV_LIMIT, reader_offset(r), "too many locals to print: more than %d in a function, or %d in all", MOST_LOCALS, MOST_OF_MODULE);
    const uint8_t *type = r->pos, *end = NULL;
    size_t start = p->out.size;
    if (!print_valtype(p, r)) return false;
    end = r->pos;
    p->out.size = start;
    bool open = false;
    for (; n > 0; n--) {
      p->func_locals++;
      struct seen_name name = find_name(p, SPACE_LOCAL, p->func_locals - 1);
      if (open && name.name.bytes) buf_byte(&p->out, ')');
      if (!open || name.name.bytes) {
        print_line(p);
        buf_text(&p->out, "(local");
      }
      buf_byte(&p->out, ' ');
      print_seen(p, name);
      r->pos = type;
      if (!print_valtype(p, r)) return false;
      open = !name.name.bytes;
      if (!open) buf_byte(&p->out, ')');
    }
    if (open) buf_byte(&p->out, ')');
    r->pos = end;
  }
  p->indent--;
  return true;
}

static bool print_func(struct printer *p, struct reader *r) {
  uint32_t size;
  p->func = p->count[SPACE_FUNC]++;
  p->label_number = 0;
  uint32_t type = p->func_types[p->func];
  p->func_locals = type < p->ntypes ? p->types[type].nparams : 0;
  if (!reader_u32(r, &size)) return false;
  if (size > reader_left(r)) return print_malformed(p, "unexpected end of section or function");
  struct reader body = *r;
  body.end = r->pos + size;
  p->body = r->pos;
  print_line(p);
  buf_text(&p->out, "(func");
  print_definition(p, SPACE_FUNC, p->func);
  if (!print_typeuse(p, type, true) || !print_locals(p, &body)) return false;
  p->indent++;
  if (!print_body(p, &body)) return false;
  p->indent--;
  buf_byte(&p->out, ')');
  r->pos += size;
  return reader_left(&body) == 0 || print_malformed(p, "section size mismatch");
}

static bool print_funcs(struct printer *p) {
  struct reader r;
  uint32_t n;
  if (!enter(p, SEC_CODE, &r, &n)) return false;
  if (n != p->nfuncs - p->count[SPACE_FUNC]) return print_malformed(p, "function and code section have inconsistent lengths");
  for (; n > 0; n--)
    if (!print_func(p, &r)) return false;
  return leave(p, &r);
}

/* ---- the module ---------------------------------------------------------------------------------------- */

static bool print_module(struct printer *p) {
  buf_text(&p->out, "(module");
  if (p->names.module_name.bytes) {
    buf_byte(&p->out, ' ');
    print_seen(p, (struct seen_name){p->names.module_name, p->names.module_name.size > 0});
    if (!p->out.failed) p->out.size--; /* its space */
  }
  p->indent = 1;
  memset(p->count, 0, sizeof p->count);
  if (!print_types(p) || !print_imports(p, false) || !print_tables(p) || !print_memories(p) || !print_tags(p) || !print_globals(p)) return false;
  if (!print_exports(p) || !print_start(p) || !print_elems(p) || !print_funcs(p) || !print_datas(p) || !print_customs(p)) return false;
  buf_put(&p->out, ")\n", 3); /* with a terminator, for callers who forget the size */
  return !p->out.failed || print_no_memory(p);
}

bool mv_wasm2wat(const uint8_t *bytes, size_t size, unsigned flags, char **out, size_t *out_size, mv_error_t *err) {
  mv_error_t unused;
  if (!err) err = &unused;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  *out = NULL;
  *out_size = 0;
  struct printer p = {.r = {bytes, bytes, bytes + size, err}, .err = err, .folded = !(flags & MV_WAT_FLAT)};
  arena_init(&p.symbols.arena);
  bool ok = scan_sections(&p) && scan_types(&p) && print_imports(&p, true) && scan_funcs(&p) && scan_counts(&p) && read_names(&p);
  buf_clear(&p.out);
  ok = ok && print_module(&p);
  if (ok) {
    *out = (char *)p.out.data;
    *out_size = p.out.size - 1;
  } else {
    buf_fini(&p.out);
  }
  names_fini(&p);
  tree_delete(p.tree);
  free(p.customs);
  free(p.types);
  free(p.func_types);
  free(p.tag_types);
  free(p.open);
  return ok;
}
