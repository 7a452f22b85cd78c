/* test_proc.c: arguments, environment, clocks, random bytes, exit, signals, yielding. */
#include "world.h"

#include <unistd.h>

#define TEST(name) static void name(void **state)
#define BEGIN \
  struct world *t = world_new_bare(); \
  (void)state
#define END world_delete(t)

TEST(no_arguments) {
  BEGIN;
  set32(t, OUT, 99);
  assert_int_equal(CALL(t, args_sizes_get, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 0);
  assert_int_equal(get32(t, OUT2), 0);
  assert_int_equal(CALL(t, args_get, LIST, BUF), 0);
  assert_int_equal(CALL(t, environ_sizes_get, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 0);
  assert_int_equal(CALL(t, environ_get, LIST, BUF), 0);
  END;
}

TEST(arguments) {
  BEGIN;
  assert_true(mv_wasi_arg(t->wasi, "prog"));
  assert_true(mv_wasi_arg(t->wasi, ""));
  assert_true(mv_wasi_arg(t->wasi, "two words"));
  assert_int_equal(CALL(t, args_sizes_get, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 3);
  assert_int_equal(get32(t, OUT2), 5 + 1 + 10);
  assert_int_equal(CALL(t, args_get, LIST, BUF), 0);
  assert_int_equal(get32(t, LIST), BUF);
  assert_int_equal(get32(t, LIST + 4), BUF + 5);
  assert_int_equal(get32(t, LIST + 8), BUF + 6);
  assert_memory_equal(t->memory + BUF, "prog\0\0two words", 16);
  assert_int_equal(CALL(t, args_get, LIST + 1, BUF), TRAPPED);
  assert_int_equal(CALL(t, args_get, LIST, MEMORY_SIZE - 10), TRAPPED);
  END;
}

TEST(environment) {
  BEGIN;
  assert_true(mv_wasi_env(t->wasi, "A", "1"));
  assert_true(mv_wasi_env(t->wasi, "AB", "x=y"));
  assert_true(mv_wasi_env(t->wasi, "A", "22"));
  assert_int_equal(CALL(t, environ_sizes_get, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 2);
  assert_int_equal(get32(t, OUT2), 5 + 7);
  assert_int_equal(CALL(t, environ_get, LIST, BUF), 0);
  assert_memory_equal(t->memory + BUF, "A=22\0AB=x=y", 12);
  assert_int_equal(get32(t, LIST + 4), BUF + 5);
  END;
}

TEST(clocks) {
  BEGIN;
  for (uint32_t id = 0; id < 4; id++) {
    uint64_t first;
    assert_int_equal(CALL(t, clock_res_get, id, OUT), 0);
    assert_true(get64(t, OUT) > 0);
    assert_int_equal(CALL(t, clock_time_get, id, 0, OUT), 0);
    first = get64(t, OUT);
    assert_true(first > 0);
    assert_int_equal(CALL(t, clock_time_get, id, 1, OUT), 0);
    assert_true(get64(t, OUT) >= first);
  }
  assert_int_equal(CALL(t, clock_res_get, 4, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, clock_time_get, UINT32_MAX, 0, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, clock_time_get, 0, 0, OUT + 4), TRAPPED);
  assert_int_equal(CALL(t, clock_time_get, 0, 0, OUT), 0);
  assert_true(get64(t, OUT) / 1000000000 - (uint64_t)time(NULL) + 2 < 4);
  END;
}

TEST(random_bytes) {
  BEGIN;
  unsigned zero = 0;
  assert_int_equal(CALL(t, random_get, 0, 0), 0);
  assert_int_equal(CALL(t, random_get, BUF, 1024), 0);
  for (unsigned i = 0; i < 1024; i++) zero += t->memory[BUF + i] == 0;
  assert_true(zero < 40);
  assert_int_equal(t->memory[BUF + 1024], 0);
  assert_int_equal(CALL(t, random_get, MEMORY_SIZE - 4, 8), TRAPPED);
  t->interrupt_after = 1;
  assert_int_equal(CALL(t, random_get, BUF, 1024), TRAPPED);
  END;
}

TEST(exit_codes) {
  BEGIN;
  static const uint32_t codes[] = {0, 1, 33, 125, 126, 256};
  for (unsigned i = 0; i < 6; i++) {
    assert_int_equal(CALL(t, proc_exit, codes[i]), TRAPPED);
    assert_int_equal(t->kind, MV_EXIT);
    assert_int_equal(t->code, codes[i]);
  }
  assert_int_equal(CALL(t, proc_exit, UINT32_MAX), TRAPPED);
  assert_int_equal(t->code, -1);
  END;
}

TEST(signals) {
  BEGIN;
  assert_int_equal(CALL(t, proc_raise, 6), WASI_ENOTSUP);
  assert_int_equal(CALL(t, proc_raise, 30), WASI_ENOTSUP);
  assert_int_equal(CALL(t, proc_raise, 31), WASI_EINVAL);
  END;
}

TEST(yield) {
  BEGIN;
  assert_int_equal(CALL(t, sched_yield, 0), 0);
  END;
}

TEST(set_up) {
  BEGIN;
  assert_false(mv_wasi_dir(t->wasi, "/nonexistent/folder", "/", false));
  assert_int_equal(errno, ENOENT);
  assert_false(mv_wasi_dir(t->wasi, "/dev/null", "/", false));
  assert_int_equal(errno, ENOTDIR);
  assert_true(mv_wasi_dir(t->wasi, "/", "name", true));
  assert_true(mv_wasi_dir(t->wasi, "/", "name", true));
  assert_int_equal(CALL(t, fd_prestat_get, 4, OUT), 0);
  assert_int_equal(get32(t, OUT + 4), 4);
  assert_int_equal(CALL(t, fd_prestat_get, 5, OUT), WASI_EBADF);
  mv_wasi_stdio(t->wasi, 3, 0); /* no such stream: nothing happens */
  mv_wasi_stdio(t->wasi, -1, 0);
  mv_wasi_delete(NULL);
  END;
}

int run_proc(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(no_arguments), cmocka_unit_test(arguments), cmocka_unit_test(environment), cmocka_unit_test(clocks),
    cmocka_unit_test(random_bytes), cmocka_unit_test(exit_codes), cmocka_unit_test(signals), cmocka_unit_test(yield), cmocka_unit_test(set_up),
  };
  return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
