/* api_publish.c: /v1.0/publish: wraps data into a CloudEvent and hands it to the pub/sub component. */
#include <string.h>
#include <strings.h>

#include "call.h"
#include "clock.h"
#include "url.h"

/* ---- errors ---- */

static bool reply_pubsub(struct call *c, int status, const char *code, const char *message, const char *reason,
                         const struct properties *info) {
  struct buf details = {0};
  detail_resource(&details, "pubsub", c->args[0], span_of(message));
  detail_info(&details, reason, info);
  return reply_details(c, status, code, span_of(message), &details);
}

/* {"appID": ..., "error": ...} */
static struct properties app_info(struct call *c, const char *error) {
  struct properties p = {0};
  bool ok = properties_set(c->pool, &p, "appID", c->sidecar->app_id) && (!error || properties_set(c->pool, &p, "error", error));
  return ok ? p : (struct properties){0};
}

static struct component *find_pubsub(struct call *c, const struct properties *metadata, bool *sent) {
  struct component *p = sidecar_find(c->sidecar, PUBSUB, c->args[0]);
  if (p) return p;
  struct buf details = {0};
  const char *message = pool_printf(c->pool, "pubsub %s is not found", c->args[0].p);
  detail_info(&details, "DAPR_PUBSUB_NOT_FOUND", metadata);
  *sent = reply_details(c, 404, "ERR_PUBSUB_NOT_FOUND", span_of(message), &details);
  return NULL;
}

static bool is_bool(const char *text, bool *value) {
  const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"}, *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
  for (size_t i = 0; i < 6; i++) {
    if (strcmp(text, yes[i]) == 0) return *value = true, true;
    if (strcmp(text, no[i]) == 0) return *value = false, true;
  }
  return false;
}

/* rawPayload of the request. false: answered. */
static bool read_raw(struct call *c, const struct properties *metadata, bool *raw, bool *sent) {
  const char *text = properties_find(metadata, "rawPayload");
  *raw = false;
  if (!text || is_bool(text, raw)) return true;
  const char *message = pool_printf(c->pool,
                                    "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is '%s'", text);
  *sent = reply_pubsub(c, 400, "ERR_PUBSUB_REQUEST_METADATA", message, "DAPR_PUBSUB_METADATA_DESERIALIZATION", metadata);
  return false;
}

static bool check_allowed(struct call *c, struct component *p, const char *topic, bool *sent) {
  if (pubsub_allowed(p, "publishingScopes", topic)) return true;
  const char *message = pool_printf(c->pool, "topic %s is not allowed for app id %s", topic, c->sidecar->app_id);
  struct properties info = app_info(c, NULL);
  *sent = reply_pubsub(c, 403, "ERR_PUBSUB_FORBIDDEN", message, "DAPR_PUBSUB_FORBIDDEN", &info);
  return false;
}

/* ---- CloudEvents ---- */

enum content { CONTENT_TEXT, CONTENT_JSON, CONTENT_BYTES, CONTENT_EVENT };

static enum content content_of(const char *type) {
  struct span rest = span_of(type), main_type = span_trim(span_cut(&rest, ';'));
  if (span_is_nocase(main_type, "application/json")) return CONTENT_JSON;
  if (span_is_nocase(main_type, "application/octet-stream")) return CONTENT_BYTES;
  return span_is_nocase(main_type, "application/cloudevents+json") ? CONTENT_EVENT : CONTENT_TEXT;
}

static void put_text(struct buf *b, const char *name, const char *value) {
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, span_of(value), JSON_HTML);
}

static const char *metadata_or(const struct properties *metadata, const char *name, const char *otherwise) {
  const char *value = properties_find(metadata, name);
  return value ? value : otherwise;
}

struct event {
  struct sidecar *sidecar;
  const char *topic, *pubsub, *content_type, *trace_parent, *trace_state;
  const struct properties *metadata;
};

/* The members that Dapr sets whatever the event had: later ones replace earlier ones of the same name. */
static void put_common(struct buf *b, const struct event *e) {
  int64_t seconds;
  const char *ttl = properties_get(e->metadata, "ttlInSeconds");
  char time[CLOCK_TEXT];
  put_text(b, "pubsubname", e->pubsub);
  put_text(b, "topic", e->topic);
  put_text(b, "traceid", e->trace_parent);
  put_text(b, "traceparent", e->trace_parent);
  put_text(b, "tracestate", e->trace_state);
  if (!ttl || !span_int(span_of(ttl), &seconds) || seconds <= 0 || seconds > 4000000000) return;
  clock_rfc3339(clock_wall_ms() + seconds * 1000, time);
  put_text(b, "expiration", time);
}

static void put_new(struct buf *b, const struct event *e, struct span data) {
  struct json json;
  struct buf unused = {0};
  char uuid[UUID_SIZE], time[CLOCK_TEXT];
  const char *type = e->content_type && *e->content_type ? e->content_type : "text/plain";
  enum content content = content_of(type);
  random_uuid(&e->sidecar->random, uuid);
  clock_rfc3339(clock_wall_ms(), time);
  if (content == CONTENT_BYTES) {
    buf_str(b, "{\"data_base64\":\"");
    base64_encode(b, data);
    buf_char(b, '"');
  } else if (content == CONTENT_JSON && json_check(data, &json, &unused)) {
    buf_str(b, "{\"data\":");
    buf_put(b, json.p, json.n);
  } else {
    buf_str(b, "{\"data\":");
    json_quote(b, data, JSON_HTML);
  }
  buf_fini(&unused);
  put_text(b, "datacontenttype", type);
  put_text(b, "id", metadata_or(e->metadata, "cloudevent.id", uuid));
  put_text(b, "source", metadata_or(e->metadata, "cloudevent.source", e->sidecar->app_id));
  put_text(b, "specversion", "1.0");
  put_text(b, "time", time);
  put_text(b, "type", metadata_or(e->metadata, "cloudevent.type", "com.dapr.event.sent"));
}

static bool has(struct json object, const char *name) {
  struct json v;
  return json_member_exact(object, span_of(name), &v) && json_kind(v) != JSON_NULL;
}

/* An event that the publisher has made himself. */
static bool put_given(struct buf *b, struct span data, struct buf *why) {
  struct json event;
  char time[CLOCK_TEXT];
  if (!json_check(data, &event, why)) return false;
  if (json_kind(event) != JSON_OBJECT) {
    buf_printf(why, "json: cannot unmarshal %s into Go value of type map[string]interface {}", json_kind_name(event));
    return false;
  }
  clock_rfc3339(clock_wall_ms(), time);
  buf_put(b, event.p, event.n - 1);
  if (!has(event, "source")) put_text(b, "source", "Dapr");
  if (!has(event, "type")) put_text(b, "type", "com.dapr.event.sent");
  if (!has(event, "specversion")) put_text(b, "specversion", "1.0");
  if (!has(event, "time")) put_text(b, "time", time);
  return true;
}

/* false: *why says why the data is no event. */
static bool make_event(struct buf *out, const struct event *e, struct span data, struct buf *why) {
  struct buf b = {0};
  struct json event;
  bool ok = true;
  if (content_of(e->content_type ? e->content_type : "") == CONTENT_EVENT) ok = put_given(&b, data, why);
  else put_new(&b, e, data);
  put_common(&b, e);
  buf_char(&b, '}');
  if (ok && !b.failed) { /* what was added to an empty object begins with a comma too many */
    char *comma = memchr(b.p, ',', b.n), *quote = memchr(b.p, '"', b.n);
    if (comma && quote && comma < quote) *comma = ' ';
  }
  if (ok) ok = json_check(buf_view(&b), &event, why) && json_normal(out, event, JSON_HTML | JSON_DIGITS);
  if (!ok && why->n == 0) buf_str(why, "out of memory");
  buf_fini(&b);
  return ok;
}

static bool reply_no_event(struct call *c, const char *why) {
  struct properties info = app_info(c, why);
  return reply_pubsub(c, 500, "ERR_PUBSUB_CLOUD_EVENTS_SER", "cannot create cloudevent", "DAPR_PUBSUB_CLOUD_EVENT_CREATION", &info);
}

/* ---- publish ---- */

bool publish(struct call *c) {
  bool sent, raw;
  struct properties metadata;
  if (!call_metadata(c, &metadata)) return reply_no_memory(c);
  struct component *p = find_pubsub(c, &metadata, &sent);
  const char *topic = c->args[1].p;
  if (!p || !read_raw(c, &metadata, &raw, &sent) || !check_allowed(c, p, topic, &sent)) return sent;
  struct sidecar *sc = c->sidecar;
  struct buf event = {0}, why = {0};
  struct message m = {topic, call_body(c), metadata};
  if (!raw) {
    char trace[TRACE_TEXT] = "";
    const char *state = call_header(c, "tracestate");
    bool tracing = sc->sampling > 0;
    if (tracing) trace_child(&sc->random, span_of(call_header(c, "traceparent")), trace_sampled(sc), trace);
    struct event e = {sc, topic, p->name, call_header(c, "Content-Type"), trace, tracing && state ? state : "", &metadata};
    if (!make_event(&event, &e, m.data, &why)) {
      sent = reply_no_event(c, buf_text(&why));
      buf_fini(&event);
      buf_fini(&why);
      return sent;
    }
    m.data = buf_view(&event);
  }
  if (pubsub_publish(p, &m, &why)) {
    sent = reply_empty(c);
  } else {
    struct properties info = app_info(c, buf_text(&why));
    const char *message = pool_printf(c->pool, "error when publishing to topic %s in pubsub %s: %s", topic, p->name, buf_text(&why));
    sent = reply_pubsub(c, 500, "ERR_PUBSUB_PUBLISH_MESSAGE", message, "DAPR_PUBSUB_PUBLISH_MESSAGE", &info);
  }
  buf_fini(&event);
  buf_fini(&why);
  return sent;
}

/* ---- bulk ---- */

struct entry {
  struct span id;
  const char *content_type;
  struct properties metadata;
  struct buf data;
};

/* The bytes of an entry's event by its content type. */
static bool entry_bytes(struct call *c, struct json event, const char *type, struct buf *out) {
  enum content content = content_of(type);
  if (content == CONTENT_JSON || content == CONTENT_EVENT) return json_normal(out, event, JSON_HTML);
  if (json_kind(event) != JSON_STRING) return false;
  struct span text = json_text(c->pool, event);
  if (content == CONTENT_BYTES && base64_decode(out, text)) return true;
  buf_clear(out);
  buf_span(out, text);
  return true;
}

static bool reply_events(struct call *c, const char *reason, const char *error, const char *format) {
  struct properties info = app_info(c, error);
  char *message = pool_printf(c->pool, format, c->args[1].p, c->args[0].p, error);
  return reply_pubsub(c, 400, "ERR_PUBSUB_EVENTS_SER", message ? message : error, reason, &info);
}

static bool read_entry(struct call *c, struct json item, const struct entry *before, size_t n, struct entry *e, bool *sent) {
  const char mismatch[] = "error: mismatch between contentType and event", no_id[] = "entryId is duplicated or not present for entry";
  struct json v, event = {"null", 4};
  struct span type = SPAN("");
  *e = (struct entry){.id = SPAN("")};
  if (json_member(item, "entryId", &v) && !call_text(c, v, "bulkPublishMessageEntry.entryId", &e->id, sent)) return false;
  if (json_member(item, "contentType", &v) && !call_text(c, v, "bulkPublishMessageEntry.contentType", &type, sent)) return false;
  if (json_member(item, "metadata", &v) && !call_text_map(c, v, "bulkPublishMessageEntry.metadata", &e->metadata, sent)) return false;
  json_member(item, "event", &event);
  e->content_type = type.p;
  bool made = entry_bytes(c, event, type.p, &e->data);
  if (e->data.failed || c->pool->failed) return *sent = reply_no_memory(c), false;
  if (!made)
    return *sent = reply_events(c, "DAPR_PUBSUB_MARSHAL_ENVELOPE", mismatch,
                                "error when marshalling cloud event envelope for topic %s pubsub %s: %s"),
           false;
  bool twice = e->id.n == 0;
  for (size_t i = 0; i < n && !twice; i++) twice = span_equal(before[i].id, e->id);
  if (twice)
    *sent = reply_events(c, "DAPR_PUBSUB_MARSHAL_EVENTS", no_id, "error marshaling events to bytes for topic %s pubsub %s. error: %s");
  return !twice;
}

static bool read_entries(struct call *c, const struct properties *metadata, struct entry **out, size_t *count, bool *sent) {
  struct json body, item;
  struct buf why = {0};
  bool ok = json_check(call_body(c), &body, &why);
  if (ok && json_kind(body) != JSON_ARRAY && json_kind(body) != JSON_NULL) {
    buf_printf(&why, "json: cannot unmarshal %s into Go value of type []http.bulkPublishMessageEntry", json_kind_name(body));
    ok = false;
  }
  if (!ok) {
    struct properties info = app_info(c, NULL);
    const char *message = pool_printf(c->pool, "error when unmarshaling the request for topic %s pubsub %s: %s", c->args[1].p, c->args[0].p,
                                      buf_text(&why));
    *sent = reply_pubsub(c, 400, "ERR_PUBSUB_EVENTS_SER", message, "DAPR_PUBSUB_UNMARSHAL_EVENTS", &info);
  }
  buf_fini(&why);
  for (struct json_walk w = {0}; ok && json_next(body, &w, NULL, &item);) {
    struct entry *list = pool_grow(c->pool, *out, *count, sizeof *list);
    if (!list) return *sent = reply_no_memory(c), false;
    *out = list;
    ok = read_entry(c, item, list, *count, &list[*count], sent);
    ++*count;
    struct entry *e = &list[*count - 1];
    for (size_t i = 0; ok && e->metadata.n && i < metadata->n; i++) /* the entry's own metadata beat the request's */
      if (!properties_get(&e->metadata, metadata->p[i].name))
        ok = properties_set(c->pool, &e->metadata, metadata->p[i].name, metadata->p[i].value);
  }
  return ok;
}

/* Publishes one entry; what fails is added to the list of the answer. */
static void publish_entry(struct call *c, struct component *p, const struct entry *e, bool raw, struct buf *failed) {
  struct sidecar *sc = c->sidecar;
  struct buf event = {0}, why = {0};
  struct message m = {c->args[1].p, buf_view(&e->data), e->metadata};
  bool ok = true;
  if (!raw) {
    char trace[TRACE_TEXT]; /* each event of a bulk has a trace of its own, also where tracing is off */
    trace_child(&sc->random, sc->sampling > 0 ? span_of(call_header(c, "traceparent")) : SPAN(""), sc->sampling > 0 && trace_sampled(sc),
                trace);
    struct event ev = {sc, m.topic, p->name, e->content_type, trace, "", &e->metadata};
    ok = make_event(&event, &ev, m.data, &why);
    m.data = buf_view(&event);
  }
  ok = ok && pubsub_publish(p, &m, &why);
  if (!ok) {
    buf_str(failed, failed->n ? ",{\"entryId\":" : "{\"entryId\":");
    json_quote(failed, e->id, JSON_HTML);
    buf_str(failed, ",\"error\":");
    json_quote(failed, buf_view(&why), JSON_HTML);
    buf_char(failed, '}');
  }
  buf_fini(&event);
  buf_fini(&why);
}

bool publish_bulk(struct call *c) {
  bool sent, raw;
  struct properties metadata;
  struct entry *entries = NULL;
  size_t n = 0;
  if (!call_metadata(c, &metadata)) return reply_no_memory(c);
  struct component *p = find_pubsub(c, &metadata, &sent);
  if (!p || !read_raw(c, &metadata, &raw, &sent) || !check_allowed(c, p, c->args[1].p, &sent)) return sent;
  if (read_entries(c, &metadata, &entries, &n, &sent)) {
    struct buf failed = {0}, out = {0};
    for (size_t i = 0; i < n; i++) publish_entry(c, p, &entries[i], raw, &failed);
    if (failed.n) buf_printf(&out, "{\"failedEntries\":[%s],\"errorCode\":\"ERR_PUBSUB_PUBLISH_MESSAGE\"}", buf_text(&failed));
    sent = failed.n ? reply_json(c, 500, buf_view(&out)) : reply_empty(c);
    buf_fini(&failed);
    buf_fini(&out);
  }
  for (size_t i = 0; i < n; i++) buf_fini(&entries[i].data);
  return sent;
}
