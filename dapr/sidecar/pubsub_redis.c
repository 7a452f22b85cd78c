/* pubsub_redis.c: pubsub.redis: streams and consumer groups, as Dapr lays them out (entries have `data` and `metadata`).
 *
 * One thread reads all topics of the component; deliveries run on workers, as many at once as `concurrency` says. What has been handled is
 * acknowledged. What has not (no application was reached, or this process died) stays in the group's pending list and is
 * claimed every redeliverInterval once it has been idle for processingTimeout. Messages in hand here are never claimed. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "redis.h"
#include "sidecar.h"

#define SCOPE "dapr.contrib"

enum { READ_BLOCK_MS = 500, RECONNECT_MS = 500, UNWELL_MS = 100 };

struct streams {
  struct component *component;
  struct redis *redis;
  const char *group;
  int64_t processing_ms, redeliver_ms, depth, concurrency, max_length;
  struct workers *workers;
  pthread_mutex_t lock;
  pthread_cond_t freed;
  struct subscriber *topics;
  size_t topic_count;
  struct task *in_hand;
  int64_t in_hand_count;
  pthread_t reader;
  bool reading, stopping;
};

struct task {
  struct streams *streams;
  const struct subscriber *to;
  struct message message;
  struct pool pool;
  const char *id;
  struct task *next, **link; /* among those in hand */
};

static bool open_streams(struct component *c, mv_error_t *err) {
  struct streams *s = calloc(1, sizeof *s);
  if (!s) return report_memory(err);
  c->self = s;
  s->component = c;
  s->processing_ms = 60000, s->redeliver_ms = 15000, s->depth = 100, s->concurrency = 10;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->freed, NULL);
  s->group = component_get(c, "consumerID");
  if (!s->group) s->group = c->sidecar->app_id;
  if (!component_duration(c, "processingTimeout", 1, &s->processing_ms, err) ||
      !component_duration(c, "redeliverInterval", 1, &s->redeliver_ms, err) || !component_int(c, "queueDepth", &s->depth, err) ||
      !component_int(c, "concurrency", &s->concurrency, err) || !component_int(c, "maxLenApprox", &s->max_length, err))
    return false;
  if (s->depth < 1 || s->depth > 100000 || s->concurrency < 1 || s->concurrency > 1000)
    return component_fail(c, err, "metadata queueDepth or concurrency is out of range");
  s->workers = workers_new((unsigned)s->concurrency, (size_t)s->depth);
  if (!s->workers) return report_memory(err);
  s->redis = redis_new(c, err);
  return s->redis != NULL;
}

static void stop(struct component *c) {
  struct streams *s = c->self;
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  pthread_cond_broadcast(&s->freed);
  pthread_mutex_unlock(&s->lock);
  if (s->reading) pthread_join(s->reader, NULL);
  s->reading = false;
  workers_delete(s->workers);
  s->workers = NULL;
}

static void close_streams(struct component *c) {
  struct streams *s = c->self;
  if (!s) return;
  stop(c);
  redis_delete(s->redis);
  pthread_cond_destroy(&s->freed);
  pthread_mutex_destroy(&s->lock);
  free(s->topics);
  free(s);
}

/* ---- publish ---- */

static void print_metadata(struct buf *b, const struct properties *list) {
  buf_char(b, '{');
  for (size_t i = 0; i < list->n; i++) {
    if (i) buf_char(b, ',');
    json_quote(b, span_of(list->p[i].name), JSON_HTML);
    buf_char(b, ':');
    json_quote(b, span_of(list->p[i].value), JSON_HTML);
  }
  buf_char(b, '}');
}

static bool publish(struct component *c, const struct message *m, struct buf *why) {
  struct streams *s = c->self;
  struct redis_args a = {0};
  struct buf metadata = {0};
  char length[24];
  redis_arg(&a, SPAN("XADD"));
  redis_arg(&a, span_of(m->topic));
  if (s->max_length > 0) {
    snprintf(length, sizeof length, "%lld", (long long)s->max_length);
    redis_arg(&a, SPAN("MAXLEN"));
    redis_arg(&a, SPAN("~"));
    redis_arg(&a, span_of(length));
  }
  redis_arg(&a, SPAN("*"));
  redis_arg(&a, SPAN("data"));
  redis_arg(&a, m->data);
  print_metadata(&metadata, &m->metadata);
  redis_arg(&a, SPAN("metadata"));
  redis_arg(&a, buf_view(&metadata));
  redisReply *reply = metadata.failed ? NULL : redis_call(s->redis, &a, false, why);
  buf_fini(&metadata);
  if (!reply) return false;
  freeReplyObject(reply);
  return true;
}

/* ---- deliver ---- */

static bool subscribe(struct component *c, const struct subscriber *to, mv_error_t *err) {
  struct streams *s = c->self;
  struct subscriber *list = realloc(s->topics, (s->topic_count + 1) * sizeof *list);
  if (!list) return report_memory(err);
  s->topics = list;
  list[s->topic_count++] = *to;
  return true;
}

static void acknowledge(struct streams *s, const char *topic, const char *id) {
  struct redis_args a = {0};
  struct buf why = {0};
  redis_arg(&a, SPAN("XACK"));
  redis_arg(&a, span_of(topic));
  redis_arg(&a, span_of(s->group));
  redis_arg(&a, span_of(id));
  redisReply *reply = redis_call(s->redis, &a, false, &why);
  if (reply) freeReplyObject(reply);
  else log_write(&s->component->sidecar->log, DAPR_LOG_ERROR, SCOPE, "Error acknowledging Redis message %s: %s", id, buf_text(&why));
  buf_fini(&why);
}

static void release(struct task *t) {
  pool_fini(&t->pool);
  free(t);
}

/* While the application is not well it is as if it had not subscribed: nothing is read, and what has been read waits. false: stopping. */
static bool wait_until_well(struct streams *s) {
  struct sidecar *sc = s->component->sidecar;
  while (!app_is_well(sc))
    if (!sidecar_sleep(sc, UNWELL_MS)) return false;
  return true;
}

static void run(void *env) {
  struct task *t = env;
  struct streams *s = t->streams;
  wait_until_well(s);
  pthread_mutex_lock(&s->lock);
  bool stopping = s->stopping;
  pthread_mutex_unlock(&s->lock);
  if (!stopping && t->to->deliver(t->to->env, &t->message)) acknowledge(s, t->message.topic, t->id);
  pthread_mutex_lock(&s->lock);
  *t->link = t->next;
  if (t->next) t->next->link = t->link;
  s->in_hand_count--;
  pthread_cond_signal(&s->freed);
  pthread_mutex_unlock(&s->lock);
  release(t);
}

static bool is_in_hand(struct streams *s, const char *topic, const char *id) {
  pthread_mutex_lock(&s->lock);
  const struct task *t = s->in_hand;
  while (t && (strcmp(t->id, id) != 0 || strcmp(t->message.topic, topic) != 0)) t = t->next;
  pthread_mutex_unlock(&s->lock);
  return t != NULL;
}

static void read_metadata(struct task *t, struct span text) {
  struct json body, name, value;
  struct buf unused = {0};
  if (json_check_all(text, &body, &unused))
    for (struct json_walk w = {0}; json_next(body, &w, &name, &value) && name.n;)
      if (!properties_set(&t->pool, &t->message.metadata, json_text(&t->pool, name).p, json_text(&t->pool, value).p)) break;
  buf_fini(&unused);
}

/* entry: [id, [name, value, ...]] */
static struct task *make_task(struct streams *s, const struct subscriber *to, const redisReply *entry) {
  if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 || entry->element[0]->type != REDIS_REPLY_STRING) return NULL;
  struct task *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  pool_init(&t->pool, NULL, 0);
  t->streams = s;
  t->to = to;
  t->id = pool_str(&t->pool, entry->element[0]->str);
  t->message.topic = to->topic;
  const redisReply *fields = entry->element[1];
  for (size_t i = 0; fields->type == REDIS_REPLY_ARRAY && i + 1 < fields->elements; i += 2) {
    struct span name = {fields->element[i]->str, (size_t)fields->element[i]->len},
                value = {fields->element[i + 1]->str, (size_t)fields->element[i + 1]->len};
    if (span_is(name, "data")) t->message.data = (struct span){pool_copy(&t->pool, value), value.n};
    else if (span_is(name, "metadata")) read_metadata(t, value);
  }
  if (!t->message.data.p) t->message.data = SPAN("");
  if (!t->pool.failed) return t;
  release(t);
  return NULL;
}

/* Hands entries of one stream to the workers; what finds no room stays pending in Redis. */
static void hand_out(struct streams *s, const struct subscriber *to, const redisReply *entries) {
  for (size_t i = 0; entries->type == REDIS_REPLY_ARRAY && i < entries->elements; i++) {
    struct task *t = make_task(s, to, entries->element[i]);
    if (!t) continue;
    pthread_mutex_lock(&s->lock);
    t->next = s->in_hand;
    t->link = &s->in_hand;
    if (t->next) t->next->link = &t->next;
    s->in_hand = t;
    s->in_hand_count++;
    bool ok = workers_add(s->workers, run, t);
    if (!ok) {
      s->in_hand = t->next;
      if (t->next) t->next->link = &s->in_hand;
      s->in_hand_count--;
    }
    pthread_mutex_unlock(&s->lock);
    if (!ok) release(t);
  }
}

static const struct subscriber *find_topic(const struct streams *s, const redisReply *name) {
  for (size_t i = 0; i < s->topic_count; i++)
    if (name->type == REDIS_REPLY_STRING && strcmp(s->topics[i].topic, name->str) == 0) return &s->topics[i];
  return NULL;
}

static bool make_groups(struct streams *s, redisContext *rc, struct buf *why) {
  for (size_t i = 0; i < s->topic_count; i++) {
    struct redis_args a = {0};
    const char *const words[] = {"XGROUP", "CREATE", s->topics[i].topic, s->group, "0", "MKSTREAM"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) redis_arg(&a, span_of(words[k]));
    redisReply *reply = redis_run(rc, &a, true, why);
    bool ok = reply && (reply->type != REDIS_REPLY_ERROR || redis_is_error(reply, "BUSYGROUP"));
    if (reply && !ok) buf_put(why, reply->str, (size_t)reply->len);
    if (reply) freeReplyObject(reply);
    if (!ok) return false;
  }
  return true;
}

/* XREADGROUP GROUP g g COUNT n BLOCK ms STREAMS a b > > ; any number of topics, so the arguments are a list of their own. */
static redisReply *read_group(struct streams *s, redisContext *rc, int64_t count, struct buf *why) {
  char n[24], ms[24];
  struct pool pool;
  char local[2048];
  pool_init(&pool, local, sizeof local);
  snprintf(n, sizeof n, "%lld", (long long)count);
  snprintf(ms, sizeof ms, "%d", READ_BLOCK_MS);
  const char *const head[] = {"XREADGROUP", "GROUP", s->group, s->group, "COUNT", n, "BLOCK", ms, "STREAMS"};
  size_t fixed = sizeof head / sizeof *head, total = fixed + 2 * s->topic_count;
  const char **argv = pool_zero(&pool, total, sizeof *argv);
  redisReply *reply = NULL;
  for (size_t i = 0; argv && i < total; i++) argv[i] = i < fixed ? head[i] : i < fixed + s->topic_count ? s->topics[i - fixed].topic : ">";
  if (argv) reply = redisCommandArgv(rc, (int)total, argv, NULL);
  if (!reply) buf_printf(why, "redis: %s", argv ? rc->errstr : "out of memory");
  pool_fini(&pool);
  return reply;
}

/* Claims the entries of one topic that have been idle for too long. */
static bool reclaim(struct streams *s, redisContext *rc, const struct subscriber *to, struct buf *why) {
  char depth[24], idle[24];
  snprintf(depth, sizeof depth, "%lld", (long long)s->depth);
  snprintf(idle, sizeof idle, "%lld", (long long)s->processing_ms);
  const char *const pending[] = {"XPENDING", to->topic, s->group, "-", "+", depth};
  struct redis_args a = {0};
  for (size_t i = 0; i < sizeof pending / sizeof *pending; i++) redis_arg(&a, span_of(pending[i]));
  redisReply *list = redis_run(rc, &a, false, why);
  if (!list) return rc->err == 0;
  bool ok = true;
  for (size_t i = 0; ok && list->type == REDIS_REPLY_ARRAY && i < list->elements; i++) {
    const redisReply *e = list->element[i]; /* id, consumer, idle, deliveries */
    if (e->type != REDIS_REPLY_ARRAY || e->elements != 4 || e->element[2]->integer < s->processing_ms ||
        is_in_hand(s, to->topic, e->element[0]->str))
      continue;
    const char *const claim[] = {"XCLAIM", to->topic, s->group, s->group, idle, e->element[0]->str};
    struct redis_args x = {0};
    for (size_t k = 0; k < sizeof claim / sizeof *claim; k++) redis_arg(&x, span_of(claim[k]));
    redisReply *claimed = redis_run(rc, &x, false, why);
    if (!claimed) ok = rc->err == 0;
    else if (claimed->type == REDIS_REPLY_ARRAY && claimed->elements == 0)
      acknowledge(s, to->topic, e->element[0]->str); /* the entry itself is gone */
    else hand_out(s, to, claimed);
    if (claimed) freeReplyObject(claimed);
  }
  freeReplyObject(list);
  return ok;
}

/* How many more messages there is room for; waits while there is none. 0: stopping. */
static int64_t wait_for_room(struct streams *s) {
  pthread_mutex_lock(&s->lock);
  while (!s->stopping && s->in_hand_count >= s->depth) pthread_cond_wait(&s->freed, &s->lock);
  int64_t room = s->stopping ? 0 : s->depth - s->in_hand_count;
  pthread_mutex_unlock(&s->lock);
  return room;
}

/* Reads until stop or an error of the connection. */
static bool read_on(struct streams *s, redisContext *rc, struct buf *why) {
  int64_t reclaimed = 0, room;
  while (wait_until_well(s) && (room = wait_for_room(s)) > 0) {
    int64_t now = clock_steady_us() / 1000;
    if (s->processing_ms > 0 && s->redeliver_ms > 0 && now - reclaimed >= s->redeliver_ms) {
      reclaimed = now;
      for (size_t i = 0; i < s->topic_count; i++)
        if (!reclaim(s, rc, &s->topics[i], why)) return false;
      if ((room = wait_for_room(s)) == 0) break;
    }
    redisReply *reply = read_group(s, rc, room, why);
    if (!reply) return false;
    bool error = reply->type == REDIS_REPLY_ERROR; /* such as NOGROUP, when Redis has been emptied */
    if (error) buf_put(why, reply->str, (size_t)reply->len);
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
      const redisReply *stream = reply->element[i];
      if (stream->type != REDIS_REPLY_ARRAY || stream->elements != 2) continue;
      const struct subscriber *to = find_topic(s, stream->element[0]);
      if (to) hand_out(s, to, stream->element[1]);
    }
    freeReplyObject(reply);
    if (error) return false;
  }
  return true;
}

static void *reader(void *env) {
  struct streams *s = env;
  bool down = false;
  while (wait_until_well(s) && wait_for_room(s) > 0) {
    struct buf why = {0};
    redisContext *rc = redis_connect(s->redis, READ_BLOCK_MS, &why);
    bool ok = rc && make_groups(s, rc, &why);
    if (ok && down) log_write(&s->component->sidecar->log, DAPR_LOG_INFO, SCOPE, "redis streams: %s: connected again", s->component->name);
    if (ok) down = false, ok = read_on(s, rc, &why);
    if (rc) redisFree(rc);
    if (!ok && !down)
      log_write(&s->component->sidecar->log, DAPR_LOG_ERROR, SCOPE, "redis streams: %s: %s; trying again", s->component->name,
                buf_text(&why));
    if (!ok) down = true, sidecar_sleep(s->component->sidecar, RECONNECT_MS);
    buf_fini(&why);
  }
  return NULL;
}

static bool start(struct component *c, mv_error_t *err) {
  struct streams *s = c->self;
  struct buf why = {0};
  if (s->topic_count == 0) return true;
  /* The groups exist before the application is told that it is subscribed: what is published from then on arrives. */
  redisContext *rc = redis_take(s->redis, &why);
  if (rc) {
    if (!make_groups(s, rc, &why)) log_write(&c->sidecar->log, DAPR_LOG_ERROR, SCOPE, "redis streams: %s: %s", c->name, buf_text(&why));
    redis_give(s->redis, rc);
  }
  buf_fini(&why);
  if (pthread_create(&s->reader, NULL, reader, s) != 0) return report_memory(err);
  s->reading = true;
  return true;
}

static const struct pubsub_ops ops = {publish, subscribe, start, stop};

const struct component_type pubsub_redis_type = {PUBSUB, "pubsub.redis", "", &ops, open_streams, close_streams};
