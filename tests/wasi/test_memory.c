/* test_memory.c: every allocation fails once; what was asked for then fails cleanly and can be tried again. Linked with --wrap. */
#include "world.h"

#include <stdlib.h>

/* Fails the allocation number `fail_at`, counted from 1; 0: none. */
static unsigned long fail_at, allocations;

static bool fails(void) { return ++allocations == fail_at; }

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
char *__real_strdup(const char *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
char *__wrap_strdup(const char *);

void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t n, size_t size) { return fails() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t size) { return fails() ? NULL : __real_realloc(p, size); }
char *__wrap_strdup(const char *s) { return fails() ? NULL : __real_strdup(s); }

static void arm(unsigned long n) {
  allocations = 0;
  fail_at = n;
}

static bool set_up(void) {
  mv_wasi_t *w = mv_wasi_new();
  bool ok;
  if (!w) return false;
  ok = mv_wasi_arg(w, "a") && mv_wasi_arg(w, "b") && mv_wasi_env(w, "A", "1") && mv_wasi_env(w, "B", "2") && mv_wasi_env(w, "A", "3");
  for (int i = 0; ok && i < 10; i++) ok = mv_wasi_dir(w, "/", "/", true);
  mv_wasi_delete(w);
  return ok;
}

static void setting_up(void **state) {
  unsigned long n = 1;
  (void)state;
  for (;; n++) {
    arm(n);
    bool ok = set_up();
    if (allocations < n) {
      assert_true(ok);
      break;
    }
    assert_false(ok);
  }
  arm(0);
  assert_true(n > 10);
}

static void calls(void **state) {
  struct world *t = world_new();
  char name[32];
  unsigned failed = 0;
  (void)state;
  for (int i = 0; i < 100; i++) {
    snprintf(name, sizeof name, "box/%d", i);
    world_write(t, name, "");
  }
  for (uint32_t i = 0; i < 20; i++) { /* clocks that have passed */
    set64(t, 0x2000 + 48 * i, i);
    set32(t, 0x2000 + 48 * i + 16, 1);
  }
  for (unsigned long n = 1; n < 20; n++) {
    arm(n);
    int err = CALL(t, fd_readdir, BOX, BUF, 256, 0, OUT);
    assert_true(err == 0 || err == WASI_ENOMEM);
    failed += err != 0;
    arm(0);
    assert_int_equal(CALL(t, fd_readdir, BOX, BUF, 256, 0, OUT), 0);
    arm(n);
    err = CALL(t, poll_oneoff, 0x2000, 0x8000, 20, OUT);
    assert_true(err == 0 || err == WASI_ENOMEM);
    failed += err != 0;
    arm(n);
    err = world_open(t, BOX, "new", WASI_CREAT, 0, 0);
    assert_true(err > 0 || err == -WASI_ENOMEM);
    failed += err < 0;
    arm(0);
  }
  assert_true(failed >= 5);
  world_delete(t);
}

int run_memory(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(setting_up), cmocka_unit_test(calls)};
  return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
