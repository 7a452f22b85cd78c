/* api_binding.c: /v1.0/bindings: output bindings. */
#include "call.h"

static bool has_word(const char *list, const char *word) {
  struct span rest = span_of(list);
  while (rest.n > 0)
    if (span_is(span_cut(&rest, ' '), word)) return true;
  return false;
}

static bool reply_binding(struct call *c, const struct binding_call *b, bool ok, struct buf *why) {
  struct headers h = {.pool = c->pool};
  bool good = headers_add(&h, "Content-Type", "application/json");
  for (size_t i = 0; good && i < b->out_metadata.n; i++)
    good = headers_add(&h, pool_printf(c->pool, "metadata.%s", b->out_metadata.p[i].name), b->out_metadata.p[i].value);
  if (!good) return reply_no_memory(c);
  if (ok) return b->answered ? reply(c, 200, (const char *const *)h.list, buf_view(&b->out)) : reply_empty(c);
  struct buf out = {0};
  buf_printf(&out, "error invoking output binding %s: ", c->args[0].p);
  buf_span(&out, buf_view(why));
  struct buf body = {0};
  buf_str(&body, "{\"errorCode\":\"ERR_INVOKE_OUTPUT_BINDING\",\"message\":");
  json_quote(&body, buf_view(&out), JSON_HTML);
  buf_char(&body, '}');
  bool sent = reply(c, 500, (const char *const *)h.list, buf_view(&body));
  buf_fini(&out);
  buf_fini(&body);
  return sent;
}

static bool run_binding(struct call *c, struct binding_call *b, struct buf *why) {
  struct component *binding = sidecar_find(c->sidecar, BINDING, c->args[0]);
  if (!binding) return buf_printf(why, "couldn't find output binding %s", c->args[0].p), false;
  const struct binding_ops *ops = binding->is->ops;
  if (!*b->operation) return buf_str(why, "operation field is missing from request"), false;
  if (!has_word(ops->operations, b->operation))
    return buf_printf(why, "binding %s does not support operation %s. supported operations:%s", binding->name, b->operation,
                      ops->operations),
           false;
  struct attempt a = component_attempt(binding);
  bool ok = false;
  while (attempt_begin(&a)) {
    buf_clear(why);
    buf_clear(&b->out);
    b->out_metadata.n = 0;
    ok = ops->invoke(binding, b, why);
    attempt_end(&a, ok ? OUTCOME_OK : OUTCOME_RETRIABLE, 0);
  }
  component_count(binding, EVENT_INVOKE, ok);
  return attempt_ok(&a, ok, why);
}

bool binding_invoke(struct call *c) {
  bool sent;
  struct json body, v;
  struct span operation = SPAN("");
  struct buf data = {0}, why = {0};
  struct binding_call b = {.pool = c->pool};
  if (!call_json(c, "failed deserializing HTTP body: ", &body, &sent)) return sent;
  if (json_kind(body) != JSON_OBJECT && json_kind(body) != JSON_NULL)
    return reply_error(c, 400, "ERR_MALFORMED_REQUEST",
                       "failed deserializing HTTP body: json: cannot unmarshal %s into Go value of type http.OutputBindingRequest",
                       json_kind_name(body));
  if (json_member(body, "operation", &v) && !call_text(c, v, "OutputBindingRequest.operation", &operation, &sent)) return sent;
  if (json_member(body, "metadata", &v) && !call_text_map(c, v, "OutputBindingRequest.metadata", &b.metadata, &sent)) return sent;
  bool ok = json_member(body, "data", &v) ? json_normal(&data, v, JSON_HTML) : (buf_str(&data, "null"), !data.failed);
  b.operation = operation.p;
  b.data = buf_view(&data);
  const char *traceparent = call_header(c, "traceparent");
  if (ok && c->sidecar->sampling > 0) {
    char *text = pool_alloc(c->pool, TRACE_TEXT);
    if (text) trace_child(&c->sidecar->random, span_of(traceparent), trace_sampled(c->sidecar), text);
    ok = properties_set(c->pool, &b.metadata, "traceparent", text);
  }
  sent = ok ? reply_binding(c, &b, run_binding(c, &b, &why), &why) : reply_no_memory(c);
  buf_fini(&b.out);
  buf_fini(&data);
  buf_fini(&why);
  return sent;
}
