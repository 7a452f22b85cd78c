/* dapr.h: a Dapr client for C programs compiled to WebAssembly, over the imports wasi_experimental_http.
 *
 *   struct dapr d;
 *   dapr_init(&d);
 *   if (!dapr_save(&d, "statestore", "weapon", "\"Death Star\"")) fprintf(stderr, "%s\n", dapr_error(&d));
 *   if (dapr_get(&d, "statestore", "weapon", NULL)) puts(d.body);
 *   dapr_fini(&d);
 *
 * Compile with dapr.c: clang --target=wasm32-wasi app.c dapr.c -o app.wasm; run: minivm --dapr app.wasm.
 *
 * Every call sends one request and returns true when the sidecar answers with a status from 200 to 299. The answer is then in the fields of the client
 * until the next call. Values are JSON text; dapr_string makes a JSON string. Optional arguments may be NULL. Strings are never kept.
 * (c) the minivm authors, Apache-2.0 */
#ifndef DAPR_CLIENT_H
#define DAPR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct dapr {
  const char *url;  /* of the sidecar; dapr_init sets http://127.0.0.1:$DAPR_HTTP_PORT, by default 3500 */
  FILE *trace;      /* where each request is printed; NULL: nowhere */
  int status;       /* of the last answer; 0: there was none */
  unsigned code;    /* of the last import that failed (1 to 13) when there was no answer */
  char *body;       /* of the last answer, terminated; never NULL after a call that returned true */
  size_t size;
  char etag[64];    /* of the last answer; empty: it had none */
  char address[64]; /* what url points to by default */
  bool no_memory;
};

/* A list of names and values, ended by a NULL name: metadata, query parameters, headers. */
struct dapr_pair {
  const char *name, *value;
};

/* A state to save. Only key and value must be set. */
struct dapr_item {
  const char *key, *value;          /* value: JSON */
  const char *etag;                 /* save only when the stored one is this */
  const struct dapr_pair *metadata; /* such as ttlInSeconds */
  const char *concurrency;          /* "first-write" or "last-write" */
  const char *consistency;          /* "strong" or "eventual" */
};

/* One operation of a transaction: an upsert, or a deletion (without a value). */
struct dapr_operation {
  bool remove;
  struct dapr_item item;
};

void dapr_init(struct dapr *);
void dapr_fini(struct dapr *);
/* Why the last call returned false, in words. Valid until the next call. */
const char *dapr_error(struct dapr *);

/* State. dapr_get: d.body is the value, d.size 0 (status 204) when there is none. */
bool dapr_save(struct dapr *, const char *store, const char *key, const char *value);
bool dapr_save_bulk(struct dapr *, const char *store, const struct dapr_item *items, size_t count);
bool dapr_get(struct dapr *, const char *store, const char *key, const char *consistency);
/* d.body: [{"key":...,"data":...,"etag":...}, ...] */
bool dapr_get_bulk(struct dapr *, const char *store, const char *const *keys, size_t count);
bool dapr_delete(struct dapr *, const char *store, const char *key, const char *etag);
/* All or nothing. */
bool dapr_transaction(struct dapr *, const char *store, const struct dapr_operation *operations, size_t count, const struct dapr_pair *metadata);

/* Publishes `data` as an event of this content type; NULL: application/json. */
bool dapr_publish(struct dapr *, const char *pubsub, const char *topic, const char *data, const char *content_type, const struct dapr_pair *metadata);
/* Calls a method of another application. `path` may have slashes and a query; body and content_type may be NULL. */
bool dapr_invoke(struct dapr *, const char *app, const char *method, const char *path, const char *body, const char *content_type);
/* d.body: {"key":"secret"}; key NULL: all secrets, {"key":{"key":"secret"}, ...} */
bool dapr_secret(struct dapr *, const char *store, const char *key, const struct dapr_pair *metadata);
/* d.body: {"key":{"value":...,"version":...}, ...}; count 0: all keys */
bool dapr_configuration(struct dapr *, const char *store, const char *const *keys, size_t count);
/* Output binding. data: JSON or NULL. */
bool dapr_binding(struct dapr *, const char *name, const char *operation, const char *data, const struct dapr_pair *metadata);

/* `text` as a JSON string, with its quotes, to be freed. NULL: no memory. */
char *dapr_string(const char *text);
/* The member `name` of the JSON object `json` as it stands there (a string with its quotes), to be freed. NULL: there is none. */
char *dapr_member(const char *json, const char *name);

#endif
