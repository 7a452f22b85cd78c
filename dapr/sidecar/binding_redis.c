/* binding_redis.c: the output binding bindings.redis: plain keys. */
#include <string.h>

#include "redis.h"
#include "sidecar.h"

static bool open_binding(struct component *c, mv_error_t *err) { return (c->self = redis_new(c, err)) != NULL; }

static void close_binding(struct component *c) { redis_delete(c->self); }

static bool invoke_binding(struct component *c, struct binding_call *call, struct buf *why) {
  const char *key = properties_get(&call->metadata, "key"), *ttl = properties_get(&call->metadata, "ttlInSeconds");
  struct redis_args a = {0};
  if (!key || !*key) return buf_printf(why, "redis binding: missing key on %s request metadata", call->operation), false;
  bool create = strcmp(call->operation, "create") == 0, get = strcmp(call->operation, "get") == 0;
  redis_arg(&a, create ? SPAN("SET") : get ? SPAN("GET") : strcmp(call->operation, "delete") == 0 ? SPAN("DEL") : SPAN("INCR"));
  redis_arg(&a, span_of(key));
  if (create) redis_arg(&a, call->data);
  if (create && ttl && *ttl) redis_arg(&a, SPAN("EX")), redis_arg(&a, span_of(ttl));
  redisReply *reply = redis_call(c->self, &a, false, why);
  if (!reply) return false;
  call->answered = get && reply->type == REDIS_REPLY_STRING;
  if (call->answered) buf_put(&call->out, reply->str, (size_t)reply->len);
  freeReplyObject(reply);
  return !call->out.failed;
}

static const struct binding_ops ops = {"create delete get increment", invoke_binding};

const struct component_type binding_redis_type = {BINDING, "bindings.redis", "\"OUTPUT_BINDING\"", &ops, open_binding, close_binding};
