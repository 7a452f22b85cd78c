/* http.h: one HTTP client for the whole program: the guest's import and the sidecar's own requests use it. libcurl is behind it, and is loaded when
 * the first request leaves the process. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "minivm.h"

/* What may be dialled. Deny by default: an empty policy refuses everything. */
struct http_policy;
struct http_policy *http_policy_new(void);
void http_policy_delete(struct http_policy *);
/* Adds an origin "http://host[:port]" to the allow-list; false: *why says what is wrong with it. */
MV_MUST_USE bool http_policy_allow(struct http_policy *, const char *origin, const char **why);
/* Allows everything (the sidecar's own requests). */
void http_policy_allow_all(struct http_policy *);
void http_policy_deny_private(struct http_policy *, bool);

/* A request handler in the same process: serves the origin it is mounted on without a socket. */
struct http_request {
  const char *method, *url;      /* url: absolute, terminated */
  const char *path;              /* path and query of url; set for handlers, ignored by http_send */
  const char *const *headers;    /* name, value, name, value, ..., NULL */
  const void *body;
  size_t body_size;
};

/* Receives a response. head is called once (headers as above), then data any number of times; each returns false to abort. */
struct http_sink {
  bool (*head)(void *env, int status, const char *const *headers);
  bool (*data)(void *env, const void *bytes, size_t size);
  void *env;
};

typedef bool (*http_handler)(void *env, const struct http_request *, const struct http_sink *, mv_error_t *err);

struct http_client;
struct http_options {
  long connect_timeout_ms, timeout_ms; /* 0: defaults 10 s, 30 s; timeout_ms -1: none; see http_open and http_send */
  uint64_t max_body;                   /* of a response; 0: none */
  uint64_t max_held;                   /* bytes of response bodies that wait to be read, all together; 0: 256 MiB */
  const char *ca_file;                 /* certificates that are trusted, instead of the system's; NULL: the system's */
  bool proxy;                          /* obey proxy variables of the environment */
  int max_redirects;                   /* each hop is checked against the policy; 0: redirects are returned as they are */
  const char *sidecar;                 /* an origin that --dapr would serve: who is refused there is told so; NULL: none */
  bool path_as_is;                     /* the segments "." and ".." of a URL are sent, as the caller wrote them */
};
/* One client is used by one thread at a time; it keeps its connections alive. The policy must outlive it. NULL: err says why. */
struct http_client *http_client_new(const struct http_policy *, const struct http_options *, mv_error_t *err);
void http_client_delete(struct http_client *);
/* Requests to this origin go to the handler, whatever the policy says. */
MV_MUST_USE bool http_client_mount(struct http_client *, const char *origin, http_handler, void *env);
/* Requests to this origin go to the server at `endpoint`, "http://host[:port][/path]", with these headers (name, value, ..., NULL) in place of the
 * request's own of those names. The policy is not asked. The headers go to that endpoint alone: not along with a redirect, not back by TRACE, and not in
 * clear text to a proxy. */
MV_MUST_USE bool http_client_forward(struct http_client *, const char *origin, const char *endpoint, const char *const *headers, mv_error_t *err);
/* While a request waits, `stopped` is asked now and then; true ends the wait with HTTP_RUNTIME_ERROR. NULL: never. */
void http_client_stop(struct http_client *, bool (*stopped)(void *env), void *env);

struct http_stats {
  uint64_t requests, mounted, redirects, connections, refused, failed, bytes_sent, bytes_received; /* bytes: of bodies */
};
void http_client_stats(const struct http_client *, struct http_stats *);

/* Result codes are those of the guest ABI. */
enum http_code {
  HTTP_OK = 0, HTTP_INVALID_HANDLE, HTTP_NO_MEMORY_EXPORT, HTTP_MEMORY_ACCESS, HTTP_BUFFER_TOO_SMALL, HTTP_HEADER_NOT_FOUND, HTTP_UTF8,
  HTTP_NOT_ALLOWED, HTTP_INVALID_METHOD, HTTP_INVALID_ENCODING, HTTP_INVALID_URL, HTTP_REQUEST_ERROR, HTTP_RUNTIME_ERROR, HTTP_TOO_MANY_SESSIONS
};

/* Sends and waits for the end of the response, timeout_ms for all. *err (may be NULL) has the reason in words when the code is not HTTP_OK. */
enum http_code http_send(struct http_client *, const struct http_request *, const struct http_sink *, mv_error_t *err);

/* The same in steps: http_open waits up to timeout_ms for the head of the response; each http_read, for more of the body. The client holds no more of
 * a body than a few hundred KiB, the rest waits at the server; a handler's answer is held whole. */
struct http_exchange;
enum http_code http_open(struct http_client *, const struct http_request *, struct http_exchange **, mv_error_t *err);
int http_status(const struct http_exchange *);
const char *const *http_headers(const struct http_exchange *); /* name (in lower case), value, ..., NULL */
/* Up to `cap` bytes; waits for at least one. *n is 0 at the end. */
enum http_code http_read(struct http_exchange *, void *buf, size_t cap, size_t *n, mv_error_t *err);
void http_close(struct http_exchange *); /* before the client is deleted */

#endif
