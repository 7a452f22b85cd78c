/* The parser's cursor, errors, names and indices; see parse.h. */
#include "text/parse.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/utf8.h"

/* ---- errors -------------------------------------------------------------------------------------------- */

bool no_memory(const struct parser *p) { return error_no_memory(p->err, 0); }

bool parse_error(const struct parser *p, uint32_t token, const char *format, ...) {
  char text[MV_ERROR_TEXT];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  return source_error(p->s, p->s->tokens[token].pos, p->err, "%s", text);
}

/* The length of a token in the text, at most what fits a message. */
static int shown(const struct parser *p, const struct token *k) {
  size_t n = k->kind == TOKEN_LPAR || k->kind == TOKEN_RPAR ? 1 : k->kind == TOKEN_ID ? p->s->symbols[k->u].size + 1 : k->u;
  if (n > p->s->size - k->pos) n = p->s->size - k->pos;
  return n > 60 ? 60 : (int)n;
}

bool unexpected(const struct parser *p, const char *expected) {
  uint32_t t = p->t;
  const struct token *k = &p->s->tokens[t];
  /* what follows a parenthesis is read before anything is decided */
  if (k->kind == TOKEN_LPAR && (k[1].kind == TOKEN_RESERVED || k[1].kind == TOKEN_ERROR)) k++, t++;
  if (k->kind == TOKEN_ERROR) return parse_error(p, t, "%s", p->s->lex_message);
  if (k->kind == TOKEN_EOF) return parse_error(p, t, "unexpected token: the text ends, expected %s", expected);
  const char *text = p->s->text + k->pos;
  if (k->kind == TOKEN_RESERVED) return parse_error(p, t, "unknown operator %.*s", shown(p, k), text);
  if (k->kind == TOKEN_LPAR && k[1].kind == TOKEN_KEYWORD)
    return parse_error(p, t, "unexpected token (%.*s, expected %s", shown(p, k + 1), p->s->text + k[1].pos, expected);
  return parse_error(p, t, "unexpected token %.*s, expected %s", shown(p, k), text, expected);
}

/* ---- cursor -------------------------------------------------------------------------------------------- */

bool expect(struct parser *p, enum token_kind kind, const char *what) {
  if (!at(p, kind)) return unexpected(p, what);
  p->t++;
  return true;
}

bool expect_form(struct parser *p, unsigned word) {
  if (!at_form(p, word)) {
    if (at(p, TOKEN_LPAR)) p->t++; /* the word is what is wrong */
    return unexpected(p, word_text(word));
  }
  p->t += 2;
  return true;
}

bool parse_nat(struct parser *p, unsigned bits, uint64_t *out) {
  const struct token *k = peek(p);
  unsigned skip = k->kind == TOKEN_OFFSET ? 7 : k->kind == TOKEN_ALIGN ? 6 : 0;
  if (k->kind != TOKEN_NAT && skip == 0) return unexpected(p, "a natural number");
  uint64_t max = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
  if (!number_nat(p->s->text + k->pos + skip, k->u - skip, max, out)) return parse_error(p, p->t, "i%u constant out of range", bits);
  p->t++;
  return true;
}

void parse_strings(struct parser *p) {
  buf_clear(&p->strings);
  for (; at(p, TOKEN_STRING); p->t++) string_decode(p->s->text + peek(p)->pos, peek(p)->u, &p->strings);
}

bool parse_name(struct parser *p, struct buf *out) {
  if (!at(p, TOKEN_STRING)) return unexpected(p, "a name");
  buf_clear(&p->strings);
  string_decode(p->s->text + peek(p)->pos, peek(p)->u, &p->strings);
  if (!utf8_check((const char *)p->strings.data, p->strings.size)) return parse_error(p, p->t, "malformed UTF-8 encoding");
  buf_bytes(out, p->strings.data, p->strings.size);
  p->t++;
  return true;
}

/* ---- identifiers --------------------------------------------------------------------------------------- */

static const char *const space_words[] = {
    [SPACE_TYPE] = "type", [SPACE_FUNC] = "function", [SPACE_TABLE] = "table", [SPACE_MEMORY] = "memory", [SPACE_GLOBAL] = "global",
    [SPACE_TAG] = "tag", [SPACE_ELEM] = "elem segment", [SPACE_DATA] = "data segment", [SPACE_LOCAL] = "local", [SPACE_LABEL] = "label"};

static uint32_t scope_of(const struct parser *p, enum space space) {
  return space == SPACE_LOCAL || space == SPACE_LABEL ? p->func_scope : p->scope;
}

static struct name symbol_name(const struct parser *p, uint32_t symbol) {
  const struct symbol *y = &p->s->symbols[symbol];
  return (struct name){y->bytes, y->size};
}

uint32_t optional_id(struct parser *p) { return at(p, TOKEN_ID) ? p->s->tokens[p->t++].u : NO_SYMBOL; }

bool inner_add(struct parser *p, struct inner_list *list, uint32_t outer, uint32_t inner, struct name name) {
  if (!array_reserve((void **)&list->at, &list->cap, list->n + 1, sizeof *list->at)) return no_memory(p);
  list->at[list->n++] = (struct inner_name){outer, inner, name};
  return true;
}

static bool name_set(struct parser *p, struct name_list *list, uint32_t index, struct name name) {
  if (!array_reserve((void **)&list->at, &list->cap, (size_t)index + 1, sizeof *list->at)) return no_memory(p);
  while (list->n <= index) list->at[list->n++] = (struct name){0};
  list->at[index] = name;
  return true;
}

bool bind_name(struct parser *p, enum space space) {
  uint32_t token = p->t, symbol = optional_id(p), index = p->count[space]++;
  struct name name = {0};
  if (symbol != NO_SYMBOL) {
    struct symbol *y = &p->s->symbols[symbol];
    name = symbol_name(p, symbol);
    if (y->in[space].scope == scope_of(p, space))
      return parse_error(p, token, "duplicate %s $%.*s", space_words[space], (int)(y->size > 100 ? 100 : y->size), y->bytes);
    y->in[space].scope = scope_of(p, space);
    y->in[space].index = index;
  }
  if (!take_name(p, space_words[space], &name)) return false;
  if (!name.bytes) return true;
  if (space == SPACE_LOCAL) return inner_add(p, &p->locals, p->count[SPACE_FUNC] - 1, index, name);
  return name_set(p, &p->space_names[space], index, name);
}

bool parse_index(struct parser *p, enum space space, uint32_t *out) {
  const struct token *k = peek(p);
  if (k->kind == TOKEN_ID) {
    const struct symbol *y = &p->s->symbols[k->u];
    if (y->in[space].scope != scope_of(p, space))
      return parse_error(p, p->t, "unknown %s $%.*s", space_words[space], (int)(y->size > 100 ? 100 : y->size), y->bytes);
    *out = space == SPACE_LABEL ? (uint32_t)p->nlabels - y->in[space].index : y->in[space].index;
    p->t++;
    return true;
  }
  uint64_t x = 0;
  if (k->kind != TOKEN_NAT) return unexpected(p, "an index");
  if (!parse_nat(p, 32, &x)) return false;
  *out = (uint32_t)x;
  return true;
}

/* ---- fields: their names belong to a type, so that the key is the pair ------------------------------------ */

static struct symbol *field_key(struct parser *p, uint32_t type, uint32_t symbol) {
  uint8_t key[10] = {0xff, 'f'}; /* 0xff: no identifier, for they are UTF-8 */
  store_le32(key + 2, type);
  store_le32(key + 6, symbol);
  uint32_t y = symbol_intern(p->s, (char *)key, sizeof key, true);
  return y == UINT32_MAX ? NULL : &p->s->symbols[y];
}

bool bind_field(struct parser *p, uint32_t type, uint32_t index) {
  uint32_t token = p->t, symbol = optional_id(p);
  struct name name = {0};
  if (symbol != NO_SYMBOL) {
    name = symbol_name(p, symbol);
    struct symbol *key = field_key(p, type, symbol);
    if (!key) return no_memory(p);
    if (key->in[SPACE_KEY].scope == p->scope) return parse_error(p, token, "duplicate field $%.*s", (int)(name.size > 100 ? 100 : name.size), name.bytes);
    key->in[SPACE_KEY].scope = p->scope;
    key->in[SPACE_KEY].index = index;
  }
  return take_name(p, "field", &name) && (!name.bytes || inner_add(p, &p->fields, type, index, name));
}

bool parse_field_index(struct parser *p, uint32_t type, uint32_t *out) {
  if (!at(p, TOKEN_ID)) return parse_index(p, SPACE_TYPE, out);
  const struct symbol *key = field_key(p, type, peek(p)->u);
  if (!key) return no_memory(p);
  if (key->in[SPACE_KEY].scope != p->scope) {
    const struct symbol *y = &p->s->symbols[peek(p)->u];
    return parse_error(p, p->t, "unknown field $%.*s", (int)(y->size > 100 ? 100 : y->size), y->bytes);
  }
  *out = key->in[SPACE_KEY].index;
  p->t++;
  return true;
}

/* ---- offsets to positions ------------------------------------------------------------------------------ */

bool map_add(struct parser *p, uint32_t section, size_t offset, uint32_t token) {
  if (!p->want_map) return true;
  if (!array_reserve((void **)&p->map, &p->cap_map, p->nmap + 1, sizeof *p->map)) return no_memory(p);
  p->map[p->nmap++] = (struct map_entry){offset, p->s->tokens[token].pos, section};
  return true;
}
