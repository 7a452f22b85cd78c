/* route.h: the one table of routes, and finding in it. */
#ifndef SIDECAR_ROUTE_H
#define SIDECAR_ROUTE_H

#include "text.h"

struct call;
enum { ROUTE_ARGS = 4, ROUTE_MAX = 96, ROUTE_BUCKETS = 64 };

/* Methods are bits; ROUTE_ANY also stands for those that have no name here. */
enum { ROUTE_GET = 1, ROUTE_POST = 2, ROUTE_PUT = 4, ROUTE_DELETE = 8, ROUTE_SAVE = ROUTE_POST | ROUTE_PUT, ROUTE_ANY = 1 << 15 };

struct route {
  unsigned methods;
  const char *pattern; /* "v1.0/state/{}/{}": {} is one segment, a last * is the rest, not empty */
  const char *name;    /* in metrics */
  bool (*handle)(struct call *);
  bool open;           /* needs no API token */
};

extern const struct route routes[]; /* routes.c; ends with a row without a pattern */

struct route_index {
  uint8_t first[ROUTE_BUCKETS], next[ROUTE_MAX]; /* row + 1; rows keep the order of the table */
  size_t count;
};

void route_index_init(struct route_index *);
unsigned route_method(const char *method);
/* The row that serves this path (without its query), or NULL; args are raw segments. */
const struct route *route_find(const struct route_index *, unsigned method, struct span path, struct span args[ROUTE_ARGS]);

#endif
