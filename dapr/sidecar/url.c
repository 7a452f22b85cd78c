/* url.c: see url.h. RFC 3986, RFC 4648. */
#include "url.h"

#include <string.h>

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct span url_decode(struct pool *pool, struct span s, bool plus) {
  char *out = pool_alloc(pool, s.n + 1);
  if (!out) return (struct span){NULL, 0};
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c == '+' && plus) {
      c = ' ';
    } else if (c == '%' && s.n - i > 2 && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
      c = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
      i += 2;
    }
    out[n++] = c;
  }
  out[n] = 0;
  return (struct span){out, n};
}

void url_encode_path(struct buf *b, struct span path) {
  for (size_t i = 0; i < path.n; i++) {
    unsigned char c = (unsigned char)path.p[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-_.~$&+,/:;=@", c));
    if (plain) buf_char(b, (char)c);
    else buf_printf(b, "%%%02X", c);
  }
}

bool url_query_next(struct pool *pool, struct span *rest, struct span *name, struct span *value) {
  while (rest->n > 0) {
    struct span pair = span_cut(rest, '&');
    if (pair.n == 0) continue;
    struct span raw = span_cut(&pair, '=');
    *name = url_decode(pool, raw, true);
    *value = url_decode(pool, pair, true);
    return name->p && value->p;
  }
  return false;
}

struct span url_query_get(struct pool *pool, struct span query, const char *wanted) {
  struct span name, value;
  while (url_query_next(pool, &query, &name, &value))
    if (span_is(name, wanted)) return value;
  return (struct span){NULL, 0};
}

struct span url_clean(struct pool *pool, struct span path) {
  char *out = pool_alloc(pool, path.n + 2);
  if (!out) return (struct span){NULL, 0};
  size_t n = 0;
  while (path.n > 0) {
    struct span segment = span_cut(&path, '/');
    if (segment.n == 0 || span_is(segment, ".")) continue;
    if (span_is(segment, "..")) {
      while (n > 0 && out[--n] != '/') continue;
      continue;
    }
    out[n++] = '/';
    memcpy(out + n, segment.p, segment.n);
    n += segment.n;
  }
  if (n == 0) out[n++] = '/';
  out[n] = 0;
  return (struct span){out, n};
}

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *b, struct span s) {
  for (size_t i = 0; i < s.n; i += 3) {
    uint32_t v = 0;
    size_t left = s.n - i < 3 ? s.n - i : 3;
    for (size_t k = 0; k < 3; k++) v = v << 8 | (k < left ? (unsigned char)s.p[i + k] : 0);
    for (size_t k = 0; k < 4; k++) buf_char(b, k <= left ? base64_letters[v >> (18 - 6 * k) & 63] : '=');
  }
}

bool base64_decode(struct buf *b, struct span s) {
  uint32_t v = 0;
  unsigned have = 0, padding = 0;
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c == '\n' || c == '\r') continue;
    const char *at = c ? strchr(base64_letters, c) : NULL;
    if (c == '=' ? have < 2 : !at || padding) return false;
    v = v << 6 | (uint32_t)(c == '=' ? 0 : at - base64_letters);
    if (c == '=') padding++;
    if (++have < 4) continue;
    for (unsigned k = 0; k < 3 - padding; k++) buf_char(b, (char)(v >> (16 - 8 * k)));
    if (padding) {
      for (i++; i < s.n; i++)
        if (s.p[i] != '\n' && s.p[i] != '\r') return false;
      return !b->failed;
    }
    have = 0;
    v = 0;
  }
  return have == 0 && !b->failed;
}
