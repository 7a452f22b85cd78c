/* stress.c: everything at once on several threads, for ThreadSanitizer: usage stress [rounds]. */
#include <pthread.h>
#include <unistd.h>

#include "support.h"

enum { THREADS = 6 };

static struct sidecar *sc;
static long rounds = 300;
static atomic_long delivered, failed;

static bool app_handle(void *env, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  static const char subscribe[] =
      "[{\"pubsubname\":\"pubsub\",\"topic\":\"t\",\"route\":\"/t\"},{\"pubsubname\":\"pubsub\",\"topic\":\"b\",\"route\":\"/"
      "b\",\"bulkSubscribe\":{\"enabled\":true,\"maxMessagesCount\":4,\"maxAwaitDurationMs\":5}}]";
  const char *const headers[] = {"Content-Type", "application/json", NULL};
  (void)env;
  (void)err;
  bool ask = strcmp(r->path, "/dapr/subscribe") == 0;
  if (!ask) atomic_fetch_add(&delivered, 1);
  return sink->head(sink->env, 200, headers) && (!ask || sink->data(sink->env, subscribe, sizeof subscribe - 1));
}

static void expect(const char *method, const char *path, const char *body, struct got *g, int a, int b) {
  int status = call(sc, method, path, NULL, body, g);
  if (status == a || status == b) return;
  atomic_fetch_add(&failed, 1);
  fprintf(stderr, "FAIL %s %s: %d %s\n", method, path, status, g->body);
}

static void *work(void *env) {
  struct got *g = malloc(sizeof *g);
  char path[100], body[200];
  if (!g) abort();
  for (long i = 0; i < rounds; i++) {
    snprintf(body, sizeof body, "[{\"key\":\"k%ld\",\"value\":{\"n\":%ld}},{\"key\":\"shared\",\"value\":%ld}]", i % 7, i, i);
    expect("POST", "/v1.0/state/statestore", body, g, 204, 204);
    expect("POST", "/v1.0/state/memory", body, g, 204, 204);
    snprintf(path, sizeof path, "/v1.0/state/memory/k%ld", i % 7);
    expect("GET", path, NULL, g, 200, 204);
    if (i % 5 == 0) expect("DELETE", path, NULL, g, 204, 204);
    expect("GET", "/v1.0/state/statestore/shared", NULL, g, 200, 200);
    expect("POST", "/v1.0/state/memory/transaction",
           "{\"operations\":[{\"operation\":\"upsert\",\"request\":{\"key\":\"tx\",\"value\":1}},{\"operation\":\"delete\",\"request\":{"
           "\"key\":\"k1\"}}]}",
           g, 204, 204);
    expect("POST", "/v1.0/publish/pubsub/t", "{\"n\":1}", g, 204, 204);
    expect("POST", "/v1.0/publish/pubsub/b", "{\"n\":1}", g, 204, 204);
    expect("POST", "/v1.0-alpha1/lock/locks", "{\"resourceId\":\"r\",\"lockOwner\":\"o\",\"expiryInSeconds\":1}", g, 200, 200);
    expect("POST", "/v1.0-alpha1/unlock/locks", "{\"resourceId\":\"r\",\"lockOwner\":\"o\"}", g, 200, 200);
    snprintf(path, sizeof path, "/v1.0/metadata/k%ld", i % 3);
    expect("PUT", path, "value", g, 204, 204);
    expect("GET", "/v1.0/metadata", NULL, g, 200, 200);
    expect("GET", "/v1.0/invoke/app/method/x", NULL, g, 200, 200);
    expect("GET", "/v1.0/healthz", NULL, g, 204, 500);
    struct http_request r = {"GET", "/metrics", "/metrics", NULL, NULL, 0};
    struct http_sink sink = {got_head, got_data, g};
    *g = (struct got){0};
    if (!minivm_dapr.metrics(sc, &r, &sink, NULL)) atomic_fetch_add(&failed, 1);
  }
  free(g);
  return env;
}

int main(int argc, char **argv) {
  static const char text[] =
      "kind: Component\nmetadata: {name: statestore}\nspec: {type: state.sqlite, metadata: [{name: connectionString, value: "
      "stress.db}]}\n---\nkind: Component\nmetadata: {name: memory}\nspec: {type: state.in-memory}\n"
      "---\nkind: Component\nmetadata: {name: pubsub}\nspec: {type: pubsub.in-memory}\n---\nkind: Component\nmetadata: {name: "
      "locks}\nspec: {type: lock.in-memory}\n";
  if (argc > 1) rounds = atol(argv[1]);
  FILE *f = fopen("stress.yaml", "w");
  if (!f || fputs(text, f) < 0 || fclose(f) != 0) return 2;
  const char *const resources[] = {"stress.yaml", NULL};
  struct sidecar_options o = {.app_id = "app", .resources = resources, .app = app_handle, .log_level = DAPR_LOG_ERROR};
  mv_error_t err = {0};
  pthread_t threads[THREADS];
  struct got *g = malloc(sizeof *g);
  sc = minivm_dapr.open(&o, &err);
  if (!sc || !g) return fprintf(stderr, "%s\n", err.message), 2;
  while (call(sc, "GET", "/v1.0/healthz", NULL, NULL, g) != 204) usleep(1000); /* subscribed: from here on nothing is lost */
  for (int i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) return 2;
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  minivm_dapr.close(sc); /* delivers what is queued */
  free(g);
  printf("%ld rounds on %d threads, %ld calls of the application, %ld failed\n", rounds, THREADS, atomic_load(&delivered),
         atomic_load(&failed));
  return atomic_load(&failed) != 0 || atomic_load(&delivered) < rounds * THREADS * 2;
}
