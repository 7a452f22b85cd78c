/* reply.c: answers in daprd's form; see call.h. */
#include "call.h"

#include <stdarg.h>
#include <string.h>

#include "url.h"

bool reply(struct call *c, int status, const char *const *headers, struct span body) {
  const char *const none[] = {NULL};
  c->status = status;
  if (!c->sink->head(c->sink->env, status, headers ? headers : none)) return false;
  return body.n == 0 || c->sink->data(c->sink->env, body.p, body.n);
}

bool reply_empty(struct call *c) { return reply(c, 204, NULL, SPAN("")); }

bool reply_json(struct call *c, int status, struct span body) {
  const char *const headers[] = {"Content-Type", "application/json", NULL};
  bool head = strcmp(c->request->method, "HEAD") == 0;
  return reply(c, status, headers, head ? SPAN("") : body);
}

static bool send_error(struct call *c, int status, const char *code, struct span message, struct buf *details) {
  struct buf out = {0};
  buf_str(&out, "{\"errorCode\":");
  json_quote(&out, span_of(code), JSON_HTML);
  buf_str(&out, ",\"message\":");
  json_quote(&out, message, JSON_HTML);
  if (details) {
    buf_str(&out, ",\"details\":[");
    buf_span(&out, buf_view(details));
    buf_char(&out, ']');
  }
  buf_char(&out, '}');
  bool ok = reply_json(c, status, out.failed ? SPAN("{\"errorCode\":\"ERR_INTERNAL\",\"message\":\"out of memory\"}") : buf_view(&out));
  buf_fini(&out);
  return ok;
}

bool reply_error(struct call *c, int status, const char *code, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *text = n < 0 ? NULL : pool_alloc(c->pool, (size_t)n + 1);
  if (text) vsnprintf(text, (size_t)n + 1, format, again);
  va_end(again);
  return send_error(c, status, code, span_of(text ? text : "out of memory"), NULL);
}

bool reply_details(struct call *c, int status, const char *code, struct span message, struct buf *details) {
  bool ok = send_error(c, status, code, message, details);
  buf_fini(details);
  return ok;
}

bool reply_line(struct call *c, struct buf *out) {
  buf_char(out, '\n');
  bool sent = out->failed ? reply_no_memory(c) : reply_json(c, 200, buf_view(out));
  buf_fini(out);
  return sent;
}

bool reply_no_memory(struct call *c) { return reply_error(c, 500, "ERR_INTERNAL", "out of memory"); }

bool reply_no_app_id(struct call *c) {
  return reply_error(c, 404, "ERR_DIRECT_INVOKE", "failed getting app id either from the URL path or the header dapr-app-id");
}

/* ---- details of errors: google.rpc messages as JSON ---- */

static void begin(struct buf *d, const char *type) {
  buf_printf(d, "%s{\"@type\":\"type.googleapis.com/google.rpc.%s\"", d->n ? "," : "", type);
}

void detail_info(struct buf *d, const char *reason, const struct properties *metadata) {
  begin(d, "ErrorInfo");
  buf_str(d, ",\"domain\":\"dapr.io\",\"metadata\":");
  if (!metadata) buf_str(d, "null");
  for (size_t i = 0; metadata && i < metadata->n; i++) {
    buf_char(d, i ? ',' : '{');
    json_quote(d, span_of(metadata->p[i].name), JSON_HTML);
    buf_char(d, ':');
    json_quote(d, span_of(metadata->p[i].value), JSON_HTML);
  }
  if (metadata) buf_str(d, metadata->n ? "}" : "{}");
  buf_str(d, ",\"reason\":");
  json_quote(d, span_of(reason), JSON_HTML);
  buf_char(d, '}');
}

void detail_resource(struct buf *d, const char *type, struct span name, struct span description) {
  begin(d, "ResourceInfo");
  buf_str(d, ",\"description\":");
  json_quote(d, description, JSON_HTML);
  buf_str(d, ",\"owner\":\"\",\"resource_name\":");
  json_quote(d, name, JSON_HTML);
  buf_str(d, ",\"resource_type\":");
  json_quote(d, span_of(type), JSON_HTML);
  buf_char(d, '}');
}

void detail_bad_request(struct buf *d, struct span field, struct span description) {
  begin(d, "BadRequest");
  buf_str(d, ",\"field_violations\":[{");
  if (field.n) {
    buf_str(d, "\"field\":");
    json_quote(d, field, JSON_HTML);
    buf_char(d, ',');
  }
  buf_str(d, "\"description\":");
  json_quote(d, description, JSON_HTML);
  buf_str(d, "}]}");
}

/* ---- requests ---- */

const char *call_header(const struct call *c, const char *name) { return headers_get(c->request->headers, name); }

struct span call_body(const struct call *c) { return (struct span){c->request->body ? c->request->body : "", c->request->body_size}; }

bool call_metadata(struct call *c, struct properties *out) {
  struct span rest = c->query, name, value;
  *out = (struct properties){0};
  if (!span_has(c->query, "metadata.")) return true;
  while (url_query_next(c->pool, &rest, &name, &value)) {
    if (!span_starts(name, "metadata.") || properties_get(out, name.p + 9)) continue;
    if (!properties_set(c->pool, out, name.p + 9, value.p)) return false;
  }
  return !c->pool->failed;
}

bool call_json(struct call *c, const char *prefix, struct json *value, bool *sent) {
  struct buf why = {0};
  bool ok = json_check(call_body(c), value, &why);
  if (!ok) *sent = reply_error(c, 400, "ERR_MALFORMED_REQUEST", "%s%s", prefix, buf_text(&why));
  buf_fini(&why);
  return ok;
}

static bool wrong_type(struct call *c, struct json value, const char *field, const char *wanted, bool *sent) {
  *sent = reply_error(c, 400, "ERR_MALFORMED_REQUEST", "json: cannot unmarshal %s into Go struct field %s of type %s",
                      json_kind_name(value), field, wanted);
  return false;
}

bool call_text(struct call *c, struct json value, const char *field, struct span *out, bool *sent) {
  if (json_kind(value) == JSON_NULL) return *out = SPAN(""), true;
  if (json_kind(value) != JSON_STRING) return wrong_type(c, value, field, "string", sent);
  *out = json_text(c->pool, value);
  if (!out->p) *sent = reply_no_memory(c);
  return out->p != NULL;
}

bool call_text_map(struct call *c, struct json value, const char *field, struct properties *out, bool *sent) {
  struct json name, item;
  struct span key, text;
  if (json_kind(value) == JSON_NULL) return true;
  if (json_kind(value) != JSON_OBJECT) return wrong_type(c, value, field, "map[string]string", sent);
  for (struct json_walk w = {0}; json_next(value, &w, &name, &item);) {
    if (!call_text(c, item, field, &text, sent)) return false;
    key = json_text(c->pool, name);
    if (!properties_set(c->pool, out, key.p, text.p)) return *sent = reply_no_memory(c), false;
  }
  return true;
}
