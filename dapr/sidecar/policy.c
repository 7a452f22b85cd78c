/* policy.c: see policy.h. Reads the Resiliency resource of dapr.io/v1alpha1. */
#include "policy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cel.h"
#include "clock.h"

/* ---- loading ---- */

struct load {
  struct policies *policies;
  struct pool *pool;
  const char *file;
  mv_error_t *err;
};

static bool duration(const struct load *l, const struct ytree *map, const char *key, int64_t *ms) {
  const char *text = ytree_text(map, key);
  if (!text || clock_duration(span_of(text), 1, ms)) return true;
  return report(l->err, MV_USAGE, "%s:%d: %s: \"%s\" is no duration: write 300ms, 5s, 1m30s", l->file, ytree_get(map, key)->line, key,
                text);
}

static bool integer(const struct load *l, const struct ytree *map, const char *key, int64_t *out) {
  const char *text = ytree_text(map, key);
  if (!text || span_int(span_of(text), out)) return true;
  return report(l->err, MV_USAGE, "%s:%d: %s: \"%s\" is no integer", l->file, ytree_get(map, key)->line, key, text);
}

static bool load_retry(const struct load *l, const struct ytree *y) {
  struct policies *p = l->policies;
  const char *kind = ytree_text(y, "policy");
  struct retry r = {.name = y->key, .interval_ms = 5000, .max_interval_ms = 60000, .max_retries = -1};
  if (kind && strcmp(kind, "constant") != 0 && strcmp(kind, "exponential") != 0)
    return report(l->err, MV_USAGE, "%s:%d: retry policy \"%s\" is unknown: use constant or exponential", l->file, y->line, kind);
  r.exponential = kind && strcmp(kind, "exponential") == 0;
  if (r.exponential) r.interval_ms = 500;
  if (!duration(l, y, r.exponential ? "initialInterval" : "duration", &r.interval_ms) || !duration(l, y, "maxInterval", &r.max_interval_ms))
    return false;
  if (!integer(l, y, "maxRetries", &r.max_retries)) return false;
  const struct ytree *matching = ytree_get(y, "matching");
  r.statuses = ytree_text(matching ? matching : y, "httpStatusCodes");
  p->retries = pool_grow(l->pool, p->retries, p->retry_count, sizeof r);
  if (!p->retries) return report_memory(l->err);
  p->retries[p->retry_count++] = r;
  return true;
}

static bool load_timeout(const struct load *l, const struct ytree *y) {
  struct policies *p = l->policies;
  int64_t ms;
  if (y->kind != YTREE_SCALAR || !clock_duration(span_of(y->text), 1, &ms))
    return report(l->err, MV_USAGE, "%s:%d: timeout %s is no duration: write 300ms, 5s, 1m30s", l->file, y->line, y->key);
  p->timeouts = pool_grow(l->pool, p->timeouts, p->timeout_count, sizeof *p->timeouts);
  if (!p->timeouts) return report_memory(l->err);
  p->timeouts[p->timeout_count].name = y->key;
  p->timeouts[p->timeout_count++].ms = ms;
  return true;
}

static bool ask_trip(const struct cel *trip, int64_t requests, int64_t failures, int64_t in_a_row, bool *trips, struct buf *why) {
  char text[256];
  struct json counts;
  int n = snprintf(text, sizeof text,
                   "{\"requests\":%" PRId64 ",\"totalSuccesses\":%" PRId64 ",\"totalFailures\":%" PRId64 ",\"consecutiveSuccesses\":0,"
                   "\"consecutiveFailures\":%" PRId64 "}",
                   requests, requests - failures, failures, in_a_row);
  return json_check_all((struct span){text, (size_t)n}, &counts, why) && cel_match(trip, counts, trips, why);
}

/* trip: a rule over those counters, such as "consecutiveFailures > 5 && totalFailures > 9". It is tried once, so that it cannot fail later. */
static bool load_trip(const struct load *l, const struct ytree *y, const struct cel **trip) {
  static const char *const counters[] = {"requests", "totalSuccesses", "totalFailures", "consecutiveSuccesses", "consecutiveFailures", NULL};
  const char *text = ytree_text(y, "trip");
  struct buf why = {0};
  bool trips, ok;
  *trip = cel_compile(l->pool, text ? text : "consecutiveFailures > 5", counters, &why);
  ok = *trip && ask_trip(*trip, 1, 1, 1, &trips, &why);
  if (!ok) report(l->err, MV_USAGE, "%s:%d: trip: %s: write consecutiveFailures >= 5", l->file, y->line, buf_text(&why));
  buf_fini(&why);
  return ok;
}

static struct breaker *add_breaker(const struct load *l, struct breaker like) {
  struct policies *p = l->policies;
  struct breaker *b = pool_alloc(l->pool, sizeof *b);
  p->breakers = b ? pool_grow(l->pool, p->breakers, p->breaker_count, sizeof *p->breakers) : NULL;
  if (!p->breakers) return p->breaker_count = 0, report_memory(l->err), NULL;
  *b = like;
  pthread_mutex_init(&b->lock, NULL);
  return p->breakers[p->breaker_count++] = b;
}

static bool load_breaker(const struct load *l, const struct ytree *y) {
  struct breaker b = {.name = y->key, .timeout_ms = 60000};
  if (!duration(l, y, "timeout", &b.timeout_ms) || !duration(l, y, "interval", &b.interval_ms) || !load_trip(l, y, &b.trip))
    return false;
  return add_breaker(l, b) != NULL;
}

static bool find_parts(const struct load *l, const struct ytree *y, struct policy *out) {
  const struct policies *p = l->policies;
  const char *timeout = ytree_text(y, "timeout"), *retry = ytree_text(y, "retry"), *breaker = ytree_text(y, "circuitBreaker");
  bool timeout_ok = !timeout, retry_ok = !retry, breaker_ok = !breaker;
  *out = (struct policy){0};
  for (size_t i = 0; !timeout_ok && i < p->timeout_count; i++)
    if (strcmp(p->timeouts[i].name, timeout) == 0) out->timeout_ms = p->timeouts[i].ms, timeout_ok = true;
  for (size_t i = 0; !retry_ok && i < p->retry_count; i++)
    if (strcmp(p->retries[i].name, retry) == 0) out->retry = &p->retries[i], retry_ok = true;
  for (size_t i = 0; !breaker_ok && i < p->breaker_count; i++)
    if (strcmp(p->breakers[i]->name, breaker) == 0) out->breaker = p->breakers[i], breaker_ok = true;
  if (timeout_ok && retry_ok && breaker_ok) return true;
  return report(l->err, MV_USAGE, "%s:%d: policy \"%s\" is not defined under spec.policies", l->file, y->line,
                !timeout_ok ? timeout
                : !retry_ok ? retry
                            : breaker);
}

static bool add_target(const struct load *l, enum policy_side side, const char *name, const struct ytree *y) {
  struct policies *p = l->policies;
  struct target t = {.side = side, .name = name};
  if (!find_parts(l, y, &t.policy)) return false;
  if (t.policy.breaker) { /* each target has one of its own, which does not count the others' failures */
    struct breaker like = {.name = "",
                           .timeout_ms = t.policy.breaker->timeout_ms,
                           .interval_ms = t.policy.breaker->interval_ms,
                           .trip = t.policy.breaker->trip};
    if (!(t.policy.breaker = add_breaker(l, like))) return false;
  }
  p->targets = pool_grow(l->pool, p->targets, p->target_count, sizeof t);
  if (!p->targets) return report_memory(l->err);
  p->targets[p->target_count++] = t;
  return true;
}

static bool each(const struct load *l, const struct ytree *map, bool (*load)(const struct load *, const struct ytree *)) {
  for (const struct ytree *y = map && map->kind == YTREE_MAP ? map->first : NULL; y; y = y->next)
    if (!load(l, y)) return false;
  return true;
}

static bool load_app(const struct load *l, const struct ytree *y) { return add_target(l, POLICY_APP, y->key, y); }

static bool load_component(const struct load *l, const struct ytree *y) {
  const struct ytree *in = ytree_get(y, "inbound"), *out = ytree_get(y, "outbound");
  return (!in || add_target(l, POLICY_INBOUND, y->key, in)) && (!out || add_target(l, POLICY_OUTBOUND, y->key, out));
}

static bool is_default(const char *name, enum policy_side side, const char *kind) {
  const char *const whom[][3] = {{"App", "App", ""}, {"ComponentOutbound", "Component", ""}, {"ComponentInbound", "Component", ""}};
  char wanted[64];
  for (size_t i = 0; i < 3; i++) {
    snprintf(wanted, sizeof wanted, "Default%s%sPolicy", whom[side][i], kind);
    if (strcmp(name, wanted) == 0) return true;
  }
  return false;
}

/* Policies of reserved names hold for what is no target. */
static void find_defaults(struct policies *p) {
  for (enum policy_side side = POLICY_APP; side <= POLICY_INBOUND; side++) {
    struct policy *d = &p->defaults[side];
    *d = (struct policy){0};
    for (size_t i = 0; i < p->timeout_count; i++)
      if (is_default(p->timeouts[i].name, side, "Timeout")) d->timeout_ms = p->timeouts[i].ms;
    for (size_t i = 0; i < p->retry_count; i++)
      if (is_default(p->retries[i].name, side, "Retry")) d->retry = &p->retries[i];
    for (size_t i = 0; i < p->breaker_count; i++)
      if (is_default(p->breakers[i]->name, side, "CircuitBreaker")) d->breaker = p->breakers[i];
    p->has_default[side] = d->timeout_ms || d->retry || d->breaker;
  }
}

bool policies_load(struct policies *p, struct pool *pool, const char *file, const struct ytree *doc, mv_error_t *err) {
  struct load l = {p, pool, file, err};
  const struct ytree *spec = ytree_get(doc, "spec"), *policies = ytree_get(spec, "policies"), *targets = ytree_get(spec, "targets");
  const char *name = ytree_text(ytree_get(doc, "metadata"), "name");
  p->files = pool_grow(pool, p->files, p->file_count, sizeof *p->files);
  if (!p->files) return report_memory(err);
  p->files[p->file_count++] = name ? name : file;
  if (!each(&l, ytree_get(policies, "timeouts"), load_timeout) || !each(&l, ytree_get(policies, "circuitBreakers"), load_breaker))
    return false;
  const struct ytree *retries = ytree_get(policies, "retries");
  /* targets point into this array, so it must not move once they exist: all retries of a document come first */
  struct retry *before = p->retries;
  if (!each(&l, retries, load_retry)) return false;
  for (size_t i = 0; i < p->target_count; i++)
    if (p->targets[i].policy.retry) p->targets[i].policy.retry = p->retries + (p->targets[i].policy.retry - before);
  find_defaults(p);
  return each(&l, ytree_get(targets, "apps"), load_app) && each(&l, ytree_get(targets, "components"), load_component);
}

void policies_fini(struct policies *p) {
  for (size_t i = 0; i < p->breaker_count; i++) pthread_mutex_destroy(&p->breakers[i]->lock);
}

const struct policy *policies_find(const struct policies *p, enum policy_side side, const char *name) {
  for (size_t i = 0; i < p->target_count; i++)
    if (p->targets[i].side == side && strcmp(p->targets[i].name, name) == 0) return &p->targets[i].policy;
  return p->has_default[side] ? &p->defaults[side] : NULL;
}

/* ---- running ---- */

/* An open breaker refuses until its time is over; then one attempt probes. */
static bool breaker_allows(struct breaker *b) {
  pthread_mutex_lock(&b->lock);
  int64_t now = clock_steady_us();
  bool open = b->open_until_us > 0, allow = !open;
  if (open && now >= b->open_until_us && !b->probing) allow = b->probing = true;
  pthread_mutex_unlock(&b->lock);
  return allow;
}

static bool breaker_trips(const struct breaker *b) {
  struct buf why = {0};
  bool trips = false;
  bool told = ask_trip(b->trip, b->requests, b->failures, b->in_a_row, &trips, &why);
  buf_fini(&why);
  return told && trips;
}

/* Called after a request: its rule is asked when it failed. A probe that fails opens the breaker again, one that succeeds closes it. While it is
 * open, what had begun before does not count. */
static void breaker_count(struct breaker *b, bool ok) {
  pthread_mutex_lock(&b->lock);
  if (b->open_until_us > 0 && !b->probing) {
    pthread_mutex_unlock(&b->lock);
    return;
  }
  int64_t now = clock_steady_us();
  bool late = b->interval_ms > 0 && now - b->counted_since_us > b->interval_ms * 1000, probed = b->probing;
  if (late || (ok && probed)) b->requests = b->failures = b->in_a_row = 0, b->counted_since_us = now;
  b->requests++;
  b->failures += !ok;
  b->in_a_row = ok ? 0 : b->in_a_row + 1;
  b->probing = false;
  if (ok) {
    b->open_until_us = 0;
  } else if (probed || breaker_trips(b)) {
    b->open_until_us = now + b->timeout_ms * 1000;
    b->requests = b->failures = b->in_a_row = 0;
  }
  pthread_mutex_unlock(&b->lock);
}

static bool status_listed(const char *list, int status) {
  struct span rest = span_of(list);
  while (rest.n > 0) {
    struct span range = span_trim(span_cut(&rest, ','));
    int64_t low, high;
    struct span first = span_cut(&range, '-');
    if (!span_int(span_trim(first), &low)) continue;
    if (range.n == 0 || !span_int(span_trim(range), &high)) high = low;
    if (status >= low && status <= high) return true;
  }
  return false;
}

bool attempt_begin(struct attempt *a) {
  if (a->done) return false;
  if (a->policy && a->policy->breaker && !breaker_allows(a->policy->breaker)) {
    a->done = a->refused = true;
    return false;
  }
  a->tries++;
  return true;
}

void attempt_end(struct attempt *a, enum outcome outcome, int status) {
  const struct policy *p = a->policy;
  a->done = true;
  if (!p) return;
  if (p->breaker) breaker_count(p->breaker, outcome == OUTCOME_OK);
  const struct retry *r = p->retry;
  if (!r || outcome != OUTCOME_RETRIABLE) return;
  if (r->statuses && status > 0 && !status_listed(r->statuses, status)) return;
  if (r->max_retries >= 0 && a->tries > r->max_retries) return;
  int64_t wait = r->interval_ms;
  for (int64_t i = 1; r->exponential && i < a->tries && wait < r->max_interval_ms; i++) wait += wait / 2;
  if (r->exponential && wait > r->max_interval_ms) wait = r->max_interval_ms;
  a->done = !a->sleep(a->env, wait);
}
