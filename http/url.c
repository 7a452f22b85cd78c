/* url.c: see url.h. Stricter than the URL Standard (WHATWG) where its leniency has only ever served attackers: no user names, no backslashes, no octal,
 * hexadecimal or shortened IPv4 addresses, no percent or non-ASCII characters in hosts. In paths and queries it is as lenient: what may not stand
 * there is percent-encoded. */
#include "url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "defence.h"

const char url_no_memory[] = "out of memory";

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }
static bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
static char to_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

/* ---- hosts --------------------------------------------------------------------------------------------- */

/* Does the last label say that this is an IPv4 address in some notation (URL Standard, "ends in a number")? */
static bool ends_in_number(const char *host) {
  size_t n = strlen(host), from;
  if (n && host[n - 1] == '.') n--;
  for (from = n; from && host[from - 1] != '.'; from--) {}
  if (from == n) return false;
  if (n - from >= 2 && host[from] == '0' && to_lower(host[from + 1]) == 'x') {
    for (from += 2; from < n && is_hex(host[from]); from++) {}
  } else {
    for (; from < n && is_digit(host[from]); from++) {}
  }
  return from == n;
}

static const char *check_ipv4(struct url *url) {
  unsigned char address[4];
  url->kind = URL_IPV4;
  if (inet_pton(AF_INET, url->host, address) == 1) { /* some systems take leading zeros; what we wrote ourselves has none */
    char again[INET_ADDRSTRLEN];
    if (inet_ntop(AF_INET, address, again, sizeof again) && !strcmp(again, url->host)) return NULL;
  }
  if (DEFENCE(NUMERIC)) return "an IPv4 address is four decimal numbers";
  url->kind = URL_NAME;
  return NULL;
}

/* Labels of 1 to 63 characters; one final dot is part of the name. */
static const char *check_name(struct url *url) {
  size_t label = 0;
  url->kind = URL_NAME;
  for (const char *p = url->host; *p; p++) {
    bool fits = is_letter(*p) || is_digit(*p) || *p == '-' || *p == '_';
    if (*p == '.' && label)
      label = 0;
    else if ((fits || !DEFENCE(HOST_CHARS)) && ++label <= 63)
      continue;
    else if (*p == '%')
      return "a host cannot be percent-encoded";
    else if ((unsigned char)*p >= 0x80)
      return "a host with letters beyond ASCII is written in its xn-- form";
    else
      return "not a host name";
  }
  return ends_in_number(url->host) ? check_ipv4(url) : NULL;
}

static const char *check_ipv6(struct url *url, const char *text, size_t size) {
  char plain[INET6_ADDRSTRLEN], address[16];
  if (size >= sizeof plain) return "not an IPv6 address";
  memcpy(plain, text, size);
  plain[size] = 0;
  if (!DEFENCE(ZONE)) plain[strcspn(plain, "%")] = 0;
  if (inet_pton(AF_INET6, plain, address) != 1) return strchr(plain, '%') ? "an IPv6 zone is not allowed" : "not an IPv6 address";
  url->kind = URL_IPV6;
  url->host[0] = '[';
  if (!inet_ntop(AF_INET6, address, url->host + 1, sizeof url->host - 2)) return "not an IPv6 address";
  strcat(url->host, "]");
  return NULL;
}

/* ":" and digits, or nothing. */
static const char *parse_port(struct url *url, const char *p, const char *end) {
  unsigned long port = 0;
  url->port = url->tls ? 443 : 80;
  if (p == end) return NULL;
  if (*p++ != ':') return "not a host";
  if (p == end) return NULL;
  for (; p < end; p++) {
    if (!is_digit(*p)) return "the port is not a number";
    port = port * 10 + (unsigned long)(*p - '0');
    if (port > 65535) return "the port is above 65535";
  }
  if (!port) return "port 0 cannot be reached";
  url->port = (uint16_t)port;
  return NULL;
}

static const char *parse_authority(struct url *url, const char *p, const char *end) {
  const char *why, *stop;
  for (const char *at = end; at > p; at--) {
    if (at[-1] != '@') continue;
    if (DEFENCE(USERINFO)) return "a user name in a URL is not allowed; send an authorization header";
    p = at;
    break;
  }
  if (p == end) return "there is no host";
  if (*p == '[') {
    stop = memchr(p, ']', (size_t)(end - p));
    why = stop ? check_ipv6(url, p + 1, (size_t)(stop - p - 1)) : "not an IPv6 address";
    return why ? why : parse_port(url, stop + 1, end);
  }
  for (stop = p; stop < end && *stop != ':'; stop++) {}
  if (stop == p) return "there is no host";
  if (stop - p > 253) return "the host's name is too long";
  for (char *to = url->host;; p++) {
    *to++ = p < stop ? to_lower(*p) : 0;
    if (p == stop) break;
  }
  why = check_name(url);
  return why ? why : parse_port(url, stop, end);
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

static bool reserve(struct url *url, size_t size) {
  char *text;
  if (size <= url->capacity) return true;
  text = realloc(url->text, size);
  if (!text) return false;
  url->text = text;
  url->capacity = size;
  return true;
}

static void put(struct url *url, const char *text, size_t size) {
  memcpy(url->text + url->size, text, size);
  url->size += size;
}

static void put_origin(struct url *url) {
  char port[8] = ":";
  size_t at = sizeof port;
  put(url, url->tls ? "https://" : "http://", url->tls ? 8 : 7);
  put(url, url->host, strlen(url->host));
  if (url->port != (url->tls ? 443 : 80)) {
    for (unsigned n = url->port; n; n /= 10) port[--at] = (char)('0' + n % 10);
    port[--at] = ':';
    put(url, port + at, sizeof port - at);
  }
  url->origin = url->size;
}

static void put_encoded(struct url *url, const char *p, const char *end) {
  static const char hex[] = "0123456789ABCDEF";
  for (; p < end && *p != '#'; p++) {
    unsigned char c = (unsigned char)*p;
    if ((c == ' ' && DEFENCE(URL_CONTROL)) || c >= 0x80 || (c > 0x20 && strchr("\"<>\\^`{|}", c))) {
      char code[3] = {'%', hex[c >> 4], hex[c & 15]};
      put(url, code, 3);
    } else {
      put(url, p, 1);
    }
  }
}

/* How many dots a segment is; 0: it is another. "%2e" is one too, as in the URL Standard: who decodes the path later sees a dot. */
static int dots(const char *p, size_t n) {
  int count = 0;
  while (n) {
    size_t k = *p == '.' ? 1 : n > 2 && p[0] == '%' && p[1] == '2' && (p[2] | 0x20) == 'e' ? 3 : 0;
    if (!k || ++count > 2) return 0;
    p += k;
    n -= k;
  }
  return count;
}

/* RFC 3986, section 5.2.4: takes the segments "." and ".." out of the path, in place. */
static void remove_dots(struct url *url) {
  char *path = url->text + url->origin, *end = url->text + url->size, *query = memchr(path, '?', (size_t)(end - path)), *from = path, *to = path;
  size_t rest;
  if (!query) query = end;
  while (from < query) { /* at a slash */
    char *next = from + 1;
    size_t n;
    int up;
    while (next < query && *next != '/') next++;
    n = (size_t)(next - from - 1);
    up = dots(from + 1, n);
    if (up == 1) {
      if (next == query) *to++ = '/';
    } else if (up == 2) {
      while (to > path && *--to != '/') {}
      if (next == query) *to++ = '/';
    } else {
      memmove(to, from, n + 1);
      to += n + 1;
    }
    from = next;
  }
  if (to == path) *to++ = '/';
  rest = (size_t)(end - query);
  memmove(to, query, rest);
  url->size = (size_t)(to - url->text) + rest;
}

const char *url_parse(struct url *url, const char *text, size_t size) {
  const char *end = text + size, *p, *authority, *why;
  size_t scheme = 0;
  url->size = url->origin = 0;
  if (size > URL_MAX) return "the URL is too long";
  for (p = text; p < end; p++)
    if (((unsigned char)*p < 0x20 || *p == 0x7f) && DEFENCE(URL_CONTROL)) return "a control character in a URL is not allowed";
  while (scheme < size && (is_letter(text[scheme]) || (scheme && (is_digit(text[scheme]) || strchr("+-.", text[scheme]))))) scheme++;
  if (!scheme || scheme == size || text[scheme] != ':') return "not an absolute URL";
  url->tls = scheme == 5 && !strncasecmp(text, "https", 5);
  if (!url->tls && !(scheme == 4 && !strncasecmp(text, "http", 4)) && DEFENCE(WEB)) return "only http and https URLs can be requested";
  if (size - scheme < 3 || text[scheme + 1] != '/' || text[scheme + 2] != '/') return "not an absolute URL";
  authority = p = text + scheme + 3;
  while (p < end && *p != '/' && *p != '?' && *p != '#') p++;
  why = parse_authority(url, authority, p);
  if (why) return why;
  if (!reserve(url, sizeof "https://:65535/" + strlen(url->host) + 3 * (size_t)(end - p) + 1)) return url_no_memory;
  put_origin(url);
  if (p == end || *p != '/') put(url, "/", 1);
  put_encoded(url, p, end);
  if (!url->as_is) remove_dots(url);
  url->text[url->size] = 0;
  return NULL;
}

const char *url_parse_origin(struct url *url, const char *text) {
  const char *why = url_parse(url, text, strlen(text));
  if (why) return why;
  if (strchr(text, '#') || url->size != url->origin + 1) return "wanted: http://host[:port], without a path";
  return NULL;
}

static bool has_scheme(const char *text) {
  if (!is_letter(*text)) return false;
  while (is_letter(*text) || is_digit(*text) || *text == '+' || *text == '-' || *text == '.') text++;
  return *text == ':';
}

const char *url_resolve(struct url *url, const struct url *base, const char *text) {
  size_t kept, size = strlen(text);
  const char *why, *path = base->text + base->origin;
  char *whole;
  if (has_scheme(text)) return url_parse(url, text, size);
  if (size > URL_MAX) return "the URL is too long";
  if (text[0] == '/' && text[1] == '/')
    kept = base->tls ? 6 : 5;
  else if (text[0] == '/')
    kept = base->origin;
  else if (text[0] == '#' || !text[0])
    kept = base->size;
  else
    kept = base->origin + strcspn(path, "?");
  if (kept > base->origin && text[0] != '?' && text[0] != '#' && text[0]) /* up to the last slash of the path */
    while (base->text[kept - 1] != '/') kept--;
  whole = malloc(kept + size + 1);
  if (!whole) return url_no_memory;
  memcpy(whole, base->text, kept);
  memcpy(whole + kept, text, size);
  why = url_parse(url, whole, kept + size);
  free(whole);
  return why;
}

/* Characters that put_encoded leaves alone, except for '.' and '%', which may be part of a segment to remove. */
static bool is_plain(unsigned char c) {
  static const uint32_t set[8] = {0, 0xafffbfd2, 0xafffffff, 0x47fffffe};
  return set[c >> 5] >> (c & 31) & 1;
}

bool url_parse_plain(struct url *url, const struct url *origin, const char *text, size_t size) {
  size_t n = origin->origin;
  if (size <= n || size > URL_MAX || text[n] != '/' || memcmp(text, origin->text, n) != 0) return false;
  for (size_t i = n; i < size; i++)
    if (!is_plain((unsigned char)text[i]) && !((text[i] == '.' || text[i] == '%') && text[i - 1] != '/')) return false;
  if (!reserve(url, size + 1)) return false;
  memcpy(url->text, text, size);
  url->text[size] = 0;
  url->size = size;
  url->origin = n;
  url->kind = origin->kind;
  url->port = origin->port;
  url->tls = origin->tls;
  strcpy(url->host, origin->host);
  return true;
}

bool url_same_origin(const struct url *a, const struct url *b) { return a->tls == b->tls && a->port == b->port && !strcmp(a->host, b->host); }

void url_fini(struct url *url) { free(url->text); }
