/* lock_redis.c: the lock store lock.redis: a key that exists while the lock is held. */
#include <string.h>

#include "redis.h"
#include "sidecar.h"

/* KEYS[1]; ARGV[1]: owner. 0: released, 1: there is no lock, 2: it belongs to another. */
static const char release_script[] =
    "local owner = redis.call('GET', KEYS[1])\n"
    "if not owner then return 1 end\n"
    "if owner ~= ARGV[1] then return 2 end\n"
    "redis.call('DEL', KEYS[1])\n"
    "return 0";

struct store {
  struct redis *redis;
  struct redis_script release;
};

static bool open_store(struct component *c, mv_error_t *err) {
  struct store *s = pool_zero(&c->sidecar->pool, 1, sizeof *s);
  if (!s) return report_memory(err);
  c->self = s;
  s->release.text = release_script;
  s->redis = redis_new(c, err);
  return s->redis && redis_script_load(s->redis, &s->release, err);
}

static void close_store(struct component *c) {
  struct store *s = c->self;
  if (s) redis_delete(s->redis);
}

static bool acquire(struct component *c, struct span key, struct span owner, int64_t seconds, bool *got, struct buf *why) {
  struct store *s = c->self;
  struct redis_args a = {0};
  char expiry[24];
  snprintf(expiry, sizeof expiry, "%lld", (long long)seconds);
  redis_arg(&a, SPAN("SET"));
  redis_arg(&a, key);
  redis_arg(&a, owner);
  redis_arg(&a, SPAN("NX"));
  redis_arg(&a, SPAN("EX"));
  redis_arg(&a, span_of(expiry));
  redisReply *reply = redis_call(s->redis, &a, false, why);
  if (!reply) return false;
  *got = reply->type == REDIS_REPLY_STATUS;
  freeReplyObject(reply);
  return true;
}

static enum unlock_status release(struct component *c, struct span key, struct span owner, struct buf *why) {
  struct store *s = c->self;
  struct redis_args a = {0};
  redis_arg(&a, key);
  redis_arg(&a, owner);
  redisReply *reply = redis_script_call(s->redis, &s->release, &a, why);
  enum unlock_status status = UNLOCK_FAILED;
  if (reply && reply->type == REDIS_REPLY_INTEGER)
    status = reply->integer == 0 ? UNLOCK_OK : reply->integer == 1 ? UNLOCK_NO_LOCK : UNLOCK_OTHERS;
  if (reply) freeReplyObject(reply);
  return status;
}

static const struct lock_ops ops = {acquire, release};

const struct component_type lock_redis_type = {LOCK, "lock.redis", "", &ops, open_store, close_store};
