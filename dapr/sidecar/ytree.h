/* ytree.h: YAML files as trees with line numbers. The only part that knows libyaml. */
#ifndef SIDECAR_YTREE_H
#define SIDECAR_YTREE_H

#include "text.h"

enum ytree_kind { YTREE_SCALAR, YTREE_LIST, YTREE_MAP };

struct ytree {
  enum ytree_kind kind;
  int line;                /* from 1 */
  const char *key;         /* within a map */
  const char *text;        /* of a scalar */
  bool quoted;
  const struct ytree *first, *next; /* elements; the following element or document */
};

/* Reads all documents of `text`. false: *err names file, line and what to do. NULL in *out: no document. */
MV_MUST_USE bool ytree_parse(struct pool *, const char *file, struct span text, const struct ytree **out, mv_error_t *err);
/* A member of a map, or NULL (also when `map` is NULL or no map). */
const struct ytree *ytree_get(const struct ytree *map, const char *key);
/* The text of a scalar member; NULL when absent, null or no scalar. */
const char *ytree_text(const struct ytree *map, const char *key);
bool ytree_is_null(const struct ytree *);

#endif
