/* dial.h: one request over the network and its response, without redirects. dial.c is the only file that knows libcurl. */
#ifndef HTTP_DIAL_H
#define HTTP_DIAL_H

#include "fields.h"
#include "http.h"
#include "url.h"

struct dialer; /* a set of connections */
struct transfer;

struct dial {
  const char *method;
  const struct url *url;
  const char *raw; /* what the URL was made from; for tests that take defences out */
  const char *const *headers;
  const void *body;
  size_t body_size;
  bool exempt; /* from --deny-private */
  bool direct; /* past any proxy */
};

/* How long to wait, and what may end the wait. */
struct wait {
  int64_t until; /* in ms of http_now; INT64_MAX: for ever */
  bool (*stopped)(void *env);
  void *env;
};
int64_t http_now(void);

/* `stats` is counted in; `held` is kept at the bytes that wait to be read. NULL: no memory. */
struct dialer *dialer_new(const struct http_options *, bool deny_private, struct http_stats *stats, uint64_t *held);
void dialer_delete(struct dialer *); /* after its transfers */

enum http_code transfer_start(struct dialer *, const struct dial *, struct transfer **, mv_error_t *);
/* Waits for the head of the response. */
enum http_code transfer_head(struct transfer *, const struct wait *, int *status, struct fields *headers, mv_error_t *);
/* Waits for bytes of the body; *n is 0 at its end. */
enum http_code transfer_read(struct transfer *, const struct wait *, void *buf, size_t cap, size_t *n, mv_error_t *);
void transfer_end(struct transfer *);

/* Fills *err (which may be NULL) and returns `code`. */
enum http_code http_fail(mv_error_t *err, enum http_code code, const char *format, ...) MV_PRINTF(3, 4);

#endif
