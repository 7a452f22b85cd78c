/* json.c: see json.h. The grammar is RFC 8259; the words of refusals are those of Go's encoding/json scanner. */
#include "json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 1000 };

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static const char *skip_space(const char *p, const char *end) {
  while (p < end && is_space(*p)) p++;
  return p;
}

/* ---- checking ---- */

struct check {
  const char *p, *end;
  struct buf *why;
};

static bool refuse(struct check *c, const char *context) {
  if (c->p >= c->end) return buf_str(c->why, "unexpected EOF"), false;
  unsigned char ch = (unsigned char)*c->p;
  buf_str(c->why, "invalid character ");
  if (ch == '\'') buf_str(c->why, "'\\''");
  else if (ch == '\n') buf_str(c->why, "'\\n'");
  else if (ch == '\r') buf_str(c->why, "'\\r'");
  else if (ch == '\t') buf_str(c->why, "'\\t'");
  else if (ch == '\\') buf_str(c->why, "'\\\\'");
  else if (ch < 0x20 || ch == 0x7f) buf_printf(c->why, "'\\x%02x'", ch);
  else if (ch < 0x80) buf_printf(c->why, "'%c'", ch);
  else if (ch < 0xa0 || ch == 0xad) buf_printf(c->why, "'\\u%04x'", ch);
  else buf_printf(c->why, "'%c%c'", 0xc0 | ch >> 6, 0x80 | (ch & 0x3f)); /* Go takes the byte for a code point */
  buf_char(c->why, ' ');
  buf_str(c->why, context);
  return false;
}

static bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static bool check_string(struct check *c) {
  for (c->p++; c->p < c->end; c->p++) {
    if (*c->p == '"') return c->p++, true;
    if ((unsigned char)*c->p < 0x20) return refuse(c, "in string literal");
    if (*c->p != '\\') continue;
    if (++c->p >= c->end) break;
    if (*c->p == 'u') {
      for (int i = 0; i < 4; i++)
        if (++c->p >= c->end || !is_hex(*c->p)) return refuse(c, "in \\u hexadecimal character escape");
    } else if (!strchr("\"\\/bfnrt", *c->p) || *c->p == 0) {
      return refuse(c, "in string escape code");
    }
  }
  c->p = c->end;
  return refuse(c, "");
}

static bool is_digit(const struct check *c) { return c->p < c->end && *c->p >= '0' && *c->p <= '9'; }

static bool check_number(struct check *c) {
  if (*c->p == '-') c->p++;
  if (!is_digit(c)) return refuse(c, "in numeric literal");
  if (*c->p == '0') c->p++;
  else
    while (is_digit(c)) c->p++;
  if (c->p < c->end && *c->p == '.') {
    c->p++;
    if (!is_digit(c)) return refuse(c, "after decimal point in numeric literal");
    while (is_digit(c)) c->p++;
  }
  if (c->p < c->end && (*c->p == 'e' || *c->p == 'E')) {
    c->p++;
    if (c->p < c->end && (*c->p == '+' || *c->p == '-')) c->p++;
    if (!is_digit(c)) return refuse(c, "in exponent of numeric literal");
    while (is_digit(c)) c->p++;
  }
  return true;
}

static bool check_word(struct check *c, const char *word) {
  for (size_t i = 0; word[i]; i++, c->p++) {
    if (c->p < c->end && *c->p == word[i]) continue;
    char context[64];
    snprintf(context, sizeof context, "in literal %s (expecting '%c')", word, word[i]);
    return refuse(c, context);
  }
  return true;
}

static bool check_scalar(struct check *c) {
  if (c->p >= c->end) return refuse(c, "");
  switch (*c->p) {
    case '"': return check_string(c);
    case 't': return check_word(c, "true");
    case 'f': return check_word(c, "false");
    case 'n': return check_word(c, "null");
    default:
      if (*c->p == '-' || is_digit(c)) return check_number(c);
      return refuse(c, "looking for beginning of value");
  }
}

static bool check_key(struct check *c) {
  c->p = skip_space(c->p, c->end);
  if (c->p >= c->end || *c->p != '"') return refuse(c, "looking for beginning of object key string");
  if (!check_string(c)) return false;
  c->p = skip_space(c->p, c->end);
  if (c->p >= c->end || *c->p != ':') return refuse(c, "after object key");
  c->p = skip_space(c->p + 1, c->end);
  return true;
}

/* A value without recursion: `open` has one character per open bracket. */
static bool check_value(struct check *c) {
  char open[DEPTH_MAX];
  size_t depth = 0;
  for (;;) {
    c->p = skip_space(c->p, c->end);
    bool opened = c->p < c->end && (*c->p == '{' || *c->p == '[');
    if (opened) {
      if (depth == DEPTH_MAX) return buf_str(c->why, "exceeded max depth"), false;
      char close = *c->p == '{' ? '}' : ']';
      c->p = skip_space(c->p + 1, c->end);
      if (c->p >= c->end || *c->p != close) {
        open[depth++] = close;
        if (close == '}' && !check_key(c)) return false;
        continue;
      }
      c->p++;
    } else if (!check_scalar(c)) {
      return false;
    }
    for (;;) { /* after a value: close brackets until one goes on */
      if (depth == 0) return true;
      c->p = skip_space(c->p, c->end);
      char close = open[depth - 1];
      if (c->p < c->end && *c->p == ',') {
        c->p++;
        if (close == '}' && !check_key(c)) return false;
        break;
      }
      if (c->p >= c->end || *c->p != close) return refuse(c, close == '}' ? "after object key:value pair" : "after array element");
      c->p++;
      depth--;
    }
  }
}

bool json_check(struct span text, struct json *value, struct buf *why) {
  struct check c = {text.p, text.p + text.n, why};
  c.p = skip_space(c.p, c.end);
  if (c.p >= c.end) return buf_str(why, "EOF"), false;
  const char *start = c.p;
  if (!check_value(&c)) return false;
  *value = (struct json){start, (size_t)(c.p - start)};
  return true;
}

bool json_check_all(struct span text, struct json *value, struct buf *why) {
  if (!json_check(text, value, why)) {
    if (why->n == 3 && memcmp(why->p, "EOF", 3) == 0) buf_clear(why), buf_str(why, "unexpected end of JSON input");
    return false;
  }
  struct check c = {value->p + value->n, text.p + text.n, why};
  c.p = skip_space(c.p, c.end);
  return c.p == c.end || refuse(&c, "after top-level value");
}

/* ---- reading checked text ---- */

enum json_kind json_kind(struct json v) {
  switch (v.n ? *v.p : 'n') {
    case '"': return JSON_STRING;
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case 't':
    case 'f': return JSON_BOOL;
    case 'n': return JSON_NULL;
    default: return JSON_NUMBER;
  }
}

const char *json_kind_name(struct json v) {
  const char *const names[] = {"null", "bool", "number", "string", "array", "object"};
  return names[json_kind(v)];
}

bool json_true(struct json v) { return v.n && *v.p == 't'; }

double json_number(struct json v) {
  char copy[400];
  size_t n = v.n < sizeof copy ? v.n : sizeof copy - 1;
  if (json_kind(v) != JSON_NUMBER) return 0;
  memcpy(copy, v.p, n);
  copy[n] = 0;
  return strtod(copy, NULL);
}

int64_t json_int(struct json v) {
  double d = json_number(v);
  return fabs(d) < 0x1p62 ? (int64_t)d : 0;
}

static const char *skip_string(const char *p) {
  for (p++; *p != '"'; p++)
    if (*p == '\\') p++;
  return p + 1;
}

/* The end of the value at p; the text has been checked, so brackets match. */
static const char *skip_value(const char *p, const char *end) {
  size_t depth = 0;
  for (;;) {
    if (*p == '"') {
      p = skip_string(p);
    } else if (*p == '{' || *p == '[') {
      depth++, p++;
    } else if (*p == '}' || *p == ']') {
      depth--, p++;
    } else if (depth && (is_space(*p) || *p == ',' || *p == ':')) {
      p++;
      continue;
    } else {
      while (p < end && !is_space(*p) && *p != ',' && *p != '}' && *p != ']') p++;
    }
    if (depth == 0) return p;
  }
}

bool json_next(struct json container, struct json_walk *walk, struct json *name, struct json *value) {
  enum json_kind kind = json_kind(container);
  if (kind != JSON_ARRAY && kind != JSON_OBJECT) return false;
  const char *end = container.p + container.n;
  const char *p = skip_space(walk->at ? walk->at : container.p + 1, end);
  if (*p == ',') p = skip_space(p + 1, end);
  if (*p == ']' || *p == '}') return false;
  if (kind == JSON_OBJECT) {
    const char *after = skip_string(p);
    if (name) *name = (struct json){p, (size_t)(after - p)};
    p = skip_space(after, end);
    p = skip_space(p + 1, end);
  } else if (name) {
    *name = (struct json){"", 0};
  }
  const char *after = skip_value(p, end);
  *value = (struct json){p, (size_t)(after - p)};
  walk->at = after;
  return true;
}

/* ---- strings ---- */

static unsigned hex4(const char *p) {
  unsigned v = 0;
  for (int i = 0; i < 4; i++) {
    unsigned char c = (unsigned char)p[i];
    v = v << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
  }
  return v;
}

static size_t put_utf8(char *out, uint32_t c) {
  if (c < 0x80) return out[0] = (char)c, 1;
  if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
  if (c < 0x10000)
    return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
  out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63)), out[2] = (char)(0x80 | (c >> 6 & 63));
  return out[3] = (char)(0x80 | (c & 63)), 4;
}

/* Length of the well-formed UTF-8 sequence at p, or 0. */
static size_t utf8_length(const char *text, size_t left) {
  const unsigned char *p = (const unsigned char *)text;
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xc2 && p[0] < 0xe0) return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
  if ((p[0] & 0xf0) == 0xe0) {
    if (left < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80) return 0;
    return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ? 0 : 3;
  }
  if (p[0] >= 0xf0 && p[0] <= 0xf4) {
    if (left < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80) return 0;
    return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90) ? 0 : 4;
  }
  return 0;
}

/* One character of a checked string literal at *p; lone surrogates and broken UTF-8 are U+FFFD, as in Go. */
static uint32_t next_char(const char **p, const char *end) {
  const char *s = *p;
  if (*s == '\\') {
    *p = s + 2;
    switch (s[1]) {
      case 'b': return '\b';
      case 'f': return '\f';
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'u': break;
      default: return (unsigned char)s[1];
    }
    uint32_t c = hex4(s + 2);
    *p = s + 6;
    if (c < 0xd800 || c > 0xdfff) return c;
    if (c < 0xdc00 && end - *p >= 6 && s[6] == '\\' && s[7] == 'u') {
      uint32_t low = hex4(s + 8);
      if (low >= 0xdc00 && low <= 0xdfff) return *p = s + 12, 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
    }
    return 0xfffd;
  }
  size_t n = utf8_length(s, (size_t)(end - s));
  if (n == 0) return *p = s + 1, 0xfffd;
  *p = s + n;
  const unsigned char *u = (const unsigned char *)s;
  if (n == 1) return u[0];
  if (n == 2) return (u[0] & 31u) << 6 | (u[1] & 63u);
  if (n == 3) return (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u);
  return (u[0] & 7u) << 18 | (u[1] & 63u) << 12 | (u[2] & 63u) << 6 | (u[3] & 63u);
}

struct span json_text(struct pool *pool, struct json v) {
  if (json_kind(v) != JSON_STRING) {
    char *copy = pool_copy(pool, (struct span){v.p, v.n});
    return (struct span){copy, copy ? v.n : 0};
  }
  const char *p = v.p + 1, *end = v.p + v.n - 1;
  if (v.n - 2 > SIZE_MAX / 4) return (struct span){NULL, 0};
  bool plain = true;
  for (const char *q = p; q < end && plain; q++) plain = *q != '\\' && (unsigned char)*q < 0x80;
  char *out = plain ? pool_copy(pool, (struct span){p, (size_t)(end - p)}) : pool_alloc(pool, (v.n - 2) * 3 + 1);
  if (!out) return (struct span){NULL, 0};
  if (plain) return (struct span){out, (size_t)(end - p)};
  size_t n = 0;
  while (p < end) n += put_utf8(out + n, next_char(&p, end));
  out[n] = 0;
  return (struct span){out, n};
}

static bool name_is(struct json raw, struct span name, bool exact) {
  struct span text = {raw.p + 1, raw.n - 2};
  char local[256];
  struct pool pool;
  pool_init(&pool, local, sizeof local);
  if (text.n && memchr(text.p, '\\', text.n)) text = json_text(&pool, raw);
  bool same = exact ? span_equal(text, name) : text.n == name.n && (name.n == 0 || strncasecmp(text.p, name.p, name.n) == 0);
  pool_fini(&pool);
  return same;
}

static bool find_member(struct json object, struct span wanted, bool exact, struct json *value) {
  struct json name, v;
  bool found = false;
  if (json_kind(object) != JSON_OBJECT) return false;
  for (struct json_walk w = {0}; json_next(object, &w, &name, &v);)
    if (name_is(name, wanted, exact)) *value = v, found = true;
  return found;
}

bool json_member(struct json object, const char *name, struct json *value) { return find_member(object, span_of(name), false, value); }

bool json_member_exact(struct json object, struct span name, struct json *value) { return find_member(object, name, true, value); }

/* ---- writing ---- */

static void put_escaped(struct buf *b, uint32_t c, unsigned flags) {
  char utf8[4];
  switch (c) {
    case '"': buf_str(b, "\\\""); return;
    case '\\': buf_str(b, "\\\\"); return;
    case '\n': buf_str(b, "\\n"); return;
    case '\r': buf_str(b, "\\r"); return;
    case '\t': buf_str(b, "\\t"); return;
    case '\b': buf_str(b, "\\b"); return;
    case '\f': buf_str(b, "\\f"); return;
    default: break;
  }
  bool html = flags & JSON_HTML && (c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029);
  if (c < 0x20 || html) buf_printf(b, "\\u%04x", (unsigned)c);
  else buf_put(b, utf8, put_utf8(utf8, c));
}

static bool needs_escape(unsigned char c, unsigned flags) {
  return c < 0x20 || c == '"' || c == '\\' || c >= 0x80 || (flags & JSON_HTML && (c == '<' || c == '>' || c == '&'));
}

void json_quote(struct buf *b, struct span s, unsigned flags) {
  buf_char(b, '"');
  const char *end = s.p + s.n;
  for (const char *p = s.p; p < end;) {
    const char *run = p;
    while (p < end && !needs_escape((unsigned char)*p, flags)) p++;
    buf_put(b, run, (size_t)(p - run));
    if (p == end) break;
    size_t n = utf8_length(p, (size_t)(end - p));
    if (n == 0) {
      buf_str(b, "\\ufffd");
      p++;
    } else if (*p == '\\') {
      put_escaped(b, '\\', flags);
      p++;
    } else {
      put_escaped(b, next_char(&p, end), flags);
    }
  }
  buf_char(b, '"');
}

static void normal_string(struct buf *b, struct json v, unsigned flags) {
  const char *p = v.p + 1, *end = v.p + v.n - 1;
  buf_char(b, '"');
  while (p < end) {
    const char *run = p;
    while (p < end && !needs_escape((unsigned char)*p, flags)) p++;
    buf_put(b, run, (size_t)(p - run));
    if (p < end) put_escaped(b, next_char(&p, end), flags);
  }
  buf_char(b, '"');
}

void json_double(struct buf *b, double d) {
  char e[40];
  for (int precision = fabs(d) < DBL_MIN ? 0 : 14; precision <= 16; precision++) { /* the fewest digits that read back as the same double */
    snprintf(e, sizeof e, "%.*e", precision, d);
    if (strtod(e, NULL) == d) break;
  }
  char digits[24];
  int n = 0, exponent = (int)strtol(strchr(e, 'e') + 1, NULL, 10);
  for (const char *p = e; *p != 'e'; p++)
    if (*p >= '0' && *p <= '9') digits[n++] = *p;
  while (n > 1 && digits[n - 1] == '0') n--;
  if (signbit(d)) buf_char(b, '-');
  double size = fabs(d);
  if (size != 0 && (size < 1e-6 || size >= 1e21)) {
    buf_put(b, digits, 1);
    if (n > 1) buf_char(b, '.'), buf_put(b, digits + 1, (size_t)n - 1);
    buf_printf(b, "e%+d", exponent);
    return;
  }
  if (exponent < 0) buf_str(b, "0.");
  for (int i = exponent + 1; i < 0; i++) buf_char(b, '0');
  for (int i = 0; i < n || i <= exponent; i++) {
    if (i == exponent + 1 && i > 0 && exponent >= 0) buf_char(b, '.');
    buf_char(b, i < n ? digits[i] : '0');
  }
}

static bool normal_number(struct pool *pool, struct buf *b, struct json v, unsigned flags) {
  bool integer = v.n <= 15;
  for (size_t i = 0; i < v.n && integer; i++) integer = *v.p != '-' && v.p[i] >= '0' && v.p[i] <= '9';
  if (integer || flags & JSON_DIGITS) return buf_put(b, v.p, v.n), true;
  const char *text = pool_copy(pool, (struct span){v.p, v.n});
  double d = text ? strtod(text, NULL) : NAN;
  if (!isfinite(d)) return false;
  json_double(b, d);
  return true;
}

struct member {
  struct json name, value;
  struct span key;
};

static int member_order(const void *a, const void *b) {
  const struct member *x = a, *y = b;
  size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
  int c = n ? memcmp(x->key.p, y->key.p, n) : 0;
  if (c) return c;
  if (x->key.n != y->key.n) return x->key.n < y->key.n ? -1 : 1;
  return x->name.p < y->name.p ? -1 : 1; /* of duplicates the last one counts */
}

static bool normal(struct pool *, struct buf *, struct json, unsigned flags);

static bool normal_object(struct pool *pool, struct buf *b, struct json v, unsigned flags) {
  struct member *list = NULL, m;
  size_t n = 0;
  bool ok = true;
  for (struct json_walk w = {0}; ok && json_next(v, &w, &m.name, &m.value); n++) {
    m.key = (struct span){m.name.p + 1, m.name.n - 2};
    if (m.key.n && memchr(m.key.p, '\\', m.key.n)) m.key = json_text(pool, m.name);
    list = m.key.p ? pool_grow(pool, list, n, sizeof *list) : NULL;
    ok = list != NULL;
    if (ok) list[n] = m;
  }
  if (ok && n > 1) qsort(list, n, sizeof *list, member_order);
  buf_char(b, '{');
  bool first = true;
  for (size_t i = 0; ok && i < n; i++) {
    if (i + 1 < n && span_equal(list[i].key, list[i + 1].key)) continue;
    if (!first) buf_char(b, ',');
    first = false;
    normal_string(b, list[i].name, flags);
    buf_char(b, ':');
    ok = normal(pool, b, list[i].value, flags);
  }
  buf_char(b, '}');
  return ok;
}

static bool normal_array(struct pool *pool, struct buf *b, struct json v, unsigned flags) {
  struct json item;
  char before = '[';
  bool ok = true;
  for (struct json_walk w = {0}; ok && json_next(v, &w, NULL, &item); before = ',') {
    buf_char(b, before);
    ok = normal(pool, b, item, flags);
  }
  if (before == '[') buf_char(b, '[');
  buf_char(b, ']');
  return ok;
}

/* Recursion is bounded by DEPTH_MAX, which json_check has enforced; frames are small, since threads of connections have little stack. */
static bool normal(struct pool *pool, struct buf *b, struct json v, unsigned flags) {
  struct pool before = *pool;
  bool ok = true;
  switch (json_kind(v)) {
    case JSON_STRING: normal_string(b, v, flags); break;
    case JSON_NUMBER: ok = normal_number(pool, b, v, flags); break;
    case JSON_OBJECT: ok = normal_object(pool, b, v, flags); break;
    case JSON_ARRAY: ok = normal_array(pool, b, v, flags); break;
    default: buf_put(b, v.p, v.n); break;
  }
  pool_release(pool, before);
  return ok;
}

bool json_normal(struct buf *b, struct json v, unsigned flags) {
  char first[2048];
  struct pool pool;
  pool_init(&pool, first, sizeof first);
  bool ok = normal(&pool, b, v, flags);
  pool_fini(&pool);
  return ok && !b->failed;
}
