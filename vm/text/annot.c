/* Annotations that mean something (appendix/custom, appendix/annotations): @name, @custom, @metadata.code.branch_hint; and the custom sections that come
 * of them and of identifiers. */
#include "text/parse.h"

#include <stdlib.h>

#include "base/utf8.h"

/* Sections in the order of a binary; a custom section's place is twice the rank, plus one for behind it. */
static const struct { const char *word; uint8_t id; } order[] = {
    {"type", SEC_TYPE}, {"import", SEC_IMPORT}, {"func", SEC_FUNC}, {"table", SEC_TABLE}, {"memory", SEC_MEMORY}, {"tag", SEC_TAG},
    {"global", SEC_GLOBAL}, {"export", SEC_EXPORT}, {"start", SEC_START}, {"elem", SEC_ELEM}, {"datacount", SEC_DATACOUNT}, {"code", SEC_CODE},
    {"data", SEC_DATA}};
enum { RANKS = sizeof order / sizeof *order, PLACE_LAST = 2 * RANKS };

/* ---- finding ------------------------------------------------------------------------------------------- */

static size_t first_annotation(const struct source *s, uint32_t token) {
  size_t lo = 0, hi = s->nannotations;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (s->annotations[mid].token < token) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

struct annotation *take_annotation(struct parser *p, uint32_t token, enum annotation_kind kind) {
  struct source *s = p->s;
  if (s->nannotations == 0) return NULL;
  for (size_t i = first_annotation(s, token); i < s->nannotations && s->annotations[i].token == token; i++) {
    struct annotation *a = &s->annotations[i];
    if (a->kind != kind || a->used) continue;
    a->used = true;
    return a;
  }
  return NULL;
}

static bool annotation_error(const struct parser *p, const struct annotation *a, const char *message) {
  return source_error(p->s, a->pos, p->err, "%s", message);
}

/* ---- their contents ------------------------------------------------------------------------------------ */

struct args {
  const struct source *s;
  uint32_t pos, end; /* end: of the closing parenthesis */
};

static struct args args_of(const struct parser *p, const struct annotation *a) { return (struct args){p->s, a->args, a->end - 1}; }

/* The next element without taking it; 0: none is left. */
static size_t peek_arg(struct args *a, const char **text) {
  size_t n = annotation_next(a->s, &a->pos, a->end);
  *text = a->s->text + a->pos;
  return n;
}

static bool is_string(const char *text, size_t n) { return n >= 2 && text[0] == '"'; }

/* A string argument, as bytes in the arena. false with neither: there is none. */
static bool take_string(struct parser *p, struct args *a, struct name *out) {
  const char *text;
  size_t n = peek_arg(a, &text);
  *out = (struct name){0};
  if (!is_string(text, n)) return false;
  buf_clear(&p->strings);
  string_decode(text, n, &p->strings);
  char *bytes = arena_alloc(&p->s->arena, p->strings.size + 1);
  if (!bytes || p->strings.failed) return no_memory(p);
  if (p->strings.size) memcpy(bytes, p->strings.data, p->strings.size);
  *out = (struct name){bytes, (uint32_t)p->strings.size};
  a->pos += (uint32_t)n;
  return true;
}

static bool word_is(const char *text, size_t n, const char *word) { return strlen(word) == n && memcmp(text, word, n) == 0; }

/* ---- @name --------------------------------------------------------------------------------------------- */

bool take_name(struct parser *p, const char *what, struct name *name) {
  struct annotation *a = take_annotation(p, p->t, ANNOTATION_NAME), *second;
  if (!a) return true;
  struct args args = args_of(p, a);
  const char *rest;
  if (!take_string(p, &args, name)) return annotation_error(p, a, "@name annotation: string expected");
  if (!utf8_check(name->bytes, name->size)) return annotation_error(p, a, "@name annotation: malformed UTF-8 encoding");
  if (peek_arg(&args, &rest)) return annotation_error(p, a, "@name annotation: unexpected token");
  second = take_annotation(p, p->t, ANNOTATION_NAME);
  return !second || source_error(p->s, second->pos, p->err, "@name annotation: multiple %s names", what);
}

/* ---- @custom ------------------------------------------------------------------------------------------- */

/* ( before|after section ) */
static bool parse_place(struct parser *p, const struct annotation *a, struct args *args, int *place) {
  const char *text;
  size_t n = peek_arg(args, &text);
  *place = PLACE_LAST;
  if (n != 1 || *text != '(') return true;
  args->pos++;
  n = peek_arg(args, &text);
  bool after = word_is(text, n, "after");
  if (!after && !word_is(text, n, "before")) return annotation_error(p, a, "@custom annotation: malformed placement");
  args->pos += (uint32_t)n;
  n = peek_arg(args, &text);
  int rank = 0;
  while (rank < (int)RANKS && !word_is(text, n, order[rank].word)) rank++;
  if (rank < (int)RANKS) *place = 2 * rank + after;
  else if (word_is(text, n, "first")) *place = after; /* of the type section */
  else if (!word_is(text, n, "last")) return annotation_error(p, a, "@custom annotation: malformed section kind");
  else *place = after ? PLACE_LAST : PLACE_LAST - 2;
  args->pos += (uint32_t)n;
  n = peek_arg(args, &text);
  if (n != 1 || *text != ')') return annotation_error(p, a, "@custom annotation: unexpected token");
  args->pos++;
  return true;
}

static bool parse_custom(struct parser *p, const struct annotation *a, struct custom *c) {
  struct args args = args_of(p, a);
  const char *text;
  if (!take_string(p, &args, &c->name)) return annotation_error(p, a, "@custom annotation: missing section name");
  if (!utf8_check(c->name.bytes, c->name.size)) return annotation_error(p, a, "@custom annotation: malformed UTF-8 encoding");
  if (!parse_place(p, a, &args, &c->place)) return false;
  size_t n;
  while ((n = peek_arg(&args, &text)) > 0 && is_string(text, n)) {
    string_decode(text, n, &c->bytes);
    args.pos += (uint32_t)n;
  }
  return n == 0 || annotation_error(p, a, "@custom annotation: unexpected token");
}

bool take_customs(struct parser *p) {
  struct source *s = p->s;
  for (size_t i = first_annotation(s, p->t); i < s->nannotations && s->annotations[i].token == p->t; i++) {
    struct annotation *a = &s->annotations[i];
    if (a->kind != ANNOTATION_CUSTOM) continue;
    a->used = true;
    if (!array_reserve((void **)&p->customs, &p->cap_customs, p->ncustoms + 1, sizeof *p->customs)) return no_memory(p);
    struct custom *c = &p->customs[p->ncustoms++];
    *c = (struct custom){0};
    if (!parse_custom(p, a, c)) return false;
    if (c->bytes.failed) return no_memory(p);
  }
  return true;
}

/* ---- @metadata.code.branch_hint ------------------------------------------------------------------------ */

bool take_hint(struct parser *p, uint32_t token, uint32_t *value) {
  struct annotation *a = take_annotation(p, token, ANNOTATION_HINT);
  if (!a) return true;
  struct args args = args_of(p, a);
  struct name bytes;
  const char *rest;
  if (take_annotation(p, token, ANNOTATION_HINT)) return annotation_error(p, a, "@metadata.code.branch_hint annotation: duplicate annotation");
  if (!take_string(p, &args, &bytes) || bytes.size != 1 || (unsigned char)bytes.bytes[0] > 1 || peek_arg(&args, &rest))
    return annotation_error(p, a, "@metadata.code.branch_hint annotation: the hint is neither \"\\00\" nor \"\\01\"");
  *value = (unsigned char)bytes.bytes[0];
  return true;
}

bool finish_hints(struct parser *p, uint32_t func, uint32_t first, uint32_t end) {
  const struct source *s = p->s;
  for (size_t i = first_annotation(s, first); i < s->nannotations && s->annotations[i].token <= end; i++)
    if (s->annotations[i].kind == ANNOTATION_HINT && !s->annotations[i].used)
      return annotation_error(p, &s->annotations[i], "@metadata.code.branch_hint annotation: no instruction follows");
  if (p->nhints == 0) return true;
  struct buf *b = &p->hint_section;
  buf_u32(b, func);
  buf_u64(b, p->nhints);
  for (size_t i = 0; i < p->nhints; i++) {
    buf_u32(b, p->hints[i].offset);
    buf_u32(b, 1);
    buf_byte(b, p->hints[i].value);
  }
  p->hinted_funcs++;
  p->nhints = 0;
  return true;
}

/* ---- what nobody took ---------------------------------------------------------------------------------- */

bool check_annotations(struct parser *p, uint32_t first, uint32_t end) {
  static const char *const misplaced[] = {"misplaced @name annotation", "misplaced @custom annotation",
                                          "@metadata.code.branch_hint annotation: not in a function"};
  const struct source *s = p->s;
  for (size_t i = first_annotation(s, first); i < s->nannotations && s->annotations[i].token <= end; i++) {
    const struct annotation *a = &s->annotations[i];
    if (!a->used) return annotation_error(p, a, misplaced[a->kind]);
  }
  return true;
}

/* ---- the name section (appendix/custom#name-section, with the subsections of the extended-name-section proposal) ------------ */

static void put_subsection(struct buf *out, unsigned id, struct buf *contents) {
  buf_byte(out, id);
  buf_bytes(out, contents->data, contents->size);
  out->failed = out->failed || contents->failed;
  buf_clear(contents);
}

static void put_name_map(struct buf *out, unsigned id, const struct name_list *list, struct buf *scratch) {
  uint32_t n = 0;
  for (size_t i = 0; i < list->n; i++) n += list->at[i].bytes != NULL;
  if (n == 0) return;
  buf_u32(scratch, n);
  for (size_t i = 0; i < list->n; i++) {
    if (!list->at[i].bytes) continue;
    buf_u64(scratch, i);
    buf_bytes(scratch, list->at[i].bytes, list->at[i].size);
  }
  put_subsection(out, id, scratch);
}

static void put_indirect_map(struct buf *out, unsigned id, const struct inner_list *list, struct buf *scratch) {
  uint32_t groups = 0;
  for (size_t i = 0; i < list->n; i++) groups += i == 0 || list->at[i].outer != list->at[i - 1].outer;
  if (groups == 0) return;
  buf_u32(scratch, groups);
  for (size_t i = 0, end; i < list->n; i = end) {
    for (end = i; end < list->n && list->at[end].outer == list->at[i].outer;) end++;
    buf_u32(scratch, list->at[i].outer);
    buf_u64(scratch, end - i);
    for (size_t k = i; k < end; k++) {
      buf_u32(scratch, list->at[k].inner);
      buf_bytes(scratch, list->at[k].name.bytes, list->at[k].name.size);
    }
  }
  put_subsection(out, id, scratch);
}

static bool has_custom(const struct parser *p, const char *name) {
  for (size_t i = 0; i < p->ncustoms; i++)
    if (word_is(p->customs[i].name.bytes, p->customs[i].name.size, name)) return true;
  return false;
}

static bool add_custom(struct parser *p, const char *name, int place, struct buf *bytes) {
  if (!array_reserve((void **)&p->customs, &p->cap_customs, p->ncustoms + 1, sizeof *p->customs)) return no_memory(p);
  memmove(p->customs + 1, p->customs, p->ncustoms * sizeof *p->customs); /* before those given without a place of their own */
  p->customs[0] = (struct custom){{name, (uint32_t)strlen(name)}, *bytes, place};
  p->ncustoms++;
  *bytes = (struct buf){0};
  return true;
}

bool make_name_section(struct parser *p) {
  static const struct { uint8_t id, space; } maps[] = {{4, SPACE_TYPE}, {5, SPACE_TABLE}, {6, SPACE_MEMORY}, {7, SPACE_GLOBAL}, {8, SPACE_ELEM}, {9, SPACE_DATA}};
  struct buf out = {0}, scratch = {0};
  if (p->hinted_funcs > 0 && !has_custom(p, "metadata.code.branch_hint")) {
    buf_u32(&out, p->hinted_funcs);
    buf_put(&out, p->hint_section.data, p->hint_section.size);
    if (out.failed || !add_custom(p, "metadata.code.branch_hint", 2 * 11, &out)) goto fail;
  }
  if (!p->names || has_custom(p, "name")) return true;
  if (p->module_name.bytes) {
    buf_bytes(&scratch, p->module_name.bytes, p->module_name.size);
    put_subsection(&out, 0, &scratch);
  }
  put_name_map(&out, 1, &p->space_names[SPACE_FUNC], &scratch);
  put_indirect_map(&out, 2, &p->locals, &scratch);
  put_indirect_map(&out, 3, &p->labels, &scratch);
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) put_name_map(&out, maps[i].id, &p->space_names[maps[i].space], &scratch);
  put_indirect_map(&out, 10, &p->fields, &scratch);
  put_name_map(&out, 11, &p->space_names[SPACE_TAG], &scratch);
  buf_fini(&scratch);
  if (out.failed || (out.size > 0 && !add_custom(p, "name", PLACE_LAST, &out))) goto fail;
  buf_fini(&out);
  return true;
fail:
  buf_fini(&out);
  buf_fini(&scratch);
  return no_memory(p);
}

/* ---- the final order ----------------------------------------------------------------------------------- */

static void put_customs_at(struct parser *p, struct buf *out, int place) {
  for (size_t i = 0; i < p->ncustoms; i++) {
    const struct custom *c = &p->customs[i];
    if (c->place != place) continue;
    struct buf head = {0};
    buf_bytes(&head, c->name.bytes, c->name.size);
    buf_byte(out, SEC_CUSTOM);
    buf_u64(out, head.size + c->bytes.size);
    buf_put(out, head.data, head.size);
    buf_put(out, c->bytes.data, c->bytes.size);
    out->failed = out->failed || head.failed;
    buf_fini(&head);
  }
}

void put_sections(struct parser *p, struct buf *out, size_t bases[SEC_COUNT]) {
  for (int rank = 0; rank < (int)RANKS; rank++) {
    unsigned id = order[rank].id;
    struct buf *b = &p->sections[id];
    put_customs_at(p, out, 2 * rank);
    bool counted = id != SEC_START && id != SEC_DATACOUNT;
    out->failed = out->failed || b->failed;
    if (counted ? p->entries[id] > 0 : b->size > 0) {
      struct buf count = {0};
      if (counted) buf_u32(&count, p->entries[id]);
      buf_byte(out, id);
      buf_u64(out, count.size + b->size);
      buf_put(out, count.data, count.size);
      bases[id] = out->size;
      buf_put(out, b->data, b->size);
      out->failed = out->failed || count.failed;
      buf_fini(&count);
    }
    put_customs_at(p, out, 2 * rank + 1);
  }
  put_customs_at(p, out, PLACE_LAST);
}
