/* options.c: see options.h. */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "url.h"

const char *http_set_allow(void *at, const char *origin) {
  struct http_settings *s = at;
  struct url url = {0};
  const char *why = url_parse_origin(&url, origin), **list;
  url_fini(&url);
  if (why) return why;
  list = realloc(s->allow, (s->allowed + 1) * sizeof *list);
  if (!list) return url_no_memory;
  s->allow = list;
  list[s->allowed++] = origin;
  return NULL;
}

const char *http_set_deny_private(void *at, const char *value) {
  (void)value;
  ((struct http_settings *)at)->deny_private = true;
  return NULL;
}

const char *http_set_log(void *at, const char *value) {
  (void)value;
  ((struct http_settings *)at)->log = true;
  return NULL;
}

const char *http_set_proxy(void *at, const char *value) {
  (void)value;
  ((struct http_settings *)at)->proxy = true;
  return NULL;
}

static bool has_certificate(FILE *f) {
  static const char mark[] = "-----BEGIN ";
  char line[256];
  bool found = false;
  while (!found && fgets(line, sizeof line, f)) found = !strncmp(line, mark, sizeof mark - 1);
  return found;
}

/* libcurl would say only at the first request over TLS, and to the guest alone, that this is no file of certificates. A pipe can be read but once. */
const char *http_set_ca(void *at, const char *file) {
  struct stat st;
  FILE *f;
  bool found;
  ((struct http_settings *)at)->ca_file = file;
  if (stat(file, &st) != 0) return strerror(errno);
  if (S_ISFIFO(st.st_mode)) return NULL;
  f = fopen(file, "r");
  if (!f) return strerror(errno);
  found = has_certificate(f);
  fclose(f);
  return found ? NULL : "no certificate in PEM form is in it";
}

/* Digits and a unit; `units` gives the factor of each. false: not that, or not below `max`. */
struct unit {
  const char *name;
  uint64_t factor;
};

static bool parse(const char *text, const struct unit *units, uint64_t max, uint64_t *out) {
  uint64_t n = 0;
  if (*text < '0' || *text > '9') return false;
  for (; *text >= '0' && *text <= '9'; text++) {
    if (n > max / 10) return false;
    n = n * 10 + (uint64_t)(*text - '0');
  }
  while (units->name && strcmp(units->name, text) != 0) units++;
  if (!units->name || n > max / units->factor) return false;
  *out = n * units->factor;
  return true;
}

const char *http_set_timeout(void *at, const char *time) {
  static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
  uint64_t ms;
  if (!strcmp(time, "none")) {
    ((struct http_settings *)at)->timeout_ms = -1;
    return NULL;
  }
  if (!parse(time, units, LONG_MAX < 1u << 31 ? 1u << 30 : 1ull << 40, &ms) || !ms) return "wanted: a time such as 500ms, 30s or 2m, or none";
  ((struct http_settings *)at)->timeout_ms = (long)ms;
  return NULL;
}

const char *http_set_max_body(void *at, const char *size) {
  static const struct unit units[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
  uint64_t n;
  if (!parse(size, units, UINT64_MAX / 2, &n) || !n) return "wanted: a number of bytes above 0, with K, M or G";
  ((struct http_settings *)at)->max_body = n;
  return NULL;
}

const char *http_settings_check(const struct http_settings *s) {
  if (s->proxy && s->deny_private) return "--deny-private cannot be checked behind --http-proxy, since the proxy resolves the names";
  return NULL;
}

void http_settings_fini(struct http_settings *s) {
  free(s->allow);
  s->allow = NULL;
  s->allowed = 0;
}
