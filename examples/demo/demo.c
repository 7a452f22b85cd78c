/* demo.c: saves two states and reads them back, printing its requests: the smallest program that uses Dapr. Run it twice: what the first run
 * saved is there.
 *
 *   clang --target=wasm32-wasi -I../../dapr/clients/c demo.c ../../dapr/clients/c/dapr.c -o demo.wasm
 *   minivm --dapr demo.wasm */
#include "dapr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool failed(struct dapr *d, const char *what) {
  fprintf(stderr, "%s: %s\n", what, dapr_error(d));
  return false;
}

static bool show_earlier(struct dapr *d) {
  if (!dapr_get(d, "statestore", "weapon", NULL)) return failed(d, "reading");
  printf("of an earlier run: %s\n", d->size ? d->body : "nothing");
  return true;
}

static bool save(struct dapr *d) {
  struct dapr_item planets = {.key = "planets", .value = "{\"name\":\"Tatooine\",\"test\":123}"};
  if (!dapr_save(d, "statestore", "weapon", "\"Death Star\"")) return failed(d, "saving weapon");
  return dapr_save_bulk(d, "statestore", &planets, 1) || failed(d, "saving planets");
}

/* Is this member of the last answer's object this JSON text? */
static bool is_member(const struct dapr *d, const char *name, const char *wanted) {
  char *value = dapr_member(d->body, name);
  bool same = value && !strcmp(value, wanted);
  free(value);
  return same;
}

static bool check(struct dapr *d) {
  if (!dapr_get(d, "statestore", "planets", NULL)) return failed(d, "reading planets");
  if (!is_member(d, "name", "\"Tatooine\"") || !is_member(d, "test", "123")) return false;
  return dapr_get(d, "statestore", "weapon", NULL) ? !strcmp(d->body, "\"Death Star\"") : failed(d, "reading weapon");
}

int main(void) {
  struct dapr d;
  bool ok;
  dapr_init(&d);
  d.trace = stdout;
  puts("Testing Dapr API ....");
  ok = show_earlier(&d) && save(&d) && check(&d);
  puts(ok ? "test successfully!" : "test failed!");
  dapr_fini(&d);
  return ok ? 0 : 1;
}
