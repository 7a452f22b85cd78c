/* fetch.c: sends requests as its arguments say, for the tests of the command's options.
 * usage: fetch.wasm [-n TIMES] METHOD URL [HEADERS [BODY]]. Prints "code N", or "status N", and how the body ended. */
#include "http.h"

static char buf[65536];

static void fetch(const char *method, const char *url, const char *headers, const char *body) {
  uint16_t status;
  uint32_t handle, n, code = request(method, url, headers, body, &status, &handle);
  unsigned long long total = 0;
  if (code) {
    printf("code %u\n", code);
    return;
  }
  do {
    code = http_body_read(handle, buf, sizeof buf, &n);
    if (!code) total += n;
  } while (!code && n);
  http_close(handle);
  printf("status %u bytes %llu", status, total);
  printf(code ? " then code %u\n" : "\n", code);
  fflush(stdout);
}

int main(int argc, char **argv) {
  int times = 1;
  if (argc > 2 && !strcmp(argv[1], "-n")) times = atoi(argv[2]), argv += 2, argc -= 2;
  if (argc < 3) return 2;
  base = "";
  while (times--) fetch(argv[1], argv[2], argc > 3 ? argv[3] : "", argc > 4 ? argv[4] : "");
  return 0;
}
