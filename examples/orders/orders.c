/* orders.c: a shop that uses most of Dapr: states with ETags and in transactions, an event, a secret, an output binding, and, where they are there, a
 * configuration and another application. The programs in the other languages do the same and print the same.
 *
 *   orders.wasm [SHIPPING]     SHIPPING: an app id, or a URL that --allow-http allows */
#include "dapr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char store[] = "statestore";

static void need(struct dapr *d, bool ok, const char *what) {
  if (ok) return;
  printf("%s: %s\n", what, dapr_error(d));
  exit(1);
}

static void fill_stock(struct dapr *d) {
  static const struct dapr_item stock[] = {{.key = "stock/apple", .value = "3"}, {.key = "stock/pear", .value = "1"}};
  static const char *const keys[] = {"stock/apple", "stock/pear"};
  for (int i = 0; i < 2; i++) need(d, dapr_delete(d, store, keys[i], NULL), "stock"); /* of an earlier run: a state that was saved as first-write stays so */
  need(d, dapr_save_bulk(d, store, stock, 2), "stock");
  need(d, dapr_get_bulk(d, store, keys, 2), "stock");
  need(d, strstr(d->body, "stock/apple") && strstr(d->body, "stock/pear"), "stock");
  puts("stock: 3 apples, 1 pear");
}

/* Takes from the stock and writes the order, both or neither; a stock that another has changed since is not overwritten. */
static void order(struct dapr *d) {
  char left[16], etag[64];
  struct dapr_operation both[] = {{.item = {.key = "stock/apple", .value = left, .etag = etag, .concurrency = "first-write"}},
                                  {.item = {.key = "order 1", .value = "{\"fruit\":\"apple\",\"count\":2}"}}};
  struct dapr_item late = {.key = "stock/apple", .value = "99", .etag = etag, .concurrency = "first-write"};
  need(d, dapr_get(d, store, "stock/apple", "strong"), "order");
  snprintf(left, sizeof left, "%d", atoi(d->body) - 2);
  strcpy(etag, d->etag);
  need(d, dapr_transaction(d, store, both, 2, NULL), "order");
  need(d, dapr_get(d, store, "stock/apple", NULL), "order");
  printf("order 1: 2 apples, %s left\n", d->body);
  puts(dapr_save_bulk(d, store, &late, 1) ? "a stale ETag was taken!" : "a stale ETag is refused");
}

static void tell(struct dapr *d) {
  static const struct dapr_pair name[] = {{"fileName", "order-1.txt"}, {NULL, NULL}};
  char *secret;
  need(d, dapr_publish(d, "pubsub", "orders", "{\"order\":1}", NULL, NULL), "event");
  puts("event published");
  need(d, dapr_secret(d, "secrets", "carrier-key", NULL), "secret");
  secret = dapr_member(d->body, "carrier-key");
  printf("secret of %zu characters\n", secret ? strlen(secret) - 2 : 0);
  free(secret);
  need(d, dapr_binding(d, "receipts", "create", "\"2 apples\"", name), "receipt");
  puts("receipt written");
}

static void ask(struct dapr *d, const char *shipping) {
  static const char *const key[] = {"discount"};
  char *item = dapr_configuration(d, "settings", key, 1) ? dapr_member(d->body, "discount") : NULL;
  char *value = item ? dapr_member(item, "value") : NULL;
  printf("discount: %s\n", value ? value : "none");
  free(item);
  free(value);
  if (!shipping) return;
  need(d, dapr_invoke(d, shipping, "POST", "echo?order=1", "2 apples", "text/plain"), "shipping");
  printf("shipping: %s\n", d->body);
}

static void clean(struct dapr *d) {
  need(d, dapr_delete(d, store, "order 1", NULL), "delete");
  need(d, dapr_get(d, store, "order 1", NULL), "delete");
  puts(d->size ? "order 1 is still there!" : "order 1 deleted");
}

int main(int argc, char **argv) {
  struct dapr d;
  dapr_init(&d);
  fill_stock(&d);
  order(&d);
  tell(&d);
  ask(&d, argc > 1 ? argv[1] : NULL);
  clean(&d);
  dapr_fini(&d);
  return 0;
}
