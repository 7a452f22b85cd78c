/* server.c: see server.h. The only part that knows libmicrohttpd.
 *
 * libmicrohttpd passes any method token on (a client's "DELET" is an ordinary 404), gives the target as it came, and
 * runs handlers that block (an application that thinks for a minute) on a thread per connection without holding up others.
 * Its answers are pulled, ours are pushed, so an answer is gathered before it is sent; a large one in a temporary file. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../text.h"

enum { CONNECTIONS = 1000, IDLE_SECONDS = 300, HEADER_MEMORY = 16 << 10, STACK = 1 << 20, FIRST = 1024, GATHER = 1 << 20 };

struct server {
  struct MHD_Daemon *daemon;
  http_handler handler;
  void *env;
  size_t max_body;
  pthread_mutex_t lock;
  pthread_cond_t quiet;
  size_t busy; /* requests under way */
};

struct exchange {
  char *target; /* path and query as they came */
  bool begun, too_large, counted;
  struct buf body;
  /* the answer */
  int status;
  struct buf head, out; /* head: name 0 value 0 ... */
  FILE *file;           /* holds what came before `out`; NULL: nothing */
  uint64_t file_size;
};

static void *new_exchange(void *env, const char *target, struct MHD_Connection *connection) {
  (void)env;
  (void)connection;
  struct exchange *x = calloc(1, sizeof *x);
  if (!x) return NULL;
  const char *scheme = strstr(target, "://"), *query = strchr(target, '?');
  if (*target != '/' && scheme && (!query || scheme < query)) { /* absolute form: what follows the authority */
    target = strchr(scheme + 3, '/');
    if (!target) target = "/";
  }
  size_t n = strlen(target) + 1;
  x->target = malloc(n);
  if (!x->target) return free(x), NULL;
  memcpy(x->target, target, n);
  return x;
}

static void count(struct server *s, bool begin) {
  pthread_mutex_lock(&s->lock);
  s->busy += begin ? 1 : (size_t)-1;
  if (s->busy == 0) pthread_cond_signal(&s->quiet);
  pthread_mutex_unlock(&s->lock);
}

/* The answer has been sent, or cannot be. */
static void end_exchange(void *env, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode code) {
  struct exchange *x = *slot;
  (void)connection;
  (void)code;
  if (!x) return;
  if (x->counted) count(env, false);
  free(x->target);
  buf_fini(&x->body);
  buf_fini(&x->head);
  buf_fini(&x->out);
  if (x->file) fclose(x->file);
  free(x);
  *slot = NULL;
}

static bool on_head(void *env, int status, const char *const *headers) {
  struct exchange *x = env;
  x->status = status;
  for (; headers[0]; headers += 2) {
    buf_put(&x->head, headers[0], strlen(headers[0]) + 1);
    buf_put(&x->head, headers[1], strlen(headers[1]) + 1);
  }
  return !x->head.failed;
}

/* Moves what has been gathered to the file. */
static bool spill(struct exchange *x) {
  if (!x->file && !(x->file = tmpfile())) return false;
  if (fwrite(x->out.p, 1, x->out.n, x->file) != x->out.n) return false;
  x->file_size += x->out.n;
  buf_clear(&x->out);
  return true;
}

static bool on_data(void *env, const void *bytes, size_t n) {
  struct exchange *x = env;
  buf_put(&x->out, bytes, n);
  return !x->out.failed && (x->out.n < GATHER || spill(x));
}

struct header_list {
  struct pool pool;
  const char **p;
  size_t n;
};

static enum MHD_Result add_header(void *env, enum MHD_ValueKind kind, const char *name, const char *value) {
  struct header_list *list = env;
  (void)kind;
  for (size_t i = 0; i < 3; i++) {
    list->p = pool_grow(&list->pool, (void *)(uintptr_t)list->p, list->n + i, sizeof *list->p);
    if (!list->p) return MHD_NO;
    list->p[list->n + i] = i == 0 ? name : i == 1 ? (value ? value : "") : NULL;
  }
  list->n += 2;
  return MHD_YES;
}

static bool handle(struct server *s, struct exchange *x, struct MHD_Connection *connection, const char *method) {
  char first[FIRST];
  struct header_list headers = {.n = 0};
  struct http_sink sink = {on_head, on_data, x};
  mv_error_t err = {0};
  const char *none = NULL;
  pool_init(&headers.pool, first, sizeof first);
  MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &headers);
  struct http_request r = {.method = method,
                           .url = x->target,
                           .path = x->target,
                           .headers = headers.p ? (const char *const *)headers.p : &none,
                           .body = x->body.p,
                           .body_size = x->body.n};
  bool ok = !headers.pool.failed && s->handler(s->env, &r, &sink, &err);
  pool_fini(&headers.pool);
  return ok;
}

static void too_large(struct exchange *x) {
  const char *const headers[] = {"Content-Type", "application/json", NULL};
  const char body[] = "{\"errorCode\":\"ERR_MALFORMED_REQUEST\",\"message\":\"stream too large\"}";
  on_head(x, 400, headers);
  on_data(x, body, sizeof body - 1);
}

/* The body's memory, or a descriptor of the file, goes to libmicrohttpd. */
static struct MHD_Response *make_response(struct exchange *x) {
  if (!x->file) {
    struct buf out = x->out;
    x->out = (struct buf){0};
    return MHD_create_response_from_buffer(out.n, out.p, out.p ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
  }
  int fd = spill(x) && fflush(x->file) == 0 ? dup(fileno(x->file)) : -1;
  return fd < 0 ? NULL : MHD_create_response_from_fd64(x->file_size, fd);
}

static enum MHD_Result queue(struct exchange *x, struct MHD_Connection *connection) {
  struct MHD_Response *response = make_response(x);
  if (!response) return MHD_NO;
  struct span head = buf_view(&x->head);
  for (const char *p = head.p, *end = p + head.n; p < end;) {
    const char *value = p + strlen(p) + 1;
    MHD_add_response_header(response, p, value); /* a header that it refuses is left out */
    p = value + strlen(value) + 1;
  }
  enum MHD_Result result = MHD_queue_response(connection, (unsigned)x->status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result on_request(void *env, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **slot) {
  struct server *s = env;
  struct exchange *x = *slot;
  (void)url;
  (void)version;
  if (!x) return MHD_NO;
  if (!x->begun) return x->begun = true, MHD_YES; /* an answer queued before the body is read would close the connection */
  if (*upload_size > 0) {
    x->too_large = x->too_large || *upload_size > s->max_body - x->body.n;
    if (!x->too_large) buf_put(&x->body, upload, *upload_size);
    *upload_size = 0;
    return x->body.failed ? MHD_NO : MHD_YES;
  }
  count(s, x->counted = true);
  bool ok = true;
  if (x->too_large) too_large(x);
  else ok = handle(s, x, connection, method);
  return ok && x->status > 0 && !x->out.failed && !x->head.failed ? queue(x, connection) : MHD_NO;
}

static size_t leave_escaped(void *env, struct MHD_Connection *connection, char *text) {
  (void)env;
  (void)connection;
  return strlen(text);
}

static void no_log(void *env, const char *format, va_list args) {
  (void)env;
  (void)format;
  (void)args;
}

static bool make_address(const struct server_options *o, struct sockaddr_storage *address, mv_error_t *err) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
  memset(address, 0, sizeof *address);
  if (o->port < 0 || o->port > 65535) return report(err, MV_USAGE, "port %d is out of range", o->port);
  if (inet_pton(AF_INET, o->address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)o->port);
    return true;
  }
  if (inet_pton(AF_INET6, o->address, &v6->sin6_addr) != 1) return report(err, MV_USAGE, "\"%s\" is no numeric IP address", o->address);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons((uint16_t)o->port);
  return true;
}

struct server *server_new(const struct server_options *o, mv_error_t *err) {
  struct sockaddr_storage address;
  if (!make_address(o, &address, err)) return NULL;
  struct server *s = calloc(1, sizeof *s);
  if (!s) return report_memory(err), NULL;
  s->handler = o->handler;
  s->env = o->env;
  s->max_body = o->max_body;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->quiet, NULL);
  unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
                   (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
  errno = 0;
  s->daemon = MHD_start_daemon(flags, (uint16_t)o->port, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
                               MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_URI_LOG_CALLBACK, new_exchange, NULL,
                               MHD_OPTION_NOTIFY_COMPLETED, end_exchange, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
                               MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
                               MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
  if (s->daemon) return s;
  report(err, MV_USAGE, "cannot listen on %s port %d: %s: choose another port", o->address, o->port,
         errno ? strerror(errno) : "libmicrohttpd refused");
  server_delete(s, 0);
  return NULL;
}

void server_delete(struct server *s, int64_t seconds) {
  if (!s) return;
  if (s->daemon) {
    MHD_socket listener = MHD_quiesce_daemon(s->daemon);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)seconds;
    int late = 0;
    pthread_mutex_lock(&s->lock);
    while (s->busy > 0 && !late) late = pthread_cond_timedwait(&s->quiet, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
    MHD_stop_daemon(s->daemon);
    if (listener != MHD_INVALID_SOCKET) close(listener);
  }
  pthread_cond_destroy(&s->quiet);
  pthread_mutex_destroy(&s->lock);
  free(s);
}
