/* server.h: a request handler behind a port. */
#ifndef SIDECAR_SERVER_H
#define SIDECAR_SERVER_H

#include "../../../http/http.h"

struct server;
struct server_options {
  const char *address; /* numeric, IPv4 or IPv6 */
  int port;
  http_handler handler;
  void *env;
  size_t max_body;     /* a longer request body is refused as daprd does: 400, "stream too large" */
};
/* NULL: *err says why. */
struct server *server_new(const struct server_options *, mv_error_t *err);
/* Takes no more connections, lets requests under way end for at most `seconds`, closes. NULL is allowed. */
void server_delete(struct server *, int64_t seconds);

#endif
