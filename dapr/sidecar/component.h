/* component.h: what a component is: a type from one table, and an implementation behind an interface. */
#ifndef SIDECAR_COMPONENT_H
#define SIDECAR_COMPONENT_H

#include <stdatomic.h>

#include "policy.h"
#include "text.h"

struct sidecar;

enum component_kind { STATE, PUBSUB, BINDING, SECRETS, CONFIGURATION, LOCK, COMPONENT_KINDS };

/* What is counted for /metrics. */
enum component_event {
  EVENT_GET,
  EVENT_SET,
  EVENT_DELETE,
  EVENT_BULK_GET,
  EVENT_TRANSACTION,
  EVENT_PUBLISH,
  EVENT_DELIVER,
  EVENT_DROP,
  EVENT_RETRY,
  EVENT_INVOKE,
  EVENT_KINDS
};

struct component {
  const char *name, *type, *version;
  const struct component_type *is;
  struct properties metadata;
  struct sidecar *sidecar;
  const struct policy *outbound, *inbound; /* resiliency; NULL: none */
  void *self;                              /* the implementation's */
  const char *key_prefix;                  /* STATE, LOCK: what stands before a key: "app||" or "" */
  _Atomic unsigned long counts[EVENT_KINDS][2]; /* failed, succeeded */
};

struct component_type {
  enum component_kind kind;
  const char *type;         /* "state.redis" */
  const char *capabilities; /* as /v1.0/metadata lists them: "A","B"; "" for none */
  const void *ops;          /* struct state_ops, pubsub_ops ... */
  bool (*open)(struct component *, mv_error_t *err); /* sets self */
  void (*close)(struct component *);                 /* self may be NULL */
};

/* The type of this name; NULL: *err lists those that exist. */
const struct component_type *component_type_find(const char *type, mv_error_t *err);

/* Metadata of a component file, names regardless of case. */
const char *component_get(const struct component *, const char *name);
MV_MUST_USE bool component_int(const struct component *, const char *name, int64_t *value, mv_error_t *err);
MV_MUST_USE bool component_duration(const struct component *, const char *name, int64_t unit_ms, int64_t *ms, mv_error_t *err);
/* report() with "component NAME (TYPE): " before the text. */
bool component_fail(const struct component *, mv_error_t *err, const char *format, ...) MV_PRINTF(3, 4);
void component_count(struct component *, enum component_event, bool ok);

/* An operation on the component under its outbound policy, for attempt_begin and attempt_end. */
struct attempt component_attempt(const struct component *);
/* After the last attempt: `ok`, or false with a reason when the circuit breaker has let none through. */
bool attempt_ok(const struct attempt *, bool ok, struct buf *why);

/* ---- state stores ---- */

enum state_status {
  STATE_OK,
  STATE_MISMATCH,     /* an ETag does not match */
  STATE_INVALID_ETAG, /* it cannot be one */
  STATE_FAILED
};

struct state_write {
  bool remove;
  struct span key;   /* with its prefix */
  struct span value; /* JSON in Go's normal form */
  bool has_etag;
  struct span etag, concurrency, consistency;
  const char *ttl; /* ttlInSeconds as it was sent; NULL: none */
};

struct state_item {
  bool found, has_etag;
  struct buf value, etag;
  int64_t expires_ms; /* wall time; 0: never or not told */
};

struct state_ops {
  unsigned json_flags; /* how values are normalised: JSON_HTML or 0 */
  enum state_status (*get)(struct component *, struct span key, struct state_item *, struct buf *why);
  enum state_status (*write)(struct component *, const struct state_write *, struct buf *why);
  /* Several at once; each store has its own rule whether all or none. */
  enum state_status (*write_many)(struct component *, const struct state_write *, size_t n, struct buf *why);
  enum state_status (*transact)(struct component *, const struct state_write *, size_t n, struct buf *why);
};

/* The rules that the in-memory and the SQLite store share. */
MV_MUST_USE enum state_status state_check_options(const struct state_write *, struct buf *why);
/* ttl in seconds; 0: none. `function` is the Go function whose words a refusal has: "Atoi" or "ParseInt". */
MV_MUST_USE enum state_status state_check_ttl(const char *ttl, const char *function, int64_t *seconds, struct buf *why);
MV_MUST_USE enum state_status state_check_etag(const struct state_write *, bool exists, struct span current, struct buf *why);
/* The prefix of ETag errors in daprd's words. */
void state_explain(enum state_status, struct buf *message, struct buf *why);

/* ---- publish and subscribe ---- */

struct message {
  const char *topic;
  struct span data;
  struct properties metadata;
};

struct subscriber {
  const char *topic;
  /* true: handled for good; false: nobody has taken it, deliver it again later. Called on many threads. */
  bool (*deliver)(void *env, const struct message *);
  void *env;
};

struct pubsub_ops {
  bool (*publish)(struct component *, const struct message *, struct buf *why);
  bool (*subscribe)(struct component *, const struct subscriber *, mv_error_t *err); /* before start */
  bool (*start)(struct component *, mv_error_t *err);
  void (*stop)(struct component *); /* no new deliveries begin */
};

/* ---- output bindings ---- */

struct binding_call {
  const char *operation;
  struct span data; /* JSON */
  struct properties metadata;
  struct pool *pool;
  /* the answer */
  bool answered; /* false: there is nothing to say (204) */
  struct buf out;
  struct properties out_metadata;
};

struct binding_ops {
  const char *operations; /* "create get ..." */
  bool (*invoke)(struct component *, struct binding_call *, struct buf *why);
};

/* ---- secret stores ---- */

struct secrets_ops {
  /* A secret's values; false with nothing in *why: it does not exist. */
  bool (*get)(struct component *, struct pool *, const char *key, struct properties *values, struct buf *why);
  /* Calls each() for every secret in order of their names. */
  bool (*list)(struct component *, struct pool *, bool (*each)(void *env, const char *key, const struct properties *values), void *env,
               struct buf *why);
};

/* ---- configuration stores ---- */

struct config_item {
  const char *key, *value, *version; /* value NULL: deleted */
};

struct config_ops {
  /* keys NULL-terminated; none: all. */
  bool (*get)(struct component *, struct pool *, const char *const *keys, struct config_item **items, size_t *n, struct buf *why);
  /* update() is called on another thread until unsubscribe; id is a UUID. */
  bool (*subscribe)(struct component *, const char *const *keys, const char *id,
                    void (*update)(struct component *, const char *id, const struct config_item *), struct buf *why);
  bool (*unsubscribe)(struct component *, const char *id, struct buf *why); /* false: no such id */
};

/* ---- locks ---- */

enum unlock_status { UNLOCK_OK, UNLOCK_NO_LOCK, UNLOCK_OTHERS, UNLOCK_FAILED };

struct lock_ops {
  bool (*acquire)(struct component *, struct span key, struct span owner, int64_t seconds, bool *got, struct buf *why);
  enum unlock_status (*release)(struct component *, struct span key, struct span owner, struct buf *why);
};

#endif
