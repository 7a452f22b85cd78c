/* fuzz.c: mutated requests and resource files, from a seed: usage fuzz [count] [seed]. Built with sanitizers, the test is that it ends. */
#include <unistd.h>

#include "support.h"

static uint64_t seed;

static uint32_t roll(uint32_t n) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return n ? (uint32_t)(seed >> 33) % n : 0;
}

/* Flips, drops, doubles and inserts; keeps a terminator; never longer than cap - 1. */
static void mutate(char *text, size_t cap) {
  static const char *const bits[] = {"\"",           "\\",   "{",  "}",   "[",  "]",    ":",    ",",     "\\u0000",   "\\ud800",
                                     "%00",          "%",    "||", "../", "//", "\xff", "\xc3", "0",     "-",         "1e999",
                                     "null",         "true", "\n", "\t",  " ",  "&",    "*x",   "---\n", "metadata.", "ttlInSeconds",
                                     "\xef\xbf\xbd", "'",    "#",  "|",   ">"};
  for (uint32_t times = 1 + roll(4); times > 0; times--) {
    size_t n = strlen(text), at = roll((uint32_t)n + 1);
    switch (roll(5)) {
      case 0:
        if (n) text[at % n] = (char)(1 + roll(255));
        break;
      case 1:
        if (n) memmove(text + at % n, text + at % n + 1, n - at % n);
        break;
      case 2: text[at] = 0; break;
      case 3: {
        size_t len = roll((uint32_t)(n - at) + 1);
        if (n + len < cap) memmove(text + at + len, text + at, n - at + 1);
        break;
      }
      default: {
        const char *bit = bits[roll(sizeof bits / sizeof *bits)];
        size_t len = strlen(bit);
        if (n + len >= cap) break;
        memmove(text + at + len, text + at, n - at + 1);
        memcpy(text + at, bit, len);
      }
    }
  }
}

static bool app_handle(void *env, const struct http_request *r, const struct http_sink *sink, mv_error_t *err) {
  static const char *const answers[] = {
      "", "{\"status\":\"DROP\"}", "{\"status\":1}", "{\"statuses\":[{\"entryId\":\"x\",\"status\":\"SUCCESS\"}]}", "{", "[]"};
  static const char subscribe[] =
      "[{\"pubsubname\":\"pubsub\",\"topic\":\"t\",\"routes\":{\"rules\":[{\"match\":\"event.data.n > 1 && event.type in "
      "['a']\",\"path\":\"/a\"}],\"default\":\"/b\"},\"deadLetterTopic\":\"u\"},"
      "{\"pubsubname\":\"pubsub\",\"topic\":\"u\",\"route\":\"/u\",\"metadata\":{\"rawPayload\":\"true\"}},"
      "{\"pubsubname\":\"pubsub\",\"topic\":\"b\",\"route\":\"/"
      "bulk\",\"bulkSubscribe\":{\"enabled\":true,\"maxMessagesCount\":3,\"maxAwaitDurationMs\":1}}]";
  static atomic_uint turn;
  const char *const headers[] = {"Content-Type", turn % 3 ? "application/json" : "", NULL};
  (void)env;
  (void)err;
  bool ask = strcmp(r->path, "/dapr/subscribe") == 0;
  unsigned t = atomic_fetch_add(&turn, 1);
  const char *body = ask ? subscribe : answers[t % 6];
  return sink->head(sink->env, ask || t % 5 ? 200 : t % 2 ? 404 : 500, headers) && sink->data(sink->env, body, strlen(body));
}

static const char *const requests[][3] = {
    {"POST", "/v1.0/state/statestore?metadata.ttlInSeconds=5", "[{\"key\":\"k1\",\"value\":{\"a\":[1,2.5,\"x\\u00e9\"],\"b\":null},\"etag\":\"1\",\"options\":{\"concurrency\":\"first-write\",\"consistency\":\"strong\"},\"metadata\":{\"ttlInSeconds\":\"9\"}}]"},
    {"GET", "/v1.0/state/statestore/k1?consistency=strong&metadata.a=b", ""},
    {"DELETE", "/v1.0/state/statestore/k%201?concurrency=first-write", ""},
    {"POST", "/v1.0/state/statestore/bulk", "{\"keys\":[\"k1\",\"k2\"],\"parallelism\":2}"},
    {"POST", "/v1.0/state/statestore/transaction", "{\"operations\":[{\"operation\":\"upsert\",\"request\":{\"key\":\"k1\",\"value\":1,\"etag\":\"x\"}},{\"operation\":\"delete\",\"request\":{\"key\":\"k2\"}}],\"metadata\":{\"a\":\"b\"}}"},
    {"POST", "/v1.0/publish/pubsub/t?metadata.cloudevent.id=5&metadata.ttlInSeconds=1", "{\"n\":5,\"x\":\"y\"}"},
    {"POST", "/v1.0/publish/pubsub/u?metadata.rawPayload=true", "raw bytes"},
    {"PUT", "/v1.0/publish/pubsub/b", "{\"n\":1}"},
    {"POST", "/v1.0/publish/bulk/pubsub/t", "[{\"entryId\":\"1\",\"event\":{\"n\":1},\"contentType\":\"application/json\",\"metadata\":{\"a\":\"b\"}},{\"entryId\":\"2\",\"event\":\"aGk=\",\"contentType\":\"application/octet-stream\"}]"},
    {"POST", "/v1.0/bindings/none", "{\"operation\":\"create\",\"data\":{\"a\":1},\"metadata\":{\"key\":\"x\"}}"},
    {"GET", "/v1.0/secrets/env/HOME?metadata.version_id=3", ""},
    {"GET", "/v1.0/secrets/env/bulk", ""},
    {"POST", "/v1.0-alpha1/lock/locks", "{\"resourceId\":\"r\",\"lockOwner\":\"o\",\"expiryInSeconds\":1}"},
    {"POST", "/v1.0-alpha1/unlock/locks", "{\"resource_id\":\"r\",\"lock_owner\":\"o\"}"},
    {"GET", "/v1.0/configuration/none?key=a&key=b", ""},
    {"GET", "/v1.0/metadata", ""},
    {"PUT", "/v1.0/metadata/key", "value"},
    {"GET", "/v1.0/invoke/fuzz/method/a/../b%2Fc?x=1", "body"},
    {"POST", "/v1.0/invoke/http%3A%2F%2F127.0.0.1:1/method/x", "body"},
    {"GET", "/v1.0/healthz?appid=fuzz", ""},
    {"POST", "/v1.0/actors/t/1/method/m", "{}"}};

static const char *const files[] = {
    "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.in-memory\n  version: v1\n  metadata:\n  - name: keyPrefix\n    value: name\n  - name: x\n    value: \"{uuid}{appID}\"\nscopes:\n- fuzz\n",
    "kind: Component\nmetadata: {name: env}\nspec: {type: secretstores.local.env, metadata: [{name: prefix, value: A_}]}\n---\nkind: Component\nmetadata: {name: p}\nauth: {secretStore: env}\nspec:\n  type: pubsub.in-memory\n  metadata:\n  - name: a\n    secretKeyRef: {name: B, key: B}\n  - name: publishingScopes\n    value: fuzz=a,b;x=y\n",
    "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata:\n  name: s\nspec:\n  topic: t\n  pubsubname: p\n  routes:\n    rules:\n    - match: event.type == \"widget\" && has(event.data.x) || event.data.n in [1, 2]\n      path: /widgets\n    default: /d\n  bulkSubscribe: {enabled: true, maxMessagesCount: 10, maxAwaitDurationMs: 40}\n  deadLetterTopic: dead\n  metadata: {rawPayload: \"true\"}\n---\nkind: Component\nmetadata: {name: p}\nspec: {type: pubsub.in-memory}\n",
    "kind: Resiliency\nmetadata: {name: r}\nscopes: [fuzz]\nspec:\n  policies:\n    timeouts: {t: 5s, u: 1m30s}\n    retries:\n      quick: {policy: constant, duration: 300ms, maxRetries: 3}\n      grow: {policy: exponential, maxInterval: 15s, matching: {httpStatusCodes: \"500-599,429\"}}\n    circuitBreakers:\n      cb: {timeout: 30s, interval: 8s, trip: consecutiveFailures >= 5 || (requests > 9 && totalFailures > 2)}\n  targets:\n    apps:\n      a: {timeout: t, retry: quick, circuitBreaker: cb}\n    components:\n      p: {inbound: {retry: quick}, outbound: {timeout: u, retry: grow}}\n",
    "kind: HTTPEndpoint\nmetadata: {name: h}\nspec:\n  baseUrl: http://127.0.0.1:1\n  headers:\n  - name: X-A\n    value: b\n  - name: X-E\n    envRef: HOME\n",
    "kind: Component\nmetadata: &m {name: l}\nspec: &s\n  type: lock.in-memory\n  ignoreErrors: true\n  metadata: []\n---\nkind: Component\nmetadata: {name: b}\nspec:\n  type: bindings.http\n  metadata:\n  - {name: url, value: 'http://127.0.0.1:1/x'}\n  - {name: responseTimeout, value: 1s}\n"};

static const char configuration[] =
    "kind: Configuration\nmetadata: {name: c}\nspec:\n  tracing: {samplingRate: \"0.5\"}\n  secrets:\n    scopes:\n    - storeName: env\n  "
    "    defaultAccess: deny\n      allowedSecrets: [A, B]\n      deniedSecrets: [C]\n  components: {deny: [state.redis/v1, bindings.http]}\n  api:\n    allowed:\n    - {name: state, version: v1.0, protocol: http}\n    denied: []\n  logging: {apiLogging: {enabled: true}}\n";

static void write_file(const char *name, const char *text, size_t n) {
  FILE *f = fopen(name, "w");
  if (!f || fwrite(text, 1, n, f) != n || fclose(f) != 0) abort();
}

static void fuzz_requests(long count) {
  static const char resources_text[] =
      "kind: Component\nmetadata: {name: statestore}\nspec: {type: state.in-memory}\n---\nkind: Component\nmetadata: {name: pubsub}\nspec: "
      "{type: pubsub.in-memory}\n"
      "---\nkind: Component\nmetadata: {name: env}\nspec: {type: secretstores.local.env}\n---\nkind: Component\nmetadata: {name: "
      "locks}\nspec: {type: lock.in-memory}\n";
  static char path[4096], body[8192], value[512];
  static struct got g;
  write_file("good.yaml", resources_text, sizeof resources_text - 1);
  const char *const resources[] = {"good.yaml", NULL};
  struct sidecar_options o = {.app_id = "fuzz", .resources = resources, .app = app_handle, .log_level = DAPR_LOG_OFF};
  mv_error_t err = {0};
  struct sidecar *sc = minivm_dapr.open(&o, &err);
  if (!sc) fprintf(stderr, "%s\n", err.message), abort();
  for (long i = 0; i < count; i++) {
    const char *const *r = requests[roll(sizeof requests / sizeof *requests)];
    snprintf(path, sizeof path, "%s", r[1]);
    snprintf(body, sizeof body, "%s", r[2]);
    snprintf(value, sizeof value, "%s",
             roll(2) ? "application/cloudevents+json" : "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    if (roll(2)) mutate(path, sizeof path);
    if (roll(4)) mutate(body, sizeof body);
    if (roll(2)) mutate(value, sizeof value);
    static const char *const names[] = {"Content-Type", "dapr-app-id", "If-Match", "traceparent", "Authorization", "dapr-api-token"};
    const char *headers[] = {names[roll(6)], value, NULL};
    call(sc, r[0], path, headers, body, &g);
  }
  minivm_dapr.close(sc);
}

static void fuzz_files(long count) {
  static char text[16384];
  long opened = 0;
  for (long i = 0; i < count; i++) {
    bool config = roll(6) == 0;
    snprintf(text, sizeof text, "%s", config ? configuration : files[roll(sizeof files / sizeof *files)]);
    mutate(text, sizeof text);
    write_file("mutated.yaml", text, strlen(text));
    const char *const resources[] = {"mutated.yaml", NULL}, *const none[] = {NULL};
    struct sidecar_options o = {
        .app_id = "fuzz", .resources = config ? none : resources, .config = config ? "mutated.yaml" : NULL, .log_level = DAPR_LOG_OFF};
    mv_error_t err = {0};
    struct sidecar *sc = minivm_dapr.open(&o, &err);
    if (!sc && err.message[0] == 0) fprintf(stderr, "no message for:\n%s\n", text), abort();
    opened += sc != NULL;
    minivm_dapr.close(sc);
  }
  printf("%ld of %ld mutated files were still good\n", opened, count);
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 10000;
  seed = argc > 2 ? strtoull(argv[2], NULL, 0) : UINT64_C(0x9e3779b97f4a7c15);
  fuzz_requests(count);
  fuzz_files(count);
  printf("%ld requests and %ld files: no crash\n", count, count);
  return 0;
}
