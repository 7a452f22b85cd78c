/* test_trace.c: the lines of the trace. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEST(name) static void name(void **state)
#define BEGIN \
  struct world *t = world_new(); \
  char *text = NULL; \
  size_t size = 0; \
  FILE *out = open_memstream(&text, &size); \
  (void)state; \
  mv_wasi_trace(t->wasi, out)
#define END \
  fclose(out); \
  free(text); \
  world_delete(t)
/* The trace of one call. */
#define LINE(call, line) \
  do { \
    rewind(out); \
    (void)(call); \
    fflush(out); \
    text[size] = '\0'; \
    assert_string_equal(text, line "\n"); \
  } while (0)

TEST(paths_and_flags) {
  BEGIN;
  LINE(CALL(t, path_open, BOX, 1, PATH(t, "a.txt"), 1, R(FD_READ) | R(FD_WRITE), 0, 1, OUT),
       "path_open(3, SYMLINK_FOLLOW, \"a.txt\", CREAT, FD_READ|FD_WRITE, 0, APPEND) = 5 (errno 0)");
  LINE(CALL(t, path_open, BOX, 0, PATH(t, "b"), 0, 0, 0, 0, OUT), "path_open(3, 0, \"b\", 0, 0, 0, 0) = -1 NOENT (errno 44)");
  LINE(CALL(t, path_open, BOX, 4, PATH(t, "b"), 32, 0, 0, 0, OUT), "path_open(3, 0x4, \"b\", 0x20, 0, 0, 0) = -1 INVAL (errno 28)");
  LINE(CALL(t, path_unlink_file, BOX, PATH(t, "a\"\n\x01\\")), "path_unlink_file(3, \"a\\\"\\n\\x01\\\\\") = -1 NOENT (errno 44)");
  LINE(CALL(t, path_rename, BOX, PATH(t, "a.txt"), BOX, PATH(t, "c")), "path_rename(3, \"a.txt\", 3, \"c\") = 0 (errno 0)");
  LINE(CALL(t, path_symlink, PATH(t, "c"), BOX, PATH(t, "l")), "path_symlink(\"c\", 3, \"l\") = 0 (errno 0)");
  LINE(CALL(t, path_readlink, BOX, PATH(t, "l"), BUF, 9, OUT), "path_readlink(3, \"l\", \"c\") = 1 (errno 0)");
  LINE(CALL(t, fd_fdstat_set_rights, BOX, R(ALL), R(ALL) & ~(R(FD_READ) | R(SOCK_ACCEPT))),
       "fd_fdstat_set_rights(3, ALL, ALL-(FD_READ|SOCK_ACCEPT)) = -1 NOTCAPABLE (errno 76)");
  LINE(CALL(t, fd_close, UINT32_MAX), "fd_close(-1) = -1 BADF (errno 8)");
  END;
}

TEST(buffers) {
  BEGIN;
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_READ) | R(FD_WRITE) | R(FD_SEEK), 0);
  LINE(world_fd_write(t, (uint32_t)fd, "hello\n"), "fd_write(5, \"hello\\n\", 1) = 6 (errno 0)");
  LINE(CALL(t, fd_seek, 5, 1, 0, OUT), "fd_seek(5, 1, SET) = 1 (errno 0)");
  LINE(world_fd_read(t, (uint32_t)fd), "fd_read(5, \"ello\\n\", 1) = 5 (errno 0)");
  LINE(CALL(t, fd_pread, 5, one(t, BUF, 2), 1, 1, OUT), "fd_pread(5, \"el\", 1, 1) = 2 (errno 0)");
  LINE(world_fd_write(t, (uint32_t)fd, "0123456789012345678901234567890123456789012345678901234567890123456789"),
       "fd_write(5, \"012345678901234567890123456789012345678901234567\"..., 1) = 70 (errno 0)");
  LINE(CALL(t, fd_write, 5, MEMORY_SIZE, 1, OUT), "fd_write(5, \"\", 1) = trap");
  LINE(CALL(t, fd_prestat_dir_name, RO, BUF, 3), "fd_prestat_dir_name(4, \"/ro\") = 0 (errno 0)");
  END;
}

TEST(results) {
  BEGIN;
  LINE(CALL(t, fd_prestat_get, BOX, OUT), "fd_prestat_get(3) = {dir, name_len=1} (errno 0)");
  LINE(CALL(t, proc_exit, 3), "proc_exit(3) = ?");
  LINE(CALL(t, sched_yield, 0), "sched_yield() = 0 (errno 0)");
  LINE(CALL(t, clock_time_get, 7, 1, OUT), "clock_time_get(7, 1) = -1 INVAL (errno 28)");
  LINE(CALL(t, proc_raise, 6), "proc_raise(ABRT) = -1 NOTSUP (errno 58)");
  LINE(CALL(t, args_sizes_get, OUT, OUT2), "args_sizes_get() = 0, 0 (errno 0)");
  LINE(CALL(t, fd_renumber, BOX, 77), "fd_renumber(3, 77) = -1 BADF (errno 8)");
  LINE(CALL(t, sock_shutdown, BOX, 3), "sock_shutdown(3, RD|WR) = -1 NOTSOCK (errno 57)");
  t->unstable = true;
  LINE(CALL(t, fd_seek, 77, 0, 0, OUT), "fd_seek(77, 0, CUR) = -1 BADF (errno 8)");
  END;
}

/* Whatever a guest passes, the trace must not fall over. */
TEST(any_arguments) {
  BEGIN;
  static const uint64_t values[] = {0, 1, 3, BUF, MEMORY_SIZE - 1, UINT32_MAX, UINT64_MAX, INT64_MAX};
  uint32_t seed = 1;
  mv_wasi_stdio(t->wasi, 0, -1);
  mv_wasi_stdio(t->wasi, 1, -1);
  mv_wasi_stdio(t->wasi, 2, -1);
  for (int round = 0; round < 40; round++) {
    rewind(out);
#define WASI_CALL(name, sig, args, right, right2) \
  if (WASI_ID_##name != WASI_ID_poll_oneoff) { \
    uint64_t cells[16]; \
    for (int i = 0; i < 16; i++) { \
      seed = seed * 1103515245 + 12345; \
      cells[i] = values[seed >> 16 & 7]; \
    } \
    (void)world_call(t, #name, cells); \
  }
#include "../../wasi/abi.def"
#undef WASI_CALL
  }
  for (unsigned i = 0; i < MEMORY_BEYOND; i++) assert_int_equal(t->memory[MEMORY_SIZE + i], CANARY);
  END;
}

int run_trace(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(paths_and_flags), cmocka_unit_test(buffers), cmocka_unit_test(results), cmocka_unit_test(any_arguments),
  };
  return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
