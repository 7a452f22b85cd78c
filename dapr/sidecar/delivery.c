/* delivery.c: from a pub/sub component to the application: subscriptions, routing rules, retries, dead letters, bulk.
 *
 * As recorded of daprd: an application that answers RETRY or an error is tried again only by a resiliency policy; what
 * then still fails, and what it drops, goes to the dead-letter topic if there is one and is done with. Only a message that
 * reached no application at all is left to the component, which delivers it again later. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "clock.h"
#include "json.h"
#include "sidecar.h"
#include "url.h"

#define SCOPE "dapr.runtime.processor.pubsub"

enum { BULK_COUNT = 100, BULK_WAIT_MS = 1000, ANSWER_MAX = 4 << 20 };

/* ---- subscriptions ---- */

/* Whether an application is in "app1=topic1,topic2;app2=topic3" and which topics that gives; absent applications have all. */
static bool scope_allows(const char *scopes, const char *app_id, const char *topic) {
  struct span rest = span_of(scopes);
  bool listed = false;
  while (rest.n > 0) {
    struct span topics = span_cut(&rest, ';'), app = span_trim(span_cut(&topics, '='));
    if (!span_is(app, app_id)) continue;
    listed = true;
    while (topics.n > 0)
      if (span_is(span_trim(span_cut(&topics, ',')), topic)) return true;
  }
  return !listed;
}

static bool in_list(const char *list, const char *topic) {
  struct span rest = span_of(list);
  while (rest.n > 0)
    if (span_is(span_trim(span_cut(&rest, ',')), topic)) return true;
  return false;
}

bool pubsub_allowed(const struct component *p, const char *scope_name, const char *topic) {
  const char *allowed = component_get(p, "allowedTopics"), *guarded = component_get(p, "protectedTopics"),
             *scopes = component_get(p, scope_name);
  if (allowed && !in_list(allowed, topic)) return false;
  if (guarded && in_list(guarded, topic))
    return scopes && strstr(scopes, p->sidecar->app_id) && scope_allows(scopes, p->sidecar->app_id, topic);
  return !scopes || scope_allows(scopes, p->sidecar->app_id, topic);
}

bool pubsub_publish(struct component *p, const struct message *m, struct buf *why) {
  const struct pubsub_ops *ops = p->is->ops;
  struct attempt a = component_attempt(p);
  bool ok = false;
  while (attempt_begin(&a)) {
    buf_clear(why);
    ok = ops->publish(p, m, why);
    attempt_end(&a, ok ? OUTCOME_OK : OUTCOME_RETRIABLE, 0);
  }
  ok = attempt_ok(&a, ok, why);
  component_count(p, EVENT_PUBLISH, ok);
  return ok;
}

/* ---- one message ---- */

struct delivery {
  struct subscription *sub;
  const struct message *message;
  struct pool *pool;
  struct span data; /* what the application gets */
  struct json event;
  struct buf made; /* of a raw message */
  const char *path;
};

static void dead_letter(const struct subscription *s, const struct message *m) {
  struct message copy = {s->dead_letter, m->data, m->metadata};
  struct buf why = {0};
  if (!s->dead_letter || !*s->dead_letter) return;
  if (!pubsub_publish(s->pubsub, &copy, &why))
    log_write(&s->sidecar->log, DAPR_LOG_ERROR, SCOPE,
              "error sending message to dead letter, origin topic: %s dead letter topic %s err: %s", m->topic, s->dead_letter,
              buf_text(&why));
  buf_fini(&why);
}

static void drop(const struct subscription *s, const struct message *m) {
  component_count(s->pubsub, EVENT_DROP, true);
  dead_letter(s, m);
}

/* A subscriber with rawPayload gets bytes that are no event wrapped into one. */
static bool wrap_raw(struct delivery *d) {
  struct buf *b = &d->made;
  char uuid[UUID_SIZE];
  random_uuid(&d->sub->sidecar->random, uuid);
  buf_str(b, "{\"data_base64\":\"");
  base64_encode(b, d->message->data);
  buf_printf(b, "\",\"datacontenttype\":\"application/octet-stream\",\"id\":\"%s\",\"pubsubname\":", uuid);
  json_quote(b, span_of(d->sub->pubsub_name), JSON_HTML);
  buf_str(b, ",\"source\":\"Dapr\",\"specversion\":\"1.0\",\"topic\":");
  json_quote(b, span_of(d->message->topic), JSON_HTML);
  buf_str(b, ",\"type\":\"com.dapr.event.sent\"}");
  d->data = buf_view(b);
  return !b->failed;
}

static bool has_expired(struct json event, struct pool *pool) {
  struct json v;
  int64_t at;
  if (!json_member_exact(event, SPAN("expiration"), &v) || json_kind(v) != JSON_STRING) return false;
  struct span text = json_text(pool, v);
  return text.p && clock_parse(text, &at) && at < clock_wall_ms();
}

/* The path of the first rule that holds; NULL: none, or an error, which is logged. */
static const char *find_path(const struct subscription *s, struct json event) {
  struct buf why = {0};
  const char *path = NULL;
  for (size_t i = 0; i < s->rule_count && !path; i++) {
    bool holds = !s->rules[i].when;
    if (s->rules[i].when && !cel_match(s->rules[i].when, event, &holds, &why)) {
      log_write(&s->sidecar->log, DAPR_LOG_ERROR, SCOPE, "error finding matching route in pubsub %s and topic %s: %s: %s", s->pubsub_name,
                s->topic, s->rules[i].match, buf_text(&why));
      break;
    }
    if (holds) path = s->rules[i].path;
  }
  buf_fini(&why);
  return path;
}

/* false: the message is done with (dropped). */
static bool prepare(struct delivery *d) {
  struct subscription *s = d->sub;
  struct buf why = {0};
  bool ok = true;
  d->data = d->message->data;
  if (s->raw) ok = wrap_raw(d);
  if (ok && !json_check_all(d->data, &d->event, &why)) {
    log_write(&s->sidecar->log, DAPR_LOG_ERROR, SCOPE, "error deserializing cloud event in pubsub %s and topic %s: %s", s->pubsub_name,
              s->topic, buf_text(&why));
    ok = false;
  } else if (ok && has_expired(d->event, d->pool)) {
    log_write(&s->sidecar->log, DAPR_LOG_WARN, SCOPE, "dropping expired pub/sub event in pubsub %s and topic %s", s->pubsub_name, s->topic);
    ok = false;
  }
  buf_fini(&why);
  if (ok) d->path = find_path(s, d->event);
  return ok && d->path;
}

static bool event_trace(const struct delivery *d, char out[TRACE_TEXT]) {
  struct json v;
  if (d->sub->sidecar->sampling <= 0 || !json_member_exact(d->event, SPAN("traceparent"), &v) || json_kind(v) != JSON_STRING) return false;
  trace_child(&d->sub->sidecar->random, (struct span){v.p + 1, v.n - 2}, trace_sampled(d->sub->sidecar), out);
  return true;
}

static bool common_headers(const struct subscription *s, struct headers *h, const char *content_type) {
  bool ok = headers_add(h, "User-Agent", CLIENT_NAME) && headers_add(h, "Content-Type", content_type) &&
            headers_add(h, "pubsubName", s->pubsub_name);
  return ok && (!s->sidecar->app_token || headers_add(h, "dapr-api-token", s->sidecar->app_token));
}

enum verdict { TAKEN, DROPPED, AGAIN, UNREACHED };

/* What the application's answer to one event means. */
static enum verdict judge(struct subscription *s, const struct answer *a, struct pool *pool) {
  struct json body, v;
  struct buf unused = {0};
  struct span status = SPAN("");
  if (a->status == 404) return DROPPED;
  if (a->status < 200 || a->status > 299) return AGAIN;
  bool json = json_check(buf_view(&a->body), &body, &unused);
  buf_fini(&unused);
  if (json && json_member(body, "status", &v) && json_kind(v) == JSON_STRING) status = json_text(pool, v);
  if (status.n == 0 || span_is(status, "SUCCESS")) return TAKEN;
  if (span_is(status, "DROP")) {
    log_write(&s->sidecar->log, DAPR_LOG_WARN, SCOPE, "DROP status returned from app while processing pub/sub event of topic %s", s->topic);
    return DROPPED;
  }
  return AGAIN;
}

static bool post(struct subscription *s, const char *path, const struct headers *h, struct span body, struct answer *a) {
  mv_error_t err = {0};
  struct http_sink sink = answer_sink(a);
  struct http_request r = {"POST", path, path, (const char *const *)h->list, body.p, body.n};
  a->status = 0;
  a->limit = ANSWER_MAX;
  buf_clear(&a->body);
  bool ok = app_call(s->sidecar, s->pubsub->inbound ? s->pubsub->inbound->timeout_ms : 0, &r, &sink, &err);
  if (!ok)
    log_write(&s->sidecar->log, DAPR_LOG_WARN, SCOPE, "error returned from app channel while sending pub/sub event to app: %s",
              err.message);
  return ok;
}

static struct attempt begin(const struct subscription *s) {
  return (struct attempt){.policy = s->pubsub->inbound, .sleep = sidecar_sleep, .env = s->sidecar};
}

static enum verdict send_event(struct delivery *d) {
  struct subscription *s = d->sub;
  struct headers h = {.pool = d->pool};
  struct answer a = {.pool = d->pool};
  char trace[TRACE_TEXT];
  enum verdict verdict = UNREACHED;
  bool ok = common_headers(s, &h, "application/cloudevents+json");
  for (size_t i = 0; ok && i < d->message->metadata.n; i++) {
    const struct property *p = &d->message->metadata.p[i];
    if (!headers_get((const char *const *)h.list, p->name) && strcasecmp(p->name, "Content-Length") != 0)
      ok = headers_add(&h, p->name, p->value);
  }
  if (event_trace(d, trace)) ok = ok && headers_add(&h, "traceparent", trace);
  if (!ok) return UNREACHED;
  struct attempt attempt = begin(s);
  while (attempt_begin(&attempt)) {
    verdict = post(s, d->path, &h, d->data, &a) ? judge(s, &a, d->pool) : UNREACHED;
    if (verdict == AGAIN) component_count(s->pubsub, EVENT_RETRY, true);
    attempt_end(&attempt, verdict == TAKEN ? OUTCOME_OK : verdict == DROPPED ? OUTCOME_FINAL : OUTCOME_RETRIABLE, a.status);
  }
  answer_fini(&a);
  return attempt.refused ? UNREACHED : verdict;
}

/* true: done with. */
static bool conclude(struct subscription *s, const struct message *m, enum verdict verdict) {
  if (verdict == TAKEN) return component_count(s->pubsub, EVENT_DELIVER, true), true;
  if (verdict == UNREACHED && sidecar_stopping(s->sidecar)) return false;
  if (verdict == UNREACHED && !(s->dead_letter && *s->dead_letter)) return false;
  if (verdict == AGAIN) log_write(&s->sidecar->log, DAPR_LOG_WARN, SCOPE, "app did not take a pub/sub event of topic %s", s->topic);
  drop(s, m);
  return true;
}

static bool deliver_one(struct subscription *s, const struct message *m) {
  char first[4096];
  struct pool pool;
  pool_init(&pool, first, sizeof first);
  struct delivery d = {.sub = s, .message = m, .pool = &pool};
  bool done = true;
  if (prepare(&d)) done = conclude(s, m, send_event(&d));
  else drop(s, m);
  buf_fini(&d.made);
  pool_fini(&pool);
  return done;
}

/* ---- bulk subscriptions ----
 *
 * Each message comes on a thread of its own, which waits here. One of the waiting threads leads: when enough messages are there, or the
 * time is over, it takes them out, delivers them as one and tells the others. */

struct waiting {
  struct delivery delivery;
  char id[UUID_SIZE];
  bool taken, judged, finished, done;
  enum verdict verdict;
  struct waiting *next;
};

struct bulk {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct waiting *first, **last;
  int64_t count;
  bool led;
};

static void print_batch(struct buf *b, const struct subscription *s, struct waiting *batch, const char *path) {
  char uuid[UUID_SIZE];
  const char *before = "{\"entries\":[";
  for (struct waiting *w = batch; w; w = w->next) {
    if (w->judged || strcmp(w->delivery.path, path) != 0) continue;
    buf_printf(b, "%s{\"entryId\":\"%s\",\"event\":", before, w->id);
    before = ",";
    if (s->raw) buf_char(b, '"'), base64_encode(b, w->delivery.message->data), buf_char(b, '"');
    else buf_span(b, w->delivery.data);
    buf_str(b, ",\"metadata\":{");
    for (size_t i = 0; i < w->delivery.message->metadata.n; i++) {
      if (i) buf_char(b, ',');
      json_quote(b, span_of(w->delivery.message->metadata.p[i].name), JSON_HTML);
      buf_char(b, ':');
      json_quote(b, span_of(w->delivery.message->metadata.p[i].value), JSON_HTML);
    }
    buf_printf(b, "},\"contentType\":\"%s\"}", s->raw ? "application/octet-stream" : "application/cloudevents+json");
  }
  random_uuid(&s->sidecar->random, uuid);
  buf_printf(b, "],\"id\":\"%s\",\"metadata\":{\"pubsubName\":", uuid);
  json_quote(b, span_of(s->pubsub_name), JSON_HTML);
  buf_str(b, "},\"pubsubname\":");
  json_quote(b, span_of(s->pubsub_name), JSON_HTML);
  buf_str(b, ",\"topic\":");
  json_quote(b, span_of(s->topic), JSON_HTML);
  buf_str(b, ",\"type\":\"com.dapr.event.sent.bulk\"}");
}

/* {"statuses":[{"entryId","status"}]}: an entry that is not named, or named with another word, is to be sent again. */
static void judge_batch(struct waiting *batch, const char *path, const struct answer *a, struct pool *pool) {
  struct json body, list = {"", 0}, item, v;
  struct buf unused = {0};
  bool good = a->status >= 200 && a->status <= 299 && json_check(buf_view(&a->body), &body, &unused) &&
              json_member(body, "statuses", &list);
  buf_fini(&unused);
  for (struct waiting *w = batch; w; w = w->next) {
    if (w->judged || strcmp(w->delivery.path, path) != 0) continue;
    w->verdict = a->status == 404 ? DROPPED : AGAIN;
    for (struct json_walk walk = {0}; good && json_next(list, &walk, NULL, &item);) {
      if (!json_member(item, "entryId", &v) || !span_is(json_text(pool, v), w->id) || !json_member(item, "status", &v)) continue;
      struct span status = json_text(pool, v);
      w->verdict = span_is(status, "SUCCESS") ? TAKEN : span_is(status, "DROP") ? DROPPED : AGAIN;
    }
    w->judged = w->verdict == TAKEN || w->verdict == DROPPED;
  }
}

static bool any_left(const struct waiting *batch, const char *path) {
  for (const struct waiting *w = batch; w; w = w->next)
    if (!w->judged && strcmp(w->delivery.path, path) == 0) return true;
  return false;
}

static void send_path(struct subscription *s, struct waiting *batch, const char *path) {
  struct pool pool;
  pool_init(&pool, NULL, 0);
  struct headers h = {.pool = &pool};
  struct answer a = {.pool = &pool};
  struct attempt attempt = begin(s);
  bool ok = common_headers(s, &h, "application/json");
  while (ok && any_left(batch, path) && attempt_begin(&attempt)) {
    struct buf body = {0};
    print_batch(&body, s, batch, path);
    if (!body.failed && post(s, path, &h, buf_view(&body), &a)) judge_batch(batch, path, &a, &pool);
    attempt_end(&attempt, any_left(batch, path) ? OUTCOME_RETRIABLE : OUTCOME_OK, a.status);
    buf_fini(&body);
  }
  for (struct waiting *w = batch; w; w = w->next)
    if (strcmp(w->delivery.path, path) == 0) w->judged = true;
  answer_fini(&a);
  pool_fini(&pool);
}

static void send_batch(struct subscription *s, struct waiting *batch) {
  for (struct waiting *w = batch; w; w = w->next) random_uuid(&s->sidecar->random, w->id);
  for (struct waiting *w = batch; w; w = w->next)
    if (!w->judged) send_path(s, batch, w->delivery.path);
  for (struct waiting *w = batch; w; w = w->next) w->done = conclude(s, w->delivery.message, w->verdict);
}

static struct timespec bulk_deadline(const struct subscription *s) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  t.tv_sec += (time_t)(s->bulk_wait_ms / 1000);
  t.tv_nsec += (long)(s->bulk_wait_ms % 1000) * 1000000;
  if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
  return t;
}

/* With the lock held, which is given up while sending. */
static void lead(struct subscription *s) {
  struct bulk *b = s->bulk;
  struct timespec until = bulk_deadline(s);
  int late = 0;
  b->led = true;
  while (b->count < s->bulk_count && !late) late = pthread_cond_timedwait(&b->changed, &b->lock, &until);
  struct waiting *batch = b->first, **end = &batch;
  for (int64_t i = 0; i < s->bulk_count && *end; i++, b->count--) {
    (*end)->taken = true;
    end = &(*end)->next;
  }
  b->first = *end;
  if (!b->first) b->last = &b->first;
  *end = NULL;
  b->led = false;
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->lock);
  send_batch(s, batch);
  pthread_mutex_lock(&b->lock);
  for (struct waiting *w = batch, *next; w; w = next) {
    next = w->next;
    w->finished = true; /* its thread may go on at once: w is not touched again */
  }
  pthread_cond_broadcast(&b->changed);
}

static bool deliver_bulk(struct subscription *s, const struct message *m) {
  struct bulk *b = s->bulk;
  struct pool pool;
  struct waiting w = {.verdict = UNREACHED};
  pool_init(&pool, NULL, 0);
  w.delivery = (struct delivery){.sub = s, .message = m, .pool = &pool};
  if (prepare(&w.delivery)) {
    pthread_mutex_lock(&b->lock);
    *b->last = &w;
    b->last = &w.next;
    if (++b->count >= s->bulk_count) pthread_cond_broadcast(&b->changed);
    while (!w.finished) {
      if (!w.taken && !b->led) lead(s);
      else pthread_cond_wait(&b->changed, &b->lock);
    }
    pthread_mutex_unlock(&b->lock);
  } else {
    w.done = true;
    drop(s, m);
  }
  buf_fini(&w.delivery.made);
  pool_fini(&pool);
  return w.done;
}

static bool deliver(void *env, const struct message *m) {
  struct subscription *s = env;
  if (!app_is_well(s->sidecar)) return false;
  return s->bulk ? deliver_bulk(s, m) : deliver_one(s, m);
}

/* ---- adding subscriptions ---- */

static bool compile_rules(struct sidecar *sc, struct subscription *s, mv_error_t *err) {
  struct buf why = {0};
  bool ok = true;
  for (size_t i = 0; i < s->rule_count && ok; i++) {
    struct rule *r = &s->rules[i];
    if (r->path[0] != '/') r->path = pool_printf(&sc->pool, "/%s", r->path);
    if (!r->path) ok = report_memory(err);
    if (ok && *r->match && !(r->when = cel_compile(&sc->pool, r->match, NULL, &why)))
      ok = report(err, MV_USAGE, "routing rule: %s", buf_text(&why));
  }
  buf_fini(&why);
  return ok;
}

static bool make_bulk(struct subscription *s, mv_error_t *err) {
  if (!s->bulk_enabled) return true;
  struct bulk *b = calloc(1, sizeof *b);
  if (!b) return report_memory(err);
  pthread_mutex_init(&b->lock, NULL);
  pthread_cond_init(&b->changed, NULL);
  b->last = &b->first;
  if (s->bulk_count <= 0) s->bulk_count = BULK_COUNT;
  if (s->bulk_wait_ms <= 0) s->bulk_wait_ms = BULK_WAIT_MS;
  s->bulk = b;
  return true;
}

void delivery_fini(struct subscription *s) {
  if (!s->bulk) return;
  pthread_cond_destroy(&s->bulk->changed);
  pthread_mutex_destroy(&s->bulk->lock);
  free(s->bulk);
}

static bool is_duplicate(const struct sidecar *sc, const struct subscription *s) {
  for (size_t i = 0; i < sc->subscription_count; i++)
    if (strcmp(sc->subscriptions[i]->topic, s->topic) == 0 && strcmp(sc->subscriptions[i]->pubsub_name, s->pubsub_name) == 0) return true;
  return false;
}

static bool remember(struct sidecar *sc, struct subscription *s) {
  pthread_mutex_lock(&sc->lock);
  struct subscription **list = pool_grow(&sc->pool, sc->subscriptions, sc->subscription_count, sizeof *list);
  if (list) {
    sc->subscriptions = list;
    list[sc->subscription_count++] = s;
  }
  pthread_mutex_unlock(&sc->lock);
  return list != NULL;
}

bool delivery_add(struct sidecar *sc, struct subscription *s, mv_error_t *err) {
  s->sidecar = sc;
  s->pubsub = sidecar_find(sc, PUBSUB, span_of(s->pubsub_name));
  s->raw = text_true(properties_find(&s->metadata, "rawPayload"));
  if (is_duplicate(sc, s))
    return log_write(&sc->log, DAPR_LOG_WARN, SCOPE, "topic %s of pubsub %s is subscribed to already; the later subscription is ignored",
                     s->topic, s->pubsub_name),
           true;
  if (!s->pubsub)
    return log_write(&sc->log, DAPR_LOG_ERROR, SCOPE, "error occurred while beginning pubsub subscription: pubsub %s is not found",
                     s->pubsub_name),
           true;
  if (!pubsub_allowed(s->pubsub, "subscriptionScopes", s->topic))
    return log_write(&sc->log, DAPR_LOG_ERROR, SCOPE, "subscription to topic '%s' on pubsub '%s' is not allowed", s->topic, s->pubsub_name),
           true;
  if (!compile_rules(sc, s, err) || !make_bulk(s, err)) return false;
  const struct pubsub_ops *ops = s->pubsub->is->ops;
  struct subscriber subscriber = {s->topic, deliver, s};
  if (!remember(sc, s)) return delivery_fini(s), report_memory(err);
  return ops->subscribe(s->pubsub, &subscriber, err);
}

/* ---- GET /dapr/subscribe ---- */

static const char *text_member(struct pool *pool, struct json object, const char *name) {
  struct json v;
  return json_member(object, name, &v) && json_kind(v) == JSON_STRING ? json_text(pool, v).p : NULL;
}

static bool add_rule(struct pool *pool, struct subscription *s, const char *match, const char *path) {
  struct rule *list = pool_grow(pool, s->rules, s->rule_count, sizeof *list);
  if (!list) return false;
  s->rules = list;
  list[s->rule_count++] = (struct rule){.match = match ? match : "", .path = path};
  return true;
}

static bool read_subscription(struct pool *pool, struct json item, struct subscription *s) {
  struct json routes_member, rules = {"", 0}, r, v, name;
  const char *path, *otherwise = NULL;
  bool ok = true;
  *s = (struct subscription){.type = "PROGRAMMATIC"};
  s->pubsub_name = text_member(pool, item, "pubsubname");
  s->topic = text_member(pool, item, "topic");
  s->dead_letter = text_member(pool, item, "deadLetterTopic");
  if (json_member(item, "metadata", &v))
    for (struct json_walk w = {0}; ok && json_next(v, &w, &name, &r);)
      ok = properties_set(pool, &s->metadata, json_text(pool, name).p, json_text(pool, r).p);
  if (json_member(item, "routes", &routes_member)) {
    json_member(routes_member, "rules", &rules);
    otherwise = text_member(pool, routes_member, "default");
  }
  for (struct json_walk w = {0}; ok && json_next(rules, &w, NULL, &r);)
    if ((path = text_member(pool, r, "path"))) ok = add_rule(pool, s, text_member(pool, r, "match"), path);
  if (!otherwise || !*otherwise) otherwise = text_member(pool, item, "route");
  if (otherwise && *otherwise) ok = ok && add_rule(pool, s, "", otherwise);
  if (json_member(item, "bulkSubscribe", &v)) {
    s->bulk_enabled = json_member(v, "enabled", &r) && json_true(r);
    if (json_member(v, "maxMessagesCount", &r)) s->bulk_count = json_int(r);
    if (json_member(v, "maxAwaitDurationMs", &r)) s->bulk_wait_ms = json_int(r);
  }
  return ok && s->pubsub_name && s->topic && s->rule_count;
}

static void read_subscriptions(struct sidecar *sc, struct span text) {
  struct json body, item;
  struct buf why = {0};
  if (!json_check(text, &body, &why))
    log_write(&sc->log, DAPR_LOG_ERROR, SCOPE, "/dapr/subscribe: %s", buf_text(&why)), body = (struct json){"", 0};
  for (struct json_walk w = {0}; json_next(body, &w, NULL, &item);) {
    struct subscription *s = pool_zero(&sc->pool, 1, sizeof *s);
    mv_error_t err = {0};
    if (!s) break;
    if (!read_subscription(&sc->pool, item, s))
      log_write(&sc->log, DAPR_LOG_ERROR, SCOPE, "/dapr/subscribe: an item needs pubsubname, topic and route: %.*s",
                (int)(item.n < 200 ? item.n : 200), item.p);
    else if (!delivery_add(sc, s, &err))
      log_write(&sc->log, DAPR_LOG_ERROR, SCOPE, "error occurred while beginning pubsub subscription for topic %s: %s", s->topic,
                err.message);
  }
  buf_fini(&why);
}

/* Waits until the application answers. */
static void ask_application(struct sidecar *sc) {
  struct pool pool;
  bool waited = false;
  pool_init(&pool, NULL, 0);
  struct headers h = {.pool = &pool};
  struct answer a = {.pool = &pool, .limit = ANSWER_MAX};
  if (!headers_add(&h, "User-Agent", CLIENT_NAME) || (sc->app_token && !headers_add(&h, "dapr-api-token", sc->app_token))) return;
  struct http_request r = {"GET", "/dapr/subscribe", "/dapr/subscribe", (const char *const *)h.list, NULL, 0};
  do {
    mv_error_t err = {0};
    struct http_sink sink = answer_sink(&a);
    buf_clear(&a.body);
    if (app_call(sc, 0, &r, &sink, &err)) {
      if (a.status == 200) read_subscriptions(sc, buf_view(&a.body));
      else if (a.status != 404)
        log_write(&sc->log, DAPR_LOG_ERROR, SCOPE, "app returned http status code %d from subscription endpoint", a.status);
      break;
    }
    if (!waited)
      log_write(&sc->log, DAPR_LOG_INFO, "dapr.runtime", "waiting on port %d. This will block until the app is listening on that port.",
                sc->app_port);
    waited = true;
  } while (sidecar_sleep(sc, 50));
  answer_fini(&a);
  pool_fini(&pool);
}

void delivery_start(struct sidecar *sc) {
  if (sc->has_app && sc->kind_count[PUBSUB] > 0) ask_application(sc);
  for (size_t i = 0; i < sc->component_count && !sidecar_stopping(sc); i++) {
    struct component *c = sc->components[i];
    const struct pubsub_ops *ops = c->is->ops;
    mv_error_t err = {0};
    if (c->is->kind == PUBSUB && !ops->start(c, &err)) log_write(&sc->log, DAPR_LOG_ERROR, SCOPE, "%s", err.message);
  }
  for (size_t i = 0; i < sc->subscription_count; i++)
    log_write(&sc->log, DAPR_LOG_INFO, SCOPE, "app is subscribed to the topic %s through pubsub=%s", sc->subscriptions[i]->topic,
              sc->subscriptions[i]->pubsub_name);
}
