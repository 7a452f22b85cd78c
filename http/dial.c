/* dial.c: see dial.h. libcurl does HTTP/1.1, TLS, name resolution and the pool of connections; what it is asked for is decided elsewhere. It is opened at
 * the first transfer, since loading it takes longer than most guests run. It follows no redirects, reads no proxy variables, cookies or .netrc, and each
 * address that it wants to dial passes on_socket.
 *
 * The body is pulled: on_data takes bytes while there is room in the transfer's buffer and then pauses the transfer, so that TCP holds the server back.
 * HTTP/2 is left out on purpose: its streams share a connection, where one that is paused makes libcurl buffer megabytes. */
#define CURL_DISABLE_TYPECHECK
#include "dial.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "defence.h"
#include "policy.h"

enum {
  BUFFER_MAX = 256 << 10, /* of one transfer's body */
  HEAD_MAX = 256 << 10,   /* of all header lines */
  CONNECTIONS_MAX = 32,   /* kept alive */
  POLL_MS = 50            /* how soon a stop is seen */
};

/* ---- libcurl ------------------------------------------------------------------------------------------- */

#define CURL_FUNCTIONS(X) \
  X(global_init) X(easy_init) X(easy_setopt) X(easy_cleanup) X(easy_pause) X(easy_getinfo) X(easy_strerror) X(multi_init) X(multi_setopt) \
  X(multi_add_handle) X(multi_remove_handle) X(multi_perform) X(multi_poll) X(multi_info_read) X(multi_cleanup) X(multi_strerror) X(slist_append) \
  X(slist_free_all) X(url) X(url_set) X(url_cleanup)

/* Written once, under pthread_once. */
static struct {
#define X(name) __typeof__(curl_##name) *name;
  CURL_FUNCTIONS(X)
#undef X
  char why[256]; /* empty: ready */
} curl;

static void *open_library(void) {
  static const char *const names[] = {
#ifdef HTTP_LIBCURL
    HTTP_LIBCURL,
#endif
    "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib", "libcurl.so"};
  void *library = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  return library;
}

static void load(void) {
  static const struct {
    const char *name;
    size_t at;
  } functions[] = {
#define X(name) {"curl_" #name, offsetof(__typeof__(curl), name)},
    CURL_FUNCTIONS(X)
#undef X
  };
  void *library = open_library();
  if (!library) {
    snprintf(curl.why, sizeof curl.why, "libcurl is needed: %s", dlerror());
    return;
  }
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *address = dlsym(library, functions[i].name);
    if (!address) {
      snprintf(curl.why, sizeof curl.why, "libcurl is too old: it has no %s", functions[i].name);
      return;
    }
    memcpy((char *)&curl + functions[i].at, &address, sizeof address);
  }
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) snprintf(curl.why, sizeof curl.why, "libcurl could not be initialized");
}

/* NULL, or why libcurl cannot be used. */
static const char *load_once(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return *curl.why ? curl.why : NULL;
}

/* ---- state --------------------------------------------------------------------------------------------- */

struct dialer {
  struct http_options options;
  char *ca_file;
  bool deny_private;
  struct http_stats *stats;
  uint64_t *held;
  CURLM *multi; /* NULL until the first transfer */
};

struct transfer {
  struct dialer *dialer;
  CURL *easy;
  CURLU *where;
  struct curl_slist *headers, *resolve;
  bool running, exempt, direct, refused;
  char why[CURL_ERROR_SIZE];
  const char *own_why; /* why a callback ended the transfer */
  CURLcode result;     /* once it does not run any more */
  struct fields head;
  size_t head_size;
  int status;
  bool head_done, paused;
  char *body; /* [at, size) waits to be read */
  size_t at, size, capacity;
  uint64_t received;
};

int64_t http_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum http_code http_fail(mv_error_t *err, enum http_code code, const char *format, ...) {
  va_list args;
  if (!err) return code;
  memset(err, 0, sizeof *err);
  err->kind = MV_USAGE;
  err->offset = MV_NO_OFFSET;
  va_start(args, format);
  vsnprintf(err->message, sizeof err->message, format, args);
  va_end(args);
  return code;
}

static enum http_code out_of_memory(mv_error_t *err) {
  enum http_code code = http_fail(err, HTTP_RUNTIME_ERROR, "out of memory");
  if (err) err->kind = MV_NO_MEMORY;
  return code;
}

struct dialer *dialer_new(const struct http_options *options, bool deny_private, struct http_stats *stats, uint64_t *held) {
  struct dialer *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->options = *options;
  d->deny_private = deny_private;
  d->stats = stats;
  d->held = held;
  if (options->ca_file && !(d->ca_file = strdup(options->ca_file))) {
    free(d);
    return NULL;
  }
  return d;
}

void dialer_delete(struct dialer *d) {
  if (!d) return;
  if (d->multi) curl.multi_cleanup(d->multi);
  free(d->ca_file);
  free(d);
}

/* ---- callbacks ----------------------------------------------------------------------------------------- */

/* The only place where a connection begins. */
static curl_socket_t on_socket(void *env, curlsocktype purpose, struct curl_sockaddr *address) {
  struct transfer *t = env;
  const struct sockaddr *to = &address->addr;
  bool internet = to->sa_family == AF_INET || to->sa_family == AF_INET6;
  (void)purpose;
  if (!internet || (t->dialer->deny_private && !t->exempt && address_is_private(to) && DEFENCE(DIALLED))) {
    t->refused = true;
    return CURL_SOCKET_BAD;
  }
#ifdef HTTP_TEST_DEFENCES
  if (http_test.dial) http_test.dial(&address->addr, address->addrlen);
#endif
  t->dialer->stats->connections++;
#ifdef SOCK_CLOEXEC
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
  return socket(address->family, address->socktype, address->protocol);
#endif
}

/* "HTTP/1.1 200 OK" */
static void on_status(struct transfer *t, const char *line, size_t size) {
  const char *space = memchr(line, ' ', size);
  fields_clear(&t->head);
  t->status = 0;
  for (int i = 1; space && i <= 3 && space + i < line + size && space[i] >= '0' && space[i] <= '9'; i++) t->status = t->status * 10 + (space[i] - '0');
}

/* Called for each line of each head; interim responses (1xx) come before the one that counts, trailers after it. */
static size_t on_header(char *line, size_t size, size_t count, void *env) {
  struct transfer *t = env;
  size_t n = size * count, taken = n;
  char *colon;
  t->head_size += n;
  if (t->head_done) return taken;
  while (n && (line[n - 1] == '\n' || line[n - 1] == '\r')) n--;
  if (t->head_size > HEAD_MAX) {
    t->own_why = "the head of the response is too large";
    return 0;
  }
  if (!n) {
    t->head_done = t->status >= 200;
    return taken;
  }
  colon = memchr(line, ':', n);
  if (n > 5 && !memcmp(line, "HTTP/", 5)) {
    on_status(t, line, n);
  } else if (colon && is_token(line, (size_t)(colon - line))) {
    char *value = colon + 1, *end = line + n;
    while (value < end && (*value == ' ' || *value == '\t')) value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) end--;
    if (!memchr(value, 0, (size_t)(end - value)) && fields_add(&t->head, line, (size_t)(colon - line), value, (size_t)(end - value))) return taken;
    t->own_why = "a header of the response cannot be taken";
    return 0;
  }
  return taken;
}

static bool reserve(struct transfer *t, size_t more) {
  size_t capacity = t->capacity ? t->capacity : 4096;
  char *body;
  if (t->at) {
    memmove(t->body, t->body + t->at, t->size - t->at);
    t->size -= t->at;
    t->at = 0;
  }
  while (capacity - t->size < more) capacity *= 2;
  if (capacity == t->capacity) return true;
  body = realloc(t->body, capacity);
  if (!body) return false;
  *t->dialer->held += capacity - t->capacity;
  t->body = body;
  t->capacity = capacity;
  return true;
}

static void drop_body(struct transfer *t) {
  *t->dialer->held -= t->capacity;
  free(t->body);
  t->body = NULL;
  t->at = t->size = t->capacity = 0;
}

static size_t on_data(char *bytes, size_t size, size_t count, void *env) {
  struct transfer *t = env;
  uint64_t max = t->dialer->options.max_body;
  size_t n = size * count, taken = n;
  if (t->size - t->at + n > BUFFER_MAX && t->size > t->at) {
    t->paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (max && n > max - t->received) {
    t->own_why = "the response is larger than allowed";
    n = (size_t)(max - t->received);
    taken = n + 1; /* not what was offered: an error */
  }
  if (n && !reserve(t, n)) {
    t->own_why = "out of memory";
    return 0;
  }
  if (n) memcpy(t->body + t->size, bytes, n);
  t->size += n;
  t->received += n;
  t->dialer->stats->bytes_received += n;
  return t->own_why ? 0 : taken;
}

/* ---- a transfer ---------------------------------------------------------------------------------------- */

/* libcurl wants "Name: value"; an empty value is "Name;", and "Name:" leaves out a header that it would add by itself. */
static bool add_header(struct transfer *t, const char *name, const char *value) {
  size_t name_size = strlen(name), value_size = strlen(value);
  char *line = malloc(name_size + value_size + 3);
  struct curl_slist *list;
  if (!line) return false;
  if (value[strspn(value, " \t")])
    sprintf(line, "%s: %s", name, value);
  else
    sprintf(line, "%s;", name);
  list = curl.slist_append(t->headers, line);
  free(line);
  if (list) t->headers = list;
  return list != NULL;
}

static bool set_headers(struct transfer *t, const struct dial *dial) {
  static const char *const unwanted[] = {"Expect:", "Content-Type:"};
  bool typed = false;
  for (const char *const *h = dial->headers; h && h[0]; h += 2) {
    typed = typed || !strcmp(h[0], "content-type");
    if (!add_header(t, h[0], h[1])) return false;
  }
  for (int i = 0; i < 2 - typed; i++) {
    struct curl_slist *list = curl.slist_append(t->headers, unwanted[i]);
    if (!list) return false;
    t->headers = list;
  }
  return curl.easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

/* The parts, already separated, so that no second parser has a say. */
static bool set_url(struct transfer *t, const struct dial *dial) {
  char port[8];
  const struct url *url = dial->url;
  if (!DEFENCE(PARTS) && dial->raw) return curl.easy_setopt(t->easy, CURLOPT_URL, dial->raw) == CURLE_OK;
  snprintf(port, sizeof port, "%u", (unsigned)url->port);
  t->where = curl.url();
  return t->where && curl.url_set(t->where, CURLUPART_SCHEME, url->tls ? "https" : "http", 0) == CURLUE_OK &&
         curl.url_set(t->where, CURLUPART_HOST, url->host, 0) == CURLUE_OK && curl.url_set(t->where, CURLUPART_PORT, port, 0) == CURLUE_OK &&
         curl.url_set(t->where, CURLUPART_PATH, "/", 0) == CURLUE_OK && curl.easy_setopt(t->easy, CURLOPT_CURLU, t->where) == CURLE_OK;
}

static bool by_proxy(const struct transfer *t) { return t->dialer->options.proxy && !t->direct; }

/* The request line's target is exactly ours; only a proxy must be given the whole URL, which libcurl puts together. */
static bool set_target(struct transfer *t, const struct dial *dial) {
  const char *target = dial->url->text + dial->url->origin;
  size_t path = strcspn(target, "?");
  char *copy;
  bool ok;
  if (!DEFENCE(PARTS)) return true;
  if (!by_proxy(t) && DEFENCE(PROXY)) return curl.easy_setopt(t->easy, CURLOPT_REQUEST_TARGET, target) == CURLE_OK;
  copy = strdup(target);
  if (!copy) return false;
  copy[path] = 0;
  ok = curl.url_set(t->where, CURLUPART_PATH, copy, 0) == CURLUE_OK && (!target[path] || curl.url_set(t->where, CURLUPART_QUERY, target + path + 1, 0) == CURLUE_OK);
  free(copy);
  return ok;
}

static bool set_method(struct transfer *t, const struct dial *dial) {
  CURL *e = t->easy;
  if (!strcmp(dial->method, "HEAD")) return curl.easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
  if (!dial->body_size && !strcmp(dial->method, "GET")) return curl.easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK;
  return curl.easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK && curl.easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)dial->body_size) == CURLE_OK &&
         curl.easy_setopt(e, CURLOPT_COPYPOSTFIELDS, dial->body_size ? dial->body : "") == CURLE_OK &&
         curl.easy_setopt(e, CURLOPT_CUSTOMREQUEST, dial->method) == CURLE_OK;
}

static bool set_security(struct transfer *t) {
  CURL *e = t->easy;
  const struct dialer *d = t->dialer;
#if CURL_AT_LEAST_VERSION(7, 85, 0)
  bool ok = !DEFENCE(WEB) || curl.easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
  bool ok = !DEFENCE(WEB) || curl.easy_setopt(e, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
#endif
  ok = ok && curl.easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK && curl.easy_setopt(e, CURLOPT_OPENSOCKETDATA, t) == CURLE_OK;
  ok = ok && curl.easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
  if (!by_proxy(t) && DEFENCE(PROXY)) ok = ok && curl.easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK && curl.easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK;
  ok = ok && curl.easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK;
  /* a libcurl without TLS refuses these; it then has no https either */
  curl.easy_setopt(e, CURLOPT_SSL_VERIFYPEER, DEFENCE(TLS_PEER) ? 1L : 0L);
  curl.easy_setopt(e, CURLOPT_SSL_VERIFYHOST, DEFENCE(TLS_HOST) ? 2L : 0L);
  curl.easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  return ok && (!d->ca_file || curl.easy_setopt(e, CURLOPT_CAINFO, d->ca_file) == CURLE_OK);
}

static bool set_up(struct transfer *t, const struct dial *dial) {
  CURL *e = t->easy;
  long connect = t->dialer->options.connect_timeout_ms;
  bool ok = curl.easy_setopt(e, CURLOPT_PRIVATE, t) == CURLE_OK && curl.easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
  ok = ok && curl.easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK && curl.easy_setopt(e, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
  ok = ok && curl.easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK && curl.easy_setopt(e, CURLOPT_HEADERDATA, t) == CURLE_OK;
  ok = ok && curl.easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK && curl.easy_setopt(e, CURLOPT_WRITEDATA, t) == CURLE_OK;
  ok = ok && curl.easy_setopt(e, CURLOPT_ERRORBUFFER, t->why) == CURLE_OK;
  ok = ok && curl.easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, connect ? connect : 10000L) == CURLE_OK;
#if CURL_AT_LEAST_VERSION(7, 87, 0)
  curl.easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* a time limit need not wait for a name server; an older libcurl at run time does */
#endif
  /* a connection to a name that may be private must not be found again by a request that may not go there */
  if (t->dialer->deny_private && t->exempt && dial->url->kind == URL_NAME) ok = ok && curl.easy_setopt(e, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
#ifdef HTTP_TEST_DEFENCES
  if (http_test.resolve) {
    t->resolve = curl.slist_append(NULL, http_test.resolve);
    ok = ok && t->resolve && curl.easy_setopt(e, CURLOPT_RESOLVE, t->resolve) == CURLE_OK;
  }
#endif
  return ok && set_security(t) && set_url(t, dial) && set_target(t, dial) && set_method(t, dial) && set_headers(t, dial);
}

static bool open_multi(struct dialer *d) {
  if (d->multi) return true;
  d->multi = curl.multi_init();
  return d->multi && curl.multi_setopt(d->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX) == CURLM_OK;
}

enum http_code transfer_start(struct dialer *d, const struct dial *dial, struct transfer **out, mv_error_t *err) {
  const char *why = load_once();
  struct transfer *t;
  *out = NULL;
  if (why) return http_fail(err, HTTP_RUNTIME_ERROR, "%s", why);
  t = calloc(1, sizeof *t);
  if (!t) return out_of_memory(err);
  t->dialer = d;
  t->exempt = dial->exempt;
  t->direct = dial->direct;
  if (open_multi(d)) t->easy = curl.easy_init();
  if (!t->easy || !set_up(t, dial)) {
    transfer_end(t);
    return http_fail(err, HTTP_REQUEST_ERROR, "libcurl refused the request");
  }
  if (curl.multi_add_handle(d->multi, t->easy) != CURLM_OK) {
    transfer_end(t);
    return out_of_memory(err);
  }
  t->running = true;
  d->stats->bytes_sent += dial->body_size;
  *out = t;
  return HTTP_OK;
}

/* The transfer does not run any more. Its connection is back in the pool, if it can be used again. The handle is not: one that was used keeps, before
 * libcurl 8.1.1, a pointer to the last header of its response, which is freed twice when the next response begins with the rest of a line. */
static void release(struct transfer *t) {
  if (t->running) curl.multi_remove_handle(t->dialer->multi, t->easy);
  if (t->easy) curl.easy_cleanup(t->easy);
  t->running = false;
  t->easy = NULL;
}

void transfer_end(struct transfer *t) {
  release(t);
  if (t->where) curl.url_cleanup(t->where);
  curl.slist_free_all(t->headers);
  curl.slist_free_all(t->resolve);
  drop_body(t);
  fields_fini(&t->head);
  free(t);
}

/* Moves all transfers of the dialer. */
static enum http_code perform(struct dialer *d, mv_error_t *err) {
  int n;
  CURLMcode code = curl.multi_perform(d->multi, &n);
  CURLMsg *message;
  if (code != CURLM_OK) return http_fail(err, HTTP_REQUEST_ERROR, "%s", curl.multi_strerror(code));
  while ((message = curl.multi_info_read(d->multi, &n))) {
    struct transfer *t = NULL;
    CURLcode result = message->data.result;
    if (message->msg != CURLMSG_DONE || curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK || !t) continue;
    t->result = result;
    release(t);
  }
  return HTTP_OK;
}

static enum http_code wait_more(struct transfer *t, const struct wait *wait, mv_error_t *err) {
  int64_t left = wait->until == INT64_MAX ? 1000 : wait->until - http_now();
  int slice = wait->stopped ? POLL_MS : 1000;
  CURLMcode code;
  if (wait->stopped && wait->stopped(wait->env)) return http_fail(err, HTTP_RUNTIME_ERROR, "interrupted");
  if (left <= 0) return http_fail(err, HTTP_REQUEST_ERROR, "the time limit is over");
  code = curl.multi_poll(t->dialer->multi, NULL, 0, left < slice ? (int)left : slice, NULL);
  return code == CURLM_OK ? HTTP_OK : http_fail(err, HTTP_REQUEST_ERROR, "%s", curl.multi_strerror(code));
}

/* Why a transfer that does not run any more ended; HTTP_OK: it is complete. */
static enum http_code transfer_result(const struct transfer *t, mv_error_t *err) {
  if (t->refused && !t->status)
    return http_fail(err, HTTP_NOT_ALLOWED, "the host's address is private, which --deny-private refuses");
  if (t->own_why) return http_fail(err, HTTP_REQUEST_ERROR, "%s", t->own_why);
  if (t->result != CURLE_OK) return http_fail(err, HTTP_REQUEST_ERROR, "%s", *t->why ? t->why : curl.easy_strerror(t->result));
  return HTTP_OK;
}

enum http_code transfer_head(struct transfer *t, const struct wait *wait, int *status, struct fields *headers, mv_error_t *err) {
  struct fields swap = *headers;
  enum http_code code = HTTP_OK;
  while (t->running && !t->head_done && !code) {
    code = perform(t->dialer, err);
    if (!code && t->running && !t->head_done) code = wait_more(t, wait, err);
  }
  if (code) return code;
  if (!t->head_done) {
    code = transfer_result(t, err);
    return code ? code : http_fail(err, HTTP_REQUEST_ERROR, "the server sent no response");
  }
  *headers = t->head;
  t->head = swap;
  *status = t->status;
  return HTTP_OK;
}

static enum http_code fill(struct transfer *t, const struct wait *wait, mv_error_t *err) {
  enum http_code code = HTTP_OK;
  while (t->running && t->at == t->size && !code) {
    if (t->paused) {
      t->paused = false;
      curl.easy_pause(t->easy, CURLPAUSE_CONT);
    }
    code = perform(t->dialer, err);
    if (!code && t->running && t->at == t->size && !t->paused) code = wait_more(t, wait, err);
  }
  return code;
}

enum http_code transfer_read(struct transfer *t, const struct wait *wait, void *buf, size_t cap, size_t *n, mv_error_t *err) {
  enum http_code code = fill(t, wait, err);
  size_t left = t->size - t->at;
  *n = 0;
  if (code) return code;
  if (!left) return transfer_result(t, err);
  *n = left < cap ? left : cap;
  memcpy(buf, t->body + t->at, *n);
  t->at += *n;
  if (t->at == t->size) {
    t->at = t->size = 0;
    if (!t->running) drop_body(t);
  }
  return HTTP_OK;
}
