/* client.h: the client's inside, for guest.c, which checks a request in the order that its ABI has. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "fields.h"
#include "http.h"
#include "url.h"

/* Where a request may go: the first half of http_open. */
struct target {
  struct url url;
  const char *raw;
  struct mount *mount; /* NULL: to the network */
  bool exempt;         /* from --deny-private */
};

/* Parses and checks a URL into the client's own target, valid until the next request. */
enum http_code client_target(struct http_client *, const char *url, size_t size, const struct target **, mv_error_t *);
/* The second half, in this order: the method, the headers, and the request itself. `method` is terminated. */
enum http_code client_method(const char *method, mv_error_t *);
enum http_code client_header(const char *name, size_t name_size, const char *value, size_t value_size, mv_error_t *);
/* Sends to the client's target. `fields`: checked headers, which are used up. */
enum http_code client_open(struct http_client *, const char *method, struct fields *fields, const void *body, size_t body_size, struct http_exchange **, mv_error_t *);
/* The first value of a header of the response, or NULL. The name is in lower case. */
const char *client_response_header(const struct http_exchange *, const char *name);
/* Is the target served in this process? */
bool client_is_mounted(const struct target *);

#endif
