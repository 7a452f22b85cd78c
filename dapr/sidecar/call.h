/* call.h: one request being served, and the ways to answer it. */
#ifndef SIDECAR_CALL_H
#define SIDECAR_CALL_H

#include "json.h"
#include "sidecar.h"

struct call {
  struct sidecar *sidecar;
  const struct http_request *request;
  const struct http_sink *sink;
  mv_error_t *err;
  struct pool *pool;
  struct span path, query;             /* raw */
  struct span args[ROUTE_ARGS];        /* decoded */
  int status;                          /* of the answer */
};

/* Handlers return what these return: false when the receiver has given up. */
bool reply(struct call *, int status, const char *const *headers, struct span body);
bool reply_empty(struct call *); /* 204 */
bool reply_json(struct call *, int status, struct span body);
/* {"errorCode": ..., "message": ...} */
bool reply_error(struct call *, int status, const char *code, const char *format, ...) MV_PRINTF(4, 5);
/* As above with "details": a list that starts as {0} and is filled by the functions below; it is released. */
bool reply_details(struct call *, int status, const char *code, struct span message, struct buf *details);
/* 200 with the JSON in *out and a line end, as Go's json.Encoder writes it; *out is released. */
bool reply_line(struct call *, struct buf *out);
bool reply_no_memory(struct call *);
/* 404 ERR_DIRECT_INVOKE: what no route serves. */
bool reply_no_app_id(struct call *);

void detail_info(struct buf *details, const char *reason, const struct properties *metadata); /* metadata NULL: null */
void detail_resource(struct buf *details, const char *type, struct span name, struct span description);
void detail_bad_request(struct buf *details, struct span field, struct span description);

const char *call_header(const struct call *, const char *name);
/* The metadata.* parameters of the query. */
MV_MUST_USE bool call_metadata(struct call *, struct properties *);
struct span call_body(const struct call *);
/* Checks the body as JSON. false: answered 400 with `prefix` before Go's words (the answer is in *sent). */
MV_MUST_USE bool call_json(struct call *, const char *prefix, struct json *, bool *sent);
/* Fields of a body. false: not of that type; `field` is Go's name of it, the answer has been sent. */
MV_MUST_USE bool call_text(struct call *, struct json value, const char *field, struct span *out, bool *sent);
MV_MUST_USE bool call_text_map(struct call *, struct json value, const char *field, struct properties *out, bool *sent);

/* The routes' handlers, by file. */
bool state_get(struct call *), state_save(struct call *), state_delete(struct call *), state_bulk_get(struct call *),
    state_transaction(struct call *), state_query(struct call *);
bool publish(struct call *), publish_bulk(struct call *);
bool binding_invoke(struct call *);
bool secret_get(struct call *), secret_list(struct call *);
bool config_get(struct call *), config_subscribe(struct call *), config_unsubscribe(struct call *);
bool lock_acquire(struct call *), lock_release(struct call *);
bool health(struct call *), health_outbound(struct call *), metadata_get(struct call *), metadata_put(struct call *),
    shut_down(struct call *);
bool invoke(struct call *);
/* Building blocks that are not built in. */
bool no_actors(struct call *), no_jobs(struct call *), no_crypto(struct call *), no_conversation(struct call *), no_workflow(struct call *);

#endif
