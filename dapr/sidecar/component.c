/* component.c: the table of component types, and what implementations share; see component.h. */
#include "component.h"

#include <stdarg.h>
#include <string.h>

#include "clock.h"
#include "sidecar.h"

extern const struct component_type state_memory_type, state_sqlite_type, state_redis_type, pubsub_memory_type, pubsub_redis_type,
    binding_http_type, binding_file_type, binding_redis_type, secrets_file_type, secrets_env_type, config_redis_type, lock_redis_type,
    lock_memory_type;

static const struct component_type *const types[] = {&state_memory_type, &state_sqlite_type, &state_redis_type,  &pubsub_memory_type,
                                                     &pubsub_redis_type, &binding_http_type, &binding_file_type, &binding_redis_type,
                                                     &secrets_file_type, &secrets_env_type,  &config_redis_type, &lock_redis_type,
                                                     &lock_memory_type};

enum { TYPES = sizeof types / sizeof *types };

const struct component_type *component_type_find(const char *type, mv_error_t *err) {
  char known[400] = "";
  for (size_t i = 0; i < TYPES; i++)
    if (strcmp(types[i]->type, type) == 0) return types[i];
  for (size_t i = 0, n = 0; i < TYPES && n < sizeof known; i++)
    n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", types[i]->type);
  report(err, MV_USAGE, "component type \"%s\" is not built in; known are: %s", type, known);
  return NULL;
}

const char *component_get(const struct component *c, const char *name) {
  const char *value = properties_find(&c->metadata, name);
  return value && *value ? value : NULL;
}

bool component_int(const struct component *c, const char *name, int64_t *value, mv_error_t *err) {
  const char *text = component_get(c, name);
  return !text || span_int(span_of(text), value) || component_fail(c, err, "metadata %s: \"%s\" is no integer", name, text);
}

bool component_duration(const struct component *c, const char *name, int64_t unit_ms, int64_t *ms, mv_error_t *err) {
  const char *text = component_get(c, name);
  if (text && strcmp(text, "-1") == 0) return *ms = 0, true; /* as Dapr says "none" */
  if (!text || clock_duration(span_of(text), unit_ms, ms)) return true;
  return component_fail(c, err, "metadata %s: \"%s\" is no duration: write 300ms, 5s, 1m30s", name, text);
}

bool component_fail(const struct component *c, mv_error_t *err, const char *format, ...) {
  char text[MV_ERROR_TEXT];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return report(err, MV_USAGE, "component %s (%s): %s", c->name, c->type, text);
}

void component_count(struct component *c, enum component_event event, bool ok) {
  atomic_fetch_add_explicit(&c->counts[event][ok], 1, memory_order_relaxed);
}

struct attempt component_attempt(const struct component *c) {
  return (struct attempt){.policy = c->outbound, .sleep = sidecar_sleep, .env = c->sidecar};
}

bool attempt_ok(const struct attempt *a, bool ok, struct buf *why) {
  if (!a->refused) return ok;
  buf_clear(why);
  buf_str(why, "circuit breaker is open");
  return false;
}

/* ---- rules of state stores ---- */

static enum state_status say(enum state_status status, struct buf *why, const char *text) {
  buf_str(why, text);
  return status;
}

enum state_status state_check_options(const struct state_write *w, struct buf *why) {
  const char *what = NULL;
  struct span got = w->concurrency;
  if (w->concurrency.n && !span_is(w->concurrency, "first-write") && !span_is(w->concurrency, "last-write")) {
    what = "concurrency";
  } else if (w->consistency.n && !span_is(w->consistency, "strong") && !span_is(w->consistency, "eventual")) {
    what = "consistency";
    got = w->consistency;
  }
  if (!what) return STATE_OK;
  buf_printf(why, "unrecognized %s model '", what);
  buf_span(why, got);
  return say(STATE_FAILED, why, "'");
}

enum state_status state_check_ttl(const char *ttl, const char *function, int64_t *seconds, struct buf *why) {
  *seconds = 0;
  if (!ttl || !*ttl || span_int(span_of(ttl), seconds)) return STATE_OK;
  size_t digits = strspn(ttl + (*ttl == '-' || *ttl == '+'), "0123456789");
  bool range = digits > 0 && ttl[digits + (*ttl == '-' || *ttl == '+')] == 0;
  buf_printf(why, "strconv.%s: parsing \"%s\": %s", function, ttl, range ? "value out of range" : "invalid syntax");
  return STATE_FAILED;
}

enum state_status state_check_etag(const struct state_write *w, bool exists, struct span current, struct buf *why) {
  bool given = w->has_etag && w->etag.n > 0;
  if (!given) {
    if (!span_is(w->concurrency, "first-write") || !exists) return STATE_OK;
    return say(STATE_MISMATCH, why, "item already exists and no etag was passed");
  }
  if (exists && span_equal(w->etag, current)) return STATE_OK;
  buf_str(why, exists ? "state etag not match for key=" : "state not exist or expired for key=");
  buf_span(why, w->key);
  if (!exists) return STATE_MISMATCH;
  buf_str(why, ": current=");
  buf_span(why, current);
  buf_str(why, ", expect=");
  buf_span(why, w->etag);
  return STATE_MISMATCH;
}

void state_explain(enum state_status status, struct buf *message, struct buf *why) {
  if (status == STATE_MISMATCH) buf_str(message, "possible etag mismatch. error from state store: ");
  if (status == STATE_INVALID_ETAG) buf_str(message, "invalid etag value: ");
  buf_span(message, buf_view(why));
}
