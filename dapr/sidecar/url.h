/* url.h: percent-encoding, queries and paths, with the meanings that Go's net/url gives them. */
#ifndef SIDECAR_URL_H
#define SIDECAR_URL_H

#include "text.h"

/* Decodes %XX; with `plus`, '+' is a space. A broken escape stays as it is. The result has a terminator; {NULL, 0}: no memory. */
struct span url_decode(struct pool *, struct span, bool plus);
/* Appends a path, escaping what Go's URL.EscapedPath escapes. */
void url_encode_path(struct buf *, struct span path);
/* Walks a query: *rest begins as the whole query. name and value are decoded. false: at the end. */
bool url_query_next(struct pool *, struct span *rest, struct span *name, struct span *value);
/* The first value of `name`; {NULL, 0} when it is absent. */
struct span url_query_get(struct pool *, struct span query, const char *name);
/* path.Clean: no empty and no "." segments, ".." resolved, no trailing slash; always begins with "/". */
struct span url_clean(struct pool *, struct span path);
/* Standard base64. */
void base64_encode(struct buf *, struct span);
MV_MUST_USE bool base64_decode(struct buf *, struct span); /* Go's StdEncoding: padded, line breaks ignored */

#endif
