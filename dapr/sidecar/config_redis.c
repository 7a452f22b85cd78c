/* config_redis.c: the configuration store configuration.redis: string keys "value||version", watched by keyspace notifications. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "redis.h"
#include "sidecar.h"

#define SCOPE "dapr.contrib"

enum { POLL_MS = 500 };

struct watch {
  struct watch *next;
  struct store *store;
  struct component *component;
  char id[64];
  char **keys; /* NULL at the end; none: all */
  size_t key_count;
  void (*update)(struct component *, const char *, const struct config_item *);
  pthread_t thread;
  bool stopping;
};

struct store {
  struct redis *redis;
  int64_t db;
  pthread_mutex_t lock;
  struct watch *watches;
};

static bool open_store(struct component *c, mv_error_t *err) {
  struct store *s = calloc(1, sizeof *s);
  if (!s) return report_memory(err);
  c->self = s;
  pthread_mutex_init(&s->lock, NULL);
  if (!component_int(c, "redisDB", &s->db, err)) return false;
  s->redis = redis_new(c, err);
  return s->redis != NULL;
}

static void delete_watch(struct watch *w) {
  for (size_t i = 0; i < w->key_count; i++) free(w->keys[i]);
  free(w->keys);
  free(w);
}

static void stop_watch(struct store *s, struct watch *w) {
  pthread_mutex_lock(&s->lock);
  w->stopping = true;
  pthread_mutex_unlock(&s->lock);
  pthread_join(w->thread, NULL);
  delete_watch(w);
}

static void close_store(struct component *c) {
  struct store *s = c->self;
  if (!s) return;
  for (struct watch *w = s->watches, *next; w; w = next) {
    next = w->next;
    stop_watch(s, w);
  }
  redis_delete(s->redis);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

/* Splits "value||version". An item without a value, or of another type, is left out (NULL in item->key). */
static bool get_item(struct store *s, struct pool *pool, const char *key, struct config_item *item, struct buf *why) {
  struct redis_args a = {0};
  *item = (struct config_item){0};
  redis_arg(&a, SPAN("GET"));
  redis_arg(&a, span_of(key));
  redisReply *reply = redis_call(s->redis, &a, true, why);
  if (!reply) return false;
  bool wrong = reply->type == REDIS_REPLY_ERROR && !redis_is_error(reply, "WRONGTYPE");
  if (wrong) buf_printf(why, "fail to get configuration for redis key=%s, error is %s", key, reply->str);
  if (reply->type == REDIS_REPLY_STRING) {
    char *value = pool_copy(pool, (struct span){reply->str, (size_t)reply->len}), *bars = value ? strstr(value, "||") : NULL;
    if (bars) *bars = 0;
    if (value && *value) *item = (struct config_item){pool_str(pool, key), value, bars ? bars + 2 : ""};
    if (!value || (item->value && !item->key)) wrong = true, buf_str(why, "out of memory");
  }
  freeReplyObject(reply);
  return !wrong;
}

static bool all_keys(struct store *s, struct pool *pool, const char *const **keys, struct buf *why) {
  struct redis_args a = {0};
  redis_arg(&a, SPAN("KEYS"));
  redis_arg(&a, SPAN("*"));
  redisReply *reply = redis_call(s->redis, &a, false, why);
  if (!reply) return false;
  size_t n = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
  const char **list = pool_zero(pool, n + 1, sizeof *list);
  bool ok = list != NULL;
  for (size_t i = 0; ok && i < n; i++) ok = (list[i] = pool_str(pool, reply->element[i]->str)) != NULL;
  freeReplyObject(reply);
  *keys = list;
  if (!ok) buf_str(why, "out of memory");
  return ok;
}

static bool get(struct component *c, struct pool *pool, const char *const *keys, struct config_item **items, size_t *n, struct buf *why) {
  struct store *s = c->self;
  *items = NULL;
  *n = 0;
  if (!keys[0] && !all_keys(s, pool, &keys, why)) return false;
  for (; *keys; keys++) {
    *items = pool_grow(pool, *items, *n, sizeof **items);
    if (!*items) return buf_str(why, "out of memory"), false;
    if (!get_item(s, pool, *keys, &(*items)[*n], why)) return false;
    if ((*items)[*n].key) ++*n;
  }
  return true;
}

/* ---- watching ---- */

static bool watch_stopping(struct watch *w) {
  pthread_mutex_lock(&w->store->lock);
  bool stopping = w->stopping;
  pthread_mutex_unlock(&w->store->lock);
  return stopping;
}

static void changed(struct watch *w, const char *key, const char *event) {
  struct pool pool;
  struct buf why = {0};
  struct config_item item = {0};
  pool_init(&pool, NULL, 0);
  bool gone = strcmp(event, "del") == 0 || strcmp(event, "expired") == 0;
  if (gone) item.key = key;
  else if (!get_item(w->store, &pool, key, &item, &why))
    log_write(&w->component->sidecar->log, DAPR_LOG_ERROR, SCOPE, "get response from redis failed: %s", buf_text(&why));
  if (item.key) w->update(w->component, w->id, &item);
  buf_fini(&why);
  pool_fini(&pool);
}

static bool run_word(redisContext *rc, const char *a, const char *b, const char *c, const char *d, struct buf *why) {
  struct redis_args args = {0};
  const char *const words[] = {a, b, c, d};
  for (size_t i = 0; i < 4 && words[i]; i++) redis_arg(&args, span_of(words[i]));
  redisReply *reply = redis_run(rc, &args, false, why);
  if (reply) freeReplyObject(reply);
  return reply != NULL;
}

/* Redis tells of "K" keyspace events of all kinds, "A". Where it does not allow CONFIG, its administrator has to switch them on. */
static redisContext *begin_watch(struct watch *w, struct buf *why) {
  char channel[600];
  struct buf ignored = {0};
  redisContext *rc = redis_connect(w->store->redis, 0, why);
  if (!rc) return NULL;
  run_word(rc, "CONFIG", "SET", "notify-keyspace-events", "KA", &ignored);
  buf_fini(&ignored);
  bool ok = true;
  snprintf(channel, sizeof channel, "__keyspace@%lld__:*", (long long)w->store->db);
  if (w->key_count == 0) ok = run_word(rc, "PSUBSCRIBE", channel, NULL, NULL, why);
  for (size_t i = 0; ok && i < w->key_count; i++) {
    snprintf(channel, sizeof channel, "__keyspace@%lld__:%.500s", (long long)w->store->db, w->keys[i]);
    ok = run_word(rc, "SUBSCRIBE", channel, NULL, NULL, why);
  }
  if (ok) return rc;
  redisFree(rc);
  return NULL;
}

/* ["message", channel, event] or ["pmessage", pattern, channel, event] */
static void read_event(struct watch *w, const redisReply *reply) {
  if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3) return;
  const redisReply *event = reply->element[reply->elements - 1], *channel = reply->element[reply->elements - 2];
  const char *colon = channel->type == REDIS_REPLY_STRING ? strchr(channel->str, ':') : NULL;
  if (colon && event->type == REDIS_REPLY_STRING) changed(w, colon + 1, event->str);
}

/* Handles what has arrived within POLL_MS. false: the connection is lost. */
static bool watch_a_while(struct watch *w, redisContext *rc) {
  struct pollfd fd = {.fd = rc->fd, .events = POLLIN};
  void *reply = NULL;
  if (poll(&fd, 1, POLL_MS) > 0 && redisBufferRead(rc) != REDIS_OK) return false;
  while (redisGetReplyFromReader(rc, &reply) == REDIS_OK && reply) {
    read_event(w, reply);
    freeReplyObject(reply);
  }
  return rc->err == 0;
}

static void *watching(void *env) {
  struct watch *w = env;
  struct sidecar *sc = w->component->sidecar;
  bool down = false;
  while (!watch_stopping(w)) {
    struct buf why = {0};
    redisContext *rc = begin_watch(w, &why);
    if (!rc && !down) log_write(&sc->log, DAPR_LOG_ERROR, SCOPE, "configuration %s: %s; trying again", w->component->name, buf_text(&why));
    down = !rc;
    buf_fini(&why);
    while (rc && !watch_stopping(w) && watch_a_while(w, rc)) continue;
    if (rc) redisFree(rc);
    else sidecar_sleep(sc, POLL_MS);
  }
  return NULL;
}

static bool subscribe(struct component *c, const char *const *keys, const char *id,
                      void (*update)(struct component *, const char *, const struct config_item *), struct buf *why) {
  struct store *s = c->self;
  struct watch *w = calloc(1, sizeof *w);
  size_t n = 0;
  while (keys[n]) n++;
  if (w) w->keys = calloc(n + 1, sizeof *w->keys);
  bool ok = w && w->keys;
  for (; ok && w->key_count < n; w->key_count++) ok = (w->keys[w->key_count] = strdup(keys[w->key_count])) != NULL;
  if (ok) {
    w->store = s;
    w->component = c;
    w->update = update;
    snprintf(w->id, sizeof w->id, "%s", id);
    pthread_mutex_lock(&s->lock);
    ok = pthread_create(&w->thread, NULL, watching, w) == 0;
    if (ok) w->next = s->watches, s->watches = w;
    pthread_mutex_unlock(&s->lock);
  }
  if (!ok) buf_str(why, "out of memory");
  if (!ok && w) delete_watch(w);
  return ok;
}

static bool unsubscribe(struct component *c, const char *id, struct buf *why) {
  struct store *s = c->self;
  pthread_mutex_lock(&s->lock);
  struct watch **link = &s->watches;
  while (*link && strcmp((*link)->id, id) != 0) link = &(*link)->next;
  struct watch *w = *link;
  if (w) *link = w->next;
  pthread_mutex_unlock(&s->lock);
  if (!w) return buf_printf(why, "subscription with id %s does not exist", id), false;
  stop_watch(s, w);
  return true;
}

static const struct config_ops ops = {get, subscribe, unsubscribe};

const struct component_type config_redis_type = {CONFIGURATION, "configuration.redis", "", &ops, open_store, close_store};
