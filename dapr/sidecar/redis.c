/* redis.c: see redis.h. */
#include "redis.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "sidecar.h"

enum { REDIS_IDLE = 16 };

struct redis {
  char host[256];
  int port;
  const char *username, *password;
  int64_t db, dial_ms, read_ms;
  pthread_mutex_t lock;
  redisContext *idle[REDIS_IDLE];
  size_t count;
};

static struct timeval timeval_of(int64_t ms) {
  return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static bool read_metadata(const struct component *c, struct redis *r, mv_error_t *err) {
  const char *host = component_get(c, "redisHost");
  struct span rest = span_of(host), name;
  int64_t port = 6379;
  if (!host) return component_fail(c, err, "metadata redisHost is missing: write host:port");
  if (text_true(component_get(c, "enableTLS"))) return component_fail(c, err, "metadata enableTLS: TLS to Redis is not built in");
  if (text_true(component_get(c, "failover"))) return component_fail(c, err, "metadata failover: Redis Sentinel is not built in");
  const char *type = component_get(c, "redisType");
  if (type && strcmp(type, "node") != 0) return component_fail(c, err, "metadata redisType: only node is built in, not %s", type);
  name = span_cut(&rest, ':');
  if (rest.n && (!span_int(rest, &port) || port < 1 || port > 65535))
    return component_fail(c, err, "metadata redisHost: \"%s\" is not host:port", host);
  if (name.n >= sizeof r->host) return component_fail(c, err, "metadata redisHost is too long");
  memcpy(r->host, name.p, name.n);
  r->port = (int)port;
  r->username = component_get(c, "redisUsername");
  r->password = component_get(c, "redisPassword");
  r->dial_ms = 5000;
  r->read_ms = 3000;
  return component_int(c, "redisDB", &r->db, err) && component_duration(c, "dialTimeout", 1000, &r->dial_ms, err) &&
         component_duration(c, "readTimeout", 1000, &r->read_ms, err);
}

struct redis *redis_new(const struct component *c, mv_error_t *err) {
  struct redis *r = calloc(1, sizeof *r);
  struct buf why = {0};
  if (!r) return report_memory(err), NULL;
  pthread_mutex_init(&r->lock, NULL);
  bool ok = read_metadata(c, r, err);
  redisContext *rc = ok ? redis_take(r, &why) : NULL;
  if (ok && !rc) ok = component_fail(c, err, "error connecting to redis at %s:%d: %s", r->host, r->port, buf_text(&why));
  if (rc) redis_give(r, rc);
  buf_fini(&why);
  if (!ok) redis_delete(r), r = NULL;
  return r;
}

void redis_delete(struct redis *r) {
  if (!r) return;
  for (size_t i = 0; i < r->count; i++) redisFree(r->idle[i]);
  pthread_mutex_destroy(&r->lock);
  free(r);
}

void redis_arg(struct redis_args *a, struct span s) {
  if (a->n == sizeof a->v / sizeof *a->v) return;
  a->v[a->n] = s.p;
  a->len[a->n++] = s.n;
}

redisReply *redis_run(redisContext *rc, const struct redis_args *a, bool errors, struct buf *why) {
  redisReply *reply = redisCommandArgv(rc, a->n, (const char **)(uintptr_t)a->v, a->len);
  if (!reply) {
    bool late = rc->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
    buf_printf(why, "redis: %s", late ? "i/o timeout" : rc->errstr[0] ? rc->errstr : "connection lost");
  } else if (reply->type == REDIS_REPLY_ERROR && !errors) {
    buf_put(why, reply->str, (size_t)reply->len);
    freeReplyObject(reply);
    reply = NULL;
  }
  return reply;
}

static bool greet(redisContext *rc, const struct redis_args *a, struct buf *why) {
  redisReply *reply = redis_run(rc, a, false, why);
  if (reply) freeReplyObject(reply);
  return reply != NULL;
}

static bool log_in(const struct redis *r, redisContext *rc, struct buf *why) {
  struct redis_args auth = {0}, select = {0};
  char db[24];
  redis_arg(&auth, SPAN("AUTH"));
  if (r->username) redis_arg(&auth, span_of(r->username));
  redis_arg(&auth, span_of(r->password));
  snprintf(db, sizeof db, "%lld", (long long)r->db);
  redis_arg(&select, SPAN("SELECT"));
  redis_arg(&select, span_of(db));
  return (!r->password || greet(rc, &auth, why)) && (!r->db || greet(rc, &select, why));
}

redisContext *redis_connect(struct redis *r, int64_t ms, struct buf *why) {
  redisContext *rc = redisConnectWithTimeout(r->host, r->port, timeval_of(r->dial_ms));
  if (!rc || rc->err) {
    buf_printf(why, "redis: dial %s:%d: %s", r->host, r->port, rc ? rc->errstr : "out of memory");
    if (rc) redisFree(rc);
    return NULL;
  }
  redisSetTimeout(rc, timeval_of(r->read_ms + ms));
  redisEnableKeepAlive(rc);
  if (log_in(r, rc, why)) return rc;
  redisFree(rc);
  return NULL;
}

/* An idle connection on which something has arrived has been closed by the other end. */
static bool is_stale(const redisContext *rc) {
  struct pollfd p = {.fd = rc->fd, .events = POLLIN};
  return poll(&p, 1, 0) != 0;
}

redisContext *redis_take(struct redis *r, struct buf *why) {
  for (;;) {
    redisContext *rc = NULL;
    pthread_mutex_lock(&r->lock);
    if (r->count > 0) rc = r->idle[--r->count];
    pthread_mutex_unlock(&r->lock);
    if (!rc) return redis_connect(r, 0, why);
    if (!is_stale(rc)) return rc;
    redisFree(rc);
  }
}

void redis_give(struct redis *r, redisContext *rc) {
  pthread_mutex_lock(&r->lock);
  bool keep = !rc->err && r->count < REDIS_IDLE;
  if (keep) r->idle[r->count++] = rc;
  pthread_mutex_unlock(&r->lock);
  if (!keep) redisFree(rc);
}

redisReply *redis_call(struct redis *r, const struct redis_args *a, bool errors, struct buf *why) {
  redisContext *rc = redis_take(r, why);
  if (!rc) return NULL;
  redisReply *reply = redis_run(rc, a, errors, why);
  redis_give(r, rc);
  return reply;
}

bool redis_is_error(const redisReply *reply, const char *prefix) {
  return reply && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, prefix, strlen(prefix)) == 0;
}

/* ---- scripts ---- */

bool redis_script_load(struct redis *r, struct redis_script *script, mv_error_t *err) {
  struct redis_args a = {0};
  struct buf why = {0};
  redis_arg(&a, SPAN("SCRIPT"));
  redis_arg(&a, SPAN("LOAD"));
  redis_arg(&a, span_of(script->text));
  redisReply *reply = redis_call(r, &a, false, &why);
  bool ok = reply && reply->type == REDIS_REPLY_STRING && (size_t)reply->len == sizeof script->sha - 1;
  if (ok) memcpy(script->sha, reply->str, sizeof script->sha);
  else report(err, MV_USAGE, "cannot load a script into Redis: %s", buf_text(&why));
  if (reply) freeReplyObject(reply);
  buf_fini(&why);
  return ok;
}

redisReply *redis_script_call(struct redis *r, const struct redis_script *script, const struct redis_args *args, struct buf *why) {
  struct redis_args a = {0};
  redis_arg(&a, SPAN("EVALSHA"));
  redis_arg(&a, span_of(script->sha));
  redis_arg(&a, SPAN("1"));
  for (int i = 0; i < args->n; i++) redis_arg(&a, (struct span){args->v[i], args->len[i]});
  redisReply *reply = redis_call(r, &a, true, why);
  if (redis_is_error(reply, "NOSCRIPT")) {
    freeReplyObject(reply);
    a.v[0] = "EVAL", a.len[0] = 4;
    a.v[1] = script->text, a.len[1] = strlen(script->text);
    reply = redis_call(r, &a, true, why);
  }
  if (!redis_is_error(reply, "")) return reply;
  buf_put(why, reply->str, (size_t)reply->len);
  freeReplyObject(reply);
  return NULL;
}
