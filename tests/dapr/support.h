/* support.h: what the C tests of the sidecar share: calls without a socket. */
#ifndef TESTS_DAPR_SUPPORT_H
#define TESTS_DAPR_SUPPORT_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../dapr/dapr.h"

extern const struct dapr_interface minivm_dapr;

/* The answer to one call, in memory. */
struct got {
  int status;
  char headers[2048], body[65536];
  size_t headers_size, body_size;
};

static inline bool got_head(void *env, int status, const char *const *headers) {
  struct got *g = env;
  g->status = status;
  for (; headers[0]; headers += 2) {
    int n = snprintf(g->headers + g->headers_size, sizeof g->headers - g->headers_size, "%s: %s\n", headers[0], headers[1]);
    if (n > 0 && (size_t)n < sizeof g->headers - g->headers_size) g->headers_size += (size_t)n;
  }
  return true;
}

static inline bool got_data(void *env, const void *bytes, size_t n) {
  struct got *g = env;
  if (n > sizeof g->body - 1 - g->body_size) n = sizeof g->body - 1 - g->body_size;
  memcpy(g->body + g->body_size, bytes, n);
  g->body_size += n;
  g->body[g->body_size] = 0;
  return true;
}

/* Answers with the status; headers may be NULL. */
static inline int call(struct sidecar *sc, const char *method, const char *path, const char *const *headers, const char *body,
                       struct got *g) {
  const char *const json[] = {"Content-Type", "application/json", NULL};
  struct http_request r = {method, path, path, headers ? headers : json, body, body ? strlen(body) : 0};
  struct http_sink sink = {got_head, got_data, g};
  mv_error_t err = {0};
  *g = (struct got){0};
  return minivm_dapr.handle(sc, &r, &sink, &err) ? g->status : -1;
}

#endif
