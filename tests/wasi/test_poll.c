/* test_poll.c: poll_oneoff. */
#include "world.h"

#include <fcntl.h>
#include <unistd.h>

#define TEST(name) static void name(void **state)
#define BEGIN \
  struct world *t = world_new(); \
  (void)state
#define END world_delete(t)

enum { IN = 0x2000, EVENTS = 0x8000, MS = 1000000 };

static void clock_sub(struct world *t, uint32_t i, uint64_t userdata, uint32_t clock, uint64_t timeout, uint32_t flags) {
  uint32_t at = IN + (t->unstable ? 56 : 48) * i;
  memset(t->memory + at, 0, 48);
  set64(t, at, userdata);
  t->memory[at + 8] = 0;
  at += t->unstable ? 24 : 16;
  set32(t, at, clock);
  set64(t, at + 8, timeout);
  set64(t, at + 16, 0);
  set32(t, at + 24, flags);
}

static void fd_sub(struct world *t, uint32_t i, uint64_t userdata, uint8_t type, uint32_t fd) {
  uint32_t at = IN + (t->unstable ? 56 : 48) * i;
  memset(t->memory + at, 0, 48);
  set64(t, at, userdata);
  t->memory[at + 8] = type;
  set32(t, at + 16, fd);
}

static uint64_t now(uint32_t clock) {
  clockid_t c;
  assert_true(wasi_clock(clock, &c));
  return wasi_now(c);
}

TEST(nothing_to_wait_for) {
  BEGIN;
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 0, OUT), WASI_EINVAL);
  END;
}

TEST(relative_clocks) {
  BEGIN;
  for (uint32_t clock = 0; clock < 2; clock++) {
    uint64_t before = now(1);
    clock_sub(t, 0, 77, clock, 30 * MS, 0);
    memset(t->memory + EVENTS, 0xff, 32);
    assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), 0);
    assert_true(now(1) - before >= 29 * MS);
    assert_int_equal(get32(t, OUT), 1);
    assert_int_equal(get64(t, EVENTS), 77);
    assert_int_equal(get16(t, EVENTS + 8), 0);
    assert_int_equal(t->memory[EVENTS + 10], 0);
    assert_int_equal(get64(t, EVENTS + 16), 0);
  }
  END;
}

TEST(absolute_clocks) {
  BEGIN;
  for (uint32_t clock = 0; clock < 2; clock++) {
    uint64_t until = now(clock) + 30 * MS;
    clock_sub(t, 0, 1, clock, until, 1);
    assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), 0);
    assert_true(now(clock) >= until);
    clock_sub(t, 0, 1, clock, 1, 1); /* long past */
    t->interrupt_after = 10;
    assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), 0);
    t->interrupt_after = 0;
  }
  END;
}

TEST(only_the_clocks_that_passed) {
  BEGIN;
  clock_sub(t, 0, 1, 1, 10000 * (uint64_t)MS, 0);
  clock_sub(t, 1, 2, 1, 5 * MS, 0);
  clock_sub(t, 2, 3, 0, UINT64_MAX, 0); /* never; must not overflow */
  clock_sub(t, 3, 4, 1, 0, 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 3, OUT), 0);
  assert_int_equal(get32(t, OUT), 1);
  assert_int_equal(get64(t, EVENTS), 2);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 4, OUT), 0);
  assert_int_equal(get32(t, OUT), 1);
  assert_int_equal(get64(t, EVENTS), 4);
  END;
}

TEST(bad_subscriptions) {
  BEGIN;
  clock_sub(t, 0, 1, 9, 1, 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), WASI_EINVAL);
  clock_sub(t, 0, 1, 1, 1, 2);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), WASI_EINVAL);
  fd_sub(t, 0, 1, 3, 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 0x10000000, OUT), TRAPPED);
  assert_int_equal(CALL(t, poll_oneoff, IN + 4, EVENTS, 1, OUT), TRAPPED);
  clock_sub(t, 0, 1, 1, 1, 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, MEMORY_SIZE - 16, 1, OUT), TRAPPED);
  END;
}

TEST(errors_are_events) {
  BEGIN;
  int r = world_open(t, BOX, "f", WASI_CREAT, R(FD_READ) | R(POLL_FD_READWRITE), 0);
  fd_sub(t, 0, 10, 1, 999);
  fd_sub(t, 1, 11, 2, (uint32_t)r); /* not opened for writing */
  fd_sub(t, 2, 12, 1, BOX);
  clock_sub(t, 3, 13, 1, 100000 * (uint64_t)MS, 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 4, OUT), 0);
  assert_int_equal(get32(t, OUT), 3);
  assert_int_equal(get64(t, EVENTS), 10);
  assert_int_equal(get16(t, EVENTS + 8), WASI_EBADF);
  assert_int_equal(t->memory[EVENTS + 10], 1);
  assert_int_equal(get16(t, EVENTS + 32 + 8), WASI_EBADF);
  assert_int_equal(t->memory[EVENTS + 32 + 10], 2);
  assert_int_equal(get16(t, EVENTS + 64 + 8), WASI_EBADF);
  END;
}

TEST(pipes) {
  BEGIN;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  mv_wasi_stdio(t->wasi, 0, ends[0]);
  mv_wasi_stdio(t->wasi, 1, ends[1]);
  fd_sub(t, 0, 1, 1, 0);
  clock_sub(t, 1, 2, 1, 20 * MS, 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 2, OUT), 0);
  assert_int_equal(get32(t, OUT), 1);
  assert_int_equal(get64(t, EVENTS), 2); /* nothing to read: the clock */
  assert_int_equal(world_fd_write(t, 1, "12345"), 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 2, OUT), 0);
  assert_int_equal(get32(t, OUT), 1);
  assert_int_equal(get64(t, EVENTS), 1);
  assert_int_equal(t->memory[EVENTS + 10], 1);
  assert_int_equal(get64(t, EVENTS + 16), 5);
  assert_int_equal(get16(t, EVENTS + 24), 0);
  fd_sub(t, 0, 3, 2, 1);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 2, OUT), 0);
  assert_int_equal(get64(t, EVENTS), 3);
  assert_int_equal(t->memory[EVENTS + 10], 2);
  assert_string_equal(world_fd_read(t, 0), "12345");
  close(ends[1]);
  fd_sub(t, 0, 4, 1, 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 2, OUT), 0);
  assert_int_equal(get64(t, EVENTS), 4);
  assert_int_equal(get16(t, EVENTS + 24), 1); /* hung up */
  close(ends[0]);
  END;
}

TEST(files_are_always_ready) {
  BEGIN;
  world_write(t, "box/f", "123");
  int fd = world_open(t, BOX, "f", 0, R(FD_READ) | R(FD_WRITE) | R(FD_SEEK) | R(POLL_FD_READWRITE), 0);
  fd_sub(t, 0, 1, 1, (uint32_t)fd);
  fd_sub(t, 1, 2, 2, (uint32_t)fd);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 2, OUT), 0);
  assert_int_equal(get32(t, OUT), 2);
  assert_int_equal(get64(t, EVENTS + 16), 3);
  assert_int_equal(get64(t, EVENTS + 32), 2);
  assert_int_equal(CALL(t, fd_seek, (uint32_t)fd, 0, 2, OUT2), 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), 0);
  assert_int_equal(get64(t, EVENTS + 16), 0);
  END;
}

TEST(many_subscriptions) {
  BEGIN;
  enum { COUNT = 300 };
  for (uint32_t i = 0; i < COUNT; i++) clock_sub(t, i, i, 1, i % 2 ? 0 : 1000000 * (uint64_t)MS, 0);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, COUNT, OUT), 0);
  assert_int_equal(get32(t, OUT), COUNT / 2);
  for (uint32_t i = 0; i < COUNT / 2; i++) assert_int_equal(get64(t, EVENTS + 32 * i), 2 * i + 1);
  END;
}

TEST(unstable_layout) {
  BEGIN;
  uint64_t before = now(1);
  t->unstable = true;
  clock_sub(t, 0, 5, 1, 10 * MS, 0);
  clock_sub(t, 1, 6, 1, 100000 * (uint64_t)MS, 0);
  fd_sub(t, 2, 7, 1, 999);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 2, OUT), 0);
  assert_true(now(1) - before >= 9 * MS);
  assert_int_equal(get32(t, OUT), 1);
  assert_int_equal(get64(t, EVENTS), 5);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 3, OUT), 0);
  assert_int_equal(get64(t, EVENTS), 7);
  assert_int_equal(get16(t, EVENTS + 8), WASI_EBADF);
  END;
}

TEST(sleep_is_interrupted) {
  BEGIN;
  clock_sub(t, 0, 1, 1, 100000 * (uint64_t)MS, 0);
  t->interrupt_after = 3;
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), TRAPPED);
  assert_int_equal(t->kind, MV_INTERRUPTED);
  END;
}

TEST(right_to_poll) {
  BEGIN;
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_READ), 0);
  fd_sub(t, 0, 1, 1, (uint32_t)fd);
  assert_int_equal(CALL(t, poll_oneoff, IN, EVENTS, 1, OUT), 0);
  assert_int_equal(get16(t, EVENTS + 8), WASI_ENOTCAPABLE);
  END;
}

int run_poll(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_to_wait_for), cmocka_unit_test(relative_clocks), cmocka_unit_test(absolute_clocks),
    cmocka_unit_test(only_the_clocks_that_passed), cmocka_unit_test(bad_subscriptions), cmocka_unit_test(errors_are_events),
    cmocka_unit_test(pipes), cmocka_unit_test(files_are_always_ready), cmocka_unit_test(many_subscriptions), cmocka_unit_test(unstable_layout),
    cmocka_unit_test(sleep_is_interrupted), cmocka_unit_test(right_to_poll),
  };
  return cmocka_run_group_tests_name("poll", tests, NULL, NULL);
}
