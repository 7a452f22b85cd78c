/* The lexical format (core/text/lexical): text to tokens in one pass, with no knowledge of the grammar. Errors are worded as the official suite
 * wants them; they become a token, so that a parse error before them comes first. */
#include "text/lex.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/utf8.h"

/* ---- characters ---------------------------------------------------------------------------------------- */

static bool is_digit(int c) { return c >= '0' && c <= '9'; }
static int hex_digit(int c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Characters of identifiers, numbers and keywords. */
static bool is_idchar(int c) {
  static const uint8_t set[16] = { /* one bit per ASCII character */
      0x00, 0x00, 0x00, 0x00, 0xfa, 0xec, 0xff, 0xf7, 0xff, 0xff, 0xff, 0xd7, 0xff, 0xff, 0xff, 0x57};
  return c >= 0 && c < 128 && (set[c >> 3] >> (c & 7) & 1) != 0;
}

/* ---- positions and errors ------------------------------------------------------------------------------ */

void position_advance(struct position *at, const char *text, size_t pos) {
  for (; at->pos < pos; at->pos++) {
    if (text[at->pos] == '\n') {
      at->line++;
      at->column = 1;
    } else if (((unsigned char)text[at->pos] & 0xc0) != 0x80) { /* characters, not bytes */
      at->column++;
    }
  }
}

bool source_error(struct source *s, uint32_t pos, mv_error_t *err, const char *format, ...) {
  if (!err || err->kind != MV_OK) return false;
  va_list ap;
  va_start(ap, format);
  (void)error_setv(err, MV_MALFORMED, MV_NO_OFFSET, format, ap);
  va_end(ap);
  if (s->seen.line == 0 || pos < s->seen.pos) s->seen = (struct position){0, 1, 1};
  position_advance(&s->seen, s->text, pos);
  err->line = s->seen.line;
  err->column = s->seen.column;
  return false;
}

/* ---- keywords ------------------------------------------------------------------------------------------ */

enum { WORD_SLOTS = 2048 };

const char *word_text(unsigned word) {
  static const char *const texts[] = {
#define X(id, text) text,
      KEYWORDS(X)
#undef X
  };
  if (word < OP_LIMIT) return op_info(word)->text;
  return word < KW_LIMIT ? texts[word - OP_LIMIT] : NULL;
}

static uint32_t hash_bytes(const char *p, size_t n) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)p[i]) * 16777619u;
  return h ^ h >> 15;
}

static bool same(const char *p, size_t n, const char *text) { return strncmp(p, text, n) == 0 && text[n] == 0; }

/* The slot of a word, or the empty one where it belongs. */
static uint16_t *word_slot(const struct source *s, const char *p, size_t n) {
  uint32_t h = hash_bytes(p, n) % WORD_SLOTS;
  while (s->words[h] != 0 && !same(p, n, word_text(s->words[h] - 1u))) h = (h + 1) % WORD_SLOTS;
  return &s->words[h];
}

/* Instructions that share a text (select, ref.test) are found by the first. */
static bool words_fill(struct source *s) {
  s->words = arena_array(&s->arena, WORD_SLOTS, sizeof *s->words);
  if (!s->words) return false;
  for (unsigned w = 0; w < KW_LIMIT; w++) {
    const char *text = word_text(w);
    if (!text) continue;
    uint16_t *slot = word_slot(s, text, strlen(text));
    if (*slot == 0) *slot = (uint16_t)(w + 1);
  }
  return true;
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* digit ('_'? digit)*: the end of what matches from i on, or i when nothing does. */
static size_t skip_digits(const char *p, size_t i, size_t n, bool hex) {
  size_t start = i;
  while (i < n && (hex ? hex_digit(p[i]) >= 0 : is_digit(p[i]))) {
    i++;
    if (i + 1 < n && p[i] == '_' && (hex ? hex_digit(p[i + 1]) >= 0 : is_digit(p[i + 1]))) i++;
  }
  return i > start ? i : start;
}

static bool is_nan_or_inf(const char *p, size_t n) {
  if (n == 3) return memcmp(p, "inf", 3) == 0 || memcmp(p, "nan", 3) == 0;
  return n > 6 && memcmp(p, "nan:0x", 6) == 0 && skip_digits(p, 6, n, true) == n;
}

static enum token_kind number_kind(const char *p, size_t n) {
  bool sign = n > 0 && (*p == '+' || *p == '-');
  if (sign) p++, n--;
  if (is_nan_or_inf(p, n)) return TOKEN_FLOAT;
  bool hex = n > 2 && p[0] == '0' && p[1] == 'x';
  size_t i = hex ? 2 : 0, j = skip_digits(p, i, n, hex);
  if (j == i) return TOKEN_RESERVED;
  if (j == n) return sign ? TOKEN_INT : TOKEN_NAT;
  if (p[j] == '.') j = skip_digits(p, j + 1, n, hex);
  if (j < n && (hex ? p[j] == 'p' || p[j] == 'P' : p[j] == 'e' || p[j] == 'E')) {
    j++;
    if (j < n && (p[j] == '+' || p[j] == '-')) j++;
    i = j;
    j = skip_digits(p, j, n, false);
    if (j == i) return TOKEN_RESERVED;
  }
  return j == n ? TOKEN_FLOAT : TOKEN_RESERVED;
}

/* ---- strings ------------------------------------------------------------------------------------------- */

/* The end of the \u{...} whose brace is at i, or 0. */
static size_t skip_unicode(const char *p, size_t i, size_t n) {
  if (i >= n || p[i] != '{') return 0;
  size_t end = skip_digits(p, i + 1, n, true);
  if (end == i + 1 || end >= n || p[end] != '}') return 0;
  uint32_t c = 0;
  for (i++; i < end; i++) {
    if (p[i] == '_') continue;
    c = c << 4 | (uint32_t)hex_digit(p[i]);
    if (c > 0x10ffff) return 0;
  }
  return c >= 0xd800 && c < 0xe000 ? 0 : end + 1;
}

/* The end of the string literal that opens at p[i], or 0 with what is wrong. */
static size_t skip_string(const char *p, size_t i, size_t n, const char **message) {
  for (i++; i < n;) {
    unsigned char c = (unsigned char)p[i];
    if (c == '"') return i + 1;
    if (c == '\n' || c == '\r') break;
    if (c < 0x20 || c == 0x7f) {
      *message = "illegal control character in string literal";
      return 0;
    }
    if (c == '\\') {
      size_t next = 0;
      if (i + 1 < n && strchr("nrt\\'\"", p[i + 1]) && p[i + 1]) next = i + 2;
      else if (i + 1 < n && p[i + 1] == 'u') next = skip_unicode(p, i + 2, n);
      else if (i + 2 < n && hex_digit(p[i + 1]) >= 0 && hex_digit(p[i + 2]) >= 0) next = i + 3;
      if (next == 0) {
        *message = "illegal escape";
        return 0;
      }
      i = next;
      continue;
    }
    size_t len = utf8_length(p + i, n - i);
    if (len == 0) {
      *message = "malformed UTF-8 encoding";
      return 0;
    }
    i += len;
  }
  *message = "unclosed string literal";
  return 0;
}

static void put_utf8(struct buf *out, uint32_t c) {
  if (c < 0x80) {
    buf_byte(out, c);
    return;
  }
  if (c < 0x800) {
    buf_byte(out, 0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      buf_byte(out, 0xe0 | c >> 12);
    } else {
      buf_byte(out, 0xf0 | c >> 18);
      buf_byte(out, 0x80 | (c >> 12 & 0x3f));
    }
    buf_byte(out, 0x80 | (c >> 6 & 0x3f));
  }
  buf_byte(out, 0x80 | (c & 0x3f));
}

static size_t decode_escape(const char *p, size_t i, struct buf *out) {
  switch (p[i]) {
  case 'n': buf_byte(out, '\n'); return i + 1;
  case 'r': buf_byte(out, '\r'); return i + 1;
  case 't': buf_byte(out, '\t'); return i + 1;
  case '\\': case '\'': case '"': buf_byte(out, (unsigned char)p[i]); return i + 1;
  case 'u': {
    uint32_t c = 0;
    for (i += 2; p[i] != '}'; i++)
      if (p[i] != '_') c = c << 4 | (uint32_t)hex_digit(p[i]);
    put_utf8(out, c);
    return i + 1;
  }
  default: buf_byte(out, (unsigned)(hex_digit(p[i]) << 4 | hex_digit(p[i + 1]))); return i + 2;
  }
}

void string_decode(const char *literal, size_t size, struct buf *out) {
  for (size_t i = 1; i + 1 < size;) {
    size_t run = i;
    while (run + 1 < size && literal[run] != '\\') run++;
    buf_put(out, literal + i, run - i);
    i = run;
    if (i + 1 < size) i = decode_escape(literal, i + 1, out);
  }
}

/* ---- symbols ------------------------------------------------------------------------------------------- */

static bool symbols_rehash(struct source *s) {
  size_t n = s->nslots ? s->nslots * 2 : 64;
  uint32_t *slots = calloc(n, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < s->nsymbols; i++) {
    size_t h = s->symbols[i].hash & (n - 1);
    while (slots[h]) h = (h + 1) & (n - 1);
    slots[h] = (uint32_t)i + 1;
  }
  free(s->slots);
  s->slots = slots;
  s->nslots = n;
  return true;
}

uint32_t symbol_intern(struct source *s, const char *p, uint32_t n, bool copy) {
  if (s->nsymbols * 2 >= s->nslots && !symbols_rehash(s)) return UINT32_MAX;
  uint32_t hash = hash_bytes(p, n);
  size_t h = hash & (s->nslots - 1);
  for (; s->slots[h]; h = (h + 1) & (s->nslots - 1)) {
    const struct symbol *y = &s->symbols[s->slots[h] - 1];
    if (y->hash == hash && y->size == n && memcmp(y->bytes, p, n) == 0) return s->slots[h] - 1;
  }
  if (!array_reserve((void **)&s->symbols, &s->cap_symbols, s->nsymbols + 1, sizeof *s->symbols)) return UINT32_MAX;
  if (copy) {
    char *own_bytes = arena_alloc(&s->arena, n);
    if (!own_bytes) return UINT32_MAX;
    p = memcpy(own_bytes, p, n);
  }
  s->symbols[s->nsymbols] = (struct symbol){.bytes = p, .size = n, .hash = hash};
  s->slots[h] = (uint32_t)++s->nsymbols;
  return (uint32_t)s->nsymbols - 1;
}

/* ---- white space --------------------------------------------------------------------------------------- */

/* Skips a line comment or a block comment at i. Returns its end, or 0 with *message and *at. */
static size_t skip_comment(const char *p, size_t i, size_t n, const char **message, size_t *at) {
  size_t depth = p[i] == '(', start = i;
  for (i += 2; i < n;) {
    if (depth == 0 && (p[i] == '\n' || p[i] == '\r')) return i;
    if (depth > 0 && i + 1 < n && p[i] == ';' && p[i + 1] == ')') {
      i += 2;
      if (--depth == 0) return i;
    } else if (depth > 0 && i + 1 < n && p[i] == '(' && p[i + 1] == ';') {
      i += 2;
      depth++;
    } else {
      size_t len = utf8_length(p + i, n - i);
      if (len == 0) {
        *message = "malformed UTF-8 encoding";
        *at = i;
        return 0;
      }
      i += len;
    }
  }
  if (depth == 0) return n;
  *message = "unclosed comment";
  *at = start;
  return 0;
}

static bool is_space(int c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
static bool is_comment(const char *p, size_t i, size_t n) { return i + 1 < n && p[i + 1] == ';' && (p[i] == ';' || p[i] == '('); }

/* ---- the lexer ----------------------------------------------------------------------------------------- */

struct lexer {
  struct source *s;
  size_t i;
  uint32_t open; /* token of the innermost open parenthesis, + 1 */
  const char *message; /* set when lexing must end */
  size_t at;
  bool memory; /* false: out of memory */
  struct buf scratch;
};

static void fail(struct lexer *x, size_t at, const char *message) {
  x->message = message;
  x->at = at;
}

static void put_token(struct lexer *x, enum token_kind kind, size_t pos, uint32_t u, unsigned word) {
  struct source *s = x->s;
  if (s->ntokens == s->cap_tokens && !array_reserve((void **)&s->tokens, &s->cap_tokens, s->ntokens + 1, sizeof *s->tokens)) {
    x->memory = false;
    return;
  }
  s->tokens[s->ntokens++] = (struct token){(uint32_t)pos, u, (uint16_t)word, (uint8_t)kind};
}

/* The end of a run of identifier characters and adjacent strings ("reserved" in the specification). *strings counts the strings. */
static size_t skip_run(const char *p, size_t i, size_t n, unsigned *strings, const char **message) {
  *strings = 0;
  while (i < n) {
    if (is_idchar((unsigned char)p[i])) {
      i++;
    } else if (p[i] == '"') {
      const char *why = NULL;
      size_t end = skip_string(p, i, n, &why);
      if (end == 0) {
        if (*strings == 0) *message = why;
        return i;
      }
      ++*strings;
      i = end;
    } else {
      break;
    }
  }
  return i;
}

static void lex_identifier(struct lexer *x, size_t start, size_t end, unsigned strings) {
  struct source *s = x->s;
  const char *p = s->text;
  if (end == start + 1) {
    fail(x, start, "empty identifier");
    return;
  }
  uint32_t symbol;
  if (strings == 0) {
    symbol = symbol_intern(s, p + start + 1, (uint32_t)(end - start - 1), false);
  } else {
    buf_clear(&x->scratch);
    string_decode(p + start + 1, end - start - 1, &x->scratch);
    if (x->scratch.size == 0) {
      fail(x, start, "empty identifier");
      return;
    }
    if (!utf8_check((char *)x->scratch.data, x->scratch.size)) {
      fail(x, start, "malformed UTF-8 encoding");
      return;
    }
    symbol = symbol_intern(s, (char *)x->scratch.data, (uint32_t)x->scratch.size, true);
  }
  if (symbol == UINT32_MAX || x->scratch.failed) x->memory = false;
  put_token(x, TOKEN_ID, start, symbol, 0);
}

/* offset=NAT, align=NAT */
static enum token_kind assignment_kind(const char *p, size_t n) {
  if (n > 7 && memcmp(p, "offset=", 7) == 0 && number_kind(p + 7, n - 7) == TOKEN_NAT) return TOKEN_OFFSET;
  if (n > 6 && memcmp(p, "align=", 6) == 0 && number_kind(p + 6, n - 6) == TOKEN_NAT) return TOKEN_ALIGN;
  return TOKEN_RESERVED;
}

static void lex_run(struct lexer *x) {
  const char *p = x->s->text, *message = NULL;
  size_t start = x->i, n = x->s->size;
  unsigned strings;
  size_t end = skip_run(p, start, n, &strings, &message);
  size_t len = end - start;
  x->i = end;
  if (message && (len == 0 || (p[start] == '$' && len == 1))) { /* a bad string of its own */
    fail(x, start, len ? "empty identifier" : message);
  } else if (p[start] == '"' && strings == 1 && skip_string(p, start, n, &message) == end) {
    put_token(x, TOKEN_STRING, start, (uint32_t)len, 0);
  } else if (p[start] == '$' && (strings == 0 || (strings == 1 && p[start + 1] == '"' && skip_string(p, start + 1, n, &message) == end))) {
    lex_identifier(x, start, end, strings);
  } else if (strings > 0) {
    put_token(x, TOKEN_RESERVED, start, (uint32_t)len, 0);
  } else {
    if (p[start] >= 'a' && p[start] <= 'z') {
      uint16_t word = *word_slot(x->s, p + start, len);
      if (word) {
        put_token(x, TOKEN_KEYWORD, start, (uint32_t)len, word - 1u);
        return;
      }
    }
    enum token_kind kind = number_kind(p + start, len);
    if (kind == TOKEN_RESERVED) kind = assignment_kind(p + start, len);
    put_token(x, kind, start, (uint32_t)len, 0);
  }
}

/* Lexes one element of an annotation at x->i; *depth counts open parentheses. */
static void skip_annotation_element(struct lexer *x, size_t start, size_t *depth) {
  const char *p = x->s->text;
  size_t n = x->s->size;
  unsigned char c = (unsigned char)p[x->i];
  const char *message = NULL;
  if (is_space(c)) {
    x->i++;
  } else if (is_comment(p, x->i, n)) {
    size_t end = skip_comment(p, x->i, n, &message, &x->at);
    if (end == 0) x->message = message;
    else x->i = end;
  } else if (c == '(') {
    x->i++;
    ++*depth;
  } else if (c == ')') {
    x->i++;
    --*depth;
  } else if (c == '"' || is_idchar(c)) {
    unsigned strings;
    size_t end = skip_run(p, x->i, n, &strings, &message);
    if (message && end == x->i) fail(x, x->i, message);
    x->i = end;
  } else if (strchr(",;[]{}", c) && c) {
    x->i++;
  } else {
    fail(x, x->i, utf8_length(p + x->i, n - x->i) ? "illegal character" : "malformed UTF-8 encoding");
  }
  if (x->i >= n && !x->message && *depth > 0) fail(x, start, "unclosed annotation");
}

/* Records an annotation that means something. */
static void put_annotation(struct lexer *x, size_t pos, const char *id, size_t id_size, size_t args, size_t end) {
  static const char *const names[] = {"name", "custom", "metadata.code.branch_hint"};
  struct source *s = x->s;
  unsigned kind = 0;
  while (kind < 3 && !same(id, id_size, names[kind])) kind++;
  if (kind == 3 || !(s->features & MV_FEATURE(ANNOTATIONS))) return;
  if (!array_reserve((void **)&s->annotations, &s->cap_annotations, s->nannotations + 1, sizeof *s->annotations)) {
    x->memory = false;
    return;
  }
  s->annotations[s->nannotations++] =
      (struct annotation){(uint32_t)pos, (uint32_t)args, (uint32_t)end, (uint32_t)s->ntokens, (uint8_t)kind, false};
}

/* (@id ...) */
static void lex_annotation(struct lexer *x) {
  struct source *s = x->s;
  const char *p = s->text, *message = NULL;
  size_t start = x->i, id = start + 2, n = s->size, end = id;
  bool quoted = id < n && p[id] == '"';
  if (quoted) end = skip_string(p, id, n, &message);
  else while (end < n && is_idchar((unsigned char)p[end])) end++;
  if (end <= id) {
    fail(x, start, "empty annotation id");
    return;
  }
  buf_clear(&x->scratch);
  if (quoted) string_decode(p + id, end - id, &x->scratch);
  else buf_put(&x->scratch, p + id, end - id);
  if (x->scratch.size == 0 || !utf8_check((char *)x->scratch.data, x->scratch.size)) {
    fail(x, start, x->scratch.size ? "malformed UTF-8 encoding" : "empty annotation id");
    return;
  }
  size_t depth = 1;
  x->i = end;
  if (end >= n) fail(x, start, "unclosed annotation");
  while (depth > 0 && !x->message) skip_annotation_element(x, start, &depth);
  if (!x->message) put_annotation(x, start, (char *)x->scratch.data, x->scratch.size, end, x->i);
}

static void lex_parenthesis(struct lexer *x) {
  struct source *s = x->s;
  if (s->text[x->i] == '(') { /* `u` is the enclosing parenthesis until the matching one is found */
    put_token(x, TOKEN_LPAR, x->i, x->open, 0);
    x->open = (uint32_t)s->ntokens;
  } else {
    put_token(x, TOKEN_RPAR, x->i, 1, 0);
    if (x->open > 0 && x->memory) {
      struct token *left = &s->tokens[x->open - 1];
      x->open = left->u;
      left->u = (uint32_t)s->ntokens - 1;
    }
  }
  x->i++;
}

static void lex_one(struct lexer *x) {
  const char *p = x->s->text, *message = NULL;
  size_t i = x->i, n = x->s->size;
  unsigned char c = (unsigned char)p[i];
  if (is_space(c)) {
    x->i++;
  } else if (is_comment(p, i, n)) {
    size_t end = skip_comment(p, i, n, &message, &x->at);
    if (end == 0) x->message = message;
    else x->i = end;
  } else if (c == '(' && i + 1 < n && p[i + 1] == '@') {
    lex_annotation(x);
  } else if (c == '(' || c == ')') {
    lex_parenthesis(x);
  } else if (is_idchar(c) || c == '"') {
    lex_run(x);
  } else if (c && strchr(",;[]{}", c)) {
    put_token(x, TOKEN_RESERVED, i, 1, 0);
    x->i++;
  } else if (c < 0x20) {
    fail(x, i, "misplaced control character");
  } else {
    fail(x, i, utf8_length(p + i, n - i) > 1 ? "misplaced unicode character" : "malformed UTF-8 encoding");
  }
}

bool source_lex(struct source *s, const char *text, size_t size, mv_features_t features, mv_error_t *err) {
  *s = (struct source){.text = text, .size = size, .features = features};
  arena_init(&s->arena);
  struct lexer x = {.s = s, .memory = true};
  if (size >= UINT32_MAX) return error_set(err, MV_LIMIT, MV_NO_OFFSET, "the text is too long: %zu bytes", size);
  x.memory = words_fill(s);
  while (x.memory && !x.message && x.i < size) lex_one(&x);
  if (x.memory) put_token(&x, x.message ? TOKEN_ERROR : TOKEN_EOF, x.message ? x.at : size, 0, 0);
  s->lex_message = x.message;
  while (x.memory && x.open > 0) { /* parentheses that were never closed */
    struct token *left = &s->tokens[x.open - 1];
    x.open = left->u;
    left->u = (uint32_t)s->ntokens - 1;
  }
  buf_fini(&x.scratch);
  return x.memory || error_no_memory(err, size);
}

void source_fini(struct source *s) {
  free(s->tokens);
  free(s->symbols);
  free(s->slots);
  free(s->annotations);
  arena_fini(&s->arena);
  *s = (struct source){0};
}

size_t annotation_next(const struct source *s, uint32_t *pos, uint32_t end) {
  const char *p = s->text, *message;
  size_t at;
  for (; *pos < end;) {
    if (is_space((unsigned char)p[*pos])) ++*pos;
    else if (is_comment(p, *pos, end)) *pos = (uint32_t)skip_comment(p, *pos, end, &message, &at);
    else break;
  }
  if (*pos >= end) return 0;
  if (p[*pos] != '"' && !is_idchar((unsigned char)p[*pos])) return 1;
  unsigned strings;
  return skip_run(p, *pos, end, &strings, &message) - *pos;
}
