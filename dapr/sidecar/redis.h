/* redis.h: connections to Redis for the components that use it. Only redis*.c and *_redis.c know hiredis. */
#ifndef SIDECAR_REDIS_H
#define SIDECAR_REDIS_H

#include <hiredis/hiredis.h>

#include "component.h"

struct redis;
/* Reads redisHost, redisUsername, redisPassword, redisDB, dialTimeout and readTimeout of the component, and connects once. NULL: *err
 * says why. */
struct redis *redis_new(const struct component *, mv_error_t *err);
void redis_delete(struct redis *);

/* A connection for one thread; NULL: *why has the reason. Given back with redis_give, which closes broken ones. */
redisContext *redis_take(struct redis *, struct buf *why);
void redis_give(struct redis *, redisContext *);
/* For blocking commands: a connection of its own whose read waits up to ms longer; closed with redisFree. */
redisContext *redis_connect(struct redis *, int64_t ms, struct buf *why);

/* One command; NULL: *why has the reason (the connection's or Redis' own error). An error reply is returned when `errors` is
 * set. Commands are not repeated: a write may have been done although its reply was lost. */
struct redis_args {
  const char *v[16];
  size_t len[16];
  int n;
};
void redis_arg(struct redis_args *, struct span);
redisReply *redis_call(struct redis *, const struct redis_args *, bool errors, struct buf *why);
/* The same on a connection in hand. */
redisReply *redis_run(redisContext *, const struct redis_args *, bool errors, struct buf *why);
bool redis_is_error(const redisReply *, const char *prefix);

/* A Lua script, run by its hash. */
struct redis_script {
  const char *text;
  char sha[41];
};
bool redis_script_load(struct redis *, struct redis_script *, mv_error_t *err);
/* args: key and values, as after EVALSHA sha 1. Loads the script again where Redis has lost it. */
redisReply *redis_script_call(struct redis *, const struct redis_script *, const struct redis_args *, struct buf *why);

#endif
