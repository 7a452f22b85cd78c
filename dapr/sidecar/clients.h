/* clients.h: a stock of HTTP clients (http/http.h), each used by one thread at a time, and answers kept in memory. */
#ifndef SIDECAR_CLIENTS_H
#define SIDECAR_CLIENTS_H

#include "../../http/http.h"
#include "text.h"

struct clients;
/* What it points to must outlive the clients. */
struct clients_options {
  const struct http_policy *policy; /* NULL: everything is allowed */
  const char *origin;               /* "http://host[:port]" that is reached whatever the policy says; NULL: none */
  const char *const *headers;       /* for that origin alone, as http_client_forward has them */
  int redirects;                    /* followed at most; each is checked against the policy */
  bool path_as_is;
  bool (*stopped)(void *env);       /* ends a request */
  void *env;
};
struct clients *clients_new(const struct clients_options *);
void clients_delete(struct clients *);
/* As http_send. timeout_ms 0: none. */
enum http_code clients_send(struct clients *, int64_t timeout_ms, const struct http_request *, const struct http_sink *, mv_error_t *err);

/* A whole response in memory. */
struct answer {
  struct pool *pool;
  int status; /* 0: none came */
  struct properties headers; /* repeated names are kept apart */
  struct buf body;
  size_t limit; /* 0: none */
};
struct http_sink answer_sink(struct answer *);
void answer_fini(struct answer *);
const char *answer_header(const struct answer *, const char *name);

/* Headers as http.h wants them. */
struct headers {
  struct pool *pool;
  const char **list; /* NULL-terminated once something was added */
  size_t n;
};
/* Ignored (true): names that are no token, values with control characters. false: no memory. */
bool headers_add(struct headers *, const char *name, const char *value);
const char *headers_get(const char *const *list, const char *name); /* regardless of case */

#endif
