/* client.c: the C client of Dapr with keys and values that are not nice. usage: client.wasm, with the components of examples/orders. */
#include "../../../dapr/clients/c/dapr.h"

#include <stdlib.h>
#include <string.h>

static struct dapr d;

static void check(const char *name, bool ok) { printf(ok ? "ok %s\n" : "FAIL %s: %s\n", name, dapr_error(&d)); }

static bool has_member(const char *json, const char *name, const char *wanted) {
  char *value = dapr_member(json, name);
  bool same = wanted ? value && !strcmp(value, wanted) : !value;
  free(value);
  return same;
}

int main(void) {
  static const char *const keys[] = {"plain", "a b", "a/b", "a+b", "a%2Fb", "a?b=c", "a#b", "\xc3\xa9\xe2\x82\xac", "\"quoted\"", "a:b@c;d"};
  static const struct dapr_pair ttl[] = {{"ttlInSeconds", "100"}, {NULL, NULL}};
  static const struct dapr_pair raw[] = {{"rawPayload", "true"}, {NULL, NULL}};
  struct dapr_item item = {.key = "item", .value = "1", .metadata = ttl, .consistency = "strong"};
  struct dapr_operation operations[] = {{.item = {.key = "t1", .value = "{\"a\":[1,2]}"}}, {.remove = true, .item = {.key = "item"}}};
  dapr_init(&d);
  check("the port of the environment", getenv("DAPR_HTTP_PORT") && !strcmp(getenv("DAPR_HTTP_PORT"), "3500"));
  for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
    char *value = dapr_string(keys[i]);
    check("save", dapr_save(&d, "statestore", keys[i], value) && d.status == 204);
    check(keys[i], dapr_get(&d, "statestore", keys[i], NULL) && !strcmp(d.body, value) && d.etag[0]);
    check("delete", dapr_delete(&d, "statestore", keys[i], d.etag) && d.status == 204);
    check("is gone", dapr_get(&d, "statestore", keys[i], "eventual") && d.status == 204 && !d.size && !*d.body);
    free(value);
  }
  check("a key of a name that another has as its end", (dapr_get(&d, "statestore", "lain", NULL), d.size == 0));
  check("metadata", dapr_save_bulk(&d, "statestore", &item, 1));
  check("transaction", dapr_transaction(&d, "statestore", operations, 2, NULL));
  check("upsert", dapr_get(&d, "statestore", "t1", NULL) && !strcmp(d.body, "{\"a\":[1,2]}"));
  check("remove", dapr_get(&d, "statestore", "item", NULL) && d.status == 204);
  check("a wrong ETag", !dapr_delete(&d, "statestore", "t1", "4711") && d.status == 409);
  check("an unknown store", !dapr_get(&d, "nostore", "x", NULL) && d.status == 400 && strstr(dapr_error(&d), "ERR_STATE_STORE_NOT_FOUND"));
  check("publish text", dapr_publish(&d, "pubsub", "topic", "text", "text/plain", raw));
  check("publish to nobody", !dapr_publish(&d, "nopubsub", "topic", "1", NULL, NULL) && d.status == 404);
  check("all secrets", dapr_secret(&d, "secrets", NULL, NULL) && has_member(d.body, "carrier-key", "{\"carrier-key\":\"not-a-real-key\"}"));
  check("no secret", !dapr_secret(&d, "secrets", "none", NULL) && d.status != 200);
  check("no configuration", !dapr_configuration(&d, "nosettings", NULL, 0));
  check("no binding", !dapr_binding(&d, "nobinding", "create", "1", NULL));
  check("invoke nobody", !dapr_invoke(&d, "nobody", "GET", "/x", NULL, NULL) && d.status >= 400);
  check("member", has_member("{ \"a\" : 1 , \"b\":\"x,}\" ,\"c\":{\"a\":[2]}, \"d\\\"\":null}", "a", "1"));
  check("member with brackets", has_member("{\"a\":1,\"b\":\"x,}\",\"c\":{\"a\":[2]}}", "b", "\"x,}\"") && has_member("{\"c\":{\"a\":[2,{}]},\"z\":0}", "c", "{\"a\":[2,{}]}"));
  check("member with a quote", has_member("{\"d\\\"\":null}", "d\"", "null"));
  check("no member", has_member("{\"a\":1}", "b", NULL) && has_member("{}", "b", NULL) && has_member("", "b", NULL) && has_member("{\"a", "a", NULL) && has_member("[1]", "1", NULL));
  dapr_fini(&d);
  puts("done");
  return 0;
}
