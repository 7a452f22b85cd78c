/* The custom sections while printing: names become identifiers, branch hints annotations before their instructions, all else (@custom) annotations. A section
 * that would not come back byte for byte is printed as (@custom) as well, and then counts when the text is read. */
#include "text/print.h"

#include <stdlib.h>

/* ---- looking names up ---------------------------------------------------------------------------------- */

/* The first at or behind this pair. */
static size_t lower_bound(const struct inner_list *list, uint32_t outer, uint32_t inner) {
  size_t lo = 0, hi = list->n;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    const struct inner_name *n = &list->at[mid];
    if (n->outer < outer || (n->outer == outer && n->inner < inner)) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

static size_t find_inner(const struct inner_list *list, uint32_t outer, uint32_t inner) {
  size_t i = lower_bound(list, outer, inner);
  return i < list->n && list->at[i].outer == outer && list->at[i].inner == inner ? i : SIZE_MAX;
}

bool has_local_names(const struct printer *p) {
  size_t i = lower_bound(&p->names.locals, p->func, 0);
  return i < p->names.locals.n && p->names.locals.at[i].outer == p->func;
}

struct seen_name find_name(const struct printer *p, enum space space, uint32_t index) {
  if (space == SPACE_LOCAL) {
    size_t i = index < p->func_locals ? find_inner(&p->names.locals, p->func, index) : SIZE_MAX;
    return i == SIZE_MAX ? (struct seen_name){0} : (struct seen_name){p->names.locals.at[i].name, p->local_ids[i]};
  }
  const struct name_list *list = &p->names.space_names[space];
  return index < list->n && list->at[index].bytes ? (struct seen_name){list->at[index], p->ids[space][index]} : (struct seen_name){0};
}

struct seen_name find_field(const struct printer *p, uint32_t type, uint32_t index) {
  size_t i = find_inner(&p->names.fields, type, index);
  return i == SIZE_MAX ? (struct seen_name){0} : (struct seen_name){p->names.fields.at[i].name, p->field_ids[i]};
}

struct name find_label(const struct printer *p, uint32_t number) {
  size_t i = find_inner(&p->names.labels, p->func, number);
  return i == SIZE_MAX ? (struct name){0} : p->names.labels.at[i].name;
}

/* ---- reading the name section -------------------------------------------------------------------------- */

static bool read_map(struct printer *p, struct reader *r, struct name_list *list, uint32_t limit) {
  uint32_t n, index, last = 0;
  if (!reader_u32(r, &n)) return false;
  for (uint32_t i = 0; i < n; i++, last = index) {
    struct name name;
    if (!reader_u32(r, &index) || !reader_name(r, &name)) return false;
    if ((i > 0 && index <= last) || index >= limit) return false;
    if (!array_reserve((void **)&list->at, &list->cap, (size_t)index + 1, sizeof *list->at)) return print_no_memory(p);
    while (list->n <= index) list->at[list->n++] = (struct name){0};
    list->at[index] = name;
    p->names_total++;
  }
  return true;
}

static bool read_indirect_map(struct printer *p, struct reader *r, struct inner_list *list) {
  uint32_t groups, n, outer, inner;
  struct name name;
  if (!reader_u32(r, &groups)) return false;
  for (; groups > 0; groups--) {
    if (!reader_u32(r, &outer) || !reader_u32(r, &n)) return false;
    for (; n > 0; n--) {
      if (!reader_u32(r, &inner) || !reader_name(r, &name)) return false;
      const struct inner_name *last = list->n ? &list->at[list->n - 1] : NULL;
      if (last && (outer < last->outer || (outer == last->outer && inner <= last->inner))) return false;
      if (!inner_add(&p->names, list, outer, inner, name)) return false;
      p->names_total++;
    }
  }
  return true;
}

/* How many things a space has, as far as it matters here: names beyond it are nobody's. */
static uint32_t space_limit(const struct printer *p, enum space space) {
  return space == SPACE_FUNC ? (uint32_t)p->nfuncs : space == SPACE_TYPE ? (uint32_t)p->ntypes : space == SPACE_TAG ? (uint32_t)p->ntags : p->count[space];
}

static bool read_subsection(struct printer *p, struct reader *r, uint8_t id) {
  static const uint8_t spaces[] = {[1] = SPACE_FUNC, [4] = SPACE_TYPE, [5] = SPACE_TABLE, [6] = SPACE_MEMORY, [7] = SPACE_GLOBAL,
                                   [8] = SPACE_ELEM, [9] = SPACE_DATA, [11] = SPACE_TAG};
  switch (id) {
  case 0: p->names_total++; return reader_name(r, &p->names.module_name);
  case 2: return read_indirect_map(p, r, &p->names.locals);
  case 3: return read_indirect_map(p, r, &p->names.labels);
  case 10: return read_indirect_map(p, r, &p->names.fields);
  case 1: case 4: case 5: case 6: case 7: case 8: case 9: case 11:
    return read_map(p, r, &p->names.space_names[spaces[id]], space_limit(p, (enum space)spaces[id]));
  default: return false;
  }
}

static bool read_name_section(struct printer *p, const struct custom_section *c) {
  mv_error_t ignored = {0}; /* a broken section of names is none */
  struct reader r = {p->r.base, c->start, c->end, &ignored};
  while (reader_left(&r) > 0) {
    uint8_t id;
    uint32_t size;
    if (!reader_byte(&r, &id) || !reader_u32(&r, &size) || size > reader_left(&r)) return false;
    struct reader inner = r;
    inner.end = r.pos + size;
    if (!read_subsection(p, &inner, id) || reader_left(&inner) > 0) return false;
    r.pos += size;
  }
  return true;
}

/* ---- which names are identifiers ------------------------------------------------------------------------- */

/* Is it the first of this name in this scope? *failed: out of memory. */
static bool is_first(struct printer *p, struct name name, enum space space, uint32_t scope, bool *failed) {
  if (name.size == 0) return false;
  uint32_t y = symbol_intern(&p->symbols, name.bytes, name.size, false);
  if (y == UINT32_MAX) {
    *failed = true;
    return false;
  }
  bool first = p->symbols.symbols[y].in[space].scope != scope;
  p->symbols.symbols[y].in[space].scope = scope;
  return first;
}

static bool find_ids(struct printer *p, enum space space) {
  const struct name_list *list = &p->names.space_names[space];
  bool failed = false;
  p->ids[space] = calloc(list->n + 1, 1);
  if (!p->ids[space]) return print_no_memory(p);
  for (size_t i = 0; i < list->n; i++) p->ids[space][i] = list->at[i].bytes && is_first(p, list->at[i], space, 1, &failed);
  return !failed || print_no_memory(p);
}

static bool find_inner_ids(struct printer *p, const struct inner_list *list, enum space space, uint8_t **ids) {
  uint32_t scope = 1;
  bool failed = false;
  *ids = calloc(list->n + 1, 1);
  if (!*ids) return print_no_memory(p);
  for (size_t i = 0; i < list->n; i++) {
    scope += i > 0 && list->at[i].outer != list->at[i - 1].outer;
    (*ids)[i] = is_first(p, list->at[i].name, space, scope, &failed);
  }
  return !failed || print_no_memory(p);
}

/* ---- branch hints -------------------------------------------------------------------------------------- */

static bool read_hints(struct printer *p, const struct custom_section *c) {
  mv_error_t ignored = {0};
  struct reader r = {p->r.base, c->start, c->end, &ignored};
  uint32_t funcs, n, func, offset, size;
  uint8_t value;
  if (!reader_u32(&r, &funcs)) return false;
  for (; funcs > 0; funcs--) {
    if (!reader_u32(&r, &func) || !reader_u32(&r, &n)) return false;
    for (; n > 0; n--) {
      if (!reader_u32(&r, &offset) || !reader_u32(&r, &size) || !reader_byte(&r, &value) || size != 1 || value > 1) return false;
      const struct hint_at *last = p->nhints ? &p->hints[p->nhints - 1] : NULL;
      if (last && (func < last->func || (func == last->func && offset <= last->offset))) return false;
      if (!array_reserve((void **)&p->hints, &p->cap_hints, p->nhints + 1, sizeof *p->hints)) return print_no_memory(p);
      p->hints[p->nhints++] = (struct hint_at){func, offset, value};
    }
  }
  return reader_left(&r) == 0;
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static bool is_named(const struct custom_section *c, const char *name) {
  return c->name.size == strlen(name) && memcmp(c->name.bytes, name, c->name.size) == 0;
}

/* The section of this name; of several none says what the text says. */
static struct custom_section *find_custom(struct printer *p, const char *name) {
  struct custom_section *found = NULL;
  size_t n = 0;
  for (size_t i = 0; i < p->ncustoms; i++)
    if (is_named(&p->customs[i], name)) found = &p->customs[i], n++;
  return n == 1 ? found : NULL;
}

static void forget_names(struct printer *p) {
  for (unsigned i = 0; i < SPACE_COUNT; i++) p->names.space_names[i].n = 0;
  p->names.locals.n = p->names.labels.n = p->names.fields.n = 0;
  p->names.module_name = (struct name){0};
  p->names_total = SIZE_MAX; /* never printed in full */
}

bool read_names(struct printer *p) {
  const struct custom_section *names = find_custom(p, "name"), *hints = find_custom(p, "metadata.code.branch_hint");
  p->names.err = p->err;
  p->names.names = true;
  if (names && !read_name_section(p, names)) forget_names(p);
  if (hints && !read_hints(p, hints)) p->nhints = 0;
  for (unsigned i = 0; i < SPACE_COUNT; i++)
    if (!find_ids(p, (enum space)i)) return false;
  return find_inner_ids(p, &p->names.locals, SPACE_LOCAL, &p->local_ids) && find_inner_ids(p, &p->names.fields, SPACE_KEY, &p->field_ids) &&
         p->err->kind == MV_OK;
}

void names_fini(struct printer *p) {
  for (unsigned i = 0; i < SPACE_COUNT; i++) {
    free(p->names.space_names[i].at);
    free(p->ids[i]);
  }
  for (size_t i = 0; i < p->names.ncustoms; i++) buf_fini(&p->names.customs[i].bytes);
  free(p->names.customs);
  free(p->names.locals.at);
  free(p->names.labels.at);
  free(p->names.fields.at);
  buf_fini(&p->names.hint_section);
  free(p->local_ids);
  free(p->field_ids);
  free(p->hints);
  source_fini(&p->symbols);
}

/* ---- printing what is left ------------------------------------------------------------------------------- */

/* The encoding that the parser would give to the printed hints. */
static bool encode_hints(struct printer *p) {
  for (size_t i = 0, end; i < p->nhints; i = end) {
    for (end = i; end < p->nhints && p->hints[end].func == p->hints[i].func;) end++;
    buf_u32(&p->names.hint_section, p->hints[i].func);
    buf_u64(&p->names.hint_section, end - i);
    for (size_t k = i; k < end; k++) {
      buf_u32(&p->names.hint_section, p->hints[k].offset);
      buf_u32(&p->names.hint_section, 1);
      buf_byte(&p->names.hint_section, p->hints[k].value);
    }
    p->names.hinted_funcs++;
  }
  return make_name_section(&p->names);
}

/* Would the parser make this very section of what was printed, and put it where it stands? */
static bool comes_back(const struct printer *p, const struct custom_section *c, const char *name) {
  for (size_t i = 0; i < p->names.ncustoms; i++) {
    const struct custom *made = &p->names.customs[i];
    if (strcmp(made->name.bytes, name) != 0) continue;
    return made->bytes.size == (size_t)(c->end - c->start) && memcmp(made->bytes.data, c->start, made->bytes.size) == 0;
  }
  return false;
}

static bool mark_done(struct printer *p) {
  struct custom_section *names = find_custom(p, "name"), *hints = find_custom(p, "metadata.code.branch_hint");
  if (!encode_hints(p)) return false;
  if (names) names->done = names->before == 0 && p->names_printed == p->names_total && comes_back(p, names, "name");
  if (hints) {
    /* hints come first of what stands before the code */
    bool first = hints->before == SEC_CODE && (hints == p->customs || hints[-1].before != SEC_CODE);
    hints->done = first && p->hints_printed == p->nhints && comes_back(p, hints, "metadata.code.branch_hint");
  }
  return true;
}

static void print_custom(struct printer *p, const struct custom_section *c, const char *place) {
  enum { ROW = 60 };
  print_line(p);
  buf_text(&p->out, "(@custom ");
  print_string(&p->out, c->name.bytes, c->name.size, true);
  buf_text(&p->out, place);
  p->indent++;
  for (size_t i = 0, size = (size_t)(c->end - c->start); i < size; i += ROW) {
    if (size > ROW) print_line(p);
    else buf_byte(&p->out, ' ');
    print_string(&p->out, c->start + i, size - i > ROW ? ROW : size - i, false);
  }
  p->indent--;
  buf_byte(&p->out, ')');
}

/* Custom sections behind all others come before or after that of names. */
bool print_customs(struct printer *p) {
  static const char *const words[SEC_COUNT] = {
      [SEC_TYPE] = " (before type)", [SEC_IMPORT] = " (before import)", [SEC_FUNC] = " (before func)", [SEC_TABLE] = " (before table)",
      [SEC_MEMORY] = " (before memory)", [SEC_GLOBAL] = " (before global)", [SEC_EXPORT] = " (before export)", [SEC_START] = " (before start)",
      [SEC_ELEM] = " (before elem)", [SEC_CODE] = " (before code)", [SEC_DATA] = " (before data)", [SEC_DATACOUNT] = " (before datacount)",
      [SEC_TAG] = " (before tag)"};
  if (!mark_done(p)) return false;
  const struct custom_section *names = find_custom(p, "name");
  for (size_t i = 0; i < p->ncustoms; i++) {
    const struct custom_section *c = &p->customs[i];
    bool before_names = names && names->done && c < names;
    if (!c->done) print_custom(p, c, c->before ? words[c->before] : before_names ? " (after data)" : "");
  }
  return true;
}
