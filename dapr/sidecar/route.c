/* route.c: see route.h. A row is found by a hash of its first two segments, which are always fixed text. */
#include "route.h"

#include <string.h>

static struct span segment(struct span *rest) {
  while (rest->n > 0 && *rest->p == '/') rest->p++, rest->n--;
  return span_cut(rest, '/');
}

static unsigned hash(unsigned h, struct span s) {
  for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 16777619u;
  return h;
}

static unsigned bucket(struct span path) {
  struct span a = segment(&path), b = segment(&path);
  unsigned h = hash(hash(2166136261u, a) * 31, b);
  return (h ^ h >> 13) % ROUTE_BUCKETS;
}

void route_index_init(struct route_index *index) {
  *index = (struct route_index){0};
  for (size_t i = 0; routes[i].pattern && i < ROUTE_MAX; i++) {
    uint8_t *link = &index->first[bucket(span_of(routes[i].pattern))];
    while (*link) link = &index->next[*link - 1];
    *link = (uint8_t)(i + 1);
    index->count = i + 1;
  }
}

unsigned route_method(const char *method) {
  if (strcmp(method, "GET") == 0) return ROUTE_GET;
  if (strcmp(method, "POST") == 0) return ROUTE_POST;
  if (strcmp(method, "PUT") == 0) return ROUTE_PUT;
  return strcmp(method, "DELETE") == 0 ? ROUTE_DELETE : ROUTE_ANY;
}

static bool matches(const char *pattern, struct span path, struct span args[ROUTE_ARGS]) {
  size_t n = 0;
  for (struct span p = span_of(pattern); p.n > 0;) {
    struct span want = span_cut(&p, '/');
    if (span_is(want, "*")) {
      while (path.n > 0 && path.p[0] == '/') path.p++, path.n--;
      while (path.n > 0 && path.p[path.n - 1] == '/') path.n--;
      args[n] = path;
      return path.n > 0;
    }
    struct span got = segment(&path);
    if (got.n == 0) return false;
    if (span_is(want, "{}")) args[n++] = got;
    else if (!span_equal(want, got)) return false;
  }
  return segment(&path).n == 0;
}

const struct route *route_find(const struct route_index *index, unsigned method, struct span path, struct span args[ROUTE_ARGS]) {
  for (uint8_t i = index->first[bucket(path)]; i; i = index->next[i - 1]) {
    const struct route *r = &routes[i - 1];
    if ((r->methods & method || r->methods == ROUTE_ANY) && matches(r->pattern, path, args)) return r;
  }
  return NULL;
}
