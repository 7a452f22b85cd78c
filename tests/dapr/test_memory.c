/* Each allocation fails once: requests are answered with an error or the right answer, files are refused with a message, nothing is lost or crashes.
 * Built with -Wl,--wrap: only the sidecar's own allocations fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "support.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);

static _Thread_local long countdown = -1; /* this thread's allocation that fails; < 0: none */

static bool fails(void) { return countdown >= 0 && countdown-- == 0; }

void *__wrap_malloc(size_t n) { return fails() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t count, size_t n) { return fails() ? NULL : __real_calloc(count, n); }
void *__wrap_realloc(void *p, size_t n) { return fails() ? NULL : __real_realloc(p, n); }

static const char files[] =
    "kind: Component\nmetadata: {name: statestore}\nspec: {type: state.in-memory}\n---\nkind: Component\nmetadata: {name: lite}\nspec: {type: state.sqlite, metadata: [{name: connectionString, value: 'm.db'}]}\n"
    "---\nkind: Component\nmetadata: {name: pubsub}\nspec: {type: pubsub.in-memory}\n---\nkind: Component\nmetadata: {name: env}\nspec: {type: secretstores.local.env}\n"
    "---\nkind: Component\nmetadata: {name: locks}\nspec: {type: lock.in-memory}\n---\nkind: Component\nmetadata: {name: folder}\nspec: {type: bindings.localstorage, metadata: [{name: rootPath, value: files}]}\n"
    "---\nkind: Subscription\nspec: {topic: t, pubsubname: pubsub, routes: {rules: [{match: event.type == \"x\", path: /x}], default: /d}, bulkSubscribe: {enabled: true}}\n"
    "---\nkind: Resiliency\nmetadata: {name: r}\nspec: {policies: {retries: {q: {duration: 1ms, maxRetries: 1}}, circuitBreakers: {c: {trip: consecutiveFailures > 9}}}, targets: {apps: {a: {retry: q, circuitBreaker: c}}}}\n";

static const char *const resources[] = {"memory.yaml", NULL};

static void write_files(void) {
  FILE *f = fopen("memory.yaml", "w");
  assert_non_null(f);
  fputs(files, f);
  fclose(f);
}

static void opening(void **state) {
  (void)state;
  struct sidecar_options o = {.app_id = "app", .resources = resources, .log_level = DAPR_LOG_OFF};
  struct sidecar *sc = NULL;
  long n = 0;
  write_files();
  for (; !sc && n < 5000; n++) {
    mv_error_t err = {0};
    countdown = n;
    sc = minivm_dapr.open(&o, &err);
    countdown = -1;
    if (!sc) assert_true(err.message[0] != 0);
  }
  assert_non_null(sc);
  assert_true(n > 10); print_message("%ld allocations\n", n);
  minivm_dapr.close(sc);
}

static void requests(void **state) {
  (void)state;
  const char *const list[][3] = {
      {"POST", "/v1.0/state/statestore?metadata.ttlInSeconds=60", "[{\"key\":\"a\",\"value\":{\"z\":\"\\u00e9\",\"a\":[1.5,2]}},{\"key\":\"b\",\"value\":1}]"},
      {"GET", "/v1.0/state/statestore/a", NULL},
      {"POST", "/v1.0/state/lite", "[{\"key\":\"a\",\"value\":{\"z\":1}},{\"key\":\"b\",\"value\":1}]"},
      {"GET", "/v1.0/state/lite/a", NULL},
      {"POST", "/v1.0/state/statestore/bulk", "{\"keys\":[\"a\",\"b\",\"none\"]}"},
      {"POST", "/v1.0/state/statestore/transaction", "{\"operations\":[{\"operation\":\"upsert\",\"request\":{\"key\":\"c\",\"value\":[1]}},{\"operation\":\"delete\",\"request\":{\"key\":\"d\"}}]}"},
      {"GET", "/v1.0/state/nowhere/a", NULL},
      {"GET", "/v1.0/state/statestore/a%7C%7Cb", NULL},
      {"POST", "/v1.0/publish/pubsub/u?metadata.cloudevent.id=1", "{\"n\":1}"},
      {"POST", "/v1.0/publish/bulk/pubsub/u", "[{\"entryId\":\"1\",\"event\":{\"n\":1},\"contentType\":\"application/json\"}]"},
      {"POST", "/v1.0/bindings/folder", "{\"operation\":\"create\",\"data\":\"x y\",\"metadata\":{\"fileName\":\"a/b\"}}"},
      {"POST", "/v1.0/bindings/folder", "{\"operation\":\"list\"}"},
      {"GET", "/v1.0/secrets/env/HOME", NULL},
      {"POST", "/v1.0-alpha1/lock/locks", "{\"resourceId\":\"r\",\"lockOwner\":\"o\",\"expiryInSeconds\":1}"},
      {"PUT", "/v1.0/metadata/k", "v"},
      {"GET", "/v1.0/metadata", NULL},
      {"GET", "/v1.0/invoke/http://a/method/x", NULL},
      {"GET", "/v1.0/nothing", NULL}};
  struct sidecar_options o = {.app_id = "app", .resources = resources, .log_level = DAPR_LOG_OFF};
  mv_error_t err = {0};
  static struct got g;
  write_files();
  struct sidecar *sc = minivm_dapr.open(&o, &err);
  assert_non_null(sc);
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    int right = call(sc, list[i][0], list[i][1], NULL, list[i][2], &g);
    long n = 0;
    bool all = false;
    for (; !all && n < 1000; n++) {
      countdown = n;
      int status = call(sc, list[i][0], list[i][1], NULL, list[i][2], &g);
      all = countdown >= 0; /* fewer allocations than that: nothing failed */
      countdown = -1;
      if (status != right && status != 500 && status != -1)
        fail_msg("%s %s: %d after failure %ld: %s", list[i][0], list[i][1], status, n, g.body);
    }
    assert_true(all);
    assert_int_equal(call(sc, list[i][0], list[i][1], NULL, list[i][2], &g), right); /* and works again */
  }
  minivm_dapr.close(sc);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(opening), cmocka_unit_test(requests)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
