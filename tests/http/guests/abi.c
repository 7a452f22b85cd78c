/* abi.c: every import with good and bad arguments, against tests/http/server.py. usage: abi.wasm http://127.0.0.1:MAIN http://127.0.0.1:CANARY */
#include "http.h"

static const char *canary;

static void check(const char *name, long got, long wanted) {
  if (got == wanted)
    printf("ok %s\n", name);
  else
    printf("FAIL %s: %ld, not %ld\n", name, got, wanted);
}

static void check_text(const char *name, const char *got, const char *wanted) {
  if (strcmp(got, wanted) == 0)
    printf("ok %s\n", name);
  else
    printf("FAIL %s: '%s', not '%s'\n", name, got, wanted);
}

static char buf[1 << 20];

/* Sends, reads the body into buf, closes. Returns the code, or the status. */
static long fetch(const char *method, const char *path, const char *headers, const char *body) {
  uint16_t status = 0;
  uint32_t handle = 99, code = request(method, path, headers, body, &status, &handle);
  long n;
  buf[0] = 0;
  if (code) return code;
  n = read_all(handle, buf, sizeof buf - 1);
  http_close(handle);
  if (n < 0) return n;
  buf[n] = 0;
  return status;
}

static char value[4096];
static long header(uint32_t handle, const char *name) {
  uint32_t n = 0, code = http_header_get(handle, name, (uint32_t)strlen(name), value, sizeof value - 1, &n);
  value[n] = 0;
  return code;
}

static void test_methods(void) {
  static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "DELET", "M-SEARCH", "x!#$%&'*+.^_`|~9"};
  char name[64];
  for (unsigned i = 0; i < sizeof methods / sizeof *methods; i++) {
    uint16_t status;
    uint32_t h;
    snprintf(name, sizeof name, "method %s", methods[i]);
    check(name, request(methods[i], "/echo", "", i == 0 ? "" : "body", &status, &h), OK);
    header(h, "x-method");
    check_text(name, value, methods[i]);
    check("its body", read_all(h, buf, 100), i == 0 ? 0 : 4);
    http_close(h);
  }
  check("HEAD", fetch("HEAD", "/bytes/5000", "", ""), 200);
  check("HEAD has no body", (long)strlen(buf), 0);
  check("GET with a body", fetch("GET", "/echo", "", "with body"), 200);
  check_text("GET with a body", buf, "with body");
  check("POST without a body", fetch("POST", "/headers", "", ""), 200);
  check("content-length: 0", strstr(buf, "Content-Length:0\n") != NULL, 1);
  check("no content type is invented", strstr(buf, "Content-Type") == NULL, 1);
  check("accept", strstr(buf, "Accept:*/*\n") != NULL, 1);
  check("no user agent", strstr(buf, "User-Agent") == NULL, 1);
  check("an empty method", fetch("", "/echo", "", ""), BAD_METHOD);
  check("a method with a space", fetch("GET /", "/echo", "", ""), BAD_METHOD);
  check("a method with a line", fetch("GET\r\nX: y", "/echo", "", ""), BAD_METHOD);
  check("CONNECT", fetch("CONNECT", "/echo", "", ""), BAD_METHOD);
}

static void test_status(void) {
  static const int statuses[] = {200, 201, 204, 206, 304, 400, 404, 418, 500, 503, 599};
  for (unsigned i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    char path[32];
    snprintf(path, sizeof path, "/status/%d", statuses[i]);
    check(path, fetch("GET", path, "", ""), statuses[i]);
  }
  struct { uint16_t before, status, after; } s = {0xaaaa, 0, 0xaaaa};
  uint32_t h;
  check("status", request("GET", "/status/404", "", "", &s.status, &h), OK);
  check("only two bytes are written", s.after == 0xaaaa && s.before == 0xaaaa && s.status == 404, 1);
  http_close(h);
  check("interim responses are passed over", fetch("GET", "/interim", "", ""), 200);
  check_text("interim", buf, "final");
}

/* `count` headers of different names. */
static const char *many_headers(int count) {
  char *p = buf;
  for (int i = 0; i < count; i++) p += sprintf(p, "n%d:\n", i);
  return buf;
}

/* One, `count` times: four bytes each. */
static const char *repeated_header(int count) {
  char *p = buf;
  while (count--) p += sprintf(p, "aa:\n");
  return buf;
}

static void test_request_headers(void) {
  check("headers", fetch("GET", "/headers", "X-One:1\nx-two: 2 \r\nX-Three:a:b\n", ""), 200);
  check("one", strstr(buf, "x-one:1\n") != NULL, 1);
  check("two", strstr(buf, "x-two:2") != NULL, 1);
  check("three", strstr(buf, "x-three:a:b\n") != NULL, 1);
  check("the last terminator is optional", fetch("GET", "/headers", "A:1\nB:2", ""), 200);
  check("no terminator", strstr(buf, "b:2\n") != NULL, 1);
  check("a repeated name", fetch("GET", "/headers", "A:1\na:2\n", ""), 200);
  check("replaces the first", strstr(buf, "a:2\n") != NULL && !strstr(buf, "a:1\n"), 1);
  check("an empty value", fetch("GET", "/headers", "X-Empty:\n", ""), 200);
  check("is sent", strstr(buf, "x-empty:\n") != NULL, 1);
  check("a long header", (memset(value, 'v', 4000), value[4000] = 0, memcpy(value, "X-Long:", 7), fetch("GET", "/headers", value, "")), 200);
  check("arrives", strstr(buf, "vvvv\n") != NULL, 1);
  check("UTF-8 in a value", fetch("GET", "/headers", "X-Name:\xc3\xa9\n", ""), 200);
  check("no colon", fetch("GET", "/headers", "nothing\n", ""), BAD_HEADER);
  check("an empty line", fetch("GET", "/headers", "a:b\n\nc:d\n", ""), BAD_HEADER);
  check("an empty name", fetch("GET", "/headers", ":x\n", ""), BAD_HEADER);
  check("a space in a name", fetch("GET", "/headers", "a b:x\n", ""), BAD_HEADER);
  check("a control character", fetch("GET", "/headers", "a:\x01\n", ""), BAD_HEADER);
  check("a carriage return", fetch("GET", "/headers", "a:b\rc:d\n", ""), BAD_HEADER);
  check("no UTF-8", fetch("GET", "/headers", "a:\xff\n", ""), UTF8);
  check("many headers", fetch("GET", "/echo", many_headers(90), ""), 200);
  check("too many headers", fetch("GET", "/echo", many_headers(1025), ""), BAD_HEADER);
  check("too much text", fetch("GET", "/echo", repeated_header(65537), ""), BAD_HEADER); /* 256 KiB and one line */
  check("accept of its own", fetch("GET", "/headers", "accept:text/html\n", ""), 200);
  check("replaces the default", strstr(buf, "accept:text/html\n") && !strstr(buf, "*/*"), 1);
  check("content-length that fits", fetch("POST", "/echo", "content-length:4\n", "four"), 200);
  check("content-length that does not", fetch("POST", "/echo", "content-length:5\n", "four"), BAD_HEADER);
  check("host of another", fetch("GET", "/headers", "Host:other\n", ""), NOT_ALLOWED);
  {
    char own[128];
    snprintf(own, sizeof own, "host:%s\n", base + 7);
    check("host of its own", fetch("GET", "/headers", own, ""), 200);
  }
  check("connection headers", fetch("POST", "/headers", "Connection:close\nTransfer-Encoding:chunked\nUpgrade:x\nExpect:100-continue\n", "body"), 200);
  check("are the host's", !strstr(buf, "close") && !strstr(buf, "chunked") && !strstr(buf, "pgrade") && !strstr(buf, "xpect"), 1);
}

static void test_response_headers(void) {
  uint16_t status;
  uint32_t h, n = 77;
  check("multi", request("GET", "/multi", "", "", &status, &h), OK);
  check("header_get", header(h, "set-cookie"), OK);
  check_text("gives the first value", value, "a=1");
  check("header_get by another case", header(h, "X-COLONS"), OK);
  check_text("its value", value, "a:b:c");
  check("an empty value", header(h, "x-empty"), OK);
  check_text("is empty", value, "");
  check("no such header", header(h, "x-none"), NO_HEADER);
  check("an empty name", header(h, ""), NO_HEADER);
  check("a value that does not fit", http_header_get(h, "x-colons", 8, value, 4, &n), TOO_SMALL);
  check("its length is not written", n, 77);
  check("a value that just fits", http_header_get(h, "x-colons", 8, value, 5, &n), OK);
  check("its length", n, 5);
  check("a name that is no UTF-8", header(h, "\xff"), UTF8);
  check("all", http_headers_get_all(h, buf, sizeof buf, &n), OK);
  buf[n] = 0;
  check("cookies", strstr(buf, "set-cookie:a=1\n") && strstr(buf, "set-cookie:b=2\n"), 1);
  check("colons", strstr(buf, "x-colons:a:b:c\n") != NULL, 1);
  check("empty", strstr(buf, "x-empty:\n") != NULL, 1);
  check("all, just fitting", http_headers_get_all(h, buf, n, &n), OK);
  check("all, not fitting", http_headers_get_all(h, buf, n - 1, &n), TOO_SMALL);
  http_close(h);
  check("latin", request("GET", "/multi?latin=1", "", "", &status, &h), OK);
  check("header_get gives raw bytes", header(h, "x-latin"), OK);
  check("them", (long)strlen(value), 4);
  check("headers_get_all cannot", http_headers_get_all(h, buf, sizeof buf, &n), RUNTIME);
  http_close(h);
}

static void test_bodies(void) {
  uint16_t status;
  uint32_t h, n = 0;
  unsigned long sum = 0;
  check("chunked", request("GET", "/chunked/123457/1000", "", "", &status, &h), OK);
  check("its length", read_all(h, buf, sizeof buf), 123457);
  for (long i = 0; i < 123457; i++) sum += (unsigned char)buf[i] != (unsigned char)i;
  check("its bytes", (long)sum, 0);
  check("the end stays the end", http_body_read(h, buf, 10, &n), OK);
  check("the end", n, 0);
  http_close(h);
  check("sized", request("GET", "/bytes/1000000", "", "", &status, &h), OK);
  check("one read gives it all", http_body_read(h, buf, sizeof buf, &n), OK);
  check("all", n, 1000000);
  http_close(h);
  check("in pieces", request("GET", "/bytes/10", "", "", &status, &h), OK);
  check("cap 0", http_body_read(h, buf, 0, &n), OK);
  check("gives nothing", n, 0);
  check("cap 4", http_body_read(h, buf, 4, &n), OK);
  check("gives 4", n, 4);
  check("cap 100", http_body_read(h, buf, 100, &n), OK);
  check("gives 6", n, 6);
  http_close(h);
  check("until the connection closes", fetch("GET", "/until_close", "", ""), 200);
  check_text("its body", buf, "up to the end");
  memset(buf, 'x', 300000);
  buf[300000] = 0;
  check("a large request body", request("POST", "/echo", "", buf, &status, &h), OK);
  check("comes back", read_all(h, buf, sizeof buf), 300000);
  http_close(h);
  check("an event stream", request("GET", "/drip/3/100?type=text/event-stream", "", "", &status, &h), OK);
  check("its first piece", http_body_read(h, buf, 1000, &n), OK);
  check("comes by itself", n, 7);
  check("the rest", read_all(h, buf, sizeof buf), 14);
  http_close(h);
  check("drips", fetch("GET", "/drip/4/30", "", ""), 200);
  check_text("are collected", buf, "drip 0\ndrip 1\ndrip 2\ndrip 3\n");
}

static void test_failures(void) {
  uint16_t status;
  uint32_t h, n;
  check("a truncated body has a head", request("GET", "/truncated", "", "", &status, &h), OK);
  check("its bytes first", http_body_read(h, buf, 100, &n), OK);
  check("nine of them", n, 9);
  check("then error 11", http_body_read(h, buf, 100, &n), FAILED);
  check("and again", http_body_read(h, buf, 100, &n), FAILED);
  http_close(h);
  check("a bad chunk", request("GET", "/badchunk", "", "", &status, &h), OK);
  check("its bytes", http_body_read(h, buf, 4, &n), OK);
  check("four", n, 4);
  check("error 11", http_body_read(h, buf, 100, &n), FAILED);
  http_close(h);
  check("closed without an answer", fetch("GET", "/closed", "", ""), FAILED);
  check("no HTTP", fetch("GET", "/garbage", "", ""), FAILED);
  check("a huge head", fetch("GET", "/bighead/400", "", ""), FAILED);
  check("a large head", fetch("GET", "/bighead/50", "", ""), 200);
  check("works again", fetch("GET", "/status/200", "", ""), 200);
}

static void test_urls(void) {
  check("no URL", fetch("GET", "://", "", ""), BAD_URL);
  check("another scheme", fetch("GET", "ftp://127.0.0.1/", "", ""), BAD_URL);
  check("not allowed", fetch("GET", canary, "", ""), NOT_ALLOWED);
  check("a path and a query", fetch("GET", "/echo/a/../b/./c?d=../e&f=%2F", "", ""), 200);
  check("a fragment", fetch("GET", "/headers#x", "", ""), 200);
  uint16_t status;
  uint32_t h;
  check("what must be encoded", request("GET", "/echo/a b\xc3\xa9\"<>{}", "", "", &status, &h), OK);
  header(h, "x-path");
  check_text("is", value, "/echo/a%20b%C3%A9%22%3C%3E%7B%7D");
  http_close(h);
  check("dots", request("GET", "/echo/a/../b/./c?d=../e&f=%2F", "", "", &status, &h), OK);
  header(h, "x-path");
  check_text("are removed from the path", value, "/echo/b/c?d=../e&f=%2F");
  http_close(h);
  check("no UTF-8", fetch("GET", "/\xff", "", ""), UTF8);
  check("a redirect", fetch("GET", "/redirect?to=/echo", "", ""), 200);
  check("a chain", fetch("GET", "/chain/10", "", ""), 200);
  check_text("its end", buf, "arrived");
  check("a chain that is too long", fetch("GET", "/chain/11", "", ""), FAILED);
  check("303 makes a GET", request("POST", "/redirect?code=303&to=/echo", "", "x", &status, &h), OK);
  header(h, "x-method");
  check_text("of it", value, "GET");
  http_close(h);
  check("307 keeps the method", request("PUT", "/redirect?code=307&to=/echo", "content-type:a/b\n", "kept", &status, &h), OK);
  header(h, "x-method");
  check_text("method", value, "PUT");
  header(h, "content-type");
  check_text("type", value, "a/b");
  check("body", read_all(h, buf, 100), 4);
  http_close(h);
  snprintf(value, sizeof value, "/redirect?to=%s/", canary);
  check("a redirect to another origin", fetch("GET", value, "", ""), NOT_ALLOWED);
}

static void test_handles(void) {
  uint16_t status;
  uint32_t h[4], n;
  for (int i = 0; i < 3; i++) {
    request("GET", "/status/200", "", "", &status, &h[0]);
    check("request and close give handle 0", h[0], 0);
    check("close", http_close(h[0]), OK);
  }
  request("GET", "/bytes/3", "", "", &status, &h[0]);
  request("GET", "/bytes/4", "", "", &status, &h[1]);
  check("the second is 1", h[1], 1);
  http_close(h[0]);
  request("GET", "/bytes/5", "", "", &status, &h[2]);
  check("the third is 2, though 0 is free", h[2], 2);
  check("each has its own body", read_all(h[2], buf, 100), 5);
  check("and the other", read_all(h[1], buf, 100), 4);
  check("close twice", http_close(h[0]), OK);
  check("close of an unknown one", http_close(4711), OK);
  check("body_read of a closed one", http_body_read(h[0], buf, 10, &n), INVALID_HANDLE);
  check("header_get of a closed one", header(h[0], "date"), INVALID_HANDLE);
  check("headers_get_all of a closed one", http_headers_get_all(h[0], buf, 10, &n), INVALID_HANDLE);
  http_close(h[1]);
  http_close(h[2]);
}

/* Addresses and lengths outside of the memory. */
static void test_arguments(void) {
  uint16_t status;
  uint32_t h, n, size = (uint32_t)__builtin_wasm_memory_size(0) * 65536, length;
  const char *out = (const char *)(uintptr_t)(size + 1), *end = (const char *)(uintptr_t)size;
  char url[128];
  snprintf(url, sizeof url, "%s/status/200", base);
  length = (uint32_t)strlen(url);
#define REQ(u, ul, m, ml, hp, hl, b, bl, s, hd) http_req(u, ul, m, ml, hp, hl, b, bl, s, hd)
  uint32_t next = (request("GET", "/status/200", "", "", &status, &h), h);
  http_close(h);
  check("url outside", REQ(out, 1, "GET", 3, "", 0, "", 0, &status, &h), TOO_SMALL);
  check("url too long", REQ(url, size, "GET", 3, "", 0, "", 0, &status, &h), TOO_SMALL);
  check("url overflows", REQ(url, 0xffffffff, "GET", 3, "", 0, "", 0, &status, &h), TOO_SMALL);
  check("method outside", REQ(url, length, out, 0, "", 0, "", 0, &status, &h), TOO_SMALL);
  check("headers outside", REQ(url, length, "GET", 3, out, 0, "", 0, &status, &h), TOO_SMALL);
  check("body outside", REQ(url, length, "GET", 3, "", 0, out, 0, &status, &h), TOO_SMALL);
  check("empty at the very end", REQ(url, length, "GET", 3, end, 0, end, 0, &status, &h), OK);
  http_close(h);
  check("empty at 1", REQ(url, length, "GET", 3, (const char *)1, 0, (const char *)1, 0, &status, &h), OK);
  http_close(h);
  check("status outside", REQ(url, length, "GET", 3, "", 0, "", 0, (uint16_t *)(uintptr_t)(size - 1), &h), MEMORY_ACCESS);
  check("handle outside", REQ(url, length, "GET", 3, "", 0, "", 0, &status, (uint32_t *)(uintptr_t)(size - 3)), MEMORY_ACCESS);
  check("url before method", REQ("x", 1, "", 0, "", 0, "", 0, &status, &h), BAD_URL);
  check("allowed before method", REQ("http://x/", 9, "", 0, "", 0, "", 0, &status, &h), NOT_ALLOWED);
  check("method before body", REQ(url, length, "", 0, "", 0, out, 0, &status, &h), BAD_METHOD);
  check("body before headers", REQ(url, length, "GET", 3, "x", 1, out, 0, &status, &h), TOO_SMALL);
  check("a zero in a header", REQ(url, length, "GET", 3, "a:\0b", 4, "", 0, &status, &h), BAD_HEADER);
  check("a zero in a URL", REQ("http://127.0.0.1\0.x/", 20, "GET", 3, "", 0, "", 0, &status, &h), BAD_URL);
  check("a zero in a method", REQ(url, length, "G\0T", 3, "", 0, "", 0, &status, &h), BAD_METHOD);
  check("a failed req leaves no handle", (request("GET", "/bytes/9", "", "", &status, &h), h), next);
  check("header value outside", http_header_get(h, "content-length", 14, (char *)(uintptr_t)size, 10, &n), MEMORY_ACCESS);
  check("header length outside", http_header_get(h, "content-length", 14, value, 10, (uint32_t *)(uintptr_t)(size - 2)), MEMORY_ACCESS);
  check("header name outside", http_header_get(h, out, 0, value, 10, &n), TOO_SMALL);
  check("headers outside", http_headers_get_all(h, (char *)(uintptr_t)(size - 5), 1000, &n), MEMORY_ACCESS);
  check("headers length outside", http_headers_get_all(h, buf, 1000, (uint32_t *)(uintptr_t)0xfffffffe), MEMORY_ACCESS);
  check("body outside", http_body_read(h, (void *)(uintptr_t)(size + 1), 1, &n), MEMORY_ACCESS);
  check("body count outside", http_body_read(h, buf, 1, (uint32_t *)(uintptr_t)size), MEMORY_ACCESS);
  check("nothing was lost", read_all(h, buf, 100), 9);
  http_close(h);
}

/* One connection serves them all. */
static void test_many(int count) {
  long requests, connections, requests2, connections2;
  int bad = 0;
  fetch("GET", "/seen", "", "");
  sscanf(buf, "%ld %ld", &requests, &connections);
  for (int i = 0; i < count; i++) bad += fetch("GET", "/bytes/100", "", "") != 200;
  fetch("GET", "/seen", "", "");
  sscanf(buf, "%ld %ld", &requests2, &connections2);
  check("sequential requests", bad, 0);
  check("all of them arrived", requests2 - requests, count + 1);
  check("on kept connections", connections2 - connections <= 1, 1);
}

/* Responses that are never closed. */
static void test_leaks(void) {
  uint16_t status;
  uint32_t h;
  int bad = 0;
  for (int i = 0; i < 500; i++) bad += request("GET", "/bytes/100", "", "", &status, &h) != OK;
  check("500 open responses", bad, 0);
  check("the handles count up", h >= 499, 1);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  base = argv[1];
  canary = argv[2];
  test_methods();
  test_status();
  test_request_headers();
  test_response_headers();
  test_bodies();
  test_failures();
  test_urls();
  test_handles();
  test_arguments();
  test_many(argc > 3 ? atoi(argv[3]) : 2000);
  test_leaks();
  puts("done");
  return 0;
}
