/* Module fields in text (core/text/modules) and the module as a whole; see parse.h for the two passes. */
#include "text/parse.h"

#include <stdlib.h>

/* ---- first pass: names, indices and types ---------------------------------------------------------------- */

static enum space kind_space(unsigned word) {
  switch (word) {
  case KW_FUNC: return SPACE_FUNC;
  case KW_TABLE: return SPACE_TABLE;
  case KW_MEMORY: return SPACE_MEMORY;
  case KW_GLOBAL: return SPACE_GLOBAL;
  case KW_TAG: return SPACE_TAG;
  default: return SPACE_COUNT;
  }
}

static void skip_form(struct parser *p) { p->t = after_form(p, p->t); }

static void skip_exports(struct parser *p) {
  while (at_form(p, KW_EXPORT)) skip_form(p);
}

static bool check_import_order(struct parser *p, uint32_t token) {
  return !p->defined || parse_error(p, token, "import after %s definition", p->defined);
}

/* "(" kind id? ...: binds what an import brings. */
static bool bind_externtype(struct parser *p, bool named) {
  enum space space = at(p, TOKEN_LPAR) && peek(p)[1].kind == TOKEN_KEYWORD ? kind_space(peek(p)[1].word) : SPACE_COUNT;
  if (space == SPACE_COUNT) {
    if (at(p, TOKEN_LPAR)) p->t++;
    return unexpected(p, "func, table, memory, global or tag");
  }
  uint32_t end = peek(p)->u;
  p->t += 2;
  if (!named && at(p, TOKEN_ID)) return parse_error(p, p->t, "identifier not allowed");
  if (!bind_name(p, space)) return false;
  p->t = end;
  return expect(p, TOKEN_RPAR, ")");
}

/* (item "name"): the type follows for all of them. */
static bool at_bare_item(const struct parser *p) { return at_form(p, KW_ITEM) && peek(p)[2].kind == TOKEN_STRING && peek(p)[3].kind == TOKEN_RPAR; }

static bool bind_import(struct parser *p, uint32_t token) {
  if (!check_import_order(p, token) || !expect(p, TOKEN_STRING, "a module name")) return false;
  if (at(p, TOKEN_STRING)) {
    p->t++;
    return bind_externtype(p, true);
  }
  if (at_bare_item(p)) {
    uint32_t n = 0, type;
    for (; at_bare_item(p); n++) p->t += 4;
    type = p->t;
    for (; n > 0; n--) {
      p->t = type;
      if (!bind_externtype(p, false)) return false;
    }
    return true;
  }
  if (!at_form(p, KW_ITEM) && !at(p, TOKEN_RPAR)) return unexpected(p, "a name or (item");
  while (at_form(p, KW_ITEM)) {
    p->t += 2;
    if (!expect(p, TOKEN_STRING, "a name") || !bind_externtype(p, true) || !expect(p, TOKEN_RPAR, ")")) return false;
  }
  return true;
}

/* Does the field whose first tokens are behind p->t contain this form directly? */
static bool contains_form(struct parser *p, unsigned word) {
  uint32_t t = p->t;
  bool found = false;
  for (; !found && !at(p, TOKEN_RPAR) && !at(p, TOKEN_EOF) && !at(p, TOKEN_ERROR); p->t = at(p, TOKEN_LPAR) ? after_form(p, p->t) : p->t + 1)
    found = at_form(p, word);
  p->t = t;
  return found;
}

static bool bind_definition(struct parser *p, unsigned word, uint32_t token) {
  static const char *const kinds[] = {[SPACE_FUNC] = "function", [SPACE_TABLE] = "table", [SPACE_MEMORY] = "memory", [SPACE_GLOBAL] = "global", [SPACE_TAG] = "tag"};
  enum space space = kind_space(word);
  if (!bind_name(p, space)) return false;
  skip_exports(p);
  if (at_form(p, KW_IMPORT)) return check_import_order(p, token);
  if (!p->defined) p->defined = kinds[space];
  if (word == KW_MEMORY && contains_form(p, KW_DATA)) p->count[SPACE_DATA]++;
  if (word == KW_TABLE && contains_form(p, KW_ELEM)) p->count[SPACE_ELEM]++;
  return true;
}

static bool bind_types(struct parser *p, unsigned word) {
  if (word == KW_TYPE) return bind_name(p, SPACE_TYPE);
  while (at_form(p, KW_TYPE)) { /* of a rec */
    uint32_t end = peek(p)->u;
    p->t += 2;
    if (!bind_name(p, SPACE_TYPE)) return false;
    p->t = end;
    if (!expect(p, TOKEN_RPAR, ")")) return false;
  }
  return at(p, TOKEN_RPAR) || unexpected(p, "(type");
}

static bool bind_field_names(struct parser *p, uint32_t token) {
  unsigned word = peek(p)->word;
  p->t++;
  switch (word) {
  case KW_TYPE: case KW_REC: return bind_types(p, word);
  case KW_IMPORT: return bind_import(p, token);
  case KW_FUNC: case KW_TABLE: case KW_MEMORY: case KW_GLOBAL: case KW_TAG: return bind_definition(p, word, token);
  case KW_ELEM: return bind_name(p, SPACE_ELEM);
  case KW_DATA: return bind_name(p, SPACE_DATA);
  case KW_EXPORT: case KW_START: return true;
  default:
    p->t--;
    return unexpected(p, "a module field");
  }
}

static bool first_pass(struct parser *p, uint32_t token) {
  p->t = token;
  if (!take_customs(p)) return false;
  p->t = token + 1;
  return bind_field_names(p, token);
}

/* Calls visit for each field of first..end with p->t at its word. A field that is not closed is for the last pass to report. */
static bool each_field(struct parser *p, uint32_t first, uint32_t end, bool (*visit)(struct parser *, uint32_t token)) {
  for (p->t = first; p->t < end;) {
    uint32_t token = p->t;
    if (!at(p, TOKEN_LPAR)) return unexpected(p, "a module field");
    uint32_t close = peek(p)->u;
    if (p->s->tokens[close].kind != TOKEN_RPAR && visit == first_pass) return true;
    p->t++;
    if (!at(p, TOKEN_KEYWORD)) return unexpected(p, "a module field");
    if (!visit(p, token)) return false;
    p->t = close;
    if (!expect(p, TOKEN_RPAR, ")")) return false;
  }
  return true;
}

static bool define_types(struct parser *p, uint32_t token) {
  if (!at_word(p, KW_TYPE) && !at_word(p, KW_REC)) return true;
  p->t = token;
  return parse_typefield(p);
}

/* ---- imports and exports ------------------------------------------------------------------------------- */

/* (exact? type use) of a function import; emits kind and type index. */
static bool put_func_import(struct parser *p, struct buf *out) {
  struct typeuse use;
  bool exact = at_form(p, KW_EXACT);
  if (exact) p->t += 2;
  if (!parse_typeuse(p, PARAMS_NAMED, &use) || (exact && !expect(p, TOKEN_RPAR, ")"))) return false;
  buf_byte(out, exact ? 0x20 : EXTERN_FUNC);
  buf_u32(out, use.type);
  return true;
}

/* The type behind "(" kind id? */
static bool put_externtype(struct parser *p, enum space space, struct buf *out) {
  struct typeuse use;
  p->count[space]++;
  switch (space) {
  case SPACE_FUNC: return put_func_import(p, out);
  case SPACE_TABLE: buf_byte(out, EXTERN_TABLE); return parse_tabletype(p, out);
  case SPACE_MEMORY: buf_byte(out, EXTERN_MEMORY); return parse_memtype(p, out);
  case SPACE_GLOBAL: buf_byte(out, EXTERN_GLOBAL); return parse_globaltype(p, out);
  default:
    if (!parse_typeuse(p, PARAMS_NAMED, &use)) return false;
    buf_byte(out, EXTERN_TAG);
    buf_byte(out, 0);
    buf_u32(out, use.type);
    return true;
  }
}

static bool parse_externtype(struct parser *p, struct buf *out) {
  enum space space = kind_space(peek(p)[1].word); /* known from the first pass */
  p->t += 2;
  (void)optional_id(p);
  return put_externtype(p, space, out) && expect(p, TOKEN_RPAR, ")");
}

/* (item "name")+ type, or (item "name" type)+, behind the module's name: the encodings of the compact imports proposal */
static bool parse_items(struct parser *p, struct buf *out) {
  uint32_t n = 0;
  buf_byte(out, 0);
  if (!(p->s->features & MV_FEATURE(COMPACT_IMPORTS))) return parse_error(p, p->t, "unexpected token item: the feature compact-imports is off");
  if (at_bare_item(p)) {
    uint32_t first = p->t, end;
    for (; at_bare_item(p); n++) p->t += 4;
    buf_byte(out, 0x7e);
    p->count[kind_space(peek(p)[1].word)] += n - 1;
    if (!parse_externtype(p, out)) return false;
    end = p->t;
    buf_u32(out, n);
    for (p->t = first; at_bare_item(p); p->t += 2) {
      p->t += 2;
      if (!parse_name(p, out)) return false;
      p->t--;
    }
    p->t = end;
    return true;
  }
  for (uint32_t t = p->t; p->s->tokens[t].kind == TOKEN_LPAR; t = after_form(p, t)) n++;
  buf_byte(out, 0x7f);
  buf_u32(out, n);
  while (at_form(p, KW_ITEM)) {
    p->t += 2;
    if (!parse_name(p, out) || !parse_externtype(p, out) || !expect(p, TOKEN_RPAR, ")")) return false;
  }
  return true;
}

static bool parse_import(struct parser *p) {
  struct buf *out = &p->sections[SEC_IMPORT];
  p->entries[SEC_IMPORT]++;
  if (!map_add(p, SEC_IMPORT, out->size, p->field) || !parse_name(p, out)) return false;
  if (!at(p, TOKEN_STRING)) return parse_items(p, out);
  return parse_name(p, out) && parse_externtype(p, out);
}

/* (import "module" "name") within a definition, then its type */
static bool parse_inline_import(struct parser *p, enum space space) {
  struct buf *out = &p->sections[SEC_IMPORT];
  p->entries[SEC_IMPORT]++;
  if (!map_add(p, SEC_IMPORT, out->size, p->field)) return false;
  p->t += 2;
  p->count[space]--; /* counted by the definition */
  return parse_name(p, out) && parse_name(p, out) && expect(p, TOKEN_RPAR, ")") && put_externtype(p, space, out);
}

/* The kinds of exports have the numbers of imports. */
static unsigned extern_kind(enum space space) {
  switch (space) {
  case SPACE_FUNC: return EXTERN_FUNC;
  case SPACE_TABLE: return EXTERN_TABLE;
  case SPACE_MEMORY: return EXTERN_MEMORY;
  case SPACE_GLOBAL: return EXTERN_GLOBAL;
  default: return EXTERN_TAG;
  }
}

static bool put_export_head(struct parser *p) {
  p->entries[SEC_EXPORT]++;
  return map_add(p, SEC_EXPORT, p->sections[SEC_EXPORT].size, p->t - 1) && parse_name(p, &p->sections[SEC_EXPORT]);
}

static void put_export(struct parser *p, enum space space, uint32_t index) {
  buf_byte(&p->sections[SEC_EXPORT], extern_kind(space));
  buf_u32(&p->sections[SEC_EXPORT], index);
}

static bool parse_export(struct parser *p) {
  if (!put_export_head(p)) return false;
  enum space space = at(p, TOKEN_LPAR) && peek(p)[1].kind == TOKEN_KEYWORD ? kind_space(peek(p)[1].word) : SPACE_COUNT;
  if (space == SPACE_COUNT) {
    if (at(p, TOKEN_LPAR)) p->t++;
    return unexpected(p, "func, table, memory, global or tag");
  }
  uint32_t index;
  p->t += 2;
  if (!parse_index(p, space, &index)) return false;
  put_export(p, space, index);
  return expect(p, TOKEN_RPAR, ")");
}

static bool parse_inline_exports(struct parser *p, enum space space) {
  while (at_form(p, KW_EXPORT)) {
    p->t += 2;
    if (!put_export_head(p) || !expect(p, TOKEN_RPAR, ")")) return false;
    put_export(p, space, p->count[space] - 1);
  }
  return true;
}

/* ---- expressions in sections --------------------------------------------------------------------------- */

static void aim(struct parser *p, unsigned section) {
  p->out = &p->sections[section];
  p->out_section = section;
  p->func_scope = ++p->s->scope; /* no labels or locals are visible */
  p->nlabels = 0;
}

/* (offset instr*) or one folded instruction; `form` is the keyword: offset or item */
static bool parse_offset(struct parser *p, unsigned form) {
  if (!at_form(p, form)) return parse_folded_expr(p);
  p->t += 2;
  return parse_expr(p) && expect(p, TOKEN_RPAR, ")");
}

/* The expression (i32.const 0) or (i64.const 0). */
static void put_zero(struct parser *p, bool is64) {
  buf_byte(p->out, is64 ? OP_i64_const : OP_i32_const);
  buf_byte(p->out, 0);
  buf_byte(p->out, OP_end);
}

/* ---- definitions --------------------------------------------------------------------------------------- */

static bool put_locals_group(struct buf *out, struct buf *type, uint32_t n, uint32_t *groups) {
  if (n == 0) return true;
  buf_u32(out, n);
  buf_put(out, type->data, type->size);
  ++*groups;
  return !type->failed;
}

/* (local ...)*: equal neighbours are counted together */
static bool parse_locals(struct parser *p) {
  struct buf *groups = &p->params, *last = &p->results, *now = &p->sig;
  uint32_t n = 0, ngroups = 0;
  buf_clear(groups);
  buf_clear(last);
  while (at_form(p, KW_LOCAL)) {
    p->t += 2;
    bool named = at(p, TOKEN_ID);
    for (bool first = true; named ? first : at_valtype(p); first = false) {
      buf_clear(now);
      if (!bind_name(p, SPACE_LOCAL) || !parse_valtype(p, now)) return false;
      if (n > 0 && (now->size != last->size || memcmp(now->data, last->data, now->size) != 0)) {
        if (!put_locals_group(groups, last, n, &ngroups)) return no_memory(p);
        n = 0;
      }
      buf_clear(last);
      buf_put(last, now->data, now->size);
      n++;
    }
    if (!expect(p, TOKEN_RPAR, "a value type or )")) return false;
  }
  if (!put_locals_group(groups, last, n, &ngroups)) return no_memory(p);
  buf_u32(&p->body, ngroups);
  buf_put(&p->body, groups->data, groups->size);
  return true;
}

static bool finish_body(struct parser *p, uint32_t first) {
  struct buf *code = &p->sections[SEC_CODE];
  p->entries[SEC_CODE]++;
  buf_u64(code, p->body.size);
  for (size_t i = p->map_body; i < p->nmap; i++)
    if (p->map[i].section == SEC_CODE) p->map[i].offset += code->size;
  buf_put(code, p->body.data, p->body.size);
  return finish_hints(p, p->count[SPACE_FUNC] - 1, first, p->t);
}

static bool parse_func(struct parser *p) {
  uint32_t first = p->t;
  struct typeuse use;
  p->count[SPACE_FUNC]++;
  (void)optional_id(p);
  if (!parse_inline_exports(p, SPACE_FUNC)) return false;
  if (at_form(p, KW_IMPORT)) return parse_inline_import(p, SPACE_FUNC);
  p->func_scope = ++p->s->scope;
  p->count[SPACE_LOCAL] = p->count[SPACE_LABEL] = 0;
  p->nlabels = p->nframes = p->nhints = 0;
  buf_clear(&p->pending);
  buf_clear(&p->body);
  if (!parse_typeuse(p, PARAMS_BOUND, &use)) return false;
  p->count[SPACE_LOCAL] = use.nparams;
  p->entries[SEC_FUNC]++;
  if (!map_add(p, SEC_FUNC, p->sections[SEC_FUNC].size, p->field)) return false;
  buf_u32(&p->sections[SEC_FUNC], use.type);
  p->out = &p->body;
  p->out_section = SEC_CODE;
  p->map_body = p->nmap;
  return map_add(p, SEC_CODE, 0, p->field) && parse_locals(p) && parse_expr(p) && finish_body(p, first);
}

static bool parse_global(struct parser *p) {
  p->count[SPACE_GLOBAL]++;
  (void)optional_id(p);
  if (!parse_inline_exports(p, SPACE_GLOBAL)) return false;
  if (at_form(p, KW_IMPORT)) return parse_inline_import(p, SPACE_GLOBAL);
  p->entries[SEC_GLOBAL]++;
  aim(p, SEC_GLOBAL);
  return map_add(p, SEC_GLOBAL, p->out->size, p->field) && parse_globaltype(p, p->out) && parse_expr(p);
}

static bool parse_tag(struct parser *p) {
  struct typeuse use;
  p->count[SPACE_TAG]++;
  (void)optional_id(p);
  if (!parse_inline_exports(p, SPACE_TAG)) return false;
  if (at_form(p, KW_IMPORT)) return parse_inline_import(p, SPACE_TAG);
  p->entries[SEC_TAG]++;
  if (!map_add(p, SEC_TAG, p->sections[SEC_TAG].size, p->field) || !parse_typeuse(p, PARAMS_NAMED, &use)) return false;
  buf_byte(&p->sections[SEC_TAG], 0);
  buf_u32(&p->sections[SEC_TAG], use.type);
  return true;
}

/* The memory (data "...") abbreviation: a memory of just the right size and an active segment. */
static bool parse_memory_data(struct parser *p, bool is64, unsigned log2, bool custom) {
  uint32_t memory = p->count[SPACE_MEMORY] - 1;
  p->t += 2;
  parse_strings(p);
  if (!expect(p, TOKEN_RPAR, "a string or )")) return false;
  uint64_t pages = log2 < 64 ? (p->strings.size >> log2) + ((p->strings.size & ((UINT64_C(1) << log2) - 1)) != 0) : 1;
  put_limits(&p->sections[SEC_MEMORY], 1u | (is64 ? 4u : 0) | (custom ? 8u : 0), pages, pages, log2);
  p->entries[SEC_DATA]++;
  p->count[SPACE_DATA]++;
  aim(p, SEC_DATA);
  if (!map_add(p, SEC_DATA, p->out->size, p->field)) return false;
  buf_byte(p->out, memory ? 2 : 0);
  if (memory) buf_u32(p->out, memory);
  put_zero(p, is64);
  buf_bytes(p->out, p->strings.data, p->strings.size);
  return !p->strings.failed || no_memory(p);
}

static bool parse_memory(struct parser *p) {
  p->count[SPACE_MEMORY]++;
  (void)optional_id(p);
  if (!parse_inline_exports(p, SPACE_MEMORY)) return false;
  if (at_form(p, KW_IMPORT)) return parse_inline_import(p, SPACE_MEMORY);
  p->entries[SEC_MEMORY]++;
  if (!map_add(p, SEC_MEMORY, p->sections[SEC_MEMORY].size, p->field)) return false;
  if (!contains_form(p, KW_DATA)) return parse_memtype(p, &p->sections[SEC_MEMORY]);
  bool is64, custom;
  unsigned log2;
  return parse_addrtype(p, &is64) && parse_pagesize(p, &log2, &custom) &&
         (at_form(p, KW_DATA) ? parse_memory_data(p, is64, log2, custom) : unexpected(p, "(data"));
}

/* ---- element segments ---------------------------------------------------------------------------------- */

/* What lists the items of a segment: function indices or expressions; n of them follow. */
static uint32_t count_items(const struct parser *p, bool *exprs) {
  const struct token *first = peek(p), *k = first;
  uint32_t n = 0;
  *exprs = first->kind == TOKEN_LPAR;
  for (; *exprs ? k->kind == TOKEN_LPAR : k->kind == TOKEN_NAT || k->kind == TOKEN_ID; n++) k = *exprs ? &p->s->tokens[after_form(p, (uint32_t)(k - p->s->tokens))] : k + 1;
  return n;
}

static bool put_items(struct parser *p, bool exprs, bool ref_funcs) {
  bool given_exprs;
  uint32_t n = count_items(p, &given_exprs), index;
  buf_u32(p->out, n);
  for (; n > 0; n--) {
    if (exprs && !ref_funcs) {
      if (!parse_offset(p, KW_ITEM)) return false;
      continue;
    }
    if (!parse_index(p, SPACE_FUNC, &index)) return false;
    if (ref_funcs) buf_byte(p->out, OP_ref_func);
    buf_u32(p->out, index);
    if (ref_funcs) buf_byte(p->out, OP_end);
  }
  return true;
}

/* The table (elem ...) abbreviation. */
static bool parse_table_elem(struct parser *p) {
  struct buf *tables = &p->sections[SEC_TABLE];
  uint32_t table = p->count[SPACE_TABLE] - 1;
  bool is64, exprs;
  size_t type = tables->size;
  if (!parse_addrtype(p, &is64) || !parse_reftype(p, tables)) return false;
  size_t type_size = tables->size - type;
  if (!at_form(p, KW_ELEM)) return unexpected(p, "(elem");
  p->t += 2;
  uint32_t n = count_items(p, &exprs);
  put_limits(tables, 1u | (is64 ? 4u : 0), n, n, 0);
  if (tables->failed) return no_memory(p);
  aim(p, SEC_ELEM);
  if (!map_add(p, SEC_ELEM, p->out->size, p->field)) return false;
  p->entries[SEC_ELEM]++;
  p->count[SPACE_ELEM]++;
  bool funcref = type_size == 1 && tables->data[type] == 0x70;
  bool short_form = table == 0 && funcref; /* flags 0 and 4 imply table 0 and funcref */
  unsigned flags = exprs || !funcref ? (short_form ? 4 : 6) : table == 0 ? 0 : 2;
  buf_byte(p->out, flags);
  if (flags & 2) buf_u32(p->out, table);
  put_zero(p, is64);
  if (flags == 2) buf_byte(p->out, 0);
  if (flags == 6) buf_put(p->out, tables->data + type, type_size);
  return put_items(p, flags & 4, (flags & 4) && !exprs) && expect(p, TOKEN_RPAR, "an element or )");
}

static bool parse_table(struct parser *p) {
  struct buf *out = &p->sections[SEC_TABLE];
  p->count[SPACE_TABLE]++;
  (void)optional_id(p);
  if (!parse_inline_exports(p, SPACE_TABLE)) return false;
  if (at_form(p, KW_IMPORT)) return parse_inline_import(p, SPACE_TABLE);
  p->entries[SEC_TABLE]++;
  if (!map_add(p, SEC_TABLE, out->size, p->field)) return false;
  if (contains_form(p, KW_ELEM)) return parse_table_elem(p);
  size_t start = out->size;
  if (!parse_tabletype(p, out)) return false;
  if (at(p, TOKEN_RPAR)) return true;
  struct buf *type = &p->strings; /* the type moves behind the prefix of the long form */
  buf_clear(type);
  if (out->failed) return no_memory(p);
  buf_put(type, out->data + start, out->size - start);
  out->size = start;
  buf_byte(out, 0x40);
  buf_byte(out, 0);
  buf_put(out, type->data, type->size);
  aim(p, SEC_TABLE);
  return parse_expr(p);
}

/* The type that follows at token t is funcref, in either spelling, and a list of indices may not follow. */
static bool is_funcref(const struct token *k) {
  if (k->kind == TOKEN_KEYWORD) return k->word == KW_FUNCREF;
  return k->kind == TOKEN_LPAR && k[1].kind == TOKEN_KEYWORD && k[1].word == KW_REF && k[2].kind == TOKEN_KEYWORD && k[2].word == KW_NULL &&
         k[3].kind == TOKEN_KEYWORD && k[3].word == KW_FUNC;
}

/* The target of an active segment: (table x), (memory x), or a bare number as before Wasm 2.0. */
static bool parse_use(struct parser *p, unsigned word, enum space space, bool *given, uint32_t *index) {
  bool bare = at(p, TOKEN_NAT) && peek(p)[1].kind == TOKEN_LPAR;
  *given = bare || at_form(p, word);
  if (!*given) return true;
  p->t += bare ? 0 : 2;
  return parse_index(p, space, index) && (bare || expect(p, TOKEN_RPAR, ")"));
}

static bool parse_elem(struct parser *p) {
  uint32_t table = 0;
  p->count[SPACE_ELEM]++;
  p->entries[SEC_ELEM]++;
  aim(p, SEC_ELEM);
  if (!map_add(p, SEC_ELEM, p->out->size, p->field)) return false;
  (void)optional_id(p);
  bool declare = at_word(p, KW_DECLARE), use, form = at_form(p, KW_TABLE);
  if (declare) p->t++;
  if (!parse_use(p, KW_TABLE, SPACE_TABLE, &use, &table)) return false;
  bool active = use || (!declare && at(p, TOKEN_LPAR) && !at_form(p, KW_REF));
  const struct token *list = active && at(p, TOKEN_LPAR) ? &p->s->tokens[peek(p)->u] + (p->s->tokens[peek(p)->u].kind == TOKEN_RPAR) : peek(p);
  bool bare = active && !form && list->kind != TOKEN_KEYWORD && list->kind != TOKEN_LPAR; /* indices without `func` */
  bool exprs = !bare && !(list->kind == TOKEN_KEYWORD && list->word == KW_FUNC);
  bool short_form = active && table == 0 && (!exprs || is_funcref(list));
  buf_byte(p->out, (exprs ? 4u : 0) | (declare ? 3 : !active ? 1 : short_form ? 0 : 2));
  if (active && !short_form) buf_u32(p->out, table);
  if (active && !parse_offset(p, KW_OFFSET)) return false;
  if (exprs) {
    struct buf unused = {0};
    bool ok = parse_reftype(p, short_form ? &unused : p->out);
    buf_fini(&unused);
    if (!ok) return false;
  } else {
    p->t += !bare;
    if (!short_form) buf_byte(p->out, 0);
  }
  return put_items(p, exprs, false);
}

static bool parse_data(struct parser *p) {
  uint32_t memory = 0;
  p->count[SPACE_DATA]++;
  p->entries[SEC_DATA]++;
  aim(p, SEC_DATA);
  if (!map_add(p, SEC_DATA, p->out->size, p->field)) return false;
  (void)optional_id(p);
  bool use;
  if (!parse_use(p, KW_MEMORY, SPACE_MEMORY, &use, &memory)) return false;
  bool active = use || at(p, TOKEN_LPAR);
  buf_byte(p->out, !active ? 1 : memory ? 2 : 0);
  if (memory) buf_u32(p->out, memory);
  if (active && !parse_offset(p, KW_OFFSET)) return false;
  parse_strings(p);
  buf_bytes(p->out, p->strings.data, p->strings.size);
  return !p->strings.failed || no_memory(p);
}

static bool parse_start(struct parser *p) {
  if (p->has_start) return parse_error(p, p->t - 1, "multiple start sections");
  p->has_start = true;
  uint32_t func;
  if (!map_add(p, SEC_START, 0, p->field) || !parse_index(p, SPACE_FUNC, &func)) return false;
  buf_u32(&p->sections[SEC_START], func);
  return true;
}

/* ---- second pass --------------------------------------------------------------------------------------- */

static bool second_pass(struct parser *p, uint32_t token) {
  uint32_t end = p->s->tokens[token].u;
  unsigned word = peek(p)->word;
  bool ok;
  p->field = p->t++;
  switch (word) {
  case KW_IMPORT: ok = parse_import(p); break;
  case KW_FUNC: ok = parse_func(p); break;
  case KW_TABLE: ok = parse_table(p); break;
  case KW_MEMORY: ok = parse_memory(p); break;
  case KW_GLOBAL: ok = parse_global(p); break;
  case KW_TAG: ok = parse_tag(p); break;
  case KW_ELEM: ok = parse_elem(p); break;
  case KW_DATA: ok = parse_data(p); break;
  case KW_EXPORT: ok = parse_export(p); break;
  case KW_START: ok = parse_start(p); break;
  default: return true; /* types are done */
  }
  return ok && (p->t == end || unexpected(p, ")"));
}

enum { PARSER_BUFS = 8 };

static void parser_bufs(struct parser *p, struct buf *bufs[PARSER_BUFS]) {
  struct buf *all[PARSER_BUFS] = {&p->sigs, &p->params, &p->results, &p->sig, &p->body, &p->pending, &p->strings, &p->hint_section};
  memcpy(bufs, all, sizeof all);
}

static void parser_fini(struct parser *p) {
  for (unsigned i = 0; i < SEC_COUNT; i++) buf_fini(&p->sections[i]);
  for (unsigned i = 0; i < SPACE_COUNT; i++) free(p->space_names[i].at);
  for (size_t i = 0; i < p->ncustoms; i++) buf_fini(&p->customs[i].bytes);
  struct buf *bufs[PARSER_BUFS];
  parser_bufs(p, bufs);
  for (unsigned i = 0; i < PARSER_BUFS; i++) buf_fini(bufs[i]);
  void *arrays[] = {p->locals.at, p->labels.at, p->fields.at, p->types, p->label_stack, p->frames, p->hints, p->customs, p->map};
  for (unsigned i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

static int compare_offsets(const void *a, const void *b) {
  const struct map_entry *x = a, *y = b;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Offsets become those of the module. What is behind a section belongs to no line. */
static bool finish_map(struct parser *p, const size_t bases[SEC_COUNT]) {
  if (!p->want_map) return true;
  if (!array_reserve((void **)&p->map, &p->cap_map, p->nmap + SEC_COUNT, sizeof *p->map)) return no_memory(p);
  for (uint32_t i = 0; i < SEC_COUNT; i++)
    if (bases[i]) p->map[p->nmap++] = (struct map_entry){p->sections[i].size, NO_POSITION, i};
  for (size_t i = 0; i < p->nmap; i++) p->map[i].offset += bases[p->map[i].section];
  if (p->nmap) qsort(p->map, p->nmap, sizeof *p->map, compare_offsets);
  return true;
}

static bool assemble(struct parser *p, struct parsed_module *out) {
  size_t bases[SEC_COUNT] = {0};
  if (p->uses_data) buf_u32(&p->sections[SEC_DATACOUNT], p->entries[SEC_DATA]);
  if (!make_name_section(p)) return false;
  *out = (struct parsed_module){0};
  buf_put(&out->bytes, "\0asm\1\0\0", 8);
  put_sections(p, &out->bytes, bases);
  bool failed = out->bytes.failed;
  struct buf *bufs[PARSER_BUFS];
  parser_bufs(p, bufs);
  for (unsigned i = 0; i < PARSER_BUFS; i++) failed = failed || bufs[i]->failed;
  if (failed || !finish_map(p, bases)) {
    buf_fini(&out->bytes);
    return no_memory(p);
  }
  out->map = p->map;
  out->nmap = p->nmap;
  p->map = NULL;
  return true;
}

bool module_parse(struct source *s, uint32_t first, uint32_t end, struct name name, unsigned flags, bool want_map, struct parsed_module *out,
                  mv_error_t *err) {
  struct parser p = {.s = s, .err = err, .module_name = name, .names = !(flags & MV_WAT_NO_NAMES), .want_map = want_map};
  p.scope = p.func_scope = ++s->scope;
  p.t = first;
  bool ok = take_name(&p, "module", &p.module_name) && each_field(&p, first, end, first_pass);
  if (ok) {
    p.t = end;
    ok = take_customs(&p) && each_field(&p, first, end, define_types);
  }
  memset(p.count, 0, sizeof p.count);
  ok = ok && each_field(&p, first, end, second_pass) && check_annotations(&p, first, end) && assemble(&p, out);
  parser_fini(&p);
  return ok;
}

bool module_parse_file(struct source *s, unsigned flags, bool want_map, struct parsed_module *out, mv_error_t *err) {
  struct parser p = {.s = s, .err = err};
  struct name name = {0};
  uint32_t last = (uint32_t)s->ntokens - 1, first = 0, end = last;
  if (at_form(&p, KW_MODULE)) {
    end = peek(&p)->u;
    p.t = 2;
    uint32_t symbol = optional_id(&p);
    if (symbol != NO_SYMBOL) name = (struct name){s->symbols[symbol].bytes, s->symbols[symbol].size};
    first = p.t;
  }
  if (!module_parse(s, first, end, name, flags, want_map, out, err)) return false;
  p.t = end;
  if ((first == 0 || expect(&p, TOKEN_RPAR, ")")) && at(&p, TOKEN_EOF)) return true;
  buf_fini(&out->bytes);
  free(out->map);
  out->map = NULL;
  return unexpected(&p, "the end of the text"); /* unless there is a report already */
}
