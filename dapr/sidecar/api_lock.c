/* api_lock.c: /v1.0-alpha1/lock and unlock. */
#include "call.h"

struct lock_request {
  struct span resource, owner, key;
  int64_t seconds;
};

/* protojson takes both spellings of a name. */
static bool either(struct json body, const char *camel, const char *snake, struct json *v) {
  return json_member_exact(body, span_of(camel), v) || json_member_exact(body, span_of(snake), v);
}

static struct component *read_lock(struct call *c, bool expiry, struct lock_request *out, bool *sent) {
  struct json body, v;
  struct component *store = sidecar_find(c->sidecar, LOCK, c->args[0]);
  const char *missing = NULL;
  if (!call_json(c, "failed deserializing HTTP body: proto: ", &body, sent)) return NULL;
  *out = (struct lock_request){.resource = SPAN(""), .owner = SPAN("")};
  if (either(body, "resourceId", "resource_id", &v) && !call_text(c, v, "TryLockRequest.resourceId", &out->resource, sent)) return NULL;
  if (either(body, "lockOwner", "lock_owner", &v) && !call_text(c, v, "TryLockRequest.lockOwner", &out->owner, sent)) return NULL;
  if (either(body, "expiryInSeconds", "expiry_in_seconds", &v))
    out->seconds = json_int(v) <= INT32_MAX ? json_int(v) : 0;
  if (!store) {
    *sent = c->sidecar->kind_count[LOCK] == 0 ? reply_error(c, 500, "ERR_LOCK_STORE_NOT_CONFIGURED", "lock store is not configured")
                                              : reply_error(c, 400, "ERR_LOCK_STORE_NOT_FOUND", "lock store %s not found", c->args[0].p);
    return NULL;
  }
  if (out->resource.n == 0) missing = "ResourceId is empty";
  else if (out->owner.n == 0) missing = "LockOwner is empty";
  else if (expiry && out->seconds <= 0) missing = "ExpiryInSeconds is not positive";
  else if (span_has(out->resource, "||")) missing = "ResourceId contains ||";
  if (missing) return *sent = reply_error(c, 400, "ERR_MALFORMED_REQUEST", "%s in lock store %s", missing, store->name), NULL;
  char *key = pool_printf(c->pool, "%s%s", store->key_prefix, out->resource.p);
  if (!key) return *sent = reply_no_memory(c), NULL;
  out->key = span_of(key);
  return store;
}

bool lock_acquire(struct call *c) {
  bool sent, got = false;
  struct lock_request r;
  struct component *store = read_lock(c, true, &r, &sent);
  if (!store) return sent;
  const struct lock_ops *ops = store->is->ops;
  struct buf why = {0};
  struct attempt a = component_attempt(store);
  bool ok = false;
  while (attempt_begin(&a)) {
    buf_clear(&why);
    ok = ops->acquire(store, r.key, r.owner, r.seconds, &got, &why);
    attempt_end(&a, ok ? OUTCOME_OK : OUTCOME_RETRIABLE, 0);
  }
  ok = attempt_ok(&a, ok, &why);
  component_count(store, EVENT_SET, ok);
  if (ok) sent = reply_json(c, 200, got ? SPAN("{\"success\":true}") : SPAN("{\"success\":false}"));
  else sent = reply_error(c, 500, "ERR_TRY_LOCK", "failed to try acquiring lock: %s", buf_text(&why));
  buf_fini(&why);
  return sent;
}

bool lock_release(struct call *c) {
  bool sent;
  struct lock_request r;
  struct component *store = read_lock(c, false, &r, &sent);
  if (!store) return sent;
  const struct lock_ops *ops = store->is->ops;
  const struct span answers[] = {SPAN("{\"status\":0}"), SPAN("{\"status\":1}"), SPAN("{\"status\":2}")};
  struct buf why = {0};
  enum unlock_status status = ops->release(store, r.key, r.owner, &why);
  component_count(store, EVENT_DELETE, status != UNLOCK_FAILED);
  if (status != UNLOCK_FAILED) sent = reply_json(c, 200, answers[status]);
  else sent = reply_error(c, 500, "ERR_UNLOCK", "failed to release lock: %s", buf_text(&why));
  buf_fini(&why);
  return sent;
}
