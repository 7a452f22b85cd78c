/* api_state.c: /v1.0/state: save, get, delete, bulk get, transactions. */
#include <string.h>

#include "call.h"
#include "clock.h"
#include "url.h"

/* Operations under the store's resiliency policy: what failed for another reason than an ETag is tried again. */
static enum outcome outcome_of(enum state_status status) {
  return status == STATE_OK ? OUTCOME_OK : status == STATE_FAILED ? OUTCOME_RETRIABLE : OUTCOME_FINAL;
}

static enum state_status run_writes(struct component *store, const struct state_write *w, size_t n, struct buf *why,
                                    enum state_status (*many)(struct component *, const struct state_write *, size_t, struct buf *)) {
  const struct state_ops *ops = store->is->ops;
  enum state_status status = STATE_FAILED;
  struct attempt a = component_attempt(store);
  while (attempt_begin(&a)) {
    buf_clear(why);
    status = many ? many(store, w, n, why) : ops->write(store, w, why);
    attempt_end(&a, outcome_of(status), 0);
  }
  return attempt_ok(&a, true, why) ? status : STATE_FAILED;
}

static enum state_status run_get(struct component *store, struct span key, struct state_item *item, struct buf *why) {
  const struct state_ops *ops = store->is->ops;
  enum state_status status = STATE_FAILED;
  struct attempt a = component_attempt(store);
  while (attempt_begin(&a)) {
    buf_clear(why);
    buf_clear(&item->value);
    buf_clear(&item->etag);
    status = ops->get(store, key, item, why);
    attempt_end(&a, outcome_of(status), 0);
  }
  return attempt_ok(&a, true, why) ? status : STATE_FAILED;
}

/* The store that the path names, or NULL: answered. */
static struct component *find_store(struct call *c, bool *sent) {
  struct component *store = sidecar_find(c->sidecar, STATE, c->args[0]);
  if (store) return store;
  bool none = c->sidecar->kind_count[STATE] == 0;
  struct properties p = {0};
  struct buf details = {0}, message = {0};
  bool ok = properties_set(c->pool, &p, "appID", c->sidecar->app_id);
  detail_info(&details, none ? "DAPR_STATE_NOT_CONFIGURED" : "DAPR_STATE_NOT_FOUND", ok ? &p : NULL);
  buf_printf(&message, "state store %s is not %s", c->args[0].p, none ? "configured" : "found");
  const char *code = none ? "ERR_STATE_STORE_NOT_CONFIGURED" : "ERR_STATE_STORE_NOT_FOUND";
  *sent = reply_details(c, none ? 500 : 400, code, buf_view(&message), &details);
  buf_fini(&message);
  return NULL;
}

/* Puts the store's prefix before a key. false: the key has the separator in it, answered. `field` names it in the answer. */
static bool make_key(struct call *c, const struct component *store, struct span key, struct span field, struct span *full, bool *sent) {
  if (span_has(key, "||")) {
    struct buf details = {0}, text = {0};
    buf_str(&text, "api error: code = InvalidArgument desc = input key/keyPrefix '");
    buf_span(&text, key);
    buf_str(&text, "' can't contain '||'");
    detail_bad_request(&details, field, buf_view(&text));
    detail_resource(&details, "state", span_of(store->name), SPAN(""));
    detail_info(&details, "DAPR_STATE_ILLEGAL_KEY", NULL);
    *sent = reply_details(c, 400, "ERR_MALFORMED_REQUEST", buf_view(&text), &details);
    buf_fini(&text);
    return false;
  }
  size_t n = strlen(store->key_prefix);
  char *p = pool_alloc(c->pool, n + key.n + 1);
  if (!p) return *sent = reply_no_memory(c), false;
  memcpy(p, store->key_prefix, n);
  memcpy(p + n, key.p, key.n);
  p[n + key.n] = 0;
  *full = (struct span){p, n + key.n};
  return true;
}

static bool reply_state_error(struct call *c, enum state_status status, bool bulk, struct buf *why, const char *code, const char *prefix) {
  struct buf message = {0};
  if (bulk) { /* daprd wraps the error of a bulk operation once more */
    struct buf inner = {0};
    state_explain(status, &inner, why);
    state_explain(status, &message, &inner);
    buf_fini(&inner);
  } else {
    state_explain(status, &message, why);
  }
  int http = status == STATE_MISMATCH ? 409 : status == STATE_INVALID_ETAG ? 400 : 500;
  bool ok = reply_error(c, http, code, "%s%s", prefix, buf_text(&message));
  buf_fini(&message);
  return ok;
}

/* ---- get ---- */

bool state_get(struct call *c) {
  bool sent;
  struct span key;
  struct component *store = find_store(c, &sent);
  if (!store || !make_key(c, store, c->args[1], c->args[1], &key, &sent)) return sent;
  struct state_item item = {0};
  struct buf why = {0};
  enum state_status status = run_get(store, key, &item, &why);
  component_count(store, EVENT_GET, status == STATE_OK);
  if (status != STATE_OK) {
    sent = reply_error(c, 500, "ERR_STATE_GET", "fail to get %s from state store %s: %s", c->args[1].p, store->name, buf_text(&why));
  } else if (!item.found) {
    sent = reply_empty(c);
  } else {
    char expires[CLOCK_TEXT];
    const char *headers[8] = {"Content-Type", "application/json"};
    size_t n = 2;
    if (item.has_etag) headers[n++] = "Etag", headers[n++] = buf_text(&item.etag);
    if (item.expires_ms) {
      clock_rfc3339(item.expires_ms, expires);
      headers[n++] = "Metadata.ttlexpiretime";
      headers[n++] = expires;
    }
    sent = reply(c, 200, headers, buf_view(&item.value));
  }
  buf_fini(&item.value);
  buf_fini(&item.etag);
  buf_fini(&why);
  return sent;
}

/* ---- save ---- */

/* "etag" and "options" of a save or of an operation in a transaction. */
static bool read_conditions(struct call *c, struct json object, const char *type, struct state_write *w, bool *sent) {
  struct json v, option;
  char field[64];
  if (json_member(object, "etag", &v) && json_kind(v) != JSON_NULL) {
    snprintf(field, sizeof field, "%s.etag", type);
    w->has_etag = true;
    if (!call_text(c, v, field, &w->etag, sent)) return false;
  }
  if (!json_member(object, "options", &v)) return true;
  snprintf(field, sizeof field, "%s.options.concurrency", type);
  if (json_member(v, "concurrency", &option) && !call_text(c, option, field, &w->concurrency, sent)) return false;
  snprintf(field, sizeof field, "%s.options.consistency", type);
  return !json_member(v, "consistency", &option) || call_text(c, option, field, &w->consistency, sent);
}

/* The value as the store keeps it; it lives in the pool. */
static bool read_value(struct call *c, const struct component *store, struct json object, struct span *value, bool *sent) {
  const struct state_ops *ops = store->is->ops;
  struct json v;
  struct buf out = {0};
  *value = SPAN("null");
  if (!json_member(object, "value", &v)) return true;
  enum json_kind kind = json_kind(v);
  bool as_is = kind == JSON_BOOL || kind == JSON_NULL;
  if (!as_is && !json_normal(&out, v, ops->json_flags)) {
    const char words[] = "json: cannot unmarshal number into Go value of type float64";
    *sent = out.failed ? reply_no_memory(c) : reply_error(c, 400, "ERR_MALFORMED_REQUEST", "%s", words);
    buf_fini(&out);
    return false;
  }
  *value = as_is ? (struct span){v.p, v.n} : (struct span){pool_copy(c->pool, buf_view(&out)), out.n};
  buf_fini(&out);
  if (!value->p) *sent = reply_no_memory(c);
  return value->p != NULL;
}

/* ttlInSeconds of the query beats that of the body. */
static bool read_ttl(struct call *c, struct json object, const char *field, const struct properties *query, struct state_write *w,
                     bool *sent) {
  struct properties given = {0};
  struct json v;
  if (json_member(object, "metadata", &v) && !call_text_map(c, v, field, &given, sent)) return false;
  w->ttl = properties_get(query, "ttlInSeconds");
  if (!w->ttl) w->ttl = properties_get(&given, "ttlInSeconds");
  return true;
}

static bool read_save(struct call *c, const struct component *store, struct json item, const struct properties *query,
                      struct state_write *w, bool *sent) {
  struct json v;
  struct span key = SPAN("");
  if (json_kind(item) != JSON_OBJECT && json_kind(item) != JSON_NULL) {
    *sent = reply_error(c, 400, "ERR_MALFORMED_REQUEST", "json: cannot unmarshal %s into Go value of type state.SetRequest",
                        json_kind_name(item));
    return false;
  }
  if (json_member(item, "key", &v) && !call_text(c, v, "SetRequest.key", &key, sent)) return false;
  if (!read_ttl(c, item, "SetRequest.metadata", query, w, sent) || !read_conditions(c, item, "SetRequest", w, sent)) return false;
  if (!read_value(c, store, item, &w->value, sent)) return false;
  if (key.n == 0) return *sent = reply_error(c, 400, "ERR_MALFORMED_REQUEST", "\"key\" is a required field"), false;
  return make_key(c, store, key, key, &w->key, sent);
}

bool state_save(struct call *c) {
  bool sent;
  struct json body, item;
  struct properties query;
  struct component *store = find_store(c, &sent);
  if (!store || !call_json(c, "", &body, &sent)) return sent;
  if (json_kind(body) != JSON_ARRAY && json_kind(body) != JSON_NULL)
    return reply_error(c, 400, "ERR_MALFORMED_REQUEST", "json: cannot unmarshal %s into Go value of type []state.SetRequest",
                       json_kind_name(body));
  if (!call_metadata(c, &query)) return reply_no_memory(c);
  struct state_write *w = NULL;
  size_t n = 0;
  for (struct json_walk walk = {0}; json_next(body, &walk, NULL, &item); n++) {
    w = pool_grow(c->pool, w, n, sizeof *w);
    if (!w) return reply_no_memory(c);
    w[n] = (struct state_write){0};
    if (!read_save(c, store, item, &query, &w[n], &sent)) return sent;
  }
  if (n == 0) return reply_empty(c);
  const struct state_ops *ops = store->is->ops;
  struct buf why = {0};
  enum state_status status = run_writes(store, w, n, &why, n > 1 ? ops->write_many : NULL);
  component_count(store, EVENT_SET, status == STATE_OK);
  if (status == STATE_OK) {
    sent = reply_empty(c);
  } else {
    const char *prefix = pool_printf(c->pool, "failed saving state in state store %s: ", store->name);
    sent = reply_state_error(c, status, n > 1, &why, "ERR_STATE_SAVE", prefix ? prefix : "");
  }
  buf_fini(&why);
  return sent;
}

/* ---- delete ---- */

static struct span query_text(struct call *c, const char *name) {
  struct span value = url_query_get(c->pool, c->query, name);
  return value.p ? value : SPAN("");
}

bool state_delete(struct call *c) {
  bool sent;
  struct state_write w = {.remove = true};
  struct component *store = find_store(c, &sent);
  if (!store || !make_key(c, store, c->args[1], c->args[1], &w.key, &sent)) return sent;
  const char *etag = call_header(c, "If-Match");
  w.has_etag = etag != NULL;
  w.etag = span_of(etag);
  w.concurrency = query_text(c, "concurrency");
  w.consistency = query_text(c, "consistency");
  struct buf why = {0};
  enum state_status status = run_writes(store, &w, 1, &why, NULL);
  component_count(store, EVENT_DELETE, status == STATE_OK);
  if (status == STATE_OK) {
    sent = reply_empty(c);
  } else {
    const char *prefix = pool_printf(c->pool, "failed deleting state with key %s: ", c->args[1].p);
    sent = reply_state_error(c, status, false, &why, "ERR_STATE_DELETE", prefix ? prefix : "");
  }
  buf_fini(&why);
  return sent;
}

/* ---- bulk get ---- */

static void print_item(struct buf *out, struct span key, enum state_status status, const struct state_item *item, const struct buf *why) {
  char expires[CLOCK_TEXT];
  buf_str(out, "{\"key\":");
  json_quote(out, key, JSON_HTML);
  if (status != STATE_OK) {
    buf_str(out, ",\"error\":");
    json_quote(out, buf_view(why), JSON_HTML);
  } else if (item->found) {
    struct json v;
    struct buf unused = {0};
    buf_str(out, ",\"data\":");
    if (json_check_all(buf_view(&item->value), &v, &unused)) buf_put(out, v.p, v.n);
    else json_quote(out, buf_view(&item->value), JSON_HTML); /* written by another client, no JSON */
    buf_fini(&unused);
    if (item->has_etag) buf_str(out, ",\"etag\":"), json_quote(out, buf_view(&item->etag), JSON_HTML);
    if (item->expires_ms) {
      clock_rfc3339(item->expires_ms, expires);
      buf_printf(out, ",\"metadata\":{\"ttlExpireTime\":\"%s\"}", expires);
    }
  }
  buf_char(out, '}');
}

bool state_bulk_get(struct call *c) {
  bool sent;
  struct json body, keys = {"", 0}, item;
  struct component *store = find_store(c, &sent);
  if (!store || !call_json(c, "failed deserializing HTTP body: ", &body, &sent)) return sent;
  if (json_kind(body) != JSON_OBJECT && json_kind(body) != JSON_NULL)
    return reply_error(c, 400, "ERR_MALFORMED_REQUEST",
                       "failed deserializing HTTP body: json: cannot unmarshal %s into Go value of type http.BulkGetRequest",
                       json_kind_name(body));
  json_member(body, "keys", &keys);
  struct span *full = NULL, *plain = NULL, text;
  size_t n = 0;
  for (struct json_walk w = {0}; json_next(keys, &w, NULL, &item); n++) {
    full = pool_grow(c->pool, full, n, sizeof *full);
    plain = pool_grow(c->pool, plain, n, sizeof *plain);
    if (!full || !plain) return reply_no_memory(c);
    if (!call_text(c, item, "BulkGetRequest.keys", &text, &sent)) return sent;
    plain[n] = text;
    if (!make_key(c, store, text, text, &full[n], &sent)) return sent;
  }
  struct buf out = {0};
  buf_char(&out, '[');
  for (size_t i = 0; i < n; i++) {
    struct state_item found = {0};
    struct buf why = {0};
    enum state_status status = run_get(store, full[i], &found, &why);
    if (i) buf_char(&out, ',');
    print_item(&out, plain[i], status, &found, &why);
    buf_fini(&found.value);
    buf_fini(&found.etag);
    buf_fini(&why);
  }
  buf_str(&out, "]\n");
  component_count(store, EVENT_BULK_GET, true);
  sent = out.failed ? reply_no_memory(c) : reply_json(c, 200, buf_view(&out));
  buf_fini(&out);
  return sent;
}

/* ---- transaction ---- */

static bool read_operation(struct call *c, const struct component *store, struct json item, const struct properties *query,
                           struct state_write *w, bool *sent) {
  struct json v, request = {"", 0};
  struct span operation = SPAN(""), key = SPAN("");
  if (json_member(item, "operation", &v) && !call_text(c, v, "stateTransactionRequestBodyOperation.operations.operation", &operation, sent))
    return false;
  w->remove = span_is(operation, "delete");
  if (!w->remove && !span_is(operation, "upsert"))
    return *sent = reply_error(c, 400, "ERR_NOT_SUPPORTED_STATE_OPERATION", "operation type %s not supported", operation.p), false;
  json_member(item, "request", &request);
  if (json_member(request, "key", &v) && !call_text(c, v, "SetRequest.key", &key, sent)) return false;
  if (!read_conditions(c, request, "SetRequest", w, sent) || !read_ttl(c, request, "SetRequest.metadata", query, w, sent)) return false;
  if (!w->remove && !read_value(c, store, request, &w->value, sent)) return false;
  return make_key(c, store, key, SPAN(""), &w->key, sent);
}

bool state_transaction(struct call *c) {
  bool sent;
  struct json body, operations = {"", 0}, item;
  struct properties query;
  struct component *store = find_store(c, &sent);
  if (!store || !call_json(c, "failed deserializing HTTP body: ", &body, &sent)) return sent;
  if (json_kind(body) != JSON_OBJECT && json_kind(body) != JSON_NULL)
    return reply_error(c, 400, "ERR_MALFORMED_REQUEST",
                       "failed deserializing HTTP body: json: cannot unmarshal %s into Go value of type http.stateTransactionRequestBody",
                       json_kind_name(body));
  if (!call_metadata(c, &query)) return reply_no_memory(c);
  json_member(body, "operations", &operations);
  struct state_write *w = NULL;
  size_t n = 0;
  for (struct json_walk walk = {0}; json_next(operations, &walk, NULL, &item); n++) {
    w = pool_grow(c->pool, w, n, sizeof *w);
    if (!w) return reply_no_memory(c);
    w[n] = (struct state_write){0};
    if (!read_operation(c, store, item, &query, &w[n], &sent)) return sent;
  }
  if (n == 0) return reply_empty(c);
  const struct state_ops *ops = store->is->ops;
  struct buf why = {0}, message = {0};
  enum state_status status = run_writes(store, w, n, &why, ops->transact);
  component_count(store, EVENT_TRANSACTION, status == STATE_OK);
  state_explain(status, &message, &why);
  sent = status == STATE_OK
             ? reply_empty(c)
             : reply_error(c, 500, "ERR_STATE_TRANSACTION", "error while executing state transaction: %s", buf_text(&message));
  buf_fini(&message);
  buf_fini(&why);
  return sent;
}

/* ---- query (alpha): no store that is built in has it ---- */

bool state_query(struct call *c) {
  struct component *store = sidecar_find(c->sidecar, STATE, c->args[0]);
  struct buf details = {0}, message = {0};
  if (store) {
    detail_resource(&details, "state", c->args[0], SPAN(""));
    buf_str(&message, "state store does not support querying");
  } else {
    buf_printf(&message, "state store %s is not found", c->args[0].p);
  }
  detail_info(&details, store ? "DAPR_STATE_QUERYING_NOT_SUPPORTED" : "DAPR_STATE_NOT_FOUND", NULL);
  bool sent = reply_details(c, store ? 500 : 400, store ? "ERR_STATE_STORE_NOT_SUPPORTED" : "ERR_STATE_STORE_NOT_FOUND", buf_view(&message),
                            &details);
  buf_fini(&message);
  return sent;
}
