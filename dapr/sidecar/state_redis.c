/* state_redis.c: the state store state.redis with Dapr's own layout: a hash per key with data, version and, once a
 * first-write has been asked for, first-write. An application under daprd and one here share their data.
 *
 * A write is one script: Redis runs it as a whole, so two sidecars cannot interleave. */
#include <string.h>

#include "redis.h"
#include "sidecar.h"

/* KEYS[1]; ARGV: expected version ("0": any, unless the key was first-written), data, "1" to mark first-write, ttl ("": leave it,
 * <= 0: none). Gives the new version, or -1 when the expected one does not match. A key of another type is replaced. */
static const char set_script[] =
    "local held = redis.call('TYPE', KEYS[1]).ok\n"
    "if held ~= 'hash' and held ~= 'none' then redis.call('DEL', KEYS[1]) end\n"
    "local now = redis.call('HMGET', KEYS[1], 'version', 'first-write')\n"
    "local free = not now[1] or now[1] == '' or now[1] == ARGV[1] or (ARGV[1] == '0' and not now[2])\n"
    "if not free then return -1 end\n"
    "redis.call('HSET', KEYS[1], 'data', ARGV[2])\n"
    "if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'first-write', '0') end\n"
    "local version = redis.call('HINCRBY', KEYS[1], 'version', 1)\n"
    "if ARGV[4] ~= '' then\n"
    "  if tonumber(ARGV[4]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[4]) else redis.call('PERSIST', KEYS[1]) end\n"
    "end\n"
    "return version";

/* KEYS[1]; ARGV[1]: expected version, "0": any. Gives how many keys were deleted, or -1. */
static const char delete_script[] =
    "local held = redis.call('TYPE', KEYS[1]).ok\n"
    "if held == 'hash' and ARGV[1] ~= '0' then\n"
    "  local version = redis.call('HGET', KEYS[1], 'version')\n"
    "  if version and version ~= '' and version ~= ARGV[1] then return -1 end\n"
    "end\n"
    "return redis.call('DEL', KEYS[1])";

struct store {
  struct redis *redis;
  struct redis_script set, delete;
  char ttl[24]; /* metadata ttlInSeconds: for writes without one */
};

static void close_store(struct component *c) {
  struct store *s = c->self;
  if (s) redis_delete(s->redis);
}

static bool open_store(struct component *c, mv_error_t *err) {
  struct store *s = pool_zero(&c->sidecar->pool, 1, sizeof *s);
  int64_t ttl = 0;
  if (!s) return report_memory(err);
  c->self = s;
  s->set.text = set_script;
  s->delete.text = delete_script;
  if (!component_int(c, "ttlInSeconds", &ttl, err)) return false;
  if (component_get(c, "ttlInSeconds")) snprintf(s->ttl, sizeof s->ttl, "%lld", (long long)ttl);
  s->redis = redis_new(c, err);
  return s->redis && redis_script_load(s->redis, &s->set, err) && redis_script_load(s->redis, &s->delete, err);
}

/* What a script needs, checked. The arguments point into `w` and `ttl`. */
static enum state_status prepare(const struct store *s, const struct state_write *w, struct redis_args *a, char ttl[24], struct buf *why) {
  enum state_status status = state_check_options(w, why);
  struct span version = SPAN("0");
  int64_t number, seconds;
  if (status != STATE_OK) return status;
  bool conditional = w->has_etag && w->etag.n > 0 && (w->remove || !span_is(w->concurrency, "last-write"));
  if (conditional && !span_int(w->etag, &number)) {
    bool unused = state_check_ttl(w->etag.p, "Atoi", &number, why) == STATE_OK;
    return (void)unused, STATE_INVALID_ETAG;
  }
  if (conditional) version = w->etag;
  redis_arg(a, w->key);
  redis_arg(a, version);
  if (w->remove) return STATE_OK;
  struct buf words = {0};
  status = state_check_ttl(w->ttl, "ParseInt", &seconds, &words);
  if (status != STATE_OK) buf_printf(why, "failed to parse ttl from metadata: %s", buf_text(&words));
  buf_fini(&words);
  if (w->ttl && *w->ttl) snprintf(ttl, 24, "%lld", (long long)seconds);
  else memcpy(ttl, s->ttl, 24);
  redis_arg(a, w->value);
  redis_arg(a, span_is(w->concurrency, "first-write") ? SPAN("1") : SPAN("0"));
  redis_arg(a, span_of(ttl));
  return status;
}

/* In daprd's words, down to the name of its script: clients have been seen to look for them. */
static void mismatch(const struct state_write *w, struct buf *why) {
  buf_str(why, w->remove ? "ERR user_script:6: failed to delete " : "ERR user_script:14: failed to set key ");
  buf_span(why, w->key);
  if (!w->remove) buf_str(why, " script: d908b9553add63a82e03589b5c6d01a7654ef0f2, on @user_script:14.");
}

static enum state_status write_one(struct component *c, const struct state_write *w, struct buf *why) {
  struct store *s = c->self;
  struct redis_args a = {0};
  char ttl[24];
  enum state_status status = prepare(s, w, &a, ttl, why);
  if (status != STATE_OK) return status;
  redisReply *reply = redis_script_call(s->redis, w->remove ? &s->delete : &s->set, &a, why);
  if (!reply) return STATE_FAILED;
  bool refused = reply->type == REDIS_REPLY_INTEGER && reply->integer < 0;
  freeReplyObject(reply);
  if (!refused) return STATE_OK;
  if (!w->has_etag && !w->remove) {
    buf_str(why, "failed to set key ");
    buf_span(why, w->key);
    buf_str(why, ": ");
  }
  mismatch(w, why);
  return w->has_etag || w->remove ? STATE_MISMATCH : STATE_FAILED;
}

/* Each for itself, as daprd does: the others are done although one fails. The first failure is told. */
static enum state_status write_many(struct component *c, const struct state_write *w, size_t n, struct buf *why) {
  enum state_status first = STATE_OK;
  for (size_t i = 0; i < n; i++) {
    struct buf words = {0};
    enum state_status status = write_one(c, &w[i], &words);
    if (first == STATE_OK && status != STATE_OK) {
      first = status;
      buf_span(why, buf_view(&words));
    }
    buf_fini(&words);
  }
  return first;
}

static bool append(redisContext *rc, const struct redis_args *a) {
  return redisAppendCommandArgv(rc, a->n, (const char **)(uintptr_t)a->v, a->len) == REDIS_OK;
}

static bool append_word(redisContext *rc, const char *word) {
  struct redis_args a = {0};
  redis_arg(&a, span_of(word));
  return append(rc, &a);
}

static bool append_script(redisContext *rc, const struct redis_script *script, const struct redis_args *args) {
  struct redis_args a = {0};
  redis_arg(&a, SPAN("EVAL"));
  redis_arg(&a, span_of(script->text));
  redis_arg(&a, SPAN("1"));
  for (int i = 0; i < args->n; i++) redis_arg(&a, (struct span){args->v[i], args->len[i]});
  return append(rc, &a);
}

/* The replies of MULTI, n queued commands and EXEC. */
static enum state_status read_transaction(redisContext *rc, const struct state_write *w, size_t n, struct buf *why) {
  enum state_status status = STATE_OK;
  for (size_t i = 0; i < n + 2; i++) {
    void *p;
    if (redisGetReply(rc, &p) != REDIS_OK) return buf_printf(why, "redis: %s", rc->errstr), STATE_FAILED;
    redisReply *reply = p;
    if (reply->type == REDIS_REPLY_ERROR && status == STATE_OK) {
      status = STATE_FAILED;
      buf_put(why, reply->str, (size_t)reply->len);
    }
    for (size_t k = 0; i == n + 1 && status == STATE_OK && k < reply->elements; k++) {
      const redisReply *e = reply->element[k];
      if (e->type == REDIS_REPLY_ERROR) buf_put(why, e->str, (size_t)e->len), status = STATE_FAILED;
      else if (e->type == REDIS_REPLY_INTEGER && e->integer < 0) mismatch(&w[k], why), status = STATE_FAILED;
    }
    freeReplyObject(reply);
  }
  return status;
}

/* MULTI ... EXEC: the others are done although one does not match, as recorded of daprd. */
static enum state_status transact(struct component *c, const struct state_write *w, size_t n, struct buf *why) {
  struct store *s = c->self;
  for (size_t i = 0; i < n; i++) {
    struct redis_args a = {0};
    char ttl[24];
    enum state_status status = prepare(s, &w[i], &a, ttl, why);
    if (status != STATE_OK) return STATE_FAILED;
  }
  redisContext *rc = redis_take(s->redis, why);
  if (!rc) return STATE_FAILED;
  bool ok = append_word(rc, "MULTI");
  for (size_t i = 0; ok && i < n; i++) {
    struct redis_args a = {0};
    char ttl[24];
    ok = prepare(s, &w[i], &a, ttl, why) == STATE_OK && append_script(rc, w[i].remove ? &s->delete : &s->set, &a);
  }
  ok = ok && append_word(rc, "EXEC");
  enum state_status status = STATE_FAILED;
  if (ok) status = read_transaction(rc, w, n, why);
  else if (why->n == 0) buf_str(why, "out of memory");
  if (!ok) rc->err = REDIS_ERR_OOM; /* half a transaction is in its output: do not use it again */
  redis_give(s->redis, rc);
  return status;
}

static void read_item(const redisReply *reply, struct state_item *out) {
  const redisReply *data = reply->element[0], *version = reply->element[1];
  if (data->type != REDIS_REPLY_STRING) return;
  out->found = true;
  buf_put(&out->value, data->str, (size_t)data->len);
  out->has_etag = version->type == REDIS_REPLY_STRING;
  if (out->has_etag) buf_put(&out->etag, version->str, (size_t)version->len);
}

/* A plain string that another client has written is its own value, without an ETag. */
static enum state_status get_plain(struct store *s, struct span key, struct state_item *out, struct buf *why) {
  struct redis_args a = {0};
  redis_arg(&a, SPAN("GET"));
  redis_arg(&a, key);
  redisReply *reply = redis_call(s->redis, &a, false, why);
  if (!reply) return STATE_FAILED;
  out->found = reply->type == REDIS_REPLY_STRING;
  if (out->found) buf_put(&out->value, reply->str, (size_t)reply->len);
  freeReplyObject(reply);
  return STATE_OK;
}

static enum state_status get(struct component *c, struct span key, struct state_item *out, struct buf *why) {
  struct store *s = c->self;
  struct redis_args a = {0};
  redis_arg(&a, SPAN("HMGET"));
  redis_arg(&a, key);
  redis_arg(&a, SPAN("data"));
  redis_arg(&a, SPAN("version"));
  redisReply *reply = redis_call(s->redis, &a, true, why);
  if (!reply) return STATE_FAILED;
  bool plain = redis_is_error(reply, "WRONGTYPE"), ok = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2;
  if (ok) read_item(reply, out);
  else if (!plain) buf_put(why, reply->str, reply->str ? (size_t)reply->len : 0);
  freeReplyObject(reply);
  if (plain) return get_plain(s, key, out, why);
  return ok ? STATE_OK : STATE_FAILED;
}

static const struct state_ops ops = {0, get, write_one, write_many, transact};

const struct component_type state_redis_type = {STATE, "state.redis", "\"ETAG\",\"TRANSACTIONAL\",\"TTL\",\"KEYS_LIKE\",\"ACTOR\"",
                                                &ops,  open_store,    close_store};
